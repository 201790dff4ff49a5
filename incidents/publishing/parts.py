"""What one incident counts of persons of one kind: of a sex, of a sex and age, and the rest.

Pure, no database. The rule is that of :mod:`.totals`, asked of the rows of that kind alone: a row
of just this kind is a whole, a narrower one a part, and a wider one says nothing of it. What wider
rows have beyond their parts of these kinds is the rest, by its bounds: at least their minimum less
the parts' maxima, at most their maximum less the parts' minima.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Any, NamedTuple

from harmtracker.codes import code_list, covers

from .totals import DIMENSIONS, Row, Total, contains, totals, widest

PERSONS = ("status", "role", "sex", "age_group", "affiliation")
# How many groups may be asked of at a time.
MOST_TOGETHER = 3
Values = dict[str, str]


class Part(NamedTuple):
    """A figure of persons of one kind. ``values`` is None for the rest of the whole."""

    dimensions: tuple[str, ...]
    outcome: str
    bucket: str
    values: Values | None
    total: Total


def parts(rows: Sequence[Row]) -> Iterator[Part]:
    """Of every kind that a row is of."""
    for outcome in dict.fromkeys(row.outcome for row in rows):
        of_outcome = [row for row in rows if row.outcome == outcome]
        for size in range(1, MOST_TOGETHER + 1):
            for dimensions in combinations(PERSONS, size):
                yield from _of(dimensions, of_outcome, outcome)


def _values(row: Row, dimension: str) -> list[str]:
    """What a row is of in one dimension: its code, and those that it is within."""
    if dimension == "affiliation":
        return [] if row.affiliation is None else [row.affiliation]
    code = getattr(row, dimension)
    return (
        []
        if code == "all"
        else [
            wide
            for wide in code_list(DIMENSIONS[dimension])
            if wide != "all" and covers(DIMENSIONS[dimension], wide, code)
        ]
    )


Kind = tuple[str, ...]


def _of(dimensions: tuple[str, ...], rows: Sequence[Row], outcome: str) -> Iterator[Part]:
    kinds = [(row, _kinds(row, dimensions)) for row in rows]
    found = _sums(dimensions, kinds, outcome)
    for kind, sums in found.items():
        buckets = {"all", *(row.bucket for row, its_kinds in kinds if kind in its_kinds)}
        for bucket in sorted(buckets):
            values = dict(zip(dimensions, kind, strict=True))
            yield Part(dimensions, outcome, bucket, values, sums[bucket])
    divided = {row.bucket for row, its_kinds in kinds if its_kinds}
    for bucket in sorted({"all", *divided}) if divided else ():
        rest = _rest(
            dimensions,
            [(row, its_kinds) for row, its_kinds in kinds if bucket in ("all", row.bucket)],
            outcome,
            bucket,
        )
        if rest is not None:
            yield Part(dimensions, outcome, bucket, None, rest)


def _kinds(row: Row, dimensions: tuple[str, ...]) -> list[Kind]:
    return [*product(*(_values(row, dimension) for dimension in dimensions))]


def _sums(
    dimensions: tuple[str, ...], kinds: Sequence[tuple[Row, list[Kind]]], outcome: str
) -> dict[Kind, dict[str, Total]]:
    """Kind -> bucket -> what the rows of that kind come to."""
    of_kind: dict[Kind, list[Row]] = {}
    for row, its_kinds in kinds:
        for kind in its_kinds:
            of_kind.setdefault(kind, []).append(_as_whole(row, dimensions, kind))
    return {kind: totals(rows)[outcome] for kind, rows in of_kind.items()}


def _rest(
    dimensions: tuple[str, ...],
    kinds: Sequence[tuple[Row, list[Kind]]],
    outcome: str,
    bucket: str,
) -> Total | None:
    """What the rows that are of no kind have beyond what is within them; None: nothing."""
    whole = [
        row
        for row in widest([row for row, _its_kinds in kinds])
        if not any(row is other and its_kinds for other, its_kinds in kinds)
    ]
    if not whole:
        return None
    within = [
        (row, its_kinds)
        for row, its_kinds in kinds
        if its_kinds and any(contains(wide, row) for wide in whole)
    ]
    parts = [
        sums[bucket]
        for kind, sums in _sums(dimensions, within, outcome).items()
        if _is_apart(dict(zip(dimensions, kind, strict=True)))
    ]
    rest = remainder(totals(whole)[outcome][bucket], parts)
    return None if rest.max == 0 else rest


def _as_whole(row: Row, dimensions: tuple[str, ...], kind: tuple[str, ...]) -> Row:
    """The row as one among those of its kind: what it is of them all, it does not narrow."""
    changes: dict[str, Any] = {}
    for dimension, value in zip(dimensions, kind, strict=True):
        if dimension == "affiliation":
            changes["affiliation"] = None
        elif dimension in ("sex", "age_group") and getattr(row, dimension) == value:
            changes[dimension] = "all"
    return replace(row, **changes)


def _is_apart(values: Values) -> bool:
    """Whether it shares nobody with another kind: infants are counted with the children."""
    age = values.get("age_group")
    return age is None or code_list("age_group")[age].parent is None


def remainder(whole: Total, its_parts: Sequence[Total]) -> Total:
    """What a whole has beyond parts that share nobody; a bound that says nothing is not known."""
    maxima = [part.max for part in its_parts]
    best = [part.best for part in its_parts]
    low = middle = high = None
    if whole.min is not None and None not in maxima:
        low = whole.min - sum(n for n in maxima if n is not None)
    if whole.best is not None and None not in best:
        middle = whole.best - sum(n for n in best if n is not None)
    if whole.max is not None:
        high = max(whole.max - sum(part.min or 0 for part in its_parts), 0)
    if its_parts:
        low = low if low is not None and low > 0 else None
        middle = middle if middle is not None and middle >= 0 else None
    return Total(low, middle, high, at_least=high is None and low is not None)

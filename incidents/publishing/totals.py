"""What the count rows of one incident come to, per outcome and bucket. Pure, no database.

A whole is never added to its parts. Where rows have no whole above them:

* a row that is of all sexes, ages and affiliations is a whole of its status. Wholes of different
  statuses or roles share nobody and are added, min to min and max to max;
* rows that are parts only are a lower bound: their minima are added where they share nobody, else
  the largest counts; the best figure and the maximum are not known.

Unknown is not zero: a NULL min adds nothing, a NULL max leaves the total open ("at least"), and
the best figure is summed only where every row has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harmtracker.codes import code_list, covers

DIMENSIONS = {
    "status": "person_status",
    "role": "person_role",
    "sex": "sex",
    "age_group": "age_group",
}


@dataclass(frozen=True)
class Row:
    """One assessed count row. ``affiliation`` is None where it is of all affiliations."""

    outcome: str
    status: str
    role: str
    sex: str
    age_group: str
    affiliation: str | None
    min: int | None
    best: int | None
    max: int | None

    @property
    def bucket(self) -> str:
        return str(code_list("person_status")[self.status].mappings["bucket"])

    @property
    def is_whole(self) -> bool:
        """Of all its status; the role explains and does not narrow."""
        return self.sex == "all" and self.age_group == "all" and self.affiliation is None


@dataclass(frozen=True)
class Total:
    min: int | None = None
    best: int | None = None
    max: int | None = None
    at_least: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"min": self.min, "best": self.best, "max": self.max, "at_least": self.at_least}


def contains(wide: Row, narrow: Row) -> bool:
    """Whether every person of ``narrow`` is among those of ``wide``."""
    return all(
        covers(name, getattr(wide, field), getattr(narrow, field))
        for field, name in DIMENSIONS.items()
    ) and wide.affiliation in (None, narrow.affiliation)


def _share_nobody(one: Row, other: Row) -> bool:
    for field, name in DIMENSIONS.items():
        a, b = getattr(one, field), getattr(other, field)
        if not covers(name, a, b) and not covers(name, b, a):
            return True
    return None not in (one.affiliation, other.affiliation) and one.affiliation != other.affiliation


def widest(rows: Sequence[Row]) -> list[Row]:
    """Rows that are part of no other."""
    return [
        row for row in rows if not any(other is not row and contains(other, row) for other in rows)
    ]


def add(rows: Iterable[Row | Total]) -> Total:
    """The sum of rows that share nobody."""
    rows = list(rows)
    if not rows:
        return Total()
    minima = [row.min for row in rows if row.min is not None]
    best = [row.best for row in rows if row.best is not None]
    maxima = [row.max for row in rows if row.max is not None]
    is_open = len(maxima) < len(rows)
    return Total(
        min=sum(minima) if minima else None,
        best=sum(best) if len(best) == len(rows) else None,
        max=None if is_open else sum(maxima),
        at_least=is_open and bool(minima),
    )


def is_from_parts(rows: Iterable[Row]) -> bool:
    """Whether a bucket of these rows of one outcome has parts without a whole."""
    buckets: dict[str, list[Row]] = {}
    for row in rows:
        buckets.setdefault(row.bucket, []).append(row)
    return any(not row.is_whole for held in buckets.values() for row in widest(held))


def _total(rows: Sequence[Row]) -> Total:
    whole = widest(rows)
    if all(row.is_whole for row in whole):
        return add(whole)
    minima = [row.min for row in whole if row.min is not None]
    apart = all(
        _share_nobody(one, other) for i, one in enumerate(whole) for other in whole[i + 1 :]
    )
    low = (sum(minima) if apart else max(minima)) if minima else None
    return Total(min=low, at_least=low is not None)


def _at_least(whole: Total, low: int | None) -> Total:
    """A total of everybody, which is never below what its buckets come to."""
    if low is None or (whole.min is not None and whole.min >= low):
        return whole
    best = None if whole.best is not None and whole.best < low else whole.best
    return Total(min=low, best=best, max=whole.max, at_least=whole.max is None)


def totals(rows: Iterable[Row]) -> dict[str, dict[str, Total]]:
    """Outcome -> bucket -> total, every bucket present; an outcome that no row is of is absent."""
    rows = list(rows)
    buckets = [code for code in code_list("count_bucket") if code != "all"]
    result: dict[str, dict[str, Total]] = {}
    for outcome in code_list("outcome"):
        of_outcome = [row for row in rows if row.outcome == outcome]
        if not of_outcome:
            continue
        per_bucket = {
            bucket: _total([row for row in of_outcome if row.bucket == bucket])
            for bucket in buckets
        }
        of_all = [row for row in of_outcome if row.bucket == "all"]
        held = {row.bucket for row in of_outcome}
        everybody = add(per_bucket[bucket] for bucket in buckets if bucket in held)
        if of_all:
            everybody = _at_least(_total(of_all), everybody.min)
        result[outcome] = {**per_bucket, "all": everybody}
    return result

"""Totals as an answer: groups with their figures, the whole, and what is in neither."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from django.db import connections, transaction

from harmtracker.codes import code_list
from harmtracker.errors import Invalid
from incidents.exports.selecting import USING, Statement
from incidents.models.tallies import BUCKETS

from . import statements
from .grouping import BUCKET, OUTCOME, SIDE_BY_SIDE, Asked
from .periods import PERIODS, label_of

MOST_GROUPS = 50_000
_MOST_ROWS = MOST_GROUPS * (len(code_list("outcome")) + 1)
# For sums in many groups, which would go through files on the disk with the usual 4 MB.
_WORK_MEM = "64MB"

REASONS = ("aggregate_count", "duplicate", "merged", "retracted")
Key = tuple[str | None, ...]
Figure = tuple[Any, ...]  # as statements.FIGURES names them
NONE: Figure = (None, None, None, False, 0, 0)


@dataclass
class Group:
    """One group, or the whole: its incidents, and figures by outcome and bucket."""

    key: Key
    incidents: int = 0
    could_move: int = 0
    undated: int = 0
    shared: int = 0
    either_or: int = 0
    from_parts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    asked: Asked
    groups: list[Group]
    whole: Group
    left_out: dict[str, int]


def answer(asked: Asked) -> Answer:
    """Raises :class:`Invalid` where there are more groups than an answer has."""
    with transaction.atomic(using=USING):
        with connections[USING].cursor() as cursor:
            cursor.execute(f"SET LOCAL work_mem = '{_WORK_MEM}'")
        groups, whole = _groups(asked)
        left_out = dict.fromkeys(REASONS, 0)
        left_out.update(_rows(statements.left_out(asked)))
    if len(groups) > MOST_GROUPS:
        raise Invalid(
            f"These are more than {MOST_GROUPS:,} groups: narrow the filters, or group by less."
        )
    return Answer(asked, groups, whole, left_out)


def _rows(statement: Statement) -> list[tuple[Any, ...]]:
    with connections[USING].cursor() as cursor:
        cursor.execute(statement.sql, statement.parameters)
        return cursor.fetchall()


def _groups(asked: Asked) -> tuple[list[Group], Group]:
    if asked.is_of_persons:
        return _of_persons(asked), _whole(asked, BUCKETS)
    if OUTCOME in asked.groupings or not asked.groupings:
        every = _of_incidents(asked, SIDE_BY_SIDE) if asked.groupings else []
        return [group for is_whole, group in every if not is_whole], _whole(asked, SIDE_BY_SIDE)
    whole, groups = Group(()), []
    for is_whole, group in _of_incidents(asked, SIDE_BY_SIDE):
        if is_whole:
            whole = group
        else:
            groups.append(group)
    return groups, whole


def _whole(asked: Asked, buckets: Sequence[str]) -> Group:
    """Every incident once. Of the groupings it knows those by which one may be in several."""
    once = replace(asked, groupings=(*asked.periods, *asked.several))
    for _is_whole, group in _of_incidents(once, buckets, only_whole=True):
        return group
    return Group(())


def _of_incidents(
    asked: Asked, buckets: Sequence[str], *, only_whole: bool = False
) -> Iterator[tuple[bool, Group]]:
    """Groups, and the whole as one of them: whether it is that comes first."""
    rows = _rows(statements.of_incidents(asked, buckets, _MOST_ROWS, only_whole=only_whole))
    size = len(asked.groupings)
    width = len(statements.FIGURES)
    start = 2 + size + len(statements.COUNTS)
    write = _writers(asked)
    for key, of_key in groupby(rows, key=lambda row: row[: size + 1]):
        is_whole = bool(key[0])
        group = Group(() if is_whole else tuple(map(_written, write, key[1:])))
        for row in of_key:
            outcome = row[size + 1]
            incidents, could_move, undated, shared, either_or, from_parts = row[size + 2 : start]
            group.incidents += incidents
            group.could_move += could_move
            group.undated += undated
            group.shared += shared
            group.either_or += either_or
            if outcome is not None:
                group.figures[outcome] = {
                    bucket: row[start + place * width : start + (place + 1) * width]
                    for place, bucket in enumerate(buckets)
                }
                if from_parts:
                    group.from_parts[outcome] = from_parts
        yield is_whole, group


def _writers(asked: Asked) -> list[str | None]:
    return [name if name in PERIODS else None for name in asked.groupings]


def _written(unit: str | None, value: Any) -> str | None:
    """A value of a group as it is given: a period by its name."""
    if value is None or unit is None:
        return None if value is None else str(value)
    return label_of(unit, value)


def _of_persons(asked: Asked) -> list[Group]:
    size = len(asked.groupings)
    write = _writers(asked)
    groups: dict[Key, Group] = {}
    shown = () if BUCKET in asked.groupings else SIDE_BY_SIDE
    for is_count, *row in _rows(statements.of_persons(asked, _MOST_ROWS)):
        key = tuple(map(_written, write, row[:size]))
        outcome, bucket, *rest = row[size:]
        group = groups.setdefault(key, Group(key))
        if is_count:
            group.incidents, group.could_move, group.undated, group.shared, group.either_or = rest[
                :5
            ]
        else:
            of_outcome = group.figures.setdefault(outcome, dict.fromkeys(shown, NONE))
            of_outcome[bucket] = tuple(
                int(value) if value is not None and not isinstance(value, bool) else value
                for value in rest[5:]
            )
    if BUCKET in asked.groupings:
        _side_by_side(asked, groups)
    for group in groups.values():
        group.figures = {
            outcome: {bucket: figures[bucket] for bucket in BUCKETS if bucket in figures}
            for outcome, figures in sorted(group.figures.items())
        }
    return sorted(groups.values(), key=lambda group: _order(asked, group.key))


def _side_by_side(asked: Asked, groups: dict[Key, Group]) -> None:
    """Civilian and uncertain wherever any bucket is, if only to say that nobody is in it."""
    place = asked.groupings.index(BUCKET)
    for group in list(groups.values()):
        if group.key[place] is None:
            continue
        for bucket in SIDE_BY_SIDE:
            key = (*group.key[:place], bucket, *group.key[place + 1 :])
            if key not in groups:
                groups[key] = Group(key)
            for outcome in group.figures:
                groups[key].figures.setdefault(outcome, {bucket: NONE})


def _order(asked: Asked, key: Key) -> list[tuple[bool, int, str]]:
    return [
        (
            value is None,
            BUCKETS.index(value) if name == BUCKET and value is not None else 0,
            value or "",
        )
        for name, value in zip(asked.groupings, key, strict=True)
    ]

"""Totals as an answer: groups with their figures, the whole, and what is in neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.db import connections
from psycopg import ClientCursor

from harmtracker.codes import code_list
from harmtracker.errors import Invalid
from incidents.exports.selecting import USING, Statement
from incidents.models.tallies import BUCKETS
from incidents.models.tally_sums import SIDE_BY_SIDE

from . import persons, sums
from .grouping import BUCKET, OUTCOME, Asked
from .periods import PERIODS, label_of

MOST_GROUPS = 50_000
_MOST_ROWS = MOST_GROUPS * (len(code_list("outcome")) + 1)
# For sums in many groups, which would go through files on the disk with the usual 4 MB.
_WORK_MEM = "64MB"

REASONS = ("aggregate_count", "duplicate", "merged", "retracted")
Key = tuple[str | None, ...]
# FIGURES of a bucket, or of several one after the other.
Values = tuple[Any, ...]
NONE: Values = (None, None, None, False, 0, 0)
_WIDTH = len(sums.FIGURES)


class Figures(NamedTuple):
    """What is counted of one outcome, in each of some buckets."""

    buckets: tuple[str, ...]
    values: Values

    def of(self, bucket: str) -> Values:
        """FIGURES of a bucket; that of nobody where it is not there."""
        if bucket not in self.buckets:
            return NONE
        start = self.buckets.index(bucket) * _WIDTH
        return self.values[start : start + _WIDTH]


@dataclass(slots=True)
class Group:
    """One group, or the whole: its incidents, and figures by outcome."""

    key: Key
    incidents: int = 0
    could_move: int = 0
    undated: int = 0
    shared: int = 0
    either_or: int = 0
    from_parts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Figures] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    asked: Asked
    groups: list[Group]
    whole: Group
    left_out: dict[str, int]


def answer(asked: Asked) -> Answer:
    """Raises :class:`Invalid` where there are more groups than an answer has."""
    groups, whole, left_out = _groups(asked)
    if len(groups) > MOST_GROUPS:
        raise Invalid(
            f"These are more than {MOST_GROUPS:,} groups: narrow the filters, or group by less."
        )
    return Answer(asked, groups, whole, {**dict.fromkeys(REASONS, 0), **left_out})


def _rows(statement: Statement) -> list[tuple[Any, ...]]:
    """Both statements in one round trip and transaction: a cursor that binds values here can."""
    connection = connections[USING]
    connection.ensure_connection()
    with connection.wrap_database_errors, ClientCursor(connection.connection) as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{_WORK_MEM}'; {statement.sql}", statement.parameters)
        cursor.nextset()
        return cursor.fetchall()


def _groups(asked: Asked) -> tuple[list[Group], Group, dict[str, int]]:
    """The groups, the whole, and how many are in neither, by why."""
    if asked.is_of_persons:
        return _of_persons(asked), *_whole(asked, BUCKETS)
    groups, whole, left_out = _of_incidents(asked, SIDE_BY_SIDE)
    if OUTCOME in asked.groupings:
        whole, left_out = _whole(asked, SIDE_BY_SIDE)
    return groups if asked.groupings else [], whole, left_out


def _whole(asked: Asked, buckets: tuple[str, ...]) -> tuple[Group, dict[str, int]]:
    """Every incident once. Of the groupings it knows those by which one may be in several."""
    once = replace(asked, groupings=(*asked.periods, *asked.several))
    _none, whole, left_out = _of_incidents(once, buckets, only_whole=True)
    return whole, left_out


def _of_incidents(
    asked: Asked, buckets: tuple[str, ...], *, only_whole: bool = False
) -> tuple[list[Group], Group, dict[str, int]]:
    only_whole = only_whole or not asked.groupings
    is_apart = not only_whole and sums.is_kept_finely(asked, buckets)
    rows = _rows(sums.statement(asked, buckets, _MOST_ROWS, only_whole=only_whole or is_apart))
    if is_apart:
        rows += _rows(sums.groups_of_kept(asked, buckets, _MOST_ROWS))
    end = 1 + len(asked.groupings)
    start = end + 1 + len(sums.COUNTS)
    write = _writers(asked)
    whole, left_out = Group(()), {}
    groups: list[Group] = []
    last: Any = (True,)
    group = whole
    for row in rows:
        outcome, incidents, could_move, undated, shared, either_or, from_parts = row[end:start]
        if row[0] is None:
            left_out[outcome] = incidents
            continue
        if not row[0] and row[:end] != last:
            last = row[:end]
            group = Group(_key(write, row[1:end]))
            groups.append(group)
        group.incidents += incidents
        group.could_move += could_move
        group.undated += undated
        group.shared += shared
        group.either_or += either_or
        if outcome is not None:
            group.figures[outcome] = Figures(buckets, row[start:])
            if from_parts:
                group.from_parts[outcome] = from_parts
    return groups, whole, left_out


def _writers(asked: Asked) -> list[str | None]:
    return [name if name in PERIODS else None for name in asked.groupings]


def _key(units: Sequence[str | None], values: Sequence[Any]) -> Key:
    """The values of a group as they are given: periods by their names."""
    return tuple(
        value if unit is None or value is None else label_of(unit, value)
        for unit, value in zip(units, values, strict=True)
    )


def _of_persons(asked: Asked) -> list[Group]:
    size = len(asked.groupings)
    write = _writers(asked)
    groups: dict[Key, Group] = {}
    found: dict[Key, dict[str, dict[str, Values]]] = {}
    for is_count, *row in _rows(persons.statement(asked, _MOST_ROWS)):
        key = _key(write, row[:size])
        outcome, bucket, *rest = row[size:]
        group = groups.setdefault(key, Group(key))
        if is_count:
            group.incidents, group.could_move, group.undated, group.shared, group.either_or = rest[
                :5
            ]
        else:
            of_outcome = found.setdefault(key, {}).setdefault(outcome, {})
            of_outcome[bucket] = tuple(
                int(value) if value is not None and not isinstance(value, bool) else value
                for value in rest[5:]
            )
    if BUCKET in asked.groupings:
        _side_by_side(asked, groups, found)
    shown = () if BUCKET in asked.groupings else SIDE_BY_SIDE
    for key, outcomes in found.items():
        for outcome, its_buckets in sorted(outcomes.items()):
            buckets = tuple(name for name in BUCKETS if name in {*its_buckets, *shown})
            values = tuple(v for name in buckets for v in its_buckets.get(name, NONE))
            groups[key].figures[outcome] = Figures(buckets, values)
    return sorted(groups.values(), key=lambda group: _order(asked, group.key))


def _side_by_side(
    asked: Asked, groups: dict[Key, Group], found: dict[Key, dict[str, dict[str, Values]]]
) -> None:
    """Civilian and uncertain wherever any bucket is, if only to say that nobody is in it."""
    place = asked.groupings.index(BUCKET)
    for key, outcomes in [*found.items()]:
        for bucket in SIDE_BY_SIDE:
            beside = (*key[:place], bucket, *key[place + 1 :])
            groups.setdefault(beside, Group(beside))
            for outcome in outcomes:
                found.setdefault(beside, {}).setdefault(outcome, {bucket: NONE})


def _order(asked: Asked, key: Key) -> list[tuple[bool, int, str]]:
    return [
        (
            value is None,
            BUCKETS.index(value) if name == BUCKET and value is not None else 0,
            value or "",
        )
        for name, value in zip(asked.groupings, key, strict=True)
    ]

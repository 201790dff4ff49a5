"""Totals as an answer: groups with their figures, the whole, and what is in neither."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.db import connections, transaction

from harmtracker.codes import code_list
from harmtracker.errors import Invalid
from incidents.exports.selecting import USING, Statement
from incidents.models.tallies import BUCKETS
from incidents.models.tally_sums import SIDE_BY_SIDE

from . import around, persons, sums
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
    with transaction.atomic(using=USING):
        with connections[USING].cursor() as cursor:
            cursor.execute(f"SET LOCAL work_mem = '{_WORK_MEM}'")
        try:
            found = _answer(asked)
        except _WentOn:
            found = _answer(replace(asked, is_at_head=False))
    if len(found.groups) > MOST_GROUPS:
        raise Invalid(
            f"These are more than {MOST_GROUPS:,} groups: narrow the filters, or group by less."
        )
    return found


class _WentOn(Exception):
    """Sums that are of the head of the ledger are of a later one than was asked for."""


def _answer(asked: Asked) -> Answer:
    reach = around.reach(asked)
    if reach is not None:
        asked = replace(asked, reaches_back=_rows(reach)[0][0])
    groups, whole = _groups(asked)
    left_out = {**dict.fromkeys(REASONS, 0), **dict(_rows(around.left_out(asked)))}
    if left_out.pop(around.POSITION, asked.at) != asked.at:
        raise _WentOn
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


def _whole(asked: Asked, buckets: tuple[str, ...]) -> Group:
    """Every incident once. Of the groupings it knows those by which one may be in several."""
    once = replace(asked, groupings=(*asked.periods, *asked.several))
    for _is_whole, group in _of_incidents(once, buckets, only_whole=True):
        return group
    return Group(())


def _of_incidents(
    asked: Asked, buckets: tuple[str, ...], *, only_whole: bool = False
) -> Iterator[tuple[bool, Group]]:
    """Groups, and the whole as one of them: whether it is that comes first."""
    rows = _rows(sums.statement(asked, buckets, _MOST_ROWS, only_whole=only_whole))
    end = 1 + len(asked.groupings)
    if sums.is_kept(asked, buckets) and (not rows or rows[0][-1] != asked.at):
        raise _WentOn
    start = end + 1 + len(sums.COUNTS)
    write = _writers(asked)
    last: Any = None
    group = Group(())
    for row in rows:
        if row[:end] != last:
            if last is not None:
                yield last[0], group
            last = row[:end]
            group = Group(() if row[0] else _key(write, row[1:end]))
        outcome, incidents, could_move, undated, shared, either_or, from_parts = row[end:start]
        group.incidents += incidents
        group.could_move += could_move
        group.undated += undated
        group.shared += shared
        group.either_or += either_or
        if outcome is not None:
            group.figures[outcome] = Figures(buckets, row[start:-1])
            if from_parts:
                group.from_parts[outcome] = from_parts
    if last is not None:
        yield last[0], group


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

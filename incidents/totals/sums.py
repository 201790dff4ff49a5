"""Sums over incidents: of groups, and of the whole with each incident once.

Rows are added up once, by all that groups are made of, and these few put together twice: by group,
where one that can lie in several periods stands in each, and for the whole, which counts an
incident by the first of its values alone. Of everything at the head of the ledger the first step is
kept by the database.
"""

from __future__ import annotations

# ruff: noqa: S608  (of our own words)
from collections.abc import Sequence

from incidents.exports.selecting import Statement
from incidents.models.rows import BOUNDS
from incidents.models.tally_sums import SIDE_BY_SIDE

from . import tally
from .grouping import OUTCOME, Asked
from .periods import MONTHS, PERIODS
from .spreading import COULD_MOVE, spread

# Columns of each bucket in a row of the answer.
FIGURES = ("min", "best", "max", "at_least", "incidents", "without_best")
COUNTS = ("incidents", "could_move", "undated", "shared", "either_or", "from_parts")
# What is kept of everything at the head of the ledger can be told apart by these.
_KEPT_BY = {*MONTHS, "country", "adm1", OUTCOME}
HEAD = "(SELECT size FROM incidents_ledgerhead WHERE id = 1)"
# How many rows have figures of a bucket, how many know each bound, and what these come to.
_SUMMED = ("n", *(f"{work}_{bound}" for bound in BOUNDS for work in ("count", "sum")))


def is_kept(asked: Asked, buckets: Sequence[str]) -> bool:
    """Whether the database keeps the sums of what is asked."""
    return (
        asked.is_everything_now
        and _KEPT_BY.issuperset(asked.groupings)
        and {*SIDE_BY_SIDE}.issuperset(buckets)
    )


def _summed(buckets: Sequence[str]) -> list[str]:
    return [f"{bucket}_{name}" for bucket in buckets for name in _SUMMED]


def _of_bucket(bucket: str) -> list[str]:
    """Rows of the tally added up."""
    return [
        f"count(*) FILTER (WHERE t.{bucket}_given) AS {bucket}_n",
        *(
            f"{work}(t.{bucket}_{bound}) AS {bucket}_{work}_{bound}"
            for bound in BOUNDS
            for work in ("count", "sum")
        ),
    ]


def _figures(bucket: str) -> list[str]:
    """Sums as figures: FIGURES of a bucket. What nobody knows is no zero."""
    n, low, low_sum, best, best_sum, high, high_sum = (f"{bucket}_{name}" for name in _SUMMED)
    return [
        f"CASE WHEN {low} > 0 THEN {low_sum} END",
        f"CASE WHEN {n} > 0 AND {n} = {best} THEN {best_sum} END",
        f"CASE WHEN {n} > 0 AND {n} = {high} THEN {high_sum} END",
        f"{n} > {high} AND {low} > 0",
        n,
        f"{n} - {best}",
    ]


def _added_up(asked: Asked, buckets: Sequence[str]) -> Statement:
    """Rows of the tally, by all that groups and the whole are made of."""
    columns = [*tally.columns(asked, tally.keys(asked)), "t.outcome"]
    # PostgreSQL names columns of the source first: they are grouped by their place.
    columns.append(f"({tally.is_again(asked)}) AS again")
    by = ", ".join(str(place + 1) for place in range(len(columns)))
    # A row for each outcome: one of each version is counted, or all where they are told apart.
    counted = "true" if OUTCOME in asked.groupings else "t.first"
    columns.append(f"count(*) FILTER (WHERE {counted}) AS incidents")
    columns += [
        f"count(*) FILTER (WHERE {counted} AND ({condition})) AS {name}"
        for name, condition in tally.marks(asked).items()
    ]
    columns.append("count(*) FILTER (WHERE t.from_parts) AS from_parts")
    columns += [column for bucket in buckets for column in _of_bucket(bucket)]
    return tally.joined(
        [
            f"SELECT {', '.join(columns)}",
            tally.source(asked),
            f"WHERE {tally.is_counted(asked)} GROUP BY {by}",
        ]
    )


def _kept(asked: Asked, buckets: Sequence[str]) -> Statement:
    """The same of everything at the head of the ledger, as triggers of the tally keep it."""
    columns = [
        f"t.{name} AS {key}" for name, key in tally.keys(asked).items() if name not in PERIODS
    ]
    if asked.unit is not None:
        columns += [f"{tally.period(asked.unit, end)} AS period_{end}" for end in ("from", "until")]
    counted = "t.rows" if OUTCOME in asked.groupings else "t.incidents"
    undated = "t.month_from IS NULL AND t.month_until IS NULL"
    columns += [
        "t.outcome",
        "false AS again",
        f"{counted} AS incidents",
        "0 AS could_leave",
        f"CASE WHEN {undated} THEN {counted} ELSE 0 END AS undated",
        "0 AS shared",
        "0 AS either_or",
        "t.from_parts",
        *(f"t.{name}" for name in _summed(buckets)),
    ]
    return Statement(
        f"SELECT {', '.join(columns)} FROM incidents_publishedtallysum t WHERE t.left_out IS NULL"
    )


def statement(
    asked: Asked, buckets: Sequence[str], most: int, *, only_whole: bool = False
) -> Statement:
    """Rows: whether it is of the whole, a column for each grouping, outcome, COUNTS, FIGURES of
    each bucket, and the head of the ledger. At most so many of them.
    """
    keys = tally.keys(asked)
    is_sum_of_kept = is_kept(asked, buckets)
    sums = [*COUNTS, *_summed(buckets)]
    # Exact up to 2^53 persons; whole numbers of eight bytes are added several times as slowly.
    added = [f"sum({name}::float8)::bigint AS {name}" for name in sums]
    every = [*keys.values(), "outcome"]
    rows = spread(asked, keys, "added_up", ["outcome", *(n for n in sums if n != "could_move")])
    if asked.unit is not None or asked.several or is_sum_of_kept:
        groups = (
            f"SELECT false AS is_whole, {', '.join([*every, *added])} FROM ({rows}) r "
            f"GROUP BY {', '.join(every)}"
        )
    else:
        groups = f"SELECT false AS is_whole, {', '.join([*every, *sums])} FROM ({rows}) r"
    could_move = "could_leave" if asked.unit is None else COULD_MOVE
    nothing = [f"NULL AS {key}" for key in keys.values()]
    whole = (
        f"SELECT true AS is_whole, {', '.join([*nothing, 'outcome', *added])} "
        f"FROM (SELECT *, {could_move} AS could_move FROM added_up WHERE NOT again) r "
        "GROUP BY outcome"
    )
    both = Statement(" UNION ALL ".join([whole] if only_whole else [groups, whole]))
    figures = [*COUNTS, *(column for bucket in buckets for column in _figures(bucket))]
    order = [
        "is_whole DESC",
        *(
            f"{key} NULLS LAST" if name in PERIODS else f'{key} COLLATE "C" NULLS LAST'
            for name, key in keys.items()
        ),
        'outcome COLLATE "C" NULLS LAST',
    ]
    make = _kept if is_sum_of_kept else _added_up
    return tally.joined(
        [
            tally.with_found(asked, ("added_up", make(asked, buckets)), ("put_together", both)),
            f"SELECT {', '.join(['is_whole', *every, *figures])}, {HEAD} FROM put_together",
            f"ORDER BY {', '.join(order)} LIMIT {int(most)}",
        ]
    )

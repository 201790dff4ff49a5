"""Sums over incidents: of groups, and of the whole with each incident once.

Rows are added up once, by all that groups are made of, and these few put together twice: by group,
where one that can lie in several periods stands in each, and for the whole, which counts an
incident by the first of its values alone. Of everything the first step is kept by the database, and
as of an earlier position what has changed since is put back.
"""

from __future__ import annotations

# ruff: noqa: S608  (of our own words)
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from incidents.exports.selecting import Statement
from incidents.models.rows import BOUNDS
from incidents.models.tally_sums import CELL, CELL_OF_ADM1, SIDE_BY_SIDE

from . import tally
from .grouping import OUTCOME, Asked
from .periods import MONTHS, PERIODS
from .spreading import COULD_MOVE, spread

# Columns of each bucket in a row of the answer.
FIGURES = ("min", "best", "max", "at_least", "incidents", "without_best")
COUNTS = ("incidents", "could_move", "undated", "shared", "either_or", "from_parts")
# What is kept of everything can be told apart by these.
ADM1 = "adm1"
_KEPT_BY = {*MONTHS, "country", ADM1, OUTCOME}
# How many rows have figures of a bucket, how many know each bound, and what these come to.
_SUMMED = ("n", *(f"{work}_{bound}" for bound in BOUNDS for work in ("count", "sum")))


class _Kept(NamedTuple):
    """What is kept of rows of the tally: where, of what a row is the sum, and of which of them."""

    source: str
    cell: Sequence[str]
    condition: str


_COUNTED = _Kept("incidents_publishedtallysum WHERE left_out IS NULL", CELL, "left_out IS NULL")
_LEFT_OUT = _Kept(
    "incidents_publishedtallysum WHERE left_out IS NOT NULL", CELL, "left_out IS NOT NULL"
)
_COUNTED_BY_ADM1 = _Kept("incidents_publishedadm1sum", CELL_OF_ADM1, "left_out IS NULL")


def is_kept(asked: Asked, buckets: Sequence[str]) -> bool:
    """Whether the database keeps the sums of what is asked."""
    return (
        asked.found is None
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
    """Rows of the tally, by all that groups and the whole are made of.

    Of what was found, those that are in no total come along: it is read once.
    """
    columns = [*tally.columns(asked, tally.keys(asked)), 't.outcome COLLATE "C" AS outcome']
    is_found = asked.found is not None
    if is_found:
        columns.append("t.left_out AS left_out")
    # PostgreSQL names columns of the source first: they are grouped by their place.
    columns.append(f"({tally.is_again(asked)}) AS again")
    by = ", ".join(str(place + 1) for place in range(len(columns)))
    # A row for each outcome: one of each version is counted, or all where they are told apart.
    counted = "true" if OUTCOME in asked.groupings else "t.first"
    columns.append("count(*) AS rows")
    if is_found:
        columns.append("count(*) FILTER (WHERE t.first) AS versions")
    columns.append(f"count(*) FILTER (WHERE {counted}) AS incidents")
    columns += [
        f"count(*) FILTER (WHERE {counted} AND ({condition})) AS {name}"
        if condition != tally.NEVER
        else f"0::bigint AS {name}"
        for name, condition in tally.marks(asked).items()
    ]
    columns.append("count(*) FILTER (WHERE t.from_parts) AS from_parts")
    columns += [column for bucket in buckets for column in _of_bucket(bucket)]
    return tally.joined(
        [
            f"SELECT {', '.join(columns)}",
            tally.source(asked),
            f"WHERE {tally.is_current(asked) if is_found else tally.is_counted(asked)}",
            f"GROUP BY {by}",
        ]
    )


def _added(buckets: Sequence[str]) -> dict[str, str]:
    """Columns of what is kept -> what is added up of a row of the tally."""
    added = {"rows": "1", "incidents": "first::integer", "from_parts": "from_parts::integer"}
    for bucket in buckets:
        added[f"{bucket}_n"] = f"{bucket}_given::integer"
        for bound in BOUNDS:
            added[f"{bucket}_count_{bound}"] = f"({bucket}_{bound} IS NOT NULL)::integer"
            added[f"{bucket}_sum_{bound}"] = f"coalesce({bucket}_{bound}, 0)"
    return added


def _then(asked: Asked, buckets: Sequence[str], kept: _Kept) -> str:
    """What was kept at a position: what is now, with what has gone since and without what has come.

    All of it in one statement, so that it does not matter what is published meanwhile. Cells of
    which nothing is left have 0 rows.
    """
    at, cell, added = int(asked.at), ", ".join(kept.cell), _added(buckets)
    # As what is kept is typed, which need not be brought into another form then.
    changed = ", ".join(
        f"sum(sign * {value})::{'bigint' if '_sum_' in name else 'integer'}"
        for name, value in added.items()
    )
    return f"""
        SELECT {cell}, {", ".join(added)} FROM {kept.source}
        UNION ALL
        SELECT {cell}, {changed} FROM (
            SELECT *, -1::bigint AS sign FROM incidents_publishedtally
            WHERE incident_id > {at} AND valid_until IS NULL
            UNION ALL
            SELECT *, 1::bigint FROM incidents_publishedtally
            WHERE valid_until > {at} AND incident_id <= {at}
        ) since WHERE {kept.condition} GROUP BY {cell}"""


def _kept(asked: Asked, buckets: Sequence[str]) -> Statement:
    """The same of everything, from what triggers of the tally keep."""
    columns = [
        f't.{name} COLLATE "C" AS {key}'
        for name, key in tally.keys(asked).items()
        if name not in PERIODS
    ]
    if asked.unit is not None:
        columns += [f"{tally.period(asked.unit, end)} AS period_{end}" for end in ("from", "until")]
    counted = "t.rows" if OUTCOME in asked.groupings else "t.incidents"
    undated = "t.month_from IS NULL AND t.month_until IS NULL"
    columns += [
        't.outcome COLLATE "C" AS outcome',
        "false AS again",
        "t.rows",
        f"{counted} AS incidents",
        "0 AS could_leave",
        f"CASE WHEN {undated} THEN {counted} ELSE 0 END AS undated",
        "0 AS shared",
        "0 AS either_or",
        "t.from_parts",
        *(f"t.{name}" for name in _summed(buckets)),
    ]
    then = _then(asked, buckets, _COUNTED_BY_ADM1 if ADM1 in asked.groupings else _COUNTED)
    return Statement(f"SELECT {', '.join(columns)} FROM ({then}) t")


def is_kept_finely(asked: Asked, buckets: Sequence[str]) -> bool:
    """Whether the groups are nearly as many as the sums that are kept."""
    return is_kept(asked, buckets) and ADM1 in asked.groupings and asked.unit == "month"


def _kept_together(asked: Asked, buckets: Sequence[str]) -> Statement:
    """What is kept, put together to the few rows that groups and the whole are made of."""
    periods = [] if asked.unit is None else ["period_from", "period_until"]
    own = [key for name, key in tally.keys(asked).items() if name not in PERIODS]
    by = ", ".join([*own, *periods, "outcome", "again"])
    added = ["rows", "could_leave", *(name for name in COUNTS if name != "could_move")]
    sums = ", ".join(_totals([*added, *_summed(buckets)]))
    return Statement(
        f"SELECT {by}, {sums} FROM ({_kept(asked, buckets).sql}) k GROUP BY {by} "
        "HAVING sum(rows::float8) > 0"
    )


def _left_out(asked: Asked) -> str:
    """Why records are in no total, and how many: (outcome, incidents)."""
    at = int(asked.at)
    withdrawn = "" if asked.found is None else "JOIN withdrawn w ON w.seq = t.incident_id"
    if asked.found is None:
        current = (
            "SELECT left_out AS outcome, sum(incidents)::bigint AS incidents "
            f"FROM ({_then(asked, (), _LEFT_OUT)}) t "
            "GROUP BY left_out HAVING sum(incidents) > 0"
        )
    else:
        current = (
            "SELECT left_out AS outcome, sum(versions)::bigint AS incidents FROM every_row "
            "WHERE left_out IS NOT NULL AND NOT again GROUP BY left_out HAVING sum(versions) > 0"
        )
    # As the last version says: what was withdrawn may have been merged, or come back, since.
    return f"""{current} UNION ALL
        SELECT (SELECT v.kind FROM incidents_publishedversion v
                WHERE v.code = i.code AND v.seq <= {at} ORDER BY v.number DESC LIMIT 1), count(*)
        FROM incidents_publishedtally t {withdrawn} JOIN incidents_publishedincident i
          ON i.seq = t.incident_id
        WHERE t.ended_by IS NOT NULL AND t.first AND t.valid_until <= {at}
          AND NOT EXISTS (
            SELECT 1 FROM incidents_publishedincident later
            WHERE later.code = i.code AND later.valid_from > i.valid_from
              AND later.valid_from <= {at})
        GROUP BY 1"""


def statement(
    asked: Asked, buckets: Sequence[str], most: int, *, only_whole: bool = False
) -> Statement:
    """Rows: whether it is of the whole, a column for each grouping, outcome, COUNTS, FIGURES of
    each bucket. At most so many of them.

    First come those of what is in no total, which is neither: why as the outcome, and incidents.
    """
    keys = tally.keys(asked)
    sums = [*COUNTS, *_summed(buckets)]
    could_move = "could_leave" if asked.unit is None else COULD_MOVE
    nothing = [f"NULL AS {key}" for key in keys.values()]
    whole = (
        f"SELECT true AS is_whole, {', '.join([*nothing, 'outcome', *_totals(sums)])} "
        f"FROM (SELECT *, {could_move} AS could_move FROM added_up WHERE NOT again) r "
        "GROUP BY outcome HAVING sum(rows::float8) > 0"
    )
    empty = [f"0 AS {name}" for name in sums if name != "incidents"]
    left_out = (
        f"SELECT NULL AS is_whole, {', '.join([*nothing, 'outcome', 'incidents', *empty])} "
        f"FROM ({_left_out(asked)}) l"
    )
    every_way = [left_out, whole]
    if not only_whole:
        is_split = asked.unit is not None or bool(asked.several)
        every_way.insert(0, _groups(asked, buckets, "added_up", is_split=is_split))
    put_together = ("put_together", Statement(" UNION ALL ".join(every_way)))
    if not is_kept(asked, buckets):
        rows = _added_up(asked, buckets)
    elif only_whole:
        # Whatever the groups are: the sums that are not by province are far fewer.
        others = tuple(name for name in asked.groupings if name != ADM1)
        rows = _kept(replace(asked, groupings=others), buckets)
    else:
        rows = _kept_together(asked, buckets)
    ctes = [("added_up", rows), put_together]
    if asked.found is not None:
        counted = Statement("SELECT * FROM every_row WHERE left_out IS NULL")
        # What is found is named once, and read by several processes: it need not be kept.
        withdrawn = ("withdrawn (seq)", tally.versions(asked.found.withdrawn))
        ctes = [withdrawn, ("every_row", rows), ("added_up", counted), put_together]
    order = ", ".join(["is_whole DESC NULLS FIRST", *_order(keys)])
    return tally.joined(
        [
            tally.with_found(asked, *ctes),
            f"{_answered(keys, buckets)} FROM put_together ORDER BY {order} LIMIT {int(most)}",
        ]
    )


def groups_of_kept(asked: Asked, buckets: Sequence[str], most: int) -> Statement:
    """The rows of groups alone. Where these are nearly as many as the sums, nothing is gained by
    reading them once, and in the order of the groups they need not be put in order again."""
    keys = tally.keys(asked)
    kept = f"({_kept(asked, buckets).sql}) kept"
    groups = _groups(asked, buckets, kept, is_split=True)
    order = ", ".join(_order(keys))
    return Statement(
        f"{_answered(keys, buckets)} FROM ({groups}) g ORDER BY {order} LIMIT {int(most)}"
    )


def _groups(asked: Asked, buckets: Sequence[str], rows: str, *, is_split: bool) -> str:
    keys = tally.keys(asked)
    sums = [*COUNTS, *_summed(buckets)]
    every = [*keys.values(), "outcome"]
    spread_out = spread(
        asked, keys, rows, ["outcome", "rows", *(n for n in sums if n != "could_move")]
    )
    if not is_split:
        return f"SELECT false AS is_whole, {', '.join([*every, *sums])} FROM ({spread_out}) r"
    return (
        f"SELECT false AS is_whole, {', '.join([*every, *_totals(sums)])} FROM ({spread_out}) r "
        f"GROUP BY {', '.join(every)} HAVING sum(rows::float8) > 0"
    )


def _totals(sums: Sequence[str]) -> list[str]:
    # Exact up to 2^53 persons; whole numbers of eight bytes are added several times as slowly.
    return [f"sum({name}::float8)::bigint AS {name}" for name in sums]


def _order(keys: Mapping[str, str]) -> list[str]:
    return [
        *(
            f"{key} NULLS LAST" if name in PERIODS else f'{key} COLLATE "C" NULLS LAST'
            for name, key in keys.items()
        ),
        'outcome COLLATE "C" NULLS LAST',
    ]


def _answered(keys: Mapping[str, str], buckets: Sequence[str]) -> str:
    figures = [*COUNTS, *(column for bucket in buckets for column in _figures(bucket))]
    return f"SELECT {', '.join(['is_whole', *keys.values(), 'outcome', *figures])}"

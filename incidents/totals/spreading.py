"""Rows of dates put into the periods that these can lie in."""

from __future__ import annotations

# ruff: noqa: S608  (of our own words)
from collections.abc import Mapping, Sequence

from .grouping import Asked
from .periods import MONTHS, PERIODS, index_of

IS_DATED = "(period_from IS NOT NULL OR period_until IS NOT NULL)"
# As PostgreSQL does not know how often two columns are equal, it would take it for seldom and sort
# what it had better hash.
IS_IN_ONE = "coalesce(period_from = period_until, false)"
# How many incidents need not lie in the period.
COULD_MOVE = f"""CASE WHEN {IS_IN_ONE} THEN could_leave
                      WHEN {IS_DATED} THEN incidents ELSE 0 END"""


def spread(asked: Asked, named: Mapping[str, str], rows: str, columns: Sequence[str]) -> str:
    """Rows with ``period_from`` and ``period_until``, once for each period: a column for each of
    the groupings ``named``, ``could_move``, and further columns."""
    if asked.unit is None:
        return _in(asked, named, "", ["could_leave AS could_move", *columns], f"FROM {rows}")
    columns = [f"{COULD_MOVE} AS could_move", *columns]
    if asked.is_certain:
        only = f"CASE WHEN {IS_IN_ONE} THEN period_from END"
        return _in(asked, named, only, columns, f"FROM {rows}")
    low, high = _reach(asked, asked.unit, rows)
    # The few that can lie in several go a way of their own.
    return " UNION ALL ".join(
        [
            _in(asked, named, "period_from", columns, f"FROM {rows} WHERE {IS_IN_ONE}"),
            _in(
                asked,
                named,
                "p.unit",
                columns,
                f"FROM {rows} LEFT JOIN LATERAL generate_series({low}, {high}) p (unit) ON true "
                f"WHERE NOT {IS_IN_ONE}",
            ),
        ]
    )


def _in(
    asked: Asked, named: Mapping[str, str], period: str, columns: Sequence[str], source: str
) -> str:
    """Rows in one period: wider ones follow from the finest."""
    every = []
    for name, key in named.items():
        if name not in PERIODS:
            every.append(key)
        elif name == asked.unit:
            every.append(f"{period} AS {key}")
        else:
            every.append(f"({period}) / {MONTHS[name] // MONTHS[asked.unit or name]} AS {key}")
    return f"SELECT {', '.join([*every, *columns])} {source}"


def _reach(asked: Asked, unit: str, rows: str) -> tuple[str, str]:
    """The first and the last period that a date can lie in; NULL where nothing is known of it.

    An open end reaches as far as anything does: back to the first period of any incident found,
    on to the day of the ledger position.
    """
    # Looked for once, and only if there is an open beginning.
    back = f"""(SELECT min(coalesce(period_from, period_until)) FROM (
        SELECT period_from, period_until FROM {rows} GROUP BY 1, 2
        HAVING sum(rows::float8) > 0) b)"""
    lows = [f"coalesce(period_from, {back}, period_until)"]
    end = index_of(unit, asked.last_day)
    highs = [f"coalesce(period_until, {end})", str(end)]
    if asked.date_from:
        lows.append(str(index_of(unit, asked.date_from)))
    if asked.date_to:
        highs.append(str(index_of(unit, asked.date_to)))
    low = f"(CASE WHEN {IS_DATED} THEN greatest({', '.join(lows)}) END)"
    return low, f"greatest(least({', '.join(highs)}), {low})"

"""Totals over incidents against SQL written by hand on the same tables."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from benchmarks.parts import Bench, same
from benchmarks.report import Row, median

API = "/api/v1/totals/"
BUCKETS = ("civilian", "uncertain")
FIGURES = ("min", "best", "max", "at_least", "incidents", "without_best")
# What a person would set before such a query, who has it.
MEMORY = "SET work_mem = '64MB'"

_FIGURES = """
    sum({0}_min),
    CASE WHEN count(*) FILTER (WHERE {0}_given) = count({0}_best) THEN sum({0}_best) END,
    CASE WHEN count(*) FILTER (WHERE {0}_given) = count({0}_max) THEN sum({0}_max) END,
    count(*) FILTER (WHERE {0}_given) > count({0}_max) AND count({0}_min) > 0,
    count(*) FILTER (WHERE {0}_given),
    count(*) FILTER (WHERE {0}_given) - count({0}_best)
"""
_BY_MONTH = f"""
    SELECT month, adm1, outcome, count(*) FILTER (WHERE first),
           count(*) FILTER (WHERE first AND could_move),
           {", ".join(_FIGURES.format(bucket) for bucket in BUCKETS)}
    FROM (
        SELECT t.*, month_from AS month, {{moved}} AS could_move FROM {{source}}
        WHERE {{condition}} AND coalesce(month_from = month_until, false)
        UNION ALL
        SELECT t.*, p.month, date_earliest IS NOT NULL OR date_latest IS NOT NULL
        FROM {{source}} LEFT JOIN LATERAL generate_series(
            greatest(coalesce(month_from, {{first}}), {{low}}),
            least(coalesce(month_until, {{last}}), {{high}})
        ) p (month) ON month_from IS NOT NULL OR month_until IS NOT NULL
        WHERE {{condition}} AND NOT coalesce(month_from = month_until, false)
    ) t
    GROUP BY month, adm1, outcome
"""
# The same, with rows added up before they are put into months: faster where they are many.
_ADDED = """
    count(*) FILTER (WHERE {0}_given) AS {0}_n, count({0}_min) AS {0}_low,
    count({0}_best) AS {0}_known, count({0}_max) AS {0}_high,
    sum({0}_min) AS {0}_min, sum({0}_best) AS {0}_best, sum({0}_max) AS {0}_max
"""
_AGAIN = """
    sum({0}_min)::bigint,
    CASE WHEN sum({0}_n) = sum({0}_known) THEN sum({0}_best) END::bigint,
    CASE WHEN sum({0}_n) = sum({0}_high) THEN sum({0}_max) END::bigint,
    sum({0}_n) > sum({0}_high) AND sum({0}_low) > 0,
    sum({0}_n)::bigint, (sum({0}_n) - sum({0}_known))::bigint
"""
_ADDED_FIRST = f"""
    WITH added AS (
        SELECT month_from, month_until, adm1, outcome, count(*) FILTER (WHERE first) AS n,
               count(*) FILTER (WHERE first AND {{moved}}) AS moved,
               {", ".join(_ADDED.format(bucket) for bucket in BUCKETS)}
        FROM {{source}} WHERE {{condition}}
        GROUP BY month_from, month_until, adm1, outcome
    )
    SELECT month, adm1, outcome, sum(n)::bigint, sum(could_move)::bigint,
           {", ".join(_AGAIN.format(bucket) for bucket in BUCKETS)}
    FROM (
        SELECT *, month_from AS month, moved AS could_move FROM added
        WHERE coalesce(month_from = month_until, false)
        UNION ALL
        SELECT added.*, p.month, CASE WHEN month_from IS NOT NULL OR month_until IS NOT NULL
                                      THEN n ELSE 0 END
        FROM added LEFT JOIN LATERAL generate_series(
            greatest(coalesce(month_from, {{first}}), {{low}}),
            least(coalesce(month_until, {{last}}), {{high}})
        ) p (month) ON month_from IS NOT NULL OR month_until IS NOT NULL
        WHERE NOT coalesce(month_from = month_until, false)
    ) t
    GROUP BY month, adm1, outcome
"""
# The year of which there is most, others of many records, and one of few.
COUNTRIES_AND_YEARS = (("MMR", 2025), ("MMR", 2023), ("UKR", 2025), ("IRQ", 2021))
_COUNTED = "left_out IS NULL AND valid_until IS NULL"


def _by_month(bench: Bench, **parts: Any) -> str:
    """The better query by hand; what an open end reaches to is known to whoever writes it."""
    low, high = bench.database.execute(
        f"SELECT min(coalesce(month_from, month_until)), max(coalesce(month_until, month_from)) "
        f"FROM incidents_publishedtally WHERE {_COUNTED}"
    ).fetchone() or (0, 0)
    usual = {
        "source": "incidents_publishedtally t",
        "condition": _COUNTED,
        "first": low,
        "last": high,
        "low": low,
        "high": high,
    }
    values = {**usual, "moved": "false", **parts}
    found, taken = [], []
    both = [text.format(**values) for text in (_BY_MONTH, _ADDED_FIRST)]
    for sql in both:
        start = time.perf_counter()
        found.append({row[:3]: row[3:] for row in _fetched(bench, sql)})
        taken.append(time.perf_counter() - start)
    same("by hand, in two ways", *found)
    bench.report.note(
        f"by hand: {taken[0] * 1000:,.0f} ms at once, {taken[1] * 1000:,.0f} ms added up first"
    )
    return both[0] if taken[0] <= taken[1] else both[1]


def _month(index: int | None) -> str | None:
    return None if index is None else f"{index // 12:04d}-{index % 12 + 1:02d}"


def _as_groups(rows: Sequence[Any]) -> dict[Any, Any]:
    groups: dict[Any, Any] = {}
    for month, adm1, outcome, incidents, could_move, *figures in rows:
        group = groups.setdefault((_month(month), adm1), [0, 0, {}])
        group[0] += incidents
        group[1] += could_move
        if outcome is not None:
            group[2][outcome] = [None if value is None else int(value) for value in figures]
    return groups


def _as_served(answer: Any) -> dict[Any, Any]:
    return {
        (each["group"]["month"], each["group"]["adm1"]): [
            each["incidents"],
            each["could_move"],
            {
                outcome: [
                    None if buckets[bucket][name] is None else int(buckets[bucket][name])
                    for bucket in BUCKETS
                    for name in FIGURES
                ]
                for outcome, buckets in each["totals"].items()
            },
        ]
        for each in answer["results"]
    }


def _seconds(work: Callable[[], Any], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return median(taken)


def _path(**asked: Any) -> str:
    return f"{API}?{urlencode(asked)}"


def _against(bench: Bench, what: str, path: str, sql: str, plan: str) -> None:
    """Compare, then take turns: the whole answer over HTTP against the rows of the query."""
    ours, theirs = _as_served(bench.product.json(path)), _as_groups(_fetched(bench, sql))
    assert len(ours) > 1, "there must be something to add"
    same(what, ours, theirs)
    bench.explain(plan, sql)
    rounds = max(bench.rounds, 3)
    times: dict[str, list[float]] = {"served": [], "by hand": [], "rows alone": []}
    for _ in range(rounds):
        times["served"].append(_seconds(lambda: bench.product.get(path), 1))
        times["by hand"].append(_seconds(lambda: _as_json(_fetched(bench, sql)), 1))
        times["rows alone"].append(_seconds(lambda: _fetched(bench, sql), 1))
    served, by_hand, rows = (median(each) for each in times.values())
    bench.report.note(
        f"{what}: {len(ours):,} groups, {served * 1000:,.0f} ms served, "
        f"{by_hand * 1000:,.0f} ms by hand as JSON, {rows * 1000:,.0f} ms its rows alone"
    )
    bench.report.add(
        Row(f"{what}: time against SQL by hand, as JSON", served / by_hand, 1.2, False)
    )
    bench.report.add(Row(f"{what}: time against the rows of it alone", served / rows, None, False))


def _as_json(rows: Sequence[Any]) -> bytes:
    """What whoever wrote the query sends: its rows by name, nothing nested and nothing named."""
    names = ["month", "adm1", "outcome", "incidents", "could_move"]
    names += [f"{bucket}_{name}" for bucket in BUCKETS for name in FIGURES]
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=int).encode()


def _fetched(bench: Bench, sql: str) -> list[Any]:
    return bench.database.execute(sql).fetchall()


def _of_a_year(bench: Bench, country: str, year: int) -> None:
    days = (f"{year}-01-01", f"{year}-12-31")
    found = f"""
        (SELECT t.* FROM incidents_publishedincident i
         JOIN incidents_publishedtally t ON t.incident_id = i.seq
         WHERE i.valid_until IS NULL AND i.place_keys && '{{{country}}}'
           AND (i.date_latest >= '{days[0]}' OR i.date_latest IS NULL)
           AND (i.date_earliest <= '{days[1]}' OR i.date_earliest IS NULL)
           AND (i.date_earliest IS NOT NULL OR i.date_latest IS NOT NULL)
           AND daterange(i.date_earliest, i.date_latest, '[]')
               && daterange('{days[0]}', '{days[1]}', '[]')) t
    """
    of_a_year = _path(group_by="month,adm1", country=country, date_from=days[0], date_to=days[1])
    moved = f"""(date_earliest >= '{days[0]}' AND date_latest <= '{days[1]}') IS NOT TRUE"""
    sql = _by_month(
        bench,
        source=found,
        condition="t.left_out IS NULL",
        low=year * 12,
        high=year * 12 + 11,
        moved=moved,
    )
    what = f"totals of {country} in {year}"
    _against(bench, what, of_a_year, sql, f"totals-of-{country}-{year}-by-hand")


def totals(bench: Bench) -> None:
    """Totals by month and province, of everything and of a country's year, and as of before."""
    bench.database.execute(MEMORY)
    everything = _path(group_by="month,adm1")
    _against(bench, "totals by month x adm1", everything, _by_month(bench), "totals-by-hand")
    for country, year in COUNTRIES_AND_YEARS:
        _of_a_year(bench, country, year)
    head = bench.product.json("/api/v1/")["position"]
    before = _path(group_by="month,adm1", as_of=head - 1)
    assert bench.product.json(before)["position"] == head - 1
    rounds = max(bench.rounds, 3)
    then = _seconds(lambda: bench.product.get(before), rounds)
    now = _seconds(lambda: bench.product.get(everything), rounds)
    bench.report.add(Row("totals as of before: time against totals now", then / now, 3, False))

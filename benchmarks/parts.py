"""What is measured, part by part. Each compares bodies before it takes the time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import psycopg

from benchmarks import build, nested, samples, servers, sqlite, whole
from benchmarks.contenders import questions
from benchmarks.releases import releases
from benchmarks.report import Report, Row, median
from benchmarks.servers import Server

API = "/api/v1/incidents/"
CONTENDERS = "benchmarks.contenders"


@dataclass
class Bench:
    """One run: its database, its servers (started when first asked), its report."""

    folder: Path
    count: int
    seconds: float
    rounds: int
    report: Report
    smaller: Callable[[], Path]
    stack: ExitStack = field(default_factory=ExitStack)

    def _started(self, server: Server, path: str) -> Server:
        self.stack.callback(server.stop)
        server.wait_until_ready(path)
        return server

    @cached_property
    def dsn(self) -> str:
        from harmtracker.postgres import SUPERUSER, default_cluster

        return default_cluster(self.folder).dsn(SUPERUSER)

    @cached_property
    def database(self) -> psycopg.Connection:
        """Also has the stamps and indexes that the hand-written contenders read."""
        connection = psycopg.connect(self.dsn, autocommit=True)
        for statement in nested.STAMPS:
            connection.execute(statement)
        return connection

    @cached_property
    def product(self) -> Server:
        return self._started(servers.product(), "/readyz")

    @cached_property
    def bare(self) -> Server:
        _ = self.database
        target = f"{CONTENDERS}.bare:application"
        server = servers.granian("bare WSGI", target, BENCHMARK_DSN=self.dsn)
        return self._started(server, f"/stored/one?{self.codes[0]}")

    @cached_property
    def fast(self) -> Server:
        _ = self.database
        target = f"{CONTENDERS}.fast:application"
        server = servers.granian(
            "FastAPI, asyncpg", target, interface="asgi", BENCHMARK_DSN=self.dsn
        )
        return self._started(server, f"/nested/one?{self.codes[0]}")

    @cached_property
    def ordinary(self) -> Server:
        target = f"{CONTENDERS}.ordinary:application"
        server = servers.granian("ModelSerializer", target, HARMTRACKER_DATA=str(self.folder))
        return self._started(server, f"/nested/one/{self.codes[0]}")

    @cached_property
    def datasette(self) -> Server:
        file = self.folder / "datasette.db"
        made_for = self.folder / "datasette.json"
        wanted = [build.FORM, self.count]
        if not file.exists() or not made_for.exists() or json.loads(made_for.read_text()) != wanted:
            _ = self.database
            with psycopg.connect(self.dsn) as source, build.timed("the rows as SQLite"):
                sqlite.export(source, file)
            made_for.write_text(json.dumps(wanted))
        target = f"{CONTENDERS}.datasette_app:application"
        server = servers.granian("Datasette", target, interface="asgi", BENCHMARK_SQLITE=str(file))
        return self._started(server, "/-/versions.json")

    @cached_property
    def codes(self) -> list[str]:
        return build.some_codes(500)

    @cached_property
    def days(self) -> list[str]:
        """Days to page from: different pages, of different parts of the table."""
        random = Random(build.SEED)
        first = datetime.date(2005, 1, 1)
        return [
            (first + datetime.timedelta(days=random.randrange(7600))).isoformat() for _ in range(40)
        ]

    def read_all(self, path: str) -> float:
        """Seconds until the last byte of the product's answer."""
        return whole.answer(self.product, path)

    def race(self, paths: Mapping[str, tuple[Server, Sequence[str]]]) -> dict[str, float]:
        """Requests per second of each contender: medians of rounds that take turns."""
        for server, asked in paths.values():
            server.load(asked, min(1.0, self.seconds))
        taken: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(self.rounds):
            for name, (server, asked) in paths.items():
                taken[name].append(server.load(asked, self.seconds)["per_second"])
        rates = {name: median(values) for name, values in taken.items()}
        for name, rate in rates.items():
            spread = f"{min(taken[name]):,.0f} to {max(taken[name]):,.0f}"
            print(f"    {name:<34} {rate:10,.1f} requests/s ({spread})", flush=True)
        return rates

    def explain(self, name: str, sql: str, values: Sequence[Any] = ()) -> str:
        """The plan of a query, into the output folder."""
        rows = self.database.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", values or None)
        text = "\n".join(str(row[0]) for row in rows)
        self.report.plan(name, f"{sql}\n\n{text}\n")
        return text


def asked(**values: Any) -> str:
    return f"{API}?{urlencode(values, doseq=True)}"


def page_path(day: str, **more: Any) -> str:
    return asked(date_to=day, grading=list(questions.GRADINGS), limit=questions.LIMIT, **more)


def same(what: str, ours: Any, theirs: Any) -> None:
    if ours != theirs:
        raise SystemExit(f"{what}: the contenders do not give the same. Nothing was timed.")


def _without_nonce(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "nonce"} for row in rows]


def _same_as_ordinary(what: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """The serializer names its fields otherwise: compared are codes, texts, dates and figures."""

    def figures(rows: list[dict[str, Any]]) -> list[Any]:
        return sorted(
            (r["outcome"], r["status"], r["sex"], r["age_group"], str((r["min"], r["best"])))
            for r in rows
        )

    for one, other in zip(ours, theirs, strict=True):
        same(f"{what} {one['code']}", one["code"], other["code"])
        same(f"{what} {one['code']}", one["summary"], other["summary"])
        same(f"{what} {one['code']}", one["date"]["earliest"], other["date_earliest"])
        same(f"{what} {one['code']}", figures(one["casualties"]), figures(other["casualties"]))
        same(f"{what} {one['code']}", len(one["victims"]), len(other["victims"]))
        if "claims" in one:
            for claim, its in zip(one["claims"], other["claims"], strict=True):
                same(f"{what} {one['code']}", claim["id"], its["uuid"])
                same(f"{what} {one['code']}", figures(claim["counts"]), figures(its["counts"]))


def pages(bench: Bench) -> None:
    """A page of 100 summaries under a broad filter, 8 connections."""
    for day in bench.days[:5]:
        ours = bench.product.json(page_path(day))["results"]
        assert len(ours) == questions.LIMIT, "the broad filter must fill a page"
        same("page", ours, bench.bare.json(f"/nested/page?{day}")["results"])
        same("page", ours, bench.bare.json(f"/stored/page?{day}")["results"])
        same("page", ours, bench.fast.json(f"/nested/page?{day}")["results"])
        _same_as_ordinary("page", ours, bench.ordinary.json(f"/nested/page?day={day}")["results"])
        rows = bench.datasette.json(_datasette_path(day))
        same("page", ours, [json.loads(row["item"]) for row in rows])
    bench.explain("page-nested", questions.nested_page("'2020-06-01'::date", full=False))
    bench.explain("page-stored", questions.stored_page("'2020-06-01'::date", full=False))
    rates = bench.race(
        {
            "harmtracker": (bench.product, [page_path(day) for day in bench.days]),
            "bare WSGI, assembled": (bench.bare, [f"/nested/page?{d}" for d in bench.days]),
            "bare WSGI, stored texts": (bench.bare, [f"/stored/page?{d}" for d in bench.days]),
            "FastAPI and asyncpg, assembled": (
                bench.fast,
                [f"/nested/page?{d}" for d in bench.days],
            ),
            "ModelSerializer, cursor": (
                bench.ordinary,
                [f"/nested/page?day={d}" for d in bench.days],
            ),
            "Datasette": (bench.datasette, [_datasette_path(d) for d in bench.days]),
        }
    )
    _ratios(
        bench,
        "page of 100 summaries",
        rates,
        {
            "bare WSGI, assembled": 2,
            "FastAPI and asyncpg, assembled": 2,
            "ModelSerializer, cursor": 30,
            "Datasette": 10,
            "bare WSGI, stored texts": None,
        },
    )


def _datasette_path(day: str) -> str:
    return f"/datasette/page.json?day={day}&_shape=array&_size=100"


def _ratios(
    bench: Bench, what: str, rates: Mapping[str, float], goals: Mapping[str, float | None]
) -> None:
    for name, goal in goals.items():
        ratio = rates["harmtracker"] / rates[name]
        bench.report.add(Row(f"{what}: requests/s against {name}", ratio, goal))


def documents(bench: Bench) -> None:
    """A page of 100 documents under a broad filter, 8 connections."""
    for day in bench.days[:3]:
        ours = bench.product.json(page_path(day, detail="document"))["results"]
        theirs = bench.bare.json(f"/nested/documents?{day}")["results"]
        assert len(ours) == questions.LIMIT, "100 documents must fit into a page"
        same("documents", ours, bench.bare.json(f"/stored/documents?{day}")["results"])
        same("documents", _without_nonce(ours), theirs)
        same("documents", theirs, bench.fast.json(f"/nested/documents?{day}")["results"])
        _same_as_ordinary(
            "documents", ours, bench.ordinary.json(f"/nested/documents?day={day}")["results"]
        )
    bench.explain("documents-nested", questions.nested_page("'2020-06-01'::date", full=True))
    bench.explain("documents-stored", questions.stored_page("'2020-06-01'::date", full=True))
    days = bench.days
    rates = bench.race(
        {
            "harmtracker": (bench.product, [page_path(d, detail="document") for d in days]),
            "bare WSGI, assembled": (bench.bare, [f"/nested/documents?{d}" for d in days]),
            "bare WSGI, stored texts": (bench.bare, [f"/stored/documents?{d}" for d in days]),
            "FastAPI and asyncpg, assembled": (
                bench.fast,
                [f"/nested/documents?{d}" for d in days],
            ),
            "ModelSerializer, cursor": (
                bench.ordinary,
                [f"/nested/documents?day={d}" for d in days],
            ),
        }
    )
    _ratios(
        bench,
        "page of 100 documents",
        rates,
        {
            "bare WSGI, assembled": 2,
            "FastAPI and asyncpg, assembled": 2,
            "ModelSerializer, cursor": 30,
            "bare WSGI, stored texts": None,
        },
    )


def one(bench: Bench) -> None:
    """One document by its code, 8 connections."""
    for code in bench.codes[:20]:
        ours = bench.product.get(f"{API}{code}/")
        same("document", ours, bench.bare.get(f"/stored/one?{code}"))
        theirs = bench.bare.json(f"/nested/one?{code}")
        same("document", _without_nonce([json.loads(ours)]), [theirs])
        _same_as_ordinary(
            "document", [json.loads(ours)], [bench.ordinary.json(f"/nested/one/{code}")]
        )
    bench.explain("one-stored", questions.stored_one(f"'{bench.codes[0]}'"))
    rates = bench.race(
        {
            "harmtracker": (bench.product, [f"{API}{code}/" for code in bench.codes]),
            "bare WSGI, stored text by key": (
                bench.bare,
                [f"/stored/one?{code}" for code in bench.codes],
            ),
            "bare WSGI, assembled": (bench.bare, [f"/nested/one?{code}" for code in bench.codes]),
            "ModelSerializer": (bench.ordinary, [f"/nested/one/{code}" for code in bench.codes]),
        }
    )
    _ratios(
        bench,
        "one document by code",
        rates,
        {
            "bare WSGI, stored text by key": 0.5,
            "ModelSerializer": 10,
            "bare WSGI, assembled": None,
        },
    )


def filter_set(bench: Bench) -> None:
    """One filter used of the full set, against the same page with its query written by hand."""
    target = f"{CONTENDERS}.by_hand:application"
    server = servers.granian("by hand", target, HARMTRACKER_DATA=str(bench.folder))
    bench._started(server, f"/api/v1/by-hand/?date_to={bench.days[0]}&grading=fair&limit=1")
    paths = [page_path(day) for day in bench.days]
    by_hand = [path.replace("/incidents/", "/by-hand/") for path in paths]
    for path, other in list(zip(paths, by_hand, strict=True))[:5]:
        same("filter", server.json(path)["results"], server.json(other)["results"])
    rates = bench.race({"all filters": (server, paths), "by hand": (server, by_hand)})
    ratio = rates["by hand"] / rates["all filters"]
    what = "one filter of the full set: time against a hand-written query"
    bench.report.add(Row(what, ratio, 1.1, at_least=False))


def depth(bench: Bench) -> None:
    """A page at 90 % of what a broad filter finds, against the first page."""
    first = asked(grading=list(questions.GRADINGS), limit=questions.LIMIT)
    address = first.replace("limit=100", "limit=1000") + "&fields=code"
    pages_of_keys: list[str] = []
    while address:
        page = bench.product.json(address)
        address = page["next"] and page["next"].partition(f":{bench.product.port}")[2]
        if address:
            pages_of_keys.append(address)
    deep = pages_of_keys[int(len(pages_of_keys) * 0.9)]
    cursor = deep.partition("cursor=")[2].partition("&")[0]
    path = f"{first}&cursor={cursor}"
    found = bench.product.json(path)
    assert len(found["results"]) == questions.LIMIT
    rates = bench.race({"first page": (bench.product, [first]), "at 90 %": (bench.product, [path])})
    ratio = rates["first page"] / rates["at 90 %"]
    bench.report.add(
        Row("page at depth 90 %: time against the first page", ratio, 1.3, at_least=False)
    )


def every_filter(bench: Bench) -> None:
    """Each filter alone, and ten usual pairs: the first page, one connection."""
    from incidents.api.public.filters import IncidentFilters

    wanted = samples.queries(set(IncidentFilters.base_filters), bench.database)
    paths = {name: asked(**values, limit=questions.LIMIT) for name, values in wanted.items()}
    rows = {name: len(bench.product.json(path)["results"]) for name, path in paths.items()}
    seconds = min(bench.seconds, 0.7)
    taken: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(min(bench.rounds, 3)):
        for name, path in paths.items():
            taken[name].append(bench.product.load([path], seconds, connections=1)["median_s"])
    times = {name: median(values) for name, values in taken.items()}
    full = [name for name in times if rows[name] == questions.LIMIT]
    fastest = min(times[name] for name in full)
    slow = 0
    for name in sorted(times, key=lambda name: -times[name]):
        ratio = times[name] / fastest
        is_slow = ratio > 3
        slow += is_slow
        print(f"    {name:<40} {rows[name]:>4} rows {ratio:8.2f}{'   SLOW' if is_slow else ''}")
        if is_slow:
            for number, sql in enumerate(_statements(paths[name])):
                bench.explain(f"filter-{name.replace(' ', '-')}-{number}", sql)
    worst = max(times, key=lambda name: times[name])
    bench.report.note(
        f"{len(times)} filters and pairs; {len(full)} fill their page, and the fastest of these is "
        f"1; {slow} take more than 3 (plans/filter-*.txt)."
    )
    bench.report.add(
        Row(
            f"slowest filter or pair ({worst}): time against the fastest full page",
            times[worst] / fastest,
            3,
            at_least=False,
            detail={name: round(t / fastest, 2) for name, t in times.items()},
        )
    )


def _statements(path: str) -> list[str]:
    """The queries of a page over the index, as the database is asked them."""
    from django.db import connections
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connections["published"]) as captured:
        Client(HTTP_HOST="127.0.0.1").get(path)
    return [q["sql"] for q in captured if "octet_length" in q["sql"].lower()]


def exports(bench: Bench) -> None:
    """Whole lists in files, against psql's COPY of the same rows into a pipe."""
    for export in whole.EXPORTS:
        server = servers.product()
        try:
            server.wait_until_ready("/readyz")
            peak = whole.memory(export, server, bench.codes[0])
        finally:
            server.stop()
        what = f"export of {export.name}: MiB of memory that a worker needs for it"
        bench.report.add(Row(what, peak, 60, at_least=False))
    for export in whole.EXPORTS:
        rows, size = whole.compare(export, bench.product, bench.dsn)
        statement = export.copy(bench.product)
        ours, theirs = [], []
        for _ in range(bench.rounds):
            theirs.append(whole.copied(bench.dsn, statement))
            ours.append(whole.answer(bench.product, export.path()))
        print(
            f"    {rows:,} rows, {size / 1e6:.1f} MB: {median(ours):.2f} s "
            f"({min(ours):.2f} to {max(ours):.2f}), COPY {median(theirs):.2f} s "
            f"({min(theirs):.2f} to {max(theirs):.2f})",
            flush=True,
        )
        what = f"export of {export.name}: time against COPY"
        ratio = median(ours) / median(theirs)
        bench.report.add(Row(what, ratio, export.goal, at_least=False))


def growth(bench: Bench) -> None:
    """Ten times the incidents: a page, a document, exports; both servers at once, in turns."""
    folder = bench.smaller()
    small = bench._started(servers.product(HARMTRACKER_DATA=str(folder)), "/readyz")
    listed = small.json(f"{API}?limit=1000&fields=code")
    codes = [row["code"] for row in listed["results"]][::2]
    rates = bench.race(
        {
            "page, a tenth": (small, [page_path(day) for day in bench.days]),
            "page": (bench.product, [page_path(day) for day in bench.days]),
            "document, a tenth": (small, [f"{API}{code}/" for code in codes]),
            "document": (bench.product, [f"{API}{code}/" for code in bench.codes]),
        }
    )
    for what in ("page", "document"):
        ratio = rates[f"{what}, a tenth"] / rates[what]
        name = f"{what} with ten times the incidents: time against a tenth"
        bench.report.add(Row(name, ratio, 1.2, at_least=False))
    for form in ("csv", "ndjson", "parquet"):
        for _ in range(10):
            # What a format loads once is loaded, whichever worker takes a request.
            small.get(asked(format=form, code=codes[0]))
            bench.product.get(asked(format=form, code=codes[0]))
        few = median([whole.answer(small, asked(format=form)) for _ in range(3)])
        many = median([whole.answer(bench.product, asked(format=form)) for _ in range(3)])
        name = f"export as {form}: time for each row against a tenth of the rows"
        bench.report.add(Row(name, many / few / 10, 1.2, at_least=False))


PARTS: dict[str, Callable[[Bench], None]] = {
    "pages": pages,
    "documents": documents,
    "one": one,
    "filter": filter_set,
    "depth": depth,
    "filters": every_filter,
    "exports": exports,
    "growth": growth,
    "releases": releases,
}

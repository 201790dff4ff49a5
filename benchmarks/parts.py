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

from benchmarks import build, nested, servers, sqlite
from benchmarks.contenders import questions
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
    smaller: Callable[[str], dict[str, float]]
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
        random = Random(build.SEED)  # noqa: S311
        first = datetime.date(2005, 1, 1)
        return [
            (first + datetime.timedelta(days=random.randrange(7600))).isoformat() for _ in range(40)
        ]

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
        assert len(ours) == questions.LIMIT, "the broad filter must fill a page"  # noqa: S101
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
        assert len(ours) == questions.LIMIT, "100 documents must fit into a page"  # noqa: S101
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


PARTS: dict[str, Callable[[Bench], None]] = {
    "pages": pages,
    "documents": documents,
    "one": one,
}


def sample(part: str, seconds: float) -> dict[str, float]:
    raise NotImplementedError

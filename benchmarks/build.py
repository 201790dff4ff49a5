"""A database of N published incidents, built by the project's own functions, in two processes.

Casework rows are copied in with the triggers off (``session_replication_role = replica``), which
a superuser of the embedded server may do. From there on everything is the project's: the content
by :func:`build_contents`, commitments, the ledger's chain, the index rows. The workflow is left
out, since it would take a day; so are history and reviews.
"""

from __future__ import annotations

import datetime
import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import django
import psycopg

from benchmarks import generate
from benchmarks.generate import COLUMNS, World, head, incident, shared

PROCESSES = 2
AT_ONCE = 250
SEED = 4
# Raised with every change that gives other rows.
FORM = 7

Reference = tuple[tuple[str, str], tuple[dict[str, Any], int]]


class Copies(NamedTuple):
    """That not all are built: so many are, and the others are copies, ``whole`` or listed alone."""

    built: int
    whole: bool


def set_up(folder: Path) -> None:
    """Point Django at the database of this folder."""
    os.environ["HARMTRACKER_DATA"] = str(folder)
    # Throttles are on, and count: nobody is turned away.
    os.environ["HARMTRACKER_RATE_ANONYMOUS"] = "100000000/h"
    os.environ["HARMTRACKER_RATE_FILE"] = "100000000/h"
    os.environ["HARMTRACKER_RATE_EXPORT"] = "100000000/h"
    os.environ["DJANGO_SETTINGS_MODULE"] = "harmtracker.settings"
    for name in ("DATABASE_URL", "DATABASE_PUBLIC_URL", "DATABASE_OWNER_URL"):
        os.environ.pop(name, None)
    django.setup()


def superuser() -> psycopg.Connection:
    from django.conf import settings

    from harmtracker.postgres import SUPERUSER, default_cluster

    connection = psycopg.connect(default_cluster(settings.HARMTRACKER_DATA).dsn(SUPERUSER))
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    return connection


def copy(
    connection: psycopg.Connection, table: str, columns: Sequence[str], rows: Iterable[Any]
) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as out:
        for row in rows:
            out.write_row(row)


@contextmanager
def timed(part: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    print(f"  {part:<46} {time.monotonic() - start:7.1f} s", flush=True)


# --- In the workers ---


def _start_worker(folder: str) -> None:
    set_up(Path(folder))


def _casework(world: World, first: int, codes: list[str]) -> None:
    with superuser() as connection:
        for start in range(0, len(codes), AT_ONCE):
            part = codes[start : start + AT_ONCE]
            made = [incident(world, first + start + n, code) for n, code in enumerate(part)]
            for table, columns in COLUMNS.items():
                copy(connection, table, columns, itertools.chain(*(rows[table] for rows in made)))


class _Tokens:
    """In the place of ``secrets`` while a database is built, so that a seed gives the same bytes
    each time. What is built here is no secret."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)

    def token_urlsafe(self, size: int) -> str:
        import base64

        return base64.urlsafe_b64encode(self.random.randbytes(size)).rstrip(b"=").decode()


VERSION_COLUMNS = (
    "seq", "code", "number", "kind", "document", "sha256", "disclosures", "note", "published_at",
)  # fmt: skip


def moment(seq: int) -> datetime.datetime:
    """When the entry of a position was made: one a second, from a fixed day on."""
    return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=seq)


def _publish(
    seed: int, first: int, first_seq: int, codes: list[str]
) -> tuple[list[str], list[Reference]]:
    """Documents and index rows of a run of incidents; what the ledger commits to, by position."""
    from django.db import transaction

    from incidents.models import PublishedVersion
    from incidents.publishing import changes, commitments, door, ledger, projection, references
    from incidents.publishing.canonical import canonical, sha256
    from incidents.publishing.document import build_contents

    commitments.secrets = _Tokens(f"{seed}:{first}")  # type: ignore[attr-defined]
    committed_hashes: list[str] = []
    found: dict[tuple[str, str], tuple[dict[str, Any], int]] = {}
    with superuser() as connection:
        for start in range(0, len(codes), AT_ONCE):
            part = codes[start : start + AT_ONCE]
            ids = [generate.FIRST_ID + first + start + n for n in range(len(part))]
            contents = build_contents(ids)
            versions: list[PublishedVersion] = []
            indexed = []
            told = []
            for n, (number, code) in enumerate(zip(ids, part, strict=True)):
                seq = first_seq + start + n
                at = moment(seq)
                content = contents[number]
                document = {
                    **content,
                    "code": code,
                    "version": 1,
                    "published_at": ledger.timestamp(at),
                    "previous_version": None,
                    "note": "",
                    "cite": door._citation(code, 1, content["title"], at.date().isoformat()),
                    "nonce": commitments.new_nonce(),
                }
                committed, disclosures = commitments.commit(document)
                committed_hashes.append(sha256(canonical(committed)))
                text = canonical(document)
                version = PublishedVersion(
                    entry_id=seq,
                    code=code,
                    number=1,
                    kind="published",
                    document=text,
                    sha256=sha256(text),
                    disclosures=canonical(disclosures),
                    note="",
                    published_at=at,
                )
                versions.append(version)
                told.append((version, document))
                named = references.named_in(document)
                indexed.append((projection._incident_row(version, document, named), document))
                found.update({name: (thing, seq) for name, thing in named.items()})
            copy(
                connection,
                "incidents_publishedversion",
                VERSION_COLUMNS,
                (
                    (v.pk, v.code, v.number, v.kind, v.document, v.sha256, v.disclosures, v.note,
                     v.published_at)
                    for v in versions
                ),
            )  # fmt: skip
            connection.commit()
            with transaction.atomic("default"):
                projection._store(indexed)
                changes.record(told)
    return committed_hashes, list(found.items())


def _references(found: list[Reference]) -> None:
    """Things as the last document has them, from its position on; none of former times."""
    from incidents.models import PublishedReference
    from incidents.publishing import references

    for (kind, key), (_thing, seq) in found:
        current = PublishedReference.objects.using("default").filter(kind=kind, key=key)
        current.filter(valid_until=None).update(valid_until=seq)
    references.store(references.build(name, thing, seq) for name, (thing, seq) in found)


# --- In the main process ---


def build(folder: Path, count: int, copies: Copies | None = None) -> None:
    """Build the database of ``count`` incidents in a folder, or leave the one that is there."""
    if copies is not None:
        _copied(folder, count, copies)
        return
    stamp = folder / "benchmark.json"
    wanted = {"count": count, "seed": SEED, "form": FORM}
    found = json.loads(stamp.read_text()) if stamp.exists() else {}
    if {key: found.get(key) for key in wanted} == wanted:
        from django.core.management import call_command

        with timed(f"the {count:,} incidents built before, brought up to date"):
            call_command("db", "start", verbosity=0, stdout=open(os.devnull, "w"))  # noqa: SIM115
            call_command("migrate", verbosity=0)
        return
    print(f"Building {count:,} published incidents in {folder}:", flush=True)
    start = time.monotonic()
    _build(folder, count)
    stamp.write_text(json.dumps(wanted))
    took = time.monotonic() - start
    print(f"  {'in all':<46} {took:7.1f} s, {count / took:,.0f} incidents/s", flush=True)


def _copied(folder: Path, count: int, copies: Copies) -> None:
    """Build some, and copy those."""
    from benchmarks.copies import copy_out

    stamp = folder / "copies.json"
    wanted = {"count": count, "built": copies.built, "whole": copies.whole}
    build(folder, copies.built)
    found = json.loads(stamp.read_text()) if stamp.exists() else None
    if found in (wanted, {**wanted, "whole": True}):
        return
    is_listed = found == {**wanted, "whole": False}
    if found and not is_listed:
        raise SystemExit(f"{folder} has other copies: delete it.")
    copy_out(copies.built, count, whole=copies.whole, listed=is_listed)
    with timed("counts and sums over the index"):
        count_index(is_on=True)
    stamp.write_text(json.dumps(wanted))


def _build(folder: Path, count: int) -> None:
    from django.core.management import call_command
    from django.db import connections

    from incidents.models import CodeCounter, LedgerHead

    with timed("server, tables, code lists, three incidents"):
        call_command("db", "start", verbosity=0)
        with superuser() as connection:
            connection.execute("SET session_replication_role = DEFAULT")
            found = connection.execute("SELECT to_regclass('incidents_incident')").fetchone()
        if found and found[0]:
            call_command("db", "reset", "--yes", verbosity=0)
        call_command("quickstart", "--no-serve", verbosity=0, stdout=open(os.devnull, "w"))  # noqa: SIM115
    with timed("places, actors, outlets"):
        world = _world()
    heads = [head(world, i) for i in range(count)]
    last = Counter(
        {
            (row.country, row.year): row.last
            for row in CodeCounter.objects.using("default").filter(last__gt=0)
        }
    )
    codes = []
    for country, year in heads:
        last[country, year] += 1
        codes.append(f"{country}-{year}-{last[country, year]:04d}")
    ledger_head = LedgerHead.objects.using("default").get(pk=1)
    first_seq = ledger_head.size + 1
    connections.close_all()

    spans = _spans(count)
    with ProcessPoolExecutor(
        PROCESSES,
        mp_context=get_context("spawn"),
        initializer=_start_worker,
        initargs=(str(folder),),
    ) as pool:
        with timed("casework rows, by COPY"):
            for _ in pool.map(
                _casework,
                itertools.repeat(world),
                [span.start for span in spans],
                [codes[span.start : span.stop] for span in spans],
            ):
                pass
            with superuser() as connection:
                _finish_casework(connection, last)
        count_index(is_on=False)
        with timed("documents, commitments and index rows"):
            hashes: list[str] = []
            found_all: dict[tuple[str, str], tuple[dict[str, Any], int]] = {}
            for part, named in pool.map(
                _publish,
                itertools.repeat(world.seed),
                [span.start for span in spans],
                [first_seq + span.start for span in spans],
                [codes[span.start : span.stop] for span in spans],
            ):
                hashes += part
                found_all.update(named)
        with timed("what documents refer to"):
            items = sorted(found_all.items(), key=lambda item: item[0])
            del found_all
            list(pool.map(_references, [items[n::PROCESSES] for n in range(PROCESSES)]))
    with timed("counts and sums over the index"):
        count_index(is_on=True)
    with timed("the ledger's chain"):
        _chain(ledger_head, codes, hashes)
    with timed("VACUUM ANALYZE"), superuser() as connection:
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def count_index(*, is_on: bool) -> None:
    """Leave the index uncounted while two processes write it, who would wait for each other; then
    count all of it at once, as the migrations did."""
    counts = import_module("incidents.migrations.0020_key_counts")
    sums = import_module("incidents.migrations.0028_sums_by_country")
    with superuser() as connection:
        switched = "ENABLE" if is_on else "DISABLE"
        for table in ("incidents_publishedincident", "incidents_publishedtally"):
            connection.execute(f"ALTER TABLE {table} {switched} TRIGGER USER")
        if is_on:
            connection.execute(f"TRUNCATE incidents_publishedkeycount; {sums.EMPTY}")
            connection.execute(
                f"INSERT INTO incidents_publishedkeycount (kind, key, n) {counts.HELD}"
            )
            connection.execute(sums.FILL)


def _spans(count: int) -> list[range]:
    """Runs of a thousand: the same ones however many processes there are."""
    return [range(start, min(start + 1000, count)) for start in range(0, count, 1000)]


def _world() -> World:
    """Add what incidents refer to, and say what there is."""
    with superuser() as connection:
        known = dict(connection.execute("SELECT slug, id FROM incidents_place").fetchall())
        rows, places, actors, outlets = shared(SEED, known)
        for table, content in rows.items():
            copy(connection, table, COLUMNS[table], content)
        author, dataset = connection.execute(
            "SELECT (SELECT id FROM accounts_user WHERE username = 'researcher'), "
            "(SELECT id FROM incidents_dataset WHERE slug = 'ucdp-ged')"
        ).fetchone() or (0, 0)
        by_id = {row[0]: row for row in rows["incidents_place"]}
        own = [row[0] for row in connection.execute(
            "SELECT id FROM incidents_actor WHERE slug NOT LIKE 'bench-%' ORDER BY id"
        )]  # fmt: skip
    return World(
        SEED,
        author,
        dataset,
        [(n, by_id[n][8], by_id[n][9], by_id[n][10]) for n in places],
        own + actors,
        outlets,
    )


def _finish_casework(connection: psycopg.Connection, last: Counter[tuple[str, int]]) -> None:
    connection.execute(
        "INSERT INTO incidents_incidentrevision (incident_id, number) "
        "SELECT id, 1 FROM incidents_incident ON CONFLICT DO NOTHING"
    )
    for table, columns in COLUMNS.items():
        if columns[0] == "id":
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "
                f"(SELECT coalesce(max(id), 1) FROM {table}))"
            )
    for (country, year), ordinal in last.items():
        connection.execute(
            "INSERT INTO incidents_codecounter (country, year, last) VALUES (%s, %s, %s) "
            "ON CONFLICT (country, year) DO UPDATE SET last = excluded.last",
            [country, year, ordinal],
        )
    connection.commit()
    connection.autocommit = True
    connection.execute("ANALYZE")


ENTRY_COLUMNS = (
    "seq", "at", "kind", "code", "version", "committed_sha256", "entry", "leaf_hash", "root_hash",
)  # fmt: skip


def _chain(ledger_head: Any, codes: list[str], hashes: list[str]) -> None:
    from incidents.publishing import ledger

    def entries() -> Iterator[tuple[Any, ...]]:
        for code, committed in zip(codes, hashes, strict=True):
            entry = ledger.next_entry(
                ledger_head,
                at=moment(ledger_head.size + 1),
                kind="published",
                code=code,
                version=1,
                committed_sha256=committed,
            )
            yield tuple(getattr(entry, name) for name in ENTRY_COLUMNS)

    with superuser() as connection:
        copy(connection, "incidents_ledgerentry", ENTRY_COLUMNS, entries())
        connection.execute(
            "UPDATE incidents_ledgerhead SET size = %s, edge = %s WHERE id = 1",
            [ledger_head.size, ledger_head.edge],
        )


# Used by the parts that ask for codes.
def some_codes(count: int) -> list[str]:
    """Codes spread evenly over the ledger."""
    from incidents.models import PublishedIncident

    rows = PublishedIncident.objects.using("published").order_by("valid_from")
    codes = list(rows.values_list("code", flat=True))
    step = max(1, len(codes) // count)
    return codes[::step][:count]

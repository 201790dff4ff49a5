"""What an import of UCDP GED costs beside inserting the same casework rows in bulk, in one run.

    uv run benchmarks/import_ucdp.py FILE

Both sides fill a database of their own, cloned from one template on a throw-away PostgreSQL, with
the history and all other triggers on. The baseline is given the finished rows of the import as
objects in memory and inserts them by Django's `bulk_create`, 500 events to a transaction: it reads
no file, checks nothing and decides nothing. The import is timed whole: the file read and checked,
the originals kept, and the batch submitted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["HARMTRACKER_DATA"] = tempfile.mkdtemp(prefix="harmtracker-benchmark-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "harmtracker.settings")

import django

django.setup()

from django.db import connections, models  # noqa: E402

from harmtracker.accounts.models import User  # noqa: E402
from harmtracker.history.acting import acting  # noqa: E402
from incidents.choices import State  # noqa: E402
from incidents.importers.ucdp_import import import_file  # noqa: E402
from incidents.models import (  # noqa: E402
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    ExternalId,
    Incident,
    Involvement,
)
from sources.models import Article  # noqa: E402
from tests import database  # noqa: E402

CHUNK = 500
# What hangs on an incident, in the order in which it is inserted.
PARTS: list[type[models.Model]] = [ExternalId, Claim, CasualtyCount, Involvement, CountBasis]


def fresh(name: str) -> None:
    database.clone(database.TEMPLATE, name)
    database.use(name)


def last_keys() -> dict[type[models.Model], int]:
    return {
        model: model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0
        for model in (Actor, Article, Incident)
    }


def rows_after(last: dict[type[models.Model], int]) -> list[list[list[models.Model]]]:
    """The rows that an import made, as objects: for each chunk of events a list for each table."""
    incidents = list(Incident.objects.filter(pk__gt=last[Incident]).order_by("pk"))
    actors = list(Actor.objects.filter(pk__gt=last[Actor]).order_by("pk"))
    chunks = []
    for start in range(0, len(incidents), CHUNK):
        some = incidents[start : start + CHUNK]
        for incident in some:
            incident.state = State.DRAFT
        articles = Article.objects.filter(claims__incident__in=some, pk__gt=last[Article])
        parts = [model._default_manager.filter(incident__in=some).order_by("pk") for model in PARTS]
        chunks.append(
            [actors, list(articles.order_by("pk")), some, *(list(rows) for rows in parts)]
        )
        actors = []
    return chunks


def insert(chunks: list[list[list[models.Model]]], person: User) -> None:
    for tables in chunks:
        with acting(person, "Baseline"):
            for rows in tables:
                if rows:
                    type(rows[0])._default_manager.bulk_create(rows)


def measure(path: Path, number: int) -> None:
    fresh("bench_import")
    person = User.objects.get(username="researcher")
    last = last_keys()
    start = time.perf_counter()
    report = import_file(path, person)
    whole = time.perf_counter() - start
    chunks = rows_after(last)
    fresh("bench_baseline")
    start = time.perf_counter()
    insert(chunks, person)
    baseline = time.perf_counter() - start
    inserted = sum(len(rows) for tables in chunks for rows in tables)
    sys.stdout.write(
        f"run {number}: {sum(report.counts.values())} rows of the file, {inserted} casework rows; "
        f"best {report.best}, civilians {report.civilians}\n"
        f"  import   {whole:7.1f} s\n  baseline {baseline:7.1f} s\n"
        f"  ratio    {whole / baseline:7.2f}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="CSV file of UCDP GED")
    parser.add_argument("--rounds", type=int, default=1, help="how often both sides run (1)")
    given = parser.parse_args()
    cluster = database.start_cluster()
    try:
        database.build_template()
        for number in range(1, given.rounds + 1):
            measure(given.file, number)
    finally:
        connections.close_all()
        if cluster is not None:
            cluster.destroy()


if __name__ == "__main__":
    main()

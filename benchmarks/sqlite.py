"""The same rows for Datasette: an SQLite file, and the canned query that it serves."""

from __future__ import annotations

import datetime
import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.nested import ROWS, SQLITE, assembled

TABLES = (
    "incidents_incident", "bench.stamp", "incidents_place", "incidents_furtherplace",
    "incidents_dataset", "incidents_externalid", "incidents_actor", "incidents_casualtycount",
    "incidents_countbasis", "incidents_weaponuse", "incidents_weapontype",
    "incidents_involvement", "incidents_victim", "incidents_victimclaim", "incidents_claim",
    "incidents_incidentlink", "incidents_publishedtotal", "sources_outlet", "harmtracker_code",
)  # fmt: skip
INDEXES = (
    "CREATE UNIQUE INDEX incident_id ON incidents_incident (id)",
    "CREATE INDEX incident_date ON incidents_incident (date_earliest DESC, code)",
    "CREATE UNIQUE INDEX stamp ON bench_stamp (incident_id)",
    "CREATE INDEX total ON incidents_publishedtotal (incident_id)",
    "CREATE UNIQUE INDEX code ON harmtracker_code (list, code)",
    "CREATE UNIQUE INDEX weapon ON incidents_weapontype (code)",
    *(
        f"CREATE UNIQUE INDEX {table}_id ON {table} (id)"
        for table in ("incidents_place", "incidents_actor", "incidents_dataset",
                      "incidents_casualtycount", "incidents_claim", "sources_outlet")
    ),
    *(
        f"CREATE INDEX {table}_of ON {table} (incident_id)"
        for table in ("incidents_casualtycount", "incidents_weaponuse", "incidents_involvement",
                      "incidents_victim", "incidents_claim", "incidents_furtherplace",
                      "incidents_externalid", "incidents_incidentlink")
    ),
    "CREATE INDEX basis ON incidents_countbasis (count_id)",
    "CREATE INDEX link ON incidents_victimclaim (victim_id)",
)  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def export(source: psycopg.Connection, path: Path) -> None:
    """Write the file anew."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as target:
        for table in TABLES:
            with source.cursor(name="export") as cursor:
                cursor.itersize = 5000
                cursor.execute(f"SELECT * FROM {table}")
                rows = iter(cursor)
                first = next(rows, None)
                heads = [column.name for column in cursor.description or ()]
                columns = ", ".join(f'"{name}"' for name in heads)
                name = table.replace("bench.", "bench_")
                target.execute(f"CREATE TABLE {name} ({columns})")
                if first is None:
                    continue
                marks = ", ".join("?" * len(heads))
                insert = f"INSERT INTO {name} VALUES ({marks})"
                target.execute(insert, [_plain(v) for v in first])
                target.executemany(insert, ([_plain(v) for v in row] for row in rows))
        for statement in INDEXES:
            target.execute(statement)
        target.execute("ANALYZE")
    target.close()


def metadata(name: str) -> dict[str, Any]:
    """Datasette's settings file: the page as a canned query."""
    order = "ORDER BY i.date_earliest DESC, i.code"
    rows = (
        f"{ROWS.replace('bench.', 'bench_')} WHERE i.state = 'published' "
        "AND i.grading IN ('confirmed', 'fair') "
        f"AND i.date_earliest <= :day {order} LIMIT 100"
    )
    page = assembled(SQLITE, rows, full=False, order=order)
    return {"databases": {name: {"queries": {"page": {"sql": page}}}}}

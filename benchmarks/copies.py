"""More published incidents than there is time to build: copies of those that were built, by SQL.

Each has a code and positions of its own. Its date is that of one incident and its place that of
another, so that they are spread like those that are built. Texts are the original's but for the
code; no casework rows and no digests stand behind a copy. So what reads the published tables can be
measured, and what reads casework, or checks hashes, cannot.
"""

from __future__ import annotations

import psycopg

from benchmarks.build import superuser, timed

# Without the documents and the rows of exports: enough for lists, totals and changes.
INDEX = (
    "incidents_ledgerentry",
    "incidents_publishedincident",
    "incidents_publishedtally",
    "incidents_publishedgroupvalue",
    "incidents_publishedchange",
)
REST = (
    "incidents_publishedversion",
    "incidents_publishedincidentrow",
    "incidents_publishedtotal",
    "incidents_publishedpart",
    "incidents_publishedcasualty",
    "incidents_publishedvictim",
    "incidents_publishedclaim",
)
_CODE = "left({0}, 9) || ({1}.n * 10000 + substr({0}, 10)::integer)"
_POSITION = "{0} + {1}.n * {2}"
_POSITIONS = ("seq", "valid_from", "incident_id")
_TEXTS = ("summary", "document", "change")
# Of the incident whose date, and of the one whose place, a copy has: by table.
_DATED = ("date_earliest", "date_latest", "month_from", "month_until", "week_from", "week_until")
_PLACED = ("country", "adm1", "adm2", "adm3", "place", "place_keys", "latitude", "longitude")
_SHUFFLED = ("incidents_publishedincident", "incidents_publishedtally")
# Copies that are added by one statement.
AT_ONCE = 10


def copy_out(built: int, count: int, *, whole: bool, listed: bool = False) -> None:
    """Make ``count`` published incidents of those that were ``built``; ``whole``: all tables.

    ``listed``: the tables of the index have the copies already.
    """
    if count % built or built > 10_000:
        raise SystemExit("Copies: the number of incidents must be a multiple of at most 10,000.")
    with superuser() as connection:
        connection.commit()
        connection.autocommit = True
        connection.execute("SET maintenance_work_mem = '256MB'; SET work_mem = '64MB'")
        (first,) = connection.execute(
            "SELECT size - %s + 1 FROM incidents_ledgerhead", [count if listed else built]
        ).fetchone() or (0,)
        connection.execute("CREATE TEMP TABLE of AS " + _sources(built, count // built, first))
        connection.execute("CREATE INDEX ON of (n); ANALYZE of")
        for table in (*(() if listed else INDEX), *(REST if whole else ())):
            with timed(f"copies in {table.removeprefix('incidents_')}"):
                _copy(connection, table, built, count // built, first)
        if not listed:
            connection.execute("UPDATE incidents_ledgerhead SET size = size + %s", [count - built])
        with timed("VACUUM ANALYZE"):
            connection.execute("VACUUM ANALYZE")


def _sources(built: int, times: int, first: int) -> str:
    """Of each copy: its original, whose date it has and whose place."""
    return (
        f"SELECT n, i + {first} AS seq, (i * 6007 + n * 4271) % {built} + {first} AS dated, "
        f"(i * 7919 + n * 3571) % {built} + {first} AS placed "
        f"FROM generate_series(1, {times - 1}) n, generate_series(0, {built - 1}) i"
    )


def _copy(connection: psycopg.Connection, table: str, built: int, times: int, first: int) -> None:
    names = [
        name
        for (name,) in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' AND attname <> 'id' ORDER BY attnum",
            [table],
        )
    ]
    key = "incident_id" if "incident_id" in names else "seq"
    is_shuffled = table in _SHUFFLED
    values = ", ".join(_value(name, built, is_shuffled=is_shuffled) for name in names)
    source = f"{table} t JOIN of ON of.seq = t.{key}"
    if is_shuffled:
        also = " AND {0}.first" if "first" in names else ""
        for role in ("dated", "placed"):
            source += f" JOIN {table} {role} ON {role}.{key} = of.{role}{also.format(role)}"
    dropped = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = %s::regclass AND NOT indisprimary",
        [table],
    ).fetchall()
    unique = [
        (name, definition)
        for name, definition in connection.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = %s::regclass AND contype = 'u'",
            [table],
        )
    ]
    for name, _definition in unique:
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _definition in dropped:
        connection.execute(f"DROP INDEX IF EXISTS {name}")
    for start in range(1, times, AT_ONCE):
        connection.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {source} "
            f"WHERE of.n >= {start} AND of.n < {start + AT_ONCE}"
        )
    for name, definition in unique:
        connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for name, definition in dropped:
        if name not in {unique_name for unique_name, _definition in unique}:
            connection.execute(definition)


def _text(name: str) -> str:
    return f"replace(t.{name}, t.code, {_CODE.format('t.code', 'of')})"


def _value(name: str, built: int, *, is_shuffled: bool) -> str:
    if name in _POSITIONS:
        return _POSITION.format(f"t.{name}", "of", built)
    if name == "code":
        return _CODE.format("t.code", "of")
    if name in _TEXTS:
        return _text(name)
    if name == "sha256":
        return f"encode(sha256(convert_to({_text('document')}, 'UTF8')), 'hex')"
    if name in ("at", "published_at", "first_published_at"):
        return f"t.{name} + of.n * {built} * interval '1 second'" if name == "at" else f"t.{name}"
    if is_shuffled and name in _DATED:
        return f"dated.{name}"
    if is_shuffled and name in _PLACED:
        return f"placed.{name}"
    return f"t.{name}"

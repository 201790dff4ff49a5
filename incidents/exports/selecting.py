"""The select behind each list: the incidents that the filters find, joined with their flat rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections
from django.db.models import QuerySet

from .cells import neutral
from .columns import FLAG, LISTS, TEXT, Column

USING = "published"
Key = tuple[int, ...]

# List -> the table of its own rows; incidents have none beside those of the incidents.
_TABLES = {
    "casualties": "incidents_publishedcasualty",
    "claims": "incidents_publishedclaim",
    "victims": "incidents_publishedvictim",
}


@dataclass(frozen=True)
class Asked:
    """What a request asks for: a list, the incidents found, and the columns to give."""

    list: str
    found: QuerySet[Any]
    columns: tuple[Column, ...]
    # What a record's address starts with.
    incidents_url: str

    @property
    def keys(self) -> tuple[str, ...]:
        """What rows are sorted by, and where one goes on."""
        return ('f."seq"',) if self.list == "incidents" else ('c."incident_id"', 'c."position"')


def picked(list_name: str, names: Sequence[str] | None) -> tuple[Column, ...]:
    """The columns of a list by their names, in its order; the keys are always among them."""
    columns = LISTS[list_name]
    always = {"position", "row"}
    if names is None:
        return columns
    return tuple(column for column in columns if column.name in {*names, *always})


@dataclass(frozen=True)
class Statement:
    """SQL with its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()

    def __add__(self, other: Statement) -> Statement:
        return Statement(f"{self.sql} {other.sql}", self.parameters + other.parameters)


_ROWS = 'JOIN incidents_publishedincidentrow r ON r."seq" = f."seq"'
_DOCUMENTS = 'JOIN incidents_publishedversion d ON d."seq" = f."seq"'


def _selected(asked: Asked, columns: Iterable[Column], *, is_neutral: bool) -> Statement:
    parts, parameters = [], []
    for column in columns:
        expression = column.source
        if expression == "link":
            expression = """(%s || r."code" || '/')"""
            parameters.append(asked.incidents_url)
        elif is_neutral and column.kind == TEXT:
            expression = neutral(expression)
        parts.append(f'{expression} AS "{column.name}"')
    return Statement(", ".join(parts), tuple(parameters))


def _from(asked: Asked, after: Key | None, *, back: bool, column: str = "") -> Statement:
    """The incidents found as ``f``, with one of their own columns if need be."""
    found = asked.found.order_by()
    if after is not None:
        found = found.filter(pk__lte=after[0]) if back else found.filter(pk__gte=after[0])
    names = ("version_id", column) if column else ("version_id",)
    sql, parameters = found.values_list(*names).query.get_compiler(using=USING).as_sql()
    alias = "f (seq, content)" if column else "f (seq)"
    return Statement(f"FROM ({sql}) {alias}", tuple(parameters))


def _parts(asked: Asked) -> Statement:
    if asked.list == "incidents":
        return Statement("")
    return Statement(f'JOIN {_TABLES[asked.list]} c ON c."incident_id" = f."seq"')


def _beyond(asked: Asked, after: Key | None, *, back: bool) -> Statement:
    if after is None:
        return Statement("")
    marks = ", ".join(["%s"] * len(asked.keys))
    beyond = Statement(
        f"WHERE ({', '.join(asked.keys)}) {'<' if back else '>'} ({marks})", tuple(after)
    )
    # Said of the bare column too, so that an index is entered at the right place.
    return beyond + Statement(f"AND {asked.keys[0]} {'<=' if back else '>='} %s", (after[0],))


def _order(asked: Asked, limit: int, *, back: bool = False) -> Statement:
    keys = ", ".join(f"{key} DESC" if back else key for key in asked.keys)
    return Statement(f"ORDER BY {keys} LIMIT %s", (limit,))


def _tail(asked: Asked) -> str:
    """The key of a row, as whole numbers of eight bytes."""
    return ", ".join(f"{key}::bigint" for key in asked.keys)


def table(asked: Asked, after: Key | None, limit: int, *, is_neutral: bool) -> Statement:
    """Rows of the columns asked for, of which the key are the last."""
    # COPY would write t and f.
    columns = [
        replace(column, source=f"{column.source}::text") if column.kind == FLAG else column
        for column in asked.columns
    ]
    return (
        Statement("SELECT")
        + _selected(asked, columns, is_neutral=is_neutral)
        + _from(asked, after, back=False)
        + Statement(_ROWS)
        + _parts(asked)
        + _beyond(asked, after, back=False)
        + _order(asked, limit)
    )


def stored(asked: Asked, after: Key | None, limit: int, *, column: str) -> Statement:
    """The stored texts of incidents, summary or document, each followed by its key."""
    if column == "summary":
        start = Statement(f"SELECT f.content, {_tail(asked)}")
        source = _from(asked, after, back=False, column="summary")
    else:
        start = Statement(f"SELECT d.document, {_tail(asked)}")
        source = _from(asked, after, back=False) + Statement(_DOCUMENTS)
    return start + source + _beyond(asked, after, back=False) + _order(asked, limit)


def objects(
    asked: Asked,
    after: Key | None,
    limit: int,
    *,
    is_neutral: bool = False,
    as_features: bool = False,
    back: bool = False,
) -> Statement:
    """Rows as JSON objects, or as features of GeoJSON, each followed by its key."""
    return (
        Statement(f"SELECT {_feature(asked) if as_features else _OBJECT}, {_tail(asked)}")
        + _from(asked, after, back=back)
        + Statement(_ROWS)
        + _parts(asked)
        + Statement("CROSS JOIN LATERAL (SELECT")
        + _selected(asked, asked.columns, is_neutral=is_neutral)
        + Statement(") t")
        + _beyond(asked, after, back=back)
        + _order(asked, limit, back=back)
    )


_OBJECT = "row_to_json(t)::text"
_POINT = """
    CASE WHEN r."latitude" IS NULL THEN 'null' ELSE '{"type":"Point","coordinates":['
    || trim_scale(round(r."longitude"::numeric, 6)) || ','
    || trim_scale(round(r."latitude"::numeric, 6)) || ']}' END
"""


def _feature(asked: Asked) -> str:
    name = 'r."code"'
    if asked.list != "incidents":
        name = """(r."code" || '/' || c."position")"""
    return f"""
        '{{"type":"Feature","id":"' || {name} || '","geometry":' || {_POINT}
        || ',"properties":' || {_OBJECT} || '}}'
    """


def count(asked: Asked, most: int | None = None) -> int:
    """How many rows there are; no more than ``most`` are counted."""
    rows = Statement("SELECT 1") + _from(asked, None, back=False) + _parts(asked)
    if most is not None:
        rows += Statement("LIMIT %s", (most,))
    with connections[USING].cursor() as cursor:
        sql = f"SELECT count(*) FROM ({rows.sql}) counted"  # noqa: S608  (of our own words)
        cursor.execute(sql, rows.parameters)
        return int(cursor.fetchone()[0])

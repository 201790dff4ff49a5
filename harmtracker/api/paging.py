"""Pages by keyset: a deep page costs what the first costs, and no row is skipped or seen twice.

An order is one segment of rows after another: rows without a date are a segment of their own,
the last in either direction. A cursor says after which row of which segment to go on, which way,
at which ledger position and for which filters.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import F, Field, Func, Q, QuerySet
from django.db.models.expressions import OrderBy

from harmtracker.api import stored_texts
from harmtracker.api.parameters import FLAG, Kind, Parameter, Query, whole
from harmtracker.api.problems import Problem

# A page ends early, with a next one, rather than be longer than this.
MAX_PAGE_BYTES = 2 * 1024 * 1024
# What the contents that are read along with a page's keys may come to.
CONTENTS_BYTES = 4 * MAX_PAGE_BYTES
# What JSON readers keep exact.
MAX_NUMBER = 2**53 - 1
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,3000}")

CURSOR = Parameter(
    "cursor",
    Kind(str, {"type": "string", "pattern": f"^{_TOKEN.pattern}$"}),
    "Where to go on: taken from `next` or `previous` as it stands, with the same filters and "
    "ordering. It never expires.",
    max_characters=3000,
)
COUNT = Parameter("count", FLAG, "Whether to count all rows found, which takes longer.", False)


def limit_up_to(highest: int) -> Parameter:
    return Parameter(
        "limit",
        whole(1, highest),
        f"Rows in a page, at most {highest}. A page of more than 2 MiB ends early, with a next.",
        50,
    )


def _as_day(value: Any) -> datetime.date:
    return datetime.date.fromisoformat(value)


def _as_text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    return value


def _as_id(value: Any) -> uuid.UUID:
    if not isinstance(value, str):
        raise ValueError
    return uuid.UUID(value)


def _as_number(value: Any) -> int:
    # A bool is an int to Python.
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise ValueError
    return value


def _as_null(value: Any) -> None:
    if value is not None:
        raise ValueError


@dataclass(frozen=True)
class Column:
    """A column that rows are sorted by, and how a cursor's value of it is read."""

    name: str
    read: Callable[[Any], Any]
    descending: bool = False
    # Its index has NULL at the end of the falling order; the order asked for must say the same,
    # even of rows that have none, for the index to be walked.
    nullable: bool = False

    def order(self) -> OrderBy:
        if self.descending:
            return F(self.name).desc(nulls_last=self.nullable or None)
        return F(self.name).asc(nulls_first=self.nullable or None)

    def beyond(self, value: Any, *, inclusive: bool = False) -> Q:
        lookup = ("lt" if self.descending else "gt") + ("e" if inclusive else "")
        return Q((f"{self.name}__{lookup}", value))

    def reversed(self) -> Column:
        return replace(self, descending=not self.descending)


def day(name: str, *, descending: bool) -> Column:
    return Column(name, _as_day, descending, nullable=True)


def no_day(name: str, *, descending: bool) -> Column:
    return Column(name, _as_null, descending, nullable=True)


def moment(name: str, *, descending: bool = False) -> Column:
    return Column(name, datetime.datetime.fromisoformat, descending)


def random_id(name: str = "uuid") -> Column:
    """What tells equals apart where the row's own number would tell how many there are."""
    return Column(name, _as_id)


def text(name: str, *, descending: bool = False) -> Column:
    return Column(name, _as_text, descending)


def number(name: str, *, descending: bool = False) -> Column:
    return Column(name, _as_number, descending)


@dataclass(frozen=True)
class Segment:
    """Rows of one condition, sorted by columns of which the last is unique among them."""

    columns: tuple[Column, ...]
    where: Q | None = None

    def reversed(self) -> Segment:
        return replace(self, columns=tuple(column.reversed() for column in self.columns))

    def beyond(self, values: Sequence[Any]) -> Q:
        """Rows after these values, said so that a b-tree starts at the first of them."""
        *wider, last = [
            (column, value)
            for column, value in zip(self.columns, values, strict=True)
            if value is not None
        ]
        condition = last[0].beyond(last[1])
        for column, value in reversed(wider):
            condition = column.beyond(value, inclusive=True) & (column.beyond(value) | condition)
        return condition


Order = tuple[Segment, ...]


@dataclass(frozen=True)
class Cursor:
    """A row: its segment and what it is sorted by there. ``back`` asks for the rows before it."""

    position: int
    segment: int
    values: tuple[Any, ...]
    back: bool = False


def fingerprint(path: str, query: Query) -> str:
    """What a cursor belongs to: a list, its filters and its ordering."""
    asked = query.normal(without=("cursor", "limit", "count", "detail", "fields"))
    return hashlib.sha256(f"{path}?{asked}".encode()).hexdigest()[:16]


def encode(cursor: Cursor, belongs_to: str) -> str:
    values = [
        v.isoformat() if isinstance(v, datetime.date) else str(v) if isinstance(v, uuid.UUID) else v
        for v in cursor.values
    ]
    content = [cursor.position, belongs_to, cursor.segment, values, cursor.back]
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(token: str, belongs_to: str, *, order: Order, head: int) -> Cursor:
    """The cursor of a token, which is one that :func:`encode` gives for this list, or 400."""
    try:
        if not _TOKEN.fullmatch(token):
            raise ValueError
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        position, owner, segment, values, back = json.loads(data)
        columns = order[_as_number(segment)].columns
        cursor = Cursor(
            _as_number(position),
            segment,
            tuple(c.read(value) for c, value in zip(columns, values, strict=True)),
            back is True,
        )
        if cursor.position > head or encode(cursor, owner) != token:
            raise ValueError
    except (ValueError, TypeError, IndexError, RecursionError) as error:
        raise Problem("invalid-cursor") from error
    if owner != belongs_to:
        raise Problem(
            "invalid-cursor", "The cursor belongs to another list or to other filters or ordering."
        )
    return cursor


@dataclass(frozen=True)
class Page:
    """Keys of the rows of a page, in order, and where the pages beside it begin."""

    keys: list[Any]
    next: Cursor | None
    previous: Cursor | None
    # What was read along with the keys, where that was asked for; None for a row too long for it.
    contents: list[Any]


def _short(content: str, limit: int) -> Func:
    """A column, or NULL where it is much longer than its share of a page."""
    most = CONTENTS_BYTES // (limit + 1)
    return Func(
        F(content),
        template=f"CASE WHEN octet_length(%(expressions)s) <= {most} THEN %(expressions)s END",
        output_field=Field(),
    )


def _with_bytes(wanted: QuerySet[Any]) -> list[tuple[Any, ...]]:
    try:
        sql, values = wanted.query.sql_with_params()
    except EmptyResultSet:
        return []
    with stored_texts.cursor(wanted.db) as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def read_page(
    queryset: QuerySet[Any],
    order: Order,
    *,
    content: str,
    start: Cursor | None,
    position: int,
    limit: int,
    with_content: bool = False,
) -> Page:
    """The page after (or before) ``start``, in a query per segment at most.

    It reads keys and the length of the column ``content``, so that rows which a page has no
    room for are never read. ``with_content`` reads the column along with them, but for rows that
    are far longer than others, as bytes: worth it where the column stands in the table that is
    searched.
    """
    back = start is not None and start.back
    # Without a field: a number as it comes needs no converting.
    size = Func(F(content), function="octet_length", output_field=Field())
    read: tuple[Any, ...] = (size, _short(content, limit)) if with_content else (size,)
    before = 1 + len(read)
    rows: list[tuple[int, tuple[Any, ...]]] = []
    indexes = range(start.segment if start else 0, len(order))
    if start is not None and back:
        indexes = range(start.segment, -1, -1)
    for index in indexes:
        segment = order[index].reversed() if back else order[index]
        found = queryset.filter(segment.where) if segment.where else queryset
        if start is not None and index == start.segment:
            found = found.filter(segment.beyond(start.values))
        found = found.order_by(*(column.order() for column in segment.columns))
        names = [column.name for column in segment.columns]
        wanted = found.values_list("pk", *read, *names)[: limit + 1 - len(rows)]
        rows += [(index, row) for row in (_with_bytes(wanted) if with_content else wanted)]
        if len(rows) > limit:
            break
    kept = rows[: _fitting([row[1] for _, row in rows], limit)]
    has_more = len(kept) < len(rows)
    if back:
        kept.reverse()
    if not kept:
        return Page([], None, None, [])

    def cursor(at: int, *, back: bool = False) -> Cursor:
        index, row = kept[at]
        return Cursor(position, index, row[before:], back)

    return Page(
        [row[0] for _, row in kept],
        next=cursor(-1) if has_more or back else None,
        previous=cursor(0, back=True) if (has_more if back else start) else None,
        contents=[row[2] for _, row in kept] if with_content else [],
    )


def _fitting(lengths: Sequence[int], limit: int) -> int:
    """How many of the first rows fit into a page; one always does."""
    total = 0
    for count, length in enumerate(lengths):
        total += length
        if count == limit or (count and total > MAX_PAGE_BYTES):
            return count
    return len(lengths)

"""Reading in batches: each one COPY, wholly in memory before any of it is passed on.

Between two of them the connection is free: a slow reader holds none. A batch ends at so many
bytes, however long its rows are.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import connections

from harmtracker import timeouts

from .selecting import USING, Asked, Key, Statement

# What a batch should come to. A larger one of lines saves selects and takes memory; texts are
# longer, and copied once more.
LINES_BYTES = 8 * 1024 * 1024
TEXTS_BYTES = 4 * 1024 * 1024
# Where one ends early.
MOST_BYTES = 2 * LINES_BYTES
FIRST_ROWS = 1_000
MOST_ROWS = 20_000

# A statement for the rows after a key, so many of them.
Select = Callable[[Key | None, int], Statement]

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER = len(_SIGNATURE) + 8
_TRAILER = b"\xff\xff"
# The number of fields, and the length of the first one.
_START = 6
_KEY = struct.Struct(">iq")


@dataclass(frozen=True)
class Batch:
    """Rows, each as it came, and the key of the last one."""

    rows: list[bytes]
    last: Key
    size: int


class _Enough(Exception):
    """Ends a COPY before its last row: on an exception psycopg cancels what is still to come."""


def _copy(
    statement: Statement, form: str, most_bytes: int, *, is_export: bool = True
) -> tuple[list[bytes], int, bool]:
    """The rows of one COPY, their bytes, and whether it was ended before its last one."""
    rows: list[bytes] = []
    size = 0
    connection = connections[USING]
    try:
        with (
            timeouts.for_exports(USING) if is_export else nullcontext(),
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(
                f"COPY ({statement.sql}) TO STDOUT (FORMAT {form})", statement.parameters
            ) as copy,
        ):
            for row in copy:
                rows.append(bytes(row))
                size += len(row)
                if size > most_bytes:
                    raise _Enough
    except _Enough:
        return rows, size, True
    return rows, size, False


def _in_batches(
    select: Select, read: Callable[[Statement], tuple[Batch | None, bool]], target: int
) -> Iterator[Batch]:
    after: Key | None = None
    limit = FIRST_ROWS
    while True:
        batch, was_ended = read(select(after, limit))
        if batch is None:
            return
        yield batch
        if len(batch.rows) < limit and not was_ended:
            return
        after = batch.last
        fitting = len(batch.rows) * target // max(1, batch.size)
        limit = max(1, min(MOST_ROWS, fitting))


def lines(asked: Asked, select: Select) -> Iterator[Batch]:
    """Lines of CSV. The key stands in the last columns of each."""
    keys = len(asked.keys)

    def read(statement: Statement) -> tuple[Batch | None, bool]:
        rows, size, was_ended = _copy(statement, "csv", MOST_BYTES)
        if not rows:
            return None, was_ended
        last = tuple(map(int, rows[-1].rsplit(b",", keys)[-keys:]))
        return Batch(rows, last, size), was_ended

    return _in_batches(select, read, LINES_BYTES)


def _text_and_key(row: bytes, keys: int) -> tuple[bytes, Key]:
    start = len(row) - keys * _KEY.size
    key = tuple(_KEY.unpack_from(row, start + i * _KEY.size)[1] for i in range(keys))
    return row[_START:start], key


def read_texts(
    statement: Statement, keys: int, most_bytes: int, *, is_export: bool = True
) -> tuple[list[tuple[bytes, Key]], int, bool]:
    """Texts with their keys, of one select; whether it was ended for their length.

    A page is no export, and may take no longer than any other answer.
    """
    rows, size, was_ended = _copy(statement, "binary", most_bytes, is_export=is_export)
    if rows:
        rows[0] = rows[0].removeprefix(_SIGNATURE + rows[0][len(_SIGNATURE) : _HEADER])
    texts = [_text_and_key(row, keys) for row in rows if row and row != _TRAILER]
    return texts, size, was_ended


def texts(asked: Asked, select: Select) -> Iterator[Batch]:
    """Texts, byte for byte, of selects that give each with its key."""
    keys = len(asked.keys)

    def read(statement: Statement) -> tuple[Batch | None, bool]:
        found, size, was_ended = read_texts(statement, keys, 2 * TEXTS_BYTES)
        if not found:
            return None, was_ended
        return Batch([text for text, _key in found], found[-1][1], size), was_ended

    return _in_batches(select, read, TEXTS_BYTES)

"""Stored texts read as the bytes that they are answered with.

Making a Python text of them and bytes again would take longer than the database does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from psycopg.pq import Format
from psycopg.types.string import ByteaBinaryLoader


@contextmanager
def cursor(using: str) -> Iterator[Any]:
    """A cursor that gives columns of type ``text`` as bytes, and all others as usual."""
    with connections[using].cursor() as found:
        # In the binary format a text is its bytes, and psycopg has those taken over in C.
        found.cursor.format = Format.BINARY
        found.cursor.adapters.register_loader("text", ByteaBinaryLoader)
        yield found

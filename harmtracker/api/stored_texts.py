"""Stored texts read as the bytes that they are answered with.

Making a Python text of them and bytes again would take longer than the database does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from psycopg.abc import Buffer
from psycopg.adapt import Loader


class _AsBytes(Loader):
    """A value of type text, in UTF-8 as the connection has it."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


@contextmanager
def cursor(using: str) -> Iterator[Any]:
    """A cursor that gives columns of type ``text`` as bytes, and all others as usual."""
    with connections[using].cursor() as found:
        found.cursor.adapters.register_loader("text", _AsBytes)
        yield found

"""CSV as RFC 4180 has it, in UTF-8, and the same with a row of HXL tags.

Lines end with LF. NULL is an empty cell, an empty text is "". Passed on as PostgreSQL writes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import batches, selecting
from .selecting import Asked

BOM = b"\xef\xbb\xbf"


def _line(cells: list[str]) -> bytes:
    return (",".join(cells) + "\n").encode()


def head(asked: Asked, *, with_tags: bool = False) -> bytes:
    """The names of the columns, and the tags if need be."""
    names = _line([column.name for column in asked.columns])
    return names + _line([column.hxl for column in asked.columns]) if with_tags else names


def rows(asked: Asked) -> Iterator[bytes]:
    for batch in batches.lines(
        asked, lambda after, limit: selecting.table(asked, after, limit, is_neutral=True)
    ):
        yield b"".join(batch.rows)


def csv(asked: Asked, *, with_tags: bool = False, with_bom: bool = False) -> Iterator[bytes]:
    first = head(asked, with_tags=with_tags)
    yield BOM + first if with_bom else first
    yield from rows(asked)

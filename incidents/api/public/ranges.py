"""A part of a file (RFC 9110, section 14): one range, of bytes."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


class Range(NamedTuple):
    """From the first byte to the last one, both among them."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class Beyond(Exception):
    """The range begins where the file has ended."""


def asked(header: str, size: int) -> Range | None:
    """The range that a header asks for; None for the whole, as for what is no single range.

    Raises :class:`Beyond`.
    """
    found = _ONE.fullmatch(header)
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        length = int(found[2])
        if length == 0 or size == 0:
            raise Beyond
        return Range(max(0, size - length), size - 1)
    first = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return None
    if first >= size:
        raise Beyond
    return Range(first, min(last, size - 1))

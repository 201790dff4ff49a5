"""How often something may be asked for: written 60/min, or nothing where it is not counted."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_WRITTEN = re.compile(r"([1-9][0-9]{0,8})/(s|min|h|d)", re.ASCII)
_SECONDS = {"s": 1, "min": 60, "h": 60 * 60, "d": 24 * 60 * 60}


class Rate(NamedTuple):
    """At most so many requests in so many seconds, which begin with the first of them."""

    requests: int
    seconds: int


@cache
def parse(text: str) -> Rate | None:
    """The rate as it is written; None for an empty text. Raises ``ValueError``."""
    if not text:
        return None
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no rate: write 60/min, or 6/h, or leave it empty.")
    return Rate(int(found[1]), _SECONDS[found[2]])

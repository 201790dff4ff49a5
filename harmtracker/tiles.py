"""Where the tiles below the desk's maps come from."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
PARTS = {"{z}", "{x}", "{y}"}


def origin(address: str) -> str:
    """Scheme, host and port of an address of tiles, as a Content-Security-Policy names them.

    Raises ``ValueError``, with what to write instead, for an address that a page of the desk could
    not load: it would show grey squares and say nothing.
    """
    parts = urlsplit(address)
    is_sealed = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in THIS_MACHINE
    )
    if not is_sealed or not parts.hostname or "@" in parts.netloc:
        raise ValueError("Tiles come over https://, or over http:// from this machine.")
    if {*re.findall(r"{[^}]*}?", address)} != PARTS or "{" in parts.netloc:
        raise ValueError(
            "An address of tiles has {z}, {x} and {y} in its path, and no other braces."
        )
    return f"{parts.scheme}://{parts.netloc}"

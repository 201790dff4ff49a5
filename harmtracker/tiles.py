"""Where the tiles below the desk's maps come from."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
PARTS = {"{z}", "{x}", "{y}"}
# A host with a port: no wildcard, and nothing that would begin another rule of the policy.
_HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", re.ASCII)


def origin(address: str) -> str:
    """Scheme, host and port of an address of tiles, as a Content-Security-Policy names them.

    Raises ``ValueError``, with what to write instead, for an address that a page of the desk could
    not load: it would show grey squares and say nothing.
    """
    parts = urlsplit(address)
    is_sealed = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in THIS_MACHINE
    )
    if not is_sealed:
        raise ValueError("Tiles come over https://, or over http:// from this machine.")
    if {*re.findall(r"{[^}]*}?", address)} != PARTS or "{" in parts.netloc:
        raise ValueError(
            "An address of tiles has {z}, {x} and {y} in its path, and no other braces."
        )
    if not _HOST.fullmatch(parts.netloc):
        raise ValueError("An address of tiles begins with one host, such as tiles.example.org.")
    return f"{parts.scheme}://{parts.netloc}"

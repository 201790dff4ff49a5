"""Canonical JSON (RFC 8785) and its hash: the only form in which anything is hashed here."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import rfc8785

# What JSON readers keep exact.
_MAX = 2**53 - 1
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def canonical(value: Any) -> str:
    """The one way to write ``value`` as JSON. Raises ``rfc8785.CanonicalizationError``.

    Nearly every value is one that Python's own encoder, in C, writes in that very form; publishing
    spends half of its time here. The others, and all that is refused, are left to ``rfc8785``.
    """
    if _is_plain(value):
        text = _ENCODER.encode(value)
        if text.isascii() or _is_unicode(text):
            return text
    return rfc8785.dumps(value).decode("utf-8")


def _is_plain(value: Any) -> bool:
    """Whether both encoders write it alike: no key beyond ASCII, no number with an exponent."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is dict:
        return all(
            type(key) is str and key.isascii() and _is_plain(inner) for key, inner in value.items()
        )
    if kind is list:
        return all(map(_is_plain, value))
    if kind is int:
        return bool(-_MAX <= value <= _MAX)
    return kind is float and 1e-4 <= abs(value) < 1e15 and not value.is_integer()


def _is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8: half a pair of surrogates cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()

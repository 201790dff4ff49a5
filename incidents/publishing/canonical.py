"""Canonical JSON (RFC 8785) and its hash: the only form in which anything is hashed here."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical(value: Any) -> str:
    """The one way to write ``value`` as JSON. Raises ``rfc8785.CanonicalizationError``."""
    return rfc8785.dumps(value).decode("utf-8")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()

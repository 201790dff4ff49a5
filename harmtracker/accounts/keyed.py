"""Keyed digests: what is stored of a secret or of what would give a person away."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings


def digest(purpose: str, text: str) -> bytes:
    """HMAC-SHA256 of a text, with a key outside the database; another for each purpose."""
    key = settings.HARMTRACKER_TOKEN_PEPPER.encode()
    return hmac.digest(key, f"{purpose}:{text}".encode(), hashlib.sha256)

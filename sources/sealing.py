"""Encrypting who a confidential source is: AES-256-GCM, under a key that the database never has.

A sealed identity is the random nonce, then ciphertext and tag. The row's uuid is bound into it, so
that what was sealed for one row opens for no other. The plain text is padded, so that its length
does not tell a short name from a long one.
"""

from __future__ import annotations

import hmac
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from harmtracker.errors import Conflict

NONCE_BYTES = 12
PADDED_TO = 512


@dataclass(frozen=True, repr=False)
class Identity:
    """Who a source is. Kept out of every text that could be logged or shown by mistake."""

    name: str
    contact: str = ""
    note: str = ""

    def __repr__(self) -> str:
        return "<an identity>"


def _derived(secret: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"harmtracker source " + purpose).derive(
        secret.encode()
    )


def _key_name(secret: str) -> str:
    """A name for a key that says nothing of it."""
    return _derived(secret, b"key name", 8).hex()


def _secrets() -> Mapping[str, str]:
    """Name of a key -> secret, the present one last."""
    every = [*settings.HARMTRACKER_SOURCE_OLD_KEYS, settings.HARMTRACKER_SOURCE_KEY]
    return {_key_name(secret): secret for secret in every}


def _cipher(secret: str) -> AESGCM:
    return AESGCM(_derived(secret, b"identity", 32))


def seal(identity: Identity, row: uuid.UUID) -> tuple[str, bytes]:
    """(name of the key, sealed identity) for the row with this uuid."""
    plain = json.dumps(
        [identity.name, identity.contact, identity.note], ensure_ascii=False
    ).encode()
    plain = plain.ljust(-(-len(plain) // PADDED_TO) * PADDED_TO)
    secret = settings.HARMTRACKER_SOURCE_KEY
    nonce = os.urandom(NONCE_BYTES)
    return _key_name(secret), nonce + _cipher(secret).encrypt(nonce, plain, row.bytes)


def unseal(key_name: str, sealed: bytes, row: uuid.UUID) -> Identity:
    """The identity that was sealed for this row. Raises :class:`Conflict` where it cannot be."""
    secret = _secrets().get(key_name)
    if secret is None:
        raise Conflict(
            f"The key {key_name}, which encrypted this identity, is not here: give it by "
            "HARMTRACKER_SOURCE_OLD_KEYS."
        )
    try:
        plain = _cipher(secret).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], row.bytes)
    except InvalidTag:
        # Not as the cause: its traceback would reach a log with what was read.
        raise Conflict("What is stored is not what was encrypted for this source.") from None
    return Identity(*json.loads(plain))


def keyed_digest(content: bytes) -> str:
    """A digest by which nobody without the key can test a guess at the content."""
    key = _derived(settings.HARMTRACKER_SOURCE_KEY, b"digest", 32)
    return hmac.digest(key, content, "sha256").hex()

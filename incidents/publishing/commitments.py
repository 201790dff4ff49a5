"""One commitment per redactable value, so that one can be taken out and all the rest still checks.

As selective disclosure does it (RFC 9901): the ledger holds the hash of the document with
``{"_sd": digest}`` in place of each redactable value, where the digest is the SHA-256 of canonical
``[salt, path, value]``. Without the salt a digest tells nothing, however short the value.

A redaction takes values and their salts out and leaves the digests, so that the ledger's hash is
still that of the document. With each goes the document's ``nonce``: without it not even a hash of
the whole, written down before, can be tested against guesses.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from incidents.search import fold

from .canonical import canonical, sha256

SALT_BYTES = 32
NONCE = ["nonce"]

# Names, quotations, free text and points: what may have to leave after it was published. Codes,
# figures and dates of the record itself are what it is, and are corrected, not redacted.
REDACTABLE = {
    "title",
    "summary",
    "name",
    "names",
    "age",
    "point",
    "point_note",
    "rationale",
    "reason",
    "reported_text",
    "speaker",
    "paraphrase",
    "quotation",
    "locator",
    "time",
    "note",
    "url",
    "copy_url",
    "independence_group",
    "cite",
    "value",
    "dataset",
    "attribution",
    "nonce",
}
# Words where an incident's own `place` is a section: the place in a claim's words is free text.
_REDACTABLE_TEXT = {"place", "date"}

Path = list[str | int]
Disclosure = list[Any]  # [salt, path, value]


def new_nonce() -> str:
    """32 random bytes, base64url."""
    return secrets.token_urlsafe(SALT_BYTES)


def commit(document: dict[str, Any]) -> tuple[dict[str, Any], list[Disclosure]]:
    """The document with digests in place of redactable values, and what they stand for."""
    disclosures: list[Disclosure] = []

    def replace(value: Any, path: list[str | int]) -> Any:
        if isinstance(value, dict):
            return {
                key: hide_each(inner, [*path, key])
                if inner is not None and _is_redactable(key, inner)
                else replace(inner, [*path, key])
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [replace(inner, [*path, i]) for i, inner in enumerate(value)]
        return value

    def hide_each(value: Any, path: list[str | int]) -> Any:
        # Of several names one may have to leave alone.
        if isinstance(value, list):
            return [hide(item, [*path, i]) for i, item in enumerate(value)]
        return hide(value, path)

    def hide(value: Any, path: list[str | int]) -> dict[str, str]:
        disclosure: Disclosure = [secrets.token_urlsafe(SALT_BYTES), path, value]
        disclosures.append(disclosure)
        return {"_sd": sha256(canonical(disclosure))}

    return replace(document, []), disclosures


def _is_redactable(key: str, value: Any) -> bool:
    return key in REDACTABLE or (key in _REDACTABLE_TEXT and isinstance(value, str))


def recommit(document: dict[str, Any], disclosures: list[Disclosure]) -> dict[str, Any]:
    """The committed form again, from the document and its disclosures: what a checker does.

    Where values were taken out, the digests that the document lists stand for them. Raises
    ``ValueError`` where the document holds something else than was committed, or listed.
    """
    committed = _copy(document)
    for redaction in committed.pop("redactions", []):
        _put(committed, redaction["path"], None, redaction["digest"])
    for disclosure in disclosures:
        _salt, path, value = disclosure
        _put(committed, path, value, sha256(canonical(disclosure)))
    return committed


def _put(committed: dict[str, Any], path: Path, value: Any, digest: str) -> None:
    """A digest in the place of the value that must stand there."""
    parent: Any = committed
    for step in path[:-1]:
        parent = parent[step]
    if parent[path[-1]] != value:
        raise ValueError(f"The document does not hold what was committed at {path}.")
    parent[path[-1]] = {"_sd": digest}


def holding(disclosures: Sequence[Disclosure], text: str) -> list[Path]:
    """Where the redactable values are that hold a text, without regard to case and accents."""
    words = fold(text)
    return [
        path
        for _salt, path, value in disclosures
        if path != NONCE and words in fold(value if isinstance(value, str) else canonical(value))
    ]


def take_out(
    document: dict[str, Any], disclosures: list[Disclosure], paths: Sequence[Path], reason: str
) -> tuple[dict[str, Any], list[Disclosure], list[list[Any]]]:
    """The document without the values at ``paths`` and its nonce, the disclosures that are left,
    and what was taken as ``[path, digest]``."""
    gone = [d for d in disclosures if d[1] in paths or d[1] == NONCE]
    redacted = _copy(document)
    for _salt, path, _value in gone:
        parent: Any = redacted
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = None
    taken = [[path, sha256(canonical([salt, path, value]))] for salt, path, value in gone]
    redacted["redactions"] = redacted.get("redactions", []) + [
        {"path": path, "digest": digest, "reason": reason} for path, digest in taken
    ]
    return redacted, [d for d in disclosures if d not in gone], taken


def dotted(path: Sequence[str | int]) -> str:
    """A path as people read it: ``claims[2].counts[0].min``."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.removeprefix(".")


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy(inner) for inner in value]
    return value

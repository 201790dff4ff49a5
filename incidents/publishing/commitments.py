"""One commitment per redactable value, so that one can be taken out and all the rest still checks.

As selective disclosure does it (RFC 9901): the ledger holds the hash of the document with
``{"_sd": digest}`` in place of each redactable value, where the digest is the SHA-256 of canonical
``[salt, path, value]``. Without the salt a digest tells nothing, however short the value.
"""

from __future__ import annotations

import secrets
from typing import Any

from .canonical import canonical, sha256

SALT_BYTES = 32

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
}
# Words where an incident's own `place` is a section: the place in a claim's words is free text.
_REDACTABLE_TEXT = {"place", "date"}

Disclosure = list[Any]  # [salt, path, value]


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
    """The committed form again, from the document and its disclosures: what a checker does."""
    committed = _copy(document)
    for disclosure in disclosures:
        _salt, path, value = disclosure
        parent = committed
        for step in path[:-1]:
            parent = parent[step]
        if parent[path[-1]] != value:
            raise ValueError(f"The document does not hold what was committed at {path}.")
        parent[path[-1]] = {"_sd": sha256(canonical(disclosure))}
    return committed


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy(inner) for inner in value]
    return value

"""How two contents, or two published versions of a record, differ. Pure, no database.

What was taken out of a version is shown as taken out: by its digest, never by what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from incidents.publishing.canonical import canonical
from incidents.publishing.moved import STAMPS, VALUES, is_whole, moved

# Values that a change is told of by name, besides figures.
VALUE_NAMES = tuple(VALUES)


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Where two contents differ, as paths such as ``place.name`` or ``claims[2].counts[0].min``."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for key in sorted({*before, *after})
            for line in differences(
                before.get(key), after.get(key), f"{path}.{key}" if path else key
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            line
            for i, (one, other) in enumerate(zip(before, after, strict=True))
            for line in differences(one, other, f"{path}[{i}]")
        ]
    return [] if before == after else [path]


class Change(NamedTuple):
    """One value that differs between two contents; None where it is not there."""

    path: str
    before: Any
    after: Any


# What tells the items of a list apart, so that one that was moved is not a difference. Lists of
# others are compared by position.
_KEYS: dict[str, tuple[str, ...]] = {
    "claims": ("id",),
    "further_places": ("id",),
    "path": ("id",),
    "casualties": ("outcome", "status", "role", "sex", "age_group", "affiliation.id"),
    "counts": ("outcome", "status", "role", "sex", "age_group", "affiliation.id"),
    "weapons": ("code", "platform"),
    "involvement": ("actor.id", "role"),
    "basis": ("bound", "claim"),
    "links": ("kind", "code"),
    "external_ids": ("dataset", "value"),
}


def changes(before: Any, after: Any) -> list[Change]:
    """What differs between two contents, value by value, each with what was and what is.

    A path names an item by what tells it apart where its list has such a thing, as in
    ``casualties[killed civilian all all all].max`` or ``claims[<id>].paraphrase``, else by its
    position, as in ``victims[0].age``.
    """
    return list(_changes(before, after, "", ""))


def _changes(before: Any, after: Any, path: str, name: str) -> Iterator[Change]:
    if _is_taken_out(before) and _is_taken_out(after):
        return  # whether they were the same is not told
    if _is_taken_out(before) or _is_taken_out(after):
        yield Change(path, before, after)
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _changes(
                before.get(key), after.get(key), f"{path}.{key}" if path else key, key
            )
    elif isinstance(before, list) and isinstance(after, list):
        one, other = _by_key(before, name), _by_key(after, name)
        if one is None or other is None:
            one, other = dict(enumerate(before)), dict(enumerate(after))
        for item in dict.fromkeys([*one, *other]):
            yield from _changes(one.get(item), other.get(item), f"{path}[{item}]", "")
    # Of the same sort as well: true is no 1.
    elif canonical(before) != canonical(after):
        yield Change(path, before, after)


def _by_key(items: list[Any], name: str) -> dict[Any, Any] | None:
    """The items by what tells them apart; None where nothing does."""
    if name not in _KEYS or not all(isinstance(item, dict) for item in items):
        return None
    keyed = {" ".join(filter(None, (_at(i, key) for key in _KEYS[name]))): i for i in items}
    return keyed if len(keyed) == len(items) else None


def _at(item: dict[str, Any], key: str) -> str:
    """A value within an item by its key, such as ``affiliation.id``; empty where there is none."""
    value: Any = item
    for step in key.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    # One that was taken out tells nothing apart.
    return "" if value is None or isinstance(value, dict) else str(value)


Document = dict[str, Any]

_TAKEN_OUT = "redacted"


def compared(one: Document, other: Document) -> Document:
    """How one published version differs from another of the same record, whichever is the later.

    What :func:`incidents.publishing.moved.moved` says, ``changes`` by path, each with ``from`` and
    ``to``, and ``redacted``: which values of either version were taken out. In ``changes`` such a
    value is ``{"redacted": digest}``; where it was taken out of both, whether they differed is not
    told. What a tombstone, or a version that leads elsewhere, does not hold is no change by path.
    """
    before, after = _shown(one), _shown(other)
    if not (is_whole(one) and is_whole(other)):
        held = {key for key in {*before, *after} if (key in before) != (key in after)}
        held -= set(_longer(before, after))
        before, after = _only(before, held), _only(after, held)
    return {
        **moved(one, other),
        "changes": [
            {"path": change.path, "from": change.before, "to": change.after}
            for change in changes(before, after)
        ],
        "redacted": [
            {
                "version": document["version"],
                **{key: redaction[key] for key in ("path", "digest", "reason")},
            }
            for document in ([one] if one["version"] == other["version"] else [one, other])
            for redaction in document.get("redactions", [])
            if redaction["path"] != ["nonce"]
        ],
    }


def _only(document: Document, keys: set[str]) -> Document:
    return {key: value for key, value in document.items() if key in keys}


def _longer(one: Document, other: Document) -> Document:
    """Of a whole document and one that says where it went, the whole one."""
    return one if is_whole(one) else other if is_whole(other) else {}


def _is_taken_out(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {_TAKEN_OUT}


def _shown(document: Document) -> Document:
    """The content of a version, with the digest of each value that was taken out in its place."""
    taken = {tuple(r["path"]): r["digest"] for r in document.get("redactions", [])}

    def show(value: Any, path: tuple[str | int, ...]) -> Any:
        if path in taken:
            return {_TAKEN_OUT: taken[path]}
        if isinstance(value, dict):
            return {key: show(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [show(inner, (*path, i)) for i, inner in enumerate(value)]
        return value

    return {key: show(value, (key,)) for key, value in document.items() if key not in STAMPS}

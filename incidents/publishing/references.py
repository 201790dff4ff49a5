"""Places, actors, outlets and articles as documents name them, from and until ledger positions.

At each position such a thing is as the newest of the documents has it that were current then and
name it; where none does it is not there. A row holds for as long as that stays the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Q

from incidents.models import PublishedIncident, PublishedReference, PublishedVersion
from incidents.search import vector_literal

from . import index_keys
from .canonical import canonical

# Kind and id.
Name = tuple[str, str]
Thing = dict[str, Any]
# Rows of one statement.
ROWS_AT_ONCE = 500


class Happening(NamedTuple):
    """What a ledger position changed: what the document names that became current there, and the
    keys that the one named which ended.
    """

    position: int
    named: Mapping[Name, Thing]
    gone: frozenset[str]


def named_in(document: dict[str, Any]) -> dict[Name, Thing]:
    """Everything with an id that the document names: (kind, id) -> as it names it."""
    found: dict[Name, Thing] = {}
    for kind, things in (
        ("place", index_keys.places(document)),
        ("actor", _actors(document)),
        ("outlet", _outlets(document)),
        ("article", (claim["article"] for claim in document["claims"])),
    ):
        for thing in things:
            found.setdefault((kind, thing["id"]), thing)
    return found


def _actors(document: dict[str, Any]) -> Iterator[Thing]:
    yield from index_keys.involved(document)
    for claim in document["claims"]:
        speaker = claim["attributed_to"]
        if speaker["type"] == "actor":
            yield from index_keys.steps(
                {k: speaker[k] for k in ("id", "name", "names", "kind", "path")}
            )
        for row in claim["involvement"]:
            yield from index_keys.steps(row["actor"])
        for row in claim["counts"]:
            if row["affiliation"]:
                yield from index_keys.steps(row["affiliation"])


def _outlets(document: dict[str, Any]) -> Iterator[Thing]:
    keys = ("id", "name", "names", "kind", "country", "reliability")
    for claim in document["claims"]:
        yield claim["article"]["outlet"]
        if claim["attributed_to"]["type"] == "outlet":
            yield {key: claim["attributed_to"][key] for key in keys}


def build(name: Name, thing: Thing, valid_from: int) -> PublishedReference:
    """The row of a thing from a position on."""
    kind, key = name
    words = thing["name"] if "name" in thing else thing["title"]  # None where it was taken out
    above = thing["path"][:1] if kind == "place" else []
    return PublishedReference(
        kind=kind,
        key=key,
        valid_from=valid_from,
        name=words or "",
        subkind=thing.get("level") or thing.get("kind"),
        pcode=thing.get("pcode"),
        parent_keys=[key for place in above for key in (place["id"], place["pcode"]) if key],
        country=thing.get("country"),
        language=thing.get("language"),
        outlet=thing["outlet"]["id"] if kind == "article" else None,
        document=canonical(thing),
        search=vector_literal([words, *thing.get("names", []), thing.get("pcode")]),
    )


def store(rows: Iterable[PublishedReference]) -> None:
    PublishedReference.objects.using("default").bulk_create(rows, batch_size=ROWS_AT_ONCE)


class _Current:
    """Rows that hold now, with what they say; and what is to be written."""

    def __init__(self, keys: set[str]) -> None:
        found = PublishedReference.objects.using("default").filter(key__in=keys, valid_until=None)
        self.rows = {(row.kind, row.key): row for row in found}
        self.things = {name: json.loads(row.document) for name, row in self.rows.items()}
        self.closed: list[PublishedReference] = []
        self.opened: list[PublishedReference] = []

    def become(self, name: Name, thing: Thing | None, position: int) -> None:
        """Let a thing be so from a position on, or be no more."""
        if self.things.get(name) == thing:
            return
        if row := self.rows.pop(name, None):
            row.valid_until = position
            self.closed.append(row)
        self.things.pop(name, None)
        if thing is not None:
            self.rows[name], self.things[name] = build(name, thing, position), thing
            self.opened.append(self.rows[name])

    def store(self) -> None:
        stored = [row for row in self.closed if row.pk is not None]
        PublishedReference.objects.using("default").bulk_update(
            stored, ["valid_until"], batch_size=ROWS_AT_ONCE
        )
        store(self.opened)


def follow(happenings: Sequence[Happening]) -> None:
    """Write what ledger positions changed, in their order; the index rows are written already."""
    keys = {key for each in happenings for _kind, key in each.named}
    current = _Current(keys | {key for each in happenings for key in each.gone})
    for each in happenings:
        for name, thing in each.named.items():
            current.become(name, thing, each.position)
        for key in sorted(each.gone - {key for _kind, key in each.named}):
            for name in [name for name in current.rows if name[1] == key]:
                current.become(name, _newest(name, each.position), each.position)
    current.store()


def _newest(name: Name, position: int) -> Thing | None:
    """A thing as the newest document has it that is current at a position; None without any."""
    rows = (
        PublishedIncident.objects.using("default")
        .filter(
            Q(valid_until=None) | Q(valid_until__gt=position),
            valid_from__lte=position,
            reference_keys__contains=[name[1]],
        )
        .order_by("-valid_from")
    )
    return next(
        filter(None, (_named_by(row.pk, name) for row in rows.iterator(chunk_size=1))), None
    )


def _named_by(version: int, name: Name) -> Thing | None:
    document = PublishedVersion.objects.using("default").values_list("document", flat=True)
    return named_in(json.loads(document.get(pk=version))).get(name)


def retell(changed: Iterable[Name]) -> None:
    """Write the rows of some things anew from all documents that name them, of all times.

    For values that were taken out of a document: the rows of a former time hold them as well.
    """
    for name in changed:
        PublishedReference.objects.using("default").filter(kind=name[0], key=name[1]).delete()
        rows = PublishedIncident.objects.using("default").filter(reference_keys__contains=[name[1]])
        spans = list(rows.order_by("valid_from").values_list("pk", "valid_until"))
        things = {start: thing for start, _end in spans if (thing := _named_by(start, name))}
        current = _Current(set())
        for position in sorted({*things, *(end for start, end in spans if end)}):
            newest = max(
                (
                    start
                    for start, end in spans
                    if start in things and start <= position and (end is None or end > position)
                ),
                default=None,
            )
            current.become(name, None if newest is None else things[newest], position)
        current.store()

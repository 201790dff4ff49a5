"""The index over published documents: what they are found and counted by.

Everything here follows from the documents and the order of the ledger, so that
``rebuild_published`` gives the same rows.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Model

from incidents.choices import VersionKind
from incidents.finding import FIGURES
from incidents.models import (
    PublishedChange,
    PublishedIncident,
    PublishedReference,
    PublishedTotal,
    PublishedVersion,
    Redaction,
)
from incidents.search import vector_literal

from . import changes, index_keys, rows
from .canonical import canonical
from .document import summarise

# To be raised when rows come to say something else: `manage.py migrate` then writes them anew.
INDEX_SHAPE = 3
# Rows of one statement.
ROWS_AT_ONCE = 500

Indexed = tuple[PublishedIncident, dict[str, Any]]  # an index row and its document


def _date(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)


def _all_actors(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
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


def _all_outlets(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    keys = ("id", "name", "names", "kind", "country", "reliability")
    for claim in document["claims"]:
        yield claim["article"]["outlet"]
        if claim["attributed_to"]["type"] == "outlet":
            yield {key: claim["attributed_to"][key] for key in keys}


def references(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Everything with an id that the document names: (kind, id) -> as it names it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, things in (
        ("place", index_keys.places(document)),
        ("actor", _all_actors(document)),
        ("outlet", _all_outlets(document)),
        ("article", (claim["article"] for claim in document["claims"])),
    ):
        for thing in things:
            found.setdefault((kind, thing["id"]), thing)
    return found


def _name(thing: dict[str, Any]) -> str | None:
    """Its name, or an article's title; None where it was taken out."""
    return thing["name"] if "name" in thing else thing["title"]


FOUND_BY = ("subkind", "pcode", "parent_keys", "country", "language", "outlet")


def _found_by(kind: str, thing: dict[str, Any]) -> dict[str, Any]:
    """What a thing that documents name is filtered by, as columns."""
    above = thing["path"][:1] if kind == "place" else []
    return {
        "subkind": thing.get("level") or thing.get("kind"),
        "pcode": thing.get("pcode"),
        "parent_keys": [key for place in above for key in (place["id"], place["pcode"]) if key],
        "country": thing.get("country"),
        "language": thing.get("language"),
        "outlet": thing["outlet"]["id"] if kind == "article" else None,
    }


def _store_references(found: dict[tuple[str, str], tuple[dict[str, Any], int]]) -> None:
    """Each thing as the version at that ledger position names it."""
    PublishedReference.objects.using("default").bulk_create(
        [
            PublishedReference(
                kind=kind,
                key=key,
                name=_name(thing) or "",
                document=canonical(thing),
                seq=seq,
                search=vector_literal([_name(thing), *thing.get("names", []), thing.get("pcode")]),
                **_found_by(kind, thing),
            )
            for (kind, key), (thing, seq) in found.items()
        ],
        batch_size=ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["kind", "key"],
        update_fields=["name", "document", "seq", "search", *FOUND_BY],
    )


def _renew_references(keys: set[str]) -> None:
    """As the newest current document has them, those that the one just closed named.

    What no current document names any more goes, with the words of the one that did.
    """
    current = PublishedIncident.objects.using("default").filter(valid_until=None)
    for key in sorted(keys):
        newest = current.filter(reference_keys__contains=[key]).order_by("-valid_from").first()
        rows = PublishedReference.objects.using("default").filter(key=key)
        if newest is None:
            rows.delete()
        elif not rows.filter(seq=newest.valid_from).exists():
            version = PublishedVersion.objects.using("default").get(pk=newest.version_id)
            named = references(json.loads(version.document))
            _store_references(
                {
                    name: (thing, newest.valid_from)
                    for name, thing in named.items()
                    if name[1] == key
                }
            )


def project_all(versions: Sequence[PublishedVersion]) -> None:
    """Write the index rows of versions just published, and close those of the ones before.

    In the order of the ledger, and no code twice. A tombstone closes and adds nothing, and so does
    a version that leads elsewhere.
    """
    gone = _close_former({version.code: version.entry_id for version in versions})
    indexed: list[Indexed] = []
    found: dict[tuple[str, str], tuple[dict[str, Any], int]] = {}
    told = [(version, json.loads(version.document)) for version in versions]
    for version, document in told:
        if version.kind == VersionKind.PUBLISHED:
            named = references(document)
            indexed.append((_incident_row(version, document, named), document))
            found.update({name: (thing, version.entry_id) for name, thing in named.items()})
    _store(indexed)
    _store_references(found)
    _renew_references(gone - {key for _kind, key in found})
    changes.record(told)


def _close_former(closed_at: dict[str, int]) -> set[str]:
    """End the rows that were current until now, and give what they named."""
    former = list(
        PublishedIncident.objects.using("default").filter(code__in=closed_at, valid_until=None)
    )
    for row in former:
        row.valid_until = closed_at[row.code]
    PublishedIncident.objects.using("default").bulk_update(
        former, ["valid_until"], batch_size=ROWS_AT_ONCE
    )
    return {key for row in former for key in row.reference_keys}


def renew(version: PublishedVersion) -> None:
    """Write the index rows of a version anew, out of which values were taken.

    It was found from and until the same ledger positions.
    """
    changes.renew(version)
    row = PublishedIncident.objects.using("default").filter(pk=version.pk).first()
    if row is None:  # a tombstone, which has none
        return
    valid_until = row.valid_until
    row.delete(using="default")
    document = json.loads(version.document)
    found = references(document)
    row = _incident_row(version, document, found)
    row.valid_until = valid_until
    _store([(row, document)])
    held = PublishedReference.objects.using("default").filter(seq=version.pk)
    keys = set(held.values_list("kind", "key"))
    _store_references({name: (found[name], version.pk) for name in found.keys() & keys})


def _incident_row(
    version: PublishedVersion,
    document: dict[str, Any],
    found: dict[tuple[str, str], dict[str, Any]],
) -> PublishedIncident:
    point = (document["place"] or {}).get("point")
    is_copy = any(link["kind"] in ("duplicate_of", "merged_into") for link in document["links"])
    return PublishedIncident(
        version=version,
        code=version.code,
        number=version.number,
        valid_from=version.entry_id,
        summary=canonical(summarise(document)),
        date_earliest=_date(document["date"]["earliest"]),
        date_latest=_date(document["date"]["latest"]),
        record_type=document["record_type"],
        harm_reported=document["harm_reported"],
        grading=document["grading"]["code"],
        in_totals=document["record_type"] == "incident" and not is_copy,
        latitude=point and point["latitude"],
        longitude=point and point["longitude"],
        **_figures(document["totals"]),
        independent_sources=document["grading"]["independent_sources"],
        first_published_at=_first_published_at(version),
        published_at=version.published_at,
        traits=index_keys.traits(document),
        place_keys=index_keys.place_keys(document),
        actor_keys=index_keys.actor_keys(document),
        address_keys=index_keys.address_keys(document),
        reference_keys=sorted({key for _kind, key in found}),
        search=vector_literal(index_keys.searched(document)),
        index_shape=INDEX_SHAPE,
    )


def _figures(totals: dict[str, Any]) -> dict[str, int | None]:
    """The totals that stand in the row, by their columns."""
    every = {
        f"{outcome}_{bucket}_{bound}": total[bound]
        for outcome, buckets in totals.items()
        for bucket, total in buckets.items()
        for bound in ("min", "best", "max")
    }
    return {name: every.get(name) for name in FIGURES}


def _first_published_at(version: PublishedVersion) -> datetime.datetime:
    if version.number == 1:
        return version.published_at
    versions = PublishedVersion.objects.using("default").filter(code=version.code, number=1)
    return versions.values_list("published_at", flat=True).get()


def _store(indexed: Sequence[Indexed]) -> None:
    """Write index rows and all that hangs on them."""
    _insert(PublishedIncident, (row for row, _document in indexed))
    _insert(PublishedTotal, (part for row, document in indexed for part in _totals(row, document)))
    rows.store(rows.build(row.pk, document) for row, document in indexed)


def _insert(model: type[Model], unsaved: Iterable[Model]) -> None:
    model._default_manager.using("default").bulk_create(unsaved, batch_size=ROWS_AT_ONCE)


def _totals(row: PublishedIncident, document: dict[str, Any]) -> Iterator[Model]:
    for outcome, buckets in document["totals"].items():
        for bucket, total in buckets.items():
            yield PublishedTotal(incident=row, outcome=outcome, bucket=bucket, **total)


def rebuild() -> int:
    """Write the whole index anew from the documents, in the ledger's order; how many versions.

    Call it inside a transaction: readers see the old rows until it commits.
    """
    PublishedReference.objects.using("default").all().delete()
    PublishedIncident.objects.using("default").all().delete()
    PublishedChange.objects.using("default").all().delete()
    count = 0
    batch: list[PublishedVersion] = []
    versions = PublishedVersion.objects.using("default").order_by("entry_id")
    for version in versions.iterator(chunk_size=ROWS_AT_ONCE):
        # No code twice in a batch: the later version closes the earlier one's rows.
        if len(batch) == ROWS_AT_ONCE or any(version.code == other.code for other in batch):
            project_all(batch)
            batch = []
        batch.append(version)
        count += 1
    project_all(batch)
    redactions = Redaction.objects.using("default").select_related("entry").order_by("entry")
    changes.record_redactions(redactions.iterator(chunk_size=ROWS_AT_ONCE))
    return count


def is_outdated() -> bool:
    """Whether index rows were written by an earlier form of this module."""
    rows = PublishedIncident.objects.using("default")
    return rows.exclude(index_shape=INDEX_SHAPE).exists() or changes.is_missing()

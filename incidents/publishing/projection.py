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

from . import changes, index_keys, references, rows, tallies
from .canonical import canonical
from .document import summarise
from .references import Happening

# To be raised when rows come to say something else: `manage.py migrate` then writes them anew.
INDEX_SHAPE = 5
# Rows of one statement.
ROWS_AT_ONCE = 500

Indexed = tuple[PublishedIncident, dict[str, Any]]  # an index row and its document


def _date(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)


def project_all(versions: Sequence[PublishedVersion]) -> None:
    """Write the index rows of versions just published, and close those of the ones before.

    In the order of the ledger, and no code twice. A tombstone closes and adds nothing, and so does
    a version that leads elsewhere.
    """
    gone = _close_former({version.code: version.entry_id for version in versions})
    indexed: list[Indexed] = []
    happenings: list[Happening] = []
    told = [(version, json.loads(version.document)) for version in versions]
    for version, document in told:
        named: dict[references.Name, references.Thing] = {}
        if version.kind == VersionKind.PUBLISHED:
            named = references.named_in(document)
            indexed.append((_incident_row(version, document, named), document))
        happenings.append(Happening(version.entry_id, named, gone.get(version.code, frozenset())))
    _store(indexed)
    references.follow(happenings)
    changes.record(told)


def _close_former(closed_at: dict[str, int]) -> dict[str, frozenset[str]]:
    """End the rows that were current until now; code -> the keys of what they named."""
    former = list(
        PublishedIncident.objects.using("default").filter(code__in=closed_at, valid_until=None)
    )
    for row in former:
        row.valid_until = closed_at[row.code]
    PublishedIncident.objects.using("default").bulk_update(
        former, ["valid_until"], batch_size=ROWS_AT_ONCE
    )
    tallies.close([row.pk for row in former])
    return {row.code: frozenset(row.reference_keys) for row in former}


def renew(version: PublishedVersion, former: dict[str, Any]) -> None:
    """Write the index rows of a version anew, out of whose ``former`` document values were taken.

    It was found from and until the same ledger positions.
    """
    changes.renew(version)
    row = PublishedIncident.objects.using("default").filter(pk=version.pk).first()
    if row is None:  # a tombstone, which has none
        return
    valid_until = row.valid_until
    row.delete(using="default")
    document = json.loads(version.document)
    named, named_before = references.named_in(document), references.named_in(former)
    row = _incident_row(version, document, named)
    row.valid_until = valid_until
    _store([(row, document)])
    tallies.close([row.pk])
    references.retell(name for name in named_before if named.get(name) != named_before[name])


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
    tallies.store(tallies.build(row, document) for row, document in indexed)


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

"""What each ledger entry did, written when it is made: part of the index over the documents.

A change follows from the documents of a version and of the one before. Where values are taken out
of a version, its own change and the next one are written anew in the same transaction.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from incidents.choices import ChangeKind, VersionKind
from incidents.models import LedgerHead, PublishedChange, PublishedVersion, Redaction

from . import ledger
from .canonical import canonical
from .moved import figure_names, moved

# Documents that are in memory together.
AT_ONCE = 200

Document = dict[str, Any]
Name = tuple[str, int]  # a code and the number of a version

_KINDS = {
    VersionKind.RETRACTED: ChangeKind.RETRACTED,
    VersionKind.MERGED: ChangeKind.MERGED,
}
# What an entry says of a change of a record that was there before and still is.
_BETWEEN = (
    "figures",
    "rows",
    "values",
    "claims_added",
    "claims_removed",
    "claims_changed",
    "changed",
)


def record(versions: Sequence[tuple[PublishedVersion, Document]]) -> None:
    """Write what versions changed, each given with its document; those written before, anew."""
    for start in range(0, len(versions), AT_ONCE):
        part = versions[start : start + AT_ONCE]
        before = _before([version for version, _document in part])
        cut = _cut_at({version.code for version, _document in part})
        _store(
            _of_version(version, document, before.get((version.code, version.number - 1)), cut)
            for version, document in part
        )


def renew(version: PublishedVersion) -> None:
    """Write anew what is said of a version out of which values were taken."""
    told_of = PublishedVersion.objects.using("default").filter(
        code=version.code, number__in=(version.number, version.number + 1)
    )
    record([(each, json.loads(each.document)) for each in told_of])


def record_redactions(redactions: Iterable[Redaction]) -> None:
    """Write that values were taken out: where, and why; the digests are in the documents."""
    _store(_of_redaction(redaction) for redaction in redactions)


def is_missing() -> bool:
    """Whether the ledger has entries of which nothing is written, as of before there was this."""
    size = LedgerHead.objects.using("default").get(pk=1).size
    return size > 0 and not PublishedChange.objects.using("default").filter(pk=size).exists()


def _store(rows: Iterable[PublishedChange]) -> None:
    PublishedChange.objects.using("default").bulk_create(
        rows,
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["seq"],
        update_fields=["change", "moved", "renewed_at"],
    )


def _before(versions: Sequence[PublishedVersion]) -> dict[Name, Document]:
    """The documents of the versions before these, by code and number."""
    wanted = {(v.code, v.number - 1) for v in versions if v.number > 1}
    every = PublishedVersion.objects.using("default")
    named = every.filter(code__in={code for code, _number in wanted}) if wanted else every.none()
    found = [
        pk
        for pk, code, number in named.values_list("pk", "code", "number")
        if (code, number) in wanted
    ]
    texts = every.filter(pk__in=found).values_list("code", "number", "document")
    return {(code, number): json.loads(text) for code, number, text in texts}


def _cut_at(codes: set[str]) -> dict[Name, datetime.datetime]:
    """When last values were taken out of each version of these codes that has lost some."""
    rows = Redaction.objects.using("default").filter(code__in=codes).order_by("entry")
    return {
        (code, number): at for code, number, at in rows.values_list("code", "number", "entry__at")
    }


def _of_version(
    version: PublishedVersion,
    document: Document,
    before: Document | None,
    cut: dict[Name, datetime.datetime],
) -> PublishedChange:
    first = ChangeKind.CREATED if version.number == 1 else ChangeKind.CORRECTED
    kind = _KINDS.get(VersionKind(version.kind), first)
    found = moved(before, document)
    # A title stays in its own document after the record is gone; so it does here.
    titled = document if "title" in document else before or {}
    content: dict[str, Any] = {
        "seq": version.entry_id,
        "at": ledger.timestamp(version.published_at),
        "kind": kind.value,
        "code": version.code,
        "version": version.number,
        "title": titled.get("title"),
        "note": document["note"],
    }
    is_between = kind == ChangeKind.CORRECTED
    content |= {key: found[key] for key in (_BETWEEN if is_between else ("figures",))}
    if kind == ChangeKind.MERGED:
        content["merged_into"] = document["merged_into"]
    touched = [cut.get((version.code, n)) for n in (version.number - 1, version.number)]
    return PublishedChange(
        seq=version.entry_id,
        kind=kind,
        code=version.code,
        number=version.number,
        change=canonical(content),
        moved=figure_names(found),
        # What was taken out before this version came was never said of it.
        renewed_at=max((at for at in touched if at and at > version.published_at), default=None),
    )


def _of_redaction(redaction: Redaction) -> PublishedChange:
    content = {
        "seq": redaction.entry_id,
        "at": ledger.timestamp(redaction.entry.at),
        "kind": ChangeKind.REDACTED.value,
        "code": redaction.code,
        "version": redaction.number,
        "reason": redaction.public_reason,
        "taken": [path for path, _digest in _taken(redaction)],
    }
    return PublishedChange(
        seq=redaction.entry_id,
        kind=ChangeKind.REDACTED,
        code=redaction.code,
        number=redaction.number,
        change=canonical(content),
    )


def _taken(redaction: Redaction) -> Iterator[list[Any]]:
    """What was asked to be taken; the nonce goes with it and says nothing to a reader."""
    return (pair for pair in json.loads(redaction.taken) if pair[0] != ["nonce"])

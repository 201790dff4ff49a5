"""The only functions that write on the published side.

Called by the workflow alone, inside its transaction, with the incident's row locked and the
person set as acting. The database holds the same rules once more (``incidents_publish_guard``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import connections

from harmtracker.errors import Conflict
from incidents.choices import VersionKind
from incidents.comparing import differences
from incidents.models import (
    Incident,
    LedgerEntry,
    LedgerHead,
    PublishedVersion,
    Redaction,
    Review,
)

from . import changes, ledger, projection
from .canonical import canonical, sha256
from .codes import next_code
from .commitments import Disclosure, Path, commit, dotted, holding, new_nonce, take_out
from .document import SHAPE, build_contents

# Contents that are in memory together.
BUILT_AT_ONCE = 200


def latest_version(code: str | None) -> PublishedVersion | None:
    return (
        PublishedVersion.objects.using("default").filter(code=code).order_by("-number").first()
        if code
        else None
    )


def publish(incident: Incident, verification: Review, *, note: str) -> PublishedVersion:
    """Let the verified bytes out: document, ledger entry and index rows, all or none.

    Raises :class:`Conflict` naming what changed where the records no longer give the content
    that was verified: a place or actor that was renamed since counts too.
    """
    (version,) = publish_all([(incident, verification)], note=note)
    return version


def publish_all(
    verified: Sequence[tuple[Incident, Review]],
    *,
    note: str,
    say: Callable[[int], None] = lambda count: None,
) -> list[PublishedVersion]:
    """Let several verified records out, one after the other, in one hold of the ledger's head.

    The index rows are written together. ``say`` hears how many more are out. Raises
    :class:`Conflict` as :func:`publish` does; then none is out, if the caller's transaction ends.
    """
    versions: list[PublishedVersion] = []
    for batch in _batches(verified):
        contents = build_contents([incident.pk for incident, _ in batch])
        for incident, verification in batch:
            content = _still(incident, verification, contents[incident.pk])
            if incident.code is None:
                incident.code = next_code(incident)
                incident.save(update_fields=["code"])
            versions.append(_let_out(incident, VersionKind.PUBLISHED, content, note=note))
        say(len(batch))
    projection.project_all(versions)
    return versions


def _batches(
    verified: Sequence[tuple[Incident, Review]],
) -> Iterator[Sequence[tuple[Incident, Review]]]:
    for start in range(0, len(verified), BUILT_AT_ONCE):
        yield verified[start : start + BUILT_AT_ONCE]


def _still(incident: Incident, verification: Review, now_content: dict[str, Any]) -> dict[str, Any]:
    """The verified content, if the records still give it."""
    assert verification.content is not None  # noqa: S101  (a constraint of verifications)
    content: dict[str, Any] = json.loads(verification.content)
    if canonical(now_content) != verification.content:
        changed = differences(content, now_content)
        name = "The record" if incident.code is None else incident.code
        raise Conflict(
            f"{name} is not what was verified any more: " + ", ".join(changed[:10]) + ".",
            differences=changed,
        )
    return content


def retract(incident: Incident, *, reason: str) -> PublishedVersion:
    """Leave a tombstone: the code, what kind of record it was, and why it was withdrawn."""
    assert incident.code is not None  # noqa: S101  (a constraint of published records)
    return _project(_let_out(incident, VersionKind.RETRACTED, tombstone(incident), note=reason))


def tombstone(incident: Incident) -> dict[str, Any]:
    """What is left of a record that is withdrawn, beside the stamps and the public reason."""
    return {"shape": SHAPE, "record_type": incident.record_type, "retracted": True}


def merge(source: Incident, target: Incident) -> PublishedVersion:
    """Say for ever that a record is another one now: a version that holds that one's code.

    In the transaction in which the other's version that names it was published.
    """
    assert target.code is not None  # noqa: S101  (it was just published)
    content = {"shape": SHAPE, "record_type": source.record_type, "merged_into": target.code}
    note = f"Merged into {target.code}."
    return _project(_let_out(source, VersionKind.MERGED, content, note=note))


def _project(version: PublishedVersion) -> PublishedVersion:
    projection.project_all([version])
    return version


def redact(
    head: LedgerHead, version: PublishedVersion, paths: Sequence[Path], *, reason: str
) -> LedgerEntry:
    """Take values out of a version, with its nonce; their digests stay, and so do all commitments.

    Under a locked head. The version's own entry is not touched: a new one says what was done.
    """
    former = json.loads(version.document)
    document, kept, taken = take_out(
        json.loads(version.document), json.loads(version.disclosures), paths, reason
    )
    entry = ledger.append(
        head,
        at=ledger.now(),
        kind=VersionKind.REDACTED,
        code=version.code,
        version=version.number,
        committed_sha256=version.entry.committed_sha256,
    )
    redaction = Redaction.objects.using("default").create(
        entry=entry,
        code=version.code,
        number=version.number,
        taken=canonical(taken),
        public_reason=reason,
    )
    version.document = canonical(document)
    version.sha256 = sha256(version.document)
    version.disclosures = canonical(kept)
    version.note = document["note"] or ""
    version.save(using="default", update_fields=["document", "sha256", "disclosures", "note"])
    projection.renew(version, former)
    changes.record_redactions([redaction])
    return entry


def redacted_texts(incident_id: int) -> list[str]:
    """The texts that were taken out and may not leave in this record again."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT incidents_redacted_texts(%s)", [incident_id])
        return [row[0] for row in cursor.fetchall()]


def refuse_redacted(incident_id: int, disclosures: Sequence[Disclosure]) -> None:
    """Raise :class:`Conflict` where a value holds a text that was taken out, naming the paths."""
    # What a citation says beside the title is the same for every record.
    values = [disclosure for disclosure in disclosures if disclosure[1] != ["cite"]]
    found = {dotted(path) for text in redacted_texts(incident_id) for path in holding(values, text)}
    if found:
        raise Conflict(
            "A text that was taken out of what was published stands in the record again: "
            + ", ".join(sorted(found)[:10])
            + ". Change it there.",
            differences=sorted(found),
        )


def _let_out(
    incident: Incident, kind: VersionKind, content: dict[str, Any], *, note: str
) -> PublishedVersion:
    """The document and its ledger entry; the caller writes the index rows."""
    code = incident.code
    assert code is not None  # noqa: S101  (given before anything leaves)
    last = latest_version(code)
    number = 1 if last is None else last.number + 1
    head = ledger.lock_head()
    at = ledger.now()
    document = {
        **content,
        "code": code,
        "version": number,
        "published_at": ledger.timestamp(at),
        "previous_version": None if last is None else last.number,
        "note": note,
        "cite": _citation(code, number, content.get("title"), at.date().isoformat()),
        "nonce": new_nonce(),
    }
    committed, disclosures = commit(document)
    if kind != VersionKind.MERGED:  # which holds nobody's words
        refuse_redacted(incident.pk, disclosures)
    entry = ledger.append(
        head,
        at=at,
        kind=kind,
        code=code,
        version=number,
        committed_sha256=sha256(canonical(committed)),
    )
    text = canonical(document)
    return PublishedVersion.objects.using("default").create(
        entry=entry,
        code=code,
        number=number,
        kind=kind,
        document=text,
        sha256=sha256(text),
        disclosures=canonical(disclosures),
        note=note,
        published_at=at,
    )


def _citation(code: str, number: int, title: str | None, day: str) -> str:
    what = f"{title}. " if title else ""
    return f"harmtracker, {code}, version {number}: {what}Published {day}."

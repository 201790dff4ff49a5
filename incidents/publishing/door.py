"""The only functions that write on the published side.

Called by the workflow alone, inside its transaction, with the incident's row locked and the
person set as acting. The database holds the same rules once more (``incidents_publish_guard``).
"""

from __future__ import annotations

import json
from typing import Any

from harmtracker.errors import Conflict
from incidents.choices import VersionKind
from incidents.models import Incident, PublishedVersion, Review

from . import ledger, projection
from .canonical import canonical, sha256
from .codes import next_code
from .commitments import commit
from .document import SHAPE, build_content, differences


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
    assert verification.content is not None  # noqa: S101  (a constraint of verifications)
    content = json.loads(verification.content)
    now_content = build_content(incident.pk)
    if canonical(now_content) != verification.content:
        changed = differences(content, now_content)
        raise Conflict(
            "The record is not what was verified any more: " + ", ".join(changed[:10]) + ".",
            differences=changed,
        )
    if incident.code is None:
        incident.code = next_code(incident)
        incident.save(update_fields=["code"])
    return _let_out(incident.code, VersionKind.PUBLISHED, content, note=note)


def retract(incident: Incident, *, reason: str) -> PublishedVersion:
    """Leave a tombstone: the code, what kind of record it was, and why it was withdrawn."""
    assert incident.code is not None  # noqa: S101  (a constraint of published records)
    content = {"shape": SHAPE, "record_type": incident.record_type, "retracted": True}
    return _let_out(incident.code, VersionKind.RETRACTED, content, note=reason)


def _let_out(
    code: str, kind: VersionKind, content: dict[str, Any], *, note: str
) -> PublishedVersion:
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
    }
    committed, disclosures = commit(document)
    entry = ledger.append(
        head,
        at=at,
        kind=kind,
        code=code,
        version=number,
        committed_sha256=sha256(canonical(committed)),
    )
    text = canonical(document)
    version = PublishedVersion.objects.using("default").create(
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
    projection.project(version)
    return version


def _citation(code: str, number: int, title: str | None, day: str) -> str:
    what = f"{title}. " if title else ""
    return f"harmtracker, {code}, version {number}: {what}Published {day}."

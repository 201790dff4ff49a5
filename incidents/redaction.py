"""Taking a name or a text out of everything that was published, at once.

The values go, their digests stay, and the ledger still checks. The team's records and their history
keep the text; it may not leave in a later version.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound
from harmtracker.history.acting import acting

from .models import Incident, LedgerHead, PublishedVersion, RedactedText
from .publishing import door, ledger
from .publishing.commitments import Path, dotted, holding
from .releases import storage
from .search import fold

PERMISSION = "incidents.redact_incident"
# A shorter text stands in nearly every value.
LEAST_CHARACTERS = 2


class Value(NamedTuple):
    """A value of a published version, by its path such as ``claims[2].paraphrase``."""

    code: str
    version: int
    path: str


@dataclass(frozen=True)
class Redacted:
    """What was taken out, or would be.

    ``elsewhere`` counts, by code, the values of other records that hold the text and stay; it is
    counted in a dry run alone. ``remains`` is what holds it and cannot be taken out: a code, an id,
    a date, the public reason of an earlier redaction. ``entries`` are the ledger positions of what
    was done: none in a dry run.
    """

    values: list[Value]
    elsewhere: dict[str, int] = field(default_factory=dict)
    remains: list[Value] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)


def redact(
    incident_id: int,
    text: str,
    actor: User,
    public_reason: str,
    expected: int | None,
    everywhere: bool = False,
    dry_run: bool = False,
    *,
    request_id: uuid.UUID | None = None,
) -> Redacted:
    """Take every value that holds ``text`` out of all versions of a record, or of every record.

    Case and accents do not matter. ``expected`` is how many values a dry run has shown; where there
    are others by now nothing is done. One person does it alone, at once. Raises :class:`NotFound`,
    :class:`NotAllowed`, :class:`Invalid` (no text, no reason, a reason that holds the text) or
    :class:`Conflict` (nothing holds it, or not so many values as were shown).
    """
    said = public_reason if _is_storable(public_reason) else ""
    with acting(actor, said, request_id=request_id):
        incident = Incident.objects.visible_to(actor).filter(pk=incident_id).first()
        if incident is None:
            raise NotFound("There is no such incident.")
        if not actor.has_perm(PERMISSION):
            raise NotAllowed("You may not take texts out of what was published.")
        _check_text(text)
        if dry_run:
            return _look(incident, text, everywhere=everywhere)
        _check_reason(public_reason, text)
        if expected is None:
            message = "Say how many values you were shown: ask with a dry run first."
            raise Invalid(message, fields={"expected": [message]})
        return _take(incident, text, actor, public_reason, expected, everywhere=everywhere)


def _check_text(text: str) -> None:
    message = ""
    if not _is_storable(text):
        message = "The text holds a character that no record can hold."
    elif len("".join(fold(text).split())) < LEAST_CHARACTERS:
        message = "Name a text of two characters or more."
    if message:
        raise Invalid(message, fields={"text": [message]})


def _check_reason(reason: str, text: str) -> None:
    message = ""
    if not reason.strip():
        message = "Say in public why it is taken out."
    elif not _is_storable(reason):
        message = "The reason holds a character that no record can hold."
    elif fold(text) in fold(reason):
        message = "The reason is public: it cannot hold what is taken out."
    if message:
        raise Invalid(message, fields={"public_reason": [message]})


def _is_storable(text: str) -> bool:
    """Without NUL and lone surrogates, which PostgreSQL does not store."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _versions(code: str | None, *, everywhere: bool) -> QuerySet[PublishedVersion]:
    """In the ledger's order."""
    versions = PublishedVersion.objects.using("default").order_by("entry_id")
    return versions if everywhere else versions.filter(code=code)


def _found(
    versions: Iterable[PublishedVersion], text: str
) -> Iterator[tuple[PublishedVersion, list[Path]]]:
    for version in versions:
        paths = holding(json.loads(version.disclosures), text)
        if paths:
            yield version, paths


def _values(version: PublishedVersion, paths: Iterable[Path]) -> list[Value]:
    return [Value(version.code, version.number, dotted(path)) for path in paths]


def _look(incident: Incident, text: str, *, everywhere: bool) -> Redacted:
    values: list[Value] = []
    remains: list[Value] = []
    elsewhere: Counter[str] = Counter()
    every = _versions(None, everywhere=True).iterator(chunk_size=200)
    for version in every:
        paths = holding(json.loads(version.disclosures), text)
        if everywhere or version.code == incident.code:
            values += _values(version, paths)
            remains += _remaining(version, text, paths)
        elif paths:
            elsewhere[version.code] += len(paths)
    return Redacted(values, elsewhere=dict(elsewhere), remains=remains)


def _take(
    incident: Incident,
    text: str,
    actor: User,
    reason: str,
    expected: int,
    *,
    everywhere: bool,
) -> Redacted:
    # Reading every record takes long: it is done before the head is locked, and after that for
    # what was published or redacted meanwhile.
    seen = LedgerHead.objects.using("default").get().size
    versions = _versions(incident.code, everywhere=everywhere)
    first = [v.pk for v, _paths in _found(versions.iterator(chunk_size=200), text)]
    head = ledger.lock_head()
    again = versions.filter(Q(pk__in=first) | Q(pk__gt=seen)).select_related("entry")
    found = list(_found(again, text))
    values = [value for version, paths in found for value in _values(version, paths)]
    if not values:
        raise Conflict("The text stands in nothing that could be taken out.")
    if len(values) != expected:
        raise Conflict(
            f"{len(values)} values hold the text, and you were shown {expected}: look again.",
            differences=[f"{v.code} version {v.version}: {v.path}" for v in values],
        )
    entries = [door.redact(head, v, paths, reason=reason).seq for v, paths in found]
    # The database has withdrawn the releases that hold it; their files go as soon as that is so.
    transaction.on_commit(storage.remove_withdrawn, using="default")
    RedactedText.objects.create(
        incident=None if everywhere else incident, text=text, reason=reason, actor=actor
    )
    remains = [value for version, _paths in found for value in _remaining(version, text, [])]
    return Redacted(values, remains=remains, entries=entries)


def _remaining(version: PublishedVersion, text: str, gone: list[Path]) -> list[Value]:
    """What else of a version holds the text: no redaction takes it out."""
    document = json.loads(version.document)
    document.pop("nonce", None)
    return _values(version, [p for p in _paths_of(document, fold(text), []) if p not in gone])


def _paths_of(value: Any, words: str, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths_of(inner, words, [*path, key])
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _paths_of(inner, words, [*path, i])
    elif isinstance(value, str) and words in fold(value):
        yield path

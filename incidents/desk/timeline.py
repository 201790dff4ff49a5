"""The whole history of a record as a list of events, the latest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import Change
from incidents.models import Incident, PublishedVersion, Review

from .revisions import MOVED_BY_STEPS

# Entries of the history on a page. A transaction is never cut in two.
AT_ONCE = 200

InWords = Callable[[Sequence[HistoryEntry]], list[Change]]


@dataclass
class Event:
    """What one person did at one moment: a step, a publication, or changes of rows.

    ``entry`` is the last that it left in the history.
    """

    at: datetime
    who: str
    what: str
    why: str = ""
    changes: list[Change] = field(default_factory=list)
    entry: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class Page:
    """Some events, and before which entry of the history the next page ends; None on the last."""

    events: list[Event]
    earlier: int | None


@dataclass(frozen=True)
class Row:
    """One row that hangs on a record, by its table and key."""

    table: str
    pk: int


def timeline(
    incident: Incident,
    in_words: InWords,
    *,
    before: int | None = None,
    since: int = 0,
    row: Row | None = None,
) -> Page:
    """Events before one entry of the history, and after another, in a fixed number of queries.

    Of one row alone no step is told.
    """
    found = HistoryEntry.objects.filter(incident_id=incident.pk, id__gt=since)
    if row is not None:
        found = found.filter(table_name=row.table, row_id=row.pk)
    if before is not None:
        found = found.filter(id__lt=before)
    entries = list(found.select_related("actor").order_by("-id")[: AT_ONCE + 1])
    begin, earlier = _seen_until(since), None
    if len(entries) > AT_ONCE:
        entries, rest = _whole_transactions(entries)
        # The next page begins there, with the steps up to that moment.
        begin, earlier = rest.at, entries[-1].id
    end = entries[0].at if entries and before is not None else None
    events = _changes(entries, in_words)
    if row is None:
        events += _steps(incident, begin, end)
    return Page(sorted(events, key=lambda event: event.at, reverse=True), earlier)


def _seen_until(entry: int) -> datetime | None:
    moments = HistoryEntry.objects.filter(pk=entry).values_list("at", flat=True)
    return moments.first() if entry else None


def _whole_transactions(entries: list[HistoryEntry]) -> tuple[list[HistoryEntry], HistoryEntry]:
    """The entries without those of the last transaction, unless it fills the page by itself; and
    the first one that is left for the next page."""
    last = entries[-1].transaction_id
    whole = [entry for entry in entries if entry.transaction_id != last] or entries[:-1]
    return whole, entries[len(whole)]


def _changes(entries: list[HistoryEntry], in_words: InWords) -> list[Event]:
    events: list[Event] = []
    last: int | None = None
    for entry, change in zip(entries, in_words(entries), strict=True):
        if entry.transaction_id != last:
            last = entry.transaction_id
            events.append(Event(entry.at, change.who, "edited", change.why, entry=entry.id))
        # A step says by itself what it moves.
        if any(field.column not in MOVED_BY_STEPS for field in change.fields):
            events[-1].changes.append(change)
    return [event for event in events if event.changes]


def _steps(incident: Incident, begin: datetime | None, end: datetime | None) -> list[Event]:
    reviews = Review.objects.filter(incident=incident).select_related("actor").defer("content")
    versions = PublishedVersion.objects.using("default").filter(code=incident.code)
    steps = [
        Event(review.at, str(review.actor), review.get_verb_display().lower(), review.reason)
        for review in reviews
    ]
    if incident.code is not None:
        steps += [
            Event(v.published_at, "", f"version {v.number} {v.kind}", v.note, version=v.pk)
            for v in versions.only("published_at", "number", "kind", "note")
        ]
    return [
        event
        for event in steps
        if (begin is None or event.at > begin) and (end is None or event.at <= end)
    ]

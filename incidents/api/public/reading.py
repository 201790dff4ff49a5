"""Reading what is published: over the connection ``published``, and over no other."""

from __future__ import annotations

import datetime
import re
import select
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Q, QuerySet

from harmtracker.api import stored_texts
from harmtracker.api.paging import MAX_NUMBER, Order, Page, Segment, day, no_day, number, text
from incidents.models import PublishedIncident, PublishedReference, PublishedTally, PublishedVersion

_CODE = re.compile(r"[A-Z]{2,3}-[0-9]{4}-[0-9]{4,9}")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


# Rows that come together where they are read as they come.
_AT_ONCE = 250
_HEAD = 'SELECT size FROM "incidents_ledgerhead" WHERE id = 1'
# UTC+14, by which dates of incidents are checked when they are saved.
_LAST_DAY = (
    "SELECT (at AT TIME ZONE 'UTC' + interval '14 hours')::date "
    "FROM incidents_ledgerentry WHERE seq = %s"
)
_MOMENT = "SELECT at FROM incidents_ledgerentry WHERE seq = %s"
_LAST_REDACTION = "SELECT max(seq) FROM incidents_redaction"
_TEXTS = {
    "summary": "SELECT seq, summary FROM incidents_publishedincident WHERE seq = ANY(%s)",
    "version__document": "SELECT seq, document FROM incidents_publishedversion WHERE seq = ANY(%s)",
    "document": "SELECT id, document FROM incidents_publishedreference WHERE id = ANY(%s)",
}
# Those that stand in the table that is searched, and are read with the keys.
BESIDE_THE_KEYS = ("summary", "document")
_LAST = "FROM incidents_publishedversion WHERE code = %s ORDER BY number DESC LIMIT 1"
_LAST_THEN = (
    "FROM incidents_publishedversion WHERE code = %s AND seq <= %s ORDER BY number DESC LIMIT 1"
)
_ONE = "FROM incidents_publishedversion WHERE code = %s AND number = %s AND seq <= %s"


def renew_connection() -> None:
    """Drop the connection that was kept from earlier requests, if the server has hung up.

    That shows at its socket: a question that has no answer but yes would double what a document
    by its code costs.
    """
    published = connections["published"]
    if published.connection is None or published.in_atomic_block:
        return
    waiting = select.poll()
    waiting.register(published.connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        published.close()


def rows(statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Rows of a prepared statement, texts as bytes: planning would be the better part of a look-up.

    Not for filters, whose plans differ with their values.
    """
    published = connections["published"]
    with stored_texts.cursor("published") as cursor:
        published.connection.prepare_threshold = 0
        try:
            cursor.execute(statement, values)
        finally:
            published.connection.prepare_threshold = None
        return cursor.fetchall()


def texts_up_to(most_bytes: int, statement: str, values: Sequence[Any]) -> list[bytes]:
    """Texts of one column, to the one with which they come to so many bytes, or to the last.

    Their lengths are added up as they come, and the statement ended where they are enough: adding
    up in the database takes a quarter as long as reading. Not in a transaction, which would end
    with the statement.
    """
    published = connections["published"]
    found: list[bytes] = []
    total = 0
    with stored_texts.cursor("published") as cursor, published.wrap_database_errors:
        coming = cursor.cursor.stream(statement, values, binary=True, size=_AT_ONCE)
        with closing(coming):
            for (text,) in coming:
                found.append(text)
                total += len(text)
                if total >= most_bytes:
                    break
    return found


def position() -> int:
    """How many entries the ledger has: whoever read later may see more, never less."""
    found = rows(_HEAD)
    return found[0][0] if found else 0


def moment(position: int) -> str | None:
    """When the ledger's entry at a position was made, as documents write it; UTC."""
    found = rows(_MOMENT, [position])
    return found[0][0].astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if found else None


def last_day(at: int) -> datetime.date | None:
    """The day that it was furthest east at a ledger position; None at none.

    No incident that was published by then can have begun later: it would not have been saved.
    """
    found = rows(_LAST_DAY, [at])
    return found[0][0] if found else None


def last_redaction() -> int:
    """The position at which values were last taken out of a version; 0 for never."""
    position: int | None = rows(_LAST_REDACTION)[0][0]
    return position or 0


def incidents(at: int) -> QuerySet[PublishedIncident]:
    """The versions that were the current ones at a ledger position."""
    return of_every_version().filter(held(at))


def of_every_version() -> QuerySet[PublishedIncident]:
    """Every version of an incident that was ever published."""
    return PublishedIncident.objects.using("published")


def held(at: int) -> Q:
    """That a version was the current one at a ledger position."""
    return Q(Q(valid_until__isnull=True) | Q(valid_until__gt=at), valid_from__lte=at)


def withdrawn(at: int) -> Q:
    """That a version was the last one when its record was withdrawn, by a ledger position: the
    record may have come back since."""
    ended = PublishedTally.objects.filter(ended_by__isnull=False, first=True, valid_until__lte=at)
    return Q(pk__in=ended.values("incident"))


def incident_orders(dated: Q) -> dict[str, Order]:
    """The orders of a list of incidents; ``dated`` is what its filters say of the first day."""

    def by_date(*, descending: bool) -> Order:
        code = text("code", descending=not descending)
        return (
            Segment((day("date_earliest", descending=descending), code), dated),
            Segment(
                (no_day("date_earliest", descending=descending), code),
                Q(date_earliest__isnull=True),
            ),
        )

    return {
        "-date": by_date(descending=True),
        "date": by_date(descending=False),
        "code": (Segment((text("code"),)),),
        "-code": (Segment((text("code", descending=True),)),),
        "published": (Segment((number("valid_from"),)),),
        "-published": (Segment((number("valid_from", descending=True),)),),
    }


INCIDENT_ORDERINGS = tuple(incident_orders(Q()))


def references(at: int, *kinds: str) -> QuerySet[PublishedReference]:
    """Things of some kinds as documents named them that were current at a ledger position."""
    return PublishedReference.objects.using("published").filter(held(at), kind__in=kinds)


REFERENCE_ORDERS: dict[str, Order] = {
    "name": (Segment((text("name"), text("key"))),),
    "-name": (Segment((text("name", descending=True), text("key", descending=True))),),
}


def stored(content: str, keys: Iterable[Any]) -> list[bytes]:
    """A stored text of each of the rows, in the order of the keys. ``content`` says which text."""
    keys = list(keys)
    texts = dict(rows(_TEXTS[content], [keys]))
    return [texts[key] for key in keys if key in texts]


def texts_of(content: str, page: Page) -> list[bytes]:
    """The stored texts of a page, in order: those that were not read with its keys are now."""
    if not page.contents:
        return stored(content, page.keys)
    long = [key for key, text in zip(page.keys, page.contents, strict=True) if text is None]
    texts = dict(zip(long, stored(content, long), strict=True)) if long else {}
    return [
        texts[key] if text is None else text
        for key, text in zip(page.keys, page.contents, strict=True)
    ]


def reference(kind: str, key: str, at: int) -> str | None:
    """The document of one thing that published documents referred to at a position, by its id."""
    if not _ID.fullmatch(key):
        return None
    return references(at, kind).filter(key=key).values_list("document", flat=True).first()


class Found(NamedTuple):
    """A version. Its document may be long, and is None unless it was asked for."""

    number: int
    kind: str
    note: str
    sha256: str
    document: bytes | None = None


def _found(which: str, values: Sequence[Any], *, with_document: bool) -> Found | None:
    columns = "number, kind, note::varchar, sha256" + (", document" if with_document else "")
    found = rows(f"SELECT {columns} {which}", values)
    return Found(*found[0]) if found else None


def last_version(code: str, at: int | None, *, with_document: bool) -> Found | None:
    """The version that was the last one at a ledger position; None for the position now."""
    if not _CODE.fullmatch(code):
        return None
    if at is None:
        return _found(_LAST, [code], with_document=with_document)
    return _found(_LAST_THEN, [code, at], with_document=with_document)


def one_version(code: str, number: str, at: int | None, *, with_document: bool) -> Found | None:
    """A version by its number, if it was there at a ledger position."""
    if not _CODE.fullmatch(code) or not _NUMBER.fullmatch(number):
        return None
    values = [code, int(number), MAX_NUMBER if at is None else at]
    return _found(_ONE, values, with_document=with_document)


def versions(code: str, at: int) -> list[PublishedVersion]:
    """All versions until a ledger position without their documents, the first one first."""
    if not _CODE.fullmatch(code):
        return []
    found = PublishedVersion.objects.using("published").filter(code=code, entry_id__lte=at)
    return list(found.order_by("number").only("number", "kind", "published_at", "note", "sha256"))

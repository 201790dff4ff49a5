"""Reading what is published: over the connection ``published``, and over no other."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Model, Q, QuerySet

from harmtracker.api.paging import Order, Segment, day, no_day, number, text
from incidents.models import (
    LedgerEntry,
    LedgerHead,
    PublishedIncident,
    PublishedReference,
    PublishedVersion,
)

_CODE = re.compile(r"[A-Z]{2,3}-[0-9]{4}-[0-9]{4,9}")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def position() -> int:
    """How many entries the ledger has: whoever read later may see more, never less."""
    sizes = LedgerHead.objects.using("published").values_list("size", flat=True)
    return sizes.first() or 0


def moment(position: int) -> str | None:
    """When the ledger's entry at a position was made, as documents write it; UTC."""
    moments = LedgerEntry.objects.using("published").filter(seq=position)
    at = moments.values_list("at", flat=True).first()
    return None if at is None else at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def let_go() -> None:
    """Give the connection back before an answer is streamed, which may take as long as it takes."""
    connections["published"].close()


def incidents(at: int) -> QuerySet[PublishedIncident]:
    """The versions that were the current ones at a ledger position."""
    return PublishedIncident.objects.using("published").filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=at), valid_from__lte=at
    )


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


def references(kind: str) -> QuerySet[PublishedReference]:
    return PublishedReference.objects.using("published").filter(kind=kind)


REFERENCE_ORDERS: dict[str, Order] = {
    "name": (Segment((text("name"), text("key"))),),
    "-name": (Segment((text("name", descending=True), text("key", descending=True))),),
}


def stored(model: type[Model], column: str, keys: Iterable[Any]) -> list[str]:
    """A stored text of each of the rows, in the order of the keys."""
    rows = model._default_manager.using("published").filter(pk__in=list(keys))
    texts = dict(rows.values_list("pk", column))
    return [texts[key] for key in keys if key in texts]


def reference(kind: str, key: str) -> str | None:
    """The document of one thing that published documents refer to, by its id."""
    if not _ID.fullmatch(key):
        return None
    return references(kind).filter(key=key).values_list("document", flat=True).first()


class Found(NamedTuple):
    """A version. Its document may be long, and is None unless it was asked for."""

    number: int
    kind: str
    note: str
    sha256: str
    document: str | None = None


def _versions(code: str) -> QuerySet[PublishedVersion]:
    found = PublishedVersion.objects.using("published").order_by("number")
    return found.filter(code=code) if _CODE.fullmatch(code) else found.none()


def _found(rows: QuerySet[PublishedVersion], *, with_document: bool) -> Found | None:
    columns = Found._fields if with_document else Found._fields[:-1]
    row = rows.values_list(*columns).last()
    return None if row is None else Found(*row)


def last_version(code: str, *, with_document: bool) -> Found | None:
    return _found(_versions(code), with_document=with_document)


def one_version(code: str, number: str, *, with_document: bool) -> Found | None:
    if not _NUMBER.fullmatch(number):
        return None
    return _found(_versions(code).filter(number=int(number)), with_document=with_document)


def versions(code: str) -> list[PublishedVersion]:
    """All versions without their documents, the first one first."""
    return list(_versions(code).only("number", "kind", "published_at", "note", "sha256"))

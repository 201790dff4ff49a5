"""Rows of incidents as lists of their own: count rows, claims and persons harmed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

import harmtracker
from harmtracker.api import conditional, paging
from harmtracker.api.paging import Cursor, Segment, number
from harmtracker.api.parameters import Parameter
from incidents.exports import batches, selecting
from incidents.exports.columns import CODE, DAY, FLAG, LISTS, MOMENT, NUMBER, TEXT, WHOLE, Column
from incidents.exports.selecting import Asked, Key

from . import as_of, filters, reading
from .exporting import BOM, FORMAT, MEDIA_TYPES, ExportedView, columns_or_keys
from .lists import describe_page, joined, link_header
from .serializers import PageSerializer

# Rows in the order of publication, the only one: by ledger position, then by row.
_ORDER = (Segment((number("position"), number("row"))),)
_FIELDS: dict[str, type[serializers.Field]] = {
    TEXT: serializers.CharField,
    CODE: serializers.CharField,
    WHOLE: serializers.IntegerField,
    NUMBER: serializers.FloatField,
    FLAG: serializers.BooleanField,
    DAY: serializers.DateField,
    MOMENT: serializers.DateTimeField,
}
_ALWAYS = {"code", "version", "link", "position", "row"}


def _field(column: Column) -> serializers.Field:
    return _FIELDS[column.kind](
        help_text=column.meaning, required=False, allow_null=column.name not in _ALWAYS
    )


def page_of(list_name: str, name: str) -> Any:
    """The shape of a page of rows, from the table of columns."""
    row = inline_serializer(
        f"{name}Row",
        {column.name: _field(column) for column in LISTS[list_name]},
        many=True,
        help_text="The rows.",
    )
    return inline_serializer(f"{name}Page", {**PageSerializer().get_fields(), "results": row})


class LongListView(ExportedView):
    """A page of rows, in the order of publication."""

    filterset = filters.IncidentFilters
    limit = paging.limit_up_to(1000)

    @classmethod
    def others(cls) -> list[Parameter]:
        return [cls.limit, paging.CURSOR, paging.COUNT, cls.fields, FORMAT, BOM, as_of.AS_OF]

    def rows(self, at: int) -> QuerySet[Any]:
        return reading.incidents(at)

    def order(self, name: str, filterset: Any = None, at: int = 0) -> paging.Order:
        return _ORDER

    def page(self, request: Request) -> Any:
        limit, wants_count = self.query.read(self.limit), self.query.read(paging.COUNT)
        head = reading.position()
        start = self._start("", head)
        at = start.position if start else as_of.position(self.query, head)
        asked = self.asked(request, at)
        address = request.build_absolute_uri(request.path)
        etag = conditional.etag_of(
            harmtracker.__version__, as_of.state(at, head), address, self.query.normal()
        )
        if conditional.is_current(request, etag):
            return conditional.not_modified(etag)
        back = start is not None and start.back
        found, has_more = _read(asked, start, limit, back=back)
        keys = [key for _text, key in found]
        first, last = (keys[0], keys[-1]) if keys else (None, None)
        links = {
            "next": self._url(_cursor(at, last, is_there=has_more or back)),
            "previous": self._url(
                _cursor(at, first, is_there=has_more if back else start is not None, back=True)
            ),
        }
        envelope: dict[str, Any] = {"position": at, **links}
        if wants_count:
            envelope["count"] = selecting.count(asked)
        body = joined(envelope, [text for text, _key in found])
        return self.answer(body, etag, **link_header(links))


def _cursor(at: int, key: Key | None, *, is_there: bool, back: bool = False) -> Cursor | None:
    return Cursor(at, 0, key, back) if key is not None and is_there else None


def _read(
    asked: Asked, start: Cursor | None, limit: int, *, back: bool
) -> tuple[list[tuple[bytes, Key]], bool]:
    """Rows of a page in order, and whether there are more on that side."""
    after = None if start is None else start.values
    statement = selecting.objects(asked, after, limit + 1, back=back)
    found, _size, was_ended = batches.read_texts(
        statement, len(asked.keys), paging.MAX_PAGE_BYTES, is_export=False
    )
    has_more = was_ended or len(found) > limit
    # The one that showed that there are more, or that was too much.
    kept = found[:-1] if has_more and len(found) > 1 else found
    if back:
        kept.reverse()
    return kept, has_more


@describe_page(
    "listPublishedCasualties",
    summary="Count rows",
    tag="Incidents",
    ok=page_of("casualties", "Casualty"),
    also=MEDIA_TYPES,
)
class CasualtyListView(LongListView):
    """Assessed count rows of the incidents that the filters find, a row each.

    A row is a whole or a part of one. Only rows with is_whole of one outcome and one bucket may be
    added. Totals of an incident are in incidents/.
    """

    list_name = "casualties"
    fields = columns_or_keys("casualties", ())


@describe_page(
    "listPublishedClaims",
    summary="Claims",
    tag="Incidents",
    ok=page_of("claims", "Claim"),
    also=MEDIA_TYPES,
)
class ClaimListView(LongListView):
    """What each source says of the incidents that the filters find, a claim a row."""

    list_name = "claims"
    fields = columns_or_keys("claims", ())


@describe_page(
    "listPublishedVictims",
    summary="Persons harmed",
    tag="Incidents",
    ok=page_of("victims", "Victim"),
    also=MEDIA_TYPES,
)
class VictimListView(LongListView):
    """Persons harmed in the incidents that the filters find, a row each.

    A name and an age in years are there where they may be said, with the basis of consent.
    """

    list_name = "victims"
    fields = columns_or_keys("victims", ())

"""The parts of a record, each at an address of its own."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.serializers import ReasonSerializer
from harmtracker.errors import NotFound
from incidents import services
from incidents.models import Incident

from . import answers, reading
from .one_record import RECORD, ROW, TAG, CaseworkView
from .parts import PARTS, Part
from .writing import edit, etag, take_reason


class PartListView(CaseworkView):
    """GET: those of the record, in the order of entry. POST: one more."""

    part: ClassVar[Part]

    def get(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        rows = self.part.rows(self.person).filter(incident=found)
        context = {"request": request, "incident": found}
        shown = self.part.serializer(list(rows), many=True, context=context).data
        return self.ok({"results": list(shown)}, etag(found))

    def post(self, request: Request, incident: uuid.UUID) -> HttpResponse:
        return self.once(lambda: self._add(request, incident))

    def _add(self, request: Request, incident: uuid.UUID) -> Response:
        body, reason = take_reason(request)
        with edit(request, incident, reason, self.request_id) as locked:
            context = {"request": request, "incident": locked}
            serializer = self.part.serializer(data=body, context=context)
            row = self.part.add(locked, self.validated(serializer))
        return self.created(
            self.part.serializer(row, context=context).data,
            reverse(f"casework-{self.part.name}-one", args=[incident, row.uuid]),
            etag(locked),
        )


class PartView(CaseworkView):
    """GET: it. PUT and PATCH: other values. DELETE: taken out of the draft; the history keeps it.

    The ETag is the record's: it moves with an edit of the record or of any part.
    """

    part: ClassVar[Part]

    def _row(self, request: Request, incident: Incident, row: uuid.UUID) -> Any:
        found = self.part.rows(self.person).filter(incident=incident, uuid=row).first()
        if found is None:
            raise NotFound("There is no such part.")
        return found

    def get(self, request: Request, incident: uuid.UUID, row: uuid.UUID) -> Response:
        record = reading.find(self.person, incident)
        context = {"request": request, "incident": record}
        found = self._row(request, record, row)
        return self.ok(self.part.serializer(found, context=context).data, etag(record))

    def put(self, request: Request, incident: uuid.UUID, row: uuid.UUID) -> Response:
        return self._change(request, incident, row, partial=False)

    def patch(self, request: Request, incident: uuid.UUID, row: uuid.UUID) -> Response:
        return self._change(request, incident, row, partial=True)

    def _change(
        self, request: Request, incident: uuid.UUID, row: uuid.UUID, *, partial: bool
    ) -> Response:
        body, reason = take_reason(request)
        with edit(request, incident, reason, self.request_id) as locked:
            found = self._row(request, locked, row)
            context = {"request": request, "incident": locked}
            serializer = self.part.serializer(found, data=body, partial=partial, context=context)
            self.part.change(found, self.validated(serializer))
            shown = self.part.serializer(self._row(request, locked, row), context=context).data
        return self.ok(shown, etag(locked))

    def delete(self, request: Request, incident: uuid.UUID, row: uuid.UUID) -> Response:
        body, reason = take_reason(request)
        self.validated(ReasonSerializer(data=body))
        with edit(request, incident, reason, self.request_id) as locked:
            services.remove(self._row(request, locked, row))
        return self.no_content(etag(locked))


def part_views(part: Part) -> tuple[type[PartListView], type[PartView]]:
    """The list and the single view of one kind of part, described."""
    words = part.name.replace("-", " ")
    name = words.title().replace(" ", "")
    shape = part.serializer
    changed: dict[str, Any] = {
        "tag": TAG,
        "request": shape,
        "ok": shape,
        "is_changed": True,
        "may_be": [409],
        "parameters": [RECORD, ROW],
    }
    many = type(f"{name}ListView", (PartListView,), {"part": part, "__doc__": PartListView.__doc__})
    one = type(f"{name}View", (PartView,), {"part": part, "__doc__": PartView.__doc__})
    extend_schema_view(
        get=describe_team(
            f"list{name}",
            summary=f"The {words} of a record",
            tag=TAG,
            ok=answers.rows_of(shape, name),
            parameters=[RECORD],
        ),
        post=describe_team(
            f"add{name}",
            summary=f"Add to the {words} of a record",
            **changed
            | {
                "status": 201,
                "may_be": [409, 422],
                "parameters": [RECORD, IDEMPOTENCY_KEY],
            },
        ),
    )(many)
    extend_schema_view(
        get=describe_team(
            f"get{name}", summary=f"One of the {words}", tag=TAG, ok=shape, parameters=[RECORD, ROW]
        ),
        put=describe_team(f"replace{name}", summary=f"Change one of the {words}, whole", **changed),
        patch=describe_team(f"change{name}", summary=f"Change one of the {words}", **changed),
        delete=describe_team(
            f"remove{name}",
            summary=f"Remove one of the {words} from a draft",
            **changed | {"ok": None, "status": 204, "request": ReasonSerializer},
        ),
    )(one)
    return many, one


PART_VIEWS = {part.name: part_views(part) for part in PARTS.values()}

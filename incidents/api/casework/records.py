"""Records as the team enters, reads and moves them on. The docstrings are the API's description.

Who may see a record is said by ``visible_to``, who may change it by :mod:`incidents.editing`, who
may take a step by :mod:`incidents.workflow`: nothing of that is decided here.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, ClassVar

from django.db.models import F
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.problems import Problem, field_error
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.shared import SharedListView, describe_list
from harmtracker.history.acting import acting
from incidents import entering, services, warnings
from incidents.models import Incident

from . import answers, filters, reading, whole
from . import serializers as shapes
from .one_record import RECORD, TAG, CaseworkView
from .ordering import ORDERINGS
from .writing import edit, etag, take_reason


@describe_list("listRecords", summary="Records", tag=TAG, name="RecordPage")
@extend_schema_view(
    post=describe_team(
        "enterRecord",
        summary="Enter a record",
        tag=TAG,
        request=whole.WholeIncidentSerializer,
        ok=answers.RecordSerializer,
        status=201,
        parameters=[IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class IncidentListView(SharedListView):
    """Records, and entering one.

    GET: the records that you may see, in pages. POST: a new draft with all that hangs on it, or
    with its own fields alone; stored whole or not at all. The answer says in `warnings` what it
    lacks; what has `blocks` is due before it can be submitted.
    """

    rights: ClassVar[dict[str, tuple[str, str]]] = {
        "POST": ("incidents.add_incident", "enter records"),
    }
    filterset = filters.CaseworkFilters
    orders = ORDERINGS
    weight = F("title")
    shape = answers.RecordInListSerializer
    ordering_help = (
        "changed is the last edit, entered the first one; date is the first day it can have been; "
        "waiting goes by the day since when it waits for a verifier, those that do not come last."
    )

    def get(self, request: Request) -> Response:
        return self.page(reading.with_standing(Incident.objects.visible_to(self.person)))

    def rows_shown(self, rows: list[Any]) -> list[Any]:
        warned = warnings.of_records([row.pk for row in rows], self.person)
        return [reading.in_list(row, warned[row.pk]) for row in rows]

    def post(self, request: Request) -> HttpResponse:
        return self.once(lambda: self._enter(request))

    def _enter(self, request: Request) -> Response:
        user = self.person
        body, reason = self.read_body()
        serializer = whole.WholeIncidentSerializer(data=body, context={"request": request})
        with acting(user, reason, request_id=self.request_id):
            entered = entering.enter(user, self.validated(serializer))
        found = reading.find(user, entered.uuid)
        return self.created(
            reading.whole(found, request),
            reverse("casework-incident", args=[entered.uuid]),
            etag(found),
        )


@extend_schema_view(
    get=describe_team(
        "getRecord",
        summary="One record",
        tag=TAG,
        ok=answers.RecordSerializer,
        parameters=[RECORD],
    ),
    put=describe_team(
        "replaceRecord",
        summary="Change a record, all its own fields",
        tag=TAG,
        request=shapes.IncidentSerializer,
        ok=answers.RecordSerializer,
        parameters=[RECORD],
        is_changed=True,
        may_be=[409],
    ),
    patch=describe_team(
        "changeRecord",
        summary="Change fields of a record",
        tag=TAG,
        request=shapes.IncidentSerializer,
        ok=answers.RecordSerializer,
        parameters=[RECORD],
        is_changed=True,
        may_be=[409],
    ),
)
class IncidentView(CaseworkView):
    """One record.

    GET: all of it, what it lacks, and which steps you may take. PUT and PATCH: its own fields; its
    parts have addresses of their own. A draft is edited; a published record is reopened first.
    """

    def get(self, request: Request, incident: uuid.UUID) -> Response:
        return self.answer_whole(request, incident)

    def put(self, request: Request, incident: uuid.UUID) -> Response:
        return self._change(request, incident, partial=False)

    def patch(self, request: Request, incident: uuid.UUID) -> Response:
        return self._change(request, incident, partial=True)

    def _change(self, request: Request, incident: uuid.UUID, *, partial: bool) -> Response:
        body, reason = take_reason(request)
        with edit(request, incident, reason, self.request_id) as locked:
            body = self._without_parts(request, locked, body)
            serializer = shapes.IncidentSerializer(
                locked, data=body, partial=partial, context={"request": request}
            )
            services.change(locked, **self.validated(serializer))
        return self.answer_whole(request, incident)

    def _without_parts(
        self, request: Request, incident: Incident, body: dict[str, Any]
    ) -> dict[str, Any]:
        """The record's own fields of a body that was read whole and is sent back whole."""
        own = set(shapes.IncidentSerializer().fields)
        others = body.keys() - own
        if not others:
            return body
        shown = json.loads(StoredJSONRenderer().render(reading.whole(incident, request)))
        known = others & shown.keys()
        given = json.loads(StoredJSONRenderer().render({name: body[name] for name in known}))
        if moved := sorted(name for name in known if given[name] != shown[name]):
            raise Problem(
                "invalid",
                errors=[field_error(name, "It is changed at its own address.") for name in moved],
            )
        return {name: value for name, value in body.items() if name not in known}

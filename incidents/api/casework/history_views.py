"""The history of a record, and earlier values brought back."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.parameters import UUID, Parameter, whole
from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from incidents import restoring

from . import answers, bodies, history, reading
from .one_record import RECORD, TAG, CaseworkView, in_path
from .writing import edit, etag

HISTORY_LIMIT = Parameter("limit", whole(1, 200), "Entries in a page, at most 200.", 50)
HISTORY_BEFORE = Parameter("before", UUID, "Id of an entry: those before it.")


@extend_schema_view(
    get=describe_team(
        "getHistory",
        summary="History of a record",
        tag=TAG,
        ok=answers.HistorySerializer,
        parameters=[RECORD, HISTORY_LIMIT.documented(), HISTORY_BEFORE.documented()],
    ),
)
class HistoryView(CaseworkView):
    """Who changed what, when and why, the newest first: each value before and after."""

    parameters = {HISTORY_LIMIT.name, HISTORY_BEFORE.name}

    def get(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        entries = history.entries_of(found, self.person)
        before, limit = self.query.read(HISTORY_BEFORE), self.query.read(HISTORY_LIMIT)
        if before is not None:
            entries = entries.filter(pk__lt=history.entry_of(found, self.person, before).pk)
        page = list(entries[: limit + 1])
        more = history.shown(page[:limit])
        return self.ok(
            {"results": more, "next_before": more[-1]["id"] if len(page) > limit else None},
            etag(found),
        )


@extend_schema_view(
    post=describe_team(
        "restore",
        summary="Restore earlier values",
        tag=TAG,
        request=bodies.RestoreSerializer,
        ok=answers.RecordSerializer,
        parameters=[RECORD, in_path("entry", "Id of the entry."), IDEMPOTENCY_KEY],
        is_changed=True,
        may_be=[409, 422],
    ),
)
class RestoreView(CaseworkView):
    """Values brought back as they were before one change: a new edit, with its own entry."""

    body_is_optional = True

    def post(self, request: Request, incident: uuid.UUID, entry: uuid.UUID) -> HttpResponse:
        return self.once(lambda: self._restore(request, incident, entry))

    def _restore(self, request: Request, incident: uuid.UUID, entry: uuid.UUID) -> Response:
        said = self.validated(bodies.RestoreSerializer(data=request.data))
        with edit(request, incident, said.get("change_reason", ""), self.request_id) as locked:
            found = history.entry_of(locked, self.person, entry)
            restoring.restore(locked, found, said.get("only"))
        return self.answer_whole(request, incident)

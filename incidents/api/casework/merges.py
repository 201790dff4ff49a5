"""Duplicates merged into a record, and merges undone."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from incidents import merging
from incidents.models import Incident

from . import answers, bodies, reading
from .one_record import RECORD, TAG, CaseworkView, in_path
from .writing import etag, revision_in, revision_read


@extend_schema_view(
    get=describe_team(
        "listMerges",
        summary="Merges of a record",
        tag=TAG,
        ok=answers.rows_of(answers.MergeSerializer, "Merges"),
        parameters=[RECORD],
    ),
    post=describe_team(
        "merge",
        summary="Merge a duplicate into a record",
        tag=TAG,
        request=bodies.MergeIntoSerializer,
        ok=answers.RecordSerializer,
        parameters=[RECORD, IDEMPOTENCY_KEY],
        is_changed=True,
        may_be=[409, 422],
    ),
)
class MergeListView(CaseworkView):
    """GET: merges of the record with others. POST: another record's parts moved into this one.

    Its claims, victims, ids and links move at once; it stays served as it is until the version of
    this record that holds them is published, and from then on its address leads here.
    """

    rights: ClassVar[dict[str, tuple[str, str]]] = {
        "POST": (merging.PERMISSION, "merge records"),
    }

    def get(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        return self.ok({"results": reading.merges_of(found, self.person)}, etag(found))

    def post(self, request: Request, incident: uuid.UUID) -> HttpResponse:
        return self.once(lambda: self._merge(request, incident))

    def _merge(self, request: Request, incident: uuid.UUID) -> Response:
        user = self.person
        revision = revision_read(request, incident)
        found = reading.find(user, incident)
        context = {"request": request}
        said = self.validated(bodies.MergeIntoSerializer(data=request.data, context=context))
        source: Incident = said["source"]
        merging.merge(
            source.pk,
            found.pk,
            user,
            said["reason"],
            (revision_in(said["source_etag"], source.uuid), revision),
            request_id=self.request_id,
        )
        return self.answer_whole(request, incident)


@extend_schema_view(
    post=describe_team(
        "undoMerge",
        summary="Undo a merge",
        tag=TAG,
        request=bodies.UndoSerializer,
        ok=answers.RecordSerializer,
        parameters=[RECORD, in_path("merge", "Id of the merge."), IDEMPOTENCY_KEY],
        is_changed=True,
        may_be=[409, 422],
    ),
)
class UndoView(CaseworkView):
    """A merge undone before it was published: everything goes back as it was."""

    rights: ClassVar[dict[str, tuple[str, str]]] = {
        "POST": (merging.PERMISSION, "merge records"),
    }

    def post(self, request: Request, incident: uuid.UUID, merge: uuid.UUID) -> HttpResponse:
        return self.once(lambda: self._undo(request, incident, merge))

    def _undo(self, request: Request, incident: uuid.UUID, merge: uuid.UUID) -> Response:
        user = self.person
        revision = revision_read(request, incident)
        said = self.validated(bodies.UndoSerializer(data=request.data))
        merging.undo(
            merge,
            user,
            said["reason"],
            of=incident,
            revision=revision,
            request_id=self.request_id,
        )
        return self.answer_whole(request, incident)

"""Remarks on a record."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.errors import NotAllowed, NotFound
from harmtracker.history.acting import acting
from incidents import services
from incidents.models import ReviewComment

from . import answers, bodies, reading
from . import serializers as shapes
from .one_record import RECORD, TAG, CaseworkView, in_path


@extend_schema_view(
    get=describe_team(
        "listComments",
        summary="Remarks on a record",
        tag=TAG,
        ok=answers.rows_of(shapes.CommentSerializer, "Comments"),
        parameters=[RECORD],
    ),
    post=describe_team(
        "addComment",
        summary="Remark on a field",
        tag=TAG,
        request=shapes.CommentSerializer,
        ok=shapes.CommentSerializer,
        status=201,
        parameters=[RECORD, IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class CommentListView(CaseworkView):
    """GET: the remarks on the record. POST: one more, which is no edit and needs no If-Match."""

    def get(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        rows = found.comments.select_related("author", "resolved_by")
        return self.ok({"results": list(shapes.CommentSerializer(rows, many=True).data)})

    def post(self, request: Request, incident: uuid.UUID) -> HttpResponse:
        return self.once(lambda: self._remark(request, incident))

    def _remark(self, request: Request, incident: uuid.UUID) -> Response:
        user = self.person
        found = reading.find(user, incident)
        if not user.has_perm("incidents.add_reviewcomment"):
            raise NotAllowed("You may not remark on records.")
        fields = self.validated(shapes.CommentSerializer(data=request.data))
        with acting(user, "Remarked on the record", request_id=self.request_id):
            comment = services.save(ReviewComment(incident=found, author=user, **fields))
        return self.created(
            shapes.CommentSerializer(comment).data,
            reverse("casework-comment", args=[incident, comment.uuid]),
        )


@extend_schema_view(
    get=describe_team(
        "getComment",
        summary="One remark",
        tag=TAG,
        ok=shapes.CommentSerializer,
        parameters=[RECORD, in_path("comment", "Id of the remark.")],
    ),
    patch=describe_team(
        "settleComment",
        summary="Settle a remark, or open it again",
        tag=TAG,
        request=bodies.ResolveSerializer,
        ok=shapes.CommentSerializer,
        parameters=[RECORD, in_path("comment", "Id of the remark.")],
    ),
)
class CommentView(CaseworkView):
    """GET: one remark. PATCH: settled, or opened again. Its words stay as they were said."""

    def _comment(self, request: Request, incident: uuid.UUID, comment: uuid.UUID) -> Any:
        rows = reading.find(self.person, incident).comments
        found = rows.select_related("author", "resolved_by").filter(uuid=comment).first()
        if found is None:
            raise NotFound("There is no such remark.")
        return found

    def get(self, request: Request, incident: uuid.UUID, comment: uuid.UUID) -> Response:
        found = self._comment(request, incident, comment)
        return self.ok(shapes.CommentSerializer(found).data)

    def patch(self, request: Request, incident: uuid.UUID, comment: uuid.UUID) -> Response:
        user = self.person
        found = self._comment(request, incident, comment)
        if not user.has_perm("incidents.change_reviewcomment"):
            raise NotAllowed("You may not settle remarks.")
        said = self.validated(bodies.ResolveSerializer(data=request.data))
        with acting(user, "Settled a remark", request_id=self.request_id):
            services.settle(found, user, resolved=said["resolved"])
        return self.ok(shapes.CommentSerializer(self._comment(request, incident, comment)).data)

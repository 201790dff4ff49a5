"""Who is at work on a record."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.schema import describe_team
from incidents import assignments

from . import answers, bodies
from .one_record import RECORD, TAG, CaseworkView


@extend_schema_view(
    post=describe_team(
        "take",
        summary="Take a record",
        tag=TAG,
        request=bodies.TakeSerializer,
        ok=answers.TakenSerializer,
        parameters=[RECORD],
        may_be=[409],
    ),
)
class TakeView(CaseworkView):
    """Say that you are at work on the record: others see it. 409 names who is at work on it."""

    body_is_optional = True

    def post(self, request: Request, incident: uuid.UUID) -> Response:
        user = self.person
        said = self.validated(bodies.TakeSerializer(data=request.data))
        taken = assignments.take(user, incident, over=said.get("over", False))
        return self.ok({"person": taken.person.username, "since": taken.since})


@extend_schema_view(
    post=describe_team(
        "release",
        summary="Release a record",
        tag=TAG,
        request=bodies.EmptySerializer,
        ok=None,
        status=204,
        parameters=[RECORD],
    ),
)
class ReleaseView(CaseworkView):
    """Say that you are done with the record for now."""

    body_is_optional = True

    def post(self, request: Request, incident: uuid.UUID) -> Response:
        user = self.person
        self.validated(bodies.EmptySerializer(data=request.data))
        assignments.release(user, incident)
        return self.no_content()

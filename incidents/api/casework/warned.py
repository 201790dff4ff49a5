"""Warnings on a record, answered with a reason. The docstrings are the API's description.

Who may answer, and what an answer holds for, is said by :mod:`incidents.answering`.
"""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from incidents import answering, warnings

from . import answers, bodies, reading
from .one_record import RECORD, TAG, CaseworkView

WARNING = OpenApiParameter(
    "warning",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="Id of the warning, as the record's warnings have it.",
)


@extend_schema_view(
    get=describe_team(
        "listWarnings",
        summary="Warnings on a record",
        tag=TAG,
        ok=answers.WarningsSerializer,
        parameters=[RECORD],
    ),
)
class WarningListView(CaseworkView):
    """What stands on the record, what of it is open, and what was answered so far.

    A warning that tells of a record that you may not see is not there.
    """

    def get(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        return self.ok(
            {
                "results": [
                    reading.shown_warning(warned) for warned in warnings.of(found, self.person)
                ],
                "said": [
                    {
                        "id": row.uuid,
                        "warning": row.fingerprint,
                        "rule": row.rule,
                        "message": row.message,
                        "did": "answered" if row.withdraws_id is None else "withdrew",
                        "reason": row.reason,
                        "who": row.actor.username,
                        "at": row.at,
                        "revision": row.revision,
                    }
                    for row in answering.said_of(found, self.person)
                ],
            }
        )


@extend_schema_view(
    post=describe_team(
        "answerWarning",
        summary="Answer a warning",
        tag=TAG,
        request=bodies.AnswerSerializer,
        ok=answers.WarnedSerializer,
        parameters=[RECORD, WARNING, IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
    delete=describe_team(
        "withdrawAnswer",
        summary="Withdraw the answer to a warning",
        tag=TAG,
        request=bodies.AnswerSerializer,
        ok=None,
        status=204,
        parameters=[RECORD, WARNING],
        may_be=[409],
    ),
)
class AnswerView(CaseworkView):
    """POST: why the warning may stand. DELETE: that answer withdrawn, with the reason.

    Neither is an edit of the record, and neither needs If-Match: the id of the warning says which
    rows and figures were looked at, and of others there is no such warning. On a draft they are
    for who edits it, of a submitted record for its verifiers.
    """

    def post(self, request: Request, incident: uuid.UUID, warning: str) -> HttpResponse:
        return self.once(lambda: self._answer(request, incident, warning))

    def _answer(self, request: Request, incident: uuid.UUID, warning: str) -> Response:
        user = self.person
        found = reading.find(user, incident)
        said = self.validated(bodies.AnswerSerializer(data=request.data))
        answering.answer(user, incident, warning, said["reason"], request_id=self.request_id)
        (warned,) = (
            w for w in warnings.of_records([found.pk], user)[found.pk] if w.fingerprint == warning
        )
        return self.ok(reading.shown_warning(warned))

    def delete(self, request: Request, incident: uuid.UUID, warning: str) -> Response:
        said = self.validated(bodies.AnswerSerializer(data=request.data))
        answering.withdraw(
            self.person, incident, warning, said["reason"], request_id=self.request_id
        )
        return self.no_content()

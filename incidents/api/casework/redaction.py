"""A name or a text taken out of everything that was published."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from incidents.redaction import PERMISSION as REDACT
from incidents.redaction import redact

from . import answers, bodies, reading
from .one_record import RECORD, TAG, CaseworkView


@extend_schema_view(
    post=describe_team(
        "redact",
        summary="Take a text out of what was published",
        tag=TAG,
        request=bodies.RedactSerializer,
        ok=answers.RedactedSerializer,
        parameters=[RECORD, IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class RedactView(CaseworkView):
    """A name or a text taken out of everything that was published, at once and by one person.

    First with `dry_run`: the values that would go, by code, version and path. Then with `expected`,
    their number. What goes leaves its digest, so that the ledger still checks; the team's records
    and their history keep it, and it cannot be published again.
    """

    scopes = {"POST": "verify"}
    rights: ClassVar[dict[str, tuple[str, str]]] = {
        "POST": (REDACT, "take texts out of what was published"),
    }

    def post(self, request: Request, incident: uuid.UUID) -> HttpResponse:
        return self.once(lambda: self._redact(request, incident))

    def _redact(self, request: Request, incident: uuid.UUID) -> Response:
        user = self.person
        said = self.validated(bodies.RedactSerializer(data=request.data))
        found = reading.find(user, incident)
        done = redact(
            found.pk,
            said["text"],
            user,
            said["public_reason"],
            said.get("expected"),
            said.get("everywhere", False),
            said.get("dry_run", False),
            request_id=self.request_id,
        )
        return self.ok(
            {
                "values": [value._asdict() for value in done.values],
                "elsewhere": done.elsewhere,
                "remains": [value._asdict() for value in done.remains],
                "entries": done.entries,
            }
        )

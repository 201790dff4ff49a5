"""Steps of the workflow, those that were taken, and what leaves with the next version."""

from __future__ import annotations

import json
import uuid
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.serializers import StrictSerializer
from incidents import workflow
from incidents.choices import Verb
from incidents.comparing import changes
from incidents.models import Review
from incidents.publishing import door
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.document import build_content
from incidents.workflow import Remark

from . import answers, bodies, reading
from .one_record import RECORD, TAG, CaseworkView
from .writing import etag, revision_read


class StepView(CaseworkView):
    """A step of the workflow. Only what was read is moved on: If-Match names its revision."""

    body_is_optional = True

    verb: ClassVar[Verb]
    said: ClassVar[type[StrictSerializer]] = bodies.StepSerializer

    def post(self, request: Request, incident: uuid.UUID) -> HttpResponse:
        return self.once(lambda: self._take(request, incident))

    def _take(self, request: Request, incident: uuid.UUID) -> Response:
        user = self.person
        revision = revision_read(request, incident)
        said = self.validated(self.said(data=request.data))
        remarks = [Remark(**comment) for comment in said.pop("comments", [])]
        found = reading.find(user, incident)
        workflow.take_step(
            self.verb,
            incident_id=found.pk,
            actor=user,
            revision=revision,
            remarks=remarks,
            request_id=self.request_id,
            **said,
        )
        return self.answer_whole(request, incident)


def step_view(step: Verb) -> type[StepView]:
    """The view of one step. What a second person decides needs the scope for it."""
    needs_verify = step not in (Verb.SUBMIT, Verb.REOPEN)
    scopes = {"POST": "verify" if needs_verify else "casework:write"}
    words = step.value.replace("_", " ")
    name = words.title().replace(" ", "")
    said = bodies.ReturnRecordSerializer if step == Verb.RETURN else bodies.StepSerializer
    view = type(
        f"{name}View",
        (StepView,),
        {"verb": step, "said": said, "scopes": scopes, "__doc__": StepView.__doc__},
    )
    extend_schema_view(
        post=describe_team(
            f"{name[0].lower()}{name[1:]}Record",
            summary=f"{words.capitalize()} a record",
            tag=TAG,
            request=said,
            ok=answers.RecordSerializer,
            is_changed=True,
            may_be=[409, 422],
            parameters=[RECORD, IDEMPOTENCY_KEY],
        )
    )(view)
    return view


@extend_schema_view(
    get=describe_team(
        "listSteps",
        summary="Steps taken with a record",
        tag=TAG,
        ok=answers.TakenStepsSerializer,
        parameters=[RECORD],
    ),
)
class StepListView(CaseworkView):
    """The steps that were taken with the record, the first one first."""

    def get(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        taken = Review.objects.filter(incident=found).select_related("actor").order_by("pk")
        return self.ok(
            {
                "results": [
                    {
                        "step": step.verb,
                        "who": step.actor.username,
                        "at": step.at,
                        "revision": step.revision,
                        "reason": step.reason,
                        "content_sha256": step.content_sha256,
                    }
                    for step in taken
                ]
            },
            etag(found),
        )


@extend_schema_view(
    get=describe_team(
        "getContent",
        summary="What leaves",
        tag=TAG,
        ok=answers.ContentSerializer,
        parameters=[RECORD],
    ),
)
class ContentView(CaseworkView):
    """What leaves if the record is published as it stands, its SHA-256, and what that changes.

    A verifier reads this, and verifies with `seen_sha256`. `changes` lists each value that differs
    from the last version: the path, before and after.
    """

    def get(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        content = build_content(found.pk)
        last = door.latest_version(found.code)
        before = json.loads(last.document) if last is not None else {}
        stamps = ("code", "version", "published_at", "previous_version", "note", "cite", "nonce")
        before = {name: value for name, value in before.items() if name not in stamps}
        return self.ok(
            {
                "content": content,
                "sha256": sha256(canonical(content)),
                "version": 1 if last is None else last.number + 1,
                "changes": [
                    {"path": change.path, "before": change.before, "after": change.after}
                    for change in (changes(before, content) if last is not None else [])
                ],
            },
            etag(found),
        )


STEP_VIEWS = {step: step_view(step) for step in workflow.TRANSITIONS}

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
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.parameters import UUID, Parameter, whole
from harmtracker.api.problems import Problem, field_error
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.serializers import ReasonSerializer, StrictSerializer
from harmtracker.api.shared import RightsView, SharedListView, describe_list
from harmtracker.errors import NotAllowed, NotFound
from harmtracker.history.acting import acting
from incidents import assignments, entering, merging, restoring, services, warnings, workflow
from incidents.choices import Verb
from incidents.comparing import changes
from incidents.models import Incident, Review, ReviewComment
from incidents.publishing import door
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.document import build_content
from incidents.redaction import PERMISSION as REDACT
from incidents.redaction import redact
from incidents.workflow import Remark

from . import answers, filters, history, reading
from . import serializers as shapes
from .ordering import ORDERINGS
from .parts import PARTS, Part
from .writing import edit, etag, revision_in, revision_read, take_reason

TAG = "Casework: records"


def in_path(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.UUID, OpenApiParameter.PATH, description=description)


RECORD = in_path("incident", "Id of the record.")
ROW = in_path("row", "Id of the part.")


HISTORY_LIMIT = Parameter("limit", whole(1, 200), "Entries in a page, at most 200.", 50)
HISTORY_BEFORE = Parameter("before", UUID, "Id of an entry: those before it.")


class CaseworkView(RightsView):
    rights: ClassVar[dict[str, tuple[str, str]]] = {}

    def answer_whole(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        return self.ok(reading.whole(found, request), etag(found))


@describe_list("listRecords", summary="Records", tag=TAG, name="RecordPage")
@extend_schema_view(
    post=describe_team(
        "enterRecord",
        summary="Enter a record",
        tag=TAG,
        request=shapes.WholeIncidentSerializer,
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
        serializer = shapes.WholeIncidentSerializer(data=body, context={"request": request})
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


class StepView(CaseworkView):
    """A step of the workflow. Only what was read is moved on: If-Match names its revision."""

    body_is_optional = True

    verb: ClassVar[Verb]
    said: ClassVar[type[StrictSerializer]] = shapes.StepSerializer

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
    said = shapes.ReturnRecordSerializer if step == Verb.RETURN else shapes.StepSerializer
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
        request=shapes.RestoreSerializer,
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
        said = self.validated(shapes.RestoreSerializer(data=request.data))
        with edit(request, incident, said.get("change_reason", ""), self.request_id) as locked:
            found = history.entry_of(locked, self.person, entry)
            restoring.restore(locked, found, said.get("only"))
        return self.answer_whole(request, incident)


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
        request=shapes.ResolveSerializer,
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
        said = self.validated(shapes.ResolveSerializer(data=request.data))
        with acting(user, "Settled a remark", request_id=self.request_id):
            services.settle(found, user, resolved=said["resolved"])
        return self.ok(shapes.CommentSerializer(self._comment(request, incident, comment)).data)


@extend_schema_view(
    post=describe_team(
        "take",
        summary="Take a record",
        tag=TAG,
        request=shapes.TakeSerializer,
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
        said = self.validated(shapes.TakeSerializer(data=request.data))
        taken = assignments.take(user, incident, over=said.get("over", False))
        return self.ok({"person": taken.person.username, "since": taken.since})


@extend_schema_view(
    post=describe_team(
        "release",
        summary="Release a record",
        tag=TAG,
        request=shapes.EmptySerializer,
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
        self.validated(shapes.EmptySerializer(data=request.data))
        assignments.release(user, incident)
        return self.no_content()


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
        request=shapes.MergeIntoSerializer,
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
        said = self.validated(shapes.MergeIntoSerializer(data=request.data, context=context))
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
        request=shapes.UndoSerializer,
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
        said = self.validated(shapes.UndoSerializer(data=request.data))
        merging.undo(
            merge,
            user,
            said["reason"],
            of=incident,
            revision=revision,
            request_id=self.request_id,
        )
        return self.answer_whole(request, incident)


@extend_schema_view(
    post=describe_team(
        "redact",
        summary="Take a text out of what was published",
        tag=TAG,
        request=shapes.RedactSerializer,
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
        said = self.validated(shapes.RedactSerializer(data=request.data))
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


PART_VIEWS = {part.name: part_views(part) for part in PARTS.values()}
STEP_VIEWS = {step: step_view(step) for step in workflow.TRANSITIONS}

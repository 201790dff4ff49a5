"""Stored copies and their custody, for the team. The docstrings are the API's description."""

from __future__ import annotations

import uuid
from io import BufferedReader
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Concat
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api import bodies, conditional
from harmtracker.api.parameters import Kind, Parameter
from harmtracker.api.problems import Problem, field_error
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.shared import BY_ENTRY, ID, RightsView, SharedListView, describe_list
from sources import delivery, services, storage, uploads
from sources.models import Article, Capture, CustodyEntry

from . import filters
from . import serializers as shapes
from .permissions import Rights
from .tags import TAG

CAPTURES = Capture.objects.select_related("article", "captured_by")
CUSTODY = CustodyEntry.objects.select_related("by")


@describe_list(
    "listCaptures",
    tag=TAG,
    summary="Stored copies of an article",
    name="CapturePage",
    parameters=[ID],
)
@extend_schema_view(
    post=describe_team(
        "attachCapture",
        summary="Attach a copy",
        tag=TAG,
        request={
            "multipart/form-data": shapes.UploadSerializer,
            "application/json": shapes.PastedSerializer,
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        ok=shapes.CaptureSerializer,
        status=201,
        parameters=[ID, IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class CaptureListView(SharedListView):
    """Stored copies of an article.

    POST: one more, as the part `file` of `multipart/form-data`, as the body itself, or as JSON
    with a pasted `text`. What it is, its content says: PDF, PNG, JPEG, GIF, WebP, TIFF, HTML or
    plain text, at most 50 MiB; its name and media type are not looked at. 201 for a new copy; 200
    where the article has one of the same bytes already.
    """

    rights = Rights.CAPTURES
    filterset = filters.CaptureFilters
    shape = shapes.CaptureSerializer
    orders = BY_ENTRY

    def get(self, request: Request, id: uuid.UUID) -> Response:
        article = self.found(Article.objects.all(), id)
        return self.page(CAPTURES.filter(article=article))

    def post(self, request: Request, id: uuid.UUID) -> HttpResponse:
        article = self.found(Article.objects.all(), id)
        plain: HttpRequest = request._request
        kind = str(plain.content_type)
        try:
            if kind == "application/json":
                return self.once(lambda: self._paste(article))
            length = plain.META.get("CONTENT_LENGTH", "")
            most = storage.MAX_BYTES + uploads.FORM_BYTES
            if length.isdecimal() and int(length[:20]) > most:
                raise storage.TooLarge
            stream = bodies.stream_of(plain)
            if kind == "multipart/form-data":
                return self._upload(article, plain, stream)
            with storage.receive(stream) as incoming:
                return self._keep(article, incoming, {})
        except storage.TooLarge as refusal:
            raise Problem("too-large", refusal.message) from refusal

    def _paste(self, article: Article) -> Response:
        said = self.validated(shapes.PastedSerializer(data=self.request.data))
        kept = services.paste(
            article,
            said["text"],
            by=self.person,
            captured_at=said.get("captured_at"),
            request_id=self.request_id,
        )
        return self._answer(*kept)

    def _upload(
        self, article: Article, plain: HttpRequest, stream: storage.Readable
    ) -> HttpResponse:
        handler = uploads.IntoStorage()
        try:
            try:
                form = uploads.read_form(plain.META, stream, handler)
            except MultiPartParserError as error:
                raise Problem("malformed-request", "The form cannot be read.") from error
            incoming = handler.taken()
            if handler.part != "file":
                raise Problem(
                    "invalid",
                    errors=[field_error(handler.part, "No such field here.", "file")],
                )
            repeated = [name for name, values in form.lists() if len(values) > 1]
            if repeated:
                raise Problem(
                    "invalid", errors=[field_error(n, "Given more than once.") for n in repeated]
                )
            about = self.validated(shapes.AboutCopySerializer(data=form.dict()))
            return self._keep(article, incoming, about)
        finally:
            handler.discard()

    def _keep(
        self, article: Article, incoming: storage.Incoming, about: dict[str, Any]
    ) -> HttpResponse:
        said = StoredJSONRenderer().render([incoming.sha256, about])
        digest = conditional.etag_of(said)
        return self.once(
            lambda: self._answer(
                *services.keep(
                    article, incoming, by=self.person, request_id=self.request_id, **about
                )
            ),
            body_sha256=digest,
        )

    def _answer(self, capture: Capture, is_new: bool) -> Response:
        data = dict(shapes.CaptureSerializer(CAPTURES.get(pk=capture.pk)).data)
        if not is_new:
            return self.ok(data)
        location = reverse("casework-capture", args=[capture.uuid])
        return Response(data, status=201, headers={"Location": location})


@extend_schema_view(
    get=describe_team(
        "getCapture",
        summary="One stored copy",
        tag=TAG,
        ok=shapes.CaptureSerializer,
        parameters=[ID],
    ),
)
class CaptureView(RightsView):
    """What is known of a stored copy. To see this is no reading of it."""

    http_method_names = ["get", "head"]
    rights = Rights.CAPTURES

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self.ok(dict(shapes.CaptureSerializer(self.found(CAPTURES, id)).data))


PURPOSE = Parameter(
    "purpose",
    Kind(str, {"type": "string"}),
    "What the copy is read for. Kept in its record of custody.",
    "",
)


@extend_schema_view(
    get=describe_team(
        "readCapture",
        summary="The bytes of a stored copy",
        tag=TAG,
        ok=OpenApiTypes.BINARY,
        media_type="*/*",
        parameters=[ID, PURPOSE.documented()],
        may_be=[409],
    ),
)
class ContentView(RightsView):
    """The bytes of a stored copy, as they came in, to be saved and not to be shown.

    Each request, HEAD too, is a reading: it is written into the record of custody before the
    first byte leaves. `Repr-Digest` has their SHA-256.
    """

    http_method_names = ["get", "head"]
    rights = Rights.CAPTURES
    parameters = {PURPOSE.name}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The bytes are what they are, whatever the client would rather have."""
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request, id: uuid.UUID) -> FileResponse:
        capture = self.found(CAPTURES, id)
        file = self._read(capture)
        return delivery.response(capture, file)

    def head(self, request: Request, id: uuid.UUID) -> HttpResponse:
        capture = self.found(CAPTURES, id)
        self._read(capture).close()
        return HttpResponse(content_type=capture.media_type, headers=delivery.headers(capture))

    def _read(self, capture: Capture) -> BufferedReader:
        purpose = self.query.read(PURPOSE)
        return services.read(capture, by=self.person, purpose=purpose, request_id=self.request_id)


@describe_list(
    "listCustody", tag=TAG, summary="What was done with a copy", name="CustodyPage", parameters=[ID]
)
@extend_schema_view(
    post=describe_team(
        "handOverCapture",
        summary="Record that a copy was handed over",
        tag=TAG,
        request=shapes.HandedOverSerializer,
        ok=shapes.CustodySerializer,
        status=201,
        parameters=[ID, IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class CustodyView(SharedListView):
    """Who stored, read and handed over a copy, the first first. The list only grows.

    POST: that it was given to somebody outside the team.
    """

    scopes = {"GET": "casework:read", "POST": "verify"}
    rights = Rights.CUSTODY
    filterset = filters.CustodyFilters
    shape = shapes.CustodySerializer
    orders = BY_ENTRY
    weight = Concat("purpose", "to", output_field=TextField())

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self.page(CUSTODY.filter(capture=self.found(CAPTURES, id)))

    def post(self, request: Request, id: uuid.UUID) -> HttpResponse:
        capture = self.found(CAPTURES, id)
        return self.once(lambda: self._hand_over(capture))

    def _hand_over(self, capture: Capture) -> Response:
        said = self.validated(shapes.HandedOverSerializer(data=self.request.data))
        entry = services.hand_over(capture, by=self.person, request_id=self.request_id, **said)
        return Response(dict(shapes.CustodySerializer(entry).data), status=201)

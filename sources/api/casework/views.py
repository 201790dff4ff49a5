"""Outlets, articles, stored copies and confidential sources, for the team.

The docstrings are the API's description.
"""

from __future__ import annotations

import uuid
from functools import partial
from io import BufferedReader
from typing import Any, ClassVar, cast

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast, Concat
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.accounts import lockout, second_factor
from harmtracker.accounts.models import User
from harmtracker.api import bodies, conditional, paging, preconditions
from harmtracker.api.filters import StrictFilterSet
from harmtracker.api.idempotency import once
from harmtracker.api.parameters import Kind, Parameter, listed
from harmtracker.api.problems import Problem, field_error
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team, page_of
from harmtracker.api.team import TeamRequest, TeamView
from harmtracker.errors import NotFound
from sources import confidential, delivery, sealing, services, storage, uploads
from sources.models import Article, Capture, ConfidentialSource, CustodyEntry, Outlet

from . import filters
from . import serializers as shapes
from .permissions import HasRight, Rights

OUTLETS_TAG = "Casework: sources"
OUTLETS = Outlet.objects.annotate(
    is_confidential=Exists(ConfidentialSource.objects.filter(outlet=OuterRef("pk")))
)
ARTICLES = Article.objects.select_related("outlet").annotate(
    has_capture=Exists(Capture.objects.filter(article=OuterRef("pk"))),
    is_confidential=Exists(ConfidentialSource.objects.filter(outlet=OuterRef("outlet"))),
)
CAPTURES = Capture.objects.select_related("article", "captured_by")
CUSTODY = CustodyEntry.objects.select_related("by")
CONFIDENTIAL = ConfidentialSource.objects.select_related("outlet").defer("sealed")

ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Its id.")


class SourcesView(TeamView):
    """What the views of this app share."""

    permission_classes = [*TeamView.permission_classes, HasRight]
    rights: ClassVar[dict[str, tuple[str, str]]]

    @property
    def person(self) -> User:
        return cast(User, self.request.user)

    def validated(self, serializer: Any) -> dict[str, Any]:
        serializer.is_valid(raise_exception=True)
        fields: dict[str, Any] = serializer.validated_data
        return fields

    def found(self, rows: QuerySet[Any], id: uuid.UUID) -> Any:
        row = rows.filter(uuid=id).first()
        if row is None:
            raise NotFound("There is no such thing.")
        return row

    def once(self, produce: Any, *, body_sha256: str | None = None) -> HttpResponse:
        return once(cast(TeamRequest, self.request), produce, body_sha256=body_sha256)

    def read_body(self) -> tuple[dict[str, Any], str]:
        """The body without ``change_reason``, and that."""
        body = dict(self.request.data)
        given = {name: body.pop(name) for name in ("change_reason",) if name in body}
        reason = self.validated(shapes.ReasonSerializer(data=given))
        return body, reason.get("change_reason", "")


class SourcesListView(SourcesView):
    """A list in pages by keyset."""

    filterset: ClassVar[type[StrictFilterSet]]
    orders: ClassVar[dict[str, paging.Order]]
    shape: ClassVar[type[serializers.BaseSerializer]]
    # The text whose length a page is cut by.
    weight: ClassVar[Any] = "key"
    limit = paging.limit_up_to(100)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.ordering = Parameter(
            "ordering", listed(cls.orders), "By what the rows are sorted.", next(iter(cls.orders))
        )
        others = [cls.ordering, cls.limit, paging.CURSOR, paging.COUNT]
        cls.parameters = {p.name for p in others} | set(cls.filterset.base_filters)
        cls.several = cls.filterset.several()

    ordering: ClassVar[Parameter]

    @classmethod
    def documented(cls) -> list[OpenApiParameter]:
        others = [cls.ordering, cls.limit, paging.CURSOR, paging.COUNT]
        return [*(p.documented() for p in others), *cls.filterset.documented()]

    def page(self, rows: QuerySet[Any]) -> Response:
        limit, ordering = self.query.read(self.limit), self.query.read(self.ordering)
        wants_count, token = self.query.read(paging.COUNT), self.query.read(paging.CURSOR)
        order = self.orders[ordering]
        belongs_to = paging.fingerprint(self.request.path, self.query)
        start = None
        if token is not None:
            start = paging.decode(token, belongs_to, order=order, head=0)
        rows = rows.annotate(key=Cast("uuid", TextField())) if _has_uuid(rows) else rows
        weighed = rows.annotate(weight=self.weight) if self.weight != "key" else rows
        filterset = self.filterset.of(self.query, weighed)
        page = paging.read_page(
            filterset.qs,
            order,
            content="weight" if self.weight != "key" else "key",
            start=start,
            position=0,
            limit=limit,
        )
        found = {row.pk: row for row in rows.filter(pk__in=page.keys)}
        context = {"request": self.request}
        shown = self.shape([found[key] for key in page.keys], many=True, context=context).data
        answer: dict[str, Any] = {
            "next": self._address(page.next, belongs_to),
            "previous": self._address(page.previous, belongs_to),
            "results": list(shown),
        }
        if wants_count:
            answer["count"] = filterset.qs.count()
        return self.ok(answer)

    def _address(self, cursor: paging.Cursor | None, belongs_to: str) -> str | None:
        if cursor is None:
            return None
        asked = self.query.with_value(paging.CURSOR.name, paging.encode(cursor, belongs_to))
        return self.request.build_absolute_uri(f"{self.request.path}?{asked}")


def _has_uuid(rows: QuerySet[Any]) -> bool:
    return any(field.name == "uuid" for field in rows.model._meta.concrete_fields)


def _by_text(name: str) -> dict[str, paging.Order]:
    return {
        name: (paging.Segment((paging.text(name), paging.text("key"))),),
        f"-{name}": (
            paging.Segment(
                (paging.text(name, descending=True), paging.text("key", descending=True))
            ),
        ),
    }


def _by_day(name: str, shown_as: str) -> dict[str, paging.Order]:
    def order(*, descending: bool) -> paging.Order:
        key = paging.text("key")
        return (
            paging.Segment(
                (paging.day(name, descending=descending), key), Q((f"{name}__isnull", False))
            ),
            paging.Segment(
                (paging.no_day(name, descending=descending), key), Q((f"{name}__isnull", True))
            ),
        )

    return {f"-{shown_as}": order(descending=True), shown_as: order(descending=False)}


BY_ENTRY: dict[str, paging.Order] = {
    "entry": (paging.Segment((paging.number("pk"),)),),
    "-entry": (paging.Segment((paging.number("pk", descending=True),)),),
}


class SharedRecordView(SourcesView):
    """One outlet or article. Its ETag is the digest of what is shown of it."""

    shape: ClassVar[type[serializers.BaseSerializer]]
    rows: ClassVar[QuerySet[Any]]

    def shown(self, row: Any) -> tuple[dict[str, Any], str]:
        return _shown(self.shape, row, self.request)

    def read_one(self, id: uuid.UUID) -> Response:
        return self.ok(*self.shown(self.found(self.rows.all(), id)))

    def change(self, id: uuid.UUID, *, partial: bool) -> Response:
        body, reason = self.read_body()
        preconditions.if_match(self.request)
        with self.acting(reason):
            # As they are now, and until this edit is done.
            row = self.found(self.rows.select_for_update(of=("self",), no_key=True), id)
            preconditions.check(self.request, self.shown(row)[1])
            context = {"request": self.request}
            serializer = self.shape(row, data=body, partial=partial, context=context)
            services.update(row, **self.validated(serializer))
            return self.ok(*self.shown(self.found(self.rows.all(), id)))


def _shown(
    shape: type[serializers.BaseSerializer], row: Any, request: Request
) -> tuple[dict[str, Any], str]:
    """A record as it is shown, and its ETag."""
    data: dict[str, Any] = dict(shape(row, context={"request": request}).data)
    return data, conditional.etag_of(StoredJSONRenderer().render(data))


@extend_schema_view(
    get=describe_team(
        "listCaseworkOutlets",
        summary="Outlets",
        tag=OUTLETS_TAG,
        ok=page_of(shapes.OutletSerializer, "CaseworkOutletPage"),
    ),
    post=describe_team(
        "addOutlet",
        summary="Enter an outlet",
        tag=OUTLETS_TAG,
        request=shapes.OutletSerializer,
        ok=shapes.OutletSerializer,
        status=201,
        parameters=[IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class OutletListView(SourcesListView):
    """Outlets: whoever publishes or speaks. All of the team see all of them.

    POST: one more. Its short name and its group may be left out and then follow from its name.
    """

    rights = Rights.OUTLETS
    filterset = filters.OutletFilters
    shape = shapes.OutletSerializer
    orders = _by_text("name")
    weight = Concat("name", filters._list("other_names"), output_field=TextField())

    def get(self, request: Request) -> Response:
        return self.page(OUTLETS.all())

    def post(self, request: Request) -> HttpResponse:
        return self.once(self._enter)

    def _enter(self) -> Response:
        body, reason = self.read_body()
        context = {"request": self.request}
        fields = self.validated(shapes.OutletSerializer(data=body, context=context))
        with self.acting(reason):
            outlet = services.create_outlet(**fields)
        data, etag = _shown(
            shapes.OutletSerializer, self.found(OUTLETS.all(), outlet.uuid), self.request
        )
        return self.created(data, reverse("casework-outlet", args=[outlet.uuid]), etag)


@extend_schema_view(
    get=describe_team(
        "getCaseworkOutlet",
        summary="One outlet",
        tag=OUTLETS_TAG,
        ok=shapes.OutletSerializer,
        parameters=[ID],
    ),
    put=describe_team(
        "replaceOutlet",
        summary="Change an outlet, all fields",
        tag=OUTLETS_TAG,
        request=shapes.OutletSerializer,
        ok=shapes.OutletSerializer,
        parameters=[ID],
        is_changed=True,
    ),
    patch=describe_team(
        "changeOutlet",
        summary="Change fields of an outlet",
        tag=OUTLETS_TAG,
        request=shapes.OutletSerializer,
        ok=shapes.OutletSerializer,
        parameters=[ID],
        is_changed=True,
    ),
)
class OutletView(SharedRecordView):
    """One outlet. Whoever changes it has a hand in each draft that names it."""

    http_method_names = ["get", "head", "put", "patch"]
    rights = Rights.OUTLETS
    shape = shapes.OutletSerializer
    rows = OUTLETS

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self.read_one(id)

    def put(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=False)

    def patch(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=True)


@extend_schema_view(
    get=describe_team(
        "listCaseworkArticles",
        summary="Articles",
        tag=OUTLETS_TAG,
        ok=page_of(shapes.ArticleSerializer, "CaseworkArticlePage"),
    ),
    post=describe_team(
        "addArticle",
        summary="Enter an article",
        tag=OUTLETS_TAG,
        request=shapes.ArticleSerializer,
        ok=shapes.ArticleSerializer,
        status=201,
        parameters=[IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class ArticleListView(SourcesListView):
    """Articles: what outlets published or said. All of the team see all of them.

    POST: one more. Print, radio and witnesses have no address: then give the date, and attach a
    file or paste the text at `captures/`. No address is ever fetched by the server.
    """

    rights = Rights.ARTICLES
    filterset = filters.ArticleFilters
    shape = shapes.ArticleSerializer
    orders = {**_by_day("published_earliest", "published"), **_by_text("title")}
    weight = Concat("title", "summary", filters._list("authors"), output_field=TextField())

    def get(self, request: Request) -> Response:
        return self.page(ARTICLES.all())

    def post(self, request: Request) -> HttpResponse:
        return self.once(self._enter)

    def _enter(self) -> Response:
        body, reason = self.read_body()
        context = {"request": self.request}
        fields = self.validated(shapes.ArticleSerializer(data=body, context=context))
        with self.acting(reason):
            article = services.create_article(**fields)
        data, etag = _shown(
            shapes.ArticleSerializer, self.found(ARTICLES.all(), article.uuid), self.request
        )
        return self.created(data, reverse("casework-article", args=[article.uuid]), etag)


@extend_schema_view(
    get=describe_team(
        "getCaseworkArticle",
        summary="One article",
        tag=OUTLETS_TAG,
        ok=shapes.ArticleSerializer,
        parameters=[ID],
    ),
    put=describe_team(
        "replaceArticle",
        summary="Change an article, all fields",
        tag=OUTLETS_TAG,
        request=shapes.ArticleSerializer,
        ok=shapes.ArticleSerializer,
        parameters=[ID],
        is_changed=True,
    ),
    patch=describe_team(
        "changeArticle",
        summary="Change fields of an article",
        tag=OUTLETS_TAG,
        request=shapes.ArticleSerializer,
        ok=shapes.ArticleSerializer,
        parameters=[ID],
        is_changed=True,
    ),
)
class ArticleView(SharedRecordView):
    """One article. Its ETag moves with its fields, and when the first copy is attached."""

    http_method_names = ["get", "head", "put", "patch"]
    rights = Rights.ARTICLES
    shape = shapes.ArticleSerializer
    rows = ARTICLES

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self.read_one(id)

    def put(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=False)

    def patch(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=True)


@extend_schema_view(
    get=describe_team(
        "listCaptures",
        summary="Stored copies of an article",
        tag=OUTLETS_TAG,
        ok=page_of(shapes.CaptureSerializer, "CapturePage"),
        parameters=[ID],
    ),
    post=describe_team(
        "attachCapture",
        summary="Attach a copy",
        tag=OUTLETS_TAG,
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
class CaptureListView(SourcesListView):
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
        tag=OUTLETS_TAG,
        ok=shapes.CaptureSerializer,
        parameters=[ID],
    ),
)
class CaptureView(SourcesView):
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
        tag=OUTLETS_TAG,
        ok=OpenApiTypes.BINARY,
        media_type="*/*",
        parameters=[ID, PURPOSE.documented()],
        may_be=[409],
    ),
)
class ContentView(SourcesView):
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


@extend_schema_view(
    get=describe_team(
        "listCustody",
        summary="What was done with a copy",
        tag=OUTLETS_TAG,
        ok=page_of(shapes.CustodySerializer, "CustodyPage"),
        parameters=[ID],
    ),
    post=describe_team(
        "handOverCapture",
        summary="Record that a copy was handed over",
        tag=OUTLETS_TAG,
        request=shapes.HandedOverSerializer,
        ok=shapes.CustodySerializer,
        status=201,
        parameters=[ID, IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class CustodyView(SourcesListView):
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


@extend_schema_view(
    get=describe_team(
        "listConfidentialSources",
        summary="Confidential sources",
        tag=OUTLETS_TAG,
        ok=page_of(shapes.ConfidentialSourceSerializer, "ConfidentialSourcePage"),
    ),
    post=describe_team(
        "addConfidentialSource",
        summary="Enter who a confidential source is",
        tag=OUTLETS_TAG,
        request=shapes.NewConfidentialSourceSerializer,
        ok=shapes.ConfidentialSourceSerializer,
        status=201,
        parameters=[IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class ConfidentialSourceListView(SourcesListView):
    """Sources that must not be named, by what may be said of them.

    POST: who stands behind an outlet. It is encrypted before it is stored, and no answer but
    `reveal/` ever holds it.
    """

    rights = Rights.CONFIDENTIAL
    filterset = filters.ConfidentialSourceFilters
    shape = shapes.ConfidentialSourceSerializer
    orders = _by_text("outlet__name")

    def get(self, request: Request) -> Response:
        return self.page(CONFIDENTIAL)

    def post(self, request: Request) -> HttpResponse:
        return self.once(self._enter, body_sha256=_sealed_digest(request))

    def _enter(self) -> Response:
        context = {"request": self.request}
        said = self.validated(
            shapes.NewConfidentialSourceSerializer(data=self.request.data, context=context)
        )
        source = confidential.create(
            said["outlet"],
            sealing.Identity(**said["identity"]),
            by=self.person,
            request_id=self.request_id,
        )
        data = dict(shapes.ConfidentialSourceSerializer(source).data)
        location = reverse("casework-confidential-source", args=[source.uuid])
        return self.created(data, location, _sealed_etag(source))


@extend_schema_view(
    get=describe_team(
        "getConfidentialSource",
        summary="One confidential source",
        tag=OUTLETS_TAG,
        ok=shapes.ConfidentialSourceSerializer,
        parameters=[ID],
    ),
    put=describe_team(
        "replaceIdentity",
        summary="Replace who a confidential source is",
        tag=OUTLETS_TAG,
        request=shapes.ReplacedIdentitySerializer,
        ok=shapes.ConfidentialSourceSerializer,
        parameters=[ID],
        is_changed=True,
    ),
)
class ConfidentialSourceView(SourcesView):
    """What may be said of a confidential source. PUT: another identity, and why."""

    http_method_names = ["get", "head", "put"]
    rights = Rights.CONFIDENTIAL

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self._answer(self.found(CONFIDENTIAL, id))

    def put(self, request: Request, id: uuid.UUID) -> Response:
        said = self.validated(shapes.ReplacedIdentitySerializer(data=request.data))
        preconditions.if_match(request)
        source = self.found(CONFIDENTIAL, id)
        with self.acting(said["change_reason"]):
            locked = ConfidentialSource.objects.select_for_update().get(pk=source.pk)
            preconditions.check(request, _sealed_etag(locked))
            source = confidential.replace(
                locked,
                sealing.Identity(**said["identity"]),
                by=self.person,
                reason=said["change_reason"],
                request_id=self.request_id,
            )
        return self._answer(source)

    def _answer(self, source: ConfidentialSource) -> Response:
        data = dict(shapes.ConfidentialSourceSerializer(source).data)
        return self.ok(data, _sealed_etag(source))


def _sealed_etag(source: ConfidentialSource) -> str:
    """A validator that moves with the identity and tells nothing of it."""
    return conditional.etag_of(source.key_name, bytes(source.sealed), source.outlet.name)


def _sealed_digest(request: Request) -> str:
    """A digest of the body, by which no name in it can be guessed."""
    team_request = cast(TeamRequest, request)
    _parsed = team_request.data  # reads the body, or refuses it
    return sealing.keyed_digest(team_request.raw_body)


@extend_schema_view(
    post=describe_team(
        "revealConfidentialSource",
        summary="Who a confidential source is",
        tag=OUTLETS_TAG,
        request=shapes.RevealSerializer,
        ok=shapes.IdentitySerializer,
        parameters=[ID],
        may_be=[409, 429],
    ),
)
class RevealView(SourcesView):
    """Who a confidential source is: for a verifier, with a reason and a fresh second factor.

    Who asked, when and why is stored before anything is shown. At most 20 in 24 hours. It takes
    no Idempotency-Key: an answer that was kept would be a second way to the name.
    """

    http_method_names = ["post"]
    scopes = {"POST": "verify"}
    rights = Rights.REVEAL

    def post(self, request: Request, id: uuid.UUID) -> Response:
        if "HTTP_IDEMPOTENCY_KEY" in request.META:
            raise Problem("malformed-request", "This takes no Idempotency-Key: nothing is kept.")
        source = self.found(CONFIDENTIAL, id)
        said = self.validated(shapes.RevealSerializer(data=request.data))
        identity = confidential.reveal(
            source,
            by=self.person,
            check_code=partial(second_factor.check, network=lockout.network_of(request._request)),
            request_id=self.request_id,
            **said,
        )
        return self.ok({"name": identity.name, "contact": identity.contact, "note": identity.note})

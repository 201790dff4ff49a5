"""Outlets and articles, for the team. The docstrings are the API's description."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Exists, OuterRef, TextField
from django.db.models.functions import Concat
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.shared import (
    ID,
    SharedListView,
    SharedRecordView,
    by_day,
    by_text,
    describe_list,
    shown,
)
from sources import services
from sources.models import Article, Capture, ConfidentialSource, Outlet

from . import filters
from . import serializers as shapes
from .permissions import Rights
from .tags import TAG

OUTLETS = Outlet.objects.annotate(
    is_confidential=Exists(ConfidentialSource.objects.filter(outlet=OuterRef("pk")))
)
ARTICLES = Article.objects.select_related("outlet").annotate(
    has_capture=Exists(Capture.objects.filter(article=OuterRef("pk"))),
    is_confidential=Exists(ConfidentialSource.objects.filter(outlet=OuterRef("outlet"))),
)


@describe_list("listCaseworkOutlets", tag=TAG, summary="Outlets", name="CaseworkOutletPage")
@extend_schema_view(
    post=describe_team(
        "addOutlet",
        summary="Enter an outlet",
        tag=TAG,
        request=shapes.OutletSerializer,
        ok=shapes.OutletSerializer,
        status=201,
        parameters=[IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class OutletListView(SharedListView):
    """Outlets: whoever publishes or speaks. All of the team see all of them.

    POST: one more. Its short name and its group may be left out and then follow from its name.
    """

    rights = Rights.OUTLETS
    filterset = filters.OutletFilters
    shape = shapes.OutletSerializer
    orders = by_text("name")
    weight = Concat("name", filters.as_text("other_names"), output_field=TextField())

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
        data, etag = shown(
            shapes.OutletSerializer, self.found(OUTLETS.all(), outlet.uuid), self.request
        )
        return self.created(data, reverse("casework-outlet", args=[outlet.uuid]), etag)


@extend_schema_view(
    get=describe_team(
        "getCaseworkOutlet",
        summary="One outlet",
        tag=TAG,
        ok=shapes.OutletSerializer,
        parameters=[ID],
    ),
    put=describe_team(
        "replaceOutlet",
        summary="Change an outlet, all fields",
        tag=TAG,
        request=shapes.OutletSerializer,
        ok=shapes.OutletSerializer,
        parameters=[ID],
        is_changed=True,
    ),
    patch=describe_team(
        "changeOutlet",
        summary="Change fields of an outlet",
        tag=TAG,
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

    def store(self, row: Any, fields: dict[str, Any]) -> None:
        services.update(row, **fields)

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self.read_one(id)

    def put(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=False)

    def patch(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=True)


@describe_list("listCaseworkArticles", tag=TAG, summary="Articles", name="CaseworkArticlePage")
@extend_schema_view(
    post=describe_team(
        "addArticle",
        summary="Enter an article",
        tag=TAG,
        request=shapes.ArticleSerializer,
        ok=shapes.ArticleSerializer,
        status=201,
        parameters=[IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class ArticleListView(SharedListView):
    """Articles: what outlets published or said. All of the team see all of them.

    POST: one more. Print, radio and witnesses have no address: then give the date, and attach a
    file or paste the text at `captures/`. No address is ever fetched by the server.
    """

    rights = Rights.ARTICLES
    filterset = filters.ArticleFilters
    shape = shapes.ArticleSerializer
    orders = {**by_day("published_earliest", "published"), **by_text("title")}
    weight = Concat("title", "summary", filters.as_text("authors"), output_field=TextField())

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
        data, etag = shown(
            shapes.ArticleSerializer, self.found(ARTICLES.all(), article.uuid), self.request
        )
        return self.created(data, reverse("casework-article", args=[article.uuid]), etag)


@extend_schema_view(
    get=describe_team(
        "getCaseworkArticle",
        summary="One article",
        tag=TAG,
        ok=shapes.ArticleSerializer,
        parameters=[ID],
    ),
    put=describe_team(
        "replaceArticle",
        summary="Change an article, all fields",
        tag=TAG,
        request=shapes.ArticleSerializer,
        ok=shapes.ArticleSerializer,
        parameters=[ID],
        is_changed=True,
    ),
    patch=describe_team(
        "changeArticle",
        summary="Change fields of an article",
        tag=TAG,
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

    def store(self, row: Any, fields: dict[str, Any]) -> None:
        services.update(row, **fields)

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self.read_one(id)

    def put(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=False)

    def patch(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=True)

"""Records that the whole team shares, and lists in pages: what their views have in common."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, cast

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.accounts.models import User
from harmtracker.api import conditional, paging, preconditions
from harmtracker.api.filters import StrictFilterSet
from harmtracker.api.idempotency import once
from harmtracker.api.parameters import Parameter, listed
from harmtracker.api.permissions import HasRight
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import describe_team, page_of
from harmtracker.api.serializers import ReasonSerializer
from harmtracker.api.team import TeamRequest, TeamView
from harmtracker.errors import NotFound

ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Its id.")


def shown(
    shape: type[serializers.BaseSerializer], row: Any, request: Request
) -> tuple[dict[str, Any], str]:
    """A record as it is shown, and its ETag."""
    data: dict[str, Any] = dict(shape(row, context={"request": request}).data)
    return data, conditional.etag_of(StoredJSONRenderer().render(data))


class RightsView(TeamView):
    """A view that says by ``rights`` which permission each method needs, with its words."""

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
        reason = self.validated(ReasonSerializer(data=given))
        return body, reason.get("change_reason", "")


class SharedListView(RightsView):
    """A list in pages by keyset."""

    filterset: ClassVar[type[StrictFilterSet]]
    orders: ClassVar[dict[str, paging.Order]]
    shape: ClassVar[type[serializers.BaseSerializer]]
    ordering_help: ClassVar[str] = "By what the rows are sorted."
    # The text whose length a page is cut by.
    weight: ClassVar[Any] = "key"
    limit = paging.limit_up_to(100)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.ordering = Parameter(
            "ordering", listed(cls.orders), cls.ordering_help, next(iter(cls.orders))
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
        filterset = self.filterset.of(self.query, weighed, request=self.request)
        page = paging.read_page(
            filterset.qs,
            order,
            content="weight" if self.weight != "key" else "key",
            start=start,
            position=0,
            limit=limit,
        )
        found = {row.pk: row for row in rows.filter(pk__in=page.keys)}
        answer: dict[str, Any] = {
            "next": self._address(page.next, belongs_to),
            "previous": self._address(page.previous, belongs_to),
            "results": self.rows_shown([found[key] for key in page.keys]),
        }
        if wants_count:
            answer["count"] = filterset.qs.count()
        return self.ok(answer)

    def rows_shown(self, rows: list[Any]) -> list[Any]:
        """The rows of a page as they are answered."""
        return list(self.shape(rows, many=True, context={"request": self.request}).data)

    def _address(self, cursor: paging.Cursor | None, belongs_to: str) -> str | None:
        if cursor is None:
            return None
        asked = self.query.with_value(paging.CURSOR.name, paging.encode(cursor, belongs_to))
        return self.request.build_absolute_uri(f"{self.request.path}?{asked}")


class SharedRecordView(RightsView):
    """One record that the whole team shares. Its ETag is the digest of what is shown of it."""

    shape: ClassVar[type[serializers.BaseSerializer]]
    rows: ClassVar[QuerySet[Any]]

    def store(self, row: Any, fields: dict[str, Any]) -> None:
        """Change the row, by the service for it."""
        raise NotImplementedError

    def as_shown(self, row: Any) -> tuple[dict[str, Any], str]:
        return shown(self.shape, row, self.request)

    def read_one(self, id: uuid.UUID) -> Response:
        return self.ok(*self.as_shown(self.found(self.rows.all(), id)))

    def change(self, id: uuid.UUID, *, partial: bool) -> Response:
        body, reason = self.read_body()
        preconditions.if_match(self.request)
        with self.acting(reason):
            # As they are now, and until this edit is done.
            row = self.found(self.rows.select_for_update(of=("self",), no_key=True), id)
            preconditions.check(self.request, self.as_shown(row)[1])
            context = {"request": self.request}
            serializer = self.shape(row, data=body, partial=partial, context=context)
            self.store(row, self.validated(serializer))
            return self.ok(*self.as_shown(self.found(self.rows.all(), id)))


def _has_uuid(rows: QuerySet[Any]) -> bool:
    return any(field.name == "uuid" for field in rows.model._meta.concrete_fields)


def by_text(name: str, *, unique: str = "key") -> dict[str, paging.Order]:
    """By a text in either direction; equals by ``unique``, which is the id without it."""
    return {
        name: (paging.Segment((paging.text(name), paging.text(unique))),),
        f"-{name}": (
            paging.Segment(
                (paging.text(name, descending=True), paging.text(unique, descending=True))
            ),
        ),
    }


def by_day(name: str, shown_as: str) -> dict[str, paging.Order]:
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


def describe_list(
    operation: str,
    *,
    summary: str,
    tag: str,
    name: str,
    parameters: Iterable[OpenApiParameter] = (),
) -> Callable[[type[SharedListView]], type[SharedListView]]:
    """Describe GET of a list, with the parameters that it takes. ``name`` is of a page of it."""

    def decorate(view: type[SharedListView]) -> type[SharedListView]:
        described: Any = extend_schema_view(
            get=describe_team(
                operation,
                summary=summary,
                tag=tag,
                ok=page_of(view.shape, name),
                parameters=[*parameters, *view.documented()],
            )
        )
        return cast("type[SharedListView]", described(view))

    return decorate

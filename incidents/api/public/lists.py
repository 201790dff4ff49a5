"""Lists in pages: stored texts, joined into the answer without being parsed."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar, NamedTuple

import rfc8785
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import Serializer

import harmtracker
from harmtracker.api import conditional, paging
from harmtracker.api.filters import StrictFilterSet
from harmtracker.api.parameters import Kind, Parameter, Unacceptable, nearest
from harmtracker.api.schema import describe
from harmtracker.api.views import ReadView

from . import as_of, reading
from .permissions import Everybody


class PublicView(ReadView):
    """A view over the connection ``published``, and over no other."""

    permission_classes = [Everybody]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        reading.renew_connection()


def fields_of(*serializers: type[Serializer]) -> Parameter:
    """The parameter that picks top-level keys of documents."""
    keys = sorted({key for serializer in serializers for key in serializer().get_fields()})

    def read(text: str) -> list[str]:
        asked = sorted(set(text.split(",")))
        for key in asked:
            if key not in keys:
                raise Unacceptable("No such key.", nearest(key, keys))
        return asked

    schema = {"type": "array", "items": {"type": "string", "enum": keys}}
    return Parameter(
        "fields",
        Kind(read, schema),
        "Top-level keys to give, by commas. Without it: all of them.",
        max_characters=1000,
        by_commas=True,
    )


def picked(stored: bytes, fields: Sequence[str]) -> bytes:
    """The fields asked for, written as the whole is: canonical JSON."""
    content = json.loads(stored)
    return rfc8785.dumps({key: content[key] for key in fields if key in content})


class Form(NamedTuple):
    """What the rows of a page are: which stored text, how many at most, which keys to pick."""

    column: str
    limit: Parameter
    fields: Parameter


class PageView(PublicView):
    """A list in pages, each an index scan and a join of stored texts."""

    column: ClassVar[str]
    filterset: ClassVar[type[StrictFilterSet]]
    limit: ClassVar[Parameter]
    ordering: ClassVar[Parameter]
    fields: ClassVar[Parameter]

    @classmethod
    def others(cls) -> list[Parameter]:
        """Parameters that are no filters."""
        return [cls.ordering, cls.limit, paging.CURSOR, paging.COUNT, cls.fields, as_of.AS_OF]

    @classmethod
    def documented(cls) -> list[OpenApiParameter]:
        return [*(p.documented() for p in cls.others()), *cls.filterset.documented()]

    def rows(self, at: int) -> QuerySet[Any]:
        """The rows to be filtered, as they were at a ledger position."""
        raise NotImplementedError

    def order(
        self, name: str, filterset: StrictFilterSet | None = None, at: int = 0
    ) -> paging.Order:
        """An order of the rows at a ledger position; without a filter set, its columns alone."""
        raise NotImplementedError

    def form(self) -> Form:
        return Form(self.column, self.limit, self.fields)

    def get(self, request: Request) -> Any:
        # Everything is read, and refused if need be, before the page's queries run.
        form = self.form()
        limit, ordering = self.query.read(form.limit), self.query.read(self.ordering)
        fields, wants_count = self.query.read(form.fields), self.query.read(paging.COUNT)
        head = reading.position()
        start = self._start(ordering, head)
        at = start.position if start else as_of.position(self.query, head)
        filterset = self.filterset.of(self.query, self.rows(at))
        found = filterset.qs
        address = request.build_absolute_uri(request.path)
        etag = conditional.etag_of(
            harmtracker.__version__, as_of.state(at, head), address, self.query.normal()
        )
        if conditional.is_current(request, etag):
            return conditional.not_modified(etag)

        page = paging.read_page(
            found,
            self.order(ordering, filterset, at),
            content=form.column,
            start=start,
            position=at,
            limit=limit,
            with_content=form.column in reading.BESIDE_THE_KEYS,
        )
        links = {"next": self._url(page.next), "previous": self._url(page.previous)}
        envelope: dict[str, Any] = {"position": at, **links}
        if wants_count:
            envelope["count"] = found.count()
        texts = reading.texts_of(form.column, page)
        rows = [picked(text, fields) for text in texts] if fields else texts
        return self.answer(joined(envelope, rows), etag, **link_header(links))

    def _start(self, ordering: str, head: int) -> paging.Cursor | None:
        token = self.query.read(paging.CURSOR)
        if token is None:
            return None
        order = self.order(ordering)
        return paging.decode(token, self._fingerprint(), order=order, head=head)

    def _fingerprint(self) -> str:
        return paging.fingerprint(self.request.path, self.query)

    def _url(self, cursor: paging.Cursor | None) -> str | None:
        if cursor is None:
            return None
        token = paging.encode(cursor, self._fingerprint())
        asked = self.query.with_value(paging.CURSOR.name, token)
        return self.request.build_absolute_uri(f"{self.request.path}?{asked}")


def joined(envelope: dict[str, Any], rows: Sequence[bytes]) -> bytes:
    """The envelope with the rows as its ``results``, sorted by key like the rows themselves."""
    before = rfc8785.dumps(envelope)[:-1] + b',"results":['
    if not rows:
        return before + b"]}"
    # Put together once: a page is a megabyte, and each further copy of it takes as long again.
    parts = [*rows]
    parts[0] = before + parts[0]
    parts[-1] += b"]}"
    return b",".join(parts)


def link_header(links: dict[str, str | None]) -> dict[str, str]:
    relations = {"next": "next", "previous": "prev"}
    parts = [f'<{url}>; rel="{relations[name]}"' for name, url in links.items() if url]
    return {"Link": ", ".join(parts)} if parts else {}


def describe_page(
    operation: str, *, summary: str, tag: str, ok: Any, also: Collection[str] = ()
) -> Callable[[Any], Any]:
    """Describe a list, and let it take the parameters that it declares."""

    def decorate(view: type[PageView]) -> type[PageView]:
        view.parameters = {p.name for p in view.others()} | set(view.filterset.base_filters)
        view.several = view.filterset.several()
        described = describe(
            operation,
            summary=summary,
            tag=tag,
            ok=ok,
            parameters=view.documented(),
            is_page=True,
            also=also,
        )
        return described(view)

    return decorate

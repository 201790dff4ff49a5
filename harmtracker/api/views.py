"""What views have in common: of all of them, and of those that anyone may read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from harmtracker.api import conditional
from harmtracker.api.negotiation import PlainNegotiation
from harmtracker.api.parameters import Query, check_length
from harmtracker.api.renderers import StoredJSONRenderer


class StrictView(APIView):
    """A view with the query parameters that it names and no others. Subclasses say who may ask."""

    content_negotiation_class = PlainNegotiation
    parameters: ClassVar[Collection[str]] = frozenset()
    several: ClassVar[Collection[str]] = frozenset()
    query: Query

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raw = request.META.get("QUERY_STRING", "")
        check_length(request.path + raw)
        super().initial(request, *args, **kwargs)
        self.query = Query(raw, known=self.parameters, several=self.several)


class ReadView(StrictView):
    """GET and HEAD.

    Nobody is asked who they are, so that one address gives everybody the same bytes.
    """

    http_method_names = ["get", "head"]
    authentication_classes = []

    def answer(self, body: bytes, etag: str, **more_headers: str) -> Response:
        return Response(body, headers=conditional.headers(etag) | more_headers)

    def whole(self, content: Any) -> Any:
        """An answer that is small enough to be its own ETag's source."""
        body = content if isinstance(content, bytes) else StoredJSONRenderer().render(content)
        etag = conditional.etag_of(body)
        if conditional.is_current(self.request, etag):
            return conditional.not_modified(etag)
        return self.answer(body, etag)

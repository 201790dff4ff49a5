"""Which representation a client gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class PlainNegotiation(DefaultContentNegotiation):
    """As usual, but the answer's media type is ours alone.

    The default repeats parameters of the client's Accept header in Content-Type.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> Any:
        if format_suffix is None and request.META.get("HTTP_ACCEPT", "*/*") == "*/*":
            first = next(iter(renderers))
            return first, first.media_type
        renderer, _media_type = super().select_renderer(request, renderers, format_suffix)
        return renderer, renderer.media_type

"""A new incident, beginning with the article that reports it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def new_view(request: HttpRequest) -> HttpResponse:
    raise Http404

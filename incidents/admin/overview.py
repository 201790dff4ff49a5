"""What came in, was verified and published, and what waits."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def overview_view(request: HttpRequest) -> HttpResponse:
    raise Http404

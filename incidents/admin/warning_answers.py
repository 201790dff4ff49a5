"""Answer a warning with a reason."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def answer_view(request: HttpRequest, incident_id: int, key: str) -> HttpResponse:
    raise Http404

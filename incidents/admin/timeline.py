"""The whole history of a record as a timeline."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def timeline_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    raise Http404

"""Any two versions or revisions of a record side by side."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def differences_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    raise Http404

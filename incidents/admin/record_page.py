"""The record, whole on one page: our assessment beside what each claim says."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def record_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    raise Http404

"""Merge a record into another, and undo it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def merge_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    raise Http404

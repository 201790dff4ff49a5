"""A person takes a record to work on, and releases it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST


@require_POST
def take_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    raise Http404


@require_POST
def release_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    raise Http404

"""The whole history of a record as a timeline."""

from __future__ import annotations

from functools import partial

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from harmtracker.admin_base import person
from harmtracker.history.reading import changes_in_words
from incidents.desk.timeline import timeline

from .pages import record_page
from .record import is_editable, visible_or_404


def timeline_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """``before`` and ``since`` are entries of the history; anything else is passed over."""
    incident = visible_or_404(person(request), incident_id)
    before, since = (_entry(request.GET.get(name, "")) for name in ("before", "since"))
    page = timeline(
        incident,
        partial(changes_in_words, request=request, site=admin.site),
        before=before,
        since=since or 0,
    )
    title = "Since you last looked" if since else "Timeline"
    return record_page(
        request,
        "admin/desk/timeline.html",
        title,
        incident,
        page=page,
        since=since,
        editable=is_editable(person(request), incident),
    )


def _entry(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None

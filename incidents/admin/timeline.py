"""The whole history of a record as a timeline, and of one row that hangs on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from harmtracker.admin_base import person
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import Change, changes_in_words
from incidents.desk.naming import called
from incidents.desk.revisions import TABLES
from incidents.desk.timeline import Row, timeline

from .pages import record_page
from .record import is_editable, visible_or_404

_ROW = re.compile(r"([a-z]{1,40})-([0-9]{1,18})")


def timeline_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """``before`` and ``since`` are entries of the history, ``row`` such as ``claim-12`` one row of
    the record; anything else is passed over."""
    incident = visible_or_404(person(request), incident_id)
    before, since = (_entry(request.GET.get(name, "")) for name in ("before", "since"))
    row = _row(request.GET.get("row", ""))

    def in_words(entries: Sequence[HistoryEntry]) -> list[Change]:
        return changes_in_words(entries, request, admin.site, called(incident, entries))

    page = timeline(incident, in_words, before=before, since=since or 0, row=row)
    return record_page(
        request,
        "admin/desk/timeline.html",
        "Since you last looked" if since else "Timeline",
        incident,
        page=page,
        since=since,
        row=row and request.GET["row"],
        row_name=next((c.what for event in page.events for c in event.changes), "") if row else "",
        editable=is_editable(person(request), incident),
    )


def _entry(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _row(text: str) -> Row | None:
    found = _ROW.fullmatch(text)
    models = {model._meta.model_name: model._meta.db_table for model in apps.get_models()}
    table = models.get(found[1]) if found else None
    return Row(table, int(found[2])) if found and table in TABLES else None

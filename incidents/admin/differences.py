"""Any two states of a record side by side."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse

from harmtracker.admin_base import person
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import Moved, changes_in_words
from incidents.desk import revisions
from incidents.desk.naming import called
from incidents.desk.revisions import Between
from incidents.desk.sides import (
    NOW,
    Difference,
    Side,
    content_of,
    difference,
    figures_in_words,
    is_document,
    position_of,
    sides_of,
    totals_in_words,
)
from incidents.models import Incident
from incidents.restoring import is_restorable

from .pages import record_page
from .record import is_editable, visible_or_404

_SIDE = re.compile(r"now|[ver][0-9]{1,18}")
# Of more rows than these nobody reads a table: nearer states are to be chosen.
MOST_ROWS = 1000


def differences_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """``from`` and ``to`` name the states: what was last published or verified, else the first
    edit that is listed, and now, unless the person chooses others. The earlier one stands left."""
    incident = visible_or_404(person(request), incident_id)
    sides = sides_of(incident)
    chosen = [
        asked if _SIDE.fullmatch(asked := request.GET.get(name, "")) else usual
        for name, usual in (("from", _usual(sides)), ("to", NOW))
    ]
    moments = [position_of(incident, side) for side in chosen]
    earlier, later = moments
    if earlier is not None and later is not None and earlier > later:
        chosen, earlier, later = chosen[::-1], later, earlier
    is_there = earlier is not None and later is not None and chosen[0] != chosen[1]
    return record_page(
        request,
        "admin/desk/differences.html",
        "What changed",
        incident,
        sides=_with(sides, chosen),
        chosen=chosen,
        missing=None in moments,
        **(_found(request, incident, chosen, earlier or 0, later or 0) if is_there else {}),
    )


def _usual(sides: list[tuple[str, list[Side]]]) -> str:
    of_kind = dict(sides)
    for kind in ("Published", "Verified or returned"):
        if kind in of_kind:
            return of_kind[kind][0].name
    return sides[-1][1][-1].name


def _with(sides: list[tuple[str, list[Side]]], chosen: list[str]) -> list[tuple[str, list[Side]]]:
    """The list with what was chosen, where it goes further back than the list does."""
    listed = {side.name for _, of_kind in sides for side in of_kind}
    further = [Side(name, f"entry {name[1:]}") for name in chosen if name not in listed]
    return [*sides, ("Further back", further)] if further else sides


def _found(
    request: HttpRequest, incident: Incident, chosen: list[str], earlier: int, later: int
) -> dict[str, Any]:
    rows = revisions.between(incident, earlier, later)
    found = _documents(incident, chosen)
    return {
        "figures": figures_in_words(found)
        if found is not None
        else totals_in_words(
            revisions.totals_at(incident, earlier), revisions.totals_at(incident, later)
        ),
        "rows": _in_words(request, incident, rows[:MOST_ROWS]),
        "too_many": max(0, len(rows) - MOST_ROWS),
        "found": found,
        "editable": is_editable(person(request), incident),
    }


def _documents(incident: Incident, chosen: list[str]) -> Difference | None:
    """How the documents differ; None where one of the states never was one."""
    if not all(is_document(side) for side in chosen):
        return None
    one, other = (content_of(incident, side) for side in chosen)
    return None if one is None or other is None else difference(one, other)


def _in_words(
    request: HttpRequest, incident: Incident, rows: list[Between]
) -> list[dict[str, Any]]:
    entries = [row.entry for row in rows]
    changes = changes_in_words(entries, request, site, called(incident, entries))
    return [
        {
            "change": change,
            "fields": [_field(row, field) for field in change.fields],
            "gone": row.last_entry if change.did == "removed" else None,
        }
        for row, change in zip(rows, changes, strict=True)
        if change.fields
    ]


def _field(row: Between, field: Moved) -> dict[str, Any]:
    """One value with who gave it last; ``back`` is the entry that brings the earlier one back."""
    first, last = row.first[field.column], row.last[field.column]
    is_changed = row.entry.operation == HistoryEntry.Operation.UPDATE
    return {
        **field._asdict(),
        "who": last.actor.get_username(),
        "at": last.at,
        "why": last.reason,
        # The timeline up to that entry.
        "next": last.pk + 1,
        "back": first.pk if is_changed and is_restorable(first, field.column) else None,
    }

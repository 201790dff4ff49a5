"""What the pages for entering say while one types: how a text is read, and what it fits.

The same functions that read the form when it is saved; nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from harmtracker.admin_base import person
from harmtracker.errors import Invalid
from harmtracker.picking import MOST_FOUND, Kind, found
from harmtracker.reading_back import date_read
from incidents.figures_in_words import in_words, read_figure
from incidents.models import Place
from incidents.picking import KINDS
from incidents.weapon_words import calibre_in, offers_for

# A longer text is no date, number, name or weapon.
LONGEST = 600


def figure_read(text: str) -> str:
    """How a figure is read. A number alone says so itself."""
    figure = read_figure(text)
    return "" if figure is None or text.strip().isdecimal() else in_words(figure)


def weapon_read(text: str) -> str:
    """The types that the words of a source fit, and the calibre that they name."""
    if not text.strip():
        return ""
    offers = [f"{offer.code} {offer.label}" for offer in offers_for(text)]
    calibre = calibre_in(text)
    parts = [f"fits {'; '.join(offers)}" if offers else "fits no type by its words"]
    if calibre is not None:
        parts.append(f"names a calibre of {calibre} mm")
    return ". ".join(parts)


READERS: dict[str, Callable[[str], str]] = {
    "date": date_read,
    "figure": figure_read,
    "weapon": weapon_read,
}


@require_safe
def hints_view(request: HttpRequest, kind: str) -> HttpResponse:
    """``?text=``: for dates, figures and weapons its reading, for names the records it fits."""
    user = person(request)
    text = request.GET.get("text", "")[:LONGEST]
    if kind in KINDS:
        if not user.has_perm(KINDS[kind].may_view):
            raise PermissionDenied
        return _answer(_found(KINDS[kind].seen_by(user), text))
    if kind not in READERS:
        raise Http404
    if not user.has_perm("incidents.view_incident"):
        raise PermissionDenied
    try:
        said: dict[str, Any] = {"reading": READERS[kind](text), "refused": False}
    except Invalid as refusal:
        said = {"reading": refusal.message, "refused": True}
    if kind == "weapon":
        calibre = calibre_in(text)
        said |= {
            "offers": [{"id": o.code, "label": f"{o.code} {o.label}"} for o in offers_for(text)],
            "calibre": None if calibre is None else str(calibre),
        }
    return _answer(said)


def _found(kind: Kind, text: str) -> dict[str, Any]:
    rows = found(kind, text)
    return {
        "found": [{"id": row.pk, "label": kind.label(row), **_point(row)} for row in rows],
        "is_all": len(rows) < MOST_FOUND,
    }


def _point(row: Any) -> dict[str, Any]:
    if not isinstance(row, Place) or row.latitude is None or row.longitude is None:
        return {}
    return {"latitude": float(row.latitude), "longitude": float(row.longitude)}


def _answer(said: dict[str, Any]) -> HttpResponse:
    return JsonResponse(said, headers={"Cache-Control": "no-store"})

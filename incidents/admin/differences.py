"""Any two states of a record side by side."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse

from harmtracker.admin_base import person
from incidents.desk.sides import NOW, content_of, difference, figures_in_words, sides_of

from .pages import record_page
from .record import visible_or_404

_SIDE = re.compile(r"now|[vr][0-9]{1,18}")


def differences_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """``from`` and ``to`` name the states: what was last published or verified, and now, unless
    the person chooses others."""
    incident = visible_or_404(person(request), incident_id)
    sides = sides_of(incident)
    earlier = sides[1].name if len(sides) > 1 else NOW
    chosen = [
        asked if _SIDE.fullmatch(asked := request.GET.get(name, "")) else usual
        for name, usual in (("from", earlier), ("to", NOW))
    ]
    contents = [content_of(incident, side) for side in chosen]
    found = None
    if contents[0] is not None and contents[1] is not None and chosen[0] != chosen[1]:
        found = difference(contents[0], contents[1])
    return record_page(
        request,
        "admin/desk/differences.html",
        "What changed",
        incident,
        sides=sides,
        chosen=chosen,
        found=found,
        figures=[] if found is None else figures_in_words(found),
        missing=None in contents,
    )

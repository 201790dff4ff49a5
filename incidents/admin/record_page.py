"""The record, whole on one page: our assessment beside what each claim says."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from harmtracker.admin_base import admin_url, person
from incidents.desk.comparison import compare
from incidents.desk.looks import look
from incidents.desk.people import people_of
from incidents.desk.plot import plots_of
from incidents.desk.points import Shown, near_by, points_of
from incidents.models import Incident

from .map import background
from .pages import record_page
from .reading import record_to_read
from .record import is_editable
from .remarks import CommentForm
from .steps import steps_of
from .warned import warned_of

PLOTTED = ("killed", "injured")
# More people than these are folded away until they are asked for.
MANY_PEOPLE = 40


def record_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """All that is known of a record, in a fixed number of queries."""
    user = person(request)
    incident = get_object_or_404(
        Incident.objects.visible_to(user).select_related("author", "place", "assignment__person"),
        pk=incident_id,
    )
    record = record_to_read(incident, user)
    claims = record["claims"]
    points = points_of(incident, claims, near_by(incident, user))
    return record_page(
        request,
        "admin/desk/record.html",
        "Record",
        incident,
        original=incident,
        record=record,
        editable=is_editable(user, incident),
        steps=steps_of(incident, user),
        taken=getattr(incident, "assignment", None),
        **warned_of(incident, record, user),
        since=look(incident, user),
        comparison=compare(incident, record["assessed"], claims),
        plots=plots_of(record["assessed"].counts, claims, PLOTTED),
        points=points,
        map=_map(points),
        people=people_of(record["victims"]),
        many_people=len(record["victims"]) > MANY_PEOPLE,
        comment_form=CommentForm(auto_id="comment_%s")
        if user.has_perm("incidents.add_reviewcomment")
        else None,
        may_resolve=user.has_perm("incidents.change_reviewcomment"),
    )


def _map(points: list[Shown]) -> dict[str, Any]:
    """What the map's script reads: points, and where outlines and tiles come from."""
    return {
        "points": [
            {
                **dataclasses.asdict(point),
                "url": admin_url("incidents_incident_record", point.url) if point.url else "",
            }
            for point in points
        ],
        **background(),
    }

"""What came in, was verified and published, and what waits."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from harmtracker.admin_base import person
from incidents.desk import backlog, charts

from .pages import desk_page


@require_safe
def overview_view(request: HttpRequest) -> HttpResponse:
    """For verifiers of everything, for researchers of what they entered themselves."""
    user = person(request)
    sees_all = user.has_perm("incidents.verify_incident")
    if not (sees_all or user.has_perm("incidents.submit_incident")):
        raise PermissionDenied
    whose = None if sees_all else user
    now = timezone.now()
    weeks = backlog.weeks(now, whose)
    ages = backlog.ages(now, whose)
    return desk_page(
        request,
        "admin/desk/overview.html",
        "Overview",
        sees_all=sees_all,
        now=now,
        weeks=weeks,
        weeks_drawn=charts.grouped(
            [f"{week.begins:%d %b}" for week in weeks],
            [
                ("came in", [week.came_in for week in weeks]),
                ("verified", [week.verified for week in weeks]),
                ("published", [week.published for week in weeks]),
            ],
            each=3,
        ),
        ages=ages,
        ages_drawn=charts.grouped(
            [age.days for age in ages],
            [
                ("submitted", [age.submitted for age in ages]),
                ("verified", [age.verified for age in ages]),
            ],
            group=84,
        ),
        waiting=sum(age.number for age in ages),
        waits=backlog.waits(now, whose),
        oldest=backlog.oldest(now, whose),
        people=backlog.people(now) if sees_all else [],
        places=backlog.places(now, whose),
    )

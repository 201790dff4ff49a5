"""What the desk's own pages share: their frame, and the tabs of a record."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from harmtracker.admin_base import admin_url, person
from incidents.models import Incident

from .record import is_editable

# Name of a tab and of its address.
TABS = (
    ("Record", "incidents_incident_record"),
    ("What changed", "incidents_incident_differences"),
    ("Timeline", "incidents_incident_timeline"),
)


def desk_page(
    request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any
) -> TemplateResponse:
    """A page of the desk in the admin's frame; ``template`` extends ``admin/desk/page.html``."""
    return TemplateResponse(
        request,
        template,
        {
            **admin.site.each_context(request),
            "title": title,
            "opts": Incident._meta,
            # The room is wanted for the record.
            "is_nav_sidebar_enabled": False,
            **context,
        },
        status=status,
    )


def record_page(
    request: HttpRequest,
    template: str,
    title: str,
    incident: Incident,
    *,
    status: int = 200,
    **context: Any,
) -> TemplateResponse:
    """A page of one record, with its tabs; ``template`` extends ``admin/desk/record_page.html``."""
    tabs = [(name, admin_url(address, incident.pk)) for name, address in TABS]
    if is_editable(person(request), incident):
        tabs.append(("Edit", admin_url("incidents_incident_change", incident.pk)))
    return desk_page(
        request, template, title, status=status, incident=incident, tabs=tabs, **context
    )

"""A person takes a record to work on, and releases it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.errors import Conflict, DomainError
from incidents import assignments

from .pages import record_page
from .record import visible_or_404


@require_POST
def take_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Take a record. One that somebody else has is asked about, and with ``over`` taken over."""
    incident = visible_or_404(person(request), incident_id)
    try:
        assignments.take(person(request), incident.uuid, over="over" in request.POST)
    except Conflict as refusal:
        return record_page(
            request,
            "admin/desk/take_over.html",
            "Take over",
            incident,
            status=409,
            refusal=in_words(refusal),
            next=_back(request, incident_id),
        )
    messages.success(request, f"You are at work on it now: {incident}.")
    return HttpResponseRedirect(_back(request, incident_id))


@require_POST
def release_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Say that one is done with a record for now."""
    incident = visible_or_404(person(request), incident_id)
    try:
        assignments.release(person(request), incident.uuid)
    except DomainError as refusal:
        messages.error(request, in_words(refusal))
    else:
        messages.success(request, f"It is free again: {incident}.")
    return HttpResponseRedirect(_back(request, incident_id))


def _back(request: HttpRequest, incident_id: int) -> str:
    """Where the person came from, if it is a page of ours; else the record."""
    asked = request.POST.get("next", "")
    if asked.startswith("/") and url_has_allowed_host_and_scheme(asked, allowed_hosts=None):
        return asked
    return admin_url("incidents_incident_record", incident_id)

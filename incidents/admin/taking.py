"""A person takes a record to work on, and releases it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.errors import DomainError
from incidents import assignments

from .record import visible_or_404


@require_POST
def take_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """With ``over`` it is taken from whoever has it."""
    incident = visible_or_404(person(request), incident_id)
    try:
        assignments.take(person(request), incident.uuid, over=request.POST.get("over") == "1")
    except DomainError as refusal:
        messages.error(request, in_words(refusal))
    else:
        messages.success(request, "You are at work on the record.")
    return HttpResponseRedirect(admin_url("incidents_incident_record", incident.pk))


@require_POST
def release_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    incident = visible_or_404(person(request), incident_id)
    try:
        assignments.release(person(request), incident.uuid)
    except DomainError as refusal:
        messages.error(request, in_words(refusal))
    else:
        messages.success(request, "You have released the record.")
    return HttpResponseRedirect(admin_url("incidents_incident_record", incident.pk))

"""A warning answered on the page of its record, and such an answer withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch
from django.views.decorators.http import require_POST

from harmtracker.accounts.models import User
from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.errors import Conflict, DomainError
from incidents import answering, warnings
from incidents.desk.warned import Warnings, shown
from incidents.models import Incident

from .pages import record_page
from .record import visible_or_404


def warned_of(incident: Incident, record: dict[str, Any], reader: User) -> dict[str, Any]:
    """What the record's page shows of warnings, and whether this person may answer them."""
    holders = [record["assessed"], *record["claims"]]
    findings = {
        kind: [row for holder in holders for row in getattr(holder, name)]
        for kind, name in (("count", "counts"), ("weapon", "weapons"), ("involvement", "actors"))
    }
    stands = warnings.of_records([incident.pk], reader)[incident.pk]
    stands += warnings.in_zawgyi(incident, record["claims"], record["victims"], findings)
    found: Warnings = shown(stands, answering.said_of(incident, reader), record)
    refusal = answering.why_not(reader, incident)
    return {
        "warnings": found,
        "may_answer": refusal is None,
        "why_no_answer": "" if refusal is None else refusal.message,
        "merge_url": _merge_url(incident) if any(row.warned.about for row in found.open) else "",
    }


def _merge_url(incident: Incident) -> str:
    try:
        return admin_url("incidents_incident_merge", incident.pk)
    except NoReverseMatch:
        return ""


@require_POST
def answer_view(request: HttpRequest, incident_id: int, warning: str) -> HttpResponse:
    """The reason why a warning may stand. What was written is not lost where it is refused."""
    return _said(request, incident_id, warning, answering.answer, "The warning is answered.")


@require_POST
def withdraw_view(request: HttpRequest, incident_id: int, warning: str) -> HttpResponse:
    """The answer that stands is withdrawn, and the warning is open again."""
    return _said(request, incident_id, warning, answering.withdraw, "The warning is open again.")


def _said(
    request: HttpRequest, incident_id: int, warning: str, act: Callable[..., Any], done: str
) -> HttpResponse:
    incident = visible_or_404(person(request), incident_id)
    reason = request.POST.get("reason", "").replace("\r\n", "\n")
    try:
        act(person(request), incident.uuid, warning, reason)
    except DomainError as refusal:
        return record_page(
            request,
            "admin/desk/answer_refused.html",
            "Warning",
            incident,
            status=409 if isinstance(refusal, Conflict) else 400,
            refusal=in_words(refusal),
            reason=reason,
        )
    messages.success(request, done)
    return HttpResponseRedirect(admin_url("incidents_incident_record", incident.pk) + "#warnings")

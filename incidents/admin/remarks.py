"""Remarks on a record: one left beside the steps, and one that is settled."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from harmtracker.accounts.typed import typed_in
from harmtracker.accounts.typed_page import typed_page
from harmtracker.admin_base import admin_url, person
from harmtracker.admin_fields import ExactText
from harmtracker.history.acting import acting
from incidents.models import ReviewComment

from .record import visible_or_404


class CommentForm(forms.Form):
    field = ExactText(
        max_length=200, label="Field", help_text="Such as place.point, or claim 2, killed."
    )
    text = ExactText(label="Remark", widget=forms.Textarea(attrs={"rows": 3}))


@require_POST
def comment_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """A remark on one field. It does not edit the record, so a verifier may leave it."""
    incident = visible_or_404(person(request), incident_id)
    if not request.user.has_perm("incidents.add_reviewcomment"):
        raise PermissionDenied
    form = CommentForm(request.POST)
    if form.is_valid():
        with acting(person(request), "Remarked on the record"):
            ReviewComment.objects.create(
                incident=incident, author=person(request), **form.cleaned_data
            )
        messages.success(request, "The remark was added.")
    else:
        notice = "Nothing was saved. A remark needs the field that it is about, and a text."
        typed = typed_in(request)
        if typed is not None:
            return typed_page(request, typed, notice, way="send")
        messages.error(request, notice)
    return HttpResponseRedirect(admin_url("incidents_incident_change", incident.pk) + "#comments")


@require_POST
def resolve_view(request: HttpRequest, incident_id: int, comment_id: int) -> HttpResponse:
    incident = visible_or_404(person(request), incident_id)
    if not request.user.has_perm("incidents.change_reviewcomment"):
        raise PermissionDenied
    with acting(person(request), "Settled a remark"):
        incident.comments.filter(pk=comment_id, resolved_at=None).update(
            resolved_by=person(request), resolved_at=Now()
        )
    return HttpResponseRedirect(admin_url("incidents_incident_change", incident.pk) + "#comments")

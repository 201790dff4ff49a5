"""The page on which a value of the history is brought back, as a new edit."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.admin import site
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.admin_fields import ExactText
from harmtracker.errors import Conflict, DomainError
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import changes_in_words
from incidents import restoring
from incidents.editing import editing

from .pages import record_page
from .record import is_editable, revision_of, visible_or_404


class RestoreForm(forms.Form):
    revision = forms.IntegerField(widget=forms.HiddenInput)
    reason = ExactText(
        label="Reason", required=False, widget=forms.TextInput(attrs={"class": "vTextField"})
    )


def restore_view(request: HttpRequest, incident_id: int, entry_id: int) -> HttpResponse:
    """GET shows what comes back; POST brings it back, or says in words why not."""
    incident = visible_or_404(person(request), incident_id)
    found = HistoryEntry.objects.filter(incident_id=incident.pk, pk=entry_id)
    entry = found.select_related("actor").first()
    if entry is None or not is_editable(person(request), incident):
        raise Http404
    initial = {"revision": revision_of(incident)}
    form = RestoreForm(request.POST or None, initial=initial)
    status = 200
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            with editing(
                person(request), incident.uuid, revision=said["revision"], reason=said["reason"]
            ) as locked:
                restoring.restore(locked, entry)
        except DomainError as refusal:
            form.add_error(None, in_words(refusal))
            status = 409 if isinstance(refusal, Conflict) else 200
        else:
            messages.success(request, "It is as it was before that change.")
            return HttpResponseRedirect(admin_url("incidents_incident_timeline", incident.pk))
    (change,) = changes_in_words([entry], request, site)
    return record_page(
        request,
        "admin/desk/restore.html",
        "Bring it back",
        incident,
        status=status,
        form=form,
        change=change,
    )

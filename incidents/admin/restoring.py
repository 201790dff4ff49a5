"""The page on which a value of the history is brought back, as a new edit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import site
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.admin_fields import ExactText
from harmtracker.errors import Conflict, DomainError
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import Moved, changes_in_words
from incidents import restoring
from incidents.desk.naming import called
from incidents.desk.since import mark
from incidents.editing import editing
from incidents.restoring import is_restorable, restorable_of

from .pages import record_page
from .record import is_editable, revision_of, visible_or_404
from .step_forms import Looked
from .steps import moved_since


class RestoreForm(Looked):
    """``back`` are the columns that come back; a row that was removed comes back whole."""

    back = forms.MultipleChoiceField(
        label="What comes back",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick what is to come back."},
    )
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
    (change,) = changes_in_words([entry], request, site, called(incident, [entry]))
    fields = {field.column: field for field in change.fields if is_restorable(entry, field.column)}
    form = RestoreForm(request.POST or None)
    _offer(form, entry, fields, request.GET.getlist("field"))
    status = 200
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            with editing(
                person(request), incident.uuid, revision=said["revision"], reason=said["reason"]
            ) as locked:
                restoring.restore(locked, entry, _named(entry, said.get("back")))
        except DomainError as refusal:
            form.add_error(None, in_words(refusal))
            status = 409 if isinstance(refusal, Conflict) else 200
        else:
            messages.success(request, "It is as it was before that change.")
            return HttpResponseRedirect(admin_url("incidents_incident_timeline", incident.pk))
    moved = moved_since(request, incident, form) if form.is_bound else []
    form.look_again(mark=mark(), revision=revision_of(incident))
    return record_page(
        request,
        "admin/desk/restore.html",
        "Bring it back",
        incident,
        status=status,
        form=form,
        moved=moved,
        change=change,
        offered=list(zip(form["back"], fields.values(), strict=True))
        if "back" in form.fields
        else [],
    )


def _offer(
    form: RestoreForm, entry: HistoryEntry, fields: dict[str, Moved], asked: list[str]
) -> None:
    """Each value to be ticked, those asked for ticked; a row that was removed comes back whole."""
    if entry.operation == HistoryEntry.Operation.DELETE or not fields:
        del form.fields["back"]
        return
    offered: Any = form.fields["back"]
    offered.choices = [(column, field.label) for column, field in fields.items()]
    offered.initial = [column for column in asked if column in fields] or list(fields)


def _named(entry: HistoryEntry, columns: list[str] | None) -> list[str] | None:
    """Columns as the names of their fields; None: everything that the entry moved."""
    if columns is None:
        return None
    by_column = {field.column: name for name, field in restorable_of(entry).items()}
    return [by_column[column] for column in columns]

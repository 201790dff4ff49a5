"""The pages on which one of two records that are the same incident is merged into the other."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from harmtracker.accounts.models import User
from harmtracker.admin_base import admin_url, person
from harmtracker.admin_fields import ExactText
from harmtracker.errors import Conflict, DomainError
from incidents import merging
from incidents.choices import State
from incidents.desk import document, leaving
from incidents.desk.finding import find
from incidents.desk.since import mark
from incidents.models import Incident, Merge
from incidents.publishing.document import build_contents

from .pages import record_page
from .record import revision_of, visible_or_404
from .step_forms import LARGEST, LONGEST, Looked, area
from .steps import moved_since, refuse

# Which of the two ends: the one of the page, or the other.
THIS, OTHER = "this", "other"


class MergeForm(Looked):
    """Why two records are one, and at which revisions this one and the other were looked at."""

    other_revision = forms.IntegerField(
        widget=forms.HiddenInput, min_value=0, max_value=LARGEST, required=False
    )
    reason = ExactText(
        widget=area(), max_length=LONGEST, label="Why the two are one", help_text="For the team."
    )


class UndoForm(Looked):
    reason = ExactText(
        widget=area(),
        max_length=LONGEST,
        label="Why the two are not one after all",
        help_text="For the team.",
    )


def merge_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Choose the other record, see both, and merge. ``with`` names the other, ``ends`` which of
    the two ends; ``q`` looks for one."""
    user = person(request)
    incident = visible_or_404(user, incident_id)
    if not user.has_perm(merging.PERMISSION):
        raise PermissionDenied
    named = request.GET.get("with", "")
    if not named:
        words = request.GET.get("q", "")
        return _frame(request, incident, words=words, found=find(words, user, but=incident))
    if not (named.isascii() and named.isdecimal() and len(named) < 19):
        raise Http404
    other = visible_or_404(user, int(named))
    ends = request.GET.get("ends", "")
    if ends not in (THIS, OTHER):
        ends = _likely(incident, other)
    source, target = (incident, other) if ends == THIS else (other, incident)
    form = MergeForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        seen = (said["revision"], said["other_revision"] or 0)
        try:
            merging.merge(
                source.pk,
                target.pk,
                user,
                said["reason"],
                seen if ends == THIS else (seen[1], seen[0]),
            )
        except DomainError as refusal:
            refuse(form, refusal)
            status = 409 if isinstance(refusal, Conflict) else 200
            source.refresh_from_db()
            target.refresh_from_db()
        else:
            messages.success(request, f"Its parts are in this record now: {source}.")
            return HttpResponseRedirect(admin_url("incidents_incident_record", target.pk))
    return _both(request, incident, other, ends, form, status)


def _likely(incident: Incident, other: Incident) -> str:
    """The one that ends, where nothing was said: what is no draft cannot take parts in; of two
    drafts the later one is the duplicate."""
    if other.state != State.DRAFT:
        return OTHER
    if incident.state != State.DRAFT:
        return THIS
    if (incident.code is None) != (other.code is None):
        return THIS if incident.code is None else OTHER
    return THIS if incident.pk > other.pk else OTHER


def _both(
    request: HttpRequest, incident: Incident, other: Incident, ends: str, form: Any, status: int
) -> HttpResponse:
    user = person(request)
    source, target = (incident, other) if ends == THIS else (other, incident)
    contents = build_contents([incident.pk, other.pk])
    why_not, after = "", None
    try:
        content = merging.rehearse(source.pk, target.pk, user)
    except DomainError as refusal:
        why_not = refusal.message
    else:
        after = leaving.next_version(target, content, _says(source, target))
    moved = moved_since(request, incident, form) if form.is_bound else []
    if form.is_bound and not moved:
        moved = moved_since(request, other, form)
    form.look_again(mark=mark(), revision=revision_of(incident), other_revision=revision_of(other))
    return _frame(
        request,
        incident,
        status=status,
        other=other,
        source=source,
        target=target,
        ends=ends,
        form=form,
        sides=[_in_short(row, contents[row.pk]) for row in (source, target)],
        plan=merging.plan(source, target),
        why_not=why_not,
        leaving=after,
        moved=moved,
        typed=form.data.get("reason", "") if form.is_bound else "",
    )


def _says(source: Incident, target: Incident) -> str:
    says = "Nothing leaves the building yet: the next version of the record that stays will hold "
    says += "what stands below, once a second person has verified it and it is published."
    if source.code is None:
        return says
    return (
        f"{says} Until then {source.code} stays served as it was; from then on its address "
        f"answers 301, for ever, and leads to {target.code or 'the code that the other gets'}."
    )


def _in_short(incident: Incident, content: dict[str, Any]) -> dict[str, Any]:
    read = document.in_words(content)
    about = dict(read["about"])
    return {
        "incident": incident,
        "date": about.get("When"),
        "place": about.get("Where"),
        "point": about.get("Point"),
        "totals": [
            total
            for total in read["totals"]
            if any(total[bound] != document.NOT_KNOWN for bound in ("min", "best", "max"))
        ],
        "sources": list(
            dict.fromkeys(f"{claim['speaker']}, in {claim['outlet']}" for claim in read["claims"])
        ),
        "claims": len(read["claims"]),
        "victims": len(read["victims"]),
    }


def _frame(
    request: HttpRequest, incident: Incident, *, status: int = 200, **context: Any
) -> HttpResponse:
    return record_page(
        request,
        "admin/desk/merge.html",
        "Merge",
        incident,
        status=status,
        open_merges=merging.open_merges(incident, person(request)),
        **context,
    )


def undo_view(request: HttpRequest, incident_id: int, merge: uuid.UUID) -> HttpResponse:
    """A merge taken back before it was published. Its page is that of the record that stays."""
    user = person(request)
    incident = visible_or_404(user, incident_id)
    row = _merge_of(incident, merge, user)
    if not user.has_perm(merging.PERMISSION):
        raise PermissionDenied
    form = UndoForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            merging.undo(
                row.uuid, user, said["reason"], of=incident.uuid, revision=said["revision"]
            )
        except DomainError as refusal:
            refuse(form, refusal)
            status = 409 if isinstance(refusal, Conflict) else 200
            row.refresh_from_db()
        else:
            messages.success(request, f"The merge was undone: {row.source} has its parts again.")
            return HttpResponseRedirect(admin_url("incidents_incident_record", row.source_id))
    moved = moved_since(request, incident, form) if form.is_bound else []
    form.look_again(mark=mark(), revision=revision_of(incident))
    return record_page(
        request,
        "admin/desk/undo_merge.html",
        "Undo the merge",
        incident,
        status=status,
        merge=row,
        form=form,
        moved=moved,
        back=[(table.split("_")[1], len(ids)) for table, ids in row.moved.items() if ids],
        why_not=_why_not_undone(row),
        typed=form.data.get("reason", "") if form.is_bound else "",
    )


def _merge_of(incident: Incident, merge: uuid.UUID, user: User) -> Merge:
    visible = Incident.objects.visible_to(user)
    rows = Merge.objects.filter(uuid=merge, target=incident, source__in=visible)
    row = rows.select_related("source", "target", "actor").first()
    if row is None:
        raise Http404
    return row


def _why_not_undone(row: Merge) -> str:
    if row.undone_at is not None:
        return "The merge was undone already."
    if row.completed_seq is not None:
        return "The merge was published: correct the record instead."
    if row.target.state != State.DRAFT:
        return f"This record is {row.target.state}: have it returned before you undo the merge."
    return ""

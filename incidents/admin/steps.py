"""The pages on which a person takes a step of the workflow, and remarks on a record.

Whether a step may be taken is decided in :mod:`incidents.workflow` alone; these pages ask it.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from harmtracker.accounts.models import User
from harmtracker.accounts.typed import typed_in
from harmtracker.accounts.typed_page import typed_page
from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.admin_fields import ExactText
from harmtracker.errors import Conflict, DomainError
from harmtracker.history.acting import acting
from incidents import workflow
from incidents.choices import Verb
from incidents.desk.sides import difference, figures_in_words, last_published
from incidents.models import Incident, Review, ReviewComment
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.document import build_content

from .reading import what_leaves
from .record import revision_of, visible_or_404

MEANING = {
    Verb.SUBMIT: "The record goes to the verifiers. It is read-only until one of them returns it.",
    Verb.RETURN: "The record becomes a draft again, to be corrected. Say what is to be done.",
    Verb.VERIFY: "You confirm, as a second person, that the record is right as it stands below. "
    "It is published from exactly this.",
    Verb.PUBLISH: "What stands below goes out to everyone, and stays: later versions are added, "
    "none is taken back.",
    Verb.REOPEN: "A next version is worked on as a draft. The last one stays public until the next "
    "is published.",
    Verb.PROPOSE_RETRACTION: "You propose to withdraw the record. The reason is public. A second "
    "person confirms it, or publishes nothing.",
    Verb.RETRACT: "The record is withdrawn: its code stays, with the reason, and nothing else of "
    "its content.",
}
# The steps before which a person reads what leaves.
SHOWN = (Verb.VERIFY, Verb.PUBLISH)


def name_of(verb: Verb) -> str:
    return "Propose to retract" if verb == Verb.PROPOSE_RETRACTION else verb.label


def steps_of(incident: Incident, actor: User) -> list[dict[str, str]]:
    """Each step that the state allows: its address, or why this person may not take it."""
    return [
        {
            "name": name_of(verb),
            "url": "" if why_not else admin_url("incidents_incident_step", incident.pk, verb.value),
            "why_not": why_not,
        }
        for verb, why_not in workflow.possible_steps(incident, actor).items()
    ]


class StepForm(forms.Form):
    """What a person says with a step, and which revision they looked at."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    # Of the content that the page showed: that, and no other, is verified.
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, verb: Verb, incident: Incident, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        area = forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})
        if workflow.TRANSITIONS[verb].needs_reason:
            public = verb == Verb.PROPOSE_RETRACTION
            self.fields["reason"] = ExactText(
                widget=area, label="Public reason" if public else "Reason"
            )
        elif verb == Verb.PUBLISH:
            self.fields["note"] = ExactText(
                widget=area,
                label="Public note",
                required=incident.code is not None,
                help_text="What this version corrects. Not needed for the first one.",
            )
        elif verb == Verb.SUBMIT:
            self.fields["reason"] = ExactText(
                widget=area, label="Note for the verifiers", required=False
            )


def step_view(
    model_admin: ModelAdmin, request: HttpRequest, incident_id: int, verb: str
) -> HttpResponse:
    """GET says what the step will do; POST does it, or says in words why not."""
    incident = visible_or_404(person(request), incident_id)
    if not model_admin.has_view_permission(request, incident):
        raise PermissionDenied
    if verb not in Verb.values:
        raise Http404
    step = Verb(verb)
    status = 200
    form = StepForm(
        step, incident, request.POST or None, initial={"revision": revision_of(incident)}
    )
    if request.method == "POST" and form.is_valid():
        try:
            incident = workflow.take_step(
                step,
                incident_id=incident.pk,
                actor=person(request),
                revision=form.cleaned_data["revision"],
                reason=form.cleaned_data.get("reason", ""),
                note=form.cleaned_data.get("note", ""),
                seen_sha256=form.cleaned_data["seen"] or None,
            )
        except DomainError as refusal:
            form.add_error(None, in_words(refusal))
            status = 409 if isinstance(refusal, Conflict) else 200
            incident.refresh_from_db()
        else:
            messages.success(request, f"{name_of(step)}: {incident} is {incident.state} now.")
            return HttpResponseRedirect(admin_url("incidents_incident_change", incident.pk))
    possible = workflow.possible_steps(incident, person(request))
    content = _content_of(incident, step) if step in possible and step in SHOWN else None
    former = None if content is None else last_published(incident)
    found = None if content is None or former is None else difference(former, content)
    if content is not None and step == Verb.VERIFY and not form.is_bound:
        form.initial["seen"] = sha256(canonical(content))
    return TemplateResponse(
        request,
        "admin/incidents/step.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": name_of(step),
            "opts": model_admin.opts,
            "incident": incident,
            "form": form,
            "meaning": MEANING[step],
            "why_not": possible.get(step, f"The record is {incident.state}: not a step from here."),
            "proposal": workflow.latest_review(incident) if step == Verb.RETRACT else None,
            "leaves": None if content is None else what_leaves(content),
            "former": former,
            "found": found,
            "figures": [] if found is None else figures_in_words(found),
            "document": None
            if content is None
            else json.dumps(content, ensure_ascii=False, indent=2),
        },
        status=status,
    )


def _content_of(incident: Incident, step: Verb) -> dict[str, Any]:
    """What is to be verified; of a publication, what was."""
    review: Review | None = None
    if step == Verb.PUBLISH:
        review = workflow.live_verification(incident, revision_of(incident))
    if review is not None and review.content is not None:
        return json.loads(review.content)
    return build_content(incident.pk)


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

"""The page on which a person takes a step of the workflow.

Whether a step may be taken is decided in :mod:`incidents.workflow` alone; the page asks it, shows
what leaves with it, and says in words what was refused. What was typed stays.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from harmtracker.accounts.models import User
from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.errors import Conflict, DomainError, Invalid
from harmtracker.history.reading import Change, changes_in_words
from incidents import merging, redaction, warnings, workflow
from incidents.choices import State, Verb
from incidents.desk import leaving
from incidents.desk.since import changes_since, mark
from incidents.models import Incident
from incidents.publishing.canonical import sha256
from incidents.publishing.document import build_content

from .pages import record_page
from .record import revision_of, visible_or_404
from .step_forms import StepForm, fields_of, remark_rows

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


def name_of(verb: Verb) -> str:
    return "Propose to retract" if verb == Verb.PROPOSE_RETRACTION else verb.label


def steps_of(incident: Incident, actor: User) -> list[dict[str, str]]:
    """Each step that the state allows: its address, or why this person may not take it."""
    steps = [
        {
            "name": name_of(verb),
            "url": "" if why_not else admin_url("incidents_incident_step", incident.pk, verb.value),
            "why_not": why_not,
        }
        for verb, why_not in workflow.possible_steps(incident, actor).items()
    ]
    others = []
    if incident.code is not None and actor.has_perm(redaction.PERMISSION):
        others.append(("Take a text out", "incidents_incident_redact"))
    if incident.state != State.MERGED and actor.has_perm(merging.PERMISSION):
        others.append(("Merge", "incidents_incident_merge"))
    return steps + [
        {"name": name, "url": admin_url(address, incident.pk), "why_not": ""}
        for name, address in others
    ]


def step_view(
    model_admin: ModelAdmin, request: HttpRequest, incident_id: int, verb: str
) -> HttpResponse:
    """GET says what the step will do; POST does it, or says in words why not."""
    user = person(request)
    incident = visible_or_404(user, incident_id)
    if not model_admin.has_view_permission(request, incident):
        raise PermissionDenied
    if verb not in workflow.TRANSITIONS:
        raise Http404
    step = Verb(verb)
    data = request.POST if request.method == "POST" else None
    form = StepForm(request, step, incident, data)
    wants_rows = data is not None and "another" in data
    remarks = remark_rows(data, is_asked_for_more=wants_rows) if step == Verb.RETURN else None
    if data is None or wants_rows:
        # A page that is asked for more rows is no step, and says nothing of what is missing yet.
        return _page(request, step, incident, form, remarks, is_quiet=wants_rows)
    sound = [form.is_valid(), remarks is None or remarks.is_valid()]
    if not all(sound) or (step == Verb.PROPOSE_RETRACTION and not form.was_shown):
        return _page(request, step, incident, form, remarks)
    said = form.cleaned_data
    try:
        incident = workflow.take_step(
            step,
            incident_id=incident.pk,
            actor=user,
            revision=said["revision"],
            reason=said.get("reason", ""),
            note=said.get("note", ""),
            seen_sha256=said["seen"] or None,
            remarks=[] if remarks is None else remarks.remarks(),
        )
    except DomainError as refusal:
        refuse(form, refusal)
        incident.refresh_from_db()
        status = 409 if isinstance(refusal, Conflict) else 200
        return _page(request, step, incident, form, remarks, status=status)
    messages.success(request, f"{name_of(step)}: {incident} is {incident.state} now.")
    return HttpResponseRedirect(admin_url("incidents_incident_record", incident.pk))


def refuse(form: Any, refusal: DomainError) -> None:
    """Put a refusal where it belongs: at its field, else above the form."""
    fields = refusal.fields if isinstance(refusal, Invalid) else {}
    known = {name: said for name, said in fields.items() if name in form.fields}
    for name, said in known.items():
        for sentence in said:
            form.add_error(name, sentence)
    if not known:
        form.add_error(None, in_words(refusal))


def moved_since(request: HttpRequest, incident: Incident, form: Any) -> list[Change]:
    """What was changed since the page was opened that the form was sent from, in words."""
    said = getattr(form, "cleaned_data", {})
    since = said.get("mark")
    if since is None or said.get("revision") is None:
        return []
    changes = changes_in_words(changes_since(incident, since), request, admin.site)
    # A step says by itself what it moves.
    return [
        change
        for change in changes
        if any(moved.label not in ("state", "code") for moved in change.fields)
    ]


def _page(
    request: HttpRequest,
    step: Verb,
    incident: Incident,
    form: Any,
    remarks: Any,
    *,
    status: int = 200,
    is_quiet: bool = False,
) -> HttpResponse:
    possible = workflow.possible_steps(incident, person(request))
    why_not = possible.get(step, f"The record is {incident.state}: not a step from here.")
    reason = form.data.get("reason", "") if form.is_bound else ""
    go_along = 0
    if step == Verb.SUBMIT and not why_not:
        told = warnings.of_records([incident.pk], person(request))[incident.pk]
        go_along = sum(warned.is_open for warned in told)
    moved = [] if is_quiet or not form.is_bound else moved_since(request, incident, form)
    # The mark first: what comes after it may be on the page, and is told once more.
    now: dict[str, Any] = {"mark": mark(), "revision": revision_of(incident)}
    what = None
    if not why_not:
        what = leaving.before(step, incident, reason=reason)
        if step == Verb.VERIFY:
            now["seen"] = what.sha256
        if step == Verb.PROPOSE_RETRACTION and reason.strip():
            now["shown"] = sha256(reason)
    if not is_quiet:
        form.look_again(**now)
    return record_page(
        request,
        "admin/desk/step.html",
        name_of(step),
        incident,
        status=429 if form.too_many is not None else status,
        form=form,
        remarks=remarks,
        is_quiet=is_quiet,
        remark_fields=fields_of(build_content(incident.pk)) if remarks is not None else [],
        meaning=MEANING[step],
        go_along=go_along,
        why_not=why_not,
        typed=[
            (field.label, field.value())
            for field in form.visible_fields()
            if why_not and form.is_bound and field.name != "code" and field.value()
        ],
        proposal=workflow.latest_review(incident) if step == Verb.RETRACT else None,
        leaving=what,
        # What is public already is there to be looked up, not to be decided on.
        stays=step in (Verb.RETURN, Verb.REOPEN),
        # Nothing is read of a tombstone whose reason was not typed yet.
        is_shown=step != Verb.PROPOSE_RETRACTION or bool(reason.strip()),
        moved=moved,
        submit="See what would be served"
        if step == Verb.PROPOSE_RETRACTION and not reason.strip()
        else name_of(step),
    )

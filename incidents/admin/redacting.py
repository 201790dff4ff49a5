"""The page on which a name or a text is taken out of everything that was published.

What is looked for stands in the body of requests and on the page that answers them, and nowhere
else: in no address, no message, no report of an error.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from harmtracker.accounts.forms import FreshForm
from harmtracker.admin_base import admin_url, person
from harmtracker.admin_fields import ExactText
from harmtracker.errors import Conflict, DomainError
from incidents import redaction
from incidents.desk.redacting import SHOWN, after, held
from incidents.models import Incident
from incidents.redaction import Redacted

from .pages import record_page
from .record import visible_or_404
from .step_forms import LONGEST, area
from .steps import refuse

DONE = (
    "{values} {noun} taken out, of {entries} version(s). The team's own records and their history "
    "keep the text: mend the record where the next version must not hold it."
)


class LookForm(forms.Form):
    text = ExactText(
        max_length=LONGEST,
        label="Name or text",
        widget=area(2),
        help_text="Every published value that holds it goes whole. Case and accents do not matter.",
    )
    everywhere = forms.BooleanField(
        required=False, label="Out of every record, not of this one alone"
    )


class TakeOutForm(FreshForm):
    """What was looked for and how many values hold it, as the page showed them; and the reason."""

    text = ExactText(max_length=LONGEST, widget=forms.HiddenInput)
    everywhere = forms.BooleanField(required=False, widget=forms.HiddenInput)
    expected = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=10**9)
    public_reason = ExactText(
        max_length=1000,
        label="Public reason",
        widget=area(2),
        help_text="It leaves, the same for all of these values, and cannot repeat what is taken "
        "out.",
    )


@sensitive_variables()
@sensitive_post_parameters()
def redact_view(request: HttpRequest, incident_id: int) -> HttpResponse:
    """GET asks for the text; POST shows what holds it, and with ``sure`` takes it out."""
    user = person(request)
    incident = visible_or_404(user, incident_id)
    if not user.has_perm(redaction.PERMISSION):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, incident, LookForm())
    look = LookForm(request.POST)
    if not look.is_valid():
        return _page(request, incident, look)
    text, everywhere = look.cleaned_data["text"], look.cleaned_data["everywhere"]
    sent = request.POST if "sure" in request.POST else None
    form = TakeOutForm(request, sent, auto_id="take_%s")
    status = 200
    if form.is_bound and form.is_valid():
        reason, expected = form.cleaned_data["public_reason"], form.cleaned_data["expected"]
        try:
            done = redaction.redact(incident.pk, text, user, reason, expected, everywhere)
        except DomainError as refusal:
            refuse(form, refusal)
            status = 409 if isinstance(refusal, Conflict) else 200
        else:
            number = len(done.values)
            noun = "value was" if number == 1 else "values were"
            messages.success(
                request, DONE.format(values=number, noun=noun, entries=len(done.entries))
            )
            return HttpResponseRedirect(admin_url("incidents_incident_record", incident.pk))
    try:
        found = redaction.redact(incident.pk, text, user, "", None, everywhere, dry_run=True)
    except DomainError as refusal:
        refuse(look, refusal)
        return _page(request, incident, look)
    return _found(request, incident, look, form, found, status)


@sensitive_variables()
def _found(
    request: HttpRequest,
    incident: Incident,
    look: LookForm,
    form: TakeOutForm,
    found: Redacted,
    status: int,
) -> HttpResponse:
    text = look.cleaned_data["text"]
    now = {
        "text": text,
        "everywhere": "on" if look.cleaned_data["everywhere"] else "",
        "expected": str(len(found.values)),
    }
    reason = ""
    if form.is_bound:
        # QueryDict's own update would put a second value beside the first.
        data: Any = form.data
        form.data = data = data.copy()
        for name, value in now.items():
            data[name] = value
        reason = form.data.get("public_reason", "")
    else:
        form.initial.update(now)
    return _page(
        request,
        incident,
        look,
        status=429 if form.too_many is not None else status,
        form=form,
        found=found,
        values=held(found),
        not_shown=max(0, len(found.values) - SHOWN),
        elsewhere=sorted(found.elsewhere.items()),
        elsewhere_values=sum(found.elsewhere.values()),
        leaving=after(incident, text, reason) if found.values else None,
        is_shown=True,
    )


def _page(
    request: HttpRequest, incident: Incident, look: LookForm, *, status: int = 200, **context: Any
) -> HttpResponse:
    return record_page(
        request,
        "admin/desk/redact.html",
        "Take a text out",
        incident,
        status=status,
        look=look,
        **context,
    )

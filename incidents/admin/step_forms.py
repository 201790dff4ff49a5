"""What a person says with a step, and which state of the record they looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from harmtracker.accounts.forms import FreshForm
from harmtracker.admin_fields import ExactText
from incidents import workflow
from incidents.choices import Verb
from incidents.models import Incident
from incidents.publishing.canonical import sha256
from incidents.workflow import Remark

# They let something out, or take it back from the public: a lost laptop must not be enough.
NEED_A_CODE = (Verb.PUBLISH, Verb.RETRACT)
LARGEST = 2**63 - 1
# Empty rows for remarks on a page, and as many more when they are asked for.
ROWS = 3
MOST_ROWS = 100
LONGEST = 10_000


def area(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "class": "vLargeTextField", "dir": "auto"})


class Looked(forms.Form):
    """Which state of a record a page showed. It is put anew where the record has moved on."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=LARGEST)
    mark = forms.IntegerField(
        widget=forms.HiddenInput, min_value=0, max_value=LARGEST, required=False
    )

    def look_again(self, **now: Any) -> None:
        """Let what is sent next time be of what the page shows now; all that was typed stays."""
        if self.is_bound:
            data: Any = self.data
            data = data.copy()
            for name, value in now.items():
                data[self.add_prefix(name)] = str(value)
            self.data = data
        else:
            self.initial.update(now)


class StepForm(Looked, FreshForm):
    # Of the content that the page showed: that, and no other, is verified.
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    # Of the reason that the page showed as the public will read it.
    shown = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(
        self, request: HttpRequest, verb: Verb, incident: Incident, *args: Any, **kwargs: Any
    ) -> None:
        self.asks_for_code = verb in NEED_A_CODE
        super().__init__(request, *args, **kwargs)
        if workflow.TRANSITIONS[verb].needs_reason:
            is_public = verb == Verb.PROPOSE_RETRACTION
            self.fields["reason"] = ExactText(
                widget=area(),
                max_length=LONGEST,
                label="Public reason" if is_public else "Reason",
                help_text="It is all that the public will read of the record."
                if is_public
                else "For the team.",
            )
        elif verb == Verb.PUBLISH:
            self.fields["note"] = ExactText(
                widget=area(),
                max_length=LONGEST,
                label="Public note",
                required=incident.code is not None,
                help_text="What this version corrects; it leaves with it. Not needed for the "
                "first one.",
            )
        elif verb == Verb.SUBMIT:
            self.fields["reason"] = ExactText(
                widget=area(), max_length=LONGEST, label="Note for the verifiers", required=False
            )
        self.put_code_last()

    @property
    def was_shown(self) -> bool:
        """Whether the page showed this very reason as the public will read it."""
        shown = self.cleaned_data.get("shown")
        return bool(shown) and shown == sha256(self.cleaned_data.get("reason", ""))


class RemarkForm(forms.Form):
    """A remark on one field. A row that is left empty is none."""

    field = ExactText(
        max_length=200,
        label="Field or row",
        widget=forms.TextInput(attrs={"class": "vTextField", "list": "remark-fields"}),
    )
    text = ExactText(label="What is to be done", max_length=LONGEST, widget=area(2))


class _Remarks(forms.BaseFormSet):
    def clean(self) -> None:
        if self.total_form_count() > MOST_ROWS:
            raise ValidationError(f"At most {MOST_ROWS} remarks at once.")

    def remarks(self) -> list[Remark]:
        return [Remark(**form.cleaned_data) for form in self.forms if form.cleaned_data]


RemarkFormSet: Any = forms.formset_factory(
    RemarkForm, formset=_Remarks, extra=ROWS, max_num=MOST_ROWS, absolute_max=MOST_ROWS + ROWS
)


def remark_rows(data: Any, *, is_asked_for_more: bool) -> Any:
    """The rows as they were sent, with some more empty ones where these were asked for."""
    if data is None:
        return RemarkFormSet(prefix="remarks")
    if is_asked_for_more:
        data = data.copy()
        number = data.get("remarks-TOTAL_FORMS", "")
        sent = int(number) if number.isascii() and number.isdecimal() and len(number) < 5 else 0
        data["remarks-TOTAL_FORMS"] = str(min(sent + ROWS, MOST_ROWS))
    return RemarkFormSet(data, prefix="remarks")


def fields_of(content: dict[str, Any]) -> list[str]:
    """Names of what a remark may be on, for the list that opens as one types. Any other is good."""
    named = ["title", "summary", "date", "local time", "place", "place.point", "grading"]
    named += [f"count: {row['outcome']} {row['status']}" for row in content["casualties"]]
    named += [f"weapon: {row['label']}" for row in content["weapons"]]
    named += [f"involved: {row['actor']['name']}" for row in content["involvement"]]
    named += [f"victim {n}" for n, _row in enumerate(content["victims"], 1)]
    named += [
        f"claim {n}, {row['attributed_to']['name']}" for n, row in enumerate(content["claims"], 1)
    ]
    return list(dict.fromkeys(named))

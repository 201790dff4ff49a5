"""Imports of other datasets: what a verifier looks at, and the one decision on all the records.

Nothing goes round the workflow: each record takes the step by :mod:`incidents.importers.reviewing`,
a slice of them with each request, so that nobody waits for thousands.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms import HiddenInput
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.debug import sensitive_post_parameters

from harmtracker.accounts.forms import FreshForm
from harmtracker.accounts.models import User
from harmtracker.admin_base import ViewOnlyAdmin, admin_url, person
from harmtracker.admin_fields import ExactText
from harmtracker.errors import Conflict, DomainError
from incidents import warnings
from incidents.choices import BatchState, RowOutcome, State
from incidents.desk import document
from incidents.importers import file_sums, reviewing
from incidents.importers.reviewing import Slice
from incidents.models import ImportBatch, ImportedRow, Incident
from incidents.publishing.document import build_contents

from .pages import desk_page
from .step_forms import LONGEST, area
from .steps import refuse

SAMPLE = 10
LARGEST_SAMPLE = 50
REFUSED = 100
ROWS = 100
VERIFY, PUBLISH, RETURN = "verify", "publish", "return"
# Step -> the state of the batch, the states of the records that take it, and how many at once:
# together they take about a second.
TAKES: dict[str, tuple[tuple[BatchState, ...], tuple[State, ...], int]] = {
    VERIFY: ((BatchState.SUBMITTED,), (State.SUBMITTED,), 50),
    PUBLISH: ((BatchState.VERIFIED,), (State.VERIFIED,), 25),
    RETURN: (
        (BatchState.IMPORTING, BatchState.SUBMITTED, BatchState.VERIFIED),
        (State.SUBMITTED, State.VERIFIED),
        200,
    ),
}
NAMES = {VERIFY: "Verify", PUBLISH: "Publish", RETURN: "Return"}
MEANING = {
    VERIFY: "You confirm, as a second person, that every record of the import is right as it "
    "stands now. Nothing leaves the building yet: each is published from exactly this.",
    PUBLISH: "Every record of the import goes out to everyone, as it was verified, and stays.",
    RETURN: "Every record of the import that waits becomes a draft of its importer again. Nothing "
    "leaves the building.",
}


class DecisionForm(FreshForm):
    """What a person says of a whole import. ``seen`` names what they looked at."""

    seen = ExactText(max_length=64)

    def __init__(self, request: HttpRequest, step: str, *args: Any, **kwargs: Any) -> None:
        self.asks_for_code = step == PUBLISH
        super().__init__(request, *args, **kwargs)
        self.fields["seen"].widget = self.fields["seen"].hidden_widget()
        if step == RETURN:
            self.fields["reason"] = ExactText(
                widget=area(), max_length=LONGEST, label="Reason", help_text="For the importer."
            )
        elif step == VERIFY:
            self.fields["reason"] = ExactText(
                widget=area(),
                max_length=LONGEST,
                required=False,
                label="Why the open warnings may stand",
                help_text="It answers each of them, on its own record.",
            )
        self.put_code_last()


def steps_of(batch: ImportBatch, user: User) -> list[dict[str, str]]:
    """Each step that the state of an import allows: its address, or why this person may not."""
    steps = []
    for step, (states, _of, _most) in TAKES.items():
        if batch.state not in states:
            continue
        why_not = ""
        if not user.has_perm(f"incidents.{step}_incident"):
            why_not = f"You may not {step} imports."
        elif step != RETURN and batch.importer_id == user.pk:
            why_not = f"You imported it. {reviewing.FOUR_EYES}"
        address = admin_url("incidents_importbatch_decide", batch.pk, step)
        steps.append({"name": NAMES[step], "url": "" if why_not else address, "why_not": why_not})
    return steps


@admin.register(ImportBatch)
class ImportBatchAdmin(ViewOnlyAdmin):
    list_display = ["__str__", "dataset", "state", "importer", "started_at", "rows_by_outcome"]
    list_select_related = ["dataset", "importer"]
    list_filter = ["state"]
    search_fields = ["file_name"]
    ordering = ["-pk"]

    @admin.display(description="rows")
    def rows_by_outcome(self, batch: ImportBatch) -> str:
        return in_numbers(batch.counts, RowOutcome)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportBatch]:
        return reviewing.visible_to(person(request)).order_by(*self.ordering)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:batch_id>/rows/", wrap(rows_view), name="incidents_importbatch_rows"),
            path(
                "<int:batch_id>/decide/<slug:step>/",
                wrap(decide_view),
                name="incidents_importbatch_decide",
            ),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None:
            raise PermissionDenied
        return batch_view(request, object_id)


def _batch_or_404(request: HttpRequest, batch_id: Any) -> ImportBatch:
    if not request.user.has_perm("incidents.view_importbatch"):
        raise PermissionDenied
    try:
        return reviewing.visible_to(person(request)).get(pk=batch_id)
    except (ImportBatch.DoesNotExist, ValueError, OverflowError) as error:
        raise Http404 from error


def in_numbers(counts: dict[str, int], names: Any) -> str:
    """Such as "3 created, 1 refused", in the order of the choices."""
    said = [f"{counts[code]} {label.lower()}" for code, label in names.choices if counts.get(code)]
    return ", ".join(said) or "none"


def _page(
    request: HttpRequest, template: str, title: str, batch: ImportBatch, **context: Any
) -> HttpResponse:
    return desk_page(
        request,
        f"admin/desk/{template}.html",
        title,
        batch=batch,
        opts=ImportBatch._meta,
        **context,
    )


def batch_view(request: HttpRequest, batch_id: Any) -> HttpResponse:
    """Sums beside the file's own, what was refused and remarked on, and a sample drawn by a seed
    that is stated."""
    batch = _batch_or_404(request, batch_id)
    user = person(request)
    seed = _whole(request.GET.get("seed"), 0, (1 << 31) - 1, secrets.randbelow(1 << 31))
    size = _whole(request.GET.get("size"), 1, LARGEST_SAMPLE, SAMPLE)
    sums, states = file_sums.beside(batch), reviewing.states(batch)
    return _page(
        request,
        "import",
        str(batch),
        batch,
        steps=steps_of(batch, user),
        counts=[
            (label, batch.counts[code], code)
            for code, label in RowOutcome.choices
            if batch.counts.get(code)
        ],
        states=[
            (label, number, code) for code, label in State.choices if (number := states.get(code))
        ],
        years=sums[:-1],
        whole=sums[-1],
        remarks=reviewing.remarks(batch),
        refused=list(reviewing.rows(batch, RowOutcome.REFUSED)[:REFUSED]),
        seed=seed,
        size=size,
        sample=_drawn(batch, seed, size, user),
    )


def _whole(text: str | None, least: int, most: int, usual: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise BadRequest("This is no number.")
    number = int(text)
    if not least <= number <= most:
        raise BadRequest(f"It is a number from {least} to {most}.")
    return number


def _drawn(batch: ImportBatch, seed: int, size: int, user: User) -> list[dict[str, Any]]:
    rows = reviewing.drawn(batch, seed, size)
    ids = {row.claim.incident_id for row in rows if row.claim is not None}
    contents = build_contents(ids) if ids else {}
    visible = set(Incident.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))
    drawn = []
    for row in rows:
        incident = None if row.claim is None else row.claim.incident
        if incident is None or incident.pk not in visible:
            continue
        drawn.append(
            {
                "row": row,
                "incident": incident,
                "cells": _cells(batch, row),
                "read": document.in_words(contents[incident.pk]),
            }
        )
    return drawn


def _cells(batch: ImportBatch, row: ImportedRow) -> list[tuple[str, str]]:
    """The row as it stands in the file, by column, without what is empty."""
    return [
        (column, text)
        for column, text in zip(
            batch.columns, file_sums.cells_of(bytes(row.original)), strict=False
        )
        if text.strip()
    ]


def rows_view(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Row by row: what became of it, and where its record stands now."""
    batch = _batch_or_404(request, batch_id)
    user = person(request)
    rows = ImportedRow.objects.filter(batch=batch).select_related("incident").order_by("line")
    outcome, state = request.GET.get("outcome", ""), request.GET.get("state", "")
    is_warned = request.GET.get("warned") == "yes"
    if (outcome and outcome not in RowOutcome.values) or (state and state not in State.values):
        raise BadRequest("There is no such filter.")
    if outcome:
        rows = rows.filter(outcome=outcome)
    if state:
        rows = rows.filter(incident__in=Incident.objects.visible_to(user).filter(state=state))
    if is_warned:
        rows = rows.filter(incident__in=reviewing.with_warnings(batch, user))
    page = Paginator(rows.defer("original"), ROWS).get_page(request.GET.get("p", "1"))
    ids = {row.incident_id for row in page.object_list}
    visible = set(Incident.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))
    return _page(
        request,
        "import_rows",
        f"{batch}: row by row",
        batch,
        rows=[(row, row.incident_id in visible) for row in page.object_list],
        page=page,
        outcome=outcome,
        state=state,
        is_warned=is_warned,
        outcomes=RowOutcome.choices,
        states=State.choices,
    )


@sensitive_post_parameters("code")
def decide_view(request: HttpRequest, batch_id: int, step: str) -> HttpResponse:
    """GET says what will be done; each POST does it for the next slice, until there is none."""
    batch = _batch_or_404(request, batch_id)
    if step not in TAKES:
        raise Http404
    form = DecisionForm(request, step, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _decision(request, batch, step, form)
    states, most = TAKES[step][1:]
    some = Slice(states, most, form.cleaned_data["seen"])
    user = person(request)
    try:
        if step == VERIFY:
            batch = reviewing.verify(batch.uuid, user, form.cleaned_data["reason"], some=some)
        elif step == PUBLISH:
            batch = reviewing.publish(batch.uuid, user, some=some)
        else:
            batch = reviewing.give_back(batch.uuid, user, form.cleaned_data["reason"], some=some)
    except DomainError as refusal:
        refuse(form, refusal)
        batch.refresh_from_db()
        status = 409 if isinstance(refusal, Conflict) else 200
        return _decision(request, batch, step, form, status=status)
    if batch.state not in TAKES[step][0]:
        messages.success(request, f"{NAMES[step]}: {batch} is {batch.state} now.")
        return HttpResponseRedirect(admin_url("incidents_importbatch_change", batch.pk))
    return _decision(request, batch, step, form, goes_on=True)


def _warned(batch: ImportBatch, user: User) -> dict[str, Any]:
    """How many records that are to be verified have open warnings, and which these are."""
    found = reviewing.warnings_of(batch, user)
    return {
        "records": reviewing.with_warnings(batch, user).count(),
        "looked_at": reviewing.LOOKED_AT,
        "rules": [(warnings.RULES[rule].label, number) for rule, number in found.items()],
    }


def _decision(
    request: HttpRequest,
    batch: ImportBatch,
    step: str,
    form: Any,
    *,
    status: int = 200,
    goes_on: bool = False,
) -> HttpResponse:
    user = person(request)
    possible = {one["name"]: one["why_not"] for one in steps_of(batch, user)}
    why_not = possible.get(NAMES[step], f"The import is {batch.state}: not a step from here.")
    states = reviewing.states(batch)
    waiting = sum(states.get(state, 0) for state in TAKES[step][1])
    total = sum(states.values())
    if not form.is_bound:
        form.initial["seen"] = reviewing.fingerprint(batch)
    elif not goes_on:
        form.data = data = form.data.copy()
        data["seen"] = reviewing.fingerprint(batch)
    warned = _warned(batch, user) if step == VERIFY and not (goes_on or why_not) else {}
    typed = form.data.get("reason", "") if form.is_bound else ""
    if step == VERIFY and not (typed or form.errors or warned.get("records")):
        form.fields["reason"].widget = HiddenInput()
    # A code that has grown too old meanwhile is asked for before the next slice.
    needs_code = "code" in form.fields
    records = reviewing.records(batch)
    return _page(
        request,
        "import_decision",
        f"{NAMES[step]} an import",
        batch,
        status=429 if form.too_many is not None else status,
        form=form,
        step=step,
        name=NAMES[step],
        meaning=MEANING[step],
        why_not=why_not,
        waiting=waiting,
        total=total,
        done=total - waiting,
        states=in_numbers(states, State),
        is_begun=goes_on or 0 < waiting < total,
        goes_on=goes_on and not needs_code,
        first=records.filter(code=None, state__in=TAKES[step][1]).count(),
        again=records.exclude(code=None).filter(state__in=TAKES[step][1]).count(),
        whole=None if goes_on else file_sums.beside(batch)[-1],
        warned=warned,
        typed=typed,
    )

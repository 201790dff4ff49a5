"""What waits for a second person: submitted and verified records, the longest waiting first."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, DateTimeField, OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from harmtracker.admin_base import DeskAdmin, admin_url, in_words, person
from harmtracker.errors import DomainError
from incidents import warnings, workflow
from incidents.choices import Verb
from incidents.models import CasualtyCount, Incident, Review
from incidents.publishing.totals import Row, totals

from .reading import figures


class QueueActionForm(ActionForm):
    """A step for all that is ticked, with what the workflow asks to be said."""

    reason = forms.CharField(required=False, label="Reason (to return)", strip=False)
    note = forms.CharField(required=False, label="Public note (of a correction)", strip=False)


class QueueList(ChangeList):
    """The rows of one page, with what the database warns of in each: one query for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = warnings.of_records([incident.pk for incident in self.result_list])
        for incident in self.result_list:
            incident.warned = found[incident.pk]


class QueueAdmin(DeskAdmin):
    """A second list of incidents. It has no pages of its own: its rows open the record's."""

    list_display = [
        "title_or_code",
        "state",
        "waiting",
        "author",
        "at_work",
        "killed_civilians",
        "grading",
        "claim_number",
        "warned",
    ]
    list_display_links = None
    list_select_related = ["author", "revision", "assignment__person"]
    list_filter = ["state", "grading"]
    search_fields = ["title", "code"]
    ordering = ["submitted_at", "pk"]
    sortable_by = ()
    # None of them verifies: that is done on a page that shows what will leave.
    actions = ["publish", "send_back"]
    action_form = QueueActionForm
    change_list_template = "admin/incidents/queue.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        submitted = Review.objects.filter(incident=OuterRef("pk"), verb=Verb.SUBMIT)
        assessed = CasualtyCount.objects.filter(claim=None)
        return (
            Incident.objects.visible_to(person(request))
            .waiting_for_review()
            .annotate(
                submitted_at=Subquery(
                    submitted.order_by("-pk").values("at")[:1], output_field=DateTimeField()
                ),
                claim_number=Count("claims"),
            )
            .order_by("submitted_at", "pk")
            .prefetch_related(Prefetch("casualtycounts", assessed, to_attr="assessed_counts"))
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QueueList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("incidents.verify_incident")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_verify_permission(request):
            raise PermissionDenied
        return super().changelist_view(request, {"title": "Review queue", **(extra_context or {})})

    @admin.display(description="record")
    def title_or_code(self, incident: Incident) -> SafeString:
        address = admin_url("incidents_incident_record", incident.pk)
        return format_html('<a href="{}" dir="auto">{}</a>', address, str(incident))

    @admin.display(description="days waiting")
    def waiting(self, incident: Any) -> SafeString:
        since = incident.submitted_at
        days = (datetime.datetime.now(datetime.UTC) - since).days
        return format_html(
            '<span title="submitted {} UTC">{}</span>', f"{since:%Y-%m-%d %H:%M}", days
        )

    @admin.display(description="at work on it")
    def at_work(self, incident: Any) -> str:
        taken = getattr(incident, "assignment", None)
        return "nobody" if taken is None else str(taken.person)

    @admin.display(description="warnings")
    def warned(self, incident: Any) -> int:
        return len(incident.warned)

    @admin.display(description="claims")
    def claim_number(self, incident: Any) -> int:
        return incident.claim_number

    @admin.display(description="civilians killed")
    def killed_civilians(self, incident: Any) -> str:
        sums = totals(
            Row(
                count.outcome,
                count.status,
                count.role,
                count.sex,
                count.age_group,
                str(count.affiliation_id) if count.affiliation_id else None,
                count.min,
                count.best,
                count.max,
            )
            for count in incident.assessed_counts
        )
        if "killed" not in sums:
            return "none counted"
        total = sums["killed"]["civilian"]
        return figures(total.min, None, total.max)

    @admin.display(description="")
    def action_checkbox(self, obj: Incident) -> SafeString:
        # The revision that stands on this page: a step is taken on what was seen.
        return format_html(
            '{}<input type="hidden" name="seen-{}" value="{}">',
            super().action_checkbox(obj),
            obj.pk,
            obj.revision.number,
        )

    @admin.action(description="Publish", permissions=["verify"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._take(Verb.PUBLISH, request, queryset)

    @admin.action(description="Return to the author", permissions=["verify"])
    def send_back(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._take(Verb.RETURN, request, queryset)

    def _take(self, verb: Verb, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        """The step for each record by itself: one refusal does not hold up the others."""
        for incident in queryset:
            seen = request.POST.get(f"seen-{incident.pk}", "")
            if not seen.isdecimal():
                messages.error(request, f"{incident}: it was not on the page that you looked at.")
                continue
            try:
                workflow.take_step(
                    verb,
                    incident_id=incident.pk,
                    actor=person(request),
                    revision=int(seen),
                    reason=request.POST.get("reason", "") if verb == Verb.RETURN else "",
                    note=request.POST.get("note", "") if verb == Verb.PUBLISH else "",
                )
            except DomainError as refusal:
                messages.error(request, f"{incident}: {in_words(refusal)}")
            else:
                messages.success(request, f"{incident}: done ({verb.label.lower()}).")

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.errors import DomainError
from harmtracker.history.acting import acting
from incidents.models import Claim

from .record import PartAdmin, refuse_if_stale, revision_of
from .rows import CLAIM_ROWS


@admin.register(Claim)
class ClaimAdmin(PartAdmin):
    """What one source says, with its figures, weapons and actors."""

    list_display = ["__str__", "incident", "article", "kind", "credibility"]
    list_select_related = ["incident", "article", "attributed_outlet", "attributed_actor"]
    list_filter = ["kind", "credibility"]
    search_fields = ["paraphrase", "quotation", "article__title", "incident__code"]
    ordering = ["-pk"]
    autocomplete_fields = ["article", "attributed_outlet", "attributed_actor"]
    inlines = CLAIM_ROWS
    change_form_template = "admin/incidents/part_form.html"
    fieldsets = [
        ("Where it stands", {"fields": ["article", "locator"]}),
        ("Who speaks", {"fields": [("attributed_outlet", "attributed_actor"), "speaker"]}),
        ("What it says", {"fields": ["paraphrase", "quotation", ("kind", "credibility")]}),
        (
            "When and where, in its words",
            {"fields": [("date_said", "time_said"), "place_said", ("latitude", "longitude")]},
        ),
        ("Our remark", {"fields": ["note"]}),
    ]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["incident"] = self.incident_of(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_post_save_add(self, request: HttpRequest, obj: Claim) -> HttpResponseRedirect:
        return HttpResponseRedirect(admin_url("incidents_incident_change", obj.incident_id))

    response_post_save_change = response_post_save_add

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A claim of a draft that was never published may go, once nothing hangs on it."""
        return (
            obj is not None
            and request.user.has_perm("incidents.delete_claim")
            and obj.incident.code is None
            and self.has_change_permission(request, obj)
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page asks about the revision in its own address, and answers for that one alone."""
        claim = self.get_object(request, object_id)
        if claim is None:
            return self._get_obj_does_not_exist_redirect()
        if not self.has_delete_permission(request, claim):
            raise PermissionDenied
        here = admin_url("incidents_claim_delete", claim.pk, revision=revision_of(claim.incident))
        if request.method != "POST":
            if "revision" not in request.GET:
                return HttpResponseRedirect(here)
            return super().delete_view(request, object_id, extra_context)
        try:
            with acting(person(request), f"Removed the claim of {claim.article}"):
                refuse_if_stale(person(request), claim.incident_id, request.GET.get("revision", ""))
                return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            self.message_user(request, in_words(refusal), "ERROR")
            return HttpResponseRedirect(admin_url("incidents_claim_change", claim.pk))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        super().response_delete(request, obj_display, obj_id)
        return HttpResponseRedirect(admin_url("incidents_incident_changelist"))

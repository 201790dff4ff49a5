from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from harmtracker.admin_base import admin_url
from harmtracker.picking import Picks
from incidents.models import CasualtyCount
from incidents.picking import ACTOR

from .record import PartAdmin
from .rows import BasisRows, CountRows


@admin.register(CasualtyCount)
class CasualtyCountAdmin(Picks, PartAdmin):
    """One figure. Of our own the page says which claims it rests on.

    Figures are added on the page of their incident or claim.
    """

    list_display = ["__str__", "incident", "claim", "sex", "age_group", "qualifier"]
    list_select_related = [
        "incident",
        "claim__attributed_outlet",
        "claim__attributed_actor",
    ]
    list_filter = ["outcome", "status", "qualifier"]
    search_fields = ["reported_text", "incident__code", "incident__title"]
    ordering = ["-pk"]
    picks = {"affiliation": ACTOR}
    change_form_template = "admin/incidents/part_form.html"
    fieldsets = CountRows.fieldsets

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_inlines(self, request: HttpRequest, obj: CasualtyCount | None) -> list[Any]:
        return [BasisRows] if obj is not None and obj.claim_id is None else []

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["incident"] = obj.incident
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_post_save_change(
        self, request: HttpRequest, obj: CasualtyCount
    ) -> HttpResponseRedirect:
        if obj.claim_id is not None:
            return HttpResponseRedirect(admin_url("incidents_claim_change", obj.claim_id))
        return HttpResponseRedirect(admin_url("incidents_incident_change", obj.incident_id))

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.errors import DomainError
from harmtracker.history.acting import acting
from harmtracker.picking import Picks
from incidents.models import Claim, Incident
from incidents.picking import ACTOR
from sources.picking import ARTICLE, OUTLET

from .entering import EntersFigures, FiguresForm
from .record import PartAdmin, refuse_if_stale, revision_of
from .rows import CLAIM_ROWS, CLAIM_ROWS_TO_READ


class ClaimForm(FiguresForm):
    """The cursor waits where the person goes on: behind the article, where that is known."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and "article" in self.fields:
            first = "attributed_outlet" if self.initial.get("article") else "article"
            self.fields[first].widget.attrs["autofocus"] = True


@admin.register(Claim)
class ClaimAdmin(Picks, EntersFigures, PartAdmin):
    """What one source says, with its figures, weapons and actors."""

    form = ClaimForm
    picks = {"article": ARTICLE, "attributed_outlet": OUTLET, "attributed_actor": ACTOR}

    list_display = ["__str__", "incident", "article", "kind", "credibility"]
    list_select_related = ["incident", "article", "attributed_outlet", "attributed_actor"]
    list_filter = ["kind", "credibility"]
    search_fields = ["paraphrase", "quotation", "article__title", "incident__code"]
    ordering = ["-pk"]
    inlines = CLAIM_ROWS
    change_form_template = "admin/incidents/claim_form.html"
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

    def get_inlines(self, request: HttpRequest, obj: Claim | None) -> list[Any]:
        return CLAIM_ROWS if self.may_save(request, obj) else CLAIM_ROWS_TO_READ

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        incident = self.incident_of(request, obj)
        context |= {
            "incident": incident,
            "article_id": request.GET.get("article") if obj is None else obj.article_id,
            "claims": [] if incident is None else claims_so_far(incident),
            "may_save": self.may_save(request, obj),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_post_save_add(self, request: HttpRequest, obj: Claim) -> HttpResponseRedirect:
        if "_next" in request.POST:
            # The next claim of the same article, with the cursor where it was.
            return HttpResponseRedirect(
                admin_url("incidents_claim_add", incident=obj.incident_id, article=obj.article_id)
            )
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


def claims_so_far(incident: Incident) -> list[Claim]:
    """Of a record, to be shown beside the one that is being entered."""
    claims = incident.claims.select_related("attributed_outlet", "attributed_actor")
    return list(claims.order_by("pk"))

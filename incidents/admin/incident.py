from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.debug import sensitive_post_parameters

from harmtracker.admin_base import person
from harmtracker.codes import code_list
from harmtracker.picking import Picks
from incidents.models import Incident
from incidents.picking import DATASET, PLACE

from .differences import differences_view
from .entering import EntersFigures
from .from_article import from_article_view
from .hints import hints_view
from .map import map_to_pick
from .merging import merge_view, undo_view
from .overview import overview_view
from .queue import queue_view
from .reading import record_to_read
from .record import OfRecordAdmin
from .record_page import record_view
from .redacting import redact_view
from .remarks import CommentForm, comment_view, resolve_view
from .restoring import restore_view
from .rows import INCIDENT_ROWS
from .steps import step_view, steps_of
from .taking import release_view, take_view
from .timeline import timeline_view
from .warned import answer_view, withdraw_view

ONE = "<int:incident_id>/"
OF_ONE_RECORD: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("record", record_view, "record"),
    ("differences", differences_view, "differences"),
    ("timeline", timeline_view, "timeline"),
    ("timeline/<int:entry_id>/restore", restore_view, "restore"),
    ("take", take_view, "take"),
    ("release", release_view, "release"),
    ("redact", redact_view, "redact"),
    ("merge", merge_view, "merge"),
    ("merges/<uuid:merge>/undo", undo_view, "undo_merge"),
    ("warnings/<slug:warning>/answer", answer_view, "answer"),
    ("warnings/<slug:warning>/withdraw", withdraw_view, "withdraw"),
    ("comments", comment_view, "comment"),
    ("comments/<int:comment_id>/resolve", resolve_view, "resolve"),
]


@admin.register(Incident)
class IncidentAdmin(Picks, EntersFigures, OfRecordAdmin):
    """A record: entered while it is a draft, read in every other state."""

    list_display = ["__str__", "state", "date_edtf", "place", "grading", "author"]
    list_select_related = ["place", "author"]
    list_filter = ["state", "grading", "record_type"]
    search_fields = ["title", "code", "place__name"]
    ordering = ["-pk"]
    picks = {"place": PLACE, "dataset": DATASET}
    inlines = INCIDENT_ROWS
    change_form_template = "admin/incidents/incident_form.html"
    change_list_template = "admin/incidents/incident_list.html"
    fieldsets = [
        ("What happened", {"fields": ["title", "summary", ("record_type", "dataset")]}),
        (
            "When",
            {
                "fields": [
                    "date_edtf",
                    ("local_time", "local_time_end"),
                    ("time_kind", "utc_offset"),
                ]
            },
        ),
        (
            "Where",
            {
                "fields": [
                    "place",
                    ("latitude", "longitude"),
                    ("point_basis", "place_precision", "radius_m"),
                    "point_note",
                    "point_already_public",
                ]
            },
        ),
        ("How", {"fields": ["circumstances", "harm_reported"]}),
        ("Our judgement", {"fields": ["grading", "grading_rationale"]}),
        ("For the team", {"fields": ["internal_note"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        visible = Incident.objects.visible_to(person(request))
        return visible.order_by(*self.ordering)

    def incident_of(self, request: HttpRequest, obj: Incident | None) -> Incident | None:
        return obj if obj is not None and obj.pk is not None else None

    def incident_id_of(self, request: HttpRequest, object_id: str | None) -> Any:
        return object_id if object_id is not None and object_id.isdecimal() else None

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("queue/", wrap(queue_view), name="incidents_incident_queue"),
            path("enter/", wrap(from_article_view), name="incidents_incident_enter"),
            path("hints/<slug:kind>/", wrap(hints_view), name="incidents_incident_hints"),
            path("overview/", wrap(overview_view), name="incidents_incident_overview"),
            path(
                f"{ONE}step/<slug:verb>/",
                wrap(sensitive_post_parameters("code")(partial(step_view, self))),
                name="incidents_incident_step",
            ),
            *(
                path(f"{ONE}{address}/", wrap(view), name=f"incidents_incident_{name}")
                for address, view, name in OF_ONE_RECORD
            ),
            *super().get_urls(),
        ]

    def get_inlines(self, request: HttpRequest, obj: Incident | None) -> list[Any]:
        """Rows to edit on a draft. A record that is only read has them put together below."""
        return list(self.inlines) if self.may_save(request, obj) else []

    def get_fieldsets(self, request: HttpRequest, obj: Incident | None = None) -> list[Any]:
        fieldsets = super().get_fieldsets(request, obj)
        if self.may_save(request, obj):
            return fieldsets
        return [
            (name, {"fields": [_READ.get(f, f) if isinstance(f, str) else f for f in o["fields"]]})
            for name, o in fieldsets
        ]

    @admin.display(description="circumstances")
    def circumstances_in_words(self, incident: Incident) -> str:
        labels = code_list("circumstance")
        return ", ".join(labels[code].label for code in incident.circumstances)

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        if not change:
            obj.author = person(request)
        super().save_model(request, obj, form, change)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        may_save = self.may_save(request, obj)
        place = None if obj is None else obj.place
        context |= {"may_save": may_save, "map_pick": map_to_pick(place) if may_save else None}
        if obj is not None:
            user = person(request)
            context |= {
                "record": record_to_read(obj, user),
                "editable": self.has_change_permission(request, obj),
                "steps": steps_of(obj, user),
                "comment_form": CommentForm(auto_id="comment_%s")
                if user.has_perm("incidents.add_reviewcomment")
                else None,
                "may_resolve": user.has_perm("incidents.change_reviewcomment"),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)


# What a page that is only read shows in place of a field.
_READ = {"circumstances": "circumstances_in_words"}

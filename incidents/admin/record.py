"""What every page of a record does: it follows the record in who sees and who edits it, and it
refuses to overwrite what somebody else changed in the meantime."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from harmtracker.accounts.models import User
from harmtracker.admin_base import RecordAdmin, RecordForm, RowsInline, admin_url, person
from harmtracker.admin_keeping import LAID, MAX_ID
from harmtracker.errors import NotFound, Stale
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import latest_edit
from incidents.choices import State
from incidents.editing import lock
from incidents.models import Claim, Incident, IncidentRevision


def is_editable(user: User, incident: Incident) -> bool:
    return Incident.objects.editable_by(user).filter(pk=incident.pk).exists()


def visible_or_404(user: User, incident_id: Any) -> Incident:
    """A record that this person may know of. One that is not there is no different."""
    try:
        return Incident.objects.visible_to(user).get(pk=incident_id)
    except (Incident.DoesNotExist, ValueError) as error:
        raise Http404 from error


def revision_of(incident: Incident) -> int:
    return IncidentRevision.objects.get(incident=incident).number


def refuse_if_stale(user: User, incident_id: Any, revision: str) -> None:
    """Lock a record until the transaction ends; :class:`Conflict` where it was edited since.

    A record that this person may not see is left alone: the page has its own answer to that.
    """
    try:
        incident = lock(user, of_page=incident_id)
    except NotFound:
        return
    now = incident.revision.number
    if revision != str(now):
        edit = latest_edit(incident.pk)
        raise Stale(
            f"Nothing was saved: the record was edited after you opened this page ({edit}). {LAID}"
        )


class RevisionForm(RecordForm):
    """A form that carries the revision of the record that the person looks at."""

    revision = forms.CharField(widget=forms.HiddenInput, required=False)


class OfRecordAdmin(RecordAdmin):
    """A page on an incident or on something that hangs on it."""

    form = RevisionForm

    def incident_of(self, request: HttpRequest, obj: Any) -> Incident | None:
        """The record that the page belongs to; None while it is not there yet."""
        raise NotImplementedError

    def incident_id_of(self, request: HttpRequest, object_id: str | None) -> Any:
        raise NotImplementedError

    def reason_is_due(self, row: Any) -> bool:
        # A first draft is entered in many steps; a correction of what went out says why.
        incident = row if isinstance(row, Incident) or row is None else row.incident
        return incident is not None and incident.code is not None

    def fields_of_change(self, obj: Any) -> list[str]:
        return ["change_reason", "revision", "seen"]

    def page_history(
        self, request: HttpRequest, object_id: str | None
    ) -> QuerySet[HistoryEntry] | None:
        """Of the whole record: an edit of a part is one of the record."""
        incident_id = self.incident_id_of(request, object_id)
        if incident_id is None:
            return None
        return HistoryEntry.objects.filter(incident_id=min(int(incident_id), MAX_ID))

    def marks(self, request: HttpRequest, object_id: str | None) -> dict[str, str]:
        marks = super().marks(request, object_id)
        incident_id = self.incident_id_of(request, object_id)
        found = IncidentRevision.objects.filter(incident=incident_id).first()
        return {**marks, "revision": "" if found is None else str(found.number)}

    def is_stale(self, request: HttpRequest, marks: dict[str, str]) -> bool:
        return request.POST.get("revision", "") != marks["revision"]

    def why_closed(self, request: HttpRequest, row: Any) -> str:
        incident = self.incident_of(request, row)
        if incident is None or incident.state == State.DRAFT:
            return super().why_closed(request, row)
        way = "reopened" if incident.state in (State.PUBLISHED, State.RETRACTED) else "returned"
        return (
            f"the record is {incident.get_state_display().lower()} now, and only a draft is "
            f"edited. Have it {way} first."
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history of a record has one home: its timeline."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        incident = row if isinstance(row, Incident) else row.incident
        query = {} if row is incident else {"row": f"{self.opts.model_name}-{row.pk}"}
        return HttpResponseRedirect(admin_url("incidents_incident_timeline", incident.pk, **query))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        if getattr(request, "as_if_open", False):
            return True
        incident = None if obj is None else self.incident_of(request, obj)
        return incident is None or is_editable(person(request), incident)

    def check_before_saving(self, request: HttpRequest, object_id: str | None) -> None:
        incident_id = self.incident_id_of(request, object_id)
        if incident_id is not None:
            refuse_if_stale(person(request), incident_id, request.POST.get("revision", ""))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        for rows in context["inline_admin_formsets"]:
            # What stands there, or was typed and is not saved, is in sight.
            forms_here = rows.formset.forms
            if any(row.instance.pk or (row.is_bound and row.has_changed()) for row in forms_here):
                rows.classes = ""
        return super().render_change_form(request, context, *args, **kwargs)


class PartQuerySet:
    """For admins of rows with a column ``incident``: rows of visible records alone."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        queryset = super().get_queryset(request)  # type: ignore[misc]
        return queryset.filter(incident__in=Incident.objects.visible_to(person(request)))


class PartAdmin(PartQuerySet, OfRecordAdmin):
    """A page on something that hangs on a record. It is reached, and added, from the record."""

    def incident_of(self, request: HttpRequest, obj: Any) -> Incident | None:
        if obj is not None and obj.incident_id is not None:
            return obj.incident
        return getattr(request, "incident_of_page", None)

    def incident_id_of(self, request: HttpRequest, object_id: str | None) -> Any:
        if object_id is None:
            return request.incident_of_page.pk  # type: ignore[attr-defined]
        row = self.get_object(request, object_id)
        return None if row is None else row.incident_id

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        return {**super().get_model_perms(request), "add": False}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"has_add_permission": False, **(extra_context or {})}
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """``?incident=`` names the record, and nothing in the form can name another."""
        incident = visible_or_404(person(request), request.GET.get("incident"))
        if not is_editable(person(request), incident):
            raise PermissionDenied
        request.incident_of_page = incident  # type: ignore[attr-defined]
        return super().add_view(request, form_url, extra_context)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        row = super().save_form(request, form, change)
        if not change:
            row.incident = self.incident_of(request, None)
        return row

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        # What hangs on a part is of the same record.
        for row in formset.forms:
            row.instance.incident_id = form.instance.incident_id
        super().save_formset(request, form, formset, change)


# Classes of rows that are long and often not there: opened by a click, without JavaScript too.
FOLDED_WHILE_EMPTY = ("collapse",)


class RecordRows(RowsInline):
    """Rows on the page of a record, or of a part of one."""

    # One to fill in, and after it is saved the next: the button for more needs JavaScript.
    extra = 1
    # Claims and people of a record that was published are kept.
    kept_once_published = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm(f"{self.opts.app_label}.delete_{self.opts.model_name}")
        return may and not (self.kept_once_published and _has_code(obj))


def _has_code(obj: Model | None) -> bool:
    if isinstance(obj, Claim):
        obj = obj.incident
    return isinstance(obj, Incident) and obj.code is not None

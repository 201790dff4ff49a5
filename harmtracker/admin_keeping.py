"""Saving a page of the admin so that nothing that somebody typed is lost.

Where a page was edited by somebody else since it was opened, nothing is saved, and the form comes
back with both, side by side. Where it is closed by now, what was typed is shown, to be copied.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse

from harmtracker.accounts.entrance import acting_person
from harmtracker.accounts.typed import typed_in
from harmtracker.accounts.typed_page import typed_page
from harmtracker.errors import Conflict, DomainError, Stale
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import in_short
from harmtracker.side_by_side import (
    SHOWN,
    Laid,
    Line,
    SideBySide,
    Since,
    apply,
    carried,
    shown_before,
    undecided,
)

LAID = (
    "What you typed is in place, put together with what is stored now: look at both below. Saving "
    "goes on from there."
)
CHOOSE = "Choose, for each field that both of you changed, whose stands."
NOT_YET_SAVED = (
    "This is what you typed before. Nothing of it is saved yet: look at it, and save it. A file is "
    "chosen anew."
)
MAX_ID = 2**63 - 1


class NotYetSaved(DomainError):
    """Keeps a form from being saved that is only shown."""


def _with_former(laid: Laid, before: list[Line]) -> list[Line]:
    """The lines of now, and of an earlier time those that nobody has decided yet."""
    for line in before:
        line.name = laid.name_now(line.name)
    former = {line.name: line for line in before if line.kind == "both" and not line.chosen}
    # Typed since then, and not changed by others since then, is not decided yet.
    lines = [former.pop(line.name, line) if line.kind == "mine" else line for line in laid.lines]
    now = {line.name for line in lines}
    return [*lines, *(line for line in former.values() if line.name not in now)]


class NothingLost(admin.ModelAdmin):
    """For admins of records, whose forms are :class:`harmtracker.admin_base.RecordForm`."""

    # Fields that no page shows again, and that are typed anew.
    never_kept: tuple[str, ...] = ()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view = partial(super().changeform_view, request, object_id, form_url, extra_context)
        is_typed_again = getattr(request, "typed", None) is not None
        if request.method != "POST" and not is_typed_again:
            # Before the rows are read: what is edited in between counts as edited since.
            request.marks = self.marks(request, object_id)  # type: ignore[attr-defined]
            return view()
        sent = request.POST
        try:
            if is_typed_again:
                return self._show_typed(request, object_id, view)
            return self._save(request, object_id, view)
        except PermissionDenied:
            request.POST = sent
            closed = self._show_closed(request, object_id)
            if closed is None:
                raise
            return closed

    def _save(self, request: HttpRequest, object_id: str | None, view: Any) -> HttpResponse:
        lines = shown_before(request.POST)
        try:
            with acting(acting_person(request), request.POST.get("change_reason", "")):
                self.check_before_saving(request, object_id)
                if undecided(lines):
                    raise Conflict(CHOOSE)
                if lines:
                    request.POST = apply(lines, request.POST)  # type: ignore[assignment]
                return view()
        except Stale as refusal:
            # Nothing was stored. The same page again: its form, told of the refusal, says so
            # and keeps what was typed, beside what was stored meanwhile.
            laid = self._lay(request, object_id)
            more = "" if not undecided(laid.lines) else f" {CHOOSE}"
            request.refusal = Stale(f"{refusal.message}{more}")  # type: ignore[attr-defined]
        except DomainError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
            request.laid = Laid(request.POST, lines, [], {})  # type: ignore[attr-defined]
        return view()

    # --- What was typed, beside what was and what is ---

    def page_history(
        self, request: HttpRequest, object_id: str | None
    ) -> models.QuerySet[HistoryEntry] | None:
        """The changes that make a page stale; None where there is nothing to change yet."""
        if object_id is None or not object_id.isdecimal():
            return None
        return HistoryEntry.objects.filter(
            table_name=self.opts.db_table, row_id=min(int(object_id), MAX_ID)
        )

    def marks(self, request: HttpRequest, object_id: str | None) -> dict[str, str]:
        """What the hidden fields of a page say of when it was opened: the last change then."""
        entries = self.page_history(request, object_id)
        last = None if entries is None else entries.order_by("-id").values_list("id").first()
        return {"seen": str(last[0]) if last else "0"}

    def is_stale(self, request: HttpRequest, marks: dict[str, str]) -> bool:
        return request.POST.get("seen", "") != marks["seen"]

    def check_before_saving(self, request: HttpRequest, object_id: str | None) -> None:
        """Raise :class:`Stale` where what the person looked at is not there any more."""
        entries = self.page_history(request, object_id)
        if entries is None:
            return
        held = self.model._base_manager.select_for_update(no_key=True).filter(pk=object_id)
        if held.values_list("pk").first() is None:
            return
        if self.is_stale(request, self.marks(request, object_id)):
            last = entries.select_related("actor").order_by("-id").first()
            by = "" if last is None else f" ({last.actor} at {last.at:%Y-%m-%d %H:%M} UTC "
            by += "" if last is None else f"{in_short(last)})"
            raise Stale(f"Nothing was saved: it was edited after you opened this page{by}. {LAID}")

    def _lay(self, request: HttpRequest, object_id: str | None) -> Laid:
        """Put what was sent together with what is now; the form shows the outcome."""
        before = shown_before(request.POST)
        mine = apply(before, request.POST)
        marks = self.marks(request, object_id)
        entries = self.page_history(request, object_id)
        seen = mine.get("seen", "")
        since = Since(
            entries.filter(id__gt=min(int(seen), MAX_ID)).select_related("actor").order_by("id")
            if entries is not None and seen.isdecimal()
            else []
        )
        laid = Laid(mine.copy(), [], since.elsewhere(), {})
        if object_id is not None:
            method, request.method = request.method, "GET"
            try:
                page = self._page_now(request, object_id)
            finally:
                request.method = method
            if page is not None:
                laid = SideBySide(*page, mine, since, self.never_kept).lay()
        # Not with an operator: that is the dictionary's, which holds lists.
        for name, value in marks.items():
            laid.data[name] = value
        laid.lines = _with_former(laid, before)
        request.POST = laid.data  # type: ignore[assignment]
        request.laid = laid  # type: ignore[attr-defined]
        return laid

    def _page_now(self, request: HttpRequest, object_id: str) -> tuple[Any, list[Any]] | None:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return None
        fields = flatten_fieldsets(self.get_fieldsets(request, row))
        form: Any = self.get_form(request, row, change=True, fields=fields)
        form.sent = request.POST
        formsets, _ = self._create_formsets(request, row, change=True)  # type: ignore[attr-defined]
        return form(instance=row), formsets

    def _show_typed(self, request: HttpRequest, object_id: str | None, view: Any) -> HttpResponse:
        """The form filled with what was typed before, by a form that refuses to be saved."""
        request.method = "POST"
        if self.is_stale(request, self.marks(request, object_id)):
            self._lay(request, object_id)
        else:
            laid = Laid(request.POST, shown_before(request.POST), [], {})
            request.laid = laid  # type: ignore[attr-defined]
        request.refusal = NotYetSaved(NOT_YET_SAVED)  # type: ignore[attr-defined]
        request.typed_is_shown = True  # type: ignore[attr-defined]
        return view()

    def _show_closed(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """What was typed into a page that nobody, or not this person, saves any more."""
        typed = getattr(request, "typed", None) or typed_in(request)
        row = None if object_id is None else self.get_object(request, unquote(object_id))
        if typed is None or row is None or not self.has_view_permission(request, row):
            return None
        # For this comparison alone: nothing is saved by it.
        request.as_if_open = True  # type: ignore[attr-defined]
        try:
            laid = self._lay(request, object_id)
        finally:
            request.as_if_open = False  # type: ignore[attr-defined]
        return typed_page(
            request,
            typed,
            f"Nothing was saved: {self.why_closed(request, row)} What you typed stands here in "
            "full, to be copied.",
            status=403,
            way="copy",
            lines=laid.lines,
            elsewhere=laid.elsewhere,
            is_closed=True,
        )

    def why_closed(self, request: HttpRequest, row: Any) -> str:
        return "you may not change it, or not any more."

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        laid = getattr(request, "laid", None)
        if laid is not None and laid.lines:
            context |= {"lines": laid.lines, "shown_name": SHOWN, "shown": carried(laid.lines)}
        if laid is not None:
            context["elsewhere"] = laid.elsewhere
        if isinstance(getattr(request, "refusal", None), NotYetSaved):
            # Not an error to be corrected.
            context |= {"errors": None, "not_yet_saved": NOT_YET_SAVED}
        return super().render_change_form(request, context, add, change, form_url, obj)

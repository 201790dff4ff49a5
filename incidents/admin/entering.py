"""What the pages for entering share: the grid of figures, and reading before saving."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from harmtracker.errors import DomainError
from incidents.models import CasualtyCount, Claim, Incident

from .figures import WithFigures
from .record import RevisionForm


class OnlyRead(DomainError):
    """The person asked how the page is read: it is shown again, and nothing of it is stored."""


class FiguresForm(WithFigures, RevisionForm):
    """The form of a claim or an incident, with the grid of its figures."""


class EntersFigures:
    """Of an admin whose page has the grid, before the class that saves."""

    form: Any = FiguresForm

    def counts_on(self, obj: Any) -> list[CasualtyCount]:
        """The rows of the page: of a claim, or of our assessment."""
        if obj is None or obj.pk is None:
            return []
        if isinstance(obj, Claim):
            return list(obj.casualtycounts.all())
        return list(obj.casualtycounts.filter(claim=None))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        if self.may_save(request, obj):  # type: ignore[attr-defined]
            form.counts_of_page = self.counts_on(obj)
        return form

    def check_before_saving(self, request: HttpRequest, object_id: str | None) -> None:
        super().check_before_saving(request, object_id)  # type: ignore[misc]
        if "_read" in request.POST:
            raise OnlyRead("Nothing is saved yet.")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        row = form.instance
        is_claim = isinstance(row, Claim)
        incident: Incident = row.incident if is_claim else row
        form.save_figures(incident, row if is_claim else None)
        super().save_related(request, form, formsets, change)  # type: ignore[misc]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        form = context["adminform"].form
        context["tables"] = form.tables
        context["spare"] = form.spare
        if isinstance(getattr(request, "refusal", None), OnlyRead):
            asked = form.errors.pop("__all__", None)
            wrong = [each for each in context["errors"] if each and each is not asked]
            context["errors"] = wrong or None
            messages.info(
                request, "Nothing is saved yet. Each field says below itself how it is read."
            )
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

"""Who may see and edit which record, said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from .choices import State

if TYPE_CHECKING:
    from harmtracker.accounts.models import User


class IncidentQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> IncidentQuerySet:
        """Rows this person may know exist; anything else is a 404, never a 403."""
        if not user.is_active:
            return self.none()
        if user.has_perm("incidents.verify_incident"):
            return self
        if user.has_perm("incidents.submit_incident"):
            return self.filter(Q(author=user) | Q(code__isnull=False))
        return self.none()

    def editable_by(self, user: User) -> IncidentQuerySet:
        """Drafts that this person may change: their own, and reopened ones of anybody."""
        if not (user.is_active and user.has_perm("incidents.change_incident")):
            return self.none()
        return self.visible_to(user).filter(state=State.DRAFT)

    def waiting_for_review(self) -> IncidentQuerySet:
        return self.filter(state__in=[State.SUBMITTED, State.VERIFIED])

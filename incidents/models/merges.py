from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from .incidents import Incident


class Merge(models.Model):
    """That one record was entered twice: what hung on ``source`` hangs on ``target`` now.

    It is open until the target is published, which completes it, or until somebody undoes it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.ForeignKey(
        Incident,
        on_delete=models.PROTECT,
        related_name="merges_away",
        help_text="The duplicate, which ends.",
    )
    target = models.ForeignKey(
        Incident,
        on_delete=models.PROTECT,
        related_name="merges_in",
        help_text="The record that stays.",
    )
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(help_text="Why the two are one. For the team.")
    at = models.DateTimeField(db_default=Now())
    moved = models.JSONField(help_text="Table -> ids of the rows that were moved.")
    removed = models.JSONField(help_text="Table -> rows that were removed, as they were.")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    undone_reason = models.TextField(blank=True, help_text="Why it was undone.")
    completed_seq = models.BigIntegerField(
        null=True, help_text="Ledger position of the target's version that completed it."
    )
    # In which transactions parts may move, there and back. Set by the database.
    begun_in = models.BigIntegerField(default=0, editable=False)
    undone_in = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="incidents_merge_not_into_itself",
                condition=~Q(source=F("target")),
                violation_error_message="A record cannot be merged into itself.",
            ),
            models.CheckConstraint(
                name="incidents_merge_says_why",
                condition=~Q(reason="") & (Q(undone_at__isnull=True) | ~Q(undone_reason="")),
                violation_error_message="Say why.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} into {self.target}"

    @property
    def is_open(self) -> bool:
        return self.undone_at is None and self.completed_seq is None

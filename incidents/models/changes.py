"""What each ledger entry did, in a form that is given out as it stands."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from incidents.choices import ChangeKind

from .published import PENDING_KB


class PublishedChange(models.Model):
    """What one ledger entry did to its record: which figures moved, from what to what.

    It follows from the documents, and is written anew where values are taken out of one.
    """

    seq = models.PositiveBigIntegerField(
        primary_key=True, help_text="Position of the ledger entry."
    )
    kind = models.CharField(max_length=20, choices=ChangeKind)
    code = models.CharField(max_length=20)
    number = models.PositiveIntegerField(help_text="Of the version that came of it, or was cut.")
    change = models.TextField(help_text="Canonical JSON.")
    moved = ArrayField(
        models.CharField(max_length=60),
        default=list,
        help_text="Names of the figures and values that moved: killed_civilian_best, grading.",
    )
    renewed_at = models.DateTimeField(
        null=True, help_text="When last a redaction touched a version that it is made from."
    )

    class Meta:
        ordering = ["seq"]
        indexes = [
            models.Index(fields=["code", "seq"], name="change_by_code"),
            models.Index(fields=["kind", "seq"], name="change_by_kind"),
            GinIndex(fields=["moved"], name="change_by_moved", gin_pending_list_limit=PENDING_KB),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code} v{self.number}"

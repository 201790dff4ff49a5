from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from harmtracker.codes import CodeField

from .incidents import Incident


class WarningAnswer(models.Model):
    """Why a warning may stand, or that such an answer was withdrawn. Never changed, never removed.

    It holds for one warning as it stood: ``fingerprint`` is of the rows and figures behind it. Once
    these say something else, the warning is another one, and open.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="warning_answers")
    rule = CodeField("record_warning", help_text="Which warning.")
    fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of the rows and figures that the warning was about."
    )
    message = models.TextField(help_text="What the warning said then.")
    about = models.ForeignKey(
        Incident,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The other record that it was about: who may not see that, is not told of this.",
    )
    reason = models.TextField(help_text="Why the warning may stand; why the answer does not.")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    revision = models.PositiveBigIntegerField(help_text="The revision that was looked at.")
    withdraws = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="withdrawn_by",
        help_text="The answer that this row withdraws; none where it is an answer itself.",
    )

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["incident", "rule", "fingerprint"], name="answer_standing")]
        constraints = [
            models.CheckConstraint(
                name="incidents_warninganswer_says_why",
                condition=~Q(reason__regex=r"^\s*$"),
                violation_error_message="Say why.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.at:%Y-%m-%d}"

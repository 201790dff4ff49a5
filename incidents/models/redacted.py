from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .incidents import Incident


class RedactedText(models.Model):
    """A text that was taken out of what was published and may not leave again.

    For the team alone: no later version holds it. Never changed, never removed.
    """

    incident = models.ForeignKey(
        Incident,
        null=True,
        on_delete=models.PROTECT,
        related_name="redacted_texts",
        help_text="The record it may not leave in; none where it may leave in no record.",
    )
    text = models.TextField(help_text="What may not leave, without regard to case and accents.")
    reason = models.TextField(help_text="Why, as it was said in public.")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="incidents_redactedtext_is_a_text",
                condition=Q(text__regex=r"\S\s*\S"),
                violation_error_message="Name a text of two characters or more.",
            )
        ]

    def __str__(self) -> str:
        return f"A text of {self.incident or 'every record'}"

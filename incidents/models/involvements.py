from __future__ import annotations

from django.db import models

from harmtracker.codes import CodeField

from .actors import Actor
from .claims import ClaimedOrAssessed


class Involvement(ClaimedOrAssessed):
    """That an actor had a part in an incident, and how sure that is."""

    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="involvements")
    role = CodeField("involvement_role", help_text="What part the actor had.")
    certainty = CodeField("certainty", help_text="How sure that is.")
    alternative_group = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Rows with the same number are either/or: 'A or B', never both.",
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_involvement_once",
                fields=["incident", "claim", "actor", "role"],
                nulls_distinct=False,
                violation_error_message="This actor has this part already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.actor} ({self.role}, {self.certainty})"

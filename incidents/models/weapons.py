from __future__ import annotations

from django.db import models

from harmtracker.codes import CodeField

from .claims import ClaimedOrAssessed


class WeaponType(models.Model):
    """A means of harm, by the effect that hit the person. Two levels, loaded from a data file."""

    code = models.CharField(max_length=10, primary_key=True, help_text="Such as EXG or EXG-ART.")
    label = models.CharField(max_length=200, help_text="The term.")
    definition = models.TextField(blank=True, help_text="What it takes in.")
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="types", help_text="First level."
    )
    sdg_cause = models.PositiveSmallIntegerField(
        null=True, help_text="Cause of death in SDG indicator 16.1.2, 1 to 11."
    )
    acled_sub_event = models.CharField(max_length=100, null=True, help_text="ACLED's sub-event.")
    wide_area = models.BooleanField(null=True, help_text="Whether wide-area effects are likely.")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"


class WeaponUse(ClaimedOrAssessed):
    """A means of harm used in an incident, and how sure that is."""

    weapon = models.ForeignKey(WeaponType, on_delete=models.PROTECT, related_name="uses")
    certainty = CodeField("certainty", help_text="How sure that is.")
    platform = CodeField("platform", default="unknown", help_text="What it was fired from.")
    calibre_mm = models.DecimalField(
        max_digits=6, decimal_places=2, null=True, blank=True, help_text="Calibre in millimetres."
    )
    is_cluster = models.BooleanField(null=True, blank=True, help_text="Cluster munition.")
    is_thermobaric = models.BooleanField(null=True, blank=True, help_text="Thermobaric fill.")
    is_incendiary = models.BooleanField(null=True, blank=True, help_text="Incendiary fill.")
    alternative_group = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Rows with the same number are either/or: 'A or B', never both.",
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_weaponuse_once",
                fields=["incident", "claim", "weapon", "platform"],
                nulls_distinct=False,
                violation_error_message="This weapon is named already.",
            ),
            models.CheckConstraint(
                name="incidents_weaponuse_calibre_is_positive",
                condition=models.Q(calibre_mm__isnull=True) | models.Q(calibre_mm__gt=0),
                violation_error_message="A calibre is more than 0 mm.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weapon_id} ({self.certainty})"

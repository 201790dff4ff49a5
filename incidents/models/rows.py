"""Rows of the lists as tables have them: flat, typed, one table per list.

They follow from the documents like all of the index. What each column means stands in
``incidents/exports/columns.py``.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from harmtracker.codes import code_list

from .published import PublishedIncident

BOUNDS = ("min", "best", "max")


class TotalColumn(NamedTuple):
    """A column that holds one bound of one total."""

    name: str
    outcome: str
    bucket: str
    bound: str


class GroupColumn(NamedTuple):
    """A column that holds one bound of the persons of one sex and age, of every status."""

    name: str
    outcome: str
    group: str
    bound: str


# Group -> the sex and the age group of its persons.
GROUPS = {
    "women": ("female", "adult"),
    "men": ("male", "adult"),
    "girls": ("female", "child"),
    "boys": ("male", "child"),
    "children": ("all", "child"),
}


def total_columns(*outcomes: str) -> list[TotalColumn]:
    """Named as the filters of totals are, for each of the outcomes."""
    return [
        TotalColumn(f"{outcome}_{bucket}_{bound}", outcome, bucket, bound)
        for outcome, bucket, bound in product(outcomes, code_list("count_bucket"), BOUNDS)
    ]


INCIDENT_TOTALS = total_columns(*code_list("outcome"))
CLAIM_TOTALS = total_columns("killed", "injured")
INCIDENT_GROUPS = [
    GroupColumn(f"{outcome}_{group}_{bound}", outcome, group, bound)
    for outcome, group, bound in product(("killed", "injured"), GROUPS, ("min", "max"))
]


class PublishedIncidentRow(models.Model):
    """A version as one row: place and date flat, several codes in one text, a column per figure."""

    incident = models.OneToOneField(
        PublishedIncident,
        primary_key=True,
        db_column="seq",
        on_delete=models.CASCADE,
        related_name="row",
    )
    code = models.CharField(max_length=20)
    version = models.IntegerField()
    title = models.TextField(null=True)
    record_type = models.CharField(max_length=40)
    date_edtf = models.TextField(null=True)
    date_earliest = models.DateField(null=True)
    date_latest = models.DateField(null=True)
    date_precision = models.CharField(max_length=40, null=True)
    country = models.CharField(max_length=3, null=True)
    adm1_pcode = models.CharField(max_length=40, null=True)
    adm1_name = models.TextField(null=True)
    adm2_pcode = models.CharField(max_length=40, null=True)
    adm2_name = models.TextField(null=True)
    adm3_pcode = models.CharField(max_length=40, null=True)
    adm3_name = models.TextField(null=True)
    place_id = models.CharField(max_length=40, null=True)
    place_name = models.TextField(null=True)
    place_pcode = models.CharField(max_length=40, null=True)
    place_precision = models.CharField(max_length=40, null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    radius_m = models.IntegerField(null=True)
    on_grid = models.BooleanField(null=True)
    weapons = models.TextField(null=True)
    weapon_certainties = models.TextField(null=True)
    platforms = models.TextField(null=True)
    circumstances = models.TextField(null=True)
    alleged_perpetrators = models.TextField(null=True)
    grading = models.CharField(max_length=40)
    harm_reported = models.CharField(max_length=40)
    independent_sources = models.IntegerField()
    claim_count = models.IntegerField()
    datasets = models.TextField(null=True)
    external_ids = models.TextField(null=True)
    licence = models.TextField(null=True)
    licence_url = models.TextField(null=True)
    attribution = models.TextField(null=True)
    citation = models.TextField(null=True)
    published_at = models.CharField(max_length=40, help_text="As the document writes it, UTC.")

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class PublishedCasualty(models.Model):
    """One assessed count row of a version."""

    incident = models.ForeignKey(
        PublishedIncident, on_delete=models.CASCADE, related_name="casualties"
    )
    position = models.PositiveIntegerField(help_text="Place in the document's list, from 0.")
    outcome = models.CharField(max_length=40)
    status = models.CharField(max_length=40)
    bucket = models.CharField(max_length=40)
    role = models.CharField(max_length=40)
    sex = models.CharField(max_length=40)
    age_group = models.CharField(max_length=40)
    affiliation = models.CharField(max_length=40, null=True, help_text="Id of the actor.")
    affiliation_keys = ArrayField(
        models.CharField(max_length=40),
        default=list,
        help_text="Its id, and those of what it is part of.",
    )
    affiliation_name = models.TextField(null=True)
    min = models.PositiveIntegerField(null=True)
    best = models.PositiveIntegerField(null=True)
    max = models.PositiveIntegerField(null=True)
    qualifier = models.CharField(max_length=40)
    reported_text = models.TextField(null=True)
    is_whole = models.BooleanField(
        help_text="Of all sexes, ages and affiliations, and part of no other row of its outcome "
        "and bucket: such rows of one bucket share nobody."
    )

    class Meta:
        verbose_name_plural = "published casualties"
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedcasualty_once", fields=["incident", "position"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.status}"


class PublishedVictim(models.Model):
    """One person of a version, as it left."""

    incident = models.ForeignKey(
        PublishedIncident, on_delete=models.CASCADE, related_name="victims"
    )
    position = models.PositiveIntegerField(help_text="Place in the document's list, from 0.")
    outcome = models.CharField(max_length=40)
    status = models.CharField(max_length=40)
    role = models.CharField(max_length=40)
    sex = models.CharField(max_length=40)
    age_group = models.CharField(max_length=40)
    names = ArrayField(models.CharField(max_length=200), null=True)
    age = models.FloatField(null=True)
    consent_basis = models.CharField(max_length=40, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedvictim_once", fields=["incident", "position"]
            ),
            models.CheckConstraint(
                name="incidents_publishedvictim_name_has_consent",
                condition=Q(names__isnull=True) | Q(consent_basis__isnull=False),
                violation_error_message="A name leaves only with a basis of consent.",
            ),
            models.CheckConstraint(
                name="incidents_publishedvictim_age_has_consent",
                condition=Q(age__isnull=True) | Q(consent_basis__isnull=False),
                violation_error_message="An age in years leaves only with a basis of consent.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.age_group}"


class PublishedClaim(models.Model):
    """One claim of a version: who says what, where, of what kind, and what it says in numbers."""

    incident = models.ForeignKey(PublishedIncident, on_delete=models.CASCADE, related_name="claims")
    position = models.PositiveIntegerField(help_text="Place in the document's list, from 0.")
    claim = models.CharField(max_length=40, help_text="Id of the claim, the same in all versions.")
    article = models.CharField(max_length=40, help_text="Id of the article.")
    article_title = models.TextField(null=True)
    article_url = models.TextField(null=True)
    article_published = models.TextField(null=True)
    article_language = models.TextField(null=True)
    archived = models.BooleanField(default=False)
    archive_url = models.TextField(null=True)
    outlet = models.CharField(max_length=40, help_text="Id of the outlet.")
    outlet_name = models.TextField(null=True)
    attributed_to = models.CharField(max_length=40, help_text="Id of the outlet or actor.")
    attributed_to_type = models.CharField(max_length=10)
    attributed_to_name = models.TextField(null=True)
    speaker = models.TextField(null=True)
    independence_group = models.TextField(null=True)
    kind = models.CharField(max_length=40)
    credibility = models.CharField(max_length=40)
    date_said = models.TextField(null=True)
    time_said = models.TextField(null=True)
    place_said = models.TextField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    paraphrase = models.TextField(null=True)
    quotation = models.TextField(null=True)
    locator = models.TextField(null=True)
    note = models.TextField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedclaim_once", fields=["incident", "position"]
            )
        ]

    def __str__(self) -> str:
        return self.claim


# A column per figure. What they are is said once, by the code lists.
for _name, *_ in (*INCIDENT_TOTALS, *INCIDENT_GROUPS):
    PublishedIncidentRow.add_to_class(_name, models.IntegerField(null=True))
for _name, *_ in CLAIM_TOTALS:
    PublishedClaim.add_to_class(_name, models.IntegerField(null=True))

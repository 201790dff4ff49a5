"""What totals over incidents add up, and what they are grouped by.

All of it follows from the documents like the rest of the index: figures as the document's totals
have them, a row for each outcome, with the keys of the groups beside them, so that a total reads
one narrow table.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from harmtracker.codes import code_list

from .published import PublishedIncident
from .rows import BOUNDS

BUCKETS = ("civilian", "uncertain", "protected", "combatant", "all")
assert {*BUCKETS} == {*code_list("count_bucket")}  # noqa: S101  (in the order of totals)


class PublishedTally(models.Model):
    """One outcome of one version: its figures in each bucket. Without any count: one row for it.

    It was the current version from ledger position ``valid_from`` until before ``valid_until``.
    """

    incident = models.ForeignKey(
        PublishedIncident, on_delete=models.CASCADE, related_name="tallies", db_index=False
    )
    outcome = models.CharField(max_length=40, null=True, help_text="Null: it counts nobody.")
    first = models.BooleanField(help_text="One row of each version is: counted, they are versions.")
    valid_from = models.BigIntegerField()
    valid_until = models.BigIntegerField(null=True)
    left_out = models.CharField(
        max_length=20, null=True, help_text="Why it is in no total: aggregate_count or duplicate."
    )
    ended_by = models.CharField(
        max_length=20, null=True, help_text="retracted or merged, where that closed it."
    )
    date_earliest = models.DateField(null=True)
    date_latest = models.DateField(null=True)
    month_from = models.IntegerField(null=True, help_text="Months since the year 0.")
    month_until = models.IntegerField(null=True)
    week_from = models.IntegerField(null=True, help_text="Weeks since Monday, 0001-01-01.")
    week_until = models.IntegerField(null=True)
    country = models.CharField(max_length=3, null=True)
    adm1 = models.CharField(max_length=40, null=True, help_text="P-code, or id where it has none.")
    adm2 = models.CharField(max_length=40, null=True)
    adm3 = models.CharField(max_length=40, null=True)
    place = models.CharField(max_length=40, null=True)
    grading = models.CharField(max_length=40)
    from_parts = models.BooleanField(
        help_text="Whether the civilian or the uncertain figure of the outcome is the lower bound "
        "that parts without a whole give."
    )

    class Meta:
        verbose_name_plural = "published tallies"
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedtally_once",
                fields=["incident", "outcome"],
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                name="incidents_publishedtally_one_first",
                fields=["incident"],
                condition=Q(first=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["left_out"], name="tally_left_out", condition=Q(left_out__isnull=False)
            ),
            models.Index(
                fields=["ended_by"], name="tally_ended", condition=Q(ended_by__isnull=False)
            ),
            models.Index(
                fields=["valid_until"], name="tally_by_end", condition=Q(valid_until__isnull=False)
            ),
            models.Index(
                fields=["month_until"],
                name="tally_open_beginning",
                condition=Q(month_from__isnull=True, month_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.outcome)


# Of each bucket whether any count row is of it, and its figures.
for _bucket in BUCKETS:
    PublishedTally.add_to_class(f"{_bucket}_given", models.BooleanField(default=False))
    for _bound in BOUNDS:
        PublishedTally.add_to_class(f"{_bucket}_{_bound}", models.IntegerField(null=True))


class PublishedPart(models.Model):
    """What a version counts of some persons: of one sex, say, or of one sex and age.

    ``dimensions`` says which of the columns make the group; with all of these null it is the rest
    of the whole.
    """

    incident = models.ForeignKey(
        PublishedIncident, on_delete=models.CASCADE, related_name="parts", db_index=False
    )
    dimensions = models.CharField(max_length=60, help_text="Names of columns, with spaces between.")
    outcome = models.CharField(max_length=40)
    bucket = models.CharField(max_length=40)
    status = models.CharField(max_length=40, null=True)
    role = models.CharField(max_length=40, null=True)
    sex = models.CharField(max_length=40, null=True)
    age_group = models.CharField(max_length=40, null=True)
    affiliation = models.CharField(max_length=40, null=True, help_text="Id of the actor.")
    min = models.IntegerField(null=True)
    best = models.IntegerField(null=True)
    max = models.IntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedpart_once",
                fields=[
                    "incident",
                    "dimensions",
                    "outcome",
                    "bucket",
                    "status",
                    "role",
                    "sex",
                    "age_group",
                    "affiliation",
                ],
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.dimensions}"


class PublishedGroupValue(models.Model):
    """A value of what an incident may have several of: weapons, actors, datasets."""

    incident = models.ForeignKey(
        PublishedIncident, on_delete=models.CASCADE, related_name="group_values", db_index=False
    )
    dimension = models.CharField(max_length=20, help_text="weapon, weapon_group, actor or dataset.")
    value = models.CharField(max_length=240)
    role = models.CharField(max_length=40, null=True, help_text="Of an actor's involvement.")
    certainty = models.CharField(max_length=40, null=True, help_text="Of that, or of the weapon.")
    is_alternative = models.BooleanField(help_text="Whether it is this one or another.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedgroupvalue_once",
                fields=["incident", "dimension", "value", "role", "certainty"],
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.value}"

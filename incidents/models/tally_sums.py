"""What the tally comes to by time, province and outcome, now."""

from __future__ import annotations

from django.db import models

from .rows import BOUNDS

# The buckets that every answer of totals has, side by side.
SIDE_BY_SIDE = ("civilian", "uncertain")
# What a row is the sum of: columns of the tally.
CELL = ("left_out", "month_from", "month_until", "country", "adm1", "outcome")


class PublishedTallySum(models.Model):
    """Current rows of the tally of one time, province and outcome, added up. Triggers of the tally
    write it, and nobody else: whoever reads both in one statement has them as of one position."""

    left_out = models.CharField(max_length=20, null=True)
    month_from = models.IntegerField(null=True)
    month_until = models.IntegerField(null=True)
    country = models.CharField(max_length=3, null=True)
    adm1 = models.CharField(max_length=40, null=True)
    outcome = models.CharField(max_length=40, null=True)
    rows = models.IntegerField()
    incidents = models.IntegerField(help_text="Rows that are the first of their version.")
    from_parts = models.IntegerField(help_text="Rows with a lower bound of parts alone.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedtallysum_once", fields=CELL, nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.rows} rows"


# Of each bucket how many rows have a count row of it, how many know each bound, and the sums.
for _bucket in SIDE_BY_SIDE:
    PublishedTallySum.add_to_class(f"{_bucket}_n", models.IntegerField())
    for _bound in BOUNDS:
        PublishedTallySum.add_to_class(f"{_bucket}_count_{_bound}", models.IntegerField())
        PublishedTallySum.add_to_class(f"{_bucket}_sum_{_bound}", models.BigIntegerField())

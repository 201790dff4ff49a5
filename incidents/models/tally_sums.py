"""What the tally comes to by time, place and outcome, now. Two tables: a sum by province is made of
so many rows that whoever does not ask by province had better not read them."""

from __future__ import annotations

from django.db import models

from .rows import BOUNDS

# The buckets that every answer of totals has, side by side.
SIDE_BY_SIDE = ("civilian", "uncertain")
# What a row is the sum of: columns of the tally.
CELL = ("left_out", "month_from", "month_until", "country", "outcome")
CELL_OF_ADM1 = ("month_from", "month_until", "country", "adm1", "outcome")


class KeptSum(models.Model):
    """Current rows of the tally, added up. Triggers of the tally write it, and nobody else: whoever
    reads both in one statement has them as of one position."""

    month_from = models.IntegerField(null=True)
    month_until = models.IntegerField(null=True)
    country = models.CharField(max_length=3, null=True)
    outcome = models.CharField(max_length=40, null=True)
    rows = models.IntegerField()
    incidents = models.IntegerField(help_text="Rows that are the first of their version.")
    from_parts = models.IntegerField(help_text="Rows with a lower bound of parts alone.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.rows} rows"


class PublishedTallySum(KeptSum):
    """Those of one time, country and outcome, with those that are in no total."""

    left_out = models.CharField(max_length=20, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedtallysum_once", fields=CELL, nulls_distinct=False
            )
        ]


class PublishedAdm1Sum(KeptSum):
    """Those of one time, province and outcome that count."""

    adm1 = models.CharField(max_length=40, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedadm1sum_once", fields=CELL_OF_ADM1, nulls_distinct=False
            )
        ]


# Of each bucket how many rows have a count row of it, how many know each bound, and the sums.
for _model in (PublishedTallySum, PublishedAdm1Sum):
    for _bucket in SIDE_BY_SIDE:
        _model.add_to_class(f"{_bucket}_n", models.IntegerField())
        for _bound in BOUNDS:
            _model.add_to_class(f"{_bucket}_count_{_bound}", models.IntegerField())
            _model.add_to_class(f"{_bucket}_sum_{_bound}", models.BigIntegerField())

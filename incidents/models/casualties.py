from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from harmtracker.codes import CodeField
from incidents.choices import Bound

from .actors import Actor
from .claims import Claim, ClaimedOrAssessed
from .incidents import Incident
from .parts import part_id

NONE = Q(min__isnull=True, best__isnull=True, max__isnull=True)


class CasualtyCount(ClaimedOrAssessed):
    """How many people of one group were harmed in one way, as a range of whole persons.

    NULL is not known, 0 is that a source says none. A row with ``all`` in every dimension is a
    whole, a narrower row is a part of it; parts are never added to their whole.
    """

    outcome = CodeField("outcome", help_text="What happened to them.")
    status = CodeField("person_status", help_text="Who they were in the conflict.")
    role = CodeField(
        "person_role", default="all", help_text="What they did; explains, never counts."
    )
    sex = CodeField("sex", default="all", help_text="Their sex.")
    age_group = CodeField("age_group", default="all", help_text="Their age at the incident.")
    affiliation = models.ForeignKey(
        Actor,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The party they belonged to; none where the row is of all of them.",
    )
    min = models.PositiveIntegerField(null=True, blank=True, help_text="At least so many persons.")
    best = models.PositiveIntegerField(null=True, blank=True, help_text="The best figure.")
    max = models.PositiveIntegerField(null=True, blank=True, help_text="At most so many persons.")
    qualifier = CodeField("count_qualifier", help_text="How the figures are meant.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_casualtycount_of_incident", fields=["id", "incident"]
            ),
            models.UniqueConstraint(
                name="incidents_casualtycount_one_row_per_group",
                fields=[
                    "incident",
                    "claim",
                    "outcome",
                    "status",
                    "role",
                    "sex",
                    "age_group",
                    "affiliation",
                ],
                nulls_distinct=False,
                violation_error_message="This group has a count already.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_min_lte_best",
                condition=Q(min__isnull=True) | Q(best__isnull=True) | Q(min__lte=F("best")),
                violation_error_message="The minimum cannot exceed the best figure.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_best_lte_max",
                condition=Q(best__isnull=True) | Q(max__isnull=True) | Q(best__lte=F("max")),
                violation_error_message="The best figure cannot exceed the maximum.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_min_lte_max",
                condition=Q(min__isnull=True) | Q(max__isnull=True) | Q(min__lte=F("max")),
                violation_error_message="The minimum cannot exceed the maximum.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_exact_is_one_number",
                condition=~Q(qualifier="exact")
                | Q(
                    min__isnull=False,
                    best__isnull=False,
                    max__isnull=False,
                    min=F("best"),
                    max=F("best"),
                ),
                violation_error_message="An exact count has the same minimum, best and maximum.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_at_least_has_no_max",
                condition=~Q(qualifier="at_least") | Q(max__isnull=True, min__isnull=False),
                violation_error_message="'At least' has a minimum and no maximum.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_at_most_has_no_min",
                condition=~Q(qualifier="at_most") | Q(min__isnull=True, max__isnull=False),
                violation_error_message="'At most' has a maximum and no minimum.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_range_has_both_ends",
                condition=~Q(qualifier="range") | Q(min__isnull=False, max__isnull=False),
                violation_error_message="A range has a minimum and a maximum.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_approximate_has_a_number",
                condition=~Q(qualifier="approximate") | ~NONE,
                violation_error_message="An approximate count has a number.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_unknown_has_no_number",
                condition=~Q(qualifier__in=["unknown", "unquantified"]) | NONE,
                violation_error_message="A count that is not known has no number.",
            ),
            models.CheckConstraint(
                name="incidents_casualtycount_unquantified_keeps_words",
                condition=~Q(qualifier="unquantified") | ~Q(reported_text=""),
                violation_error_message="Keep the source's words, such as 'dozens'.",
            ),
        ]

    def __str__(self) -> str:
        figures = "/".join("?" if n is None else str(n) for n in (self.min, self.best, self.max))
        return f"{self.outcome} {self.status} {figures}"


class CountBasis(models.Model):
    """That a claim sets a bound of an assessed count, or why its figure was left out."""

    uuid = part_id()
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="bases")
    count = models.ForeignKey(CasualtyCount, on_delete=models.PROTECT, related_name="basis")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="basis_of")
    bound = CodeField("basis_bound", help_text="The bound that the claim sets, or left_out.")
    reason = models.CharField(
        max_length=1000, blank=True, help_text="Why; needed where a figure was left out. Public."
    )

    class Meta:
        verbose_name_plural = "count bases"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_countbasis_once",
                fields=["count", "claim", "bound"],
                violation_error_message="This claim is named for this bound already.",
            ),
            models.CheckConstraint(
                name="incidents_countbasis_left_out_says_why",
                condition=~Q(bound=Bound.LEFT_OUT) | ~Q(reason=""),
                violation_error_message="Say why the figure was left out.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bound}: {self.claim}"

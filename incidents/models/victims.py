from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from harmtracker.codes import CodeField

from .claims import Claim
from .incidents import Incident


class Victim(models.Model):
    """One person who was harmed. A name leaves only with a recorded basis of consent."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="victims")
    names = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Names in any script. Public only with a basis of consent.",
    )
    age = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Years at the incident. Public only with a basis of consent.",
    )
    age_group = CodeField("age_group", default="unknown", help_text="Age group at the incident.")
    sex = CodeField("sex", default="unknown", help_text="Sex.")
    status = CodeField("person_status", default="unknown", help_text="Who the person was.")
    role = CodeField("person_role", default="unknown", help_text="What the person did.")
    outcome = CodeField("outcome", help_text="What happened to the person.")
    consent_basis = CodeField(
        "consent_basis",
        null=True,
        blank=True,
        help_text="Why the name may leave; without it, it never does.",
    )
    note = models.TextField(blank=True, help_text="For the team alone; never published.")
    claims = models.ManyToManyField(Claim, through="VictimClaim", related_name="victims")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="incidents_victim_of_incident", fields=["id", "incident"]),
            models.CheckConstraint(
                name="incidents_victim_age_is_human",
                condition=Q(age__isnull=True) | Q(age__gte=0, age__lte=130),
                violation_error_message="An age lies between 0 and 130 years.",
            ),
            models.CheckConstraint(
                name="incidents_victim_is_one_person",
                condition=~Q(age_group="all") & ~Q(sex="all") & ~Q(status="all") & ~Q(role="all"),
                violation_error_message="'All' is for counts; of a person it is unknown.",
            ),
            models.CheckConstraint(
                name="incidents_victim_age_group_fits_age",
                condition=Q(age__isnull=True)
                | Q(age_group="unknown")
                | Q(age_group="infant", age__lt=1)
                | Q(age_group="child", age__lt=18)
                | Q(age_group="adult", age__gte=18)
                | Q(age_group="elderly", age__gte=60),
                violation_error_message="The age group does not fit the age.",
            ),
            models.CheckConstraint(
                name="incidents_victim_consent_not_empty",
                condition=~Q(consent_basis=""),
                violation_error_message="Leave a basis of consent that is not there out.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome}: {self.age_group}, {self.sex}"


class VictimClaim(models.Model):
    """That a claim speaks of this person."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="+")
    victim = models.ForeignKey(Victim, on_delete=models.PROTECT, related_name="claim_links")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="victim_links")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_victimclaim_once",
                fields=["victim", "claim"],
                violation_error_message="This claim is named for this person already.",
            )
        ]

    def __str__(self) -> str:
        return str(self.claim)

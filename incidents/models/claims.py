from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from harmtracker.codes import CodeField
from harmtracker.fields import EdtfField
from sources.models import Article, Outlet

from .actors import Actor
from .incidents import Incident
from .parts import part_id
from .points import coordinate, point_constraints


class Claim(models.Model):
    """What one source says of one incident: figures, weapon, who did it, when and where.

    Two figures for the same thing in one article are two claims.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="claims")
    article = models.ForeignKey(
        Article, on_delete=models.PROTECT, related_name="claims", help_text="Where it stands."
    )
    attributed_outlet = models.ForeignKey(
        Outlet,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="claims_made",
        help_text="Who speaks, where that is an outlet, a hospital or a witness.",
    )
    attributed_actor = models.ForeignKey(
        Actor,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="claims_made",
        help_text="Who speaks, where that is a party.",
    )
    speaker = models.CharField(
        max_length=200, blank=True, help_text="The speaker's role, such as 'spokesman'. No names."
    )
    kind = CodeField("claim_kind", default="report", help_text="What the claim does.")
    credibility = CodeField(
        "credibility",
        default="6",
        help_text="Admiralty code 1 to 6. 6, cannot be judged, until a verifier says otherwise.",
    )
    paraphrase = models.TextField(help_text="What the source says, in our words. Public.")
    quotation = models.TextField(blank=True, help_text="The source's own words. Public.")
    locator = models.CharField(
        max_length=200, blank=True, help_text="Where in the article: paragraph, page, minute."
    )
    date_said = EdtfField(
        null=True, blank=True, help_text="The date it gives, in EDTF; NULL where it gives none."
    )
    time_said = models.CharField(max_length=200, blank=True, help_text="The time, in its words.")
    place_said = models.CharField(max_length=300, blank=True, help_text="The place, in its words.")
    latitude = coordinate("Of the point that it gives, WGS 84.")
    longitude = coordinate("Of the same point.")
    note = models.TextField(blank=True, help_text="Our remark on its scope or standing. Public.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            *point_constraints("incidents_claim"),
            # What hangs on a claim refers to both, so that it stays within its incident.
            models.UniqueConstraint(name="incidents_claim_of_incident", fields=["id", "incident"]),
            models.CheckConstraint(
                name="incidents_claim_one_speaks",
                condition=Q(attributed_outlet__isnull=True, attributed_actor__isnull=False)
                | Q(attributed_outlet__isnull=False, attributed_actor__isnull=True),
                violation_error_message="A claim is attributed to one outlet or one actor.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attributed_outlet or self.attributed_actor}: {self.paraphrase[:80]}"


class ClaimedOrAssessed(models.Model):
    """A row that says something of an incident: as one of its claims has it, or as we assess it."""

    uuid = part_id()
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="%(class)ss")
    claim = models.ForeignKey(
        Claim,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
        help_text="The claim that says so; none for our assessment.",
    )
    reported_text = models.CharField(
        max_length=500, blank=True, help_text="The source's own words for it."
    )

    class Meta:
        abstract = True

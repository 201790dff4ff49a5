from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from harmtracker.codes import CodeField

from .points import coordinate, point_constraints


class Place(models.Model):
    """A place that incidents happen in, from a country down to one site, in a tree."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(
        max_length=80, unique=True, help_text="Short name used in data files; never changes."
    )
    level = CodeField("place_level", help_text="What kind of place this is.")
    name = models.CharField(max_length=200, help_text="The name we use in English.")
    other_names = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Every other spelling and script, all of them searched.",
    )
    pcode = models.CharField(
        max_length=20, null=True, blank=True, unique=True, help_text="OCHA P-code, if it has one."
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        help_text="The next wider place; none for a country.",
    )
    country = models.CharField(max_length=3, help_text="ISO 3166-1 alpha-3 code.")
    latitude = coordinate("Of a point in it, WGS 84; NULL where none is known.")
    longitude = coordinate("Of the same point.")
    protected = models.BooleanField(
        default=False,
        help_text="A camp, hospital, school in use or shelter: its point leaves on a 0.1 degree "
        "grid unless an incident says that the exact point is public already.",
    )
    protected_reason = models.CharField(max_length=200, blank=True, help_text="Why; not public.")

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            *point_constraints("incidents_place"),
            models.CheckConstraint(
                name="incidents_place_country_has_no_parent",
                condition=Q(level="country", parent__isnull=True)
                | (~Q(level="country") & Q(parent__isnull=False)),
                violation_error_message="Every place but a country lies in a wider place.",
            ),
            models.CheckConstraint(
                name="incidents_place_country_is_iso3",
                condition=Q(country__regex=r"^[A-Z]{3}$"),
                violation_error_message="A country is three capital letters (ISO 3166-1 alpha-3).",
            ),
            models.CheckConstraint(
                name="incidents_place_pcode_not_empty",
                condition=~Q(pcode=""),
                violation_error_message="Leave a P-code that is not known out.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

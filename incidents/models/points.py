"""A point on the earth as two plain columns, and the rules that go with it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


def coordinate(help_text: str) -> Any:
    """WGS 84 decimal degrees, 6 decimals (about 10 cm)."""
    return models.DecimalField(
        max_digits=9, decimal_places=6, null=True, blank=True, help_text=help_text
    )


def point_constraints(prefix: str) -> list[models.CheckConstraint]:
    return [
        models.CheckConstraint(
            name=f"{prefix}_latitude_on_earth",
            condition=Q(latitude__isnull=True) | Q(latitude__gte=-90, latitude__lte=90),
            violation_error_message="A latitude lies between -90 and 90 degrees.",
        ),
        models.CheckConstraint(
            name=f"{prefix}_longitude_on_earth",
            condition=Q(longitude__isnull=True) | Q(longitude__gte=-180, longitude__lte=180),
            violation_error_message="A longitude lies between -180 and 180 degrees.",
        ),
        models.CheckConstraint(
            name=f"{prefix}_point_is_whole",
            condition=Q(latitude__isnull=True, longitude__isnull=True)
            | Q(latitude__isnull=False, longitude__isnull=False),
            violation_error_message="A point needs both latitude and longitude, or neither.",
        ),
    ]

from __future__ import annotations

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models


def part_id() -> models.UUIDField:
    """By what a row is named outside: random, since a counted one tells of rows that are hidden."""
    return models.UUIDField(
        default=uuid.uuid4,
        # So that rows which were there before the column have one each.
        db_default=RandomUUID(),
        unique=True,
        editable=False,
    )

"""Storing a row after its own checks."""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from harmtracker.errors import Invalid

Row = TypeVar("Row", bound=models.Model)


def save(row: Row) -> Row:
    """Check a row by its fields and constraints, and store it. Raises :class:`Invalid`.

    Call it inside :func:`harmtracker.history.acting.acting`.
    """
    try:
        row.full_clean()
    except ValidationError as error:
        fields = error.message_dict
        first = next(iter(fields.values()))[0]
        raise Invalid(first, fields=fields) from error
    row.save()
    return row

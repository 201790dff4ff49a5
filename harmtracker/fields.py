"""Model fields that both apps use."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from harmtracker.dates import parse_edtf
from harmtracker.errors import Invalid


def validate_edtf(text: str) -> None:
    try:
        parse_edtf(text)
    except Invalid as refusal:
        raise ValidationError(refusal.message) from refusal


class EdtfField(models.CharField):
    """An uncertain date as EDTF text; its bounds are columns that the database derives."""

    default_validators = [validate_edtf]

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 120)
        super().__init__(**kwargs)

    def get_prep_value(self, value: Any) -> Any:
        # Forms send the empty string for "not known"; stored, that is NULL.
        value = super().get_prep_value(value)
        return None if value == "" and self.null else value

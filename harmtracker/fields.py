"""Model fields that both apps use."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from harmtracker.dates import parse_edtf
from harmtracker.errors import Invalid
from harmtracker.reading_back import DateInWords


def validate_edtf(text: str) -> None:
    try:
        parse_edtf(text)
    except Invalid as refusal:
        raise ValidationError(refusal.message) from refusal


# Of the web, with a host; without a name or password for it, spaces and control characters. The
# database holds its rows to the same pattern, so it is written as both read it.
ADDRESS = (
    r"^[Hh][Tt][Tt][Pp][Ss]?://"
    r"[^/?#@:\\\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    r"[^/?#@\\\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*"
    r"([/?#][^\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*)?$"
)
ADDRESS_MESSAGE = (
    "An address begins with http:// or https:// and a host, and holds no space, no control "
    "character and no user name or password."
)


def validate_address(text: str) -> None:
    if "\x00" in text or text.endswith("\n") or re.match(ADDRESS, text) is None:
        raise ValidationError(ADDRESS_MESSAGE)


class AddressField(models.URLField):
    """An address of the web, kept byte for byte: it is evidence, and nobody fetches it."""

    default_validators = [validate_address]


class EdtfField(models.CharField):
    """An uncertain date as EDTF text; its bounds are columns that the database derives."""

    default_validators = [validate_edtf]

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 120)
        super().__init__(**kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        """People write dates in their own words; forms read them, the API takes EDTF alone."""
        return super().formfield(**{**kwargs, "form_class": DateInWords})

    def get_prep_value(self, value: Any) -> Any:
        # Forms send the empty string for "not known"; stored, that is NULL.
        value = super().get_prep_value(value)
        return None if value == "" and self.null else value

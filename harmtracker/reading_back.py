"""Text fields that say below themselves how what stands in them is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from harmtracker.admin_fields import ExactText
from harmtracker.dates_in_words import meaning, read_date
from harmtracker.errors import Invalid

# A reader gives the reading of a text, or raises Invalid.
Reader = Callable[[str], str]


class ReadBack(forms.TextInput):
    """A line of text with its reading; ``kind`` names the page that reads it while one types."""

    template_name = "admin/entering/read_back.html"

    def __init__(self, kind: str, reader: Reader, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "off", **(attrs or {})})
        self.kind = kind
        self.reader = reader

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        try:
            reading, refused = self.reader(str(value or "")), False
        except Invalid as refusal:
            reading, refused = refusal.message, True
        context["widget"] |= {
            "reading": reading,
            "refused": refused,
            "address": reverse("admin:incidents_incident_hints", args=[self.kind]),
        }
        return context


def date_read(text: str) -> str:
    """The EDTF of a date in words, with its meaning; nothing of nothing."""
    edtf = read_date(text)
    return str(meaning(edtf)) if edtf else ""


class DateInWords(ExactText):
    """A date as people write it, or as EDTF; what is stored is EDTF."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs |= {
            "widget": ReadBack("date", date_read, {"class": "vTextField"}),
            "help_text": "Such as 9 October 2023, October 2023, about 1990, between 3 and 5 May "
            "2021, or EDTF. Empty while not known.",
        }
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        if not text:
            return text
        try:
            return read_date(text)
        except Invalid as refusal:
            raise ValidationError(refusal.message) from refusal

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return read_date(data or "") != (initial or "")
        except Invalid:
            return True

"""Form fields that hand back what was typed, to the letter, or refuse it.

Django's own strip spaces, complete addresses and split lists at commas: fine for a shop, wrong for
evidence.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError


def _same_text(one: str, other: str) -> bool:
    """A browser sends every newline of a text area as CRLF, whatever it was."""
    return one.replace("\r\n", "\n") == other.replace("\r\n", "\n")


class ExactText(forms.CharField):
    """Text as it was sent, spaces at its ends included; spaces alone are not an answer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "strip": False})

    def validate(self, value: Any) -> None:
        if self.required and isinstance(value, str) and not value.strip():
            raise ValidationError(self.error_messages["required"], code="required")
        super().validate(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not _same_text(initial or "", data or "")


class Lines(ExactText):
    """A list of texts, one on each line. A text keeps its commas and its spaces."""

    widget = forms.Textarea

    def __init__(self, *, item_length: int | None, **kwargs: Any) -> None:
        self.item_length = item_length
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = [line for line in super().clean(value).replace("\r\n", "\n").split("\n") if line]
        for line in lines:
            if not line.strip():
                raise ValidationError("A line holds nothing but spaces.")
            if self.item_length and len(line) > self.item_length:
                raise ValidationError(f"A line is longer than {self.item_length} characters.")
        return lines

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class Codes(forms.MultipleChoiceField):
    """Several codes of one list, as boxes to tick."""

    widget = forms.CheckboxSelectMultiple

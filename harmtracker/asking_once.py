"""What stands in every row of a form is asked of the database once, and not row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from harmtracker.picking import Picked, PickField


def ask_once(rows: Sequence[forms.BaseForm]) -> None:
    """``rows`` are the forms of one kind, with the same fields."""
    for name in rows[0].fields if rows else ():
        having = [form for form in rows if name in form.fields]
        first: Any = having[0].fields[name]
        if isinstance(first, PickField):
            _names(having, name, first)
        elif isinstance(first, forms.ModelMultipleChoiceField):
            choices: Any = first.choices
            listed = list(choices)
            for form in having:
                field: Any = form.fields[name]
                field.choices = listed


def _names(rows: Sequence[forms.BaseForm], name: str, first: PickField) -> None:
    values = (form[name].value() for form in rows)
    picks = (each if isinstance(each, Picked) else Picked(str(each or "")) for each in values)
    numbers = {number for pick in picks if (number := pick.number) is not None}
    known = {row.pk: row for row in first.kind.rows().filter(pk__in=numbers)} if numbers else {}
    for form in rows:
        widget: Any = form.fields[name].widget
        widget.known = known

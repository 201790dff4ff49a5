"""Finding another record that one may know of: by code, title, or a place in any spelling."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat

from harmtracker.accounts.models import User
from harmtracker.searching import Folded
from incidents.models import Incident

MOST = 20


def _text(value: str) -> Value:
    return Value(value, output_field=TextField())


def find(words: str, person: User, *, but: Incident) -> list[Incident]:
    """Records in which every word is found, in any case and with any accents; the latest first."""
    asked = words.replace("\x00", " ")[:200].split()
    if not asked:
        return []
    names = Func(
        F("place__other_names"), _text("\n"), function="array_to_string", output_field=TextField()
    )
    parts: list[Any] = []
    for column in (F("code"), F("title"), F("place__name"), names):
        parts += [Coalesce(column, _text(""), output_field=TextField()), _text("\n")]
    visible = Incident.objects.visible_to(person).exclude(pk=but.pk)
    found: QuerySet = visible.alias(searched=Folded(Concat(*parts, output_field=TextField())))
    for word in asked:
        found = found.filter(searched__contains=Folded(_text(word)))
    return list(found.select_related("place").order_by("-pk")[:MOST])

"""Finding records that one may know of: by code, title, or a place in any spelling."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat

from harmtracker.accounts.models import User
from harmtracker.searching import Folded
from incidents.models import Incident, Place

MOST = 20


def _text(value: str) -> Value:
    return Value(value, output_field=TextField())


def said(word: str) -> Folded:
    """A word as it is looked for."""
    return Folded(_text(word))


def places_named(word: str) -> QuerySet[Place]:
    """Places of which a name holds the word, in any spelling."""
    others = Func(
        F("other_names"), _text("\n"), function="array_to_string", output_field=TextField()
    )
    named = Concat(F("name"), _text("\n"), others, output_field=TextField())
    return Place.objects.alias(named=Folded(named)).filter(named__contains=said(word))


def find(words: str, person: User, *, but: Incident) -> list[Incident]:
    """Records in which every word is found, in any case and with any accents; the latest first."""
    asked = words.replace("\x00", " ")[:200].split()
    if not asked:
        return []
    code: Any = Coalesce(F("code"), _text(""), output_field=TextField())
    called = Concat(code, _text("\n"), F("title"), output_field=TextField())
    found = Incident.objects.visible_to(person).exclude(pk=but.pk).alias(called=Folded(called))
    for word in asked:
        # Of the few places by themselves: their names are of many scripts, and of many records.
        of_place = Q(place__in=places_named(word).values("pk"))
        found = found.filter(Q(called__contains=said(word)) | of_place)
    return list(found.select_related("place").order_by("-pk")[:MOST])

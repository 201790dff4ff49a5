"""What a body names by its id; short names are taken as well."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from harmtracker.accounts.models import User
from harmtracker.api.fields import Reference
from incidents.models import Actor, Dataset, Incident, Place, WeaponType
from sources.models import Article, Outlet


# What is shared by the whole team: whoever sees casework sees it.
def named_place(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Place.objects.all(),
        by=("uuid", "slug", "pcode"),
        what="place",
        **more,
    )


def named_actor(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Actor.objects.all(), by=("uuid", "slug"), what="actor", **more
    )


def named_outlet(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Outlet.objects.all(), by=("uuid", "slug"), what="outlet", **more
    )


def named_article(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Article.objects.all(), by=("uuid", "url"), what="article", **more
    )


def named_dataset(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Dataset.objects.all(),
        by=("slug",),
        out="slug",
        what="dataset",
        **more,
    )


def named_weapon(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: WeaponType.objects.all(),
        by=("code",),
        out="code",
        what="weapon type",
        **more,
    )


def visible_incidents(user: User) -> QuerySet[Any]:
    return Incident.objects.visible_to(user)


class OfRecord(Reference):
    """Something of the record that the request is about, by its id.

    What belongs to another record is not there, whoever may see it.
    """

    def __init__(self, *, model: type[Any], what: str, **kwargs: Any) -> None:
        super().__init__(queryset=lambda user: model.objects.all(), what=what, **kwargs)

    def _visible(self) -> QuerySet[Any]:
        return super()._visible().filter(incident=self.context["incident"])

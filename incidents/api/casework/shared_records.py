"""The shapes of places, actors and datasets, which many records name."""

from __future__ import annotations

from rest_framework import serializers

from harmtracker.api.fields import Text
from harmtracker.api.serializers import EvidenceSerializer
from incidents.models import Actor, Dataset, Place

from .named import named_actor, named_place


class ShortName(Text):
    """The short name, which can be left out and is then made from the name."""

    def __init__(self) -> None:
        super().__init__(
            max_length=80,
            required=False,
            help_text="Short name used in data files; made from the name where it is left out.",
        )


class PlaceSerializer(EvidenceSerializer):
    """A place that incidents happen in, from a country down to one site, in a tree."""

    slug = ShortName()
    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    parent = named_place(  # type: ignore[assignment]
        required=False,
        allow_null=True,
        help_text="The next wider place; null for a country.",
    )

    class Meta:
        model = Place
        fields = [
            "id",
            "slug",
            "level",
            "name",
            "other_names",
            "pcode",
            "parent",
            "country",
            "latitude",
            "longitude",
            "protected",
            "protected_reason",
        ]


class ActorSerializer(EvidenceSerializer):
    """A party or another group of people, or a unit of one, in a tree."""

    slug = ShortName()
    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    parent = named_actor(  # type: ignore[assignment]
        required=False, allow_null=True, help_text="What it is a part of."
    )

    class Meta:
        model = Actor
        fields = [
            "id",
            "slug",
            "name",
            "other_names",
            "kind",
            "parent",
            "country",
            "independence_group",
        ]


class DatasetSerializer(EvidenceSerializer):
    """A collection that records come from, with its terms."""

    class Meta:
        model = Dataset
        fields = ["slug", "name", "licence", "citation", "url", "redistributable"]

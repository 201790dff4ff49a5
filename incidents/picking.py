"""Places and actors, to be chosen by any of their names."""

from __future__ import annotations

from harmtracker.picking import Kind
from sources.picking import ARTICLE, OUTLET

from .models import Actor, Place


def place_label(place: Place) -> str:
    """With the places that it lies in, so that two of one name are told apart."""
    wider = []
    parent = place.parent
    while parent is not None:
        wider.append(parent.name)
        parent = parent.parent
    return ", ".join([f"{place.name} ({place.get_level_display()})", *wider])


def actor_label(actor: Actor) -> str:
    return f"{actor.name}, of {actor.parent.name}" if actor.parent else actor.name


PLACE = Kind(
    "place",
    Place,
    ("name", "other_names", "pcode"),
    place_label,
    # As deep as the levels of places go.
    ("parent__parent__parent__parent__parent",),
)
ACTOR = Kind("actor", Actor, ("name", "other_names"), actor_label, ("parent",))

KINDS = {kind.name: kind for kind in (PLACE, ACTOR, OUTLET, ARTICLE)}

"""Places, actors, datasets and records, to be chosen by any of their names."""

from __future__ import annotations

from harmtracker.picking import Kind
from sources.picking import ARTICLE, OUTLET

from .models import Actor, Dataset, Incident, Place


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


def incident_label(incident: Incident) -> str:
    """What has no code yet is told from others of its title by its date."""
    if incident.code or not incident.date_edtf:
        return str(incident)
    return f"{incident} ({incident.date_edtf})"


PLACE = Kind(
    "place",
    Place,
    ("name", "other_names", "pcode"),
    place_label,
    # As deep as the levels of places go.
    ("parent__parent__parent__parent__parent",),
)
ACTOR = Kind("actor", Actor, ("name", "other_names"), actor_label, ("parent",))
DATASET = Kind("dataset", Dataset, ("name", "slug"), str)
INCIDENT = Kind(
    "incident", Incident, ("code", "title"), incident_label, visible=Incident.objects.visible_to
)

KINDS = {kind.name: kind for kind in (PLACE, ACTOR, DATASET, INCIDENT, OUTLET, ARTICLE)}

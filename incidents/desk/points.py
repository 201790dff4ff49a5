"""The points of a record: ours, what claims give, the place's own, and records near by."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from harmtracker.accounts.models import User
from harmtracker.codes import code_list
from incidents.models import Incident

EARTH_KM = 6371.0088
NEAR_KM = 25
NEAR_DAYS = 30
MOST_NEAR = 30

Degrees = Decimal | float | None


@dataclass(frozen=True)
class Shown:
    """A point on the map. ``radius_m`` is how far off it may be; None where that is not known."""

    kind: str
    label: str
    latitude: float
    longitude: float
    radius_m: int | None = None
    away_km: float | None = None
    url: str = ""
    note: str = ""


def distance_km(one: tuple[Degrees, Degrees], other: tuple[Degrees, Degrees]) -> float:
    """Along the great circle, of two points (latitude, longitude) in degrees."""
    (lat1, lon1), (lat2, lon2) = (
        (math.radians(float(p[0] or 0)), math.radians(float(p[1] or 0))) for p in (one, other)
    )
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def radius_m_of(incident: Incident) -> int | None:
    """How far off the point may be: what the record says, else what its precision stands for."""
    if incident.radius_m is not None:
        return incident.radius_m
    if incident.place_precision is None:
        return None
    return code_list("place_precision")[incident.place_precision].mappings.get("default_radius_m")


def radius_km_of(incident: Incident) -> float | None:
    radius = radius_m_of(incident)
    return None if radius is None else radius / 1000


def points_of(incident: Incident, claims: Sequence[Any], near: Sequence[Incident]) -> list[Shown]:
    """Every point of a record, distances from ours; without one of ours, from its place's."""
    place = incident.place
    centre = (incident.latitude, incident.longitude)
    if centre[0] is None and place is not None:
        centre = (place.latitude, place.longitude)
    shown: list[Shown] = []

    def show(kind: str, label: str, latitude: Degrees, longitude: Degrees, **more: Any) -> None:
        if latitude is None or longitude is None:
            return
        away = None if centre[0] is None else distance_km(centre, (latitude, longitude))
        shown.append(Shown(kind, label, float(latitude), float(longitude), away_km=away, **more))

    show(
        "ours",
        "our point",
        incident.latitude,
        incident.longitude,
        radius_m=radius_m_of(incident),
        note=code_list("point_basis")[incident.point_basis].label,
    )
    if place is not None:
        show("place", f"{place.name} itself", place.latitude, place.longitude)
    for number, claim in enumerate(claims, 1):
        speaker = claim.attributed_outlet or claim.attributed_actor
        show("claim", f"claim {number}: {speaker}", claim.latitude, claim.longitude)
    for other in near:
        show("near", str(other), other.latitude, other.longitude, url=str(other.pk))
    return shown


def near_by(incident: Incident, reader: User) -> list[Incident]:
    """Records that this person may see, within 25 km and 30 days, the nearest days first."""
    if incident.latitude is None or incident.longitude is None or incident.date_earliest is None:
        return []
    latitude, longitude = float(incident.latitude), float(incident.longitude)
    high = NEAR_KM / 111.2
    wide = high / max(0.05, math.cos(math.radians(latitude)))
    days = datetime.timedelta(days=NEAR_DAYS)
    found = (
        Incident.objects.visible_to(reader)
        .filter(
            latitude__range=(latitude - high, latitude + high),
            longitude__range=(longitude - wide, longitude + wide),
            date_earliest__gte=incident.date_earliest - days,
            date_earliest__lte=(incident.date_latest or incident.date_earliest) + days,
        )
        .exclude(Q(pk=incident.pk))
        .order_by("date_earliest", "pk")[:MOST_NEAR]
    )
    return [
        other
        for other in found
        if distance_km((latitude, longitude), (other.latitude, other.longitude)) <= NEAR_KM
    ]

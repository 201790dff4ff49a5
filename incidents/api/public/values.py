"""What the text of a parameter says: words, points and boxes, moments, codes."""

from __future__ import annotations

import datetime
import math
import re
from typing import NamedTuple

from harmtracker.api.parameters import MAX_VALUE_CHARACTERS, Kind, Unacceptable
from incidents.search import NotAsked, query_literal

# Mean radius of the Earth.
EARTH_KM = 6371.0088


def _read_words(text: str) -> str:
    try:
        return query_literal(text)
    except NotAsked as fault:
        raise Unacceptable(str(fault)) from fault


WORDS = Kind(_read_words, {"type": "string", "maxLength": MAX_VALUE_CHARACTERS})


class Box(NamedTuple):
    west: float
    south: float
    east: float
    north: float


_KILOMETRES = re.compile(r"[0-9]{1,5}(\.[0-9]{1,6})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(rf"{_DAY.pattern}T[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,6}})?)?Z")
_CODE = re.compile(r"[A-Z]{2,3}-[0-9]{4}-[0-9]{4,9}")
_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")


def _read_box(text: str) -> Box:
    parts = text.split(",")
    if len(parts) != 4 or not all(_DEGREES.fullmatch(part) for part in parts):
        raise Unacceptable("Four numbers by commas: west,south,east,north in degrees.")
    box = Box(*map(float, parts))
    if not -180 <= box.west <= 180 or not -180 <= box.east <= 180:
        raise Unacceptable("Longitudes go from -180 to 180.")
    if not -90 <= box.south <= box.north <= 90:
        raise Unacceptable("Latitudes go from -90 to 90, the southern first.")
    return box


BOX = Kind(_read_box, {"type": "string", "example": "97.5,24.7,97.6,24.8"})


class Point(NamedTuple):
    latitude: float
    longitude: float
    km: float


MAX_KM = 20_000


def _read_near(text: str) -> Point:
    parts = text.split(",")
    if (
        len(parts) != 3
        or not all(_DEGREES.fullmatch(part) for part in parts[:2])
        or not _KILOMETRES.fullmatch(parts[2])
    ):
        raise Unacceptable("Three numbers by commas: latitude,longitude in degrees, kilometres.")
    point = Point(*map(float, parts))
    if not -90 <= point.latitude <= 90:
        raise Unacceptable("Latitudes go from -90 to 90, and come first.")
    if not -180 <= point.longitude <= 180:
        raise Unacceptable("Longitudes go from -180 to 180.")
    if not 0 < point.km <= MAX_KM:
        raise Unacceptable(f"Kilometres: above 0, at most {MAX_KM}.")
    return point


NEAR = Kind(_read_near, {"type": "string", "example": "24.767,97.559,10"})


def _read_moment(text: str) -> datetime.datetime:
    try:
        if _DAY.fullmatch(text) or _MOMENT.fullmatch(text):
            moment = datetime.datetime.fromisoformat(text)
            return moment.replace(tzinfo=datetime.UTC)
    except ValueError:
        pass
    raise Unacceptable("A day, YYYY-MM-DD, or a moment in UTC, such as 2024-03-07T10:00:00Z.")


MOMENT = Kind(_read_moment, {"type": "string", "example": "2024-03-07T10:00:00Z"})


def _read_codes(text: str) -> list[str]:
    codes = text.split(",")
    if not all(_CODE.fullmatch(code) for code in codes):
        raise Unacceptable("Codes such as MMR-2023-0001, by commas.")
    return codes


CODES = Kind(_read_codes, {"type": "string", "example": "MMR-2023-0001,MMR-2024-0001"})

DATASET = Kind(str, {"type": "string", "maxLength": MAX_VALUE_CHARACTERS})


def around(point: Point) -> Box | None:
    """A box that holds every point within the distance; None for all of the globe."""
    # A little wider than it is, since the box only helps to find.
    angle = math.degrees(point.km / EARTH_KM) * (1 + 1e-9) + 1e-9
    south, north = point.latitude - angle, point.latitude + angle
    if south <= -90 and north >= 90:
        return None
    if south <= -90 or north >= 90:  # round a pole, all longitudes lie within
        return Box(-180, max(south, -90), 180, min(north, 90))
    sine = math.sin(math.radians(angle)) / math.cos(math.radians(point.latitude))
    across = math.degrees(math.asin(min(sine, 1))) * (1 + 1e-9) + 1e-9
    if across >= 180:
        return Box(-180, south, 180, north)
    west, east = point.longitude - across, point.longitude + across
    return Box(
        west + 360 if west < -180 else west, south, east - 360 if east > 180 else east, north
    )

"""What the maps of the desk are drawn from."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static

from harmtracker.codes import code_list
from incidents.models import Place


def background() -> dict[str, Any]:
    """Where outlines and tiles come from."""
    base = "vendor/natural-earth-4.1/"
    return {
        "outlines": [static(f"{base}world.json"), static(f"{base}myanmar-and-around.json")],
        "tiles": settings.MAP_TILE_URL,
        "attribution": settings.MAP_TILE_ATTRIBUTION,
    }


def map_to_pick(place: Place | None) -> dict[str, Any]:
    """For a form: the place's own point, and how far off a point of each precision may be."""
    point = None
    if place is not None and place.latitude is not None and place.longitude is not None:
        point = {
            "label": place.name,
            "latitude": float(place.latitude),
            "longitude": float(place.longitude),
        }
    radii = {
        code: listed.mappings.get("default_radius_m")
        for code, listed in code_list("place_precision").items()
    }
    return {"place": point, "radii": radii, **background()}

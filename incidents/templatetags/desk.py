"""What the desk's templates cannot say by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.http import HttpRequest

from harmtracker.admin_base import admin_url, person
from incidents.desk import queue

register = template.Library()


@register.filter
def of(cells: Mapping[str, Any], thing: str) -> Any:
    """What stands under a thing; nothing where nobody speaks of it."""
    return cells.get(thing, ())


@register.filter
def unlocalised(number: float) -> str:
    """A number as SVG and coordinates want it: with a point and nothing else."""
    return str(number)


@register.simple_tag(takes_context=True)
def desk_links(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Where this person's work is, each with its name, address and number of records."""
    request: HttpRequest = context["request"]
    user = person(request)
    numbers = queue.numbers(user)
    places = {
        "mine": "My work",
        "returned": "Returned to me",
        "waiting": "Queue",
        "submitted": "Submitted by me",
    }
    links: list[dict[str, Any]] = [
        {
            "name": name,
            "address": admin_url("incidents_incident_queue", tab=tab),
            "number": numbers[tab],
        }
        for tab, name in places.items()
        if tab in numbers
    ]
    if links:
        if user.has_perm("incidents.add_incident"):
            address = admin_url("incidents_incident_enter")
            links.insert(0, {"name": "New incident from an article", "address": address})
        links.append({"name": "Overview", "address": admin_url("incidents_incident_overview")})
    return links

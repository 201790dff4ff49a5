"""The little that the desk's templates cannot say by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def of(cells: Mapping[str, Any], thing: str) -> Any:
    """What stands under a thing; nothing where nobody speaks of it."""
    return cells.get(thing, ())


@register.filter
def unlocalised(number: float) -> str:
    """A number as SVG and coordinates want it: with a point and nothing else."""
    return str(number)

"""What shapes are called in OpenAPI. A module of its own: views are made with it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema


class NamedApart(AutoSchema):
    """Shapes of casework are named apart from the published ones, which have the plain names."""

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        name = str(super().get_serializer_name(serializer, direction))
        in_casework = ".casework." in type(serializer).__module__
        return name if name.startswith("Casework") or not in_casework else f"Casework{name}"

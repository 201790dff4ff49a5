"""What every view of one record has: its address, and the whole of it as an answer."""

from __future__ import annotations

import uuid
from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.shared import RightsView

from . import reading
from .writing import etag

TAG = "Casework: records"


def in_path(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.UUID, OpenApiParameter.PATH, description=description)


RECORD = in_path("incident", "Id of the record.")
ROW = in_path("row", "Id of the part.")


class CaseworkView(RightsView):
    """Who sees a record may read it; writing it asks for more in :mod:`incidents.editing`."""

    rights: ClassVar[dict[str, tuple[str, str]]] = {}

    def answer_whole(self, request: Request, incident: uuid.UUID) -> Response:
        found = reading.find(self.person, incident)
        return self.ok(reading.whole(found, request), etag(found))

"""Who may read what is published: everybody.

What there is to read is not decided here. These views use the connection ``published`` alone,
whose role in the database may read the published tables and nothing else.
"""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class Everybody(BasePermission):
    """No one is asked who they are, and nothing can be written."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return True

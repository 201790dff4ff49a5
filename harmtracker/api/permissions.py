"""Rights of people, asked before a body is read. Services ask again for what protects."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from harmtracker.accounts.models import User
from harmtracker.accounts.rights import need


class HasRight(BasePermission):
    """The person has the permission that the view's ``rights`` asks of the method.

    Asked before a body is read. HEAD asks what GET asks.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        rights: dict[str, tuple[str, str]] = getattr(view, "rights", {})
        right = rights.get("GET" if request.method == "HEAD" else str(request.method))
        if right is not None and isinstance(request.user, User):
            need(request.user, *right)
        return True

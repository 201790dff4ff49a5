"""Who asks, of requests that bring a token, and what their token is for.

A view of casework says ``authentication_classes = [BearerToken]``,
``permission_classes = [HasScope]`` and ``scopes = {"GET": "casework:read", ...}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from harmtracker.accounts import lockout, tokens
from harmtracker.accounts.models import Token, User
from harmtracker.errors import NotAllowed

_FOUND = "harmtracker.token"


def given_token(request: HttpRequest) -> str | None:
    """What stands after Bearer in Authorization, whatever it is worth; None without it."""
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return given.strip() if scheme.casefold() == "bearer" else None


def token_of(request: HttpRequest) -> Token | None:
    """The token that a request brings, if it can be used; looked up once in a request."""
    if _FOUND not in request.META:
        given = given_token(request)
        request.META[_FOUND] = None if given is None else tokens.find(given)
    found: Token | None = request.META[_FOUND]
    return found


def reserve_failure(request: HttpRequest) -> None:
    """Write down that a token was wrong. Raises :class:`harmtracker.errors.TooMany`."""
    # Counted apart from logins: a forgotten program must not lock out an office.
    lockout.reserve(lockout.Kind.TOKEN, network=lockout.network_of(request))


class BearerToken(BaseAuthentication):
    """``Authorization: Bearer ht_...``, and no other way: a token in an address is not looked at.

    Sets ``request.user`` to the person and ``request.auth`` to the token. Whatever is wrong with
    a token, the answer is the same 401, and after twenty of a network in an hour the same 429.
    """

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        if not request.META.get("HTTP_AUTHORIZATION", ""):
            return None
        token = token_of(request._request)
        if token is None:
            reserve_failure(request._request)
            raise exceptions.AuthenticationFailed
        tokens.note_use(token)
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """The token has the scope that the view's ``scopes`` asks of the method, and its person still
    may use it. HEAD and OPTIONS ask what GET asks; a method without a scope is nobody's.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, Token):
            raise exceptions.NotAuthenticated
        method = str(request.method)
        if method not in view.allowed_methods:
            return True  # answered with 405
        scopes: Mapping[str, str] = getattr(view, "scopes", {})
        scope = scopes.get(method) or (scopes.get("GET") if method in ("HEAD", "OPTIONS") else None)
        if scope is None:
            return False
        if not request.auth.allows(scope):
            raise NotAllowed(
                f"This needs a token with the scope {scope}, of a person who may use it."
            )
        return True

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return True

"""Clients that stand for people: a browser with a session, a program with a token."""

from __future__ import annotations

import json
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django_otp.oath import TOTP

from harmtracker.accounts import sessions
from harmtracker.accounts.models import Authenticator, User


def logged_in(person: User, client: Client | None = None) -> Client:
    """A browser in which this person has given password and code just now."""
    client = client or Client()
    request = HttpRequest()
    request.session = client.session
    sessions.begin(request, person)
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
    return client


def code_of(person: User, step: int = 0) -> str:
    """What this person's app shows now, or so many steps of 30 seconds later."""
    app = Authenticator.objects.filter(user=person).order_by("-confirmed", "pk")[0]
    return code_by(app, step)


def code_by(app: Authenticator, step: int = 0) -> str:
    """As `code_of`, of an app that is at hand: asks no database."""
    totp = TOTP(app.bin_key, drift=step)
    totp.time = time.time()
    return f"{totp.token():06}"


class Api:
    """A program that sends and reads JSON with a token in the header, as a stranger's would."""

    def __init__(self, bearer: str | None) -> None:
        self.bearer = bearer
        self.client = Client(raise_request_exception=False)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
        raw: bytes | None = None,
    ) -> HttpResponse:
        """``body`` is sent as JSON; ``raw`` is sent as it is, as JSON too."""
        sent = dict(headers or {})
        if self.bearer is not None:
            sent.setdefault("Authorization", f"Bearer {self.bearer}")
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        kind = sent.pop("Content-Type", "application/json" if data else "")
        return self.client.generic(
            method, path, data, content_type=kind, headers=sent, query_params=query
        )

    def get(self, path: str, query: dict[str, Any] | None = None, **more: Any) -> HttpResponse:
        return self.request("GET", path, query=query, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.request("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.request("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.request("PATCH", path, body, **more)

    def delete(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.request("DELETE", path, body, **more)

"""Clients that stand for people: a program with a token."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client


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

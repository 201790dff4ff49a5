"""The base of every view of casework: for the team, by token, over one strict request."""

from __future__ import annotations

import io
import uuid
from contextlib import AbstractContextManager
from typing import Any, ClassVar, cast

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from django.utils.datastructures import MultiValueDict
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker import errors
from harmtracker.accounts.models import User
from harmtracker.api import bodies
from harmtracker.api.authentication import BearerToken, HasScope
from harmtracker.api.bodies import StrictJSONParser
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.views import StrictView
from harmtracker.history.acting import acting


class TeamRequest(Request):
    """A request whose body is always read, so that none is a fault and not an empty object.

    ``raw_body`` is the JSON as it came, once ``data`` was read.
    """

    raw_body: bytes = b""
    body_is_optional = False

    def _load_stream(self) -> None:
        self._stream: Any = bodies.stream_of(self._request)

    def _parse(self) -> Any:
        if self.body_is_optional:
            raw = bodies.read(bodies.stream_of(self._request))
            if not raw:
                return {}, MultiValueDict()
            self._stream = io.BytesIO(raw)
        return super()._parse()  # type: ignore[misc]


class TeamView(StrictView):
    """Views of casework. ``scopes`` says which scope of a token each method needs; a step that
    only a verifier takes says ``verify``.

    Who asks comes first: without a good token every method is answered with 401. No answer is
    kept by a cache.
    """

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    authentication_classes = [BearerToken]
    permission_classes = [HasScope]
    parser_classes = [StrictJSONParser]
    renderer_classes = [StoredJSONRenderer]
    scopes: ClassVar[dict[str, str]] = {
        "GET": "casework:read",
        "POST": "casework:write",
        "PUT": "casework:write",
        "PATCH": "casework:write",
        "DELETE": "casework:write",
    }
    # Of steps that need nothing said: a POST without a body is then one with {}.
    body_is_optional: ClassVar[bool] = False
    request_id: uuid.UUID

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.request_id = uuid.uuid4()
        team_request = TeamRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )
        team_request.body_is_optional = self.body_is_optional or request.method == "DELETE"
        return team_request

    def acting(self, reason: str = "") -> AbstractContextManager[None]:
        """A transaction in which the person who asks changes evidence, for ``reason``."""
        person = cast(User, self.request.user)
        return acting(person, reason, request_id=self.request_id)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, DatabaseError):
            exc = errors.from_database(exc) or exc
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "private, no-store"
        patch_vary_headers(final, ["Authorization"])
        return final

    def created(self, data: Any, location: str, etag: str | None = None) -> Response:
        """201 with the record, where it is from now on, and its ETag where it can be changed."""
        headers = {"Location": location} | ({} if etag is None else {"ETag": etag})
        return Response(data, status=201, headers=headers)

    def ok(self, data: Any, etag: str | None = None) -> Response:
        """200 with the record as it is now; ``etag`` where it can be changed."""
        return Response(data, headers={} if etag is None else {"ETag": etag})

    def no_content(self, etag: str | None = None) -> Response:
        """204: it is done, and there is nothing to show. ``etag``: of what it was a part of."""
        return Response(status=204, headers={} if etag is None else {"ETag": etag})

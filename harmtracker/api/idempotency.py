"""Idempotency-Key: a POST that is sent again has one effect and one answer.

The answer is stored in the transaction of the effect, so that a process which dies between the
two, or before the client heard of it, leaves both or neither.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Callable
from typing import cast

from django.db import connections, transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from rest_framework.response import Response

from harmtracker.api.problems import Problem
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.team import TeamRequest
from harmtracker.models import IdempotentRequest

KEPT_FOR = datetime.timedelta(days=7)
RETRY_AFTER_S = 1
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def _fingerprint(request: TeamRequest, body_sha256: str | None) -> str:
    if body_sha256 is None:
        _parsed = request.data  # reads the body, or refuses it
        body_sha256 = hashlib.sha256(request.raw_body).hexdigest()
    parts = [
        request.method,
        request.path,
        request.META.get("QUERY_STRING", ""),
        request.META.get("HTTP_IF_MATCH"),
        body_sha256,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _is_alone(user_id: int, key: str) -> bool:
    """Whether nobody works on this key now; then nobody else will until the transaction ends."""
    digest = hashlib.sha256(f"idempotency {user_id} {key}".encode()).digest()
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)",
            [int.from_bytes(digest[:8], "big", signed=True)],
        )
        return cursor.fetchone() == (True,)


def _stored(
    answer: HttpResponse, *, request: TeamRequest, user_id: int, key: str, fingerprint: str
) -> IdempotentRequest:
    headers = dict(answer.headers)
    if isinstance(answer, Response):
        # Not rendered yet: its media type is decided here as the views' renderer has it.
        body = StoredJSONRenderer().render(answer.data)
        headers["Content-Type"] = StoredJSONRenderer.media_type
    else:
        body = answer.content
    if not body:
        headers.pop("Content-Type", None)
    IdempotentRequest.objects.filter(user_id=user_id, at__lt=Now() - KEPT_FOR).delete()
    return IdempotentRequest.objects.create(
        user_id=user_id,
        key=key,
        request=f"{request.method} {request.path}",
        fingerprint=fingerprint,
        status=answer.status_code,
        headers=headers,
        body=body,
    )


def _answer(stored: IdempotentRequest) -> HttpResponse:
    answer = HttpResponse(bytes(stored.body), status=stored.status)
    del answer.headers["Content-Type"]
    for name, value in stored.headers.items():
        answer[name] = value
    return answer


def once(
    request: TeamRequest, produce: Callable[[], HttpResponse], *, body_sha256: str | None = None
) -> HttpResponse:
    """The answer of ``produce``, which runs once for each Idempotency-Key of a person.

    ``produce`` runs in a transaction on ``default`` that commits before the answer is given;
    whatever it does besides is not undone with it. An answer that is no success, raised or
    returned, is not kept and its effects are undone. ``body_sha256`` is of a body that is no
    JSON, such as a file. Without the header ``produce`` just runs.

    Raises :class:`Problem`: 400 for a key that is none, 409 while another request works on it,
    422 where it came before with another request.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return produce()
    if not _KEY.fullmatch(key):
        raise Problem(
            "malformed-request", "An Idempotency-Key has 1 to 255 visible characters of ASCII."
        )
    fingerprint = _fingerprint(request, body_sha256)
    user_id = cast(int, request.user.pk)
    with transaction.atomic(using="default", durable=True):
        if not _is_alone(user_id, key):
            raise Problem("in-progress", headers={"Retry-After": str(RETRY_AFTER_S)})
        stored = IdempotentRequest.objects.filter(user_id=user_id, key=key).first()
        if stored is not None:
            if stored.fingerprint != fingerprint:
                raise Problem("key-used-otherwise")
            answer = _answer(stored)
            answer["Idempotency-Replayed"] = "true"
            return answer
        answer = produce()
        if not 200 <= answer.status_code <= 299:
            transaction.set_rollback(True, using="default")
            return answer
        stored = _stored(answer, request=request, user_id=user_id, key=key, fingerprint=fingerprint)
    return _answer(stored)

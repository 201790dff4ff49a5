"""Errors as problem details (RFC 9457): one shape for whatever goes wrong below ``/api/``."""

from __future__ import annotations

import json
import logging
import sys
import traceback
import uuid
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypedDict

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.settings import api_settings

from harmtracker import errors

logger = logging.getLogger("harmtracker.api")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
# Idle too long in a transaction, a transaction too long, a server that has become a standby.
_PASSING_STATES = {"25P03", "25P04", "25006"}
# An answer names so many faults and echoes so many bytes of each: it stays below 2 kB.
MAX_ERRORS = 5
MAX_ECHO = 80
MAX_MESSAGE = 200
MAX_DETAIL = 400
MAX_ERRORS_BYTES = 1300


class Kind(NamedTuple):
    """One kind of problem. Its slug ends the ``type`` address, for ever."""

    status: int
    title: str
    meaning: str


KINDS = {
    "malformed-request": Kind(400, "Malformed request", "The request cannot be read."),
    "malformed-query": Kind(
        400,
        "Malformed query",
        "The query string is not percent-encoded UTF-8, or holds control characters.",
    ),
    "unknown-parameter": Kind(
        400, "Unknown parameter", "Nothing is ignored: a misspelt filter would return every row."
    ),
    "invalid-parameter": Kind(
        400, "Invalid parameter", "A parameter has a value that it cannot have."
    ),
    "invalid-cursor": Kind(
        400,
        "Invalid cursor",
        "A cursor is taken from next or previous as it stands, and used with the same filters "
        "and ordering.",
    ),
    "invalid": Kind(400, "Invalid", "What was sent breaks a rule of the record."),
    "not-authenticated": Kind(
        401,
        "Not authenticated",
        "The request says not who asks, or by a token that cannot be used.",
    ),
    "not-allowed": Kind(403, "Not allowed", "Whoever asks may see this and not do that to it."),
    "not-found": Kind(404, "Not found", "No such thing, or none that you may know of."),
    "method-not-allowed": Kind(
        405, "Method not allowed", "The header Allow names the methods of this address."
    ),
    "not-acceptable": Kind(
        406, "Not acceptable", "The header Accept asks for a media type that is not to be had here."
    ),
    "conflict": Kind(409, "Conflict", "The record is not in the state that the request assumes."),
    "in-progress": Kind(
        409,
        "In progress",
        "A request with the same Idempotency-Key is being worked on: wait for its answer.",
    ),
    "retracted": Kind(
        410, "Retracted", "The record was withdrawn. Its versions stay, with the reason."
    ),
    "withdrawn": Kind(
        410,
        "Withdrawn",
        "A text was taken out of what the file holds. Its release says which files stand now.",
    ),
    "precondition-failed": Kind(
        412, "Precondition failed", "The record was changed since it was read: read it again."
    ),
    "too-large": Kind(413, "Too large", "A body of JSON has at most 1 MiB, a file 50 MiB."),
    "uri-too-long": Kind(414, "Address too long", "An address has at most 4,096 bytes."),
    "unsupported-media-type": Kind(
        415, "Unsupported media type", "The body is not in a format that is read here."
    ),
    "range-not-satisfiable": Kind(
        416, "Range not satisfiable", "The file ends before the range: Content-Range says where."
    ),
    "key-used-otherwise": Kind(
        422,
        "Key used otherwise",
        "The Idempotency-Key came before with another request: take a new key for a new request.",
    ),
    "precondition-required": Kind(
        428, "Precondition required", "A change needs If-Match with the ETag that was read."
    ),
    "throttled": Kind(429, "Too many requests", "The header Retry-After says when to ask again."),
    "internal-error": Kind(
        500, "Internal error", "A fault of ours. It is logged under the request_id of the answer."
    ),
    "unavailable": Kind(
        503,
        "Unavailable",
        "The database did not answer in time. The header Retry-After says when to ask again.",
    ),
}
_OF_STATUS = {kind.status: slug for slug, kind in reversed(KINDS.items())}


class FieldError(TypedDict):
    """What is wrong with one parameter or field; ``nearest`` is the valid name or value meant."""

    field: str
    message: str
    nearest: str | None


class Meant(str):
    """The valid value that was meant, as the code of a field's fault: it outlives the framework.

    A serializer copies each fault several times, by its message and its code alone.
    """

    __slots__ = ()


def _cut(text: str, most: int) -> str:
    """The beginning of a text, in so many bytes at most."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def field_error(field: str, message: str, nearest: str | None = None) -> FieldError:
    return {
        "field": _cut(field, MAX_ECHO),
        "message": _cut(message, MAX_MESSAGE),
        "nearest": nearest,
    }


class Problem(Exception):
    """A refusal on its way to the client. ``members`` are added to the body as they are."""

    def __init__(
        self,
        slug: str,
        detail: str = "",
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.detail = detail or KINDS[slug].meaning
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = members


def _first(found: Iterable[FieldError]) -> list[FieldError]:
    """As many of the first faults as an answer has room for; one always."""
    kept: list[FieldError] = []
    size = 0
    for error in islice(found, MAX_ERRORS):
        size += len(json.dumps(error, ensure_ascii=False).encode("utf-8", "replace"))
        if kept and size > MAX_ERRORS_BYTES:
            break
        kept.append(error)
    return kept


def respond(problem: Problem) -> HttpResponse:
    kind = KINDS[problem.slug]
    body: dict[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": _cut(problem.detail, MAX_DETAIL),
    }
    if problem.errors:
        body["errors"] = _first(problem.errors)
    body |= problem.members
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(
        text.encode("utf-8", "replace"),
        status=kind.status,
        content_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )


def log_failure(error: BaseException) -> str:
    """Log where a fault of ours happened; the id under which it is found.

    Without its message, which may hold a name or a search word.
    """
    request_id = uuid.uuid4().hex
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("request %s failed with %s\n%s", request_id, type(error).__name__, where)
    return request_id


def _passes(error: BaseException) -> bool:
    """Whether the database timed out, has gone away, or has no connection left: all may pass."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, InternalError) and (
        getattr(error.__cause__, "sqlstate", None) in _PASSING_STATES
    )


def unexpected() -> Problem:
    """The fault that is being handled, logged: the database's for now, or ours."""
    error = sys.exc_info()[1] or RuntimeError()
    request_id = log_failure(error)
    if _passes(error):
        return Problem("unavailable", headers={"Retry-After": str(RETRY_AFTER_S)})
    return Problem("internal-error", request_id=request_id)


def _step(path: str, key: Any) -> str:
    if key in (api_settings.NON_FIELD_ERRORS_KEY, NON_FIELD_ERRORS):
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _flat(detail: Any, path: str = "") -> Iterator[FieldError]:
    """Field errors of a nested structure of messages, each with its path."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _flat(value, _step(path, key))
    elif isinstance(detail, list | tuple):
        for i, value in enumerate(detail):
            is_nested = isinstance(value, Mapping | list)
            yield from _flat(value, f"{path}[{i}]" if is_nested else path)
    else:
        code = getattr(detail, "code", None)
        yield field_error(path, str(detail), str(code) if isinstance(code, Meant) else None)


def _of_domain(error: errors.DomainError) -> Problem:
    if isinstance(error, errors.Invalid):
        return Problem("invalid", error.message, errors=_flat(error.fields))
    if isinstance(error, errors.Stale):
        return Problem("precondition-failed", error.message, differences=error.differences)
    if isinstance(error, errors.Conflict):
        return Problem("conflict", error.message, differences=error.differences)
    if isinstance(error, errors.NotAllowed):
        return Problem("not-allowed", error.message)
    if isinstance(error, errors.TooMany):
        return Problem("throttled", error.message, headers={"Retry-After": str(error.wait_s)})
    # What is hidden and what is not there give the same bytes.
    return Problem("not-found")


def _of_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        return Problem("invalid", errors=_flat(error.detail))
    slug = _OF_STATUS.get(error.status_code, "internal-error")
    if isinstance(error, exceptions.ParseError):
        slug = "malformed-request"
    headers = {}
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    return Problem(slug, headers=headers)


def of(error: Exception) -> Problem:
    """The problem that an exception stands for; called while it is being handled."""
    match error:
        case Problem():
            return error
        case errors.DomainError():
            return _of_domain(error)
        case Http404():
            return Problem("not-found")
        case PermissionDenied():
            return Problem("not-allowed")
        case exceptions.APIException():
            return _of_framework(error)
        case DjangoValidationError():
            fields = error.message_dict if hasattr(error, "error_dict") else error.messages
            return Problem("invalid", errors=_flat(fields))
        case SuspiciousOperation():
            return Problem("malformed-request")
        case _:
            return unexpected()


def handle(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """The exception handler of Django REST framework: an answer for everything."""
    return respond(of(exc))

"""Bodies of requests: JSON, read strictly and exactly, at most 1 MiB.

What is odd is refused and nothing is mended: a key given twice, a number that a float cannot
hold, half a surrogate pair. Text comes out as it was sent, character by character.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, Protocol

from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from harmtracker.api.parameters import Unacceptable
from harmtracker.api.problems import MAX_ERRORS, Problem, field_error

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_DIGITS = 19  # of a whole number: what 64 bits hold
MAX_NUMBER_CHARACTERS = 40
_CHUNK = 64 * 1024

# Control characters but for tab and line breaks, half surrogate pairs, and what Unicode leaves
# out for ever: XML, CSV or PostgreSQL cannot hold one or the other. The constraint
# `history_text_is_text` says the same.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Readable(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes: ...


def check_text(text: str) -> None:
    """Refuse a text with a character that no text has. Raises :class:`Unacceptable`."""
    if found := _NOT_TEXT.search(text):
        raise Unacceptable(
            f"It holds U+{ord(found[0]):04X}, which is no character of a text: take it out."
        )


def stream_of(request: HttpRequest) -> Readable:
    """What the body is read from, also where it comes in chunks and nobody said its length."""
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        stream: Readable = request.META["wsgi.input"]
        return stream
    return request


def read(stream: Readable, most: int = MAX_BYTES) -> bytes:
    """The whole body. Refused as soon as more than ``most`` bytes have come."""
    chunks = []
    left = most + 1
    try:
        while left and (chunk := stream.read(min(_CHUNK, left))):
            chunks.append(chunk)
            left -= len(chunk)
    except OSError as error:
        raise Problem("malformed-request", "The body ended before it was whole.") from error
    if not left:
        raise Problem("too-large")
    return b"".join(chunks)


# --- JSON. What cannot be taken stands in its place as an Unacceptable, until it is found there ---


def _whole(text: str) -> int | Unacceptable:
    if len(text.lstrip("-")) > MAX_DIGITS:
        return Unacceptable(f"A whole number has at most {MAX_DIGITS} digits.")
    return int(text)


def _fraction(text: str) -> Decimal | Unacceptable:
    if len(text) > MAX_NUMBER_CHARACTERS:
        return Unacceptable(f"A number has at most {MAX_NUMBER_CHARACTERS} characters.")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Unacceptable("The number is too large or too small.")
    if math.isinf(float(text)) or (number and not float(text)):
        return Unacceptable("The number is too large or too small.")
    return number


def _no_number(text: str) -> Unacceptable:
    return Unacceptable("NaN and Infinity are no numbers; null says that it is not known.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                members[key] = Unacceptable("It is given more than once.")
            seen.add(key)
    return members


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_whole,
    parse_float=_fraction,
    parse_constant=_no_number,
)
_SURE = {int, Decimal, bool, type(None)}
# A path while it is walked: the one above, and a key or an index. Written out for a fault alone.
_Path = tuple[Any, str | int] | None


def _written(path: _Path) -> str:
    steps: list[str] = []
    while path is not None:
        path, step = path
        if isinstance(step, int):
            steps.append(f"[{step}]")
        else:
            shown = step.encode("unicode_escape").decode() if _NOT_TEXT.search(step) else step
            steps.append(f".{shown}")
    return "".join(reversed(steps)).removeprefix(".")


def _faults(value: Any, path: _Path, depth: int) -> Iterator[tuple[_Path, str]]:
    if isinstance(value, Unacceptable):
        yield path, value.message
    elif isinstance(value, str):
        try:
            check_text(value)
        except Unacceptable as fault:
            yield path, fault.message
    elif depth == MAX_DEPTH:
        yield path, f"It is nested deeper than {MAX_DEPTH} levels."
    elif isinstance(value, dict):
        for key, member in value.items():
            if _NOT_TEXT.search(key):
                yield (path, key), "The name holds a character that no text has."
            if type(member) not in _SURE:
                yield from _faults(member, (path, key), depth + 1)
    else:
        for i, member in enumerate(value):
            if type(member) not in _SURE:
                yield from _faults(member, (path, i), depth + 1)


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object that the bytes are. Raises :class:`Problem` with the paths at fault.

    Whole numbers are ``int``, those with a fraction or exponent exact ``Decimal``.
    """
    if raw.startswith(codecs.BOM_UTF8):
        raise Problem("malformed-request", "The body begins with a byte order mark: leave it out.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(
            "malformed-request", f"The body is not UTF-8: see its byte {error.start}."
        ) from error
    if not text.strip(" \t\r\n"):
        raise Problem("malformed-request", "The body is empty: a JSON object is expected.")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = (
            "it ends too early"
            if error.pos >= len(text)
            else f"line {error.lineno}, column {error.colno}"
        )
        raise Problem("malformed-request", f"The body is not JSON: {where}.") from error
    except RecursionError as error:
        raise Problem(
            "malformed-request", f"The body is nested deeper than {MAX_DEPTH} levels."
        ) from error
    if not isinstance(value, dict):
        raise Problem("malformed-request", "The body is not a JSON object, such as {}.")
    errors = [
        field_error(_written(path), message)
        for path, message in islice(_faults(value, None, 0), MAX_ERRORS)
    ]
    if errors:
        raise Problem("invalid", "The body holds what cannot be taken.", errors=errors)
    return value


class StrictJSONParser(BaseParser):
    """Bodies of JSON. The bytes stay at hand as ``raw_body`` of the request."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = (parser_context or {}).get("request")
        length = request.META.get("CONTENT_LENGTH", "") if request is not None else ""
        if length.isdecimal() and int(length[:20]) > MAX_BYTES:
            raise Problem("too-large")
        raw = read(stream)
        if request is not None:
            request.raw_body = raw
        return parse(raw)

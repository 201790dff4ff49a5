"""If-Match: a change is made to what was read, or not at all (RFC 9110, RFC 6585)."""

from __future__ import annotations

import re

from django.http import HttpRequest
from rest_framework.request import Request

from harmtracker.api.problems import Problem

_STRONG = re.compile(r'"[\x21\x23-\x7e]{1,200}"')


def if_match(request: Request | HttpRequest) -> str:
    """The one strong ETag of If-Match, with its quotation marks.

    Without the header 428. Weak, ``*``, several or none that can be read: 412, since none of
    these says which state of the record was read.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        raise Problem("precondition-required")
    if not _STRONG.fullmatch(header.strip()):
        raise Problem(
            "precondition-failed",
            "If-Match takes one strong ETag, as it was read with the record: neither * nor W/.",
        )
    return str(header.strip())


def check(request: Request | HttpRequest, current_etag: str) -> None:
    """Refuse a change of what has changed since it was read; call it with the row locked.

    The 412 carries the ETag of now.
    """
    if if_match(request) != current_etag:
        raise Problem("precondition-failed", headers={"ETag": current_etag})

"""ETags and the answer 304."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

# Anyone may keep an answer and must ask before using it again: a name that was redacted must not
# live on in a cache.
CACHE_CONTROL = "public, max-age=0, must-revalidate"


def etag_of(*parts: str | bytes) -> str:
    """A strong ETag of what determines an answer's bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8") if isinstance(part, str) else part)
        digest.update(b"\n")
    return f'"{digest.hexdigest()[:40]}"'


def headers(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": CACHE_CONTROL}


def is_current(request: HttpRequest, etag: str) -> bool:
    """Whether the client has these bytes already (If-None-Match, compared weakly)."""
    header = request.META.get("HTTP_IF_NONE_MATCH", "")
    return header.strip() == "*" or etag in {tag.removeprefix("W/") for tag in parse_etags(header)}


def not_modified(etag: str) -> HttpResponse:
    response = HttpResponse(status=304, headers=headers(etag))
    del response.headers["Content-Type"]
    return response

"""gzip, by ISA-L, of what anyone may read: a third of the bytes at next to no cost.

Neither casework nor the admin is compressed: the length of a compressed page that holds a secret
beside words of a stranger's choice tells the secret, letter by letter (BREACH). Public answers hold
no secret.

The compressed bytes are another representation than the plain ones, and have an ETag of their own
(RFC 9110, 8.8.3): the plain one with ``-gzip`` at its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from isal import isal_zlib

from harmtracker.addresses import is_public

# Below it the headers weigh more than what is saved.
MIN_BYTES = 500
LEVEL = 2
_GZIP = 31  # window bits: the largest window, in the format of gzip
_SUFFIX = '-gzip"'

# Nobody sends more than this to say what he reads.
_MAX_HEADER = 1_000
_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII | re.IGNORECASE)
# Formats that are compressed already (XLSX, Parquet, images) are not among them.
_COMPRESSIBLE = re.compile(
    r"text/|application/(?:[\w.-]+\+)?json\b|application/(?:x-)?(?:ndjson|yaml)\b"
    r"|application/atom\+xml\b|application/vnd\.oai\.openapi\b",
    re.ASCII,
)


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding takes gzip, and likes it no less than plain bytes."""
    qualities: dict[str, float] = {}
    for part in header[:_MAX_HEADER].lower().split(","):
        coding, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        if parameters:
            found = _QUALITY.fullmatch(parameters[0])
            if found is None or len(parameters) > 1:
                continue
            quality = float(found[1])
        qualities[coding] = quality
    gzip = qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0)))
    return gzip > 0 and gzip >= qualities.get("identity", 0.0)


class Compression:
    """Compresses public answers for whoever takes them so; what is streamed stays a stream."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_public(request.path):
            return self.get_response(request)
        is_taken = accepts_gzip(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        known = _with_plain_tags(request) if is_taken else []
        response = self.get_response(request)
        if response.status_code == 304:
            patch_vary_headers(response, ["Accept-Encoding"])
            _tag_as_known(response, known)
            return response
        # A range is of the plain bytes: what can be had in ranges goes as it is.
        if response.has_header("Accept-Ranges"):
            return response
        if not _COMPRESSIBLE.match(response.get("Content-Type", "")):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if is_taken and not response.has_header("Content-Encoding"):
            _compress(request, response)
        return response


def _with_plain_tags(request: HttpRequest) -> list[str]:
    """The tags that the client has. Those of compressed bytes are shown to the view as the plain
    ones that it knows.
    """
    header = request.META.get("HTTP_IF_NONE_MATCH", "")
    if "-gzip" not in header:
        return []
    known = parse_etags(header)
    plain = [f'{tag.removesuffix(_SUFFIX)}"' for tag in known if tag.endswith(_SUFFIX)]
    request.META["HTTP_IF_NONE_MATCH"] = ", ".join([*known, *plain])
    return [tag.removeprefix("W/") for tag in known]


def _compressed_tag(etag: str) -> str:
    return f"{etag[:-1]}{_SUFFIX}"


def _tag_as_known(response: HttpResponseBase, known: Iterable[str]) -> None:
    """Name the representation that the client has."""
    etag = response.get("ETag", "")
    if etag not in known and _compressed_tag(etag) in known:
        response["ETag"] = _compressed_tag(etag)


def _compress(request: HttpRequest, response: HttpResponseBase) -> None:
    if isinstance(response, StreamingHttpResponse):
        if request.method != "HEAD":
            # Nothing here is asynchronous.
            response.streaming_content = _stream(cast(Iterable[bytes], response.streaming_content))
        del response["Content-Length"]
    else:
        plain = cast(HttpResponse, response)
        if len(plain.content) < MIN_BYTES:
            return
        plain.content = isal_zlib.compress(plain.content, LEVEL, _GZIP)
        plain["Content-Length"] = str(len(plain.content))
    response["Content-Encoding"] = "gzip"
    if response.get("ETag", "").startswith('"'):
        response["ETag"] = _compressed_tag(response["ETag"])


def _stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, _GZIP)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()

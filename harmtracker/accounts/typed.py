"""What a person typed, carried by the browser itself while they log in again.

The server keeps no copy. What the browser holds meanwhile is encrypted, so that a page for logging
in that stands open on a seized machine tells nothing; it opens for the person who typed it, at the
address where they typed it, for three days. Opening it again saves nothing, so that it may be sent
twice.
"""

from __future__ import annotations

import base64
import json
import os
import re
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core import signing
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.utils.crypto import salted_hmac

from harmtracker.limits import LARGEST_FILE

# Names of hidden inputs: what was typed, sealed; and for whom a page was made.
KEPT, BY = "kept", "typed_by"
LONGEST_AGE = 3 * 24 * 60 * 60
# In characters. The form that carries it has to stay below what a form may hold.
LONGEST = 700_000
_NONCE_BYTES = 12
# What no page repeats, whatever it is on: it is typed anew. Views and admins add to it with
# ``never_kept``.
_SECRET = re.compile(r"(^|[-_])(password\d?|code|token|secret)$")
# What only the program reads.
_MACHINERY = re.compile(
    r"^(csrfmiddlewaretoken|next|revision|other_revision|seen|seen-.*|shown|.*_shown|mark|choose:.*"
    r"|post|sure|step|ticked|expected|_.*|.*-(TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS|.*-id"
    r"|.*-__prefix__-.*|.*-\d+-incident|initial-.*)$"
)


@dataclass(frozen=True, repr=False)
class Typed:
    """The fields of one form. ``person`` is the uuid of who typed them, or empty: not known.

    ``had_file``: a file came along, and is not here. ``dropped``: fields that no page repeats.
    """

    person: str
    address: str
    fields: QueryDict
    had_file: bool = False
    dropped: bool = False

    def __repr__(self) -> str:
        return "<what somebody typed>"

    def texts(self) -> list[tuple[str, str]]:
        """Name and text of every field that a person filled in."""
        return [
            (name, value)
            for name, values in self.fields.lists()
            # Of what is picked by its name, the name.
            if not _MACHINERY.match(name) and f"{name}_words" not in self.fields
            for value in values
            if value.strip()
        ]

    def is_of(self, person: Any) -> bool:
        return bool(self.person) and self.person == str(getattr(person, "uuid", ""))


def _key() -> bytes:
    return salted_hmac("harmtracker.accounts.typed", "key", algorithm="sha256").digest()


def sealed(typed: Typed) -> str:
    """For a hidden input. Empty where it is too large to be carried, or whose it is is unknown."""
    if not typed.person:
        return ""
    text = json.dumps(
        {
            "person": typed.person,
            "address": typed.address,
            "fields": typed.fields.urlencode(),
            "had_file": typed.had_file,
            "dropped": typed.dropped,
            "at": int(timezone.now().timestamp()),
        }
    )
    nonce = os.urandom(_NONCE_BYTES)
    closed = AESGCM(_key()).encrypt(nonce, zlib.compress(text.encode()), KEPT.encode())
    found = base64.urlsafe_b64encode(nonce + closed).decode()
    return found if len(found) <= LONGEST else ""


def opened(text: str) -> Typed | None:
    """What :func:`sealed` closed; nothing where it is not ours, or older than three days."""
    if not text or len(text) > LONGEST:
        return None
    try:
        closed = base64.urlsafe_b64decode(text.encode())
        packed = AESGCM(_key()).decrypt(closed[:_NONCE_BYTES], closed[_NONCE_BYTES:], KEPT.encode())
    except (ValueError, InvalidTag):
        return None
    # It was a form of this size before; nobody else can make one that unpacks to more.
    said = json.loads(zlib.decompress(packed))
    if not 0 <= timezone.now().timestamp() - said["at"] + 1 < LONGEST_AGE:
        return None
    return Typed(
        said["person"],
        said["address"],
        QueryDict(said["fields"]),
        said["had_file"],
        said["dropped"],
    )


def mark(person: Any) -> str:
    """Says in a form for whom its page was made. Nobody else can make one."""
    return signing.Signer(salt="harmtracker.accounts.typed_by").sign(str(person.uuid))


def _marked(text: str) -> str:
    try:
        return signing.Signer(salt="harmtracker.accounts.typed_by").unsign(text)
    except signing.BadSignature:
        return ""


def is_from_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sent it. Without its word: no."""
    own = f"{request.scheme}://{request.get_host()}"
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site is not None and site != "same-origin":
        return False
    sender = request.META.get("HTTP_ORIGIN") or request.META.get("HTTP_REFERER")
    if sender is None:
        return site == "same-origin"
    try:
        parts = urlsplit(sender)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}" == own


class _NoFile(FileUploadHandler):
    """Reads past files, and keeps nothing of them."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


def _read(request: HttpRequest) -> QueryDict | None:
    """The fields of the request. Nothing where they stand beside a file that no page of ours takes,
    or that none of them sent: that is not read for somebody who is not logged in."""
    is_read = hasattr(request, "_post")
    if not is_read and request.content_type == "multipart/form-data":
        length = request.META.get("CONTENT_LENGTH") or ""
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if is_from_own_page(request):
            most += LARGEST_FILE
        if not length.isdecimal() or int(length) > most:
            return None
        request.upload_handlers = [_NoFile(request)]
    try:
        return request.POST
    except (RequestDataTooBig, SuspiciousOperation, MultiPartParserError, OSError):
        return None


def typed_in(request: HttpRequest) -> Typed | None:
    """What a person typed into the form that this request is, or carries; nothing if no text."""
    fields = _read(request)
    if fields is None:
        return None
    if KEPT in fields:
        return opened(str(fields[KEPT]))
    match: Any = request.resolver_match
    view = getattr(match, "func", None)
    admin = getattr(view, "model_admin", None)
    never = {*getattr(view, "never_kept", ()), *getattr(admin, "never_kept", ())}
    kept = fields.copy()
    secret = [name for name in kept if name in never or _SECRET.search(name)]
    for name in (*secret, "csrfmiddlewaretoken", BY):
        kept.pop(name, None)
    typed = Typed(
        person=_marked(str(fields.get(BY, ""))),
        address=request.get_full_path(),
        fields=kept,
        had_file=request.content_type == "multipart/form-data",
        dropped=bool(secret),
    )
    return typed if typed.texts() else None

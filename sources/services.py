"""Entering outlets and articles, and keeping copies: each function leaves its rows of history.

Call ``create_...`` and ``update`` inside :func:`harmtracker.history.acting.acting`. What is done
with a copy is done in somebody's name, which those functions set themselves.
"""

from __future__ import annotations

import datetime
import io
import uuid
from io import BufferedReader
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from harmtracker.accounts.models import User
from harmtracker.accounts.rights import need
from harmtracker.errors import Conflict, Invalid
from harmtracker.history.acting import acting
from harmtracker.saving import save
from harmtracker.slugs import free_slug
from sources import storage
from sources.models import Article, Capture, CustodyEntry, Outlet

Shared = TypeVar("Shared", Outlet, Article)

# --- Outlets and articles ---


def create_outlet(*, slug: str = "", **fields: Any) -> Outlet:
    """A new outlet. Without a slug it gets one by its name; without a group it is its own."""
    slug = slug or free_slug(Outlet, fields.get("name", ""))
    fields["independence_group"] = fields.get("independence_group") or slug
    return _save(Outlet(slug=slug, **fields))


def create_article(**fields: Any) -> Article:
    """A new article of an outlet, with an address or, for print, radio and witnesses, none."""
    return _save(Article(**fields))


def update(row: Shared, **fields: Any) -> Shared:
    """Change these fields of an outlet or article, and no others."""
    for name, value in fields.items():
        setattr(row, name, value)
    return _save(row)


def _save(row: Shared) -> Shared:
    for name in ("slug",) if isinstance(row, Outlet) else ("url", "copy_url"):
        value = getattr(row, name)
        other = type(row)._base_manager.filter(**{name: value}).exclude(pk=row.pk).first()
        if value and other is not None:
            kind = row._meta.verbose_name
            message = f"The {kind} {other.uuid} has it already: {str(other)[:100]}."
            raise Invalid(message, fields={name: [message]})
    return save(row)


# --- Copies ---


def attach(
    article: Article, stream: storage.Readable, *, by: User, **about: Any
) -> tuple[Capture, bool]:
    """Store what a stream gives as a copy of an article; see :func:`keep`."""
    with storage.receive(stream) as incoming:
        return keep(article, incoming, by=by, **about)


def paste(article: Article, text: str, *, by: User, **about: Any) -> tuple[Capture, bool]:
    """Store a text that somebody pasted or typed, byte for byte in UTF-8; see :func:`keep`."""
    with storage.receive(io.BytesIO(text.encode()), as_text=True) as incoming:
        return keep(article, incoming, by=by, **{"tool": "pasted text", **about})


def keep(
    article: Article,
    incoming: storage.Incoming,
    *,
    by: User,
    captured_at: datetime.datetime | None = None,
    tool: str = "upload",
    requested_url: str | None = None,
    final_url: str | None = None,
    request_id: uuid.UUID | None = None,
) -> tuple[Capture, bool]:
    """(The copy, whether it is new). The same bytes for the same article are one copy.

    ``captured_at`` is when the copy was taken from its source, which is now unless it is said;
    ``tool`` is what took it. Raises :class:`NotAllowed` or :class:`Invalid`.
    """
    need(by, "sources.add_capture", "attach copies")
    with acting(by, request_id=request_id):
        # One after the other, so that the second of two equal copies finds the first.
        Article.objects.select_for_update(of=("self",), no_key=True).get(pk=article.pk)
        found = Capture.objects.filter(article=article, sha256=incoming.sha256).first()
        if found is not None:
            return found, False
        capture = Capture(
            article=article,
            kind=incoming.judged.kind,
            sha256=incoming.sha256,
            size=incoming.size,
            media_type=incoming.judged.media_type,
            requested_url=requested_url,
            final_url=final_url,
            captured_at=captured_at or timezone.now(),
            captured_by=by,
            tool=tool,
        )
        # The bytes are on disk before any row says that they are.
        incoming.keep()
        return save(capture), True


def read(
    capture: Capture, *, by: User, purpose: str = "", request_id: uuid.UUID | None = None
) -> BufferedReader:
    """The bytes of a copy, open for reading; the custody entry is committed before.

    Raises :class:`NotAllowed`, and :class:`Conflict` where the file is not there.
    """
    need(by, "sources.view_capture", "read stored copies")
    try:
        file = storage.open_copy(capture.sha256)
    except FileNotFoundError as error:
        raise Conflict(
            "The file of this copy is missing: tell whoever runs the server, who finds it by "
            "`manage.py verify_captures` and restores it from a backup."
        ) from error
    try:
        with transaction.atomic(durable=True), acting(by, request_id=request_id):
            save(CustodyEntry(capture=capture, action="read", by=by, purpose=purpose))
    except BaseException:
        file.close()
        raise
    return file


def hand_over(
    capture: Capture, *, by: User, to: str, purpose: str = "", request_id: uuid.UUID | None = None
) -> CustodyEntry:
    """Write down that a copy was given to somebody outside the team."""
    need(by, "sources.hand_over_capture", "hand copies over")
    if not to.strip():
        message = "Say to whom the copy was handed over."
        raise Invalid(message, fields={"to": [message]})
    with acting(by, request_id=request_id):
        entry = CustodyEntry(capture=capture, action="handed_over", by=by, to=to, purpose=purpose)
        save(entry)
        entry.refresh_from_db()
    return entry

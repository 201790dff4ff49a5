"""What every change of a record over the API has in common.

A change names the revision that was read (If-Match), is made under the record's lock, and answers
with the next revision.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework.request import Request

from harmtracker.api import preconditions
from harmtracker.api.serializers import ReasonSerializer
from incidents.editing import editing
from incidents.models import Incident

_ETAG = re.compile(r'"([0-9a-f]{8})-([0-9]{1,18})"')


def etag(incident: Incident) -> str:
    """Strong validator of a record's content: it moves with every edit, of a part too."""
    return f'"{incident.uuid.hex[:8]}-{incident.revision.number}"'


def revision_in(text: str, incident: uuid.UUID) -> int:
    """The revision that an ETag of this record names; -1, which is none, for any other text."""
    found = _ETAG.fullmatch(text)
    return int(found[2]) if found and found[1] == incident.hex[:8] else -1


def revision_read(request: Request, incident: uuid.UUID) -> int:
    """The revision of this record that the request says was read; 428 without If-Match.

    One that is none of it is found to be stale only where there is such a record.
    """
    return revision_in(preconditions.if_match(request), incident)


def take_reason(request: Request) -> tuple[dict[str, Any], str]:
    """The body without ``change_reason``, and that."""
    body = dict(request.data)
    given = {name: body.pop(name) for name in ("change_reason",) if name in body}
    reason = ReasonSerializer(data=given)
    reason.is_valid(raise_exception=True)
    return body, reason.validated_data.get("change_reason", "")


@contextmanager
def edit(
    request: Request, incident: uuid.UUID, reason: str, request_id: uuid.UUID
) -> Iterator[Incident]:
    """The record, locked for one edit by whoever asks; see :func:`incidents.editing.editing`."""
    user: Any = request.user
    with editing(
        user,
        incident,
        revision=revision_read(request, incident),
        reason=reason,
        request_id=request_id,
    ) as locked:
        yield locked

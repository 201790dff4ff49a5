"""The data as they stood: the parameter that asks for a moment or a position of the ledger."""

from __future__ import annotations

import datetime
import re

from django.utils import timezone

from harmtracker.api.parameters import Kind, Parameter, Query, Unacceptable, raise_for
from incidents.models import LedgerEntry

from . import reading

_POSITION = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def _read(text: str) -> int | datetime.datetime:
    if _POSITION.fullmatch(text):
        return int(text)
    # A plus that was not written %2B reaches us as a space.
    text = text.replace(" ", "+")
    try:
        if _MOMENT.fullmatch(text):
            # Beyond what UTC can hold, near the years 1 and 9999, there is an OverflowError.
            return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        pass
    raise Unacceptable(
        "A position of the ledger, such as 12, or a moment with its zone, such as "
        "2026-01-31T12:00:00Z."
    )


AS_OF = Parameter(
    "as_of",
    Kind(
        _read,
        {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "format": "date-time"}]},
    ),
    "The data as they stood then, less what was redacted since: a position of the ledger, or a "
    "moment with its zone, which stands for the last position at or before it. The answer names "
    "the position; ask for that one to have the same bytes for ever.",
)


def position(query: Query, head: int) -> int:
    """The position that a request asks for, or the head; 400 for one that is yet to come."""
    asked = query.read(AS_OF)
    if asked is None:
        return head
    if isinstance(asked, int):
        if asked > head:
            _refuse(f"The ledger has {head} entries so far.")
        return asked
    if asked > timezone.now():
        _refuse("The moment is yet to come.")
    # No later than the head that was read, whatever was published since.
    entries = LedgerEntry.objects.using("published").filter(at__lte=asked, seq__lte=head)
    return entries.order_by("-seq").values_list("seq", flat=True).first() or 0


def _refuse(message: str) -> None:
    raise_for([(AS_OF.name, Unacceptable(message))])


def state(at: int, head: int) -> str:
    """What the bytes of an answer as of a position depend on, for its ETag.

    At the head that is the position. Of an earlier one only a redaction changes them.
    """
    if at == head:
        return str(at)
    redacted = reading.last_redaction()
    # One that the head had seen at that position already changes nothing.
    return str(at) if redacted <= at else f"{at} {redacted}"

"""The orders of the list of records. Equals go by their random ids."""

from __future__ import annotations

from django.db.models import Q

from harmtracker.api.paging import Order, Segment, day, moment, no_day, random_id
from incidents.choices import State

_WAITS = Q(state__in=[State.SUBMITTED, State.VERIFIED])


def _by_moment(name: str, *, descending: bool) -> Order:
    return (Segment((moment(name, descending=descending), random_id())),)


def _by_date(*, descending: bool) -> Order:
    return (
        Segment(
            (day("date_earliest", descending=descending), random_id()),
            Q(date_earliest__isnull=False),
        ),
        Segment(
            (no_day("date_earliest", descending=descending), random_id()),
            Q(date_earliest__isnull=True),
        ),
    )


ORDERINGS: dict[str, Order] = {
    "-changed": _by_moment("revision__changed_at", descending=True),
    "changed": _by_moment("revision__changed_at", descending=False),
    "-entered": _by_moment("revision__entered_at", descending=True),
    "entered": _by_moment("revision__entered_at", descending=False),
    "-date": _by_date(descending=True),
    "date": _by_date(descending=False),
    "waiting": (
        Segment((moment("submitted_at"), random_id()), _WAITS),
        Segment((moment("revision__changed_at", descending=True), random_id()), ~_WAITS),
    ),
}

"""What totals may be grouped by, and what is asked of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet

from incidents.publishing.parts import PERSONS

from .periods import MONTHS, PERIODS, WEEK

MOST_GROUPINGS = 3
# Columns of the tally, of which an incident has one value or none.
COLUMNS = ("country", "adm1", "adm2", "adm3", "place", "grading")
# What it may have several of.
SEVERAL = ("weapon_group", "weapon", "actor", "dataset")
OUTCOME, BUCKET = "outcome", "bucket"
# Those that look at the persons counted, and not at the incident.
OF_PERSONS = (BUCKET, *PERSONS)
GROUPINGS = (*PERIODS, *COLUMNS, *SEVERAL, OUTCOME, *OF_PERSONS)

PERPETRATOR = "alleged_perpetrator"
DENIED = "denied"


class Found(NamedTuple):
    """The versions that filters leave in: of those that were current at a ledger position, and of
    the last ones of records that were withdrawn by then."""

    current: QuerySet[Any]
    withdrawn: QuerySet[Any]


@dataclass(frozen=True)
class Asked:
    """What a request asks for, as of a ledger position."""

    at: int
    groupings: tuple[str, ...]
    # The last day that anything recorded by then can have happened on.
    last_day: datetime.date
    # None where no filter is asked, which is all of them.
    found: Found | None = None
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    is_certain: bool = False
    actor_roles: tuple[str, ...] = ()
    actor_certainties: tuple[str, ...] = ()

    @property
    def periods(self) -> list[str]:
        return [name for name in self.groupings if name in PERIODS]

    @property
    def unit(self) -> str | None:
        """The finest period that is asked for: wider ones follow from it."""
        return min(self.periods, key=lambda name: MONTHS.get(name, 0), default=None)

    @property
    def of_persons(self) -> tuple[str, ...]:
        return tuple(name for name in PERSONS if name in self.groupings)

    @property
    def is_of_persons(self) -> bool:
        return any(name in OF_PERSONS for name in self.groupings)

    @property
    def several(self) -> list[str]:
        return [name for name in self.groupings if name in SEVERAL]

    @property
    def is_dated(self) -> bool:
        """Whether it matters how far a date may be trusted."""
        return bool(self.periods or self.date_from or self.date_to)


def clash(groupings: Iterable[str]) -> str | None:
    """Why some groupings cannot be asked for together; None where they can."""
    asked = set(groupings)
    if WEEK in asked and asked & set(MONTHS):
        return "A week may lie in two months and in two years: ask for week, or for the others."
    return None

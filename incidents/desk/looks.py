"""Up to where a person has seen a record, so that they are told what came after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q
from django.db.models.functions import Now

from harmtracker.accounts.models import User
from harmtracker.history.models import HistoryEntry
from incidents.models import Incident, Look


@dataclass(frozen=True)
class Since:
    """What a person has not seen yet: changes after ``entry``, which they had seen at ``at``."""

    entry: int
    at: datetime
    changes: int


def look(incident: Incident, person: User) -> Since | None:
    """What came since this person last looked, None where they never did; and note that they do."""
    found = Look.objects.filter(incident=incident, person=person).first()
    seen = 0 if found is None else found.entry
    history = HistoryEntry.objects.filter(incident_id=incident.pk)
    counted = history.aggregate(
        last=Max("id"), new=Count("id", filter=Q(id__gt=seen) & ~Q(actor=person))
    )
    last = counted["last"] or 0
    Look.objects.bulk_create(
        [Look(incident=incident, person=person, entry=last, at=Now())],
        update_conflicts=True,
        unique_fields=["incident", "person"],
        update_fields=["entry", "at"],
    )
    return None if found is None else Since(found.entry, found.at, counted["new"])

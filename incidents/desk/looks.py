"""Up to where a person has seen a record, so that they are told what came after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connections

from harmtracker.accounts.models import User
from incidents.models import Incident


@dataclass(frozen=True)
class Since:
    """What a person has not seen yet: changes after ``entry``, which they had seen at ``at``."""

    entry: int
    at: datetime
    changes: int


# One statement, so that nothing that comes meanwhile is taken for seen: ``seen`` is what stood
# before it.
_LOOK = """
    WITH seen AS (
        SELECT entry, at FROM incidents_look WHERE incident_id = %(incident)s
        AND person_id = %(person)s
    ), counted AS (
        SELECT coalesce(max(h.id), 0) AS last, count(*) FILTER (
            WHERE h.id > coalesce((SELECT entry FROM seen), 0) AND h.actor_id <> %(person)s) AS new
        FROM history_historyentry h WHERE h.incident_id = %(incident)s
    ), kept AS (
        INSERT INTO incidents_look (incident_id, person_id, entry, at)
        SELECT %(incident)s, %(person)s, last, statement_timestamp() FROM counted
        ON CONFLICT (incident_id, person_id) DO UPDATE SET entry = excluded.entry, at = excluded.at
    )
    SELECT seen.entry, seen.at, counted.new FROM counted LEFT JOIN seen ON true
"""


def look(incident: Incident, person: User) -> Since | None:
    """What came since this person last looked, None where they never did; and note that they do."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_LOOK, {"incident": incident.pk, "person": person.pk})
        entry, at, changes = cursor.fetchone() or (0, None, 0)
    return None if at is None else Since(entry, at, changes)

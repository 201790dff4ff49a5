"""What was changed in a record, or in what it names, after a page of it was opened."""

from __future__ import annotations

from django.db import connections
from django.db.models import Max

from harmtracker.history.models import HistoryEntry
from incidents.models import Incident

# More of them are read in the timeline.
SHOWN = 100

_SINCE = """
    SELECT id FROM history_historyentry h
    WHERE h.id > %(mark)s AND (h.incident_id = %(incident)s OR (h.table_name, h.row_id) IN
        (SELECT table_name, row_id FROM incidents_shared(%(incident)s)))
    ORDER BY h.id LIMIT %(limit)s
"""


def mark() -> int:
    """Up to where the history goes now: what comes later is not on the page that is made."""
    return HistoryEntry.objects.aggregate(last=Max("id"))["last"] or 0


def changes_since(incident: Incident, mark: int) -> list[HistoryEntry]:
    """Edits of the record, its parts, and places, actors, outlets and articles that it names."""
    with connections["default"].cursor() as cursor:
        asked = {"mark": mark, "incident": incident.pk, "limit": SHOWN}
        cursor.execute(_SINCE, asked)
        ids = [row[0] for row in cursor.fetchall()]
    entries = HistoryEntry.objects.filter(pk__in=ids).select_related("actor")
    return list(entries.order_by("id"))

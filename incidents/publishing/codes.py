"""Public codes such as ``MMR-2023-0001``: country of the main place, year, ordinal."""

from __future__ import annotations

from django.db import connections

from harmtracker.errors import Invalid
from incidents.models import Incident

_NEXT = """
    INSERT INTO incidents_codecounter (country, year, last) VALUES (%s, %s, 1)
    ON CONFLICT (country, year) DO UPDATE SET last = incidents_codecounter.last + 1
    RETURNING last
"""


def next_code(incident: Incident) -> str:
    """The next code of its country and year. Given inside the publishing transaction, so that a
    publication that fails leaves no gap, and no gap betrays a draft."""
    earliest = incident.date_earliest or incident.date_latest
    if incident.place is None or earliest is None:
        missing = "place" if incident.place is None else "date_edtf"
        message = "A code is made of the country and the year: enter both before publishing."
        raise Invalid(message, fields={missing: [message]})
    with connections["default"].cursor() as cursor:
        cursor.execute(_NEXT, [incident.place.country, earliest.year])
        row = cursor.fetchone()
        assert row is not None  # noqa: S101
    return f"{incident.place.country}-{earliest.year}-{row[0]:04d}"

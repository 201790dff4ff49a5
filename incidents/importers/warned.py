"""Warnings that are open on records of an import, counted and answered together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeVar

from django.db import connections

from harmtracker.accounts.models import User
from harmtracker.errors import Invalid
from incidents.warnings import MAY_KNOW, RULES

# Records of one statement: each takes the database milliseconds.
AT_ONCE = 200
# Who may know of every record.
SEES_ALL = "incidents.verify_incident"

T = TypeVar("T")

_OPEN = """
    FROM unnest(%s::bigint[]) AS i (id) CROSS JOIN LATERAL incidents_warnings(i.id) w
    WHERE w.is_open AND w.asks = 'answer'
"""
_COUNT = "SELECT w.rule, count(DISTINCT i.id) " + _OPEN
_ANSWER = """
    INSERT INTO incidents_warninganswer
        (uuid, incident_id, rule, fingerprint, message, about_id, reason, actor_id, revision)
    SELECT gen_random_uuid(), i.id, w.rule, w.fingerprint, w.message, w.about, %s, %s,
        (SELECT number FROM incidents_incidentrevision r WHERE r.incident_id = i.id)
{}
"""


def in_parts(records: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(records), AT_ONCE):
        yield records[start : start + AT_ONCE]


def open_on(incidents: Sequence[int], reader: User | None = None) -> dict[str, int]:
    """Warnings that an answer is due to, on how many of these records, by rule.

    With ``reader``, those alone that tell of no record which that person may not know of.
    """
    sql, who = _COUNT, []
    if reader is not None and not reader.has_perm(SEES_ALL):
        sql, who = f"{_COUNT} AND {MAY_KNOW}", [reader.pk]
    found: Counter[str] = Counter()
    with connections["default"].cursor() as cursor:
        for ids in in_parts(incidents):
            cursor.execute(f"{sql} GROUP BY 1", [list(ids), *who])
            for rule, number in cursor.fetchall():
                found[rule] += number
    return dict(sorted(found.items()))


def answer(incidents: Sequence[int], person: User, reason: str) -> None:
    """One answer to each open warning of each record, all with the reason of the decision.

    :class:`Invalid` where a warning is open and no reason is given.
    """
    if not reason.strip():
        if found := open_on(incidents):
            counted = ", ".join(f"{RULES[rule].label}: {number}" for rule, number in found.items())
            message = (
                f"Warnings are open on records of the import ({counted}). Say why they may stand."
            )
            raise Invalid(message, fields={"reason": [message]})
        return
    with connections["default"].cursor() as cursor:
        for ids in in_parts(incidents):
            cursor.execute(_ANSWER.format(_OPEN), [reason, person.pk, list(ids)])

"""A record as its history has it: what moved between two moments, value by value, and by whom.

A moment is an entry of the history: the record as it stood right after it. Everything that hangs
on the record counts, claims, counts, people and links alike; remarks and steps do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import Max

from harmtracker.history.models import HistoryEntry
from incidents.models import CasualtyCount, Incident, Merge, ReviewComment
from incidents.publishing.totals import Row as CountRow
from incidents.publishing.totals import Total, totals

REMARKS = ReviewComment._meta.db_table
# After every entry there will ever be.
NOW = 2**63 - 1
# In this order rows are told; those of our assessment before those of the claims.
TABLES = (
    "incidents_casualtycount",
    "incidents_incident",
    "incidents_countbasis",
    "incidents_weaponuse",
    "incidents_involvement",
    "incidents_furtherplace",
    "incidents_incidentlink",
    "incidents_externalid",
    "incidents_claim",
    "incidents_victim",
    "incidents_victimclaim",
)
# What steps of the workflow move by themselves.
MOVED_BY_STEPS = frozenset({"state", "code"})


@dataclass(frozen=True)
class Edit:
    """What one person changed in one act; ``entry`` is the last that it left in the history."""

    entry: int
    at: datetime
    who: str
    rows: int
    why: str


@dataclass(frozen=True)
class Between:
    """What became of one row between two moments.

    ``entry`` is not stored: it holds the row as it was and as it is. For each column that differs
    ``first`` is the entry before which it had the earlier value, and ``last`` the one since which
    it has the later.
    """

    entry: HistoryEntry
    first: dict[str, HistoryEntry]
    last: dict[str, HistoryEntry]
    last_entry: int


_EDITS = """
    SELECT max(h.id), max(h.at), u.username, count(DISTINCT (h.table_name, h.row_id)), h.reason
    FROM history_historyentry h JOIN accounts_user u ON u.id = h.actor_id
    WHERE h.incident_id = %s AND h.table_name <> %s
    AND (h.table_name <> 'incidents_incident' OR incidents_content(coalesce(h.before, '{}'))
        IS DISTINCT FROM incidents_content(coalesce(h.after, '{}')))
    GROUP BY h.transaction_id, u.username, h.reason ORDER BY 1 DESC LIMIT %s
"""


def edits_of(incident: Incident, most: int) -> list[Edit]:
    """The latest edits, the latest first."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_EDITS, [incident.pk, REMARKS, most])
        return [Edit(*row) for row in cursor.fetchall()]


def whole_edit(incident: Incident, entry: int) -> int | None:
    """The last entry of the edit that this one is of; None where it is none of this record."""
    entries = HistoryEntry.objects.filter(incident_id=incident.pk)
    edit = entries.filter(pk=entry).values("transaction_id", "actor", "reason").first()
    if edit is None:
        return None
    return entries.filter(**edit, pk__gte=entry).aggregate(last=Max("pk"))["last"]


def moment(incident: Incident, at: datetime) -> int:
    """The last entry of a record up to a time."""
    entries = HistoryEntry.objects.filter(incident_id=incident.pk, at__lte=at)
    return entries.aggregate(last=Max("pk"))["last"] or 0


def between(incident: Incident, earlier: int, later: int) -> list[Between]:
    """Each row that differs between two moments, in the order in which rows are told."""
    rows: dict[tuple[str, int], list[HistoryEntry]] = {}
    for entry in _entries(incident, earlier, later):
        rows.setdefault((entry.table_name, entry.row_id), []).append(entry)
    found = (_between(incident, entries) for entries in rows.values())
    return sorted((row for row in found if row is not None), key=_place)


def _entries(incident: Incident, earlier: int, later: int) -> Iterable[HistoryEntry]:
    found = HistoryEntry.objects.filter(pk__gt=earlier, pk__lte=later).exclude(table_name=REMARKS)
    own = found.filter(incident_id=incident.pk)
    # What a merge took away is in the history of the record that it went to.
    targets = Merge.objects.filter(source=incident).values("target")
    gone = found.filter(incident_id__in=targets, before__incident_id=incident.pk)
    return (own | gone).select_related("actor").order_by("pk")


def _between(incident: Incident, entries: list[HistoryEntry]) -> Between | None:
    before = _of(incident, entries[0].before)
    after = _of(incident, entries[-1].after)
    if before is None and after is None:
        return None
    first: dict[str, HistoryEntry] = {}
    last: dict[str, HistoryEntry] = {}
    for entry in entries:
        for column in entry.changed_fields():
            first.setdefault(column, entry)
            last[column] = entry
    operation = HistoryEntry.Operation
    latest = entries[-1]
    whole = HistoryEntry(
        table_name=latest.table_name,
        row_id=latest.row_id,
        incident_id=incident.pk,
        operation=operation.INSERT
        if before is None
        else operation.DELETE
        if after is None
        else operation.UPDATE,
        before=before,
        after=after,
        actor=latest.actor,
        reason=latest.reason,
        transaction_id=latest.transaction_id,
        at=latest.at,
    )
    differs = whole.changed_fields()
    if not differs.keys() - MOVED_BY_STEPS:
        return None
    for column in differs:
        # A merge brings or takes a row without moving its values.
        first.setdefault(column, entries[0])
        last.setdefault(column, latest)
    return Between(whole, first, last, latest.pk)


def _of(incident: Incident, row: dict[str, Any] | None) -> dict[str, Any] | None:
    """A row of this record; None while it was none, or of another."""
    if row is None or row.get("incident_id", incident.pk) != incident.pk:
        return None
    return row


def _place(row: Between) -> tuple[int, int, int, int]:
    entry = row.entry
    said = entry.after or entry.before or {}
    claim = entry.row_id if entry.table_name == "incidents_claim" else said.get("claim_id")
    is_claimed = entry.table_name != "incidents_countbasis" and claim is not None
    table = TABLES.index(entry.table_name) if entry.table_name in TABLES else len(TABLES)
    if not is_claimed:
        return 0, 0, table, entry.row_id
    # A claim before what it says.
    return 1, int(claim or 0), -1 if entry.table_name == "incidents_claim" else table, entry.row_id


_COUNTS = """
    SELECT DISTINCT ON (row_id) after FROM history_historyentry
    WHERE incident_id = %s AND table_name = %s AND id <= %s ORDER BY row_id, id DESC
"""


def totals_at(incident: Incident, at: int) -> dict[str, dict[str, Total]]:
    """What our counts came to at one moment, by outcome and bucket."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"SELECT row.* FROM ({_COUNTS}) latest, "  # noqa: S608  (of the text above)
            "jsonb_populate_record(NULL::incidents_casualtycount, latest.after) row "
            "WHERE latest.after IS NOT NULL AND row.claim_id IS NULL",
            [incident.pk, CasualtyCount._meta.db_table, at],
        )
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return totals(
        CountRow(
            row["outcome"],
            row["status"],
            row["role"],
            row["sex"],
            row["age_group"],
            str(row["affiliation_id"]) if row["affiliation_id"] else None,
            row["min"],
            row["best"],
            row["max"],
        )
        for row in rows
    )

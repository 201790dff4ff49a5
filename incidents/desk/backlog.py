"""What came in, was verified and published, how long records wait, and what waits how long.

Weeks begin on Monday, 00:00 UTC. Each record counts once in each column: when it first came in, was
first verified and first published. Waiting is reckoned from the submission before that step.

``whose`` limits everything to the records of one author; None: of all.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections

from harmtracker.accounts.models import User

WEEKS = 26
# How far back persons, places and waiting times are reckoned.
RECENT = datetime.timedelta(weeks=12)
AGES: tuple[tuple[int, int | None], ...] = ((0, 6), (7, 29), (30, 89), (90, None))
SHOWN = 30


@dataclass(frozen=True)
class Week:
    """What happened in one week; ``begins`` is its Monday."""

    begins: datetime.date
    came_in: int
    verified: int
    published: int


@dataclass(frozen=True)
class Waits:
    """How many days records waited for a step; None where none took it."""

    step: str
    records: int
    median: float | None
    ninth_decile: float | None


@dataclass(frozen=True)
class Age:
    """What waits since so many whole days; ``high`` None: or more."""

    low: int
    high: int | None
    submitted: int
    verified: int

    @property
    def days(self) -> str:
        return f"{self.low} or more" if self.high is None else f"{self.low} to {self.high}"

    @property
    def number(self) -> int:
        return self.submitted + self.verified


@dataclass(frozen=True)
class OfPerson:
    """What one person did in the last weeks, and what of theirs waits."""

    name: str
    submitted: int
    returned: int
    verified: int
    published: int
    waiting: int
    taken: int


@dataclass(frozen=True)
class OfPlace:
    """What came from one state or region in the last weeks, and what of it waits."""

    name: str
    came_in: int
    verified: int
    published: int
    waiting: int
    oldest_days: int | None


_FIRST = """
    first AS (
        SELECT r.incident_id, r.id, r.verb, r.at FROM incidents_review r
        JOIN incidents_incident i ON i.id = r.incident_id
        WHERE r.at >= %(since)s AND r.verb IN ('submit', 'verify', 'publish')
        AND (%(whose)s::bigint IS NULL OR i.author_id = %(whose)s)
        AND NOT EXISTS (SELECT FROM incidents_review e
                        WHERE e.incident_id = r.incident_id AND e.verb = r.verb AND e.id < r.id)
    )
"""
_WEEKS = f"""
    WITH {_FIRST}, by_week AS (
        SELECT date_trunc('week', at AT TIME ZONE 'UTC')::date AS begins,
            count(*) FILTER (WHERE verb = 'submit') AS came_in,
            count(*) FILTER (WHERE verb = 'verify') AS verified,
            count(*) FILTER (WHERE verb = 'publish') AS published
        FROM first GROUP BY 1
    )
    SELECT week::date, coalesce(came_in, 0), coalesce(verified, 0), coalesce(published, 0)
    FROM generate_series(%(since)s::timestamptz, %(now)s, interval '7 days') AS week
    LEFT JOIN by_week ON by_week.begins = (week AT TIME ZONE 'UTC')::date
    ORDER BY week
"""  # noqa: S608  (of the text above)
_WAITS = f"""
    WITH {_FIRST}
    SELECT verb, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY days),
        percentile_cont(0.9) WITHIN GROUP (ORDER BY days)
    FROM (
        SELECT verb, extract(epoch FROM f.at - (
            SELECT b.at FROM incidents_review b
            WHERE b.incident_id = f.incident_id AND b.verb = 'submit' AND b.id < f.id
            ORDER BY b.id DESC LIMIT 1)) / 86400 AS days
        FROM first f WHERE verb <> 'submit') took
    GROUP BY verb
"""  # noqa: S608
_AGES = """
    SELECT a.low, count(w.*) FILTER (WHERE w.state = 'submitted'),
        count(w.*) FILTER (WHERE w.state = 'verified')
    FROM unnest(%(lows)s::integer[], %(highs)s::integer[]) AS a (low, high)
    LEFT JOIN incidents_waiting w ON w.state <> 'draft'
        AND (%(whose)s::bigint IS NULL OR w.author_id = %(whose)s)
        AND w.since <= %(now)s - a.low * interval '1 day'
        AND (a.high IS NULL OR w.since > %(now)s - (a.high + 1) * interval '1 day')
    GROUP BY a.low ORDER BY a.low
"""
_OLDEST = """
    SELECT min(since) FROM incidents_waiting WHERE state <> 'draft'
    AND (%(whose)s::bigint IS NULL OR author_id = %(whose)s)
"""
_PEOPLE = """
    WITH did AS (
        SELECT r.actor_id AS person, count(*) FILTER (WHERE verb = 'submit') AS submitted,
            count(*) FILTER (WHERE verb = 'return') AS returned,
            count(*) FILTER (WHERE verb = 'verify') AS verified,
            count(*) FILTER (WHERE verb = 'publish') AS published
        FROM incidents_review r WHERE r.at >= %(since)s GROUP BY r.actor_id
    ), waits AS (
        SELECT author_id AS person, count(*) AS waiting FROM incidents_waiting
        WHERE state <> 'draft' GROUP BY author_id
    ), takes AS (
        SELECT taken_by_id AS person, count(*) AS taken FROM incidents_waiting
        WHERE state <> 'draft' GROUP BY taken_by_id
    )
    SELECT u.username, coalesce(submitted, 0), coalesce(returned, 0), coalesce(verified, 0),
        coalesce(published, 0), coalesce(waiting, 0), coalesce(taken, 0)
    FROM accounts_user u LEFT JOIN did ON did.person = u.id LEFT JOIN waits ON waits.person = u.id
        LEFT JOIN takes ON takes.person = u.id
    WHERE did.person IS NOT NULL OR waits.person IS NOT NULL OR takes.person IS NOT NULL
    ORDER BY coalesce(waiting, 0) DESC, u.username LIMIT %(shown)s
"""
_PLACES = f"""
    WITH {_FIRST}, by_place AS (
        SELECT i.place_id,
            count(*) FILTER (WHERE verb = 'submit') AS came_in,
            count(*) FILTER (WHERE verb = 'verify') AS verified,
            count(*) FILTER (WHERE verb = 'publish') AS published
        FROM first f JOIN incidents_incident i ON i.id = f.incident_id GROUP BY 1
    ), did AS (
        -- In which region a place lies is asked once for each place, not for each record.
        SELECT incidents_adm1(place_id) AS place, sum(came_in) AS came_in,
            sum(verified) AS verified, sum(published) AS published
        FROM by_place GROUP BY 1
    ), waits AS (
        SELECT adm1_id AS place, count(*) AS waiting, min(since) AS oldest FROM incidents_waiting
        WHERE state <> 'draft' AND (%(whose)s::bigint IS NULL OR author_id = %(whose)s)
        GROUP BY adm1_id
    ), both_of AS (
        SELECT place, sum(came_in) AS came_in, sum(verified) AS verified,
            sum(published) AS published, sum(waiting) AS waiting, min(oldest) AS oldest
        FROM (
            SELECT place, came_in, verified, published, 0 AS waiting, NULL::timestamptz AS oldest
            FROM did
            UNION ALL SELECT place, 0, 0, 0, waiting, oldest FROM waits) a
        GROUP BY place
    )
    SELECT coalesce(p.name, 'no place'), came_in, verified, published, waiting,
        extract(day FROM %(now)s - oldest)::integer
    FROM both_of LEFT JOIN incidents_place p ON p.id = both_of.place
    ORDER BY waiting DESC, came_in DESC, p.name LIMIT %(shown)s
"""  # noqa: S608


def _rows(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _id(whose: User | None) -> int | None:
    return None if whose is None else whose.pk


def _monday(now: datetime.datetime) -> datetime.datetime:
    day = now.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - datetime.timedelta(days=day.weekday())


def weeks(now: datetime.datetime, whose: User | None = None) -> list[Week]:
    """The last :data:`WEEKS` weeks, the oldest first; the last one is not over yet."""
    since = _monday(now) - datetime.timedelta(weeks=WEEKS - 1)
    return [Week(*row) for row in _rows(_WEEKS, since=since, now=now, whose=_id(whose))]


def waits(now: datetime.datetime, whose: User | None = None) -> list[Waits]:
    """How long records that took a step in the last twelve weeks had waited for it."""
    found = {row[0]: row[1:] for row in _rows(_WAITS, since=now - RECENT, whose=_id(whose))}
    return [
        Waits(step, *_days(found.get(verb, (0, None, None))))
        for verb, step in (("verify", "verification"), ("publish", "publication"))
    ]


def _days(row: Sequence[Any]) -> tuple[int, float | None, float | None]:
    n, median, decile = row
    return n, _rounded(median), _rounded(decile)


def _rounded(days: Any) -> float | None:
    return None if days is None else round(float(days), 1)


def ages(now: datetime.datetime, whose: User | None = None) -> list[Age]:
    """What waits now, by how many whole days ago it was submitted."""
    lows, highs = zip(*AGES, strict=True)
    found = _rows(_AGES, lows=list(lows), highs=list(highs), now=now, whose=_id(whose))
    return [
        Age(low, high, submitted, verified)
        for (low, high), (_, submitted, verified) in zip(AGES, found, strict=True)
    ]


def oldest(now: datetime.datetime, whose: User | None = None) -> int | None:
    """For how many whole days the record waits that waits longest; None: nothing waits."""
    since = _rows(_OLDEST, whose=_id(whose))[0][0]
    return None if since is None else (now - since).days


def people(now: datetime.datetime) -> list[OfPerson]:
    """Who did what in the last twelve weeks, and whose records wait: most waiting first."""
    return [OfPerson(*row) for row in _rows(_PEOPLE, since=now - RECENT, shown=SHOWN)]


def places(now: datetime.datetime, whose: User | None = None) -> list[OfPlace]:
    """What came from where in the last twelve weeks, and what of it waits: most waiting first."""
    found = _rows(_PLACES, since=now - RECENT, now=now, whose=_id(whose), shown=SHOWN)
    return [
        OfPlace(name, int(came_in), int(verified), int(published), int(waiting), oldest)
        for name, came_in, verified, published, waiting, oldest in found
    ]

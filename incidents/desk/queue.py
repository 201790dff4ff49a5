"""What waits, and for whom: tabs, filters with their counts, orders and pages of the queue.

Everything here is answered from ``incidents_waiting`` and its counts, which triggers keep, and from
the records of one page: what a page costs does not follow from how many wait.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from harmtracker.accounts.models import User
from harmtracker.codes import code_list
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import in_short
from incidents.choices import State
from incidents.desk.finding import places_named, said
from incidents.models import (
    Assignment,
    CasualtyCount,
    Incident,
    Place,
    Waiting,
    WaitingCount,
)
from incidents.publishing.totals import Row as CountRow
from incidents.publishing.totals import Total, totals

PAGE = 50
# What one person wrote or searched for is counted to here, and then called "more than".
COUNTED_TO = 10_000
MOST_WORDS = 10
# Entries of the history that are read of one record to say what changed.
ENTRIES = 60
SAID = 3

TABS = {
    "waiting": "All that waits",
    "free": "Free",
    "mine": "My work",
    "returned": "Returned to me",
    "submitted": "Submitted by me",
}
FOR_VERIFIERS = ("waiting", "free")
FOR_AUTHORS = ("returned", "submitted")

# Name -> what it says and by what; a minus stands for the highest first. No two rows are equal.
ORDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "oldest": (
        "The day that it waits since, oldest first; of one day the highest figure killed first",
        ("day", "-killed_high", "incident_id"),
    ),
    "gravest": (
        "The highest figure killed, most first; of equals the oldest first",
        ("-killed_high", "day", "incident_id"),
    ),
    "killed": (
        "The lowest figure killed, most first; of equals the oldest first",
        ("-killed_low", "day", "incident_id"),
    ),
}
IS_TAKEN = {"free": False, "taken": True}
HAS_WARNINGS = {"yes": True, "no": False}
IS_IMPORTED = {"import": True, "hand": False}
# A value of a place: what lies in none.
NO_PLACE = 0


class Cell(NamedTuple):
    """How many records agree in everything that the queue is filtered by."""

    state: str
    grading: str
    place: int
    taken: bool
    warnings: bool
    source: bool
    n: int


FILTERS = Cell._fields[:-1]
Filters = Mapping[str, str | int | bool]


@dataclass(frozen=True)
class Asked:
    """What a person wants to see. ``after`` and ``before`` are the keys of a row in that order."""

    tab: str
    order: str = "oldest"
    filters: Filters = field(default_factory=dict)
    words: Sequence[str] = ()
    after: Sequence[Any] | None = None
    before: Sequence[Any] | None = None


@dataclass(frozen=True)
class Row:
    """One record of the queue as its page shows it."""

    waiting: Waiting
    days: int
    assignment: Assignment | None
    killed: Total | None
    civilians: Total | None
    sources: int
    warnings: int
    changed: Changed

    @property
    def incident(self) -> Incident:
        return self.waiting.incident


@dataclass(frozen=True)
class Changed:
    """What was edited since somebody last passed judgement on a record.

    ``since`` is ``verify`` or ``return``; empty where nobody has looked at it yet. ``review`` is
    that step.
    """

    since: str = ""
    review: int = 0
    at: datetime.datetime | None = None
    words: Sequence[str] = ()
    more: int = 0


@dataclass(frozen=True)
class Page:
    """Some rows in their order, and the keys of the pages beside it; None where there is none."""

    rows: Sequence[Row]
    following: Sequence[Any] | None
    preceding: Sequence[Any] | None


NOTHING = Page([], None, None)


def tabs_of(person: User) -> list[str]:
    """The tabs that are for this person, the one they start with first; empty: none is."""
    tabs: list[str] = []
    if person.has_perm("incidents.verify_incident"):
        tabs += [*FOR_VERIFIERS, "mine"]
    if person.has_perm("incidents.submit_incident"):
        tabs += FOR_AUTHORS if tabs else [*FOR_AUTHORS, "mine"]
    return tabs


def in_tab(tab: str, person: User) -> QuerySet[Waiting]:
    """What waits there. A person without a right to a tab is not turned away here."""
    waiting = Waiting.objects.all()
    if tab == "mine":
        visible = waiting.filter(taken_by=person)
        if not person.has_perm("incidents.verify_incident"):
            visible = visible.filter(Q(author=person) | Q(incident__code__isnull=False))
        return visible
    if tab == "returned":
        return waiting.filter(author=person, state=State.DRAFT)
    if tab == "submitted":
        return waiting.filter(author=person).exclude(state=State.DRAFT)
    waiting = waiting.exclude(state=State.DRAFT)
    return waiting.filter(taken_by=None) if tab == "free" else waiting


def also_taken(person: User) -> list[Assignment]:
    """What this person has taken and what waits for nobody: drafts, and what is published."""
    taken = Assignment.objects.filter(person=person, incident__waiting=None)
    visible = taken.filter(incident__in=Incident.objects.visible_to(person))
    return list(visible.select_related("incident").order_by("since")[:PAGE])


def numbers(person: User) -> dict[str, int]:
    """How many records stand in each tab of this person's, counted to :data:`COUNTED_TO` and one
    more where they are one person's."""
    tabs = tabs_of(person)
    counted = {
        tab: in_tab(tab, person)[: COUNTED_TO + 1].count()
        for tab in tabs
        if tab not in FOR_VERIFIERS
    }
    if "waiting" in tabs:
        states = WaitingCount.objects.exclude(state=State.DRAFT)
        by_taken = dict(states.values_list("is_taken").annotate(sum=Sum("n")))
        free = int(by_taken.get(False, 0))
        counted |= {"waiting": free + int(by_taken.get(True, 0)), "free": free}
    return {tab: counted[tab] for tab in tabs}


def _filtered(waiting: QuerySet[Waiting], filters: Filters, person: User) -> QuerySet[Waiting]:
    for name, value in filters.items():
        match name:
            case "state" | "grading":
                waiting = waiting.filter(**{name: value})
            case "place":
                waiting = waiting.filter(adm1=int(value) or None)
            case "taken":
                waiting = waiting.filter(taken_by__isnull=not value)
            case "warnings":
                found = Q((f"{_column_of_warnings(person)}__gt", 0))
                waiting = waiting.filter(found if value else ~found)
            case "source":
                waiting = waiting.filter(is_imported=bool(value))
    return waiting


def _searched(waiting: QuerySet[Waiting], words: Sequence[str]) -> QuerySet[Waiting]:
    """Rows of which each word stands in the title, the code or a name of the place."""
    for word in words[:MOST_WORDS]:
        of_place = Q(place__in=places_named(word).values("pk"))
        waiting = waiting.filter(Q(words__contains=said(word)) | of_place)
    return waiting


def cells(asked: Asked, person: User) -> tuple[list[Cell], bool]:
    """The counts behind the filters of a tab, and whether they are of all there is.

    Of what waits for verifiers they are kept by triggers; of anything else the first rows are
    counted.
    """
    if asked.tab in FOR_VERIFIERS and not asked.words:
        kept = WaitingCount.objects.exclude(state=State.DRAFT)
        if asked.tab == "free":
            kept = kept.filter(is_taken=False)
        keys = ("state", "grading", "adm1", "is_taken", "has_warnings", "is_imported")
        found = kept.values_list(*keys).annotate(sum=Sum("n")).filter(sum__gt=0).order_by()
        return [Cell(*row) for row in found], True
    rows = _searched(in_tab(asked.tab, person), asked.words).values_list(
        "state", "grading", "adm1", "taken_by", _column_of_warnings(person), "is_imported"
    )
    counted: Counter[tuple[Any, ...]] = Counter()
    for state, grading, adm1, taken_by, open_warnings, imported in rows[: COUNTED_TO + 1]:
        counted[
            state, grading, adm1 or NO_PLACE, taken_by is not None, open_warnings > 0, imported
        ] += 1
    return [Cell._make((*key, n)) for key, n in counted.items()], counted.total() <= COUNTED_TO


def facets(
    counted: Iterable[Cell], filters: Filters
) -> tuple[dict[str, dict[str | int | bool, int]], int]:
    """For each filter its values with how many records each would leave, and how many are left.

    A value is counted under all the other filters. One that is chosen stands there, with 0 too.
    """
    found: dict[str, Counter[Any]] = {name: Counter() for name in FILTERS}
    left = 0
    for cell in counted:
        others = {name for name, value in filters.items() if getattr(cell, name) != value}
        if not others:
            left += cell.n
        for name in FILTERS:
            if others <= {name}:
                found[name][getattr(cell, name)] += cell.n
    for name, value in filters.items():
        found[name][value] += 0
    return {name: dict(values) for name, values in found.items()}, left


def key_of(row: Waiting, order: str) -> list[Any]:
    """Where a row stands in an order."""
    return [getattr(row, name.lstrip("-")) for name in ORDERS[order][1]]


def _beyond(names: Sequence[str], key: Sequence[Any]) -> Q:
    """Rows that come after a key."""
    beyond = Q()
    same = Q()
    for name, value in zip(names, key, strict=True):
        column = name.lstrip("-")
        beyond |= same & Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
        same &= Q(**{column: value})
    # Said once more of the first column alone, so that the index is entered there.
    first = names[0].lstrip("-")
    return beyond & Q(**{f"{first}__{'lte' if names[0].startswith('-') else 'gte'}": key[0]})


def _turned(names: Sequence[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in names]


def page(asked: Asked, person: User) -> Page:
    """One page of a tab, with everything that is shown of its records, in a fixed number of
    queries."""
    names: Sequence[str] = ORDERS[asked.order][1]
    backwards = asked.before is not None
    if backwards:
        names = _turned(names)
    found = _filtered(_searched(in_tab(asked.tab, person), asked.words), asked.filters, person)
    key = asked.before if backwards else asked.after
    if key is not None:
        found = found.filter(_beyond(names, key))
    killed = CasualtyCount.objects.filter(claim=None, outcome="killed")
    rows = list(
        found.order_by(*names)
        .select_related(
            "adm1",
            "author",
            "incident__place",
            "incident__revision",
            "incident__assignment__person",
        )
        .prefetch_related(Prefetch("incident__casualtycounts", killed, to_attr="killed_counts"))[
            : PAGE + 1
        ]
    )
    has_more = len(rows) > PAGE
    rows = rows[:PAGE]
    if backwards:
        rows.reverse()
    before = has_more if backwards else asked.after is not None
    after = True if backwards else has_more
    return Page(
        _shown(rows, person),
        key_of(rows[-1], asked.order) if rows and after else None,
        key_of(rows[0], asked.order) if rows and before else None,
    )


def _shown(waiting: Sequence[Waiting], person: User) -> list[Row]:
    ids = [row.incident_id for row in waiting]
    warned, sources, changed = open_warnings(ids, person), independent_sources(ids), changes(ids)
    now = timezone.now()
    return [
        Row(
            waiting=row,
            days=(now - row.since).days,
            assignment=getattr(row.incident, "assignment", None),
            killed=sums.get("all"),
            civilians=sums.get("civilian"),
            sources=sources[row.incident_id],
            warnings=warned[row.incident_id],
            changed=changed.get(row.incident_id, Changed()),
        )
        for row in waiting
        for sums in [_killed(row.incident)]
    ]


def _killed(incident: Any) -> dict[str, Total]:
    sums = totals(
        CountRow(
            count.outcome,
            count.status,
            count.role,
            count.sex,
            count.age_group,
            str(count.affiliation_id) if count.affiliation_id else None,
            count.min,
            count.best,
            count.max,
        )
        for count in incident.killed_counts
    )
    return sums.get("killed", {})


def open_warnings(ids: Collection[int], person: User) -> dict[int, int]:
    """How many warnings of each record are open, of those that this person may be told of: as they
    stand now, also where a record that is like it came since."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT i.id, n.all_open, n.told FROM unnest(%s::bigint[]) AS i (id) "
            "CROSS JOIN LATERAL incidents_waiting_warnings(i.id) n",
            [list(ids)],
        )
        is_told_all = _is_told_all(person)
        return {pk: all_open if is_told_all else told for pk, all_open, told in cursor.fetchall()}


def _is_told_all(person: User) -> bool:
    return person.has_perm("incidents.verify_incident")


def _column_of_warnings(person: User) -> str:
    """A number tells too: who may not see every draft is told of none that is like a hidden one."""
    return "open_warnings" if _is_told_all(person) else "warnings_told"


def independent_sources(ids: Collection[int]) -> dict[int, int]:
    """How many independent voices report the harm, for each record, in one query."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT i.id, (SELECT count(DISTINCT voice) FROM incidents_voices(i.id)) "
            "FROM unnest(%s::bigint[]) AS i (id)",
            [list(ids)],
        )
        return dict(cursor.fetchall())


# The last verification of each record; where it has none, the last return, when it was looked at.
# Then the last entries of its history since; remarks and steps are no edit.
_SINCE = """
    SELECT i.id, judged.verb, judged.id, judged.at, entry.id
    FROM unnest(%s::bigint[]) AS i (id)
    CROSS JOIN LATERAL (
        SELECT r.verb, r.id, r.at FROM incidents_review r
        WHERE r.incident_id = i.id AND r.verb IN ('verify', 'return')
        ORDER BY r.verb = 'verify' DESC, r.id DESC LIMIT 1) judged
    LEFT JOIN LATERAL (
        SELECT h.id FROM history_historyentry h
        WHERE h.incident_id = i.id AND h.at > judged.at
        AND h.table_name <> 'incidents_reviewcomment'
        ORDER BY h.id DESC LIMIT %s) entry ON true
"""


def changes(ids: Collection[int]) -> dict[int, Changed]:
    """What was edited since the last verification of each record that was ever looked at."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_SINCE, [list(ids), ENTRIES])
        found = cursor.fetchall()
    entries = HistoryEntry.objects.in_bulk([row[4] for row in found if row[4] is not None])
    said: dict[int, Counter[str]] = {}
    judged: dict[int, tuple[str, int, datetime.datetime]] = {}
    for pk, verb, review, at, entry_id in found:
        judged[pk] = (verb, review, at)
        words = said.setdefault(pk, Counter())
        if entry_id is not None and (short := in_short(entries[entry_id])):
            words[short] += 1
    return {
        pk: Changed(verb, review, at, _in_short(said[pk]), max(0, len(said[pk]) - SAID))
        for pk, (verb, review, at) in judged.items()
    }


def _in_short(said: Counter[str]) -> list[str]:
    return [text if n == 1 else f"{text} ({n} times)" for text, n in said.most_common(SAID)]


def label_of(name: str, value: str | int | bool, places: Mapping[int, str]) -> str:
    """What a value of a filter is called."""
    match name:
        case "state":
            return "returned" if value == State.DRAFT else _label("incident_state", value)
        case "grading":
            return _label("grading", value)
        case "place":
            return places.get(int(value), "no such place") if value else "no place"
        case "taken":
            return "taken" if value else "free"
        case "warnings":
            return "open warnings" if value else "none open"
        case _:
            return "from an import" if value else "entered by hand"


def _label(name: str, code: Any) -> str:
    codes = code_list(name)
    return codes[code].label if code in codes else str(code)


def names_of(places: Iterable[int]) -> dict[int, str]:
    """Of places by their ids."""
    return dict(Place.objects.filter(pk__in=list(places)).values_list("pk", "name"))

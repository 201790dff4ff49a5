"""Totals as a plain sum over documents, and documents of anybody's making, published.

The sum knows nothing of the database: it goes through days where that divides numbers.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from django.db import connections, transaction

from harmtracker.codes import code_list
from incidents.finding import weapon_types
from incidents.models import LedgerHead, PublishedVersion
from incidents.publishing import ledger, projection
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.parts import PERSONS, parts
from incidents.publishing.rows import count_row
from incidents.publishing.totals import totals

UNITS = ("year", "quarter", "month", "week")
AREAS = ("adm1", "adm2", "adm3")
SEVERAL = ("weapon", "weapon_group", "actor", "dataset")
GUARDED = ("incidents_publishedversion", "incidents_ledgerentry", "incidents_ledgerhead")

Document = dict[str, Any]


# --- Publishing ---


def unguard() -> None:
    """Let versions in that casework knows nothing of. The database is laid anew afterwards."""
    with connections["owner"].cursor() as cursor:
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def template() -> Document:
    version = PublishedVersion.objects.using("default").get(code="MMR-2023-0001")
    document: Document = json.loads(version.document)
    return {**document, "claims": [], "victims": []}


def publish(code: str, document: Document | None, kind: str = "published") -> int:
    """Add a version: its position."""
    with transaction.atomic():
        head = LedgerHead.objects.using("default").select_for_update().get(pk=1)
        last = PublishedVersion.objects.using("default").filter(code=code).count()
        text = canonical({**(document or {}), "code": code, "version": last + 1})
        at = ledger.now()
        entry = ledger.append(
            head, at=at, kind=kind, code=code, version=last + 1, committed_sha256=sha256(text)
        )
        version = PublishedVersion.objects.using("default").create(
            entry=entry,
            code=code,
            number=last + 1,
            kind=kind,
            document=text,
            sha256=sha256(text),
            disclosures="[]",
            published_at=at,
        )
        projection.project_all([version])
    return entry.seq


def document_of(base: Document, drawn: dict[str, Any]) -> Document:
    """A document with what was drawn, and the totals that follow from its rows."""
    document = {**base, **drawn}
    sums = totals(map(count_row, document["casualties"]))
    document["totals"] = {
        outcome: {bucket: total.as_json() for bucket, total in buckets.items()}
        for outcome, buckets in sums.items()
    }
    return document


# --- The sum ---


@dataclass(frozen=True)
class Asked:
    groupings: tuple[str, ...]
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    is_certain: bool = False
    gradings: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        values = [("group_by", ",".join(self.groupings))] if self.groupings else []
        values += [("date_from", str(self.date_from))] if self.date_from else []
        values += [("date_to", str(self.date_to))] if self.date_to else []
        dated = self.date_from or self.date_to or set(self.groupings) & set(UNITS)
        values += [("date_match", "certain")] if self.is_certain and dated else []
        values += [("grading", grading) for grading in self.gradings]
        return "&".join(f"{name}={value}" for name, value in values)


@dataclass
class Group:
    incidents: set[int] = field(default_factory=set)
    could_move: set[int] = field(default_factory=set)
    shared: set[int] = field(default_factory=set)
    either_or: set[int] = field(default_factory=set)
    figures: dict[tuple[str, str], list[tuple[int | None, int | None, int | None]]] = field(
        default_factory=dict
    )


def day(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)


def ends(document: Document) -> tuple[datetime.date | None, datetime.date | None]:
    return day(document["date"]["earliest"]), day(document["date"]["latest"])


def is_found(asked: Asked, document: Document) -> bool:
    if asked.gradings and document["grading"]["code"] not in asked.gradings:
        return False
    first, last = ends(document)
    start, end = asked.date_from, asked.date_to
    if not start and not end:
        return True
    if asked.is_certain:
        return bool(first and last and (not start or first >= start) and (not end or last <= end))
    if not first and not last:
        return False
    return (not start or not last or last >= start) and (not end or not first or first <= end)


def is_counted(document: Document) -> bool:
    kinds = {link["kind"] for link in document["links"]}
    return document["record_type"] == "incident" and not kinds & {"duplicate_of", "merged_into"}


def label(unit: str, when: datetime.date) -> str:
    if unit == "week":
        year, week, _ = when.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return {
        "year": f"{when.year:04d}",
        "quarter": f"{when.year:04d}-Q{(when.month + 2) // 3}",
        "month": f"{when.year:04d}-{when.month:02d}",
    }[unit]


def periods(
    asked: Asked, document: Document, earliest: datetime.date | None, today: datetime.date
) -> tuple[list[tuple[str | None, ...]], bool]:
    """The periods that it is in, and whether it need not be in one of them."""
    units = [name for name in asked.groupings if name in UNITS]
    first, last = ends(document)
    nowhere: tuple[str | None, ...] = tuple(None for _ in units)
    if not first and not last:
        return [nowhere], False

    def labels(when: datetime.date) -> tuple[str, ...]:
        return tuple(label(unit, when) for unit in units)

    leaves = bool(asked.date_from and not (first and last and first >= asked.date_from)) or bool(
        asked.date_to and not (first and last and last <= asked.date_to)
    )
    if first and last and labels(first) == labels(last):
        return [labels(first)], leaves
    if not units:
        return [()], leaves
    if asked.is_certain:
        return [nowhere], True
    start = first or earliest
    assert start
    end = min(last or today, today)
    start = max(start, asked.date_from) if asked.date_from else start
    end = min(end, asked.date_to) if asked.date_to else end
    days = range(start.toordinal(), max(end, start).toordinal() + 1)
    return [*dict.fromkeys(labels(datetime.date.fromordinal(n)) for n in days)], True


def several(name: str, document: Document) -> tuple[list[str | None], set[str]]:
    """The values of an incident, and which of them are alternatives."""
    if name == "dataset":
        rows = [(row["dataset"], None) for row in document["external_ids"]]
    elif name == "actor":
        rows = [
            (row["actor"]["id"], row["alternative_group"])
            for row in document["involvement"]
            if row["role"] == "alleged_perpetrator" and row["certainty"] != "denied"
        ]
    else:
        types = weapon_types()
        rows = [
            (
                row["code"] if name == "weapon" else types[row["code"]]["parent"] or row["code"],
                row["alternative_group"],
            )
            for row in document["weapons"]
            if row["certainty"] != "denied"
        ]
    either = {
        value
        for value, group in rows
        if group is not None and len({v for v, g in rows if g == group}) > 1
    }
    return [*dict.fromkeys(value for value, _group in rows)] or [None], either


def single(name: str, document: Document) -> str | None:
    place = document["place"]
    if name == "grading":
        return str(document["grading"]["code"])
    if place is None:
        return None
    if name == "country":
        return str(place["country"])
    if name == "place":
        return str(place["pcode"] or place["id"])
    for step in [place, *place["path"]]:
        if step["level"] == name:
            return str(step["pcode"] or step["id"])
    return None


def counted(asked: Asked, document: Document) -> Iterator[tuple[dict[str, Any], Any]]:
    """What is counted of whom: values of the groupings of persons, and a figure."""
    persons = tuple(name for name in PERSONS if name in asked.groupings)
    rows = [count_row(row) for row in document["casualties"]]
    if not rows:
        yield dict.fromkeys((*persons, "outcome", "bucket")), None
    of_kinds = [part for part in parts(rows) if part.dimensions == persons]
    for part in of_kinds:
        values = part.values or dict.fromkeys(persons)
        total = part.total
        figure = (part.outcome, part.bucket, (total.min, total.best, total.max))
        yield {**values, "outcome": part.outcome, "bucket": part.bucket}, figure
    said = {(part.outcome, part.bucket) for part in of_kinds}
    for outcome, bucket in sorted({(r.outcome, b) for r in rows for b in (r.bucket, "all")} - said):
        whole = document["totals"][outcome][bucket]
        figure = (outcome, bucket, (whole["min"], whole["best"], whole["max"]))
        nobody = dict.fromkeys(persons)
        yield {**nobody, "outcome": outcome, "bucket": bucket}, figure


def sums(
    asked: Asked, documents: Sequence[Document], today: datetime.date
) -> dict[tuple[str | None, ...], Group]:
    found = [each for each in documents if is_found(asked, each) and is_counted(each)]
    known = [first or last for first, last in map(ends, found) if first or last]
    groups: dict[tuple[str | None, ...], Group] = {}
    units = [name for name in asked.groupings if name in UNITS]
    many = [name for name in asked.groupings if name in SEVERAL]
    for number, document in enumerate(found):
        in_periods, moves = periods(asked, document, min(known, default=None), today)
        values = [several(name, document) for name in many]
        for when, *which in product(in_periods, *(each for each, _either in values)):
            is_shared = any(len(each) > 1 for each, _either in values)
            is_either = any(v in either for v, (_, either) in zip(which, values, strict=True))
            for persons, figure in counted(asked, document):
                of = {
                    **dict(zip(units, when, strict=True)),
                    **dict(zip(many, which, strict=True)),
                    **persons,
                }
                key = tuple(
                    of[name] if name in of else single(name, document) for name in asked.groupings
                )
                group = groups.setdefault(key, Group())
                group.incidents.add(number)
                for is_so, members in (
                    (moves, group.could_move),
                    (is_shared, group.shared),
                    (is_either, group.either_or),
                ):
                    if is_so:
                        members.add(number)
                if figure is not None:
                    outcome, bucket, bounds = figure
                    group.figures.setdefault((outcome, bucket), []).append(bounds)
    return groups


def figure(rows: Sequence[tuple[int | None, int | None, int | None]]) -> dict[str, Any]:
    low = [row[0] for row in rows if row[0] is not None]
    best = [row[1] for row in rows if row[1] is not None]
    high = [row[2] for row in rows if row[2] is not None]
    is_open = len(high) < len(rows)
    return {
        "min": sum(low) if low else None,
        "best": sum(best) if rows and len(best) == len(rows) else None,
        "max": sum(high) if rows and not is_open else None,
        "at_least": is_open and bool(low),
        "incidents": len(rows),
        "without_best": len(rows) - len(best),
    }


def as_answered(asked: Asked, group: Group) -> dict[str, Any]:
    is_dated = bool(asked.date_from or asked.date_to or set(asked.groupings) & set(UNITS))
    many = set(asked.groupings) & set(SEVERAL)
    of_persons = set(asked.groupings) & {"bucket", *PERSONS}
    by_outcome: dict[str, dict[str, Any]] = {}
    for (outcome, bucket), rows in group.figures.items():
        of_outcome = by_outcome.setdefault(outcome, {})
        if of_persons or bucket in ("civilian", "uncertain"):
            of_outcome[bucket] = figure(rows)
    if "bucket" not in asked.groupings:
        for of_outcome in by_outcome.values():
            for bucket in ("civilian", "uncertain"):
                of_outcome.setdefault(bucket, figure([]))
    return {
        "incidents": len(group.incidents),
        "could_move": len(group.could_move) if is_dated else None,
        "shared": len(group.shared) if many else None,
        "either_or": len(group.either_or) if many else None,
        "totals": by_outcome,
    }


OUTCOMES = [*code_list("outcome")]

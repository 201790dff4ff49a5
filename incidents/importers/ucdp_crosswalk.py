"""What one row of UCDP GED says, in our terms. Pure: no database, nothing is filled in.

Crosswalks are many-to-one; the row itself is kept with its codes. Whatever cannot be read is a
:class:`Remark` of kind ``refused`` that names its column, never an exception.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from harmtracker.codes import code_list
from harmtracker.dates import parse_edtf

from .ucdp_places import Places

# What the history refuses to hold, and bytes that are no UTF-8.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WHOLE = re.compile(r"[0-9]{1,9}")
_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,30})?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([ T]00:00:00(\.0+)?)?")
MOST_PERSONS = 100_000_000
# The row is on the day of the place that is furthest ahead.
_AHEAD = datetime.timezone(datetime.timedelta(hours=14))

VIOLENCE = {"1": "State-based violence", "2": "Non-state violence", "3": "One-sided violence"}
ONE_SIDED = "3"
DATE_PRECISION = {"1": "day", "2": "days", "3": "week", "4": "month", "5": "year"}
# where_prec 1 is the exact place, which UCDP codes to a named village or town: nothing in a row
# supports the narrower `site` or `vicinity`. 3 is a district (adm_2), since the townships below
# are named by no column.
PLACE_PRECISION = {
    "1": "settlement",
    "2": "near_settlement",
    "3": "adm2",
    "4": "adm1",
    "5": "fuzzy",
    "6": "adm0",
    "7": "sea_air",
}
TEXTS = (
    "id", "side_a", "side_b", "conflict_name", "dyad_name", "source_article", "source_original",
    "where_coordinates", "where_description", "adm_1", "adm_2", "country", "relid",
)  # fmt: skip


@dataclass(frozen=True)
class Remark:
    """Something to tell of a row. ``kind``: refused, unplaced or noted."""

    column: str
    kind: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"column": self.column, "kind": self.kind, "message": self.message}


@dataclass(frozen=True)
class Side:
    """A party as UCDP names it."""

    ucdp_id: str
    name: str
    kind: str


@dataclass(frozen=True)
class Count:
    """Persons killed of one group; ``side`` is the party that they belonged to."""

    status: str
    side: Side | None
    min: int | None
    best: int | None
    max: int | None
    qualifier: str
    reported_text: str


@dataclass(frozen=True)
class Event:
    """A row in our terms: the fields of its incident, its article and its claim."""

    external_id: str
    incident: dict[str, Any]
    article: dict[str, Any]
    claim: dict[str, Any]
    counts: tuple[Count, ...]
    parties: tuple[tuple[Side, str], ...]
    remarks: tuple[Remark, ...] = field(compare=False)


class _Reading:
    """The fields of a row, read one by one; what is wrong with them is collected."""

    def __init__(self, row: Mapping[str, str]) -> None:
        self.row = row
        self.remarks: list[Remark] = []

    def refuse(self, column: str, message: str) -> None:
        self.remarks.append(Remark(column, "refused", message))

    def note(self, column: str, message: str, kind: str = "noted") -> None:
        self.remarks.append(Remark(column, kind, message))

    @property
    def is_refused(self) -> bool:
        return any(remark.kind == "refused" for remark in self.remarks)

    def texts(self) -> dict[str, str]:
        texts = {}
        for column in TEXTS:
            text = self.row.get(column, "")
            if _NO_TEXT.search(text):
                self.refuse(column, "It holds bytes that are no text in UTF-8, or controls.")
            texts[column] = " ".join(text.split())
        for column, most in (("id", 100), ("side_a", 200), ("side_b", 200)):
            if not texts[column]:
                self.refuse(column, "It is empty.")
            elif len(texts[column]) > most:
                self.refuse(column, f"It is longer than {most} characters.")
        return texts

    def persons(self, column: str) -> int:
        text = self.row[column].strip()
        if not _WHOLE.fullmatch(text) or int(text) > MOST_PERSONS:
            self.refuse(column, f"{_echo(text)} is not a number of persons.")
            return 0
        return int(text)

    def code(self, column: str, codes: Mapping[str, str]) -> str:
        text = self.row[column].strip()
        if text not in codes:
            self.refuse(column, f"{_echo(text)} is none of {', '.join(codes)}.")
            return next(iter(codes))
        return text

    def day(self, column: str) -> datetime.date:
        text = self.row[column].strip()
        found = _DAY.fullmatch(text)
        try:
            day = datetime.date.fromisoformat(found[1] if found else "")
        except ValueError:
            self.refuse(column, f"{_echo(text)} is not a day such as 2014-11-19.")
            return datetime.date.min
        if day > datetime.datetime.now(_AHEAD).date():
            self.refuse(column, f"{text} is after today.")
        return day

    def degrees(self, column: str, most: int) -> Decimal:
        text = self.row[column].strip()
        if not _DEGREES.fullmatch(text) or abs(Decimal(text)) > most:
            self.refuse(column, f"{_echo(text)} is not between -{most} and {most} degrees.")
            return Decimal(0)
        return round(Decimal(text), 6)


def _echo(text: str) -> str:
    shown = text[:40].encode("unicode_escape").decode("ascii") if _NO_TEXT.search(text) else text
    return f"“{shown[:40]}”"


def edtf_of(start: datetime.date, end: datetime.date) -> str:
    """The interval as it is given: a day, a whole month, a whole year, or from one day to another.

    Years before 1000 are written with four digits, as ISO 8601 does.
    """
    if start == end:
        return start.isoformat()
    is_from_first = start.day == 1
    is_to_last = end.day == calendar.monthrange(end.year, end.month)[1]
    if is_from_first and is_to_last and start.year == end.year:
        if start.month == end.month:
            return start.isoformat()[:7]
        if (start.month, end.month) == (1, 12):
            return start.isoformat()[:4]
    return f"{start.isoformat()}/{end.isoformat()}"


def precision_of(edtf: str) -> str:
    """How far the bounds of a date lie apart, as the database derives it."""
    date = parse_edtf(edtf)
    assert date.earliest is not None and date.latest is not None  # noqa: S101, PT018
    days = (date.latest - date.earliest).days
    spans = ((1, "day"), (6, "days"), (7, "week"), (31, "month"))
    return next((name for below, name in spans if days < below), "year")


def _kind(name: str, country: str, violence: str) -> str:
    """What kind of party: what the dataset tells of it and no more."""
    if name.startswith("Government of"):
        return "state_forces" if country and country in name else "external_other"
    return "rebel_group" if violence == "1" else "external_other"


def _counts(reading: _Reading, sides: Sequence[Side | None]) -> tuple[Count, ...]:
    low, best, high = (reading.persons(column) for column in ("low", "best", "high"))
    groups = {
        column: reading.persons(column)
        for column in ("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown")
    }
    if reading.is_refused:
        return ()
    words = f"low {low} / best {best} / high {high}"
    if low <= best <= high:
        qualifier = "exact" if low == high else "range"
        whole = Count("all", None, low, best, high, qualifier, words)
    else:
        reading.note(
            "best",
            f"{words} is out of order: best is kept, the minimum and the maximum are not known.",
        )
        whole = Count("all", None, None, best, None, "approximate", f"{words}, out of order")
    if sum(groups.values()) != best:
        reading.note("best", f"The four groups come to {sum(groups.values())}, and best is {best}.")
    counts = [whole]
    for column, side in zip(("deaths_a", "deaths_b"), sides, strict=True):
        if side is not None:
            status = "armed_forces" if side.kind == "state_forces" else "armed_group"
            counts.append(_part(column, status, side, groups[column]))
        elif groups[column]:
            reading.refuse(column, "Side b of one-sided violence are civilians: it must be 0.")
    counts.append(_part("deaths_civilians", "civilian", None, groups["deaths_civilians"]))
    counts.append(_part("deaths_unknown", "unknown", None, groups["deaths_unknown"]))
    return tuple(counts)


def _part(column: str, status: str, side: Side | None, figure: int) -> Count:
    return Count(status, side, None, figure, None, "approximate", f"{column} {figure}")


def _joined(sentences: Sequence[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def read_event(
    row: Mapping[str, str], places: Places, kinds: Mapping[str, str]
) -> tuple[Event | None, list[Remark]]:
    """The event of a row and what there is to tell of it; no event where the row is refused.

    ``kinds`` gives the kind of parties that are known by their UCDP id.
    """
    reading = _Reading(row)
    texts = reading.texts()
    violence = reading.code("type_of_violence", VIOLENCE)
    date_prec = reading.code("date_prec", DATE_PRECISION)
    where_prec = reading.code("where_prec", PLACE_PRECISION)
    clarity = reading.code("event_clarity", {"1": "clear", "2": "less clear"})
    start, end = reading.day("date_start"), reading.day("date_end")
    if start > end:
        reading.refuse("date_end", f"{_echo(row['date_end'])} is before date_start.")
    latitude, longitude = reading.degrees("latitude", 90), reading.degrees("longitude", 180)
    for column in ("side_a_new_id", "side_b_new_id"):
        if not _WHOLE.fullmatch(row[column].strip()):
            reading.refuse(column, f"{_echo(row[column])} is not an id of a party.")
    if not _WHOLE.fullmatch(texts["id"]):
        reading.refuse("id", f"{_echo(texts['id'])} is not an id of an event.")
    names = [texts["side_a"], texts["side_b"]]
    country = texts["country"].split(" (")[0]
    sides: list[Side | None] = [
        Side(
            key := row[column].strip(),
            name,
            kinds.get(key) or _kind(name, country, violence),
        )
        for column, name in zip(("side_a_new_id", "side_b_new_id"), names, strict=True)
    ]
    if violence == ONE_SIDED:
        sides[1] = None
    counts = _counts(reading, sides)
    if reading.is_refused:
        return None, reading.remarks
    found = places.find(texts["country"], texts["adm_1"], texts["adm_2"])
    if found.place_id is None:
        reading.refuse(*found.messages[0])
        return None, reading.remarks
    for column, message in found.messages:
        reading.note(column, message, "unplaced" if texts[column] else "noted")
    if reading.is_refused:
        return None, reading.remarks
    edtf = edtf_of(start, end)
    if precision_of(edtf) != DATE_PRECISION[date_prec]:
        reading.note(
            "date_prec",
            f"date_prec {date_prec} is {DATE_PRECISION[date_prec]}, and {edtf} is of "
            f"{precision_of(edtf)}: the dates are kept as they are given.",
        )
    event = _event(row, texts, counts, sides, found.place_id, edtf, reading)
    event.incident.update(
        latitude=latitude,
        longitude=longitude,
        point_basis="source",
        point_note=f"Point of UCDP GED event {texts['id']}, where_prec {where_prec}"
        + (": it stands for the whole area." if where_prec not in "12" else "."),
        place_precision=PLACE_PRECISION[where_prec],
        radius_m=code_list("place_precision")[PLACE_PRECISION[where_prec]].mappings[
            "default_radius_m"
        ],
        grading_rationale="Known from UCDP GED alone, one independent source. UCDP names "
        f"{_sources(row)} and codes the event as {'clear' if clarity == '1' else 'less clear'} "
        f"(event_clarity {clarity}).",
    )
    event.claim.update(latitude=latitude, longitude=longitude)
    return event, reading.remarks


def _sources(row: Mapping[str, str]) -> str:
    number = row["number_of_sources"].strip()
    if not _WHOLE.fullmatch(number):
        return "no number of sources of its own"
    return f"{number} source{'' if number == '1' else 's'} of its own"


def _event(
    row: Mapping[str, str],
    texts: Mapping[str, str],
    counts: tuple[Count, ...],
    sides: Sequence[Side | None],
    place_id: int | None,
    edtf: str,
    reading: _Reading,
) -> Event:
    violence = row["type_of_violence"].strip()
    number = texts["id"]
    is_one_sided = violence == ONE_SIDED
    parties = f"by {texts['side_a']}" if is_one_sided else (
        f"between {texts['side_a']} and {texts['side_b']}"
    )  # fmt: skip
    where = texts["where_coordinates"] or texts["adm_1"] or texts["country"]
    described = texts["where_description"]
    civilians = next(c.best for c in counts if c.status == "civilian")
    figures = "; ".join(count.reported_text for count in counts)
    article_title = f"[UCDP GED event {number}]"
    end = f": UCDP event {number}"
    title = f"{VIOLENCE[violence]} {parties}, {where}, {edtf.replace('/', ' to ')}"
    return Event(
        external_id=number,
        incident={
            "title": title[: 300 - len(end)] + end,
            "summary": f"{VIOLENCE[violence]} {parties}, as the Uppsala Conflict Data Program "
            f"coded it from its sources; {_words(edtf)}.",
            "date_edtf": edtf,
            "place_id": place_id,
            # 0 civilians killed does not say that none was harmed: UCDP counts deaths alone.
            "harm_reported": "yes" if civilians else "unknown",
            "grading": "weak",
        },
        article={
            "title": article_title,
            "language": "en",
            "summary": f"Coded record of an event, {_words(edtf)}, from {_sources(row)}.",
        },
        claim={
            "paraphrase": _joined(
                [
                    f"Coded {VIOLENCE[violence].lower()} {parties}, {_words(edtf)}, at {where}.",
                    f"Killed: {figures}.",
                ]
            ),
            "locator": _joined([f"id {number}", texts["relid"]])[:200],
            "date_said": edtf,
            "place_said": where[:300],
            "note": _joined(
                [
                    f"Place described as: {_ended(described)}" if described else "",
                    f"{_admin(texts)}",
                    f"date_prec {row['date_prec'].strip()}, where_prec "
                    f"{row['where_prec'].strip()}, event_clarity {row['event_clarity'].strip()}.",
                    f"Sources that UCDP lists: {_ended(texts['source_article'])}"
                    if texts["source_article"]
                    else "",
                    f"Who is quoted there, by UCDP: {_ended(texts['source_original'])}"
                    if texts["source_original"]
                    else "",
                ]
            ),
        },
        counts=counts,
        parties=tuple(
            (side, "alleged_perpetrator" if is_one_sided else "other_party")
            for side in sides
            if side is not None
        ),
        remarks=tuple(reading.remarks),
    )


def _admin(texts: Mapping[str, str]) -> str:
    words = ", ".join(texts[column] for column in ("adm_2", "adm_1", "country") if texts[column])
    return f"In {words}."


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _words(edtf: str) -> str:
    if "/" in edtf:
        start, end = edtf.split("/")
        return f"between {start} and {end}"
    return f"{'on' if len(edtf) == 10 else 'in'} {edtf}"


def as_row(columns: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    return dict(zip(columns, values, strict=True))

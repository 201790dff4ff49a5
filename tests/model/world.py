"""What the records should be, in plain Python: no query, and none of the product's functions.

A world is a few records that a few people work on. It remembers each act that succeeded, and from
that answers who has had a hand in a record, what its next version would say, and what is served.
"""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Parts = dict[int, dict[str, Any]]  # key -> values

RIGHTS = {
    "researcher": {"see_own", "edit", "submit", "reopen", "merge"},
    "verifier": {"see_all", "return", "verify", "publish", "reopen", "retract", "redact"},
    "administrator": set[str](),
}
KINDS = (
    "claims",
    "counts",
    "bases",
    "victims",
    "victim_claims",
    "ids",
    "links",
    "further",
    "involvements",
)
ORIGINALS = ("duplicate_of", "merged_into")
BUCKETS = {
    "civilian": "civilian",
    "civilian_military_role": "civilian",
    "armed_group": "combatant",
    "unknown": "uncertain",
    "all": "all",
}


def folded(text: str) -> str:
    """Without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value that holds no other, with where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves(inner, (*path, i))
    else:
        yield path, value


def holding(document: Any, word: str) -> list[tuple[Any, ...]]:
    """Where the texts are that hold a word."""
    return [
        path
        for path, text in leaves(document)
        if isinstance(text, str) and path[0] != "redactions" and folded(word) in folded(text)
    ]


@dataclass
class Person:
    name: str
    groups: set[str]
    pk: int
    is_active: bool = True

    def may(self, right: str) -> bool:
        return self.is_active and any(right in RIGHTS[group] for group in self.groups)


@dataclass(eq=False, repr=False)
class Shared:
    """A place, actor, outlet, article or dataset that records name."""

    kind: str
    pk: int
    key: str
    name: str
    inside: Shared | None = None  # the wider place, the parent of an actor, an article's outlet
    voice: str = ""  # of an outlet: its independence group
    edits: list[tuple[int, str]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def line(self) -> list[Shared]:
        """It and what it lies in."""
        return [self, *(self.inside.line() if self.inside else [])]


@dataclass
class Version:
    kind: str
    document: dict[str, Any]
    seq: int


@dataclass(eq=False, repr=False)
class Record:
    pk: int
    key: str
    author: str
    fields: dict[str, Any]
    since: int  # when it was entered or last published
    revision: int = 1
    state: str = "draft"
    code: str | None = None
    parts: dict[str, Parts] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    edits: list[tuple[int, str]] = field(default_factory=list)
    last_step: tuple[str, str, str] | None = None  # verb, person, reason
    verified: dict[str, Any] | None = None
    versions: list[Version] = field(default_factory=list)
    redacted: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<{self.pk} {self.state} {self.code}>"

    def rows(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        return sorted(self.parts[kind].items())


@dataclass(eq=False, repr=False)
class Merge:
    key: str
    source: Record
    target: Record
    begun: int
    moved: dict[str, set[int]]
    removed: list[tuple[str, Record, int, dict[str, Any]]]
    undone: int | None = None
    is_completed: bool = False

    def __repr__(self) -> str:
        return f"<{self.source} into {self.target}>"

    @property
    def is_open(self) -> bool:
        return self.undone is None and not self.is_completed


@dataclass
class World:
    people: dict[str, Person]
    words: list[str]
    shared: dict[str, list[Shared]]
    ordinals: dict[int, int]  # year -> the last one given
    records: list[Record] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    redacted: list[str] = field(default_factory=list)
    # Record -> its warnings that wait for an answer: fingerprint, and the record it tells of. What
    # raises one is tested elsewhere; the model is told, and knows what follows.
    warned: dict[int, list[tuple[str, int | None]]] = field(default_factory=dict)
    tick: int = 0
    serial: int = 0
    touched: set[int] = field(default_factory=set)

    # --- Who ---

    def sees(self, person: str, record: Record) -> bool:
        someone = self.people[person]
        if someone.may("see_all"):
            return True
        return someone.may("see_own") and (record.author == person or record.code is not None)

    def edited(self, record: Record, person: str) -> None:
        record.edits.append((self.tick, person))
        self.touched.add(record.pk)

    def merging(self, record: Record) -> Merge | None:
        """The open merge by which a record is to end."""
        return next((m for m in self.merges if m.is_open and m.source is record), None)

    def merging_into(self, record: Record) -> list[Merge]:
        return [m for m in self.merges if m.is_open and m.target is record]

    def editors(self, record: Record) -> set[str]:
        """Whoever has a hand in what the next version of a record would say."""
        records = [record, *(merge.source for merge in self.merging_into(record))]
        first = min(one.since for one in records)
        hands = {one.author for one in records}
        for one in records:
            hands |= {person for tick, person in one.edits if tick >= one.since}
            for thing in self.named(one):
                hands |= {person for tick, person in thing.edits if tick >= first}
            for merge in self.merges:
                if merge.source is one and merge.undone is not None:
                    hands |= {
                        person
                        for tick, person in merge.target.edits
                        if tick >= one.since and merge.begun <= tick <= merge.undone
                    }
        return hands

    # --- What ---

    def named(self, record: Record) -> list[Shared]:
        """Each shared thing that a record names, with what it lies in."""
        found = [record.fields["place"]] if record.fields["place"] else []
        found += [row["place"] for _, row in record.rows("further")]
        found += [row["actor"] for _, row in record.rows("involvements")]
        for _, claim in record.rows("claims"):
            found += [claim["article"], claim["speaker"]]
        if record.parts["ids"]:
            found.append(self.shared["dataset"][0])
        return [step for thing in found for step in thing.line()]

    def content(self, record: Record) -> dict[str, Any]:
        """What its next version would say, as far as people here change it."""
        fields = record.fields
        claims = record.parts["claims"]
        speakers = [c["speaker"] for _, c in record.rows("claims") if c["kind"] != "denial"]
        place = fields["place"]
        return {
            "title": fields["title"],
            "summary": fields["summary"],
            "record_type": fields["record_type"],
            "date": fields["date_edtf"],
            "grading": fields["grading"],
            "voices": len({speaker.voice for speaker in speakers}),
            "place": [step.name for step in place.line()] if place else None,
            "further": [[s.name for s in row["place"].line()] for _, row in record.rows("further")],
            "actors": [
                [s.name for s in row["actor"].line()] for _, row in record.rows("involvements")
            ],
            "claims": [
                {
                    "id": claim["key"],
                    "kind": claim["kind"],
                    "paraphrase": claim["paraphrase"],
                    "article": claim["article"].name,
                    "outlet": claim["article"].inside.name,
                    "speaker": claim["speaker"].name,
                    "counts": [
                        figures(row) for _, row in record.rows("counts") if row["claim"] == key
                    ],
                }
                for key, claim in record.rows("claims")
            ],
            "casualties": [
                {
                    **figures(row),
                    "basis": [
                        [basis["bound"], claims[basis["claim"]]["key"]]
                        for _, basis in record.rows("bases")
                        if basis["count"] == key
                    ],
                }
                for key, row in record.rows("counts")
                if row["claim"] is None
            ],
            "victims": [
                {"outcome": row["outcome"]}
                if row["consent_basis"] is None
                else {
                    "outcome": row["outcome"],
                    "names": list(row["names"]),
                    "claims": [
                        claims[link["claim"]]["key"]
                        for _, link in record.rows("victim_claims")
                        if link["victim"] == key
                    ],
                }
                for key, row in record.rows("victims")
            ],
            "ids": [row["value"] for _, row in record.rows("ids")],
            "links": [
                [row["kind"], row["other"].code]
                for _, row in record.rows("links")
                if row["other"].code is not None
            ],
            "merged_from": sorted(
                m.source.code
                for m in self.merges
                if m.target is record and m.undone is None and m.source.code is not None
            ),
        }

    def lacks(self, record: Record) -> bool:
        """Whether it cannot be submitted as it is."""
        fields = record.fields
        claims = [row for _, row in record.rows("claims")]
        voices = {c["speaker"].voice for c in claims if c["kind"] != "denial"}
        kinds = {c["kind"] for c in claims}
        return (
            fields["date_edtf"] is None
            or fields["place"] is None
            or not claims
            or fields["grading"] == "unassessed"
            or (fields["grading"] == "confirmed" and not kinds & {"admission", "finding"})
            or (fields["grading"] == "fair" and len(voices) < 2)
            or (fields["grading"] == "contested" and "denial" not in kinds)
        )

    def barred(self, record: Record) -> list[str]:
        """The words that may not leave in a record: its own, and those of what it took in."""
        words = [*self.redacted, *record.redacted]
        for merge in self.merges:
            if merge.target is record and merge.undone is None:
                words += [w for w in self.barred(merge.source) if w not in self.redacted]
        return words

    def holds_barred(self, record: Record, document: Any) -> bool:
        return any(holding(document, word) for word in self.barred(record))

    def is_id_taken(self, value: str, *but: Record) -> bool:
        """Whether another record that has a code carries an external id."""
        return any(
            row["value"] == value
            for other in self.records
            if other.code is not None and not any(other is one for one in but)
            for row in other.parts["ids"].values()
        )

    def is_kept(self, record: Record, kind: str, key: int) -> bool:
        """Whether a claim or victim is of a record that was published, here or where it was."""
        return record.code is not None or any(
            key in merge.moved[kind]
            for merge in self.merges
            if merge.target is record and merge.undone is None and merge.source.code is not None
        )

    def originals(self) -> dict[int, int]:
        """Of each duplicate, the record that it is one of."""
        return {
            record.pk: row["other"].pk
            for record in self.records
            for row in record.parts["links"].values()
            if row["kind"] in ORIGINALS
        }

    def would_circle(self, change: Any) -> bool:
        """Whether a change of the links makes somebody the duplicate of itself."""
        later = self.copied()
        change(later)
        edges = later.originals()
        for start in edges:
            step, seen = start, set()
            while step in edges and step not in seen:
                seen.add(step)
                step = edges[step]
            if step in seen:
                return True
        return False

    def copied(self) -> World:
        return copy.deepcopy(self)

    def record(self, pk: int) -> Record:
        return next(record for record in self.records if record.pk == pk)

    # --- What is served ---

    def by_code(self) -> dict[str, Record]:
        return {record.code: record for record in self.records if record.code is not None}

    def is_counted(self, document: dict[str, Any]) -> bool:
        return document["record_type"] == "incident" and not any(
            link["kind"] in ORIGINALS for link in document["links"]
        )


def figures(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("outcome", "status", "sex", "min", "best", "max")
    return {key: row[key] for key in keys}


def is_part_above_whole(rows: Iterable[dict[str, Any]]) -> bool:
    """Whether a part has at least more persons than its whole has at most, in one claim's rows."""
    rows = list(rows)
    return any(
        part["outcome"] == whole["outcome"]
        and whole["status"] in ("all", part["status"])
        and whole["sex"] in ("all", part["sex"])
        and part["min"] is not None
        and whole["max"] is not None
        and part["min"] > whole["max"]
        for whole in rows
        for part in rows
        if part is not whole
    )


def said(document: dict[str, Any]) -> dict[str, Any]:
    """A published document in the shape of :meth:`World.content`."""

    def names(thing: dict[str, Any]) -> list[str]:
        return [thing["name"], *(step["name"] for step in thing["path"])]

    return {
        "title": document["title"],
        "summary": document["summary"],
        "record_type": document["record_type"],
        "date": document["date"]["edtf"],
        "grading": document["grading"]["code"],
        "voices": document["grading"]["independent_sources"],
        "place": names(document["place"]),
        "further": [names(place) for place in document["further_places"]],
        "actors": [names(row["actor"]) for row in document["involvement"]],
        "claims": [
            {
                "id": claim["id"],
                "kind": claim["kind"],
                "paraphrase": claim["paraphrase"],
                "article": claim["article"]["title"],
                "outlet": claim["article"]["outlet"]["name"],
                "speaker": claim["attributed_to"]["name"],
                "counts": [figures(row) for row in claim["counts"]],
            }
            for claim in document["claims"]
        ],
        "casualties": [
            {**figures(row), "basis": [[b["bound"], b["claim"]] for b in row["basis"]]}
            for row in document["casualties"]
        ],
        "victims": [
            {key: row[key] for key in ("outcome", "names", "claims") if key in row}
            for row in document["victims"]
        ],
        "ids": [row["value"] for row in document["external_ids"]],
        "links": [[row["kind"], row["code"]] for row in document["links"]],
        "merged_from": document["merged_from"],
    }


def sums(casualties: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """The totals of a version's assessed rows, worked out by hand.

    People here enter rows of all or of one sex. A row of all sexes is a whole of its status; one of
    women or men is a part, which stands alone where its status has no whole.
    """

    def total(rows: list[dict[str, Any]]) -> dict[str, Any]:
        whole = {row["status"] for row in rows if row["sex"] == "all"}
        rows = [row for row in rows if row["sex"] == "all" or row["status"] not in whole]
        low = [row["min"] for row in rows if row["min"] is not None]
        result = {"min": sum(low) if low else None, "best": None, "max": None}
        if rows and all(row["sex"] == "all" for row in rows):
            for bound in ("best", "max"):
                if all(row[bound] is not None for row in rows):
                    result[bound] = sum(row[bound] for row in rows)
        is_open = bool(rows) and result["max"] is None
        return {**result, "at_least": is_open and result["min"] is not None}

    def everybody(buckets: list[dict[str, Any]]) -> dict[str, Any]:
        low = [b["min"] for b in buckets if b["min"] is not None]
        result: dict[str, Any] = {"min": sum(low) if low else None}
        for bound in ("best", "max"):
            whole = bool(buckets) and all(b[bound] is not None for b in buckets)
            result[bound] = sum(b[bound] for b in buckets) if whole else None
        result["at_least"] = bool(low) and result["max"] is None
        return result

    found = {}
    for outcome in {row["outcome"] for row in casualties}:
        rows = [row for row in casualties if row["outcome"] == outcome]
        per = {
            bucket: total([row for row in rows if BUCKETS[row["status"]] == bucket])
            for bucket in ("civilian", "protected", "combatant", "uncertain")
        }
        held = {BUCKETS[row["status"]] for row in rows} - {"all"}
        all_of = everybody([per[bucket] for bucket in per if bucket in held])
        if "all" in {row["status"] for row in rows}:
            low = all_of["min"]
            all_of = total([row for row in rows if row["status"] == "all"])
            if low is not None and (all_of["min"] is None or all_of["min"] < low):
                best = all_of["best"]
                all_of["best"] = None if best is not None and best < low else best
                all_of["min"], all_of["at_least"] = low, all_of["max"] is None
        found[outcome] = {**per, "all": all_of}
    return found

"""What people do: each act says whether it may be done, does it, and what it then has done.

``refused`` and ``done`` speak of the model alone. ``do`` asks the product, through a desk: the
services, or the API.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

from harmtracker.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Stale
from tests.model.world import (
    ORIGINALS,
    Merge,
    Record,
    Shared,
    Version,
    World,
    holding,
    is_part_above_whole,
    said,
    sums,
)

Refusal = type[DomainError] | None

# verb -> the states it starts from, the state it leads to, the right it needs
STEPS = {
    "submit": ({"draft"}, "submitted", "submit"),
    "return": ({"submitted", "verified"}, "draft", "return"),
    "verify": ({"submitted"}, "verified", "verify"),
    "publish": ({"verified"}, "published", "publish"),
    "reopen": ({"published", "retracted"}, "draft", "reopen"),
    "propose_retraction": ({"published"}, "published", "retract"),
    "retract": ({"published"}, "retracted", "retract"),
}


class Act:
    person: str

    @property
    def called(self) -> str:
        """What it is counted as."""
        return type(self).__name__.lower()

    def refused(self, world: World) -> Refusal:
        raise NotImplementedError

    def do(self, world: World, desk: Any) -> Any:
        raise NotImplementedError

    def done(self, world: World, result: Any) -> None:
        raise NotImplementedError


# --- Entering and editing ---


@dataclass
class Enter(Act):
    """A whole record at once: a claim with a count, our assessment of it, and a person."""

    person: str
    fields: dict[str, Any]
    claim: dict[str, Any]
    numbers: dict[str, Any]
    victim: dict[str, Any]

    def refused(self, world: World) -> Refusal:
        return None if world.people[self.person].may("edit") else NotAllowed

    def do(self, world: World, desk: Any) -> Any:
        return desk.enter(self.person, self.fields, self.claim, self.numbers, self.victim)

    def done(self, world: World, result: Any) -> None:
        record = Record(result["pk"], result["key"], self.person, dict(self.fields), world.tick)
        claim, said, ours = result["claim"], result["said"], result["ours"]
        record.parts["claims"][claim] = {**self.claim, "key": result["claim_key"]}
        record.parts["counts"][said] = {**self.numbers, "claim": claim}
        record.parts["counts"][ours] = {**self.numbers, "claim": None}
        record.parts["bases"][result["basis"]] = {"count": ours, "claim": claim, "bound": "best"}
        record.parts["victims"][result["victim"]] = dict(self.victim)
        link = {"victim": result["victim"], "claim": claim}
        record.parts["victim_claims"][result["link"]] = link
        record.revision = result["revision"]
        world.records.append(record)
        record.edits.append((world.tick, self.person))


class Change:
    """What an edit changes."""

    def refused(self, world: World, record: Record) -> Refusal:
        return None

    def does_nothing(self, record: Record) -> bool:
        return False

    def done(self, record: Record, result: Any) -> None:
        raise NotImplementedError


@dataclass
class Put(Change):
    """Another value in a field of the record itself."""

    field: str
    value: Any

    def does_nothing(self, record: Record) -> bool:
        return bool(record.fields[self.field] == self.value)

    def done(self, record: Record, result: Any) -> None:
        record.fields[self.field] = self.value


@dataclass
class Add(Change):
    """One more part of a kind. ``result`` of doing so is its key."""

    kind: str
    values: dict[str, Any]
    claims: tuple[int, ...] = ()

    def refused(self, world: World, record: Record) -> Refusal:
        rows = [row for _, row in record.rows(self.kind)]
        new = self.values
        match self.kind:
            case "counts":
                group = ("claim", "outcome", "status", "sex")
                is_there = any(all(row[k] == new[k] for k in group) for row in rows)
                own = [row for row in rows if row["claim"] == new["claim"]]
                return Invalid if is_there or is_part_above_whole([*own, new]) else None
            case "bases" | "further" | "involvements":
                return Invalid if new in rows else None
            case "ids":
                is_taken = new in rows or world.is_id_taken(new["value"], record)
                return Invalid if is_taken else None
            case "links":
                same = any(
                    row["other"] is new["other"] and row["kind"] == new["kind"] for row in rows
                )
                is_second = new["kind"] in ORIGINALS and any(
                    row["kind"] in ORIGINALS for row in rows
                )
                if new["other"] is record or same or is_second:
                    return Invalid
                if new["kind"] not in ORIGINALS:
                    return None

                def link(later: World) -> None:
                    there = later.record(record.pk)
                    other = later.record(new["other"].pk)
                    there.parts["links"][-1] = {**new, "other": other}

                return Invalid if world.would_circle(link) else None
        return None

    def done(self, record: Record, result: Any) -> None:
        key, extra = result
        record.parts[self.kind][key] = {**self.values, **extra.pop("values", {})}
        for link, claim in extra.pop("links", {}).items():
            record.parts["victim_claims"][link] = {"victim": key, "claim": claim}


@dataclass
class Alter(Change):
    """Other values of a part."""

    kind: str
    key: int
    values: dict[str, Any]

    def does_nothing(self, record: Record) -> bool:
        row = record.parts[self.kind][self.key]
        return all(row[name] == value for name, value in self.values.items())

    def refused(self, world: World, record: Record) -> Refusal:
        if self.kind == "counts":
            row = record.parts["counts"][self.key]
            others = [
                other
                for key, other in record.rows("counts")
                if key != self.key and other["claim"] == row["claim"]
            ]
            return Invalid if is_part_above_whole([*others, {**row, **self.values}]) else None
        return None

    def done(self, record: Record, result: Any) -> None:
        record.parts[self.kind][self.key].update(self.values)


@dataclass
class Remove(Change):
    """A part less, with what hangs on it alone."""

    kind: str
    key: int

    def refused(self, world: World, record: Record) -> Refusal:
        if self.kind in ("claims", "victims") and world.is_kept(record, self.kind, self.key):
            return Invalid
        return None

    def done(self, record: Record, result: Any) -> None:
        parts = record.parts
        del parts[self.kind][self.key]
        if self.kind == "claims":
            for kind in ("bases", "victim_claims", "counts"):
                _drop(record, kind, "claim", self.key)
        elif self.kind == "counts":
            _drop(record, "bases", "count", self.key)
        elif self.kind == "victims":
            _drop(record, "victim_claims", "victim", self.key)


def _drop(record: Record, kind: str, name: str, key: int) -> None:
    rows = record.parts[kind]
    for one in [one for one, row in rows.items() if row[name] == key]:
        del rows[one]


@dataclass
class Edit(Act):
    person: str
    record: Record
    change: Change
    reason: str
    is_stale: bool = False

    def refused(self, world: World) -> Refusal:
        record = self.record
        if not world.sees(self.person, record):
            return NotFound
        if not world.people[self.person].may("edit"):
            return NotAllowed
        if record.state != "draft":
            return Conflict
        if self.is_stale:
            return Stale
        if record.code is not None and not self.reason.strip():
            return Invalid
        if self.change.does_nothing(record):
            return None
        if world.merging(record) is not None:
            return Invalid
        return self.change.refused(world, record)

    def do(self, world: World, desk: Any) -> Any:
        revision = self.record.revision - (1 if self.is_stale else 0)
        return desk.edit(self.person, self.record, revision, self.reason, self.change)

    def done(self, world: World, result: Any) -> None:
        is_edit = not self.change.does_nothing(self.record)
        self.change.done(self.record, result)
        if is_edit:
            world.edited(self.record, self.person)


@dataclass
class Rename(Act):
    """Another name of a place, actor, outlet, article or dataset."""

    person: str
    thing: Shared
    name: str

    def refused(self, world: World) -> Refusal:
        return None

    def do(self, world: World, desk: Any) -> Any:
        desk.rename(self.person, self.thing, self.name)

    def done(self, world: World, result: Any) -> None:
        if self.name != self.thing.name:
            self.thing.name = self.name
            self.thing.edits.append((world.tick, self.person))


@dataclass
class Remark(Act):
    """A comment on a record: no edit of it."""

    person: str
    record: Record

    def refused(self, world: World) -> Refusal:
        return None if world.sees(self.person, self.record) else NotFound

    def do(self, world: World, desk: Any) -> Any:
        desk.remark(self.person, self.record)

    def done(self, world: World, result: Any) -> None:
        pass


@dataclass
class Leave(Act):
    """Somebody is deactivated, or comes back."""

    person: str
    who: str
    is_active: bool

    def refused(self, world: World) -> Refusal:
        return None

    def do(self, world: World, desk: Any) -> Any:
        desk.set_active(self.person, self.who, self.is_active)

    def done(self, world: World, result: Any) -> None:
        world.people[self.who].is_active = self.is_active


# --- Steps ---


@dataclass(frozen=True)
class Answer(Act):
    """A reason to a warning. It is no edit: the revision stays, and who has a hand in it."""

    person: str
    record: Record
    warning: str
    about: int | None
    reason: str

    def refused(self, world: World) -> Refusal:
        person = world.people[self.person]
        if not world.sees(self.person, self.record):
            return NotFound
        right = {"draft": "edit", "submitted": "verify"}.get(self.record.state)
        if right is None:
            return Conflict
        if not person.may(right):
            return NotAllowed
        if not self.reason.strip():
            return Invalid
        is_hidden = self.about is not None and not world.sees(self.person, world.record(self.about))
        return NotFound if is_hidden else None

    def do(self, world: World, desk: Any) -> Any:
        desk.answer(self)

    def done(self, world: World, result: Any) -> None:
        pass


@dataclass
class Step(Act):
    person: str
    record: Record
    verb: str
    reason: str = "For a reason"
    note: str = "For a reason"
    is_stale: bool = False
    looked_at: str = ""  # of a verification: "" at nothing, "now" or "else" at a content

    def refused(self, world: World) -> Refusal:
        record = self.record
        person = world.people[self.person]
        sources, _, right = STEPS[self.verb]
        if not world.sees(self.person, record):
            return NotFound
        if not person.may(right):
            return NotAllowed
        if record.state not in sources or world.merging(record) is not None:
            return Conflict
        if self.verb in ("return", "reopen", "propose_retraction") and not self.reason.strip():
            return Invalid
        if self.is_stale:
            return Stale
        match self.verb:
            case "submit":
                return Invalid if world.lacks(record) else None
            case "verify":
                return self._verify_refused(world)
            case "publish":
                return self._publish_refused(world)
            case "propose_retraction":
                return Conflict if world.holds_barred(record, {"note": self.reason}) else None
            case "retract":
                return self._retract_refused(world)
        return None

    @property
    def called(self) -> str:
        return self.verb

    def _verify_refused(self, world: World) -> Refusal:
        if self.person in world.editors(self.record):
            return NotAllowed
        if world.lacks(self.record) or world.warned[self.record.pk]:
            return Invalid
        if self.looked_at == "else":
            return Stale
        content = world.content(self.record)
        return Conflict if world.holds_barred(self.record, content) else None

    def _publish_refused(self, world: World) -> Refusal:
        record = self.record
        assert record.last_step is not None
        _, verifier, _ = record.last_step
        if self.person == record.author:
            return NotAllowed
        if record.code is not None and not self.note.strip():
            return Invalid
        content = world.content(record)
        if content != record.verified:
            return Conflict
        if world.holds_barred(record, {**content, "note": self.note}):
            return Conflict
        if verifier in world.editors(record) or not world.people[verifier].may("verify"):
            return Invalid
        if any(world.is_id_taken(row["value"], record) for _, row in record.rows("ids")):
            return Invalid
        return None

    def _retract_refused(self, world: World) -> Refusal:
        if self.record.last_step is None or self.record.last_step[0] != "propose_retraction":
            return Conflict
        _, proposer, reason = self.record.last_step
        if proposer == self.person:
            return NotAllowed
        return Conflict if world.holds_barred(self.record, {"note": reason}) else None

    def do(self, world: World, desk: Any) -> Any:
        revision = self.record.revision - (1 if self.is_stale else 0)
        return desk.step(self, revision)

    def done(self, world: World, result: Any) -> None:
        record = self.record
        before = record.last_step
        record.state = STEPS[self.verb][1]
        record.last_step = (self.verb, self.person, self.reason)
        if self.verb == "verify":
            record.verified = copy.deepcopy(world.content(record))
        elif self.verb == "publish":
            self._published(world, result, before)
        elif self.verb == "retract":
            assert before is not None
            verb, proposer, reason = before
            assert verb == "propose_retraction"
            assert proposer != self.person
            document = self._next(record, result, "retracted")
            assert document["retracted"] is True
            assert document["note"] == reason
            assert "title" not in document

    def _published(self, world: World, result: Any, before: tuple[str, str, str] | None) -> None:
        record = self.record
        assert before is not None
        verb, verifier, _ = before
        assert verb == "verify"
        assert verifier not in world.editors(record)
        assert world.people[verifier].is_active
        assert self.person != record.author
        if record.code is None:
            year = int(record.fields["date_edtf"][:4])
            world.ordinals[year] = world.ordinals.get(year, 0) + 1
            record.code = f"MMR-{year}-{world.ordinals[year]:04d}"
        document = self._next(record, result, "published")
        assert document["note"] == self.note
        assert said(document) == record.verified
        assert document["totals"] == sums(document["casualties"])
        record.since = world.tick
        for merge in world.merging_into(record):
            source = merge.source
            merge.is_completed = True
            source.state = "merged"
            source.last_step = ("merge", self.person, "")
            if source.code is not None:
                left = self._next(source, result, "merged")
                assert left["merged_into"] == record.code
                assert "title" not in left

    @staticmethod
    def _next(record: Record, result: Any, kind: str) -> dict[str, Any]:
        """The document that the product let out, kept as the model's own from here on."""
        assert record.code in result, (record.code, list(result))
        number, stored_kind, document, seq = result[record.code]
        assert (number, stored_kind) == (len(record.versions) + 1, kind)
        record.versions.append(Version(kind, document, seq))
        return dict(document)


# --- Merging ---


@dataclass
class Join(Act):
    """One record is merged into another."""

    person: str
    source: Record
    target: Record
    reason: str = "Entered twice"
    is_stale: bool = False

    def refused(self, world: World) -> Refusal:
        both = (self.source, self.target)
        if not all(world.sees(self.person, record) for record in both):
            return NotFound
        if not world.people[self.person].may("merge"):
            return NotAllowed
        if not self.reason.strip() or self.source is self.target:
            return Invalid
        if self.target.state != "draft":
            return Conflict
        if self.source.state not in ("draft", "published", "retracted"):
            return Conflict
        if any(
            m.is_open and {m.source.pk, m.target.pk} & {r.pk for r in both} for m in world.merges
        ):
            return Conflict
        if self.is_stale:
            return Stale
        moved, _removed = self._what(world)
        if any(
            world.is_id_taken(self.source.parts["ids"][key]["value"], self.source, self.target)
            for key in moved["ids"]
        ):
            return Invalid
        return Invalid if world.would_circle(self._moved_in) else None

    def _moved_in(self, later: World) -> None:
        self._move(
            later,
            replace(self, source=later.record(self.source.pk), target=later.record(self.target.pk)),
        )

    def _what(self, world: World) -> tuple[dict[str, set[int]], list[Any]]:
        """What moves, by kind, and what is in the way."""
        source, target = self.source, self.target
        removed = [("bases", source, key, row) for key, row in source.rows("bases")]
        has_original = False
        held = set()
        for key, row in target.rows("links"):
            if row["other"] is source:
                removed.append(("links", target, key, row))
            elif row["kind"] in ORIGINALS:
                has_original = True
            held.add((row["kind"], row["other"].pk))
        for key, row in source.rows("links"):
            is_double = (row["kind"], row["other"].pk) in held
            is_second = has_original and row["kind"] in ORIGINALS
            if row["other"] is target or is_double or is_second:
                removed.append(("links", source, key, row))
        values = [row["value"] for _, row in target.rows("ids")]
        for key, row in source.rows("ids"):
            if row["value"] in values:
                removed.append(("ids", source, key, row))
        gone = {(kind, key) for kind, _, key, _ in removed}
        moved = {
            kind: {key for key, _ in source.rows(kind) if (kind, key) not in gone}
            for kind in ("claims", "victims", "victim_claims", "ids", "links")
        }
        moved["counts"] = {key for key, row in source.rows("counts") if row["claim"] is not None}
        return moved, removed

    def do(self, world: World, desk: Any) -> Any:
        return desk.merge(self)

    @staticmethod
    def _move(world: World, act: Join) -> tuple[dict[str, set[int]], list[Any]]:
        moved, removed = act._what(world)
        for kind, record, key, _row in removed:
            del record.parts[kind][key]
        for kind, keys in moved.items():
            for key in keys:
                act.target.parts[kind][key] = act.source.parts[kind].pop(key)
        act.source.parts["links"][-2] = {"kind": "merged_into", "other": act.target}
        return moved, removed

    def done(self, world: World, result: Any) -> None:
        source, target = self.source, self.target
        moved, removed = self._move(world, self)
        source.parts["links"][result["link"]] = source.parts["links"].pop(-2)
        if source.state != "draft":
            source.last_step = ("reopen", self.person, self.reason)
            source.state = "draft"
        world.edited(source, self.person)
        if any(moved.values()) or any(record is target for _, record, _, _ in removed):
            world.edited(target, self.person)
        merge = Merge(result["key"], source, target, world.tick, moved, removed)
        world.merges.append(merge)


@dataclass
class Undo(Act):
    person: str
    merge: Merge
    reason: str = "They are two"
    is_stale: bool = False

    def refused(self, world: World) -> Refusal:
        merge = self.merge
        if not all(world.sees(self.person, one) for one in (merge.source, merge.target)):
            return NotFound
        if not world.people[self.person].may("merge"):
            return NotAllowed
        if self.is_stale:
            return Stale
        if not self.reason.strip():
            return Invalid
        if not merge.is_open or merge.target.state != "draft":
            return Conflict

        def back(later: World) -> None:
            there = next(m for m in later.merges if m.key == merge.key)
            replace(self, merge=there)._back(later)

        return Invalid if world.would_circle(back) else None

    def do(self, world: World, desk: Any) -> Any:
        revision = self.merge.target.revision - (1 if self.is_stale else 0)
        return desk.undo(self, revision)

    def _back(self, world: World) -> bool:
        """Part the two again; whether that changed the one that was merged into."""
        merge = self.merge
        source, target, moved = merge.source, merge.target, merge.moved
        is_changed = False
        for key, row in source.rows("links"):
            if row["kind"] == "merged_into" and row["other"] is target:
                del source.parts["links"][key]
        for key, row in target.rows("bases"):
            if row["claim"] in moved["claims"]:
                del target.parts["bases"][key]
                is_changed = True
        for key, row in target.rows("victim_claims"):
            if (row["claim"] in moved["claims"]) != (row["victim"] in moved["victims"]):
                del target.parts["victim_claims"][key]
                is_changed = True
        for kind in ("claims", "victims", "ids", "links"):
            for key in moved[kind] & set(target.parts[kind]):
                source.parts[kind][key] = target.parts[kind].pop(key)
                is_changed = True
        for kind, name in (("counts", "claim"), ("victim_claims", "claim")):
            for key, row in target.rows(kind):
                if row[name] in moved["claims"]:
                    source.parts[kind][key] = target.parts[kind].pop(key)
        return self._restore() or is_changed

    def _restore(self) -> bool:
        is_target_changed = False
        for kind, record, key, row in self.merge.removed:
            rows = [other for _, other in record.rows(kind)]
            if kind == "bases" and not (
                row["count"] in record.parts["counts"] and row["claim"] in record.parts["claims"]
            ):
                continue
            if kind == "links" and any(
                (other["kind"], other["other"]) == (row["kind"], row["other"])
                or (row["kind"] in ORIGINALS and other["kind"] in ORIGINALS)
                for other in rows
            ):
                continue
            record.parts[kind][key] = row
            is_target_changed |= record is self.merge.target
        return is_target_changed

    def done(self, world: World, result: Any) -> None:
        is_changed = self._back(world)
        self.merge.undone = world.tick
        world.edited(self.merge.source, self.person)
        if is_changed:
            world.edited(self.merge.target, self.person)


# --- Redaction ---


@dataclass
class Redact(Act):
    person: str
    record: Record
    word: str
    reason: str = "The family asked for it"
    everywhere: bool = False
    is_miscounted: bool = False

    def _versions(self, world: World) -> list[Version]:
        records = world.records if self.everywhere else [self.record]
        return sorted((v for r in records for v in r.versions), key=lambda v: v.seq)

    def values(self, world: World) -> int:
        return sum(len(holding(v.document, self.word)) for v in self._versions(world))

    def refused(self, world: World) -> Refusal:
        if not world.sees(self.person, self.record):
            return NotFound
        if not world.people[self.person].may("redact"):
            return NotAllowed
        if len(self.word) < 2 or not self.reason.strip() or self.word in self.reason:
            return Invalid
        return Conflict if not self.values(world) or self.is_miscounted else None

    def do(self, world: World, desk: Any) -> Any:
        expected = self.values(world) + (1 if self.is_miscounted else 0)
        return desk.redact(self, expected)

    def done(self, world: World, result: Any) -> None:
        for version in self._versions(world):
            paths = holding(version.document, self.word)
            if not paths:
                continue
            document = version.document
            taken = document.setdefault("redactions", [])
            if document["nonce"] is not None:
                paths.append(("nonce",))
            for path in paths:
                parent: Any = document
                for step in path[:-1]:
                    parent = parent[step]
                parent[path[-1]] = None
                taken.append({"path": list(path), "reason": self.reason})
        if self.everywhere:
            world.redacted.append(self.word)
        else:
            self.record.redacted.append(self.word)

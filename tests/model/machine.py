"""Random people doing random things to a few records, each act compared with the model.

Every act is committed, as in production: rules that ask in which transaction something was done
would not be met inside one that is rolled back. Each run has records, shared rows and words of its
own, so that runs share a database without meeting.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from harmtracker.accounts.models import User
from harmtracker.accounts.services import create_person
from harmtracker.errors import DomainError
from harmtracker.history.acting import acting
from incidents.models import CodeCounter, Dataset, Place
from sources.models import Outlet
from tests import builders, database
from tests.conftest import renew_database
from tests.model import checks
from tests.model.acts import (
    STEPS,
    Act,
    Add,
    Alter,
    Change,
    Edit,
    Enter,
    Join,
    Leave,
    Put,
    Redact,
    Remark,
    Remove,
    Rename,
    Step,
    Undo,
)
from tests.model.desks import Services
from tests.model.world import Person, Record, Shared, World

GROUPS = {name: {group} for name, group in database.PEOPLE.items()}
GROUPS["both"] = {"researcher", "verifier"}
EDITORS = ("researcher", "other_researcher", "both")
LEAVING = ("verifier", "other_verifier", "other_researcher", "both")
MOST_RECORDS = 4
# A database that has grown longer than this is laid anew between two runs.
LONG = 150

names = st.sampled_from(sorted(GROUPS))
numbers = st.integers(0, 59)
seldom = st.integers(0, 7).map(lambda n: n == 7)
_runs = itertools.count(1)


def prepare() -> None:
    """The one person of this database who both enters and verifies."""
    if not User.objects.filter(username="both").exists():
        both = create_person(username="both", password=database.PASSWORD, group="researcher")
        both.groups.add(Group.objects.get(name="verifier"))


def pick(rows: Any, number: int) -> Any:
    rows = list(rows)
    return rows[number % len(rows)]


def _shared(kind: str, row: Any, inside: Shared | None = None) -> Shared:
    name = row.title if kind == "article" else row.name
    key = str(row.uuid) if hasattr(row, "uuid") else ""
    voice = row.independence_group if kind == "outlet" else ""
    return Shared(kind, row.pk, key, name, inside, voice)


def _places(tag: str) -> list[Shared]:
    """A place in another one, and one elsewhere."""
    wide = builders.place(name=f"Wide {tag}")
    narrow = builders.place(name=f"Narrow {tag}", parent=wide)
    other = builders.place(name=f"Other {tag}")
    known: dict[int, Shared] = {}

    def shared(row: Place) -> Shared:
        if row.pk not in known:
            inside = shared(row.parent) if row.parent else None
            known[row.pk] = _shared("place", row, inside)
        return known[row.pk]

    return [shared(row) for row in (narrow, wide, other)]


def new_world(tag: str) -> World:
    """People, shared rows and words, and no record yet."""
    prepare()
    users = {user.username: user for user in User.objects.filter(username__in=GROUPS)}
    with acting(users["researcher"], "For a test"):
        voices = [f"a{tag}", f"a{tag}", f"b{tag}"]
        outlets = [
            _shared("outlet", builders.outlet(name=f"Outlet {n} {tag}", independence_group=voice))
            for n, voice in enumerate(voices)
        ]
        articles = [
            _shared(
                "article",
                builders.article(
                    outlet=Outlet.objects.get(pk=outlet.pk), title=f"Article {n} {tag}"
                ),
                outlet,
            )
            for n, outlet in enumerate(outlets)
        ]
        parent = builders.actor(name=f"Army {tag}")
        unit = builders.actor(name=f"Unit {tag}", parent=parent)
        army = _shared("actor", parent)
        dataset = builders.dataset(name=f"Dataset {tag}", redistributable=True)
        shared = {
            "place": _places(tag),
            "actor": [_shared("actor", unit, army), army],
            "outlet": outlets,
            "article": articles,
            "dataset": [_shared("dataset", dataset)],
        }
    return World(
        people={
            name: Person(name, groups, users[name].pk, users[name].is_active)
            for name, groups in GROUPS.items()
        },
        words=[f"Htwe{tag}", f"Zaw{tag}"],
        shared=shared,
        ordinals=dict(CodeCounter.objects.filter(country="MMR").values_list("year", "last")),
    )


class Acts(RuleBasedStateMachine):
    """The acts; ``tally`` counts what came of them over all runs."""

    tally: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.tag = f"q{next(_runs)}z"
        self.world = new_world(self.tag)
        self.desk = self.new_desk()
        self.desk.dataset = Dataset.objects.get(pk=self.world.shared["dataset"][0].pk)
        for _ in range(2):
            self.take(self._entering("researcher", 0, 0))

    def new_desk(self) -> Any:
        return Services()

    # --- Doing one thing ---

    def take(self, act: Act) -> bool:
        """Do it in model and product, and compare. Whether it was done."""
        world = self.world
        world.tick += 1
        expected = act.refused(world)
        before = checks.footprint()
        name = type(act).__name__ if not isinstance(act, Step) else act.verb
        try:
            result = act.do(world, self.desk)
        except DomainError as error:
            assert type(error) is expected, (act, expected, error)
            assert checks.footprint() == before
            self.tally[f"{name}: {type(error).__name__}"] += 1
            return False
        assert expected is None, (act, expected)
        act.done(world, result)
        self.tally[f"{name}: done"] += 1
        checks.acted(before[0], world.people[act.person].pk)
        checks.records(world)
        return True

    def text(self, number: int) -> str:
        """A text that was never there before; some hold a word that may have to leave."""
        self.world.serial += 1
        first, second = self.world.words
        begins = ["Shelling", f"House of {first}", f"HOUSE OF {first.upper()}", f"{second} said"]
        begins[2] = begins[2].replace("HTWE", "HTWÉ")
        return f"{begins[number % 4]} {self.world.serial}"

    def record(self, number: int) -> Record:
        found: Record = pick(self.world.records, number)
        return found

    # --- Entering and editing ---

    def _entering(self, person: str, a: int, b: int) -> Enter:
        shared = self.world.shared
        return Enter(
            person,
            {
                "title": self.text(a),
                "summary": "",
                "record_type": "incident",
                "date_edtf": pick(["2024-05-06", "2023-11"], b),
                "grading": "weak",
                "place": pick(shared["place"], b),
            },
            {
                "article": pick(shared["article"], a),
                "speaker": pick(shared["outlet"], b),
                "kind": "report",
                "paraphrase": self.text(b),
            },
            {**self._group(b), **self._figures(a)},
            {
                "outcome": "killed",
                "names": [self.text(a + 1)],
                "consent_basis": pick([None, "family_consent"], a),
            },
        )

    def _group(self, number: int) -> dict[str, Any]:
        statuses = ["civilian", "civilian_military_role", "armed_group", "unknown", "all"]
        return {
            "outcome": pick(["killed", "injured"], number // 5),
            "status": pick(statuses, number),
            "sex": pick(["all", "all", "female", "male"], number // 10),
        }

    def _figures(self, number: int) -> dict[str, Any]:
        low = number // 4 % 5
        return [
            {"min": low, "best": low, "max": low},
            {"min": low, "best": None, "max": None},
            {"min": low, "best": low + 1, "max": low + 3},
            {"min": None, "best": None, "max": None},
        ][number % 4]

    @precondition(lambda self: len(self.world.records) < MOST_RECORDS)
    @rule(person=names, a=numbers, b=numbers)
    def enter(self, person: str, a: int, b: int) -> None:
        self.take(self._entering(person, a, b))

    def _put(self, record: Record, a: int, b: int) -> Change:
        field = pick(
            ["title", "summary", "grading", "place", "date_edtf", "record_type", "grading"], a
        )
        match field:
            case "title" | "summary":
                return Put(field, self.text(b))
            case "grading":
                return Put(field, pick(["weak", "fair", "confirmed", "contested", "unassessed"], b))
            case "place":
                return Put(field, pick([*self.world.shared["place"], None], b))
            case "date_edtf":
                return Put(field, pick(["2024-05-06", "2023", "2024-05", None], b))
        return Put(field, pick(["incident", "aggregate_count"], b // 2))

    def _adding(self, record: Record, a: int, b: int) -> Change | None:
        shared = self.world.shared
        claims = list(record.parts["claims"])
        match pick(
            ["claims", "counts", "links", "victims", "ids", "counts", "bases", "further", "actors"],
            a,
        ):
            case "claims":
                kind = pick(["report", "denial", "admission"], b)
                article, speaker = pick(shared["article"], a), pick(shared["outlet"], b)
                values = {"article": article, "speaker": speaker, "kind": kind}
                return Add("claims", {**values, "paraphrase": self.text(b)})
            case "counts":
                owner = pick([None, None, *claims], b)
                return Add("counts", {"claim": owner, **self._group(b), **self._figures(a)})
            case "links":
                kind = pick(["duplicate_of", "related", "part_of"], b)
                return Add("links", {"kind": kind, "other": self.record(a + b)})
            case "victims":
                names = [self.text(b), *([self.text(a)] if a % 2 else [])]
                consent = pick(["family_consent", None], b // 2)
                values = {"outcome": "killed", "names": names, "consent_basis": consent}
                return Add("victims", values, tuple(claims[: b % 3]))
            case "ids":
                return Add("ids", {"value": pick(["X1", "X2"], b)})
            case "bases":
                ours = [key for key, row in record.rows("counts") if row["claim"] is None]
                if not ours or not claims:
                    return None
                bound = pick(["best", "min", "max"], b)
                values = {"count": pick(ours, a), "claim": pick(claims, b), "bound": bound}
                return Add("bases", values)
            case "further":
                return Add("further", {"place": pick(shared["place"], b)})
        return Add("involvements", {"actor": pick(shared["actor"], b)})

    def _altering(self, record: Record, a: int, b: int) -> Change | None:
        kind = pick(["claims", "counts", "victims"], a)
        if not record.parts[kind]:
            return None
        key = pick(sorted(record.parts[kind]), b)
        match kind:
            case "claims":
                return Alter(kind, key, {"paraphrase": self.text(b)})
            case "counts":
                return Alter(kind, key, self._figures(b))
        consent = pick(["family_consent", None], a)
        return Alter(kind, key, {"names": [self.text(b)], "consent_basis": consent})

    def _removing(self, record: Record, a: int, b: int) -> Change | None:
        kind = pick(["claims", "counts", "links", "victims", "ids", "bases", "further"], a)
        if not record.parts[kind]:
            return None
        return Remove(kind, pick(sorted(record.parts[kind]), b))

    @rule(
        person=names,
        is_theirs=st.sampled_from([True, True, True, False]),
        number=numbers,
        what=st.integers(0, 8),
        a=numbers,
        b=numbers,
        is_stale=seldom,
        is_silent=seldom,
    )
    def edit(
        self,
        person: str,
        is_theirs: bool,
        number: int,
        what: int,
        a: int,
        b: int,
        is_stale: bool,
        is_silent: bool,
    ) -> None:
        open_records = [r for r in self.world.records if r.state == "draft"]
        record = pick(
            open_records or self.world.records if is_theirs else self.world.records, number
        )
        if is_theirs:
            seeing = [name for name in EDITORS if self.world.sees(name, record)]
            person = pick(seeing or [person], number + a)
        makers = [self._put, self._adding, self._adding, self._adding, self._adding]
        makers += [self._altering, self._altering, self._removing, self._put]
        change = makers[what](record, a, b)
        if change is not None:
            self.take(Edit(person, record, change, "" if is_silent else "Corrected", is_stale))

    @rule(person=names, a=numbers, b=numbers)
    def rename(self, person: str, a: int, b: int) -> None:
        """There and back again, or to a name that holds a word."""
        kind = pick(["place", "outlet", "article", "actor", "place", "dataset"], a)
        thing = pick(self.world.shared[kind], a // 6)
        if not self.world.people[person].is_active:
            return
        plain = thing.name.split(" of ")[0]
        self.take(Rename(person, thing, pick([plain, f"{plain} of {self.world.words[0]}"], b)))

    @rule(person=names, number=numbers)
    def remark(self, person: str, number: int) -> None:
        self.take(Remark(person, self.record(number)))

    @rule(who=st.sampled_from(LEAVING), is_active=st.booleans())
    def leave_or_return(self, who: str, is_active: bool) -> None:
        self.take(Leave("administrator", who, is_active))

    # --- Steps ---

    @rule(number=numbers, a=numbers, b=numbers, text=numbers)
    def next_step(self, number: int, a: int, b: int, text: int) -> None:
        """A step that somebody may take, where there is one."""
        self._next_step(self.record(number), a, b, text)

    def _next_step(self, record: Record, a: int, b: int, text: int) -> bool:
        words = self.text(text) if text % 5 == 0 else "For a reason"
        steps = {
            verb: [
                step
                for name in GROUPS
                for step in [Step(name, record, verb, words, words)]
                if step.refused(self.world) is None
            ]
            for verb in ("submit", "verify", "publish", "retract", "propose_retraction", "reopen")
        }
        possible = [verb for verb, found in steps.items() if found]
        if not possible:
            return False
        return self.take(pick(steps[pick(possible, a)], b))

    @rule(number=numbers, b=numbers, text=numbers)
    def publish_it(self, number: int, b: int, text: int) -> None:
        """From where a record stands to its publication, if people let it through."""
        record = self.record(number)
        if record.state in ("published", "retracted"):
            self._next_step(record, 2, b, text)
        while record.state in ("draft", "submitted", "verified"):
            if not self._next_step(record, 0, b, text):
                break

    @rule(
        number=numbers,
        person=names,
        verb=st.sampled_from(sorted(STEPS)),
        reason=st.sampled_from(["For a reason", "For a reason", " "]),
        note=st.sampled_from(["For a reason", "For a reason", ""]),
        is_stale=seldom,
        looked_at=st.sampled_from(["", "now", "else"]),
    )
    def any_step(
        self,
        number: int,
        person: str,
        verb: str,
        reason: str,
        note: str,
        is_stale: bool,
        looked_at: str,
    ) -> None:
        self.take(Step(person, self.record(number), verb, reason, note, is_stale, looked_at))

    # --- Merging ---

    @rule(
        a=numbers,
        b=numbers,
        person=names,
        is_theirs=st.sampled_from([True, True, True, False]),
        is_stale=seldom,
        reason=st.sampled_from(["Entered twice", "Entered twice", "Entered twice", ""]),
    )
    def merge(
        self, a: int, b: int, person: str, is_theirs: bool, is_stale: bool, reason: str
    ) -> None:
        source, target = self.record(a), self.record(a + b)
        if is_theirs:
            others = [r for r in self.world.records if r.state == "draft" and r is not source]
            target = pick(others or [target], b)
            both = (source, target)
            seeing = [n for n in EDITORS if all(self.world.sees(n, r) for r in both)]
            person = pick(seeing or [person], a + b)
        self.take(Join(person, source, target, reason, is_stale))

    @precondition(lambda self: self.world.merges)
    @rule(
        number=numbers,
        person=names,
        is_theirs=st.sampled_from([True, True, False]),
        is_stale=seldom,
        reason=st.sampled_from(["They are two", "They are two", ""]),
    )
    def undo(self, number: int, person: str, is_theirs: bool, is_stale: bool, reason: str) -> None:
        merges = self.world.merges
        merge = pick([m for m in merges if m.is_open] or merges if is_theirs else merges, number)
        if is_theirs:
            both = (merge.source, merge.target)
            seeing = [n for n in EDITORS if all(self.world.sees(n, r) for r in both)]
            person = pick(seeing or [person], number)
        self.take(Undo(person, merge, reason, is_stale))

    # --- Redaction ---

    @rule(
        number=numbers,
        person=st.sampled_from(["verifier", "both", "other_verifier", *sorted(GROUPS)]),
        word=st.integers(0, 1),
        everywhere=seldom,
        is_miscounted=seldom,
        reason=st.sampled_from(["The family asked", "The family asked", "The family asked", ""]),
    )
    def redact(
        self,
        number: int,
        person: str,
        word: int,
        everywhere: bool,
        is_miscounted: bool,
        reason: str,
    ) -> None:
        coded = [record for record in self.world.records if record.code is not None]
        record = pick(coded or self.world.records, number)
        text = self.world.words[word]
        self.take(Redact(person, record, text, reason, everywhere, is_miscounted))

    # --- What always holds ---

    def teardown(self) -> None:
        world = self.world
        try:
            checks.history(world)
            checks.ledger()
            checks.published(world)
            checks.words(world, self.tag)
            checks.rebuilt()
            checks.answers(world, Client())
        finally:
            with acting(User.objects.get(username="administrator")):
                User.objects.filter(username__in=GROUPS, is_active=False).update(is_active=True)
            if checks.footprint()[1] > LONG:
                renew_database()

"""Random people doing random things to a few records, each act compared with the model.

Every act is committed, as in production: rules that ask in which transaction something was done
would not be met inside one that is rolled back. Each run has records, shared rows and words of its
own, so that runs share a database without meeting.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from harmtracker.accounts import second_factor
from harmtracker.accounts.models import User
from harmtracker.accounts.services import create_person
from harmtracker.errors import DomainError
from harmtracker.history.acting import acting
from incidents.models import CodeCounter, Place
from sources.models import Outlet
from tests import builders, database
from tests.laying import renew_database
from tests.model import checks
from tests.model.acts import (
    STEPS,
    Act,
    Add,
    Alter,
    Answer,
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
from tests.model.api_desk import OverTheApi
from tests.model.desks import Services
from tests.model.world import Person, Record, Shared, World

GROUPS = {name: {group} for name, group in database.PEOPLE.items()}
BOTH = ("both", "other_both")
GROUPS |= {name: {"researcher", "verifier"} for name in BOTH}
EDITORS = ("researcher", "other_researcher", *BOTH)
LEAVING = ("verifier", "other_verifier", "other_researcher", *BOTH)
MOST_RECORDS = 4
# A database that has grown longer than this is laid anew between two runs.
LONG = 150

_runs = itertools.count(1)


def prepare() -> None:
    """The people of this database who both enter and verify."""
    for name in BOTH:
        if not User.objects.filter(username=name).exists():
            both = create_person(username=name, password=database.PASSWORD, group="researcher")
            both.groups.add(Group.objects.get(name="verifier"))
            second_factor.new_authenticator(both, is_confirmed=True)


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
    """The acts. One seed stands for one: numbers drawn one by one are mostly small.

    ``tally`` counts what came of them over all runs.
    """

    tally: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        run = next(_runs)
        self.tag = f"q{run}z"
        self.world = new_world(self.tag)
        self.desk = self.new_desk()
        self.r = Random(0)
        for author in ("researcher", "both" if run % 2 else "other_researcher"):
            self.take(self._entering(author))

    def new_desk(self) -> Any:
        return Services(self.world)

    @rule(seed=st.integers(0, 2**32 - 1))
    def act(self, seed: int) -> None:
        self.r = Random(f"{seed} {self.world.tick}")
        ways = {
            self.edit: 32,
            self.next_step: 14,
            self.publish_it: 12,
            self.retract_it: 4,
            self.any_step: 14,
            self.merge: 9,
            self.undo: 5,
            self.redact: 6,
            self.rename: 7,
            self.leave_or_return: 3,
            self.remark: 2,
            self.answer: 4,
            self.enter: 3,
        }
        self.r.choices(list(ways), list(ways.values()))[0]()

    # --- Doing one thing ---

    def take(self, act: Act) -> bool:
        """Do it in model and product, and compare. Whether it was done."""
        world = self.world
        world.tick += 1
        expected = act.refused(world)
        before = checks.footprint()
        note(f"{world.tick}: {act} -> {expected.__name__ if expected else 'done'}")
        refusal: DomainError | None = None
        result = None
        try:
            result = act.do(world, self.desk)
        except DomainError as error:
            refusal = error
        got = None if refusal is None else type(refusal)
        assert self.desk.agrees(expected, got), (act, expected, refusal)
        self.tally[f"{act.called}: {got.__name__ if got else 'done'}"] += 1
        if refusal is not None:
            assert checks.footprint() == before
            return False
        act.done(world, result)
        checks.acted(before[0], world.people[act.person].pk)
        checks.records(world)
        world.warned = checks.warned(world)
        return True

    def text(self) -> str:
        """A text that was never there before; some hold a word that may have to leave."""
        self.world.serial += 1
        first, second = self.world.words
        loud = first.upper().replace("HTWE", "HTWÉ")
        begins = ["Shelling", "Clash", f"House of {first}", f"HOUSE OF {loud}", f"{second} said"]
        return f"{self.r.choice(begins)} {self.world.serial}"

    def seldom(self) -> bool:
        return self.r.random() < 0.08

    def anybody(self) -> str:
        return self.r.choice(sorted(GROUPS))

    def record(self) -> Record:
        return self.r.choice(self.world.records)

    def someone(self, names: Iterable[str], *records: Record) -> str:
        """Nearly always one of the people who see the records."""
        seeing = [name for name in names if all(self.world.sees(name, r) for r in records)]
        return self.r.choice(seeing) if seeing and self.r.random() < 0.9 else self.anybody()

    # --- Entering and editing ---

    def enter(self) -> None:
        if len(self.world.records) < MOST_RECORDS:
            self.take(self._entering(self.anybody()))

    def _entering(self, person: str) -> Enter:
        shared, choice = self.world.shared, self.r.choice
        return Enter(
            person,
            {
                "title": self.text(),
                "summary": "",
                "record_type": "incident",
                "date_edtf": choice(["2024-05-06", "2023-11"]),
                "grading": "weak",
                "place": choice(shared["place"]),
            },
            {
                "article": choice(shared["article"]),
                "speaker": choice(shared["outlet"]),
                "kind": "report",
                "paraphrase": self.text(),
            },
            {**self._group(), **self._figures()},
            {
                "outcome": "killed",
                "names": [self.text()],
                "consent_basis": choice([None, "family_consent"]),
            },
        )

    def _group(self) -> dict[str, Any]:
        statuses = ["civilian", "civilian_military_role", "armed_group", "unknown", "all"]
        return {
            "outcome": self.r.choice(["killed", "injured"]),
            "status": self.r.choice(statuses),
            "sex": self.r.choice(["all", "all", "female", "male"]),
        }

    def _figures(self) -> dict[str, Any]:
        low = self.r.randrange(5)
        return self.r.choice(
            [
                {"min": low, "best": low, "max": low},
                {"min": low, "best": None, "max": None},
                {"min": low, "best": low + 1, "max": low + 3},
                {"min": None, "best": None, "max": None},
            ]
        )

    def edit(self) -> None:
        world, r = self.world, self.r
        drafts = [one for one in world.records if one.state == "draft"]
        if not drafts and r.random() < 0.5:
            reopened = self.record()
            self._take_possible(reopened, ["return", "reopen"])
            drafts = [reopened]
        record = r.choice(drafts or world.records) if r.random() < 0.9 else self.record()
        person = self.someone(EDITORS, record)
        makers = [self._put, self._adding, self._altering, self._removing]
        change = r.choices(makers, [4, 8, 3, 2])[0](record)
        if change is not None:
            reason = "" if self.seldom() else "Corrected"
            self.take(Edit(person, record, change, reason, self.seldom()))

    def _put(self, record: Record) -> Change:
        field = self.r.choice(
            ["title", "title", "summary", "grading", "place", "date_edtf", "record_type"]
        )
        values: dict[str, list[Any]] = {
            "title": [self.text()],
            "summary": [self.text()],
            "grading": ["weak", "weak", "fair", "confirmed", "contested", "unassessed"],
            "place": [*self.world.shared["place"] * 2, None],
            "date_edtf": ["2024-05-06", "2023", "2024-05", None],
            "record_type": ["incident", "incident", "aggregate_count"],
        }
        return Put(field, self.r.choice(values[field]))

    def _adding(self, record: Record) -> Change | None:
        shared, choice = self.world.shared, self.r.choice
        claims = list(record.parts["claims"])
        kinds = ["claims", "claims", "counts", "counts", "counts", "links", "links", "victims"]
        match choice([*kinds, "victims", "ids", "ids", "ids", "bases", "further", "actors"]):
            case "claims":
                values = {
                    "article": choice(shared["article"]),
                    "speaker": choice(shared["outlet"]),
                    "kind": choice(["report", "report", "denial", "admission"]),
                    "paraphrase": self.text(),
                }
                return Add("claims", values)
            case "counts":
                owner = choice([None, None, *claims])
                return Add("counts", {"claim": owner, **self._group(), **self._figures()})
            case "links":
                kind = choice(["duplicate_of", "duplicate_of", "related", "part_of"])
                return Add("links", {"kind": kind, "other": self.record()})
            case "victims":
                values = {
                    "outcome": "killed",
                    "names": [self.text() for _ in range(self.r.randint(1, 2))],
                    "consent_basis": choice(["family_consent", None]),
                }
                some = self.r.sample(claims, self.r.randint(0, len(claims)))
                return Add("victims", values, tuple(some))
            case "ids":
                return Add("ids", {"value": choice([f"X{n}{self.tag}" for n in (1, 1, 2)])})
            case "bases":
                ours = [key for key, row in record.rows("counts") if row["claim"] is None]
                if not ours or not claims:
                    return None
                bound = choice(["best", "min", "max"])
                values = {"count": choice(ours), "claim": choice(claims), "bound": bound}
                return Add("bases", values)
            case "further":
                return Add("further", {"place": choice(shared["place"])})
        return Add("involvements", {"actor": choice(shared["actor"])})

    def _altering(self, record: Record) -> Change | None:
        kind = self.r.choice(["claims", "counts", "victims"])
        if not record.parts[kind]:
            return None
        key = self.r.choice(sorted(record.parts[kind]))
        if kind == "claims":
            return Alter(kind, key, {"paraphrase": self.text()})
        if kind == "counts":
            return Alter(kind, key, self._figures())
        consent = self.r.choice(["family_consent", None])
        return Alter(kind, key, {"names": [self.text()], "consent_basis": consent})

    def _removing(self, record: Record) -> Change | None:
        kinds = ["claims", "counts", "links", "victims", "ids", "bases", "further"]
        kind = self.r.choice(kinds)
        if not record.parts[kind]:
            return None
        return Remove(kind, self.r.choice(sorted(record.parts[kind])))

    def rename(self) -> None:
        """There and back again, or to a name that holds a word."""
        things = [one for rows in self.world.shared.values() for one in rows]
        for record in self.world.records:
            if record.state in ("submitted", "verified"):
                things += self.world.named(record)
        things = [one for one in things if self.tag in one.name]  # the countries are everybody's
        thing = self.r.choice(things)
        plain = thing.name.split(" of ")[0]
        name = self.r.choice([plain, f"{plain} of {self.world.words[0]}", f"{plain} of old"])
        people = [one.name for one in self.world.people.values() if one.is_active]
        self.take(Rename(self.r.choice(people), thing, name))

    def remark(self) -> None:
        self.take(Remark(self.anybody(), self.record()))

    def answer(self) -> None:
        """A warning of any record, where there is one; nearly always by somebody who may."""
        warned = [record for record in self.world.records if self.world.warned[record.pk]]
        if warned:
            self._answer(self.r.choice(warned), "" if self.seldom() else "It is as it is")

    def _answer(self, record: Record, reason: str = "It is as it is") -> bool:
        warning, about = self.r.choice(self.world.warned[record.pk])
        answers = [Answer(name, record, warning, about, reason) for name in GROUPS]
        possible = [one for one in answers if one.refused(self.world) is None]
        is_any = not possible or self.r.random() < 0.1
        was_answered = self.take(self.r.choice(answers if is_any else possible))
        if was_answered:
            assert (warning, about) not in self.world.warned[record.pk]
        return was_answered

    def leave_or_return(self) -> None:
        away = [one.name for one in self.world.people.values() if not one.is_active]
        if away and self.r.random() < 0.8:
            self.take(Leave("administrator", self.r.choice(away), True))
        else:
            self.take(Leave("administrator", self.r.choice(LEAVING), False))

    # --- Steps ---

    def next_step(self) -> None:
        """A step that somebody may take, where there is one."""
        verbs = ["submit", "verify", "publish", "retract", "propose_retraction", "reopen"]
        record = self.record()
        self._answer_all(record)
        self._take_possible(record, [*verbs, "retract", "propose_retraction"])

    def _answer_all(self, record: Record) -> None:
        """As verifiers do before they verify, most of the time."""
        while record.state == "submitted" and self.world.warned[record.pk]:
            if self.r.random() < 0.1 or not self._answer(record):
                break

    def _take_possible(self, record: Record, verbs: list[str]) -> bool:
        reason = self.text() if self.r.random() < 0.2 else "For a reason"
        steps = {
            verb: [
                step
                for name in GROUPS
                for step in [Step(name, record, verb, reason, reason)]
                if step.refused(self.world) is None
            ]
            for verb in verbs
        }
        possible = [verb for verb in verbs if steps[verb]]
        return bool(possible) and self.take(self.r.choice(steps[self.r.choice(possible)]))

    def publish_it(self, record: Record | None = None) -> None:
        """From where a record stands to its publication, if people let it through."""
        record = record or self.record()
        if record.state in ("published", "retracted"):
            self._take_possible(record, ["reopen"])
        while record.state in ("draft", "submitted", "verified"):
            if record.state == "submitted" and self.r.random() < 0.4:
                # One of those who may verify and may have edited as well.
                self.take(Step(self.r.choice(BOTH), record, "verify"))
            self._answer_all(record)
            was_taken = self._take_possible(record, ["submit", "verify", "publish"])
            if not was_taken or self.r.random() < 0.15:
                break

    def retract_it(self) -> None:
        """Both halves of a retraction, if people let it through."""
        record = self.record()
        if self._take_possible(record, ["propose_retraction"]):
            self._take_possible(record, ["retract"])

    def any_step(self) -> None:
        """Any step by anybody: of a state from which it leads, most of the time."""
        record, choice = self.record(), self.r.choice
        fitting = [verb for verb, (sources, _, _) in STEPS.items() if record.state in sources]
        verb = choice(fitting or sorted(STEPS)) if self.r.random() < 0.8 else choice(sorted(STEPS))
        self.take(
            Step(
                self.someone(GROUPS, record),
                record,
                verb,
                reason=" " if self.seldom() else "For a reason",
                note="" if self.seldom() else "For a reason",
                is_stale=self.seldom(),
                looked_at=choice(["", "now", "now", "else"]),
            )
        )

    # --- Merging ---

    def merge(self) -> None:
        """A merge; often the record that it was into is then published."""
        source, target = self.record(), self.record()
        drafts = [r for r in self.world.records if r.state == "draft" and r is not source]
        if drafts and self.r.random() < 0.9:
            target = self.r.choice(drafts)
        person = self.someone(EDITORS, source, target)
        reason = "" if self.seldom() else "Entered twice"
        was_merged = self.take(Join(person, source, target, reason, self.seldom()))
        if was_merged and self.r.random() < 0.4:
            self.publish_it(target)

    def undo(self) -> None:
        merges = self.world.merges
        if not merges:
            return
        ours = [merge for merge in merges if merge.is_open]
        merge = self.r.choice(ours if ours and self.r.random() < 0.9 else merges)
        person = self.someone(EDITORS, merge.source, merge.target)
        reason = "" if self.seldom() else "They are two"
        self.take(Undo(person, merge, reason, self.seldom()))

    # --- Redaction ---

    def redact(self) -> None:
        coded = [record for record in self.world.records if record.code is not None]
        record = self.r.choice(coded or self.world.records)
        self.take(
            Redact(
                self.someone(("verifier", "other_verifier", *BOTH), record),
                record,
                self.r.choice(self.world.words),
                reason="" if self.seldom() else "The family asked for it",
                everywhere=self.seldom(),
                is_miscounted=self.seldom(),
            )
        )

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


class ActsOverTheApi(Acts):
    """The same, by requests."""

    def new_desk(self) -> Any:
        return OverTheApi(self.world)

    def take(self, act: Act) -> bool:
        # Whom somebody may link to is asked of what they see, by the API alone.
        change = act.change if isinstance(act, Edit) else None
        other = change.values.get("other") if isinstance(change, Add) else None
        if other is not None and not self.world.sees(act.person, other):
            return False
        return super().take(act)

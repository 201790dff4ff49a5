"""Each warning that asks for an answer: raised by a bad record and not by its near miss; answered,
opened again by an edit, and in the way of verification whichever way that is tried."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound
from harmtracker.history.acting import acting
from incidents import answering, services, warnings, workflow
from incidents.choices import State, Verb
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    Incident,
    Place,
    Review,
    Waiting,
    WarningAnswer,
)
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.document import build_content
from incidents.warnings import Asks
from tests import builders, rules

pytestmark = pytest.mark.django_db

# Rules of the database that are broken here and not in test_constraints.
TESTED = {
    "incidents_review_of_answered_record",
    "incidents_warninganswer_by_who_may",
    "incidents_warninganswer_of_current_revision",
    "incidents_warninganswer_of_an_open_warning",
    "incidents_warninganswer_withdraws_an_answer",
    "incidents_warninganswer_says_why",
    "incidents_warninganswer_in_own_name",
    "incidents_warninganswer_uuid_key",
    "incidents_warninganswer_withdraws_id_key",
    "incidents_warninganswer_revision_check",
}
TRIGGERS = {
    "incidents_warninganswer_guard",
    "incidents_warninganswer_answered",
}

Draft = Callable[..., Incident]
Prepare = Callable[[Incident], object]


@dataclass(frozen=True)
class Case:
    """A rule, and two things done to a small record: the one raises it, the other does not."""

    rule: str
    name: str
    bad: Prepare
    near_miss: Prepare


def _claim(incident: Incident, **fields: Any) -> Claim:
    outlet = fields.pop("outlet", None) or builders.outlet()
    return builders.claim(
        incident,
        article=fields.pop("article", None) or builders.article(outlet=outlet),
        attributed_outlet=outlet,
        **fields,
    )


def _figures(*figures: int | None, qualifier: str = "") -> dict[str, Any]:
    low, best, high = figures
    return {"min": low, "best": best, "max": high, "qualifier": qualifier or "range"}


def _ours(incident: Incident) -> CasualtyCount:
    return incident.casualtycounts.get(claim=None)


def _says(*figures: int | None, qualifier: str = "", **group: Any) -> Prepare:
    """Another claim of persons killed."""

    def prepare(incident: Incident) -> CasualtyCount:
        return builders.count(
            incident,
            claim=_claim(incident),
            **{"outcome": "killed", "status": "civilian", **group},
            **_figures(*figures, qualifier=qualifier),
        )

    return prepare


def _left_out(*figures: int | None, qualifier: str = "") -> Prepare:
    def prepare(incident: Incident) -> None:
        count = _says(*figures, qualifier=qualifier)(incident)
        services.add_basis(
            count=_ours(incident), claim=count.claim, bound="left_out", reason="A first toll."
        )

    return prepare


def _injured(named: str | None, **group: Any) -> Prepare:
    """Our count of 5 injured, resting on a claim that says 5, 4, nothing, or words alone."""

    def prepare(incident: Incident) -> None:
        ours = builders.count(
            incident, outcome="injured", status="civilian", **_figures(5, 5, 5, qualifier="exact")
        )
        if named is None:
            return
        claim = _claim(incident)
        said = {
            "5": _figures(5, 5, 5, qualifier="exact"),
            "4": _figures(4, 4, 4, qualifier="exact"),
            "words": _figures(None, None, None, qualifier="unquantified")
            | {"reported_text": "several"},
        }
        if named in said:
            builders.count(
                incident,
                claim=claim,
                **{"outcome": "injured", "status": "civilian", **group},
                **said[named],
            )
        services.add_basis(count=ours, claim=claim, bound="best")

    return prepare


def _part(*figures: int | None) -> Prepare:
    return lambda incident: builders.count(
        incident,
        outcome="killed",
        status="civilian",
        age_group="child",
        **_figures(*figures, qualifier="approximate"),
    )


def _named(number: int) -> Prepare:
    def prepare(incident: Incident) -> None:
        for n in range(number):
            builders.victim(incident, outcome="killed", names=[f"N{n}"])

    return prepare


def _fighters(*speakers: str) -> Prepare:
    """The army is held to have done it; who died is called fighters by these."""

    def prepare(incident: Incident) -> None:
        army = Actor.objects.get(slug="myanmar-army")
        builders.involvement(incident, actor=army)
        ours = builders.count(
            incident, outcome="killed", status="armed_group", **_figures(3, 3, 3, qualifier="exact")
        )
        for slug in speakers:
            actor = Actor.objects.get(slug=slug)
            claim = builders.claim(incident, attributed_outlet=None, attributed_actor=actor)
            builders.count(
                incident,
                claim=claim,
                outcome="killed",
                status="armed_group",
                **_figures(3, 3, 3, qualifier="exact"),
            )
            services.add_basis(count=ours, claim=claim, bound="best")

    return prepare


def _fighter_by(slug: str) -> Prepare:
    def prepare(incident: Incident) -> None:
        builders.involvement(incident, actor=Actor.objects.get(slug="myanmar-army"))
        actor = Actor.objects.get(slug=slug)
        claim = builders.claim(incident, attributed_outlet=None, attributed_actor=actor)
        victim = builders.victim(incident, outcome="killed", status="armed_group")
        builders.victim_claim(incident, victim=victim, claim=claim)

    return prepare


def _two_actors(group: str) -> Prepare:
    """A party and its unit, which count as one voice or as two."""

    def prepare(incident: Incident) -> None:
        whole = builders.actor(independence_group="whole")
        unit = builders.actor(independence_group=group, parent=whole)
        for actor in (whole, unit):
            builders.claim(incident, attributed_outlet=None, attributed_actor=actor)

    return prepare


def _two_outlets(one: str, other: str) -> Prepare:
    def prepare(incident: Incident) -> None:
        for name in (one, other):
            _claim(incident, outlet=builders.outlet(name=name))

    return prepare


WORDS = "They came at dawn and fired for an hour without stopping."


def _two_quotations(one: str, other: str) -> Prepare:
    def prepare(incident: Incident) -> None:
        for words in (one, other):
            _claim(incident, quotation=words)

    return prepare


def _twice(second: int) -> Prepare:
    """One article and one speaker in two claims, the first of two killed."""

    def prepare(incident: Incident) -> None:
        first = incident.claims.get()
        claim = _claim(incident, outlet=first.attributed_outlet, article=first.article)
        builders.count(
            incident,
            claim=claim,
            outcome="killed",
            status="civilian",
            **_figures(second, second, second, qualifier="exact"),
        )

    return prepare


def _article(day: str) -> Prepare:
    return lambda incident: services.change(incident.claims.get().article, published=day)


def _point(latitude: str, longitude: str, **fields: Any) -> Prepare:
    return lambda incident: services.change(
        incident, latitude=latitude, longitude=longitude, place_precision="settlement", **fields
    )


def _further(incident: Incident) -> None:
    _point("25.40", "97.55")(incident)
    there = builders.place(latitude="25.41", longitude="97.55")
    builders.further_place(incident, place=there)


def _another(
    *,
    days: int = 0,
    figures: tuple[int | None, int | None, int | None] | None = (2, 2, 2),
    names: list[str] | None = None,
    settled: bool = False,
    **fields: Any,
) -> Prepare:
    """Another record of the same author's, so many days before it."""

    def prepare(incident: Incident) -> Incident:
        day = datetime.date.fromisoformat(incident.date_edtf) - datetime.timedelta(days=days)
        other = builders.incident(
            author=incident.author,
            **{
                "title": "Two farmers hit by a mortar round",
                "date_edtf": day.isoformat(),
                "place": incident.place,
                **fields,
            },
        )
        if figures is not None:
            builders.count(other, outcome="killed", status="civilian", **_figures(*figures))
        if names:
            builders.victim(other, outcome="killed", names=names)
        if settled:
            builders.link(other, other=incident, kind="related")
        return other

    return prepare


def _with_victim(name: str, other: str) -> Prepare:
    def prepare(incident: Incident) -> None:
        builders.victim(incident, outcome="killed", names=[name])
        _another(days=1, figures=None, names=[other])(incident)

    return prepare


def _spelled(name: str, other: str) -> Prepare:
    """Two records of the same day in two places of one township, of which no point is known."""

    def prepare(incident: Incident) -> None:
        township = Place.objects.get(slug="mmr001002")
        services.change(incident, place=builders.place(name=name, parent=township))
        _another(place=builders.place(name=other, parent=township), figures=(2, 3, 4))(incident)

    return prepare


def _both(*steps: Prepare) -> Prepare:
    def prepare(incident: Incident) -> None:
        for step in steps:
            step(incident)

    return prepare


def nothing(incident: Incident) -> None:
    pass


# The record: graded weak, 6 May 2024, Laiza; one claim of two killed, the same two assessed.
CASES = [
    Case("grading_below_sources", "two voices", _claim, nothing),
    Case("part_above_whole", "best", _part(None, 3, None), _part(None, 2, None)),
    Case("part_above_whole", "max alone", _part(1, 1, 3), _part(1, 1, 2)),
    Case("bound_without_claim", "none named", _injured(None), _injured("5")),
    Case("bound_without_claim", "another figure", _injured("4"), _injured("5")),
    Case("bound_without_claim", "says nothing", _injured("silent"), _injured("words")),
    Case("bound_without_claim", "another group", _injured("4"), _injured("4", age_group="child")),
    Case("claim_outside_bounds", "above", _says(5, 5, 5, qualifier="exact"), _says(2, 2, 2)),
    Case(
        "claim_outside_bounds",
        "at least",
        _says(3, None, None, qualifier="at_least"),
        _says(1, None, None, qualifier="at_least"),
    ),
    Case("claim_outside_bounds", "a range", _says(2, 2, 4), _says(2, 2, 2)),
    Case("claim_outside_bounds", "left out", _says(5, 5, 5), _left_out(5, 5, 5)),
    Case(
        "claim_outside_bounds",
        "another group",
        _says(5, 5, 5),
        _says(5, 5, 5, status="armed_group"),
    ),
    Case("claim_outside_bounds", "none is a figure", _says(0, 0, 0), _says(2, 2, 2)),
    Case("named_victims_above_max", "three of two", _named(3), _named(2)),
    Case(
        "status_by_perpetrator",
        "its unit's account",
        _fighters("lib-386"),
        _fighters("lib-386", "kia"),
    ),
    Case("status_by_perpetrator", "of a person", _fighter_by("lib-386"), _fighter_by("kia")),
    Case("voice_counted_twice", "a unit", _two_actors("unit"), _two_actors("whole")),
    Case(
        "voice_counted_twice",
        "two spellings",
        _two_outlets("Munglai Hkyet Relief", "Mong Lai Khet relief"),
        _two_outlets("Munglai Hkyet Relief", "Laiza Relief"),
    ),
    Case(
        "voice_counted_twice",
        "the same words",
        _two_quotations(WORDS, WORDS.upper()),
        _two_quotations(WORDS, "They came at noon and left."),
    ),
    Case("voice_counted_twice", "entered twice", _twice(2), _twice(3)),
    Case("article_before_event", "the month before", _article("2024-04"), _article("2024-05")),
    Case("article_before_event", "the day before", _article("2024-05-05"), _article("2024-05-06")),
    Case("point_far_from_place", "far", _point("25.40", "97.55"), _point("24.80", "97.55")),
    Case(
        "point_far_from_place",
        "within its radius",
        _point("24.95", "97.55"),
        _point("24.95", "97.55", radius_m=15000),
    ),
    Case("point_far_from_place", "a further place", _point("25.40", "97.55"), _further),
    Case("possible_duplicate", "same day", _another(), _another(days=3)),
    Case("possible_duplicate", "figures", _another(figures=(2, 3, 3)), _another(figures=(9, 9, 9))),
    Case("possible_duplicate", "unknown", _another(), _another(figures=None)),
    Case(
        "possible_duplicate",
        "a month",
        _another(date_edtf="2024-05", title="Shelling of village"),
        _another(date_edtf="2024"),
    ),
    Case(
        "possible_duplicate",
        "a name in another spelling",
        _with_victim("Lahpai Hkun Nawng", "Lahpai Khun Nong"),
        _with_victim("Lahpai Hkun Nawng", "Maran Ja Seng"),
    ),
    Case(
        "possible_duplicate",
        "a place in another spelling",
        _spelled("Mung Lai Hkyet", "Munglai Khet"),
        _spelled("Mung Lai Hkyet", "Nhkawng Pa"),
    ),
    Case("possible_duplicate", "settled by a link", _another(), _another(settled=True)),
    Case(
        "possible_duplicate",
        "a count over several",
        _another(),
        _another(record_type="aggregate_count"),
    ),
]


def of_rule(incident: Incident, rule: str, reader: Any = None) -> list[warnings.Warned]:
    fresh = Incident.objects.get(pk=incident.pk)
    return [w for w in warnings.of(fresh, reader or fresh.author) if w.rule == rule]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_warning_is_raised_and_its_near_miss_raises_none(
    draft: Draft, people: SimpleNamespace, case: Case
) -> None:
    for prepare, is_raised in ((case.bad, True), (case.near_miss, False)):
        incident = draft(date_edtf="2024-05-06")
        with acting(people.researcher, "For a test"):
            prepare(incident)
        found = of_rule(incident, case.rule)
        assert bool(found) == is_raised, found
        for warned in found:
            assert warned.asks == Asks.ANSWER
            assert warned.is_open
            assert warned.rows
            assert warned.message.endswith((".", "?"))
        # What is left of it is not near the next one.
        with acting(people.researcher, "For a test"):
            Incident.objects.filter(author=people.researcher, code=None).update(date_edtf=None)


def warn(incident: Incident) -> warnings.Warned:
    """Raise one warning: a claim of five killed, outside of our two."""
    with acting(incident.author, "For a test"):
        _says(5, 5, 5, qualifier="exact")(incident)
        services.change(Incident.objects.get(pk=incident.pk), grading="fair")
    (warned,) = of_rule(incident, "claim_outside_bounds")
    return warned


def step(verb: Verb, incident: Incident, person: Any) -> Incident:
    return workflow.take_step(verb, incident_id=incident.pk, actor=person)


def verify_by_sql(incident: Incident, people: SimpleNamespace) -> Callable[[], object]:
    content = canonical(build_content(incident.pk))
    return lambda: Review.objects.create(
        incident=incident,
        verb=Verb.VERIFY,
        actor=people.verifier,
        revision=Incident.objects.get(pk=incident.pk).revision.number,
        content=content,
        content_sha256=sha256(content),
    )


def test_the_message_has_the_figures_and_the_rows_are_behind_it(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    warned = warn(incident)
    claim = incident.claims.last()
    assert "says 5 (killed, civilian), our bounds are 2," in warned.message
    assert [row["type"] for row in warned.rows] == ["claim", "count", "count"]
    assert warned.rows[0]["id"] == str(claim.uuid)
    assert warned.rows[2]["id"] == str(_ours(incident).uuid)


def test_an_open_warning_bars_from_being_verified_and_not_from_being_submitted(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    warned = warn(incident)
    incident = step(Verb.SUBMIT, incident, people.researcher)
    why_not = workflow.possible_steps(incident, people.verifier)[Verb.VERIFY]
    assert why_not == "A warning is open: it is to be mended or answered first."
    with pytest.raises(Invalid) as refused:
        step(Verb.VERIFY, incident, people.verifier)
    assert refused.value.rule == "incidents_review_of_answered_record"
    assert refused.value.fields == {"counts": [warned.message]}
    by_sql = verify_by_sql(incident, people)
    assert rules.rule(by_sql, people.verifier) == "incidents_review_of_answered_record"
    answering.answer(people.verifier, incident.uuid, warned.fingerprint, "A first toll.")
    assert rules.rule(by_sql, people.verifier) is None
    # Who answered is no editor of the record.
    assert workflow.possible_steps(incident, people.verifier)[Verb.VERIFY] == ""
    assert step(Verb.VERIFY, incident, people.verifier).state == State.VERIFIED


def test_an_author_answers_on_the_draft_and_a_verifier_withdraws_it(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    warned = warn(incident)
    revision = Incident.objects.get(pk=incident.pk).revision.number
    answering.answer(people.researcher, incident.uuid, warned.fingerprint, "A first toll.")
    (answered,) = of_rule(incident, warned.rule)
    assert answered.answer is not None
    assert (answered.is_open, answered.answer.reason) == (False, "A first toll.")
    assert (answered.answer.who, answered.answer.revision) == ("researcher", revision)
    assert Incident.objects.get(pk=incident.pk).revision.number == revision
    incident = step(Verb.SUBMIT, incident, people.researcher)
    assert Waiting.objects.get(incident=incident).open_warnings == 0
    answering.withdraw(people.verifier, incident.uuid, warned.fingerprint, "Whose toll?")
    assert of_rule(incident, warned.rule)[0].is_open
    assert Waiting.objects.get(incident=incident).open_warnings == 1
    with pytest.raises(Invalid):
        step(Verb.VERIFY, incident, people.verifier)
    said = answering.said_of(incident, people.verifier)
    assert [(row.actor.username, row.reason) for row in said] == [
        ("researcher", "A first toll."),
        ("verifier", "Whose toll?"),
    ]
    # Once more, by who may now.
    answering.answer(people.verifier, incident.uuid, warned.fingerprint, "The hospital's.")
    assert step(Verb.VERIFY, incident, people.verifier).state == State.VERIFIED


def test_an_answer_holds_while_what_it_is_about_says_the_same(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    warned = warn(incident)
    answering.answer(people.researcher, incident.uuid, warned.fingerprint, "A first toll.")
    with acting(people.researcher, "Another title"):
        services.change(Incident.objects.get(pk=incident.pk), title="Shelling of a hamlet")
    assert not of_rule(incident, warned.rule)[0].is_open
    with acting(people.researcher, "Another figure"):
        count = CasualtyCount.objects.get(incident=incident, min=5)
        services.change(count, min=6, best=6, max=6)
    (again,) = of_rule(incident, warned.rule)
    assert again.is_open
    assert again.fingerprint != warned.fingerprint
    with pytest.raises(NotFound):
        answering.answer(people.researcher, incident.uuid, warned.fingerprint, "A first toll.")
    with acting(people.researcher, "As it was"):
        services.change(CasualtyCount.objects.get(pk=count.pk), min=5, best=5, max=5)
    assert not of_rule(incident, warned.rule)[0].is_open


@pytest.mark.parametrize(
    ("state", "name", "refusal"),
    [
        (State.DRAFT, "verifier", NotAllowed),
        (State.DRAFT, "other_researcher", NotFound),
        (State.DRAFT, "administrator", NotFound),
        (State.SUBMITTED, "researcher", NotAllowed),
        (State.SUBMITTED, "other_verifier", None),
    ],
)
def test_who_answers(
    draft: Draft, people: SimpleNamespace, state: State, name: str, refusal: Any
) -> None:
    incident = draft()
    warned = warn(incident)
    if state == State.SUBMITTED:
        step(Verb.SUBMIT, incident, people.researcher)
    person = getattr(people, name)
    if refusal is None:
        answering.answer(person, incident.uuid, warned.fingerprint, "So it is.")
        return
    with pytest.raises(refusal):
        answering.answer(person, incident.uuid, warned.fingerprint, "So it is.")


def test_what_is_to_be_mended_or_known_is_not_answered(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(date_edtf=None)
    for rule in ("date_missing", "article_not_kept"):
        (warned,) = of_rule(incident, rule)
        with pytest.raises(Conflict):
            answering.answer(people.researcher, incident.uuid, warned.fingerprint, "So it is.")
    incident = draft()
    warned = warn(incident)
    with pytest.raises(Invalid):
        answering.answer(people.researcher, incident.uuid, warned.fingerprint, " ")
    answering.answer(people.researcher, incident.uuid, warned.fingerprint, "So it is.")
    with pytest.raises(Conflict):
        answering.answer(people.researcher, incident.uuid, warned.fingerprint, "So it is.")
    answering.withdraw(people.researcher, incident.uuid, warned.fingerprint, "It is not.")
    with pytest.raises(NotFound):
        answering.withdraw(people.researcher, incident.uuid, warned.fingerprint, "It is not.")
    step(Verb.SUBMIT, incident, people.researcher)
    answering.answer(people.verifier, incident.uuid, warned.fingerprint, "So it is.")
    step(Verb.VERIFY, incident, people.verifier)
    with pytest.raises(Conflict):
        answering.withdraw(people.verifier, incident.uuid, warned.fingerprint, "It is not.")


@pytest.fixture
def given(draft: Draft, people: SimpleNamespace) -> dict[str, Any]:
    """What an answer by the verifier to a warning on a submitted record is made of."""
    incident = draft()
    warned = warn(incident)
    step(Verb.SUBMIT, incident, people.researcher)
    return {
        "incident": incident,
        "rule": warned.rule,
        "fingerprint": warned.fingerprint,
        "message": warned.message,
        "reason": "So it is.",
        "actor": people.verifier,
        "revision": Incident.objects.get(pk=incident.pk).revision.number,
    }


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({}, None),
        ({"reason": " "}, "incidents_warninganswer_says_why"),
        ({"revision": 1}, "incidents_warninganswer_of_current_revision"),
        ({"revision": -1}, "incidents_warninganswer_of_current_revision"),
        ({"fingerprint": "0" * 64}, "incidents_warninganswer_of_an_open_warning"),
        ({"message": "Another"}, "incidents_warninganswer_of_an_open_warning"),
        ({"rule": "possible_duplicate"}, "incidents_warninganswer_of_an_open_warning"),
    ],
)
def test_the_database_takes_an_answer_to_a_warning_that_is_open(
    given: dict[str, Any], people: SimpleNamespace, change: dict[str, Any], name: str | None
) -> None:
    def store() -> None:
        WarningAnswer.objects.bulk_create([WarningAnswer(**{**given, **change})])

    assert rules.rule(store, people.verifier) == name


def test_incidents_warninganswer_by_who_may(given: dict[str, Any], people: SimpleNamespace) -> None:
    def by(person: Any) -> Callable[[], object]:
        return lambda: WarningAnswer.objects.create(**{**given, "actor": person})

    assert rules.rule(by(people.verifier), people.verifier) is None
    assert rules.rule(by(people.researcher), people.researcher) == (
        "incidents_warninganswer_by_who_may"
    )
    assert rules.rule(by(people.other_verifier), people.verifier) == (
        "incidents_warninganswer_in_own_name"
    )


def test_an_answer_is_withdrawn_once_as_it_was_given(
    given: dict[str, Any], people: SimpleNamespace
) -> None:
    with acting(people.verifier):
        answer = WarningAnswer.objects.create(**given)

    def again() -> None:
        WarningAnswer.objects.create(**given)

    assert rules.rule(again, people.verifier) == "incidents_warninganswer_of_an_open_warning"

    def withdraw(**change: Any) -> Callable[[], object]:
        fields = {**given, "withdraws": answer, **change}
        return lambda: WarningAnswer.objects.create(**fields)

    assert rules.rule(withdraw(), people.verifier) is None
    assert rules.rule(withdraw(message="Another"), people.verifier) == (
        "incidents_warninganswer_withdraws_an_answer"
    )
    with acting(people.verifier):
        withdrawal = withdraw()()
        assert isinstance(withdrawal, WarningAnswer)
    assert rules.rule(withdraw(), people.verifier) == "incidents_warninganswer_withdraws_id_key"
    assert rules.rule(withdraw(withdraws=withdrawal), people.verifier) == (
        "incidents_warninganswer_withdraws_an_answer"
    )
    assert rules.rule(
        lambda: WarningAnswer.objects.create(**{**given, "uuid": answer.uuid}), people.verifier
    ) in {"incidents_warninganswer_uuid_key", "sources_uuid_key"}


def test_a_researcher_is_not_told_of_a_hidden_draft(draft: Draft, people: SimpleNamespace) -> None:
    own = draft()
    with acting(people.other_researcher, "For a test"):
        other = builders.incident(
            author=people.other_researcher, date_edtf=own.date_edtf, title="Hidden"
        )
        builders.count(other, outcome="killed", status="civilian")
    assert of_rule(own, "possible_duplicate", people.researcher) == []
    (warned,) = of_rule(own, "possible_duplicate", people.verifier)
    assert "Hidden" in warned.message
    assert warned.rows == [{"type": "incident", "id": str(other.uuid)}]
    with pytest.raises(NotFound):
        answering.answer(people.researcher, own.uuid, warned.fingerprint, "Another one.")
    own = step(Verb.SUBMIT, own, people.researcher)
    waiting = Waiting.objects.get(incident=own)
    assert (waiting.open_warnings, waiting.warnings_told) == (1, 0)
    answering.answer(people.verifier, own.uuid, warned.fingerprint, "Another one.")
    assert answering.said_of(own, people.researcher) == []
    assert len(answering.said_of(own, people.verifier)) == 1
    assert step(Verb.VERIFY, own, people.verifier).state == State.VERIFIED


def test_an_author_is_told_of_a_second_draft_of_their_own(
    draft: Draft, people: SimpleNamespace
) -> None:
    own = draft()
    with acting(people.researcher, "For a test"):
        _another()(own)
    assert len(of_rule(own, "possible_duplicate", people.researcher)) == 1
    own = step(Verb.SUBMIT, own, people.researcher)
    assert Waiting.objects.get(incident=own).warnings_told == 1


def test_the_three_incidents_have_no_warning_that_is_open(
    three: None, people: SimpleNamespace
) -> None:
    for incident in Incident.objects.exclude(code=None):
        assert [w.message for w in warnings.of(incident, people.verifier) if w.is_open] == []


def test_the_rules_of_the_code_list_are_those_of_the_function() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'incidents_raised'")
        (source,) = cursor.fetchone()
    assert {rule for rule in warnings.RULES if f"'{rule}'" in source} == (
        set(warnings.RULES) - {"zawgyi"}
    )

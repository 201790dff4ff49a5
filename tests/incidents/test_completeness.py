"""What a record lacks: each warning raised, and by its near miss not; and what bars submission."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import models

from harmtracker.errors import Invalid
from harmtracker.history.acting import acting
from incidents import services, warnings, workflow
from incidents.choices import State, Verb
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    Dataset,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    Involvement,
    Place,
    Review,
    ReviewComment,
    WeaponUse,
)
from tests import builders, rules
from tests.incidents import test_warnings

pytestmark = pytest.mark.django_db

Draft = Callable[..., Incident]
Prepare = Callable[[Incident, SimpleNamespace], Any]

PARTS: dict[type[models.Model], Callable[[Incident], models.Model]] = {
    CasualtyCount: lambda incident: builders.count(incident, outcome="injured"),
    CountBasis: lambda incident: builders.basis(
        incident,
        count=builders.count(incident, outcome="injured"),
        claim=incident.claims.get(),
    ),
    WeaponUse: builders.weapon_use,
    Involvement: builders.involvement,
    FurtherPlace: builders.further_place,
    ExternalId: builders.external_id,
    IncidentLink: builders.link,
}
# Rules of the database that are broken here and not in test_constraints.
TESTED = {
    *(f"{model._meta.db_table}_uuid_key" for model in PARTS),
    "incidents_reviewcomment_uuid_key",
    "incidents_externalid_one_published",
    "incidents_publishedversion_ids_are_its_own",
    "incidents_review_of_complete_record",
    "incidents_claim_date_not_in_the_future",
}


def another_voice(incident: Incident, people: SimpleNamespace, **fields: Any) -> Claim:
    outlet = builders.outlet(name="Another voice")
    return builders.claim(
        incident, article=builders.article(outlet=outlet), attributed_outlet=outlet, **fields
    )


def same_voice(incident: Incident, people: SimpleNamespace, **fields: Any) -> Claim:
    """A second outlet of the first one's group: no second source."""
    outlet = builders.outlet(independence_group="g")
    return builders.claim(
        incident, article=builders.article(outlet=outlet), attributed_outlet=outlet, **fields
    )


def graded(code: str, *more: Prepare, **fields: Any) -> Prepare:
    def prepare(incident: Incident, people: SimpleNamespace) -> None:
        services.change(incident, grading=code, **fields)
        for step in more:
            step(incident, people)

    return prepare


def blames(*slugs: str) -> Prepare:
    def prepare(incident: Incident, people: SimpleNamespace) -> None:
        for slug in slugs:
            claim = same_voice(incident, people)
            builders.involvement(incident, claim=claim, actor=Actor.objects.get(slug=slug))

    return prepare


def counted(**fields: Any) -> Prepare:
    return lambda incident, people: builders.count(incident, **fields)


def named(number: int, *, names: list[str] | None = None) -> Prepare:
    def prepare(incident: Incident, people: SimpleNamespace) -> None:
        for i in range(number):
            builders.victim(incident, outcome="killed", names=[f"N{i}"] if names is None else names)

    return prepare


def both(*steps: Prepare) -> Prepare:
    def prepare(incident: Incident, people: SimpleNamespace) -> None:
        for step in steps:
            step(incident, people)

    return prepare


def cleared(**fields: Any) -> Prepare:
    return lambda incident, people: services.change(incident, **fields)


def nothing(incident: Incident, people: SimpleNamespace) -> None:
    pass


def no_claim(incident: Incident, people: SimpleNamespace) -> None:
    for claim in incident.claims.all():
        services.remove(claim)


def archived(incident: Incident, people: SimpleNamespace) -> None:
    article = incident.claims.get().article
    services.change(article, archive_url="https://archive.example/1")


def captured(incident: Incident, people: SimpleNamespace) -> None:
    builders.capture(article=incident.claims.get().article, by=people.researcher)


KINDS = {"kind": "admission"}
ADMITS = lambda incident, people: same_voice(incident, people, kind="admission")  # noqa: E731
FINDS = lambda incident, people: same_voice(incident, people, kind="finding")  # noqa: E731
DENIES = lambda incident, people: another_voice(incident, people, kind="denial")  # noqa: E731
PART = {
    "outcome": "killed",
    "status": "civilian",
    "age_group": "child",
    "min": None,
    "max": None,
    "qualifier": "approximate",
}

# The draft: graded weak, one claim of two killed, the same two assessed with a basis.
TABLE: list[tuple[str, bool, Prepare, Prepare]] = [
    ("date_missing", True, cleared(date_edtf=None), cleared(date_edtf="2024")),
    (
        "place_missing",
        True,
        cleared(place=None),
        lambda i, p: services.change(i, place=Place.objects.get(level="country", country="MMR")),
    ),
    ("claim_missing", True, no_claim, nothing),
    ("grading_missing", True, graded("unassessed"), nothing),
    ("grading_without_sources", True, graded("confirmed"), graded("confirmed", ADMITS)),
    ("grading_without_sources", True, graded("confirmed", DENIES), graded("confirmed", FINDS)),
    ("grading_without_sources", True, graded("fair", same_voice), graded("fair", another_voice)),
    ("grading_without_sources", True, graded("fair", DENIES), graded("fair", another_voice)),
    ("grading_without_sources", True, graded("contested"), graded("contested", DENIES)),
    (
        "grading_without_sources",
        True,
        graded("contested", blames("kia", "kia")),
        graded("contested", blames("kia", "myanmar-army")),
    ),
    ("grading_below_sources", False, another_voice, same_voice),
    (
        "part_above_whole",
        False,
        counted(**PART, best=3),
        counted(**PART, best=2),
    ),
    (
        "bound_without_claim",
        False,
        counted(
            outcome="injured", status="civilian", min=1, best=None, max=None, qualifier="at_least"
        ),
        counted(
            outcome="injured", status="civilian", min=None, best=None, max=None, qualifier="unknown"
        ),
    ),
    ("named_victims_above_max", False, named(3), named(2)),
    ("named_victims_above_max", False, named(3), named(3, names=[])),
    ("article_not_kept", False, nothing, archived),
    ("article_not_kept", False, nothing, captured),
    (
        "zawgyi",
        False,
        cleared(summary="ျမန္မာစာကို ေဇာ္ဂ်ီျဖင့္ ေရးသားထားသည္။"),
        cleared(summary="မြန်မာစာကို ယူနီကုဒ်ဖြင့် ရေးသားထားသည်။"),
    ),
]


def raised(incident: Incident) -> dict[str, warnings.Warned]:
    return {warned.rule: warned for warned in warnings.of(incident, incident.author)}


@pytest.mark.parametrize(
    ("name", "blocks", "bad", "near_miss"), TABLE, ids=[f"{r[0]}-{i}" for i, r in enumerate(TABLE)]
)
def test_a_warning_is_raised_and_its_near_miss_raises_none(
    draft: Draft, people: SimpleNamespace, name: str, blocks: bool, bad: Prepare, near_miss: Prepare
) -> None:
    for prepare, is_raised in ((bad, True), (near_miss, False)):
        incident = draft()
        with acting(people.researcher, "For a test"):
            prepare(incident, people)
        found = raised(Incident.objects.get(pk=incident.pk))
        assert (name in found) == is_raised
        if is_raised:
            assert found[name].blocks == blocks
            assert found[name].message.endswith(".")


def test_every_warning_is_of_the_code_list_and_in_the_table() -> None:
    listed = set(warnings.RULES)
    assert listed == {row[0] for row in TABLE} | {case.rule for case in test_warnings.CASES}


def test_a_warning_names_the_rows_behind_it(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft()
    with acting(people.researcher):
        part = builders.count(incident, **PART, best=3)
        named(3)(incident, people)
    found = raised(incident)
    whole = incident.casualtycounts.get(claim=None, age_group="all")
    assert found["part_above_whole"].rows == [
        {"type": "count", "id": str(part.uuid)},
        {"type": "count", "id": str(whole.uuid)},
    ]
    assert [row["type"] for row in found["named_victims_above_max"].rows] == ["victim"] * 3


@pytest.mark.parametrize(
    "prepare",
    [row[2] for row in TABLE if row[1]],
    ids=[f"{r[0]}-{i}" for i, r in enumerate(TABLE) if r[1]],
)
def test_a_record_that_lacks_something_is_not_submitted_whichever_way(
    draft: Draft, people: SimpleNamespace, prepare: Prepare
) -> None:
    incident = draft()
    with acting(people.researcher):
        prepare(incident, people)
    with pytest.raises(Invalid) as refused:
        workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
    lacking = warnings.lacking_in(incident)
    assert refused.value.fields == {w.field: [w.message] for w in lacking}

    def by_hand() -> None:
        revision = Incident.objects.get(pk=incident.pk).revision.number
        Review.objects.create(
            incident=incident, verb=Verb.SUBMIT, actor=people.researcher, revision=revision
        )

    assert rules.rule(by_hand, people.researcher) == "incidents_review_of_complete_record"


def test_what_came_to_lack_something_after_it_was_submitted_is_not_verified(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.SUBMITTED)
    with acting(people.researcher):
        services.change(Incident.objects.get(pk=incident.pk), grading="confirmed")
    with pytest.raises(Invalid) as refused:
        workflow.take_step(Verb.VERIFY, incident_id=incident.pk, actor=people.verifier)
    assert list(refused.value.fields) == ["grading"]


def test_an_id_that_a_hidden_draft_carries_is_taken_without_a_word(
    draft: Draft, people: SimpleNamespace
) -> None:
    dataset = Dataset.objects.first()
    hidden, own = draft(), draft()
    with acting(people.researcher):
        for incident in (hidden, own):
            services.add_part(ExternalId, incident=incident, dataset=dataset, value="X1")


def test_of_the_published_records_one_carries_an_id(draft: Draft, people: SimpleNamespace) -> None:
    first, second, third = draft(), draft(), draft()
    dataset = Dataset.objects.first()
    with acting(people.researcher):
        for incident in (first, second):
            services.add_part(ExternalId, incident=incident, dataset=dataset, value="X1")
    for incident in (first, second):
        for verb, actor in ((Verb.SUBMIT, people.researcher), (Verb.VERIFY, people.verifier)):
            workflow.take_step(verb, incident_id=incident.pk, actor=actor)
    code = workflow.take_step(Verb.PUBLISH, incident_id=first.pk, actor=people.verifier).code
    with pytest.raises(Invalid) as refused:
        workflow.take_step(Verb.PUBLISH, incident_id=second.pk, actor=people.verifier)
    assert refused.value.rule == "incidents_publishedversion_ids_are_its_own"
    assert str(code) in refused.value.message

    def add() -> None:
        builders.external_id(third, dataset=dataset, value="X1")

    assert rules.rule(add, people.researcher) == "incidents_externalid_one_published"
    assert (
        rules.rule(
            lambda: builders.external_id(third, dataset=dataset, value="X2"), people.researcher
        )
        is None
    )


def test_a_source_cannot_speak_of_a_day_that_is_not_yet(
    draft: Draft, people: SimpleNamespace
) -> None:
    claim = draft().claims.get()

    def say(day: str) -> Callable[[], object]:
        return lambda: Claim.objects.filter(pk=claim.pk).update(date_said=day)

    assert rules.rule(say("9999-12-31"), people.researcher) == (
        "incidents_claim_date_not_in_the_future"
    )
    assert rules.rule(say("2024-05-06"), people.researcher) is None


@pytest.mark.parametrize("model", [*PARTS, ReviewComment], ids=lambda m: m._meta.db_table)
def test_no_two_rows_are_named_alike_outside(
    draft: Draft, people: SimpleNamespace, model: type[models.Model]
) -> None:
    incidents = draft(), draft()
    with acting(people.researcher):
        if model is ReviewComment:
            rows = [builders.comment(i, author=people.researcher) for i in incidents]
        else:
            rows = [PARTS[model](i) for i in incidents]

    def name_alike() -> None:
        model._default_manager.filter(pk=rows[0].pk).update(uuid=rows[1].uuid)

    assert rules.rule(name_alike, people.researcher) == f"{model._meta.db_table}_uuid_key"

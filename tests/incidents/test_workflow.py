"""Who may take which step, in which state: one table, and the database's own word."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import services, workflow
from incidents.choices import State, Verb
from incidents.models import Actor, CasualtyCount, Claim, Incident, Involvement, Place, Review
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.document import build_content
from tests.conftest import people_by_name
from tests.drafts import writer
from tests.standing import undone

Draft = Callable[..., Incident]


@pytest.fixture(scope="module")
def standing(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[State, int]]:
    """A record in each state: its key."""
    with django_db_blocker.unblock():
        with undone("default"):
            enter = writer(people_by_name())
            yield {state: enter(state).pk for state in State}
        connections.close_all()


@pytest.fixture(autouse=True)
def draft(standing: dict[State, int], people: SimpleNamespace) -> Iterator[Draft]:
    """The record that stands in a state; one that is asked for with its fields is entered."""
    enter = writer(people, first=datetime.date(2024, 8, 1))

    def find(state: State = State.DRAFT, **fields: object) -> Incident:
        return enter(state, **fields) if fields else Incident.objects.get(pk=standing[state])

    with undone("default"):
        yield find


# Person -> what becomes of each verb in each state. The author is `researcher`; `verifier`
# verified and proposed whatever stands. ok, or the refusal: state, role, self.
OK, STATE, ROLE, SELF, HIDDEN = "ok", Conflict, NotAllowed, NotAllowed, NotFound
TABLE: list[tuple[State, Verb, dict[str, object]]] = []


def _row(state: State, verb: Verb, author: object, verifier: object, other: object) -> None:
    TABLE.append(
        (state, verb, {"researcher": author, "verifier": verifier, "other_verifier": other})
    )


for verb, state_ok in (
    (Verb.SUBMIT, {State.DRAFT}),
    (Verb.RETURN, {State.SUBMITTED, State.VERIFIED}),
    (Verb.VERIFY, {State.SUBMITTED}),
    (Verb.PUBLISH, {State.VERIFIED}),
    (Verb.REOPEN, {State.PUBLISHED, State.RETRACTED}),
    (Verb.PROPOSE_RETRACTION, {State.PUBLISHED}),
    # Nothing was proposed in these records: see the test of its own below.
    (Verb.RETRACT, set()),
):
    for state in State:
        legal = state in state_ok
        if verb == Verb.SUBMIT:
            _row(state, verb, OK if legal else STATE, ROLE, ROLE)
        elif verb == Verb.REOPEN:
            _row(state, verb, *[OK if legal else STATE] * 3)
        else:
            _row(state, verb, ROLE, *[OK if legal else STATE] * 2)


def test_the_table_holds_every_state_and_verb() -> None:
    taken = set(Verb) - {Verb.MERGE}  # which comes with the publication of another record
    assert {(state, verb) for state, verb, _ in TABLE} == {(s, v) for s in State for v in taken}
    assert set(workflow.TRANSITIONS) == taken


@pytest.mark.parametrize(("state", "verb", "expected"), TABLE, ids=lambda v: str(v)[:20])
def test_each_step_in_each_state_by_each_role(
    draft: Draft,
    people: SimpleNamespace,
    state: State,
    verb: Verb,
    expected: dict[str, object],
) -> None:
    incident = draft(state)
    for name, outcome in expected.items():
        point = transaction.savepoint()
        step = partial(
            workflow.take_step,
            verb,
            incident_id=incident.pk,
            actor=getattr(people, name),
            reason="Why",
            note="What changed",
        )
        if outcome is OK:
            assert step().state == workflow.TRANSITIONS[verb].target
        else:
            with pytest.raises(outcome):  # type: ignore[call-overload]
                step()
        transaction.savepoint_rollback(point)


@pytest.mark.parametrize("name", ["administrator", "other_researcher"])
def test_who_may_not_see_a_draft_is_told_that_there_is_none(
    draft: Draft, people: SimpleNamespace, name: str
) -> None:
    with pytest.raises(NotFound):
        workflow.take_step(Verb.SUBMIT, incident_id=draft().pk, actor=getattr(people, name))


@pytest.mark.parametrize("verb", [v for v, t in workflow.TRANSITIONS.items() if t.needs_reason])
def test_a_reason_is_due_where_the_table_says_so(
    draft: Draft, people: SimpleNamespace, verb: Verb
) -> None:
    state = min(workflow.TRANSITIONS[verb].sources)
    incident = draft(state)
    with pytest.raises(Invalid, match="Say why"):
        workflow.take_step(verb, incident_id=incident.pk, actor=people.verifier, reason="  ")


def test_the_author_with_a_verifiers_right_neither_verifies_nor_publishes(
    draft: Draft, people: SimpleNamespace
) -> None:
    people.researcher.groups.add(*people.verifier.groups.all())
    author = User.objects.get(pk=people.researcher.pk)
    submitted, verified = draft(State.SUBMITTED), draft(State.VERIFIED)
    with pytest.raises(NotAllowed, match="second person"):
        workflow.take_step(Verb.VERIFY, incident_id=submitted.pk, actor=author)
    with pytest.raises(NotAllowed, match="author"):
        workflow.take_step(Verb.PUBLISH, incident_id=verified.pk, actor=author)


def _edit_count(incident: Incident, _: SimpleNamespace) -> None:
    CasualtyCount.objects.filter(incident=incident).update(reported_text="two dead")


def _edit_incident(incident: Incident, _: SimpleNamespace) -> None:
    incident.summary = "More."
    incident.save(update_fields=["summary"])


def _add_involvement(incident: Incident, _: SimpleNamespace) -> None:
    services.add_part(
        Involvement,
        incident=incident,
        actor=Actor.objects.get(slug="myanmar-army"),
        role="alleged_perpetrator",
        certainty="alleged",
    )


def _rename_place(incident: Incident, _: SimpleNamespace) -> None:
    Place.objects.filter(slug="laiza").update(name="Lai Zar")


def _rename_wider_place(incident: Incident, _: SimpleNamespace) -> None:
    Place.objects.filter(slug="mmr001002").update(name="Waimaw")


def _rename_outlet(incident: Incident, _: SimpleNamespace) -> None:
    claim = Claim.objects.get(incident=incident)
    claim.article.outlet.name = "The Gazette"
    claim.article.outlet.save()


EDITS = [
    _edit_count,
    _edit_incident,
    _add_involvement,
    _rename_place,
    _rename_wider_place,
    _rename_outlet,
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda f: f.__name__)
def test_an_editor_of_any_part_cannot_verify_and_a_third_person_can(
    draft: Draft, people: SimpleNamespace, edit: Callable[..., None]
) -> None:
    incident = draft(State.SUBMITTED)
    with acting(people.verifier, "Mended"):
        edit(incident, people)
    with pytest.raises(NotAllowed):
        workflow.take_step(Verb.VERIFY, incident_id=incident.pk, actor=people.verifier)
    workflow.take_step(Verb.VERIFY, incident_id=incident.pk, actor=people.other_verifier)


@pytest.mark.parametrize("edit", EDITS, ids=lambda f: f.__name__)
def test_the_database_refuses_the_review_of_an_editor_by_raw_sql(
    draft: Draft, people: SimpleNamespace, edit: Callable[..., None]
) -> None:
    incident = draft(State.SUBMITTED)
    with acting(people.verifier, "Mended"):
        edit(incident, people)
    with pytest.raises(Invalid) as refusal, acting(people.verifier):
        _insert_verification(incident, people.verifier)
    assert refusal.value.rule == "incidents_review_four_eyes"


def _insert_verification(incident: Incident, actor: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO incidents_review (incident_id, verb, actor_id, revision, reason, content, "
            "content_sha256) SELECT %s, 'verify', %s, number, '', '{}', "
            "encode(sha256('{}'), 'hex') FROM incidents_incidentrevision WHERE incident_id = %s",
            [incident.pk, actor.pk, incident.pk],
        )


def test_the_database_refuses_the_review_of_the_author_by_raw_sql(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.SUBMITTED)
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        _insert_verification(incident, people.researcher)
    assert refusal.value.rule == "incidents_review_by_who_may"
    people.researcher.groups.add(*people.verifier.groups.all())
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        _insert_verification(incident, people.researcher)
    assert refusal.value.rule == "incidents_review_four_eyes"


def test_the_database_refuses_a_review_in_another_name(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.SUBMITTED)
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        _insert_verification(incident, people.verifier)
    assert refusal.value.rule == "incidents_review_in_own_name"


def test_the_database_refuses_a_review_of_an_older_revision(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.SUBMITTED)
    with pytest.raises(Invalid) as refusal, acting(people.verifier):
        Review.objects.create(
            incident=incident,
            verb=Verb.VERIFY,
            actor=people.verifier,
            revision=1,
            content="{}",
            content_sha256="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        )
    assert refusal.value.rule == "incidents_review_of_current_revision"


def test_the_database_refuses_a_review_of_a_draft(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft()
    with pytest.raises(Invalid) as refusal, acting(people.verifier):
        _insert_verification(incident, people.verifier)
    assert refusal.value.rule == "incidents_review_of_submitted"


MOVES = [(a, b) for a in State for b in State if a != b]


@pytest.mark.parametrize(("before", "after"), MOVES, ids=str)
def test_no_state_is_reached_by_writing_it(
    draft: Draft, people: SimpleNamespace, before: State, after: State
) -> None:
    incident = draft(before)
    with pytest.raises(Invalid) as refusal, acting(people.other_verifier):
        Incident.objects.filter(pk=incident.pk).update(state=after)
    assert refusal.value.rule in {
        "incidents_incident_state_by_workflow",
        "incidents_incident_published_by_version",
        "incidents_incident_published_has_code",
    }


@pytest.mark.parametrize("state", [State.VERIFIED, State.PUBLISHED, State.RETRACTED, State.MERGED])
@pytest.mark.parametrize("edit", EDITS[:3], ids=lambda f: f.__name__)
def test_content_stays_as_it_is_once_verified(
    draft: Draft, people: SimpleNamespace, state: State, edit: Callable[..., None]
) -> None:
    incident = draft(state)
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        edit(incident, people)
    assert refusal.value.rule == "incidents_incident_edited_as_draft"


@pytest.mark.parametrize("edit", EDITS[3:], ids=lambda f: f.__name__)
def test_a_shared_record_renamed_after_verification_is_caught_and_named(
    draft: Draft, people: SimpleNamespace, edit: Callable[..., None]
) -> None:
    incident = draft(State.VERIFIED)
    with acting(people.administrator, "Renamed"):
        edit(incident, people)
    with pytest.raises(Conflict) as refusal:
        workflow.take_step(Verb.PUBLISH, incident_id=incident.pk, actor=people.verifier)
    assert any(path.endswith("name") for path in refusal.value.differences)
    assert Incident.objects.get(pk=incident.pk).code is None


def test_a_step_at_an_older_revision_is_stale(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    seen = incident.revision.number
    with acting(people.researcher):
        _edit_incident(incident, people)
    with pytest.raises(Stale, match="edited since"):
        workflow.take_step(
            Verb.VERIFY, incident_id=incident.pk, actor=people.verifier, revision=seen
        )


def test_a_verification_of_another_content_than_was_looked_at_is_stale(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.SUBMITTED)
    seen = sha256(canonical(build_content(incident.pk)))
    verify = partial(
        workflow.take_step,
        Verb.VERIFY,
        incident_id=incident.pk,
        actor=people.verifier,
        seen_sha256=seen,
    )
    with acting(people.administrator):
        _rename_place(incident, people)
    with pytest.raises(Stale, match="Look again"):
        verify()
    with acting(people.administrator):
        Place.objects.filter(slug="laiza").update(name="Laiza")
    assert verify().state == State.VERIFIED


def test_a_retraction_takes_two_people(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.PUBLISHED)
    with pytest.raises(Conflict, match="proposed"):
        workflow.take_step(Verb.RETRACT, incident_id=incident.pk, actor=people.verifier)
    workflow.take_step(
        Verb.PROPOSE_RETRACTION,
        incident_id=incident.pk,
        actor=people.verifier,
        reason="A hoax",
    )
    with pytest.raises(NotAllowed, match="second person"):
        workflow.take_step(Verb.RETRACT, incident_id=incident.pk, actor=people.verifier)
    incident = workflow.take_step(
        Verb.RETRACT, incident_id=incident.pk, actor=people.other_verifier
    )
    assert incident.state == State.RETRACTED


def test_each_step_leaves_one_history_row_of_the_record(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.SUBMITTED)
    before = HistoryEntry.objects.count()
    workflow.take_step(
        Verb.RETURN, incident_id=incident.pk, actor=people.verifier, reason="The date is missing"
    )
    (entry,) = HistoryEntry.objects.order_by("pk")[before:]
    assert entry.changed_fields() == {"state": ("submitted", "draft")}
    assert (entry.actor, entry.reason) == (people.verifier, "The date is missing")


def test_a_deactivated_person_takes_no_step(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    User.objects.filter(pk=people.verifier.pk).update(is_active=False)
    with pytest.raises(NotFound):
        workflow.take_step(
            Verb.VERIFY, incident_id=incident.pk, actor=User.objects.get(pk=people.verifier.pk)
        )


def test_possible_steps_say_what_take_step_would(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    steps = workflow.possible_steps(incident, people.verifier)
    assert steps == {Verb.RETURN: "", Verb.VERIFY: ""}
    with acting(people.verifier):
        _edit_incident(incident, people)
    assert "second person" in workflow.possible_steps(incident, people.verifier)[Verb.VERIFY]


def test_what_a_record_lacks_is_said_with_the_step(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(grading="unassessed")
    steps = workflow.possible_steps(incident, people.researcher)
    assert steps == {Verb.SUBMIT: "Nobody has graded the record yet."}


def test_a_record_begins_as_a_draft(people: SimpleNamespace) -> None:
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        Incident.objects.create(author=people.researcher, title="x", state=State.SUBMITTED)
    assert refusal.value.rule == "incidents_incident_begins_as_draft"


def test_a_record_keeps_its_author(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft()
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        Incident.objects.filter(pk=incident.pk).update(author=people.other_researcher)
    assert refusal.value.rule == "incidents_incident_author_stays"

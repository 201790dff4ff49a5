"""Two people at once, on real threads and real connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import connections

from harmtracker.errors import Conflict, DomainError
from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.choices import State, Verb
from incidents.models import CasualtyCount, Incident, LedgerEntry, Place, PublishedVersion, Review

pytestmark = pytest.mark.usefixtures("committed")

Draft = Callable[..., Incident]
Outcome = object


def at_once(*actions: Callable[[], object]) -> list[Outcome]:
    """What each action gave or raised, all of them begun at the same moment."""
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> Outcome:
        try:
            barrier.wait()
            return action()
        except DomainError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


@pytest.fixture
def step() -> Callable[..., Callable[[], Incident]]:
    def prepare(verb: Verb, incident: Incident, actor: object, **more: object):
        return lambda: workflow.take_step(verb, incident_id=incident.pk, actor=actor, **more)

    return prepare


@pytest.mark.parametrize(
    ("state", "verb"), [(State.SUBMITTED, Verb.VERIFY), (State.VERIFIED, Verb.PUBLISH)]
)
def test_of_two_verifiers_at_once_one_does_it_and_one_is_told(
    draft: Draft, people: SimpleNamespace, step: Callable[..., Callable[[], Incident]], state, verb
) -> None:
    for _ in range(10):
        incident = draft(state)
        outcomes = at_once(
            step(verb, incident, people.verifier), step(verb, incident, people.other_verifier)
        )
        assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "Incident"]
        assert Review.objects.filter(incident=incident, verb=verb).count() == 1


def test_an_edit_and_a_verification_at_once_never_both_hold(
    draft: Draft, people: SimpleNamespace, step: Callable[..., Callable[[], Incident]]
) -> None:
    for _ in range(20):
        incident = draft(State.SUBMITTED)

        def edit(incident: Incident = incident) -> str:
            with acting(people.researcher):
                CasualtyCount.objects.filter(incident=incident, claim=None).update(
                    reported_text="edited"
                )
            return "edited"

        seen = incident.revision.number
        outcomes = at_once(edit, step(Verb.VERIFY, incident, people.verifier, revision=seen))
        assert sum(isinstance(o, DomainError) for o in outcomes) == 1
        if outcomes[0] == "edited":
            assert isinstance(outcomes[1], Conflict)
        else:
            workflow.take_step(Verb.PUBLISH, incident_id=incident.pk, actor=people.verifier)


def test_a_part_added_while_a_record_is_verified_ends_in_no_deadlock(
    draft: Draft, people: SimpleNamespace, step: Callable[..., Callable[[], Incident]]
) -> None:
    for _ in range(15):
        incident = draft(State.SUBMITTED)

        def add(incident: Incident = incident) -> str:
            with acting(people.researcher):
                services.add_part(
                    CasualtyCount,
                    incident=incident,
                    outcome="injured",
                    status="civilian",
                    qualifier="unknown",
                )
            return "added"

        seen = incident.revision.number
        outcomes = at_once(add, step(Verb.VERIFY, incident, people.verifier, revision=seen))
        assert sum(isinstance(o, DomainError) for o in outcomes) == 1


def test_an_editor_who_has_not_committed_yet_is_waited_for_and_seen(
    draft: Draft, people: SimpleNamespace, step: Callable[..., Callable[[], Incident]]
) -> None:
    incident = draft(State.VERIFIED)
    renamed = threading.Event()

    def rename() -> str:
        with acting(people.other_verifier):
            Place.objects.filter(slug="laiza").update(name="Lai Zar")
            renamed.set()
            time.sleep(0.5)
        return "renamed"

    def publish() -> Incident:
        renamed.wait()
        return step(Verb.PUBLISH, incident, people.verifier)()

    outcomes = at_once(rename, publish)
    assert outcomes[0] == "renamed"
    assert isinstance(outcomes[1], Conflict)


def test_publishing_at_once_gives_one_line_of_entries_and_codes_without_gaps(
    draft: Draft, people: SimpleNamespace, step: Callable[..., Callable[[], Incident]]
) -> None:
    records = [draft(State.VERIFIED) for _ in range(12)]
    outcomes = at_once(*(step(Verb.PUBLISH, record, people.verifier) for record in records))
    codes = sorted(o.code for o in outcomes if isinstance(o, Incident) and o.code)
    assert codes == [f"MMR-2024-{n:04d}" for n in range(2, 14)]
    entries = LedgerEntry.objects.using("default").order_by("seq")
    assert [entry.seq for entry in entries] == list(range(1, 16))
    moments = [entry.at for entry in entries]
    assert moments == sorted(moments)
    assert PublishedVersion.objects.using("default").count() == 15

"""The rows that the queue is answered from: exact after whatever is done to records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import ProgrammingError, transaction

from harmtracker.history.acting import acting
from incidents import assignments, services, workflow
from incidents.choices import State, Verb
from incidents.models import CasualtyCount, Incident, Place, Waiting, WaitingCount
from tests.drafts import merge_into
from tests.rules import run

pytestmark = pytest.mark.django_db(databases=["default", "published"])

TRIGGERS = {
    "incidents_incident_waits_update",
    "incidents_incidentrevision_waits_update",
    "incidents_assignment_waits",
    "incidents_place_waits_update",
    "incidents_waiting_counted_insert",
    "incidents_waiting_counted_update",
    "incidents_waiting_counted_delete",
}

Draft = Callable[..., Incident]


def row(incident: Incident) -> Waiting | None:
    return Waiting.objects.filter(incident=incident).first()


def assert_counted() -> None:
    """The counts are those of the rows."""
    kept: Counter[tuple[object, ...]] = Counter()
    for count in WaitingCount.objects.all():
        kept[
            count.state,
            count.grading,
            count.adm1,
            count.is_taken,
            count.has_warnings,
            count.is_imported,
        ] += count.n
    held = Counter(
        (
            waiting.state,
            waiting.grading,
            waiting.adm1_id or 0,
            waiting.taken_by_id is not None,
            waiting.open_warnings > 0,
            waiting.is_imported,
        )
        for waiting in Waiting.objects.all()
    )
    assert {key: n for key, n in kept.items() if n} == dict(held)


def take(verb: Verb, incident: Incident, actor: object, **said: str) -> None:
    workflow.take_step(verb, incident_id=incident.pk, actor=actor, **said)  # type: ignore[arg-type]


def test_incidents_incident_waits_update(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft()
    assert row(incident) is None
    states = []
    for verb, actor, said in (
        (Verb.SUBMIT, people.researcher, {}),
        (Verb.RETURN, people.verifier, {"reason": "The date."}),
        (Verb.SUBMIT, people.researcher, {}),
        (Verb.VERIFY, people.verifier, {}),
        (Verb.PUBLISH, people.verifier, {}),
        (Verb.REOPEN, people.researcher, {"reason": "More sources"}),
        (Verb.SUBMIT, people.researcher, {}),
    ):
        take(verb, incident, actor, **said)
        found = row(incident)
        states.append(found and found.state)
        assert_counted()
    # Reopened is not returned: nobody waits for it.
    assert states == ["submitted", "draft", "submitted", "verified", None, None, "submitted"]
    found = row(incident)
    assert found is not None
    assert found.author == people.researcher
    assert found.since == incident.reviews.filter(verb=Verb.SUBMIT).latest("pk").at
    assert found.words.endswith("shelling of a village")
    assert found.words.startswith("mmr-2024-")


def test_a_merged_record_waits_no_more(draft: Draft, people: SimpleNamespace) -> None:
    source, target = draft(State.PUBLISHED), draft()
    merge_into(source, target, people)
    assert row(source) is None
    assert row(target) is None
    assert_counted()


def test_incidents_incidentrevision_waits_update(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    found = row(incident)
    assert found is not None
    assert (found.killed_low, found.killed_high, found.grading) == (2, 2, "weak")
    with acting(people.researcher, "Corrected"):
        count = CasualtyCount.objects.get(incident=incident, claim=None)
        services.save(_changed(count, min=3, best=None, max=9, qualifier="range"))
        Incident.objects.filter(pk=incident.pk).update(title="ŠHELLING of another")
    found.refresh_from_db()
    assert (found.killed_low, found.killed_high) == (3, 9)
    assert found.words == "shelling of another"
    assert_counted()


def _changed(count: CasualtyCount, **values: object) -> CasualtyCount:
    for name, value in values.items():
        setattr(count, name, value)
    return count


@pytest.mark.parametrize(
    ("rows", "low", "high"),
    [
        ([], -1, -1),
        ([("civilian", "all", None, None, None, "unknown")], -1, -1),
        ([("civilian", "all", 3, None, None, "at_least")], 3, 3),
        # A part is never added to its whole.
        (
            [
                ("civilian", "all", 5, 5, 5, "exact"),
                ("civilian", "female", 2, 2, 2, "exact"),
                ("armed_group", "all", 1, 2, 4, "range"),
            ],
            6,
            9,
        ),
        (
            [("all", "all", 20, 20, 20, "exact"), ("civilian", "all", 5, 5, 5, "exact")],
            20,
            20,
        ),
    ],
)
def test_killed_in_the_order(
    rows: list[tuple[object, ...]], low: int, high: int, draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.SUBMITTED)
    with acting(people.researcher, "Counted"):
        assessed = CasualtyCount.objects.filter(incident=incident, claim=None)
        for count in assessed:
            count.basis.all().delete()
        assessed.delete()
        for status, sex, least, best, most, qualifier in rows:
            services.add_part(
                CasualtyCount,
                incident=incident,
                outcome="killed",
                status=status,
                sex=sex,
                min=least,
                best=best,
                max=most,
                qualifier=qualifier,
            )
    found = row(incident)
    assert found is not None
    assert (found.killed_low, found.killed_high) == (low, high)


def test_incidents_assignment_waits(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    for act, holder in (
        (lambda: assignments.take(people.verifier, incident.uuid), people.verifier),
        (
            lambda: assignments.take(people.other_verifier, incident.uuid, over=True),
            people.other_verifier,
        ),
        (lambda: assignments.release(people.other_verifier, incident.uuid), None),
    ):
        act()
        found = row(incident)
        assert found is not None
        assert found.taken_by == holder
        assert_counted()
    # What was taken before it was submitted is taken when it waits.
    early = draft()
    assignments.take(people.verifier, early.uuid)
    take(Verb.SUBMIT, early, people.researcher)
    found = row(early)
    assert found is not None
    assert found.taken_by == people.verifier


def test_incidents_place_waits_update(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    nowhere = draft(State.SUBMITTED, place=Place.objects.get(level="country", country="MMR"))
    found, other = row(incident), row(nowhere)
    assert found is not None
    assert other is not None
    assert found.adm1 == Place.objects.get(pcode="MMR001")
    # Of a country no state is known: it stands for itself.
    assert other.adm1 == Place.objects.get(level="country", country="MMR")
    with acting(people.administrator, "Redrawn"):
        state = services.save(
            Place(slug="new-state", name="New", level="adm1", country="MMR", parent=other.adm1)
        )
        township = Place.objects.get(slug="laiza")
        Place.objects.filter(pk=township.pk).update(parent=state)
    found.refresh_from_db()
    assert found.adm1 == state
    assert_counted()


@pytest.mark.parametrize("event", ["insert", "update", "delete"])
def test_incidents_waiting_counted(event: str, draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    if event != "insert":
        take(Verb.VERIFY, incident, people.verifier)
    if event == "delete":
        take(Verb.PUBLISH, incident, people.verifier)
        assert row(incident) is None
    assert_counted()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM incidents_waiting",
        "UPDATE incidents_waiting SET killed_high = 0",
        "INSERT INTO incidents_waitingcount (state, grading, adm1, is_taken, has_warnings, "
        "is_imported, n) VALUES ('submitted', 'weak', 0, false, false, false, 1)",
        "UPDATE incidents_waitingcount SET n = 0",
        "SELECT incidents_reckon_waiting(ARRAY[1]::bigint[])",
    ],
)
def test_the_application_writes_none_of_it(statement: str, draft: Draft) -> None:
    draft(State.SUBMITTED)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        run(statement)

"""What the queue counts as warned follows the records that may be duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connections

from harmtracker.history.acting import acting
from incidents import services
from incidents.choices import Verb
from incidents.models import Incident, IncidentLink, Waiting, WaitingCount, WaitingRecount
from tests.builders import take_a_step
from tests.drafts import writer
from tests.rules import run

pytestmark = pytest.mark.usefixtures("committed")

TRIGGERS = {"incidents_waitingrecount_counted"}

Draft = Callable[..., Incident]
DAY = {"date_edtf": "2024-05-06"}


def submit(incident: Incident, people: SimpleNamespace) -> Incident:
    return take_a_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)


@pytest.fixture
def one(draft: Draft, people: SimpleNamespace) -> Incident:
    """A record that nothing is open of."""
    incident = submit(draft(**DAY), people)
    assert kept(incident) == (0, 0)
    return incident


def kept(incident: Incident) -> tuple[int, int]:
    """What the queue filters by of a record: its open warnings, and those that its author knows of.
    No two of them differ from what is told of the record now, and the counts are those of rows."""
    told = run(
        "SELECT w.incident_id, w.open_warnings, w.warnings_told, w.alike, n.* "
        "FROM incidents_waiting w, incidents_waiting_warnings(w.incident_id) n "
        "WHERE w.state = 'submitted'"
    )
    assert [row[:1] + row[1:4] for row in told] == [row[:1] + row[4:] for row in told]
    counts = WaitingCount.objects.values_list("has_warnings", "n")
    assert sum(n for has, n in counts if has) == sum(1 for row in told if row[1])
    assert not WaitingRecount.objects.exists()
    waiting = Waiting.objects.get(incident=incident)
    return waiting.open_warnings, waiting.warnings_told


def test_incidents_waitingrecount_counted(
    one: Incident, draft: Draft, people: SimpleNamespace
) -> None:
    """A duplicate is submitted, edited away and back, and returned and edited away."""
    other = submit(draft(**DAY), people)
    assert kept(one) == (1, 1)
    for verb, day, open_warnings in (
        (None, "2024-07-01", 0),
        (None, "2024-05-06", 1),
        (Verb.RETURN, "2024-07-01", 0),
    ):
        if verb:
            take_a_step(verb, incident_id=other.pk, actor=people.verifier, reason="The date.")
        with acting(people.verifier if verb is None else people.researcher, "The date"):
            fresh = Incident.objects.get(pk=other.pk)
            fresh.date_edtf = day
            services.save(fresh)
        assert kept(one)[0] == open_warnings


def test_its_author_is_told_of_no_hidden_record(one: Incident, people: SimpleNamespace) -> None:
    others = SimpleNamespace(**{**vars(people), "researcher": people.other_researcher})
    submit(writer(others)(**DAY), others)
    assert kept(one) == (1, 0)


def test_a_link_settles_it_on_both_sides(
    one: Incident, draft: Draft, people: SimpleNamespace
) -> None:
    other = submit(draft(**DAY), people)
    assert kept(one)[0] == 1
    with acting(people.researcher, "Two shellings"):
        services.add_part(IncidentLink, incident=other, other=one, kind="related")
    assert kept(one)[0] == kept(other)[0] == 0


def test_nobody_waits_for_a_record_that_somebody_holds(
    one: Incident, draft: Draft, people: SimpleNamespace
) -> None:
    """It is counted with the next change of a record that is like another."""
    other, later = draft(**DAY), draft(**DAY)
    with held(one):
        submit(other, people)
        assert Waiting.objects.get(incident=one).open_warnings == 0
        assert WaitingRecount.objects.filter(record=one.pk).exists()
    submit(later, people)
    assert kept(one)[0] == 2


@contextmanager
def held(incident: Incident) -> Iterator[None]:
    """Its row in the queue is locked by somebody else."""
    at = connections["owner"].get_connection_params()
    with psycopg.connect(**{k: at[k] for k in ("host", "port", "user", "dbname")}) as other:
        other.execute(
            "SELECT FROM incidents_waiting WHERE incident_id = %s FOR UPDATE", [incident.pk]
        )
        yield

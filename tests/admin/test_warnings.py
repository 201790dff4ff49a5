"""Warnings on the page of a record: the rows behind each, its answer, and what is hidden."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents import warnings, workflow
from incidents.choices import Verb
from incidents.models import Incident, WarningAnswer
from tests import builders

pytestmark = pytest.mark.django_db(databases=["default", "published"])

Draft = Callable[..., Incident]
SignIn = Callable[[str], Client]


def page(client: Client, incident: Incident) -> str:
    address = reverse("admin:incidents_incident_record", args=[incident.pk])
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def act(client: Client, incident: Incident, what: str, warning: str, **data: str) -> Any:
    address = reverse(f"admin:incidents_incident_{what}", args=[incident.pk, warning])
    return client.post(address, data)


@pytest.fixture
def twin(draft: Draft, people: SimpleNamespace) -> SimpleNamespace:
    """A submitted record, another researcher's draft that may be the same, and the warning."""
    incident = draft()
    with acting(people.other_researcher, "For a test"):
        other = builders.incident(
            author=people.other_researcher, date_edtf=incident.date_edtf, title="Hidden twin"
        )
        builders.count(other)
    workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
    incident.refresh_from_db()
    found = warnings.of_records([incident.pk], people.verifier)[incident.pk]
    (warned,) = (w for w in found if w.is_open)
    return SimpleNamespace(incident=incident, other=other, warned=warned)


def test_a_warning_is_answered_and_the_answer_withdrawn(
    twin: SimpleNamespace, signed_in: SignIn, people: SimpleNamespace
) -> None:
    client, mark = signed_in("verifier"), twin.warned.fingerprint
    shown = page(client, twin.incident)
    assert "Warnings: 1 open" in shown
    assert "Hidden twin" in shown
    assert reverse("admin:incidents_incident_record", args=[twin.other.pk]) in shown
    assert "A warning is open: it is to be mended or answered first." in shown

    answered = act(client, twin.incident, "answer", mark, reason="Another village.\r\nAsked.")
    assert answered.status_code == 302
    assert WarningAnswer.objects.get().reason == "Another village.\nAsked."
    shown = page(client, twin.incident)
    assert "Warnings: 0 open, 1 answered" in shown
    assert "Another village." in shown

    act(client, twin.incident, "withdraw", mark, reason="It is the same.")
    shown = page(client, twin.incident)
    assert "Warnings: 1 open" in shown
    assert "Answers that hold no more (1)" in shown
    assert "It is the same." in shown


def test_what_was_written_is_not_lost_where_it_is_refused(
    twin: SimpleNamespace, signed_in: SignIn, people: SimpleNamespace
) -> None:
    client, mark = signed_in("verifier"), twin.warned.fingerprint
    empty = act(client, twin.incident, "answer", mark, reason=" ")
    assert empty.status_code == 400
    with acting(people.other_researcher, "Another toll"):
        twin.other.casualtycounts.update(min=3, best=3, max=3)
    gone = act(client, twin.incident, "answer", mark, reason="A long reason")
    assert gone.status_code == 400
    assert "A long reason" in gone.content.decode()
    assert "says something else now" in gone.content.decode()
    assert not WarningAnswer.objects.exists()


def test_an_author_sees_nothing_of_a_hidden_twin_nor_of_its_answer(
    twin: SimpleNamespace, signed_in: SignIn
) -> None:
    author, mark = signed_in("researcher"), twin.warned.fingerprint
    queue = reverse("admin:incidents_incident_queue")

    def counted(client: Client, tab: str) -> list[int]:
        return [shown["row"].warnings for shown in client.get(queue, {"tab": tab}).context["rows"]]

    # While it is open: one for verifiers, none for the author.
    assert (counted(signed_in("verifier"), "waiting"), counted(author, "submitted")) == ([1], [0])
    before = page(author, twin.incident)
    act(signed_in("verifier"), twin.incident, "answer", mark, reason="Not like the hidden one.")
    after = page(author, twin.incident)
    for shown in (before, after):
        assert "Warnings: 0 open" in shown
        assert "hidden twin" not in shown.lower()
        assert "hidden one" not in shown.lower()
    assert counted(author, "submitted") == [0]
    refused = act(author, twin.incident, "answer", mark, reason="Mine")
    assert refused.status_code == 400
    stranger = act(signed_in("other_researcher"), twin.incident, "answer", mark, reason="Mine")
    assert stranger.status_code == 404


def test_who_submits_is_told_how_many_open_warnings_go_along(
    draft: Draft, signed_in: SignIn, people: SimpleNamespace
) -> None:
    incident, client = draft(), signed_in("researcher")
    address = reverse("admin:incidents_incident_step", args=[incident.pk, "submit"])
    assert "along to the verifiers" not in client.get(address).content.decode()
    with acting(people.researcher, "For a test"):
        # One that its author may be told of; the other's is a draft that they may not see.
        builders.victim(incident, outcome="killed", names=["A"])
        builders.victim(incident, outcome="killed", names=["B"])
        builders.victim(incident, outcome="killed", names=["C"])
    with acting(people.other_researcher, "For a test"):
        other = builders.incident(author=people.other_researcher, date_edtf=incident.date_edtf)
        builders.count(other)
    shown = " ".join(client.get(address).content.decode().split())
    assert "1 open warning</a> goes along to the verifiers." in shown
    (warned,) = (
        w for w in warnings.of_records([incident.pk], people.researcher)[incident.pk] if w.is_open
    )
    act(client, incident, "answer", warned.fingerprint, reason="Two are of another village.")
    assert "along to the verifiers" not in client.get(address).content.decode()


def test_no_more_queries_than_the_record_page_may_take(
    twin: SimpleNamespace, signed_in: SignIn
) -> None:
    client = signed_in("verifier")
    page(client, twin.incident)
    with CaptureQueriesContext(connection) as captured:
        page(client, twin.incident)
    assert len(captured) <= 25, [q["sql"][:150] for q in captured.captured_queries]

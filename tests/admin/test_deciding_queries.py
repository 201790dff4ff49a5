"""The pages of a decision ask the database as often for a large record as for a small one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.choices import State
from incidents.importers.ucdp_import import import_file
from incidents.models import CasualtyCount, Claim, Incident, Victim
from tests.importers.files import row, write

pytestmark = pytest.mark.django_db(databases=["default", "published"])

SignedIn = Callable[[str], Client]
Draft = Callable[..., Incident]
TEXT = "Ma SENTINEL Aye"


def url(name: str, *args: object) -> str:
    return reverse(f"admin:incidents_{name}", args=args)


def asked(act: Callable[[], object]) -> int:
    with (
        CaptureQueriesContext(connections["default"]) as own,
        CaptureQueriesContext(connections["published"]) as public,
    ):
        act()
    return len(own) + len(public)


@pytest.fixture
def record(draft: Draft, people: SimpleNamespace) -> Callable[..., Incident]:
    """A record of so many claims and victims, and a few more."""

    def enter(claims: int, state: State = State.DRAFT) -> Incident:
        incident = draft()
        (first,) = incident.claims.all()
        with acting(people.researcher, "More of it"):
            for number in range(claims):
                claim = services.add_part(
                    Claim,
                    incident=incident,
                    article=first.article,
                    attributed_outlet=first.attributed_outlet,
                    paraphrase=f"{TEXT} is among them, {number}.",
                )
                services.add_part(
                    CasualtyCount,
                    incident=incident,
                    claim=claim,
                    outcome="injured",
                    status="civilian",
                    # The same figure twice from one article would be a warning.
                    min=number,
                    best=number,
                    max=number,
                    qualifier="exact",
                )
                services.add_part(Victim, incident=incident, outcome="killed", sex="female")
        steps = [("submit", people.researcher), ("verify", people.verifier)]
        steps += [("publish", people.verifier)]
        reached = {State.DRAFT: 0, State.SUBMITTED: 1, State.PUBLISHED: 3}[state]
        for step, actor in steps[:reached]:
            workflow.take_step(step, incident_id=incident.pk, actor=actor)
        return incident

    return enter


@pytest.mark.parametrize("verb", ["verify", "return"])
def test_a_step(verb: str, record: Callable[..., Incident], signed_in: SignedIn) -> None:
    client = signed_in("verifier")
    small, large = record(1, State.SUBMITTED), record(9, State.SUBMITTED)
    assert not client.get(url("incident_step", small.pk, verb)).context["why_not"]
    assert not client.get(url("incident_step", large.pk, verb)).context["why_not"]
    few = asked(lambda: client.get(url("incident_step", small.pk, verb)))
    assert asked(lambda: client.get(url("incident_step", large.pk, verb))) == few


def test_taking_a_text_out(record: Callable[..., Incident], signed_in: SignedIn) -> None:
    client = signed_in("verifier")
    small, large = record(1, State.PUBLISHED), record(9, State.PUBLISHED)

    def look(incident: Incident) -> None:
        page = client.post(url("incident_redact", incident.pk), {"text": TEXT})
        assert page.context["values"]

    look(small)
    few = asked(lambda: look(small))
    assert asked(lambda: look(large)) == few


def test_merging(record: Callable[..., Incident], signed_in: SignedIn) -> None:
    client = signed_in("researcher")

    def look(one: Incident, other: Incident) -> None:
        page = client.get(url("incident_merge", one.pk), {"with": other.pk})
        assert page.context["leaving"].content["claims"]

    small, large = (record(1), record(1)), (record(9), record(9))
    look(*small)
    few = asked(lambda: look(*small))
    assert asked(lambda: look(*large)) == few


def test_an_import(tmp_path: Path, people: SimpleNamespace, signed_in: SignedIn) -> None:
    client = signed_in("verifier")
    batches = []
    for start, size in ((1, 2), (101, 9)):
        rows = [row(id=str(start + n), deaths_civilians="20") for n in range(size)]
        folder = tmp_path / str(start)
        folder.mkdir()
        batches.append(import_file(write(folder, *rows), people.researcher).batch)
    for name, *more in (
        ("importbatch_change",),
        ("importbatch_rows",),
        ("importbatch_decide", "verify"),
    ):
        small, large = (url(name, batch.pk, *more) for batch in batches if batch is not None)
        client.get(small)
        client.get(large)
        few = asked(lambda: client.get(small))  # noqa: B023
        assert asked(lambda: client.get(large)) == few, name  # noqa: B023

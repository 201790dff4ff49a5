"""A small record, and the way of it through the workflow."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from harmtracker.history.acting import acting
from incidents import merging, services, workflow
from incidents.choices import State, Verb
from incidents.models import CasualtyCount, Claim, Incident, IncidentRevision, Merge, Place
from sources.models import Article, Outlet
from tests.builders import take_a_step

STEPS = {
    State.SUBMITTED: [(Verb.SUBMIT, "researcher")],
    State.VERIFIED: [(Verb.SUBMIT, "researcher"), (Verb.VERIFY, "verifier")],
    State.PUBLISHED: [
        (Verb.SUBMIT, "researcher"),
        (Verb.VERIFY, "verifier"),
        (Verb.PUBLISH, "verifier"),
    ],
    State.MERGED: [
        (Verb.SUBMIT, "researcher"),
        (Verb.VERIFY, "verifier"),
        (Verb.PUBLISH, "verifier"),
    ],
    State.RETRACTED: [
        (Verb.SUBMIT, "researcher"),
        (Verb.VERIFY, "verifier"),
        (Verb.PUBLISH, "verifier"),
        (Verb.PROPOSE_RETRACTION, "verifier"),
        (Verb.RETRACT, "other_verifier"),
    ],
}


@pytest.fixture
def draft(people: SimpleNamespace) -> Callable[..., Incident]:
    """Enter a small record of one claim, as the researcher, and take it to a state."""
    return writer(people)


def writer(
    people: SimpleNamespace, first: datetime.date = datetime.date(2024, 5, 6)
) -> Callable[..., Incident]:
    """What :func:`draft` gives.

    Each further record is of three days later than the one before: else it may be a duplicate.
    """
    days = (first + datetime.timedelta(days=3 * n) for n in range(75))

    def enter(state: State = State.DRAFT, **fields: Any) -> Incident:
        with acting(people.researcher, "Entered for a test"):
            outlet = services.save(
                Outlet(slug="gazette", name="Gazette", kind="local_media", independence_group="g")
                if not Outlet.objects.filter(slug="gazette").exists()
                else Outlet.objects.get(slug="gazette")
            )
            article = services.save(Article(outlet=outlet, title="Shelling", language="en"))
            incident = services.create_incident(
                author=people.researcher,
                **{
                    "title": "Shelling of a village",
                    "date_edtf": next(days).isoformat(),
                    "place": Place.objects.get(slug="laiza"),
                    "grading": "weak",
                    **fields,
                },
            )
            claim = services.add_part(
                Claim,
                incident=incident,
                article=article,
                attributed_outlet=outlet,
                paraphrase="Two killed.",
            )
            for owner in (claim, None):
                count = services.add_part(
                    CasualtyCount,
                    incident=incident,
                    claim=owner,
                    outcome="killed",
                    status="civilian",
                    min=2,
                    best=2,
                    max=2,
                    qualifier="exact",
                )
            services.add_basis(count=count, claim=claim, bound="best")
        for verb, name in STEPS.get(state, []):
            incident = take_a_step(
                verb, incident_id=incident.pk, actor=getattr(people, name), reason="For a test"
            )
        if state == State.MERGED:
            merge_into(incident, enter(), people)
            incident.refresh_from_db()
        return incident

    return enter


def revisions(*records: Incident) -> tuple[int, ...]:
    """Of each record as it is now."""
    return tuple(IncidentRevision.objects.get(incident=record).number for record in records)


def merge_into(source: Incident, target: Incident, people: SimpleNamespace) -> Merge:
    """Merge one record into a draft, and publish that."""
    row = merging.merge(
        source.pk, target.pk, people.researcher, "Entered twice", revisions(source, target)
    )
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
    ):
        take_a_step(verb, incident_id=target.pk, actor=actor, note="With its duplicate")
    row.refresh_from_db()
    return row


def publish_again(incident: Incident, people: SimpleNamespace, **changes: Any) -> Incident:
    """Reopen a published record, change it as its author, and publish the next version."""
    workflow.take_step(
        Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="A better source"
    )
    with acting(people.researcher, "Corrected"):
        fresh = Incident.objects.get(pk=incident.pk)
        for name, value in changes.items():
            setattr(fresh, name, value)
        services.save(fresh)
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
    ):
        fresh = take_a_step(verb, incident_id=incident.pk, actor=actor, note="The title was wrong.")
    return fresh

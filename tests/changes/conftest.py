"""Records that change, and what the API says of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.choices import State, Verb
from incidents.models import CasualtyCount, Incident, LedgerHead
from tests.builders import take_a_step
from tests.drafts import merge_into, publish_again, writer

PATH = "/api/v1/changes/"
Draft = Callable[..., Incident]


def page(client: Client, **asked: Any) -> dict[str, Any]:
    """A page of changes, which must be there."""
    answer = client.get(PATH, asked)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def head() -> int:
    return LedgerHead.objects.using("default").get(pk=1).size


def count_again(incident: Incident, people: SimpleNamespace, best: int) -> Incident:
    """Publish the next version with another number of civilians killed."""
    workflow.take_step(
        Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="A better source"
    )
    with acting(people.researcher, "Counted again"):
        row = CasualtyCount.objects.get(incident=incident, claim=None)
        row.min = row.best = row.max = best
        services.save(row)
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
    ):
        incident = take_a_step(
            verb, incident_id=incident.pk, actor=actor, note="The number was wrong."
        )
    return incident


def retract(incident: Incident, people: SimpleNamespace) -> Incident:
    for verb, actor in (
        (Verb.PROPOSE_RETRACTION, people.verifier),
        (Verb.RETRACT, people.other_verifier),
    ):
        incident = workflow.take_step(
            verb, incident_id=incident.pk, actor=actor, reason="It did not happen."
        )
    return incident


@pytest.fixture
def history(laid: Callable[..., Any], people: SimpleNamespace) -> SimpleNamespace:
    """One change of every kind after the three, each by its name."""

    def build() -> SimpleNamespace:
        # Of other days than those that a test enters besides.
        draft = writer(people, datetime.date(2024, 9, 2))
        start = head()
        one = draft(State.PUBLISHED)
        one = count_again(one, people, 5)
        other = draft(State.PUBLISHED, title="Shelling of a hamlet")
        merge_into(other, target := draft(title="Shelling of a town"), people)
        other.refresh_from_db()
        target.refresh_from_db()
        gone = retract(draft(State.PUBLISHED, title="Shelling of a bridge"), people)
        return SimpleNamespace(start=start, one=one, other=other, target=target, gone=gone)

    found: SimpleNamespace = laid("one change of every kind", build)
    return found


def by_kind(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for entry in found:
        kinds.setdefault(entry["kind"], []).append(entry)
    return kinds


def lines_of(answer: Any) -> list[dict[str, Any]]:
    content = b"".join(answer.streaming_content)
    return [json.loads(line) for line in content.splitlines()]


__all__ = ["by_kind", "count_again", "head", "history", "lines_of", "page", "publish_again"]

"""Non-interference: what is hidden changes no public answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client

from harmtracker.history.acting import acting
from incidents import workflow
from incidents.choices import Verb
from incidents.models import Incident, Place
from tests.test_canary import Canaries, crawl, plant_draft, routes


def test_two_worlds_answer_strangers_alike(
    committed: None, people: SimpleNamespace, draft_writer: Callable[[], None]
) -> None:
    """Non-interference: with and without hidden records, every public answer is the same."""
    before = crawl(Client(), [r for r in routes() if not r.startswith("/admin")])
    draft_writer()
    after = crawl(Client(), [r for r in routes() if not r.startswith("/admin")])
    assert before.keys() == after.keys()
    for url in before:
        assert _masked(before[url]) == _masked(after[url]), url


@pytest.fixture
def draft_writer(people: SimpleNamespace) -> Callable[[], None]:
    def write() -> None:
        with acting(people.researcher):
            plant_draft(Canaries(), people)
            incident = Incident.objects.get(code="MMR-2023-0001")
        workflow.take_step(
            Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="More sources"
        )
        with acting(people.researcher):
            Incident.objects.filter(pk=incident.pk).update(title="Another", summary="Another")
            Place.objects.filter(slug="laiza").update(name="Lai Zar", other_names=["Elsewhere"])

    return write


def _masked(text: str) -> str:
    """Without what differs from one request to the next whatever is stored."""
    text = re.sub(r"(?i)(csrfmiddlewaretoken\" value=\"|csrf=)[A-Za-z0-9]+", "", text)
    return re.sub(r"(?i)expires[=:][^;\n]+", "", text)

"""Totals of everything are answered from kept sums: the same as of any position, whatever came."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client

from harmtracker.history.acting import acting
from incidents import services
from incidents.choices import State
from incidents.models import Incident, Place
from incidents.totals import sums

pytestmark = pytest.mark.usefixtures("committed")

API = "/api/v1/totals/"
Draft = Callable[..., Incident]
GROUPINGS = ["", "country", "year", "quarter,country"]
GROUPINGS += ["adm1", "adm1,year", "month,adm1", "adm1,outcome,month", "outcome"]


@pytest.mark.parametrize("groups", GROUPINGS)
def test_the_same_bytes_when_the_ledger_has_gone_on(
    client: Client, draft: Draft, people: SimpleNamespace, groups: str
) -> None:
    """What has come since is taken off, what has gone is put back."""
    draft(State.PUBLISHED)
    draft(State.PUBLISHED, record_type="aggregate_count")
    draft(State.RETRACTED)
    query = f"group_by={groups}" if groups else ""
    now = client.get(f"{API}?{query}")
    position = now.json()["position"]
    assert now.json()["left_out"]["aggregate_count"] == 1
    draft(State.PUBLISHED)
    draft(State.PUBLISHED, record_type="aggregate_count")
    # Of a country that nothing was of: a group that is to be in no former answer.
    with acting(people.researcher):
        country = services.save(Place(slug="tha", name="Thailand", level="country", country="THA"))
    draft(State.PUBLISHED, place=country)
    then = client.get(f"{API}?{query}&as_of={position}".replace("?&", "?"))
    assert then.content == now.content
    assert client.get(f"{API}?{query}").content != now.content


def test_what_is_published_meanwhile_is_not_in(
    client: Client, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something is published between the look at the ledger's head and the sums."""
    before = client.get(f"{API}?group_by=year").content
    made = sums.statement
    published = []

    def late(*args: object, **options: object) -> object:
        if not published:
            published.append(draft(State.PUBLISHED))
        return made(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(sums, "statement", late)
    assert client.get(f"{API}?group_by=year").content == before
    assert published

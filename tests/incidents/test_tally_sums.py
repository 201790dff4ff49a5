"""What the tally's current rows come to: exact after whatever is done to the index."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client

from incidents.choices import State
from incidents.models import Incident, PublishedIncident, PublishedTally, PublishedTallySum
from incidents.totals import sums
from tests.drafts import merge_into, publish_again
from tests.incidents.test_redaction import take, told
from tests.rules import run

pytestmark = pytest.mark.django_db(databases=["default", "published"])

TRIGGERS = {
    "incidents_publishedtally_summed_insert",
    "incidents_publishedtally_summed_update",
    "incidents_publishedtally_summed_delete",
}
API = "/api/v1/totals/"

Draft = Callable[..., Incident]
KEPT = import_module("incidents.migrations.0024_tally_sums")


def assert_exact() -> None:
    """As the plain sum over the rows has it."""
    held = run(f"SELECT {KEPT.KEYS}, {KEPT.COLUMNS} FROM incidents_publishedtallysum")
    assert sorted(held, key=repr) == sorted(run(KEPT.HELD), key=repr)


def counted() -> int:
    """Records beside the three that are there from the start."""
    rows = PublishedTallySum.objects.using("default")
    return (rows.aggregate(n=Sum("incidents"))["n"] or 0) - 3


def test_incidents_publishedtally_summed_insert(draft: Draft) -> None:
    draft(State.PUBLISHED)
    assert counted() == 1
    draft(State.PUBLISHED)
    assert counted() == 2
    assert_exact()


def test_incidents_publishedtally_summed_update(draft: Draft, people: SimpleNamespace) -> None:
    corrected = draft(State.PUBLISHED)
    publish_again(corrected, people, title="Shelling of a hamlet", date_edtf="2023-05-06")
    assert counted() == 1
    assert_exact()
    draft(State.RETRACTED)
    assert counted() == 1
    assert_exact()
    merge_into(draft(State.PUBLISHED), draft(), people)
    assert counted() == 2
    assert_exact()


def test_incidents_publishedtally_summed_delete(draft: Draft) -> None:
    draft(State.PUBLISHED)
    assert counted() == 1
    PublishedTally.objects.using("default").filter(valid_from__gt=3).delete()
    assert counted() == 0
    assert_exact()
    PublishedIncident.objects.using("default").all().delete()
    assert not PublishedTallySum.objects.using("default").exists()


def test_they_are_exact_after_a_rebuild(draft: Draft, people: SimpleNamespace) -> None:
    publish_again(draft(State.PUBLISHED), people, title="Shelling of a hamlet")
    draft(State.RETRACTED)
    call_command("rebuild_published", verbosity=0)
    assert counted() == 1
    assert_exact()


def test_they_are_exact_after_a_redaction(draft: Draft, people: SimpleNamespace) -> None:
    take(told(draft, people), people)
    assert counted() == 1
    assert_exact()


GROUPINGS = ["", "year", "quarter,country", "month,adm1", "adm1,outcome,month", "outcome"]


@pytest.mark.parametrize("groups", GROUPINGS)
def test_the_same_bytes_when_the_ledger_has_gone_on(
    client: Client, draft: Draft, groups: str
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

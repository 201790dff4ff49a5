"""How many current records hold each key: exact after whatever is done to the index."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.test import Client

from incidents.choices import State
from incidents.models import Incident, PublishedIncident, PublishedKeyCount
from tests.drafts import merge_into, publish_again
from tests.incidents.test_redaction import take, told
from tests.rules import run

pytestmark = pytest.mark.django_db(databases=["default", "published"])

TRIGGERS = {
    "incidents_publishedincident_counted_insert",
    "incidents_publishedincident_counted_update",
    "incidents_publishedincident_counted_delete",
}

Draft = Callable[..., Incident]
COUNTED = """
    SELECT kind, key, count(*) FROM incidents_publishedincident r CROSS JOIN LATERAL (
        SELECT 'traits' AS kind, unnest(array_append(traits, '')) AS key
        UNION ALL SELECT 'actor_keys', unnest(array_append(actor_keys, ''))) k
    WHERE valid_until IS NULL GROUP BY kind, key ORDER BY kind, key
"""


def assert_exact() -> None:
    held = PublishedKeyCount.objects.using("default").values_list("kind", "key", "n")
    assert sorted(held) == sorted(run(COUNTED))


def published() -> int:
    """Records beside the three that are there from the start."""
    rows = PublishedKeyCount.objects.using("default").filter(kind="traits", key="")
    return rows.values_list("n", flat=True).get() - 3


def test_incidents_publishedincident_counted_insert(draft: Draft) -> None:
    draft(State.PUBLISHED)
    assert published() == 1
    draft(State.PUBLISHED)
    assert published() == 2
    assert_exact()


def test_incidents_publishedincident_counted_update(draft: Draft, people: SimpleNamespace) -> None:
    corrected = draft(State.PUBLISHED)
    publish_again(corrected, people, title="Shelling of a hamlet", date_edtf="2023-05-06")
    assert published() == 1
    assert_exact()
    draft(State.RETRACTED)
    assert published() == 1
    assert_exact()
    merge_into(draft(State.PUBLISHED), draft(), people)
    assert published() == 2
    assert_exact()


def test_incidents_publishedincident_counted_delete(draft: Draft) -> None:
    draft(State.PUBLISHED)
    assert published() == 1
    PublishedIncident.objects.using("default").filter(valid_from__gt=3).delete()
    assert published() == 0
    assert_exact()
    PublishedIncident.objects.using("default").all().delete()
    assert not PublishedKeyCount.objects.using("default").exists()


def test_they_are_exact_after_a_rebuild(draft: Draft, people: SimpleNamespace) -> None:
    publish_again(draft(State.PUBLISHED), people, title="Shelling of a hamlet")
    draft(State.RETRACTED)
    call_command("rebuild_published", verbosity=0)
    assert published() == 1
    assert_exact()


def test_they_are_exact_after_a_redaction(draft: Draft, people: SimpleNamespace) -> None:
    take(told(draft, people), people)
    assert published() == 1
    assert_exact()


@pytest.mark.usefixtures("three")
def test_facets_count_all_without_looking_at_any(client: Client) -> None:
    def facets(query: str) -> object:
        return client.get(f"/api/v1/incidents/facets/?{query}").json()["facets"]

    roles = "facet=grading,weapon,actor_alleged_perpetrator,actor_target"
    # A filter that leaves nothing out is counted row by row.
    everything = "date_from=1900-01-01"
    assert facets(roles) == facets(f"{roles}&{everything}")
    assert facets("") == facets(everything)

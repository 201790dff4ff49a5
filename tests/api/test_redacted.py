"""After a redaction, in every table and answer of the public side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest
from django.test import Client

from incidents.models import Incident
from tests.drafts import publish_again
from tests.incidents.test_redaction import (
    NAME,
    ONLY_GROWS,
    assert_the_ledger_checks,
    forge,
    published_texts,
    take,
    told,
    versions,
)
from tests.rules import rule
from tests.telling import tells

pytestmark = pytest.mark.usefixtures("committed")

Draft = Callable[..., Incident]


def test_the_name_leaves_every_version_summary_index_row_and_answer(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = publish_again(told(draft, people), people, summary=f"{NAME}’s house was hit.")
    before = {v.number: v.sha256 for v in versions(incident)}
    assert sum("khin" in row.casefold() for _, row in published_texts()) > 0
    done = take(incident, people)
    assert {v.version for v in done.values} == {1, 2}
    assert {v.path for v in done.values if v.version == 1} == {
        "title",
        "summary",
        "cite",
        "claims[0].quotation",
        "victims[0].names[0]",
    }
    texts = list(published_texts())
    for table, row in texts:
        assert not tells(row, "htwe"), table
        assert not any(digest in row for digest in before.values()), table
    for address in (
        "incidents/",
        "incidents/?ordering=published",
        f"incidents/{incident.code}/",
        f"incidents/{incident.code}/versions/",
        f"incidents/{incident.code}/versions/1/",
        f"incidents/{incident.code}/versions/2/",
        "places/",
        "outlets/",
        "articles/",
        "actors/",
    ):
        answer = client.get(f"/api/v1/{address}")
        assert answer.status_code == 200
        assert not tells(answer.content.decode(), "htwe"), address
    (row,) = [
        row
        for row in client.get("/api/v1/incidents/").json()["results"]
        if row["code"] == incident.code
    ]
    assert row["title"] is None
    assert "nonce" not in row
    served = client.get(f"/api/v1/incidents/{incident.code}/")
    assert served["ETag"] == f'"{versions(incident).get(number=2).sha256}"'
    assert served.json()["victims"][0]["names"] == [None, "Mi Mi"]
    assert client.get("/api/v1/incidents/?q=htwe").json()["results"] == []
    assert_the_ledger_checks()


def test_an_earlier_redaction_lets_nothing_through(draft: Draft, people: SimpleNamespace) -> None:
    incident = told(draft, people)
    take(incident, people)
    assert rule(partial(forge, incident, steps="update"), people.verifier) == ONLY_GROWS

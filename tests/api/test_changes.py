"""What readers see while records are published, corrected and retracted."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from incidents import workflow
from incidents.choices import State, Verb
from incidents.models import Incident
from tests.drafts import publish_again

pytestmark = pytest.mark.usefixtures("committed")

Draft = Callable[..., Incident]
LIST = "/api/v1/incidents/"


def codes(client: Client, query: str) -> list[str]:
    return [row["code"] for row in client.get(f"{LIST}?{query}").json()["results"]]


def test_a_retracted_record_answers_410_and_its_versions_stay(client: Client, draft: Draft) -> None:
    incident = draft(State.RETRACTED)
    gone = client.get(f"{LIST}{incident.code}/")
    assert gone.status_code == 410
    assert gone["Content-Type"] == "application/problem+json"
    assert gone.json()["reason"] == "For a test"
    assert incident.code not in codes(client, "limit=100")
    versions = client.get(f"{LIST}{incident.code}/versions/").json()["results"]
    assert [(row["version"], row["kind"]) for row in versions] == [
        (1, "published"),
        (2, "retracted"),
    ]
    assert client.get(f"{LIST}{incident.code}/versions/1/").json()["title"]
    assert client.get(f"{LIST}{incident.code}/versions/2/").json()["retracted"] is True


def test_a_correction_changes_document_list_and_etags_and_keeps_version_1(
    client: Client, draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.PUBLISHED)
    address = f"{LIST}{incident.code}/"
    before, listed = client.get(address), client.get(LIST)
    publish_again(incident, people, title="Shelling of a hamlet")
    after = client.get(address, headers={"If-None-Match": before["ETag"]})
    assert (after.status_code, after.json()["version"]) == (200, 2)
    assert after.json()["note"] == "The title was wrong."
    assert client.get(LIST, headers={"If-None-Match": listed["ETag"]}).status_code == 200
    old = client.get(f"{address}versions/1/")
    assert (old.content, old["ETag"]) == (before.content, before["ETag"])


def test_pages_stay_as_they_were_while_records_come_change_and_go(
    client: Client, draft: Draft, people: SimpleNamespace
) -> None:
    records = [draft(State.PUBLISHED, title=f"Record {n}") for n in range(4)]
    first = client.get(f"{LIST}?limit=2&ordering=code").json()
    whole = [row["code"] for row in client.get(f"{LIST}?ordering=code").json()["results"]]

    draft(State.PUBLISHED)
    publish_again(records[2], people, title="Another title")
    for verb, actor in (
        (Verb.PROPOSE_RETRACTION, people.verifier),
        (Verb.RETRACT, people.other_verifier),
    ):
        workflow.take_step(verb, incident_id=records[3].pk, actor=actor, reason="A hoax")

    seen, titles, page = [row["code"] for row in first["results"]], {}, first
    while page["next"]:
        page = client.get(page["next"]).json()
        assert page["position"] == first["position"]
        seen += [row["code"] for row in page["results"]]
        titles |= {row["code"]: row["title"] for row in page["results"]}
    assert seen == whole
    assert titles[records[2].code or ""] == "Record 2"


DATES = [
    # what is recorded, the query, whether it is found as possible and as certain
    ("2020-03", "date_from=2020-03-10&date_to=2020-03-12", True, False),
    ("2020-03", "date_from=2020-03-01&date_to=2020-03-31", True, True),
    ("2020-03", "date_from=2020-04-01", False, False),
    ("2020-03-05", "date_from=2020-03-05&date_to=2020-03-05", True, True),
    ("2020/..", "date_from=2024-01-01", True, False),
    ("2020/..", "date_to=2019-12-31", False, False),
    ("../2020", "date_to=1990-01-01", True, False),
    ("../2020", "date_from=2021-01-01", False, False),
    ("2020-03-30/2020-04-02", "date_from=2020-04-01&date_to=2020-04-01", True, False),
]


@pytest.fixture
def dated(laid: Callable[..., Any], draft: Draft) -> dict[str, str]:
    """A record of each of the dates -> its code."""

    def build() -> dict[str, str | None]:
        return {edtf: draft(State.PUBLISHED, date_edtf=edtf).code for edtf, *_ in DATES}

    found: dict[str, str] = laid("uncertain dates", build)
    return found


@pytest.mark.parametrize(("edtf", "query", "possible", "certain"), DATES)
def test_an_uncertain_date_is_found_as_its_filter_says(
    client: Client, dated: dict[str, str], edtf: str, query: str, possible: bool, certain: bool
) -> None:
    code = dated[edtf]
    assert (code in codes(client, f"{query}&date_match=possible")) is possible
    assert (code in codes(client, f"{query}&date_match=certain")) is certain
    assert (code in codes(client, query)) is possible


def test_a_box_may_cross_the_antimeridian(client: Client, draft: Draft) -> None:
    point = {"latitude": "-17.5", "longitude": "179.9", "place_precision": "site"}
    code = draft(State.PUBLISHED, **point).code
    assert codes(client, "bbox=179,-18,-179,-17") == [code]
    assert codes(client, "bbox=-179,-18,179,-17") == []


def test_a_page_costs_the_same_queries_for_one_record_as_for_ten(
    client: Client, draft: Draft, django_assert_num_queries: Any
) -> None:
    queries = []
    for _ in range(2):
        with django_assert_num_queries(4, exact=False, using="published") as captured:
            client.get(f"{LIST}?limit=100&ordering=code")
        queries.append(len(captured))
        for _ in range(7):
            draft(State.PUBLISHED)
    assert queries[0] == queries[1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Munglai", "MMR-2023-0001"),
        ("Mong Lai Khet", "MMR-2023-0001"),
        ("mung lai hka", "MMR-2023-0001"),
        ("MONLAIKHAT", "MMR-2023-0001"),
        ("Waimaw", "MMR-2023-0001"),
        ("Waikyaing", "MMR-2024-0001"),
        ("လိုင်ဇာ", "MMR-2024-0001"),
    ],
)
def test_every_spelling_of_a_place_finds_it(client: Client, words: str, code: str) -> None:
    assert code in codes(client, f"q={words}")

"""What records are found by in casework, and in what order."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from incidents.choices import State
from incidents.models import Incident
from tests.clients import Api

from .bodies import BASE

pytestmark = pytest.mark.django_db

Enter = Callable[..., tuple[dict[str, Any], str]]
MakeApi = Callable[..., Api]
Draft = Callable[..., Incident]

THREE = {"MMR-2024-0001", "MMR-2023-0001", "MMR-2014-0001"}


@pytest.fixture
def titles(api: MakeApi) -> Callable[..., list[str]]:
    """Titles, or codes where there are, that a query finds for the verifier."""

    def find(query: dict[str, Any], name: str = "verifier") -> list[str]:
        response = api(name).get(BASE, query)
        assert response.status_code == 200, response.content
        return [row["code"] or row["title"] for row in response.json()["results"]]

    return find


QUERIES: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {*THREE, "Entered", "Waiting"}),
    ({"state": "draft"}, {"Entered"}),
    ({"state": ["draft", "submitted"]}, {"Entered", "Waiting"}),
    ({"author": "researcher", "state": "published"}, THREE),
    ({"author": "nobody-of-this-name"}, set()),
    ({"assignee": "verifier"}, {"Waiting"}),
    ({"assignee": "nobody", "state": ["draft", "submitted"]}, {"Entered"}),
    ({"waiting_since__lte": "2100-01-01"}, {"Waiting"}),
    ({"waiting_since__gte": "2100-01-01"}, set()),
    ({"warning": "grading_without_sources"}, {"Entered"}),
    ({"warning": ["date_missing", "grading_without_sources"]}, {"Entered"}),
    ({"is_complete": "false"}, {"Entered"}),
    ({"is_complete": "true", "state": "submitted"}, {"Waiting"}),
    ({"place": "MMR001", "state": ["draft", "submitted"]}, {"Entered", "Waiting"}),
    ({"place": "MMR002"}, set()),
    ({"date_from": "2024-09-01", "date_to": "2024-09-30"}, {"Entered"}),
    ({"date_from": "2024-05-01", "date_to": "2024-05-31", "date_match": "certain"}, {"Waiting"}),
    ({"weapon": "EXA", "state": "draft"}, {"Entered"}),
    ({"grading": "weak", "state": "submitted"}, {"Waiting"}),
    ({"killed_civilian_max__gte": 5, "state": "draft"}, {"Entered"}),
    ({"killed_civilian_best__gte": 2, "state": "draft"}, set()),
    ({"killed_civilian_min__lte": 2, "state": ["draft", "submitted"]}, {"Entered", "Waiting"}),
    ({"q": "ENTERED laiza"}, {"Entered"}),
    ({"q": "nothing of this"}, set()),
    ({"bbox": "97,24,98,25", "state": "draft"}, set()),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES, ids=[str(row[0]) for row in QUERIES])
def test_filters(
    enter: Enter,
    draft: Draft,
    api: MakeApi,
    titles: Callable[..., list[str]],
    query: dict[str, Any],
    expected: set[str],
) -> None:
    enter(title="Entered", grading="confirmed")
    waiting = draft(State.SUBMITTED, title="Waiting")
    api("verifier").post(f"{BASE}{waiting.uuid}/take/")
    assert set(titles(query)) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"stat": "draft"}, "stat"),
        ({"state": "drafts"}, "state"),
        ({"warning": "none"}, "warning"),
        ({"waiting_since__lte": "yesterday"}, "waiting_since__lte"),
        ({"id": "1"}, "id"),
        ({"author__password": "x"}, "author__password"),
        ({"internal_note": "x"}, "internal_note"),
        ({"ordering": "author"}, "ordering"),
    ],
)
def test_what_is_no_filter_is_refused(api: MakeApi, query: dict[str, str], field: str) -> None:
    refused = api("verifier").get(BASE, query)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == field


def test_people_find_what_they_may_see(enter: Enter, titles: Callable[..., list[str]]) -> None:
    enter(title="Entered")
    assert set(titles({}, "researcher")) == {*THREE, "Entered"}
    assert set(titles({}, "other_researcher")) == THREE
    assert titles({"author": "researcher", "state": "draft"}, "other_researcher") == []


@pytest.mark.parametrize(
    "ordering", ["-changed", "changed", "-entered", "entered", "-date", "date", "waiting"]
)
def test_pages_hold_every_record_once_in_either_direction(
    enter: Enter, draft: Draft, api: MakeApi, ordering: str
) -> None:
    enter(title="Undated", date_edtf=None)
    for i in range(3):
        draft(State.SUBMITTED, title=f"Waiting {i}")
    client = api("verifier")
    whole = client.get(BASE, {"ordering": ordering, "count": "true"}).json()
    assert whole["count"] == len(whole["results"]) == 7
    page = client.get(BASE, {"ordering": ordering, "limit": 2}).json()
    forth = page["results"]
    while page["next"]:
        page = client.get(page["next"].removeprefix("http://testserver")).json()
        forth += page["results"]
    assert [row["id"] for row in forth] == [row["id"] for row in whole["results"]]
    back: list[Any] = page["results"]
    while page["previous"]:
        page = client.get(page["previous"].removeprefix("http://testserver")).json()
        back = page["results"] + back
    assert [row["id"] for row in back] == [row["id"] for row in whole["results"]]


def test_a_list_costs_the_same_for_more_records(
    enter: Enter, api: MakeApi, django_assert_num_queries: Any, people: SimpleNamespace
) -> None:
    client = api("verifier")
    client.get(BASE)
    with django_assert_num_queries(5):
        client.get(BASE)
    # The last one is of the records that warnings tell of, where there are any.
    for i in range(5):
        enter(title=f"One more {i}")
    with django_assert_num_queries(6):
        client.get(BASE)
    for i in range(5):
        enter(title=f"Yet one more {i}")
    with django_assert_num_queries(6):
        client.get(BASE)


def test_a_record_costs_the_same_with_more_parts(
    enter: Enter, api: MakeApi, draft: Draft, django_assert_max_num_queries: Any
) -> None:
    record, etag = enter()
    client = api("researcher")
    with django_assert_max_num_queries(40) as few:
        client.get(f"{BASE}{record['id']}/")
    for i in range(10):
        body = {**record["claims"][0], "paraphrase": f"{i}"}
        for name in ("id", "counts", "weapons", "involvements"):
            body.pop(name)
        etag = client.post(f"{BASE}{record['id']}/claims/", body, headers={"If-Match": etag})[
            "ETag"
        ]
    with django_assert_max_num_queries(40) as more:
        client.get(f"{BASE}{record['id']}/")
    assert len(more) == len(few)

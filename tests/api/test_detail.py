"""``detail``: lists of summaries, and of whole documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from harmtracker.api import paging

LIST = "/api/v1/incidents/"

pytestmark = pytest.mark.usefixtures("three")


def stored(client: Client, code: str) -> str:
    return client.get(f"{LIST}{code}/").content.decode()


def codes(page: dict[str, Any]) -> list[str]:
    return [row["code"] for row in page["results"]]


def test_documents_stand_in_the_page_byte_for_byte(client: Client) -> None:
    answer = client.get(f"{LIST}?detail=document")
    texts = [stored(client, code) for code in codes(answer.json())]
    assert len(texts) == 3
    assert answer.content.decode().endswith(f'"results":[{",".join(texts)}]}}')


def test_summaries_are_what_is_given_unless_asked_otherwise(client: Client) -> None:
    assert client.get(LIST).json() == client.get(f"{LIST}?detail=summary").json()
    assert "claims" not in client.get(LIST).json()["results"][0]


@pytest.mark.parametrize(
    ("query", "field", "nearest"),
    [
        ("detail=document&limit=101", "limit", None),
        ("detail=document&limit=1000", "limit", None),
        ("detail=summary&limit=1001", "limit", None),
        ("detail=documents", "detail", "document"),
        ("detail=summary&detail=document", "detail", None),
        ("fields=claims", "fields", None),
        ("detail=document&fields=claim_count", "fields", None),
    ],
)
def test_refused(client: Client, query: str, field: str, nearest: str | None) -> None:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    if nearest:
        assert error["nearest"] == nearest


def test_the_refusal_names_the_limit(client: Client) -> None:
    answer = client.get(f"{LIST}?detail=document&limit=1000")
    assert answer.json()["errors"][0]["message"] == "A whole number from 1 to 100."


@pytest.mark.parametrize("query", ["detail=document&limit=100", "limit=1000"])
def test_the_highest_limits(client: Client, query: str) -> None:
    assert len(client.get(f"{LIST}?{query}").json()["results"]) == 3


def test_fields_of_documents(client: Client) -> None:
    page = client.get(f"{LIST}?detail=document&fields=code,claims").json()
    for row in page["results"]:
        whole = json.loads(stored(client, row["code"]))
        assert row == {"code": whole["code"], "claims": whole["claims"]}


def test_each_detail_has_its_own_etag(client: Client) -> None:
    tags = {client.get(f"{LIST}?{q}")["ETag"] for q in ("", "detail=document")}
    assert len(tags) == 2
    (tag,) = tags - {client.get(LIST)["ETag"]}
    answer = client.get(f"{LIST}?detail=document", headers={"If-None-Match": tag})
    assert answer.status_code == 304


def test_pages_of_documents_go_on_where_the_last_ended(client: Client) -> None:
    whole = codes(client.get(LIST).json())
    page = client.get(f"{LIST}?detail=document&limit=1").json()
    seen = codes(page)
    while page["next"]:
        page = client.get(page["next"]).json()
        assert "claims" in page["results"][0]
        seen += codes(page)
    assert seen == whole


def test_documents_beyond_two_mib_go_to_the_next_page(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = codes(client.get(LIST).json())
    longest = max(len(stored(client, code)) for code in whole)
    monkeypatch.setattr(paging, "MAX_PAGE_BYTES", longest + 10)
    page = client.get(f"{LIST}?detail=document").json()
    assert 1 <= len(page["results"]) < 3
    assert codes(client.get(page["next"]).json())[0] == whole[len(page["results"])]

"""Pages: cursors forward and back, ETags, counts, and what a page costs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from harmtracker.api import paging

LIST = "/api/v1/incidents/"

pytestmark = pytest.mark.usefixtures("three")


def codes(page: dict[str, Any]) -> list[str]:
    return [row["code"] for row in page["results"]]


def token_of(url: str) -> str:
    return url.split("cursor=")[1].split("&")[0]


@pytest.mark.parametrize("ordering", ["date", "-date", "code", "-code", "published", "-published"])
@pytest.mark.parametrize("limit", [1, 2])
def test_pages_forward_and_back_show_the_whole_list_once(
    client: Client, ordering: str, limit: int
) -> None:
    whole = codes(client.get(f"{LIST}?ordering={ordering}").json())
    page = client.get(f"{LIST}?ordering={ordering}&limit={limit}").json()
    pages = [codes(page)]
    while page["next"]:
        page = client.get(page["next"]).json()
        pages.append(codes(page))
    assert [code for rows in pages for code in rows] == whole
    back = []
    while page["previous"]:
        page = client.get(page["previous"]).json()
        back.append(codes(page))
    assert [code for rows in reversed(back) for code in rows] == whole[: -len(pages[-1])]


def test_reference_pages_show_the_whole_list_once(client: Client) -> None:
    whole = [row["id"] for row in client.get("/api/v1/articles/?limit=1000").json()["results"]]
    for ordering, expected in (("name", whole), ("-name", whole[::-1])):
        page = client.get(f"/api/v1/articles/?limit=10&ordering={ordering}").json()
        seen = [row["id"] for row in page["results"]]
        while page["next"]:
            page = client.get(page["next"]).json()
            seen += [row["id"] for row in page["results"]]
        assert seen == expected


def test_next_page_stays_with_the_position_of_the_first(client: Client) -> None:
    first = client.get(f"{LIST}?limit=1").json()
    token = token_of(first["next"])
    content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert content[0] == first["position"]
    assert client.get(first["next"]).json()["position"] == first["position"]


def test_list_at_an_earlier_position_has_what_was_published_by_then(client: Client) -> None:
    """The cursor of a first page that was asked for after the first publication."""
    owner = token_of(client.get(f"{LIST}?limit=1&ordering=published").json()["next"])
    owner = json.loads(base64.urlsafe_b64decode(owner + "=" * (-len(owner) % 4)))[1]
    token = paging.encode(paging.Cursor(2, 0, (0,)), owner)
    page = client.get(f"{LIST}?limit=1&ordering=published&cursor={token}").json()
    second = client.get(page["next"]).json()
    assert [row["published_at"] for row in page["results"] + second["results"]]
    assert second["next"] is None
    assert page["position"] == second["position"] == 2


@pytest.mark.parametrize(
    "change",
    ["ordering=code", "grading=fair", "date_from=2000-01-01"],
)
def test_cursor_of_other_filters_or_another_order_is_refused(client: Client, change: str) -> None:
    following = client.get(f"{LIST}?limit=1").json()["next"]
    response = client.get(f"{following}&{change}")
    assert response.status_code == 400
    assert response.json()["type"] == "/problems/invalid-cursor"


def test_cursor_of_another_list_is_refused(client: Client) -> None:
    token = token_of(client.get("/api/v1/actors/?limit=1").json()["next"])
    assert client.get("/api/v1/outlets/?limit=1").status_code == 200
    assert client.get(f"/api/v1/outlets/?limit=1&cursor={token}").status_code == 400


def test_page_may_be_longer_or_shorter_than_the_one_before(client: Client) -> None:
    following = client.get(f"{LIST}?limit=1").json()["next"]
    assert len(client.get(following.replace("limit=1", "limit=2")).json()["results"]) == 2


def _token(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "AAAA",
        "%3D%3D",
        "é",
        "a" * 3001,
        _token({}),
        _token([]),
        _token([[[[[]]]]]),
        _token([3, "x", 0, ["2023-10-09", "MMR-2023-0001"], False]),
        _token([3, "x", 9, ["2023-10-09", "MMR-2023-0001"], False]),
        _token([3, "x", -1, ["2023-10-09", "MMR-2023-0001"], False]),
        _token([3, "x", True, ["2023-10-09", "MMR-2023-0001"], False]),
        _token([10**30, "x", 0, ["2023-10-09", "MMR-2023-0001"], False]),
        _token([3, "x", 0, ["2023-10-09"], False]),
        _token([3, "x", 0, [None, "MMR"], False]),
        _token([3, "x", 0, ["2023-10-09", "\x00"], False]),
        _token([3, "x", 0, ["2023-10-09", "\ud800"], False]),
        base64.urlsafe_b64encode(b"[" * 2000).decode(),
        base64.urlsafe_b64encode(b"9" * 2000).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_forged_cursor_is_refused(client: Client, token: str) -> None:
    response = client.get(LIST, {"cursor": token})
    assert response.status_code == 400


def test_position_beyond_the_ledger_is_refused(client: Client) -> None:
    following = client.get(f"{LIST}?limit=1").json()["next"]
    token = token_of(following)
    content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    content[0] += 1
    forged = base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode())
    assert client.get(following.replace(token, forged.rstrip(b"=").decode())).status_code == 400


def test_count_is_given_when_asked_for(client: Client) -> None:
    assert "count" not in client.get(LIST).json()
    assert "count" not in client.get(f"{LIST}?count=false").json()
    assert client.get(f"{LIST}?count=true&limit=1").json()["count"] == 3
    assert client.get(f"{LIST}?count=true&grading=fair").json()["count"] == 1


def test_links_are_in_the_header_as_in_the_body(client: Client) -> None:
    first = client.get(f"{LIST}?limit=1")
    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    second = client.get(first.json()["next"])
    assert f'<{second.json()["previous"]}>; rel="prev"' in second["Link"]
    assert "Link" not in client.get(LIST)


def test_rows_are_the_stored_bytes(client: Client) -> None:
    body = client.get(LIST).content
    with connections["published"].cursor() as cursor:
        cursor.execute("SELECT summary FROM incidents_publishedincident")
        for (summary,) in cursor.fetchall():
            assert summary.encode() in body


def test_fields_pick_keys_of_each_row(client: Client) -> None:
    rows = client.get(f"{LIST}?fields=title,code").json()["results"]
    assert [set(row) for row in rows] == [{"code", "title"}] * 3


def test_page_that_would_be_too_long_ends_early_with_a_next(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = codes(client.get(LIST).json())
    monkeypatch.setattr(paging, "MAX_PAGE_BYTES", 14_000)
    page = client.get(f"{LIST}?limit=100").json()
    seen = [codes(page)]
    while page["next"]:
        page = client.get(page["next"]).json()
        seen.append(codes(page))
    assert len(seen) > 1
    assert [code for rows in seen for code in rows] == whole
    monkeypatch.setattr(paging, "MAX_PAGE_BYTES", 10)
    assert len(client.get(LIST).json()["results"]) == 1


class TestETag:
    @pytest.mark.parametrize("path", ["incidents/", "places/", "articles/?limit=2"])
    def test_unchanged_list_is_304_without_the_queries_of_the_page(
        self, client: Client, path: str
    ) -> None:
        etag = client.get(f"/api/v1/{path}")["ETag"]
        with CaptureQueriesContext(connections["published"]) as queries:
            response = client.get(f"/api/v1/{path}", headers={"If-None-Match": etag})
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == etag
        assert [q["sql"].split(" FROM ")[1].split()[0] for q in queries] == [
            '"incidents_ledgerhead"'
        ]

    def test_each_query_has_its_own(self, client: Client) -> None:
        paths = ["", "?limit=1", "?grading=fair", "?ordering=code", "?count=true", "?fields=code"]
        assert len({client.get(LIST + path)["ETag"] for path in paths}) == len(paths)

    def test_the_same_query_spelt_otherwise_has_the_same(self, client: Client) -> None:
        one = client.get(f"{LIST}?weapon=EXG&grading=fair&weapon=EXA")["ETag"]
        other = client.get(f"{LIST}?grading=%66air&weapon=EXA&weapon=EXG")["ETag"]
        assert one == other

    def test_refused_query_stays_refused(self, client: Client) -> None:
        response = client.get(f"{LIST}?wepon=EXG", headers={"If-None-Match": "*"})
        assert response.status_code == 400


def test_head_has_the_headers_of_get_and_no_body(client: Client) -> None:
    got, head = client.get(LIST), client.head(LIST)
    assert head.status_code == 200
    assert head.content == b""
    assert dict(head.headers) == dict(got.headers)


def test_answers_are_kept_by_anyone_and_asked_for_each_time(client: Client) -> None:
    response = client.get(LIST)
    assert response["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert "Cookie" not in response.get("Vary", "")
    assert not response.cookies


@pytest.mark.parametrize("path", ["incidents/", "places/", "actors/", "outlets/", "articles/"])
def test_list_costs_the_same_for_one_row_as_for_three(client: Client, path: str) -> None:
    def cost(limit: int) -> int:
        with CaptureQueriesContext(connections["published"]) as queries:
            rows = client.get(f"/api/v1/{path}?limit={limit}&ordering={ordering}").json()
        assert len(rows["results"]) == limit
        return len(queries)

    ordering = "code" if path == "incidents/" else "name"
    assert cost(1) == cost(3) <= 4


def test_costliest_list_takes_four_queries(client: Client) -> None:
    """Position, dated and undated keys, the texts, and the count."""
    query = "count=true&date_from=2000-01-01&killed_all_max__gte=0&q=laiza&place=MMR&weapon=EXG"
    with CaptureQueriesContext(connections["published"]) as queries:
        assert client.get(f"{LIST}?{query}").json()["count"] == 3
    assert len(queries) == 4

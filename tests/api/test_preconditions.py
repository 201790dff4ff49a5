"""A change is made to what was read; and what every view of the team has in common."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from django.test import RequestFactory

from harmtracker.api import preconditions
from harmtracker.api.problems import Problem
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from sources.models import Outlet
from tests import builders
from tests.clients import Api

pytestmark = pytest.mark.urls("tests.api.example_views")

TAG = '"abc"'


@pytest.fixture
def outlet(people: SimpleNamespace) -> Outlet:
    with acting(people.researcher):
        return builders.outlet(slug="a-paper", name="A paper")


HEADERS: list[tuple[str | None, str | None]] = [
    (None, "precondition-required"),
    (TAG, None),
    (f"  {TAG} ", None),
    ('"abd"', "precondition-failed"),
    (f"W/{TAG}", "precondition-failed"),
    ("*", "precondition-failed"),
    ("", "precondition-failed"),
    ('""', "precondition-failed"),
    ("abc", "precondition-failed"),
    ('"abc', "precondition-failed"),
    ("'abc'", "precondition-failed"),
    (f"{TAG}, {TAG}", "precondition-failed"),
    (f'{TAG},"abd"', "precondition-failed"),
    (f"{TAG}{TAG}", "precondition-failed"),
    ('"a b"', "precondition-failed"),
    ('"ab\x00c"', "precondition-failed"),
    (f'"{"a" * 5000}"', "precondition-failed"),
]


@pytest.mark.parametrize(("header", "slug"), HEADERS)
def test_one_strong_etag_is_taken(header: str | None, slug: str | None) -> None:
    request = RequestFactory().put("/")
    if header is not None:
        request.META["HTTP_IF_MATCH"] = header
    if slug is None:
        assert preconditions.if_match(request) == TAG
        preconditions.check(request, TAG)
        return
    with pytest.raises(Problem) as caught:
        preconditions.check(request, TAG)
    assert caught.value.slug == slug


def test_stale_etag_is_answered_with_the_one_of_now() -> None:
    request = RequestFactory().put("/", headers={"If-Match": TAG})
    with pytest.raises(Problem) as caught:
        preconditions.check(request, '"now"')
    assert caught.value.headers == {"ETag": '"now"'}


@pytest.mark.django_db
class TestRecord:
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_change_needs_what_was_read(
        self, api: Callable[..., Api], outlet: Outlet, method: str
    ) -> None:
        client = api("researcher")
        path = f"/outlets/{outlet.uuid}/"
        read = client.get(path)
        for header, status in ((None, 428), ("*", 412), (f"W/{read['ETag']}", 412), ('"x"', 412)):
            headers = {} if header is None else {"If-Match": header}
            response = client.request(method, path, read.json(), headers=headers)
            assert response.status_code == status
            assert response["Content-Type"] == "application/problem+json"
        assert response["ETag"] == read["ETag"]
        body = read.json() | {"name": "Another"}
        response = client.request(method, path, body, headers={"If-Match": read["ETag"]})
        assert response.status_code == 200
        assert response["ETag"] == client.get(path)["ETag"] != read["ETag"]
        response = client.request(method, path, body, headers={"If-Match": read["ETag"]})
        assert response.status_code == 412

    def test_history_says_with_which_request(self, api: Callable[..., Api], outlet: Outlet) -> None:
        client = api("researcher")
        path = f"/outlets/{outlet.uuid}/"
        for name in ("One", "Two"):
            tag = client.get(path)["ETag"]
            client.patch(path, {"name": name}, headers={"If-Match": tag})
        *_, one, two = HistoryEntry.objects.filter(table_name="sources_outlet", row_id=outlet.pk)
        assert one.request_id is not None
        assert two.request_id is not None
        assert one.request_id != two.request_id


def test_of_two_edits_at_once_one_is_refused(committed: None, api: Callable[..., Api]) -> None:
    outlet = Outlet.objects.first()
    assert outlet is not None
    path = f"/outlets/{outlet.uuid}/"
    client = api("researcher")
    for _round in range(10):
        tag = client.get(path)["ETag"]
        barrier = threading.Barrier(2)
        statuses: list[int] = []

        def edit(
            name: str,
            tag: str = tag,
            barrier: threading.Barrier = barrier,
            statuses: list[int] = statuses,
        ) -> None:
            barrier.wait()
            response = Api(client.bearer).patch(path, {"name": name}, headers={"If-Match": tag})
            statuses.append(response.status_code)
            connections.close_all()

        threads = [threading.Thread(target=edit, args=(f"{_round} {i}",)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200, 412]


# --- What every view of the team has in common ---

PATHS = ["/outlets/", "/outlets/00000000-0000-0000-0000-000000000000/", "/kinds/", "/step/"]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"]


@pytest.mark.django_db
class TestTeamView:
    def _assert_private(self, response: Any) -> None:
        assert response["Cache-Control"] == "private, no-store"
        assert "Authorization" in response["Vary"]

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("path", PATHS)
    def test_who_asks_comes_first(self, api: Callable[..., Api], path: str, method: str) -> None:
        bodies = set()
        for client in (api(None), Api("ht_0123456789ab_" + "x" * 43), Api("x")):
            response = client.request(method, path, {"a": 1})
            assert response.status_code == 401
            assert response["WWW-Authenticate"] == "Bearer"
            bodies.add(response.content)
            self._assert_private(response)
        assert len(bodies) == 1

    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            ("/outlets/", {"POST"}),
            ("/outlets/00000000-0000-0000-0000-000000000000/", {"GET", "HEAD", "PUT", "PATCH"}),
        ],
    )
    def test_method_that_is_not_there_is_405(
        self, api: Callable[..., Api], path: str, allowed: set[str]
    ) -> None:
        client = api("researcher")
        for method in set(METHODS) - allowed:
            response = client.request(method, path)
            assert response.status_code == 405, method
            assert set(response["Allow"].split(", ")) == allowed
            self._assert_private(response)

    def test_scope_is_asked_for(self, api: Callable[..., Api], outlet: Outlet) -> None:
        client = api("researcher", ["casework:read"])
        path = f"/outlets/{outlet.uuid}/"
        self._assert_private(client.get(path))
        response = client.patch(path, {}, headers={"If-Match": client.get(path)["ETag"]})
        assert response.status_code == 403
        assert "casework:write" in response.json()["detail"]
        self._assert_private(response)

    def test_parameters_are_strict(self, api: Callable[..., Api]) -> None:
        client = api("researcher")
        response = client.post("/kinds/", {}, query={"lik": "x"})
        assert response.status_code == 400
        assert response.json()["errors"][0]["nearest"] == "like"
        assert client.post("/kinds/", {}, query={"like": "x"}).status_code == 200
        assert client.post("/kinds/?like=%00", {}).status_code == 400
        assert client.post("/kinds/?like=" + "x" * 5000, {}).status_code == 414

    def test_helpers_give_status_and_etag(self, api: Callable[..., Api]) -> None:
        client = api("researcher")
        response = client.post(
            "/outlets/",
            {"slug": "new", "name": "N", "kind": "ngo", "independence_group": "n"},
        )
        assert response.status_code == 201
        assert client.get(response["Location"])["ETag"] == response["ETag"]
        self._assert_private(response)
        done = client.post("/step/")
        assert (done.status_code, done["ETag"], done.content) == (204, '"1"', b"")
        assert "Content-Type" not in done
        self._assert_private(done)

    @pytest.mark.parametrize("number", range(6))
    def test_refusal_of_the_database_is_no_fault_of_ours(
        self, api: Callable[..., Api], number: int
    ) -> None:
        response = api("researcher").get(f"/rules/{number}/")
        assert response.status_code == 400
        assert response.json()["type"] == "/problems/invalid"
        self._assert_private(response)

    def test_fault_of_ours_says_no_more_than_its_id(
        self, api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise ZeroDivisionError("SENTINEL-NAME")

        monkeypatch.setattr("tests.api.example_views.Step.no_content", fail)
        response = api("researcher").post("/step/")
        assert response.status_code == 500
        assert b"SENTINEL" not in response.content
        self._assert_private(response)

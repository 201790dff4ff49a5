"""A POST that is sent again has one effect and one answer, whatever dies in between."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import RequestFactory

from harmtracker.api import idempotency
from harmtracker.history.models import HistoryEntry
from harmtracker.models import IdempotentRequest
from sources.models import Outlet
from tests.clients import Api
from tests.rules import run

pytestmark = pytest.mark.urls("tests.api.example_views")

GOOD = {"slug": "new", "name": "New", "kind": "local_media", "independence_group": "new"}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def _all(response: Any) -> tuple[int, bytes, dict[str, str]]:
    headers = dict(response.headers)
    headers.pop("Idempotency-Replayed", None)
    return response.status_code, response.content, headers


@pytest.mark.django_db
class TestOnce:
    def test_same_request_has_the_same_answer(self, api: Callable[..., Api]) -> None:
        client = api("researcher")
        first = client.post("/outlets/", GOOD, headers=KEY)
        assert first.status_code == 201
        assert "Idempotency-Replayed" not in first
        entries = HistoryEntry.objects.count()
        for _ in range(3):
            again = client.post("/outlets/", GOOD, headers=KEY)
            assert again["Idempotency-Replayed"] == "true"
            assert _all(again) == _all(first)
        assert HistoryEntry.objects.count() == entries

    def test_answer_is_the_same_as_without_a_key(self, api: Callable[..., Api]) -> None:
        client = api("researcher")
        plain = client.post("/outlets/", GOOD)
        keyed = client.post("/outlets/", GOOD | {"slug": "other"}, headers=KEY)
        assert set(plain.headers) == set(keyed.headers)
        assert plain.json().keys() == keyed.json().keys()
        assert plain["Content-Type"] == keyed["Content-Type"] == "application/json"

    def test_answer_stays_when_the_record_changes(self, api: Callable[..., Api]) -> None:
        client = api("researcher")
        first = client.post("/outlets/", GOOD, headers=KEY)
        tag = {"If-Match": first["ETag"]}
        assert client.patch(first["Location"], {"name": "Other"}, headers=tag).status_code == 200
        assert _all(client.post("/outlets/", GOOD, headers=KEY)) == _all(first)

    @pytest.mark.parametrize(
        "other",
        [
            {"body": GOOD | {"name": "Other"}},
            {"raw": json.dumps(GOOD, indent=1).encode()},
            {"body": GOOD, "more": {"If-Match": '"x"'}},
        ],
    )
    def test_key_of_another_request_is_refused(
        self, api: Callable[..., Api], other: dict[str, Any]
    ) -> None:
        client = api("researcher")
        client.post("/outlets/", GOOD, headers=KEY)
        headers = KEY | other.pop("more", {})
        response = client.request("POST", "/outlets/", headers=headers, **other)
        assert response.status_code == 422
        assert response.json()["type"] == "/problems/key-used-otherwise"
        assert Outlet.objects.filter(slug="new").count() == 1

    def test_fingerprint_tells_requests_apart(self) -> None:
        def of(path: str = "/a/", body: bytes = b"{}", **headers: str) -> str:
            request: Any = RequestFactory().post(path, headers=headers)
            request.data, request.raw_body = {}, body
            return idempotency._fingerprint(request, None)

        different = [of(), of("/b/"), of("/a/?x=1"), of(body=b"{ }"), of(**{"If-Match": '"1"'})]
        assert len(set(different)) == len(different)
        assert of(**{"User-Agent": "x"}) == of()
        request: Any = RequestFactory().post("/a/")
        files = [idempotency._fingerprint(request, letter * 64) for letter in "ab"]
        assert files[0] != files[1]

    def test_each_person_has_keys_of_their_own(self, api: Callable[..., Api]) -> None:
        one, other = api("researcher"), api("other_researcher")
        assert one.post("/outlets/", GOOD, headers=KEY).status_code == 201
        response = other.post("/outlets/", GOOD | {"slug": "other"}, headers=KEY)
        assert response.status_code == 201
        assert "Idempotency-Replayed" not in response
        # Two tokens of one person are one person.
        again = api("researcher").post("/outlets/", GOOD, headers=KEY)
        assert again["Idempotency-Replayed"] == "true"

    def test_token_that_may_not_write_gets_no_old_answer(self, api: Callable[..., Api]) -> None:
        api("researcher").post("/outlets/", GOOD, headers=KEY)
        reader = api("researcher", ["casework:read"])
        assert reader.post("/outlets/", GOOD, headers=KEY).status_code == 403

    @pytest.mark.parametrize(
        "key", ["", " ", "a b", "é", "\x7f", "a\tb", "x" * 256, "\u2028", "a\x00"]
    )
    def test_key_that_is_none_is_refused(self, api: Callable[..., Api], key: str) -> None:
        client = api("researcher")
        response = client.post("/outlets/", GOOD, headers={"Idempotency-Key": key})
        assert response.status_code == 400
        assert not Outlet.objects.filter(slug="new").exists()

    @pytest.mark.parametrize("key", ["x" * 255, '"quoted"', "a,b", "!", "%s'--"])
    def test_key_is_any_visible_text(self, api: Callable[..., Api], key: str) -> None:
        client = api("researcher")
        for replayed in (False, True):
            response = client.post("/outlets/", GOOD, headers={"Idempotency-Key": key})
            assert response.status_code == 201
            assert ("Idempotency-Replayed" in response) == replayed

    @pytest.mark.parametrize(
        ("body", "more", "status"),
        [
            (GOOD | {"name": ""}, {}, 400),
            (GOOD, {"X-Answer": "conflict"}, 409),
        ],
    )
    def test_refusal_is_not_kept_and_leaves_nothing(
        self, api: Callable[..., Api], body: Any, more: dict[str, str], status: int
    ) -> None:
        client = api("researcher")
        entries = HistoryEntry.objects.count()
        response = client.post("/outlets/", body, headers=KEY | more)
        assert response.status_code == status
        assert HistoryEntry.objects.count() == entries
        assert not Outlet.objects.filter(slug="new").exists()
        assert not IdempotentRequest.objects.exists()
        assert client.post("/outlets/", GOOD, headers=KEY).status_code == 201

    def test_body_that_cannot_be_read_is_refused_first(self, api: Callable[..., Api]) -> None:
        client = api("researcher")
        assert client.post("/outlets/", raw=b"{", headers=KEY).status_code == 400
        assert not IdempotentRequest.objects.exists()

    def test_application_alters_no_answer(self, api: Callable[..., Api]) -> None:
        rows = run(
            "SELECT has_table_privilege('harmtracker_idempotentrequest', p) "
            "FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE', 'UPDATE', 'TRUNCATE']) p"
        )
        assert [row[0] for row in rows] == [True, True, True, False, False]


class TestAtOnce:
    def test_fifty_at_once_have_one_effect(self, committed: None, api: Callable[..., Api]) -> None:
        bearer = api("researcher").bearer
        barrier = threading.Barrier(50)
        answers: list[Any] = []

        def send() -> None:
            barrier.wait()
            headers = KEY | {"X-Seconds": "0.2"}
            answers.append(Api(bearer).post("/outlets/", GOOD, headers=headers))
            connections.close_all()

        threads = [threading.Thread(target=send) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 50
        done = [answer for answer in answers if answer.status_code == 201]
        busy = [answer for answer in answers if answer.status_code == 409]
        assert len(done) + len(busy) == 50
        assert done
        assert busy
        assert len({answer.content for answer in done}) == 1
        assert sum("Idempotency-Replayed" not in answer for answer in done) == 1
        for answer in busy:
            assert answer.json()["type"] == "/problems/in-progress"
            assert answer["Retry-After"] == "1"
        assert Outlet.objects.filter(slug="new").count() == 1
        again = Api(bearer).post("/outlets/", GOOD, headers=KEY)
        assert _all(again) == _all(done[0])

    def test_keys_of_one_person_do_not_wait_for_each_other(
        self, committed: None, api: Callable[..., Api]
    ) -> None:
        bearer = api("researcher").bearer
        statuses: list[int] = []

        def send(i: int) -> None:
            headers = {"Idempotency-Key": f"key {i}".replace(" ", "-"), "X-Seconds": "0.2"}
            body = GOOD | {"slug": f"new-{i}"}
            statuses.append(Api(bearer).post("/outlets/", body, headers=headers).status_code)
            connections.close_all()

        threads = [threading.Thread(target=send, args=(i,)) for i in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [201] * 5


def test_answers_are_kept_for_a_week(committed: None, api: Callable[..., Api]) -> None:
    def age(days: float) -> None:
        run(
            "UPDATE harmtracker_idempotentrequest SET at = now() - %s",
            [datetime.timedelta(days=days)],
            using="owner",
        )

    one, other = api("researcher"), api("other_researcher")
    one.post("/outlets/", GOOD, headers=KEY)
    other.post("/outlets/", GOOD | {"slug": "others"}, headers=KEY)
    age(6.9)
    one.post("/outlets/", GOOD | {"slug": "next"}, headers={"Idempotency-Key": "next"})
    assert one.post("/outlets/", GOOD, headers=KEY)["Idempotency-Replayed"] == "true"
    age(7.1)
    one.post("/outlets/", GOOD | {"slug": "last"}, headers={"Idempotency-Key": "last"})
    left = IdempotentRequest.objects.values_list("user__username", "key")
    assert set(left) == {("researcher", "last"), ("other_researcher", KEY["Idempotency-Key"])}


# A process of its own that answers one request, or dies over it.
PROCESS = """
import json, os, sys
import django
django.setup()
from django.conf import settings
from tests import database
from tests.clients import Api
database.use(os.environ["DATABASE_NAME"])
settings.ROOT_URLCONF = "tests.api.example_views"
sent = json.load(sys.stdin)
answer = Api(sent["bearer"]).post("/outlets/", sent["body"], headers=sent["headers"])
print(answer.status_code)
"""


class TestDeath:
    def _send(self, bearer: str | None, headers: dict[str, str]) -> subprocess.CompletedProcess:
        database = connections["default"].settings_dict["NAME"]
        return subprocess.run(
            [sys.executable, "-c", PROCESS],
            input=json.dumps({"bearer": bearer, "body": GOOD, "headers": headers}),
            text=True,
            capture_output=True,
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_NAME": str(database)},
            timeout=60,
            check=False,
        )

    def test_killed_between_commit_and_answer(
        self, committed: None, api: Callable[..., Api]
    ) -> None:
        client = api("researcher")
        process = self._send(client.bearer, KEY | {"X-Die": "after"})
        assert process.returncode == -signal.SIGKILL, process.stderr
        assert Outlet.objects.filter(slug="new").count() == 1
        stored = IdempotentRequest.objects.get()
        response = client.post("/outlets/", GOOD, headers=KEY)
        assert response.status_code == 201
        assert response["Idempotency-Replayed"] == "true"
        assert hashlib.sha256(response.content).digest() == hashlib.sha256(stored.body).digest()
        outlet = Outlet.objects.get(slug="new")
        assert response.json()["uuid"] == str(outlet.uuid)
        assert client.get(response["Location"])["ETag"] == response["ETag"]

    def test_killed_before_commit(self, committed: None, api: Callable[..., Api]) -> None:
        client = api("researcher")
        process = self._send(client.bearer, KEY | {"X-Die": "before"})
        assert process.returncode == -signal.SIGKILL, process.stderr
        assert not Outlet.objects.filter(slug="new").exists()
        assert not IdempotentRequest.objects.exists()
        response = client.post("/outlets/", GOOD, headers=KEY)
        assert response.status_code == 201
        assert "Idempotency-Replayed" not in response
        assert Outlet.objects.filter(slug="new").count() == 1

"""Requests are counted over all processes, by who asks, and refused politely beyond the rate."""

from __future__ import annotations

import logging
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.http import HttpRequest
from django.test import Client, RequestFactory

from harmtracker import rates
from harmtracker.accounts import tokens
from harmtracker.addresses import client_address, network
from harmtracker.api import problems, throttling
from harmtracker.models import RequestCount
from tests.clients import Api
from tests.running import server_process

ROOT = "/api/v1/"
CASEWORK = "/api/v1/casework/incidents/"


@pytest.fixture(autouse=True)
def counter(monkeypatch: pytest.MonkeyPatch) -> throttling.Counter:
    """A process that has counted nothing yet."""
    fresh = throttling.Counter()
    monkeypatch.setattr(throttling, "COUNTER", fresh)
    return fresh


@pytest.fixture
def low(settings: Any) -> None:
    settings.HARMTRACKER_RATE_ANONYMOUS = "3/min"
    settings.HARMTRACKER_RATE_TOKEN = "5/min"
    settings.HARMTRACKER_RATE_FILE = "2/min"
    settings.HARMTRACKER_RATE_FILE_TOKEN = "4/min"
    settings.HARMTRACKER_RATE_EXPORT = "2/h"
    settings.HARMTRACKER_RATE_EXPORT_TOKEN = "4/h"


def statuses(client: Client, times: int, path: str = ROOT, **more: Any) -> list[int]:
    return [client.get(path, **more).status_code for _ in range(times)]


def time_is_over() -> None:
    """As if the time of every count had ended."""
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE harmtracker_requestcount SET ends_at = now() - interval '1 s'")


@pytest.mark.django_db(databases=["default", "published"])
@pytest.mark.usefixtures("low")
class TestAnonymous:
    def test_refused_beyond_the_rate_with_the_time_to_wait(self, client: Client) -> None:
        assert statuses(client, 3) == [200] * 3
        refused = client.get(ROOT)
        assert refused.status_code == 429
        assert refused["Content-Type"] == "application/problem+json"
        assert refused["Cache-Control"] == "no-store"
        assert refused.json()["type"] == "/problems/throttled"
        assert 0 < int(refused["Retry-After"]) <= 60
        assert refused["Retry-After"] in refused.json()["detail"]
        time_is_over()
        assert client.get(ROOT).status_code == 200

    def test_headers_say_what_is_left(self, client: Client) -> None:
        for left in (2, 1, 0, 0):
            answer = client.get(ROOT)
            assert answer["RateLimit-Policy"] == '"requests";q=3;w=60'
            assert answer["RateLimit"] == f'"requests";r={left};t=60'

    def test_refusals_do_not_prolong_the_wait(self, client: Client) -> None:
        statuses(client, 20)
        assert RequestCount.objects.get().used == 4

    def test_errors_head_and_304_count_as_well(self, client: Client) -> None:
        etag = client.get(ROOT)["ETag"]
        assert client.head(ROOT)["RateLimit"].startswith('"requests";r=1;')
        unchanged = client.get(ROOT, headers={"If-None-Match": etag})
        assert unchanged.status_code == 304
        assert unchanged["RateLimit"].startswith('"requests";r=0;')
        assert client.get(f"{ROOT}incidents/?wepon=x").status_code == 429

    def test_each_address_has_a_count_of_its_own(self, client: Client) -> None:
        assert statuses(client, 4, REMOTE_ADDR="192.0.2.1")[-1] == 429
        assert client.get(ROOT, REMOTE_ADDR="192.0.2.2").status_code == 200

    def test_invented_addresses_change_nothing(self, client: Client) -> None:
        answers = [
            client.get(ROOT, headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
            for n in range(6)
        ]
        assert answers == [200] * 3 + [429] * 3

    def test_behind_our_proxy_the_address_it_adds_counts(
        self, client: Client, settings: Any
    ) -> None:
        settings.HARMTRACKER_PROXIES = 1
        for n in range(3):
            client.get(ROOT, headers={"X-Forwarded-For": f"203.0.113.{n}, 198.51.100.7"})
        other = client.get(ROOT, headers={"X-Forwarded-For": "198.51.100.8"})
        same = client.get(ROOT, headers={"X-Forwarded-For": "9.9.9.9, 198.51.100.7"})
        assert (other.status_code, same.status_code) == (200, 429)

    @pytest.mark.parametrize("path", ["/", "/healthz", "/problems/", "/api/v1/schema/"])
    def test_pages_and_the_description_are_not_counted(self, client: Client, path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200
        assert "RateLimit" not in answer
        assert not RequestCount.objects.exists()

    def test_the_table_holds_no_address(self, client: Client) -> None:
        client.get(ROOT, REMOTE_ADDR="192.0.2.99")
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT kept::text FROM harmtracker_requestcount kept")
            ((row,),) = cursor.fetchall()
        assert "192.0.2" not in row

    def test_tomorrow_the_same_address_is_another_digest(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.get(ROOT)
        now = throttling.timezone.now()
        monkeypatch.setattr(throttling.timezone, "now", lambda: now.replace(year=now.year + 1))
        client.get(ROOT)
        assert RequestCount.objects.count() == 2


@pytest.mark.django_db(databases=["default", "published"])
@pytest.mark.usefixtures("low")
class TestTokens:
    def test_a_token_raises_the_rate_and_nothing_else(self, api: Callable[..., Api]) -> None:
        program, nobody = api("researcher", ["public"]), Client()
        plain, mine = nobody.get(ROOT), program.get(ROOT)
        assert mine["RateLimit"] == '"requests";r=4;t=60'
        assert mine.content == plain.content
        counted = {"RateLimit", "RateLimit-Policy"}
        assert {k: v for k, v in mine.items() if k not in counted} == {
            k: v for k, v in plain.items() if k not in counted
        }
        assert program.get(ROOT, headers={"If-None-Match": plain["ETag"]}).status_code == 304
        assert [program.get(ROOT).status_code for _ in range(4)] == [200] * 3 + [429]
        # The address that it came from has used one of its own.
        assert nobody.get(ROOT)["RateLimit"].startswith('"requests";r=1;')

    def test_each_token_has_a_count_of_its_own(self, api: Callable[..., Api]) -> None:
        one, other = api("researcher", ["public"]), api("researcher", ["public"])
        assert [one.get(ROOT).status_code for _ in range(6)][-1] == 429
        assert other.get(ROOT).status_code == 200

    def test_casework_is_counted_by_token(self, api: Callable[..., Api]) -> None:
        program = api("researcher")
        answers = [program.get(CASEWORK) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[0]["RateLimit"] == '"requests";r=4;t=60'

    def test_casework_without_a_token_is_counted_by_address(self, client: Client) -> None:
        assert statuses(client, 4, CASEWORK) == [401] * 3 + [429]

    def test_use_on_public_addresses_is_remembered(
        self, api: Callable[..., Api], people: SimpleNamespace
    ) -> None:
        api("researcher", ["public"]).get(ROOT)
        assert people.researcher.tokens.get().last_used_on is not None

    def test_a_dead_token_is_told_so(
        self, api: Callable[..., Api], people: SimpleNamespace
    ) -> None:
        program = api("researcher", ["public"])
        tokens.revoke(people.researcher.tokens.get(), people.researcher)
        answer = program.get(ROOT)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer.json()["type"] == "/problems/not-authenticated"
        assert "revoked" in answer.json()["detail"]

    @pytest.mark.parametrize("header", ["Bearer", "Bearer x", "bearer ht_0_0", "Bearer é"])
    def test_what_is_no_token_is_told_so(self, client: Client, header: str) -> None:
        answer = client.get(ROOT, headers={"Authorization": header})
        assert answer.status_code == 401

    def test_dead_tokens_are_counted_as_guesses(self, client: Client, settings: Any) -> None:
        settings.HARMTRACKER_RATE_ANONYMOUS = "1000/min"
        answers = statuses(client, 21, headers={"Authorization": "Bearer x"})
        assert answers == [401] * 20 + [429]
        assert client.get(ROOT).status_code == 200

    def test_another_scheme_is_not_looked_at(self, client: Client) -> None:
        answer = client.get(ROOT, headers={"Authorization": "Basic eDp5"})
        assert answer.status_code == 200


@pytest.mark.django_db(databases=["default", "published"])
@pytest.mark.usefixtures("low")
def test_files_of_releases_have_a_rate_of_their_own(client: Client) -> None:
    """Whoever takes a whole release goes on asking for other things, and the other way round."""
    file = f"{ROOT}releases/2026.1/builds/1/datapackage.json"
    assert client.get(file)["RateLimit-Policy"] == '"files";q=2;w=60'
    assert statuses(client, 2, file) == [404, 429]
    assert statuses(client, 4, f"{ROOT}releases/") == [200] * 3 + [429]


@pytest.mark.django_db(databases=["default"])
@pytest.mark.usefixtures("low")
class TestExports:
    """A view counts an export by itself, when nothing else can be refused."""

    def request(self) -> HttpRequest:
        return RequestFactory().get(ROOT)

    def test_exports_have_a_rate_of_their_own(self) -> None:
        for _ in range(2):
            request = self.request()
            throttling.count(request, throttling.EXPORTS)
            assert throttling.headers(request)["RateLimit-Policy"] == '"exports";q=2;w=3600'
        with pytest.raises(problems.Problem) as refused:
            throttling.count(self.request(), throttling.EXPORTS)
        assert 0 < int(refused.value.headers["Retry-After"]) <= 3600

    def test_both_counts_stand_in_the_headers(self) -> None:
        request = self.request()
        throttling.count(request)
        throttling.count(request, throttling.EXPORTS)
        assert throttling.headers(request) == {
            "RateLimit-Policy": '"requests";q=3;w=60, "exports";q=2;w=3600',
            "RateLimit": '"requests";r=2;t=60, "exports";r=1;t=3600',
        }


@pytest.mark.django_db(databases=["default", "published"])
class TestCounting:
    def test_rows_whose_time_is_over_are_swept(
        self, client: Client, settings: Any, counter: throttling.Counter
    ) -> None:
        settings.HARMTRACKER_RATE_ANONYMOUS = "3/min"
        for n in range(5):
            client.get(ROOT, REMOTE_ADDR=f"192.0.2.{n}")
        time_is_over()
        counter._sweeps_at = 0.0
        client.get(ROOT, REMOTE_ADDR="192.0.2.200")
        assert RequestCount.objects.count() == 1
        assert counter._sweeps_at > 0

    def test_the_table_is_unlogged(self) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT relpersistence FROM pg_class WHERE relname = 'harmtracker_requestcount'"
            )
            assert cursor.fetchone() == ("u",)

    def test_nothing_is_counted_without_a_rate(self, client: Client, settings: Any) -> None:
        settings.HARMTRACKER_RATE_ANONYMOUS = ""
        assert "RateLimit" not in client.get(ROOT)
        assert not RequestCount.objects.exists()


@pytest.mark.usefixtures("three")
class TestWithoutTheDatabase:
    """Casework's database is down; what is public is given all the same."""

    @pytest.fixture(autouse=True)
    def down(self, monkeypatch: pytest.MonkeyPatch, low: None) -> list[int]:
        asked: list[int] = []

        def refuse(*args: Any) -> None:
            asked.append(1)
            raise OperationalError("it is down")

        connections["default"].close()
        monkeypatch.setattr(connections["default"], "connect", refuse)
        return asked

    def test_each_process_counts_for_itself(self, client: Client, down: list[int]) -> None:
        assert statuses(client, 4) == [200] * 3 + [429]
        # It is asked once, and then left alone for a while.
        assert len(down) == 1

    def test_that_is_logged_without_the_address(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "harmtracker.api"):
            client.get(ROOT)
        assert "counted by each process: OperationalError" in caplog.text
        assert "127.0.0.1" not in caplog.text

    def test_a_token_that_cannot_be_looked_up_is_as_none(self, client: Client) -> None:
        header = {"Authorization": f"Bearer ht_{'0' * 12}_{'0' * 64}"}
        answer = client.get(ROOT, headers=header)
        assert answer.status_code == 200
        assert answer["RateLimit-Policy"] == '"requests";q=3;w=60'

    def test_its_own_count_begins_anew_and_does_not_grow_for_ever(
        self, counter: throttling.Counter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(throttling, "KEPT_HERE", 10)
        rate = rates.Rate(1, 60)
        for n in range(50):
            digest = throttling._digest(throttling.Client(str(n)), throttling.REQUESTS, rate)
            assert counter.count(digest, rate)[0] == 1
        assert len(counter._here) <= 10
        over = counter._here[digest] = (5, 0.0)
        assert over[0] == 5
        assert counter.count(digest, rate)[0] == 1


@pytest.mark.usefixtures("committed")
def test_many_at_once_get_what_the_rate_says_and_no_more(settings: Any) -> None:
    settings.HARMTRACKER_RATE_ANONYMOUS = "60/min"
    answers: list[int] = []
    begin = threading.Barrier(8)

    def ask(worker: int) -> None:
        client = Client()
        begin.wait()
        for n in range(75):
            invented = {"X-Forwarded-For": f"10.{worker}.0.{n}"}
            answers.append(client.get(ROOT, headers=invented).status_code)
        connections.close_all()

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers.count(200), answers.count(429)) == (60, 540)


@pytest.mark.usefixtures("committed")
def test_four_processes_together_give_what_the_rate_says(tmp_path: Path) -> None:
    def status(address: str) -> int:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    rate = {"HARMTRACKER_RATE_ANONYMOUS": "60/h"}
    with server_process(tmp_path, workers=4, **rate) as server, ThreadPoolExecutor(16) as pool:
        asked = pool.map(status, [f"http://127.0.0.1:{server.port}{ROOT}"] * 600)
        answers = Counter(asked)
    # One of them was the question whether the server answers yet.
    assert answers == {200: 59, 429: 541}


@pytest.mark.parametrize(
    ("text", "rate"),
    [("60/min", (60, 60)), ("1/s", (1, 1)), ("6/h", (6, 3600)), ("9/d", (9, 86400)), ("", None)],
)
def test_rates_as_they_are_written(text: str, rate: tuple[int, int] | None) -> None:
    assert rates.parse(text) == rate


@pytest.mark.parametrize("text", ["60", "0/min", "60/minute", "-1/min", "60 / min", "٦/min"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate: write"):
        rates.parse(text)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_who_shares_a_count(address: str, counted: str) -> None:
    request = RequestFactory().get(ROOT, REMOTE_ADDR=address)
    assert network(client_address(request), bits_of_ipv4=32) == counted

"""Guessing: counted in the database, for account and network, whatever headers say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connections, transaction
from django.test import Client, RequestFactory

from harmtracker.accounts import lockout, second_factor
from harmtracker.accounts.forms import LoginForm
from harmtracker.accounts.models import Attempt, SecurityEvent, User
from harmtracker.errors import TooMany
from tests.accounts.test_tokens import ask
from tests.clients import Api, code_of
from tests.database import PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "published"])

LOGIN = "/admin/login/"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def guess(name: str = "researcher", *, network: str = "192.0.2.1", **more: Any) -> Any:
    data = {"username": name, "password": "wrong password, wrong", "code": "123456"}
    headers = more.pop("headers", {})
    return Client().post(LOGIN, data | more, REMOTE_ADDR=network, headers=headers)


def let_in(people: SimpleNamespace, *, network: str) -> bool:
    code = second_factor.make_recovery_codes(people.researcher)[0]
    return guess(network=network, password=PASSWORD, code=code).status_code == 302


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reached the hasher."""
    reached: list[str] = []
    real = hashers.MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        reached.append(password)
        return real(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", encode)
    return reached


class TestThresholds:
    def test_five_in_a_quarter_of_an_hour_for_account_and_network(
        self, people: SimpleNamespace, later: Callable[..., None], hashed: list[str]
    ) -> None:
        assert [guess().status_code for _ in range(6)] == [200] * 5 + [429]
        assert len(hashed) == 5
        refused = guess()
        assert 0 < int(refused["Retry-After"]) <= 15 * 60
        assert "try again in 15 minutes" in refused.content.decode()
        # Not even the right password, from there; elsewhere at once.
        assert not let_in(people, network="192.0.2.200")
        assert let_in(people, network="192.0.3.1")
        later(15 * MINUTE)
        assert let_in(people, network="192.0.2.1")

    def test_other_accounts_go_on_until_twenty_of_the_network(
        self, people: SimpleNamespace, later: Callable[..., None], hashed: list[str]
    ) -> None:
        statuses = [guess(f"nobody{n}").status_code for n in range(30)]
        assert statuses == [200] * 20 + [429] * 10
        assert len(hashed) == 20
        assert not let_in(people, network="192.0.2.77")
        later(HOUR)
        assert let_in(people, network="192.0.2.77")

    def test_a_name_that_nobody_has_counts_alike(self, people: SimpleNamespace) -> None:
        for network, name in (("198.51.100.1", "researcher"), ("203.0.113.1", "nobody")):
            found = [guess(name, network=network).status_code for _ in range(6)]
            assert found == [200] * 5 + [429]

    def test_what_was_right_does_not_count(self, people: SimpleNamespace) -> None:
        for _ in range(8):
            assert let_in(people, network="192.0.2.1")
        assert not Attempt.objects.exists()

    def test_wrong_codes_count_like_wrong_passwords(self, people: SimpleNamespace) -> None:
        found = [guess(password=PASSWORD, code="000000").status_code for _ in range(6)]
        assert found == [200] * 5 + [429]

    def test_twenty_wrong_codes_a_day_from_wherever(
        self, people: SimpleNamespace, later: Callable[..., None]
    ) -> None:
        for n in range(20):
            assert guess(password=PASSWORD, code="000000", network=f"10.0.{n}.1").status_code == 200
        refused = guess(password=PASSWORD, code=code_of(people.researcher), network="10.1.0.1")
        assert refused.status_code == 429
        with pytest.raises(TooMany):
            second_factor.check(people.researcher, code_of(people.researcher))
        later(timedelta(days=1))
        assert second_factor.check(people.researcher, code_of(people.researcher))

    def test_a_code_asked_for_elsewhere_counts_for_the_network(
        self, people: SimpleNamespace
    ) -> None:
        for _ in range(5):
            assert not second_factor.check(people.verifier, "000000", network="10.0.0.0/24")
        with pytest.raises(TooMany) as refused:
            second_factor.check(people.verifier, "000000", network="10.0.0.0/24")
        assert 0 < refused.value.wait_s <= 15 * 60 + 1

    def test_the_old_password_is_not_guessed_at_either(
        self, people: SimpleNamespace, signed_in: Callable[[str], Client], hashed: list[str]
    ) -> None:
        client = signed_in("researcher")
        hashed.clear()
        data = dict.fromkeys(["new_password1", "new_password2"], "another long password")
        for n in range(9):
            client.post("/admin/password_change/", data | {"old_password": f"guess {n}"})
        assert len([one for one in hashed if one.startswith("guess")]) == 5

    def test_bad_tokens_are_refused_after_twenty_and_good_ones_never(
        self, api: Callable[..., Api], signed_in: Callable[[str], Client]
    ) -> None:
        found = [ask("Bearer ht_wrong") for _ in range(22)]
        assert [answer.status_code for answer in found] == [401] * 20 + [429] * 2
        assert int(found[-1]["Retry-After"]) > 0
        assert ask(f"Bearer {api('researcher').bearer}").status_code == 200
        assert guess(network="127.0.0.1").status_code == 200


class TestHeaders:
    def test_a_thousand_with_rotating_headers_are_twenty(
        self, people: SimpleNamespace, hashed: list[str]
    ) -> None:
        refused = 0
        for n in range(1000):
            headers = {
                "X-Forwarded-For": f"10.{n % 250}.{n // 250}.{n % 199}",
                "X-Real-IP": f"10.9.{n % 250}.1",
                "Forwarded": f"for=10.8.{n % 250}.1",
                "Client-IP": f"10.7.{n % 250}.1",
            }
            request = RequestFactory().post(LOGIN, REMOTE_ADDR="192.0.2.1", headers=headers)
            data = {"username": f"name{n % 50}", "password": "wrong password", "code": "123456"}
            form = LoginForm(request, data)
            assert not form.is_valid()
            refused += form.too_many is not None
        assert refused == 980
        assert len(hashed) == 20
        assert let_in(people, network="203.0.113.9")

    @pytest.mark.parametrize(
        ("proxies", "peer", "forwarded", "network"),
        [
            (0, "192.0.2.7", "10.0.0.1", "192.0.2.0/24"),
            (1, "127.0.0.1", "10.0.0.1", "10.0.0.0/24"),
            (1, "127.0.0.1", "6.6.6.6, 10.0.0.1", "10.0.0.0/24"),
            (2, "127.0.0.1", "6.6.6.6, 10.0.0.1, 10.0.1.1", "10.0.0.0/24"),
            (2, "127.0.0.1", "10.0.0.1", "127.0.0.0/24"),
            (1, "127.0.0.1", "", "unknown"),
            (1, "127.0.0.1", "rubbish", "unknown"),
            (0, "2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
            (0, "::ffff:192.0.2.7", "", "192.0.2.0/24"),
            (0, "fe80::1%eth0", "", "fe80::/64"),
            (0, "", "", "unknown"),
        ],
    )
    def test_the_network(
        self, settings: Any, proxies: int, peer: str, forwarded: str, network: str
    ) -> None:
        settings.HARMTRACKER_PROXIES = proxies
        request = RequestFactory().get(
            "/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded}
        )
        assert lockout.network_of(request) == network


class TestKept:
    def test_neither_names_nor_addresses(self, people: SimpleNamespace) -> None:
        guess("somebody", network="192.0.2.1")
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT to_jsonb(a)::text FROM accounts_attempt a "
                "UNION ALL SELECT to_jsonb(e)::text FROM accounts_securityevent e"
            )
            text = "\n".join(row[0] for row in cursor.fetchall())
        assert "somebody" not in text
        assert "192.0.2" not in text

    def test_for_a_day(self, people: SimpleNamespace, later: Callable[..., None]) -> None:
        guess()
        later(timedelta(days=1, seconds=1))
        guess("other")
        assert Attempt.objects.count() == 1

    def test_a_lock_out_is_written_down_once(self, people: SimpleNamespace) -> None:
        for _ in range(12):
            guess()
        events = SecurityEvent.objects.filter(kind="locked_out")
        assert [event.person for event in events] == [people.researcher]
        assert SecurityEvent.objects.filter(kind="login_failed").count() == 5


def test_forty_at_once_are_no_more_than_one_after_the_other(committed: None) -> None:
    passed: list[int] = []
    barrier = threading.Barrier(40)

    def try_one(n: int) -> None:
        barrier.wait()
        try:
            lockout.reserve(lockout.Kind.LOGIN, account=f"name{n}", network="192.0.2.0/24")
            passed.append(n)
        except TooMany:
            pass
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=try_one, args=[n]) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 20


def test_a_code_is_not_checked_within_a_transaction_that_may_be_undone(committed: None) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        lockout.reserve(lockout.Kind.CODE, account="researcher")


def test_one_code_sent_twice_at_once_works_once(committed: None) -> None:
    person = User.objects.get(username="verifier")
    code = code_of(person)
    found: list[bool] = []
    barrier = threading.Barrier(4)

    def try_it() -> None:
        barrier.wait()
        try:
            found.append(second_factor.check(person, code))
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, False, True]

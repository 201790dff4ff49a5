"""The door: password and code together, each code once, and no session by the password alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode
from django_otp.plugins.otp_static.models import StaticToken

from harmtracker import settings as product
from harmtracker.accounts import second_factor
from harmtracker.accounts.forms import NewPasswordForm
from harmtracker.accounts.models import Authenticator, SecurityEvent, Token, User
from harmtracker.accounts.services import create_person
from tests.clients import code_of, logged_in
from tests.database import PASSWORD
from tests.test_access import address, routes

pytestmark = pytest.mark.django_db(databases=["default", "published"])

LOGIN = "/admin/login/"
Later = Callable[[timedelta], None]


def log_in(name: str, code: str, *, password: str = PASSWORD, client: Client | None = None) -> Any:
    client = client or Client()
    return client.post(LOGIN, {"username": name, "password": password, "code": code})


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


@pytest.fixture
def newcomer() -> User:
    """A person who has a password and no second factor yet."""
    return create_person(username="newcomer", password=PASSWORD, group="researcher")


class TestBothFactors:
    def test_let_in(self, people: SimpleNamespace) -> None:
        client = Client()
        response = log_in("researcher", code_of(people.researcher), client=client)
        assert (response.status_code, response["Location"]) == (302, "/admin/")
        assert is_in(client)

    def test_where_they_were_going_if_it_is_ours(self, people: SimpleNamespace) -> None:
        for wanted, got in [
            ("/admin/incidents/incident/", "/admin/incidents/incident/"),
            ("https://elsewhere.example/", "/admin/"),
            ("//elsewhere.example/", "/admin/"),
        ]:
            Authenticator.objects.update(last_t=-1)
            data = {"username": "researcher", "password": PASSWORD, "next": wanted}
            response = Client().post(LOGIN, data | {"code": code_of(people.researcher)})
            assert response["Location"] == got

    def test_one_step_early_or_late_and_no_more(
        self, people: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found, now = {}, time.time()
        monkeypatch.setattr(time, "time", lambda: now)
        for step in (-2, -1, 0, 1, 2):
            Authenticator.objects.update(last_t=-1)
            found[step] = log_in("researcher", code_of(people.researcher, step)).status_code
        assert found == {-2: 200, -1: 302, 0: 302, 1: 302, 2: 200}
        # A phone whose clock was off once has no wider window afterwards.
        Authenticator.objects.update(last_t=-1)
        assert log_in("researcher", code_of(people.researcher, 2)).status_code == 200

    def test_a_code_works_once(self, people: SimpleNamespace) -> None:
        code = code_of(people.researcher)
        assert second_factor.check(people.researcher, code)
        found = set()
        for _ in range(4):
            found.add(log_in("researcher", code).status_code)
        assert found == {200}

    def test_an_earlier_code_than_the_last_is_refused(self, people: SimpleNamespace) -> None:
        assert log_in("researcher", code_of(people.researcher)).status_code == 302
        assert log_in("researcher", code_of(people.researcher, -1)).status_code == 200

    def test_a_recovery_code_works_once(self, people: SimpleNamespace) -> None:
        codes = second_factor.make_recovery_codes(people.researcher)
        assert len(set(codes)) == 10
        for written in (codes[0], codes[1].upper(), codes[2].replace("-", " ")):
            assert log_in("researcher", written).status_code == 302
            assert log_in("researcher", written).status_code == 200
        stored = set(StaticToken.objects.values_list("token", flat=True))
        assert not stored & {code.replace("-", "") for code in codes}
        assert log_in("other_researcher", codes[3]).status_code == 200

    def test_new_recovery_codes_end_the_old_ones(self, people: SimpleNamespace) -> None:
        old = second_factor.make_recovery_codes(people.researcher)
        second_factor.make_recovery_codes(people.researcher)
        assert not second_factor.check(people.researcher, old[0])

    @pytest.mark.parametrize(
        "code", ["", "0", "1234567", "+12345", "12_345", "١٢٣٤٥٦", "\x00", "a" * 40, "ー" * 6]
    )
    def test_what_is_no_code_is_refused(self, people: SimpleNamespace, code: str) -> None:
        assert log_in("researcher", code).status_code == 200

    def test_the_answer_tells_not_which_was_wrong(self, people: SimpleNamespace) -> None:
        people.other_verifier.is_active = False
        people.other_verifier.save()
        tries = [
            ("researcher", "wrong password, wrong", "123456"),
            ("researcher", PASSWORD, "000000"),
            ("nobody", PASSWORD, "123456"),
            ("other_verifier", PASSWORD, code_of(people.other_verifier)),
        ]
        pages = {self._page(*one) for one in tries}
        assert len(pages) == 1
        assert "do not fit together" in pages.pop()

    def _page(self, name: str, password: str, code: str) -> str:
        response = log_in(name, code, password=password)
        assert response.status_code == 200
        text = response.content.decode()
        return re.sub(rf'value="({name}|[\w]{{64}})"', "", text)

    def test_capitals_and_letter_forms_of_the_name_do_not_matter(
        self, people: SimpleNamespace
    ) -> None:
        assert log_in("ＲＥＳＥＡＲＣＨＥＲ", code_of(people.researcher)).status_code == 302


class TestEnrolment:
    def enter(self, newcomer: User) -> Client:
        client = Client()
        response = log_in("newcomer", "", client=client)
        assert (response.status_code, response["Location"]) == (302, "/admin/enrol/")
        assert not is_in(client)
        return client

    def test_the_password_leads_to_it_and_a_code_into_the_desk(self, newcomer: User) -> None:
        client = self.enter(newcomer)
        page = client.get("/admin/enrol/")
        text = page.content.decode()
        app = Authenticator.objects.get(user=newcomer)
        secret = second_factor.secret_in_letters(app)
        assert secret in re.sub(r"\s", "", text)
        assert 'src="data:image/svg+xml;base64,' in text
        assert "no-store" in page["Cache-Control"]
        assert app.key not in text
        # Read again, the page shows the same secret.
        assert secret in re.sub(r"\s", "", client.get("/admin/enrol/").content.decode())

        assert client.post("/admin/enrol/", {"code": "000000"}).status_code == 200
        assert not is_in(client)
        code = code_of(newcomer)
        done = client.post("/admin/enrol/", {"code": code})
        codes = re.findall(r"<code>([a-z2-7]{5}-[a-z2-7]{5})</code>", done.content.decode())
        assert len(codes) == 10
        assert "no-store" in done["Cache-Control"]
        assert is_in(client)
        assert log_in("newcomer", code).status_code == 200
        assert log_in("newcomer", codes[4]).status_code == 302
        assert client.get("/admin/enrol/")["Location"] == LOGIN

    def test_it_ends_after_half_an_hour(self, newcomer: User, later: Later) -> None:
        client = self.enter(newcomer)
        later(timedelta(minutes=30))
        assert client.get("/admin/enrol/")["Location"] == LOGIN

    @pytest.mark.parametrize("change", ["password", "active", "enrolled"])
    def test_it_ends_with_what_began_it(self, newcomer: User, change: str) -> None:
        client = self.enter(newcomer)
        if change == "password":
            newcomer.set_password("another long password")
            newcomer.save()
        elif change == "active":
            User.objects.filter(pk=newcomer.pk).update(is_active=False)
        else:
            second_factor.new_authenticator(newcomer, is_confirmed=True)
        assert client.get("/admin/enrol/")["Location"] == LOGIN
        assert client.post("/admin/enrol/", {"code": "123456"})["Location"] == LOGIN

    def test_nobody_else_comes_to_it(self) -> None:
        assert Client().get("/admin/enrol/")["Location"] == LOGIN


class TestPasswordAlone:
    """No path of the site gives a session or a token for a right password without a code."""

    FIELDS = ["username", "user", "login", "email", "name"]

    def test_no_address_lets_in(self, people: SimpleNamespace) -> None:
        administrator = people.administrator
        data = {
            **dict.fromkeys(self.FIELDS, administrator.username),
            **dict.fromkeys(["password", "password1", "password2", "old_password"], PASSWORD),
            **dict.fromkeys(["new_password1", "new_password2"], "another long password"),
            "grant_type": "password",
            "scopes": "public",
            "scope": "public",
        }
        asked = 0
        basic = {"Authorization": "Basic YWRtaW5pc3RyYXRvcjpwYXNzd29yZA=="}
        for route in routes():
            client = Client(raise_request_exception=False)
            path = address(route)
            client.post(path, data)
            client.post(path, data, content_type="application/json")
            client.get(path, headers=basic)
            asked += 3
            assert "_auth_user_id" not in client.session, path
            assert not is_in(client), path
        assert asked > 300
        assert not Token.objects.filter(person=administrator).exists()

    def test_a_session_without_the_proof_is_nobodys(self, people: SimpleNamespace) -> None:
        client = Client()
        client.force_login(people.researcher)
        assert not is_in(client)
        assert "_auth_user_id" not in client.session


class TestSessions:
    def use(self, client: Client, times: int = 1) -> set[bool]:
        return {is_in(client) for _ in range(times)}

    def change_password(self, person: User) -> None:
        person.set_password("another long password")
        person.save()

    def deactivate(self, person: User) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)

    def deactivate_for_a_moment(self, person: User) -> None:
        for is_active in (False, True):
            User.objects.filter(pk=person.pk).update(is_active=is_active)

    def remove_the_device(self, person: User) -> None:
        Authenticator.objects.filter(user=person).delete()

    def replace_the_device(self, person: User) -> None:
        Authenticator.objects.filter(user=person).delete()
        second_factor.new_authenticator(person, is_confirmed=True)

    def unconfirm_the_device(self, person: User) -> None:
        Authenticator.objects.filter(user=person).update(confirmed=False)

    def reset_the_second_factor(self, person: User) -> None:
        second_factor.reset(person, User.objects.get(username="administrator"))

    @pytest.mark.parametrize(
        "end",
        [
            change_password,
            deactivate,
            deactivate_for_a_moment,
            remove_the_device,
            replace_the_device,
            unconfirm_the_device,
            reset_the_second_factor,
        ],
    )
    def test_what_ends_them_ends_them_at_once(
        self, people: SimpleNamespace, end: Callable[..., None]
    ) -> None:
        client = logged_in(people.researcher)
        assert self.use(client, 5) == {True}
        end(self, people.researcher)
        assert self.use(client, 5) == {False}

    def test_a_group_is_gone_at_once(self, people: SimpleNamespace) -> None:
        client = logged_in(people.verifier)
        queue = reverse("admin:incidents_incident_queue") + "?tab=waiting"
        assert client.get(queue).status_code == 200
        people.verifier.groups.set([Group.objects.get(name="researcher")])
        assert client.get(queue).status_code == 403

    def test_idle_for_half_an_hour(self, people: SimpleNamespace, later: Later) -> None:
        client = logged_in(people.researcher)
        for _ in range(3):
            later(timedelta(minutes=29))
            assert is_in(client)
        later(timedelta(minutes=30))
        assert not is_in(client)

    def test_twelve_hours_and_no_more(self, people: SimpleNamespace, later: Later) -> None:
        client = logged_in(people.researcher)
        for _ in range(28):
            later(timedelta(minutes=25))
            assert is_in(client)
        later(timedelta(minutes=20))
        assert not is_in(client)

    def test_the_cookie(self, people: SimpleNamespace) -> None:
        client = Client()
        response = log_in("researcher", code_of(people.researcher), client=client)
        cookie = response.cookies[settings.SESSION_COOKIE_NAME]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"

    def test_ones_own_new_password_ends_the_other_sessions(self, people: SimpleNamespace) -> None:
        here, elsewhere = logged_in(people.researcher), logged_in(people.researcher)
        page = reverse("admin:password_change")
        data = {"new_password1": "another long password", "new_password2": "another long password"}
        assert here.post(page, data | {"old_password": "wrong"}).status_code == 200
        assert here.post(page, data | {"old_password": PASSWORD}).status_code == 302
        assert (is_in(here), is_in(elsewhere)) == (True, False)
        event = SecurityEvent.objects.filter(kind="password_changed").latest("pk")
        assert (event.person, event.by) == (people.researcher, people.researcher)


class TestFreshCode:
    """Who changes what people may do has given a code in the last ten minutes."""

    def test_it_is_asked_for_and_then_goes_on(self, people: SimpleNamespace, later: Later) -> None:
        client = logged_in(people.administrator)
        page = reverse("admin:accounts_user_add")
        assert client.get(page).status_code == 200
        later(timedelta(minutes=10))
        response = client.get(page)
        assert response["Location"] == f"/admin/confirm/?{urlencode({'next': page})}"
        assert client.post(page, {"username": "x", "groups": "verifier"}).status_code == 302
        assert not User.objects.filter(username="x").exists()
        confirm = response["Location"]
        wrong = client.post(confirm, {"code": "000000"})
        assert wrong.status_code == 200
        done = client.post(confirm, {"code": code_of(people.administrator)})
        assert done["Location"] == page
        assert client.get(page).status_code == 200


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        ("fourteen chars", False),
        ("fifteen chars !", True),
        ("123456789987654321", False),
        ("1q2w3e4r5t6y7u8i9o0p", False),
        ("x" * 64 + " y", True),
        ("ရှည်လျားသော စကားဝှက်တစ်ခု", True),
    ],
)
def test_passwords(newcomer: User, password: str, is_taken: bool) -> None:
    form = NewPasswordForm(newcomer, {"new_password1": password, "new_password2": password})
    assert form.is_valid() is is_taken, form.errors


def test_passwords_are_kept_as_argon2id(newcomer: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
    newcomer.set_password(PASSWORD)
    assert newcomer.password.startswith("argon2$argon2id$")


def test_a_name_that_nobody_has_costs_the_same_time(people: SimpleNamespace, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    people.researcher.set_password(PASSWORD)
    people.researcher.save()
    spent: dict[str, list[float]] = {"researcher": [], "nobody": []}
    for _ in range(4):
        for name, times in spent.items():
            start = time.perf_counter()
            log_in(name, "123456", password="wrong password, wrong")
            times.append(time.perf_counter() - start)
    # The quickest of each: what else the machine does only adds.
    assert 0.5 < min(spent["researcher"]) / min(spent["nobody"]) < 2

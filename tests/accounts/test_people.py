"""People: invited by a link, reset by another, put into groups, switched off; all written down."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse

from harmtracker.accounts import links, second_factor, tokens
from harmtracker.accounts.models import (
    Authenticator,
    PasswordLink,
    SecurityEvent,
    Token,
    User,
)
from harmtracker.errors import Invalid, NotAllowed, NotFound
from tests.accounts.test_login import is_in, log_in
from tests.clients import code_of, logged_in

pytestmark = pytest.mark.django_db(databases=["default", "published"])

SignedIn = Callable[[str], Client]
NEW = "a horse with no name"
TWICE = {"new_password1": NEW, "new_password2": NEW}


def link_on(page: Any) -> str:
    return re.findall(r"<code>http://testserver(/admin/link/[0-9a-f]{64}/)</code>", page)[0]


def happened(person: User) -> list[tuple[str, str]]:
    """Kind of each event of this person and who did it, the oldest first."""
    events = SecurityEvent.objects.filter(person=person).order_by("pk").select_related("by")
    return [(event.kind, event.by.username if event.by else "") for event in events]


class TestInvitation:
    def invite(self, signed_in: SignedIn, **data: Any) -> Any:
        page = reverse("admin:accounts_user_add")
        return signed_in("administrator").post(
            page, {"username": "New", "groups": "verifier"} | data
        )

    def test_from_the_link_to_the_desk(self, people: SimpleNamespace, signed_in: SignedIn) -> None:
        response = self.invite(signed_in, is_superuser="on", is_staff="", password=NEW)
        assert response.status_code == 200
        link = link_on(response.content.decode())
        person = User.objects.get(username="new")
        assert (person.is_staff, person.is_superuser) == (True, False)
        assert not person.has_usable_password()
        assert [group.name for group in person.groups.all()] == ["verifier"]
        secret = link.split("/")[3]
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT to_jsonb(l)::text FROM accounts_passwordlink l")
            assert secret not in str(cursor.fetchall())

        client = Client()
        opened = client.get(link)
        assert (opened.status_code, opened["Location"]) == (302, "/admin/link/")
        page = client.get("/admin/link/")
        assert b"<strong>new</strong>" in page.content
        assert secret.encode() not in page.content
        short = {"new_password1": "short", "new_password2": "short"}
        assert client.post("/admin/link/", short).status_code == 200
        other = {**TWICE, "new_password2": "another horse with a name"}
        assert client.post("/admin/link/", other).status_code == 200
        done = client.post("/admin/link/", TWICE)
        assert (done.status_code, done["Location"]) == (302, "/admin/enrol/")
        assert not is_in(client)
        client.get("/admin/enrol/")
        client.post("/admin/enrol/", {"code": code_of(person)})
        assert is_in(client)
        assert happened(person) == [
            ("person_made", "administrator"),
            ("group_added", "administrator"),
            ("link_made", "administrator"),
            ("link_used", "new"),
            ("password_changed", "new"),
            ("second_factor_enrolled", "new"),
            ("recovery_codes_made", "new"),
            ("logged_in", "new"),
        ]
        for path in (link, "/admin/link/"):
            assert Client().get(path).status_code == 404

    def test_to_look_at_it_does_not_use_it_up(
        self, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        link = link_on(self.invite(signed_in).content.decode())
        assert {Client().get(link).status_code for _ in range(3)} == {302}

    def test_it_ends_after_seven_days(
        self, people: SimpleNamespace, signed_in: SignedIn, later: Callable[..., None]
    ) -> None:
        link = link_on(self.invite(signed_in).content.decode())
        client = Client()
        client.get(link)
        later(timedelta(days=7))
        assert Client().get(link).status_code == 404
        assert client.post("/admin/link/", TWICE).status_code == 404
        assert not User.objects.get(username="new").has_usable_password()

    def test_a_link_that_is_none_and_one_that_was_are_the_same(
        self, people: SimpleNamespace
    ) -> None:
        _, used = links.invite("new", ["researcher"], people.administrator)
        links.use(links.find(used), NEW)  # type: ignore[arg-type]
        pages = {
            re.sub(r"[0-9a-f]{64}|\w{64}", "", Client().get(f"/admin/link/{one}/").content.decode())
            for one in (used, "0" * 64, "x", used.upper())
        }
        assert len(pages) == 1

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            ({"username": "researcher"}, "already exists"),
            ({"username": "RESEARCHER"}, "already exists"),
            ({"username": "ｒｅｓｅａｒｃｈｅｒ"}, "already exists"),
            ({"username": "re\u200bsearcher"}, "valid username"),
            ({"username": "a\u202eb"}, "valid username"),
            ({"username": ""}, "required"),
            ({"groups": ""}, "required"),
            ({"groups": "superuser"}, "not one of the available"),
        ],
    )
    def test_what_cannot_be_is_said(
        self, people: SimpleNamespace, signed_in: SignedIn, data: dict[str, str], says: str
    ) -> None:
        before = User.objects.count()
        response = self.invite(signed_in, **data)
        assert response.status_code == 200
        assert says in response.content.decode()
        assert User.objects.count() == before

    @pytest.mark.parametrize("name", ["researcher", "verifier"])
    def test_by_administrators_alone(self, people: SimpleNamespace, name: str) -> None:
        with pytest.raises(NotAllowed):
            links.invite("new", ["verifier"], getattr(people, name))
        with pytest.raises(NotAllowed):
            links.make_reset_link(people.other_verifier, getattr(people, name))

    def test_by_command(self, people: SimpleNamespace) -> None:
        out = io.StringIO()
        call_command(
            "person", "invite", "Ana", "--group", "administrator", "--site", "https://harm.example/",
            stdout=out, stderr=io.StringIO(),
        )  # fmt: skip
        assert re.fullmatch(r"https://harm\.example/admin/link/[0-9a-f]{64}/\n", out.getvalue())
        assert User.objects.get(username="ana").groups.get().name == "administrator"
        with pytest.raises(CommandError, match="already exists"):
            call_command("person", "invite", "ANA", "--group", "researcher")
        with pytest.raises(CommandError, match="nobody called"):
            call_command("person", "link", "nobody")


class TestReset:
    def link(self, signed_in: SignedIn, person: User) -> str:
        page = reverse("admin:accounts_user_link", args=[person.pk])
        client = signed_in("administrator")
        assert client.get(page).status_code == 200
        return link_on(client.post(page).content.decode())

    def test_it_ends_sessions_and_tokens_when_used_and_keeps_the_second_factor(
        self, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        person = people.researcher
        session = logged_in(person)
        _, plain = tokens.issue(person, "A test", ["public"], None, person)
        link = self.link(signed_in, person)
        assert is_in(session)
        assert tokens.find(plain) is not None
        client = Client()
        client.get(link)
        assert client.post("/admin/link/", TWICE)["Location"] == "/admin/login/"
        assert not is_in(client)
        assert not is_in(session)
        assert tokens.find(plain) is None
        assert log_in("researcher", code_of(person)).status_code == 200
        assert log_in("researcher", code_of(person, 1), password=NEW).status_code == 302

    def test_a_newer_link_ends_the_older(
        self, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        first, second = (self.link(signed_in, people.researcher) for _ in range(2))
        assert [Client().get(link).status_code for link in (first, second)] == [404, 302]

    def test_it_works_once_however_many_opened_it(self, people: SimpleNamespace) -> None:
        link = links.find(links.make_reset_link(people.researcher, people.administrator))
        assert link is not None
        links.use(link, NEW)
        with pytest.raises(NotFound):
            links.use(link, "another long password")

    def test_a_refused_password_leaves_it_good(self, people: SimpleNamespace) -> None:
        secret = links.make_reset_link(people.researcher, people.administrator)
        link = links.find(secret)
        assert link is not None
        with pytest.raises(Invalid):
            links.use(link, "short")
        assert links.find(secret) == link

    def test_not_for_oneself_and_not_for_who_is_away(self, people: SimpleNamespace) -> None:
        with pytest.raises(Invalid, match="for themselves"):
            links.make_reset_link(people.administrator, people.administrator)
        secret = links.make_reset_link(people.researcher, people.administrator)
        User.objects.filter(pk=people.researcher.pk).update(is_active=False)
        assert links.find(secret) is None
        people.researcher.refresh_from_db()
        with pytest.raises(Invalid, match="not active"):
            links.make_reset_link(people.researcher, people.administrator)

    def test_a_lost_phone(self, people: SimpleNamespace, signed_in: SignedIn) -> None:
        person = people.verifier
        session = logged_in(person)
        _, casework = tokens.issue(person, "A test", ["casework:read"], None, person)
        _, public = tokens.issue(person, "A test", ["public"], None, person)
        codes = second_factor.make_recovery_codes(person)
        page = reverse("admin:accounts_user_second_factor", args=[person.pk])
        client = signed_in("administrator")
        assert b"be sure that it is they who ask" in client.get(page).content
        assert client.post(page).status_code == 302
        assert not is_in(session)
        assert tokens.find(casework) is None
        assert tokens.find(public) is not None
        assert not second_factor.check(person, codes[0])
        again = Client()
        assert log_in("verifier", "", client=again)["Location"] == "/admin/enrol/"
        assert ("second_factor_removed", "administrator") in happened(person)

    def test_nobody_takes_away_their_own(self, people: SimpleNamespace) -> None:
        for by in (people.administrator, people.researcher):
            with pytest.raises(NotAllowed):
                second_factor.reset(people.administrator, by)
        call_command("second_factor", "reset", "administrator", stdout=io.StringIO())
        assert not second_factor.is_enrolled(people.administrator)


class TestChange:
    def change(self, client: Client, person: User, **data: Any) -> Any:
        page = reverse("admin:accounts_user_change", args=[person.pk])
        return client.post(page, data)

    def test_groups_and_activity(self, people: SimpleNamespace, signed_in: SignedIn) -> None:
        client, person = signed_in("administrator"), people.researcher
        group = str(people.verifier.groups.get().pk)
        before = len(happened(person))
        data = {"groups": group, "username": "mine", "password": "x", "is_superuser": "on"}
        assert self.change(client, person, **data).status_code == 302
        person.refresh_from_db()
        assert person.username == "researcher"
        assert (person.is_active, person.is_superuser) == (False, False)
        assert sorted(happened(person)[before:]) == [
            ("deactivated", "administrator"),
            ("group_added", "administrator"),
            ("group_removed", "administrator"),
        ]

    def test_nobody_changes_their_own_rights(
        self, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        client, person = signed_in("administrator"), people.administrator
        group = str(people.verifier.groups.get().pk)
        self.change(client, person, groups=group, email="a@example.org")
        person.refresh_from_db()
        assert person.is_active
        assert [g.name for g in person.groups.all()] == ["administrator"]
        assert person.email == "a@example.org"

    def test_no_page_shows_or_sets_a_password(
        self, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        client, person = signed_in("administrator"), people.researcher
        page = reverse("admin:accounts_user_change", args=[person.pk])
        text = client.get(page).content.decode()
        assert 'type="password"' not in text
        assert person.password not in text
        assert client.get(f"/admin/accounts/user/{person.pk}/password/").status_code in (302, 404)


class TestEvents:
    def test_administrators_read_them_and_nobody_writes_them(
        self, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        log_in("researcher", "000000")
        page = reverse("admin:accounts_securityevent_changelist")
        text = signed_in("administrator").get(page + "?q=researcher").content.decode()
        assert "Wrong code" in text
        for name in ("researcher", "verifier"):
            assert signed_in(name).get(page).status_code == 403
        add = reverse("admin:accounts_securityevent_add")
        assert signed_in("administrator").get(add).status_code == 403

    def test_no_secret_is_in_them(self, people: SimpleNamespace) -> None:
        person = people.verifier
        _, plain = tokens.issue(person, "A test", ["verify"], None, person)
        codes = second_factor.make_recovery_codes(person)
        second_factor.check(person, codes[0])
        second_factor.check(person, "987654")
        secret = links.make_reset_link(person, people.administrator)
        links.use(links.find(secret), NEW)  # type: ignore[arg-type]
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT to_jsonb(e)::text FROM accounts_securityevent e")
            text = str(cursor.fetchall())
        hidden = [plain.split("_")[2], codes[0], codes[0].replace("-", ""), "987654", secret, NEW]
        hidden.append(Authenticator.objects.get(user=person).key)
        assert not [one for one in hidden if one in text]
        kinds = [kind for kind, _ in happened(person)]
        assert sorted(kinds[-8:]) == [
            "code_failed",
            "link_made",
            "link_used",
            "password_changed",
            "recovery_code_used",
            "recovery_codes_made",
            "token_made",
            "token_revoked",
        ]


class TestTokenPages:
    ADD = "/admin/accounts/token/add/"

    def test_made_shown_once_and_revoked(
        self, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        client = signed_in("researcher")
        assert b"casework:write" in client.get(self.ADD).content
        data = {"name": "import", "scopes": ["casework:read"], "ends": "7d"}
        response = client.post(self.ADD, data)
        (plain,) = re.findall(r"<code>(ht_[0-9a-f_]+)</code>", response.content.decode())
        token = tokens.find(plain)
        assert token is not None
        assert token.expires_at == pytest.approx(
            token.created_at + timedelta(days=7), abs=timedelta(seconds=5)
        )
        page = reverse("admin:accounts_token_change", args=[token.pk])
        assert plain.split("_")[2] not in client.get(page).content.decode()
        revoke = reverse("admin:accounts_token_revoke", args=[token.pk])
        assert client.get(revoke).status_code == 200
        assert tokens.find(plain) is not None
        assert client.post(revoke).status_code == 302
        assert tokens.find(plain) is None

    @pytest.mark.parametrize(
        ("name", "data", "says"),
        [
            ("researcher", {"scopes": ["verify"]}, "not one of the available"),
            ("verifier", {"scopes": ["verify"], "ends": "7d"}, "12 hours"),
            ("researcher", {"name": ""}, "required"),
            ("researcher", {"scopes": []}, "required"),
            ("administrator", {"scopes": ["casework:read"]}, "not one of the available"),
        ],
    )
    def test_what_cannot_be_is_said(
        self, people: SimpleNamespace, signed_in: SignedIn, name: str, data: Any, says: str
    ) -> None:
        response = signed_in(name).post(self.ADD, {"name": "x", "scopes": ["public"]} | data)
        assert says in response.content.decode()
        assert not Token.objects.exists()

    def test_ones_own_and_for_administrators_everybodys(
        self, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        token, plain = tokens.issue(
            people.researcher, "SENTINEL", ["public"], None, people.researcher
        )
        listing = reverse("admin:accounts_token_changelist")
        page = reverse("admin:accounts_token_change", args=[token.pk])
        revoke = reverse("admin:accounts_token_revoke", args=[token.pk])
        other = signed_in("other_researcher")
        assert b"SENTINEL" not in other.get(listing).content
        assert other.get(page).status_code == 404
        assert other.post(revoke).status_code == 404
        administrator = signed_in("administrator")
        assert b"SENTINEL" in administrator.get(listing).content
        assert administrator.post(revoke).status_code == 302
        token.refresh_from_db()
        assert token.revoked_by == people.administrator
        assert tokens.find(plain) is None


def test_password_links_are_never_left_over(people: SimpleNamespace) -> None:
    for _ in range(3):
        links.make_reset_link(people.researcher, people.administrator)
    assert PasswordLink.objects.filter(used_at=None, revoked_at=None).count() == 1


def test_permissions_are_those_that_django_finds(people: SimpleNamespace) -> None:
    """Of groups, given to a person alone, and taken away with the account."""
    own = Permission.objects.get(codename="view_logentry")
    people.researcher.user_permissions.add(own)
    found = {}
    for name, person in vars(people).items():
        fresh = User.objects.get(pk=person.pk)
        found[name] = fresh.get_all_permissions()
        assert found[name] == ModelBackend().get_all_permissions(User.objects.get(pk=person.pk))
    assert "admin.view_logentry" in found["researcher"] - found["other_researcher"]
    assert found["verifier"] != found["researcher"] != found["administrator"]
    User.objects.filter(pk=people.researcher.pk).update(is_active=False)
    assert User.objects.get(pk=people.researcher.pk).get_all_permissions() == set()

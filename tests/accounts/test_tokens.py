"""Tokens: made, shown once, used within their scopes, and ended from one request to the next."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.views import APIView

from harmtracker.accounts import tokens
from harmtracker.accounts.models import Authenticator, Token, User
from harmtracker.accounts.scopes import Scope
from harmtracker.accounts.services import setup_actor
from harmtracker.api.authentication import BearerToken, HasScope
from harmtracker.errors import Invalid, NotAllowed
from tests.clients import Api

pytestmark = pytest.mark.django_db(databases=["default", "published"])

HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


class Desk(APIView):
    """A view of casework."""

    authentication_classes = [BearerToken]
    permission_classes = [HasScope]
    scopes = {"GET": "casework:read", "POST": "casework:write", "DELETE": "verify"}

    def get(self, request: Any) -> Response:
        return Response({"person": request.user.username, "scopes": request.auth.scopes})

    def post(self, request: Any) -> Response:
        return Response({})

    def delete(self, request: Any) -> Response:
        return Response({})

    def put(self, request: Any) -> Response:
        return Response({})


def ask(header: str | None, method: str = "GET", path: str = "/") -> HttpResponse:
    headers = {} if header is None else {"Authorization": header}
    answer = Desk.as_view()(RequestFactory().generic(method, path, headers=headers))
    return answer.render() if isinstance(answer, Response) else answer


def made(person: User, *scopes: str, ends: Any = None) -> tuple[Token, str]:
    return tokens.issue(person, "A test", scopes or ["casework:read"], ends, person)


def bytes_of(response: Any) -> tuple[Any, ...]:
    return response.status_code, tuple(sorted(response.headers.items())), response.content


class TestMaking:
    def test_it_has_256_random_bits_and_is_stored_as_a_digest(self, people: Any) -> None:
        plain = [made(people.researcher)[1] for _ in range(100)]
        assert all(re.fullmatch(r"ht_[0-9a-f]{12}_[0-9a-f]{64}", one) for one in plain)
        assert len(set(plain)) == 100
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT to_jsonb(t)::text FROM accounts_token t")
            stored = "\n".join(row[0] for row in cursor.fetchall())
        assert plain[0].split("_")[1] in stored
        assert not any(one.split("_")[2] in stored for one in plain)

    @pytest.mark.parametrize(
        ("scopes", "length"),
        [
            (["public"], None),
            (["casework:read"], 90 * DAY),
            (["public", "casework:write"], 90 * DAY),
            (["casework:read", "verify"], 12 * HOUR),
        ],
    )
    def test_the_usual_end(self, people: Any, scopes: list[str], length: Any) -> None:
        token, _ = made(people.verifier, *scopes)
        assert token.expires_at == (token.created_at + length if length else None)

    @pytest.mark.parametrize(
        ("scopes", "length", "rule"),
        [
            (["casework:read"], 366 * DAY, "accounts_token_casework_a_year"),
            (["verify"], 13 * HOUR, "accounts_token_verify_twelve_hours"),
            (["public"], -HOUR, "accounts_token_ends_after_it_begins"),
        ],
    )
    def test_an_end_that_is_too_far_is_refused(
        self, people: Any, scopes: list[str], length: Any, rule: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            made(people.verifier, *scopes, ends=timezone.now() + length)
        assert refused.value.rule == rule

    def test_a_public_token_lasts_as_its_owner_says(self, people: Any) -> None:
        far = timezone.now() + 5000 * DAY
        assert made(people.administrator, "public", ends=far)[0].expires_at == far

    HAVE = [
        ("researcher", {"public", "casework:read", "casework:write"}),
        ("verifier", {"public", "casework:read", "casework:write", "verify"}),
        ("administrator", {"public"}),
    ]

    @pytest.mark.parametrize(("name", "scopes"), HAVE)
    def test_no_more_than_the_person_has(self, people: Any, name: str, scopes: set[str]) -> None:
        person = getattr(people, name)
        assert tokens.scopes_of(person) == scopes
        for scope in Scope.values:
            if scope in scopes:
                made(person, scope)
            else:
                with pytest.raises(Invalid, match=scope):
                    made(person, scope)

    def test_without_a_second_factor_none_for_casework(self, people: Any) -> None:
        Authenticator.objects.filter(user=people.researcher).update(confirmed=False)
        with pytest.raises(Invalid, match="second factor"):
            made(people.researcher)
        made(people.researcher, "public")

    def test_an_unknown_scope_is_refused_by_name(self, people: Any) -> None:
        with pytest.raises(Invalid, match="reveal"):
            made(people.verifier, "reveal")

    def test_nobody_makes_one_for_another_but_who_sits_at_the_machine(self, people: Any) -> None:
        with pytest.raises(NotAllowed):
            tokens.issue(people.researcher, "x", ["public"], None, people.administrator)
        token, _ = tokens.issue(people.researcher, "x", ["public"], None, setup_actor())
        assert token.created_by == setup_actor()

    def test_who_is_not_active_gets_none(self, people: Any) -> None:
        people.researcher.is_active = False
        people.researcher.save()
        with pytest.raises(Invalid, match="not active"):
            made(people.researcher, "public")


class TestUsing:
    def test_it_acts_for_its_person(self, people: Any) -> None:
        _, plain = made(people.researcher, "casework:read")
        for scheme in ("Bearer", "bearer"):
            answer = ask(f"{scheme} {plain}")
            assert answer.data == {"person": "researcher", "scopes": ["casework:read"]}

    def test_one_query_where_it_was_used_today(self, people: Any) -> None:
        _, plain = made(people.researcher, "casework:read")
        ask(f"Bearer {plain}")
        with CaptureQueriesContext(connections["default"]) as queries:
            assert ask(f"Bearer {plain}").status_code == 200
        assert len(queries) == 1

    def test_the_day_of_its_last_use_is_kept(self, people: Any) -> None:
        token, plain = made(people.researcher)
        ask(f"Bearer {plain}")
        token.refresh_from_db()
        assert token.last_used_on == timezone.now().astimezone(datetime.UTC).date()

    def test_every_reason_to_refuse_gives_the_same_bytes(
        self, people: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = made(people.verifier)[1]
        revoked, of_revoked = made(people.verifier)
        tokens.revoke(revoked, people.verifier)
        idle = made(people.other_researcher)[1]
        User.objects.filter(username="other_researcher").update(is_active=False)
        short = made(people.researcher, ends=timezone.now() + HOUR)[1]
        forged = f"{good[:-1]}{'0' if good[-1] != '0' else '1'}"
        assert ask(f"Bearer {short}").status_code == 200
        later = timezone.now() + HOUR + datetime.timedelta(seconds=1)
        monkeypatch.setattr(timezone, "now", lambda: later)
        answers = {
            bytes_of(ask(header))
            for header in (
                f"Bearer {short}",
                f"Bearer {of_revoked}",
                f"Bearer {idle}",
                f"Bearer {forged}",
                f"Bearer ht_{'0' * 12}_{'0' * 64}",
                f"Bearer {good.upper()}",
                f"Bearer {good}, Bearer {good}",
                "Bearer ",
                "Bearer",
                "Bearer \x00",
                "Bearer ü٣",
                f"Basic {good}",
                good,
            )
        }
        ((status, headers, _),) = answers
        assert (status, dict(headers)["WWW-Authenticate"]) == (401, "Bearer")

    def test_without_a_token_it_is_asked_for(self) -> None:
        answer = ask(None)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")

    def test_in_an_address_it_is_not_looked_at(self, people: Any) -> None:
        plain = made(people.researcher)[1]
        for name in ("token", "access_token", "api_key", "Authorization"):
            assert ask(None, path=f"/?{name}={plain}").status_code == 401

    CELLS = [
        ("casework:read", {"GET": 200, "HEAD": 200, "POST": 403, "DELETE": 403}),
        ("casework:write", {"GET": 403, "HEAD": 403, "POST": 200, "DELETE": 403}),
        ("verify", {"GET": 403, "HEAD": 403, "POST": 403, "DELETE": 200}),
        ("public", {"GET": 403, "HEAD": 403, "POST": 403, "DELETE": 403}),
    ]

    @pytest.mark.parametrize(("scope", "row"), CELLS)
    def test_each_method_needs_its_scope(
        self, people: Any, scope: str, row: dict[str, int]
    ) -> None:
        plain = made(people.verifier, scope)[1]
        row = row | {"OPTIONS": row["GET"], "PUT": 403, "PATCH": 405, "TRACE": 405}
        assert {m: ask(f"Bearer {plain}", m).status_code for m in row} == row

    def test_the_refusal_names_the_scope(self, people: Any) -> None:
        answer = ask(f"Bearer {made(people.verifier)[1]}", "POST")
        assert b"the scope casework:write" in answer.content


class TestEnding:
    """What ends a token ends it for the next request."""

    def change_password(self, person: User, token: Token) -> None:
        person.set_password("another long password")
        person.save()

    def deactivate(self, person: User, token: Token) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)

    def revoke(self, person: User, token: Token) -> None:
        tokens.revoke(token, person)

    def leave_the_group(self, person: User, token: Token) -> None:
        person.groups.clear()

    def lose_the_second_factor(self, person: User, token: Token) -> None:
        Authenticator.objects.filter(user=person).delete()

    @pytest.mark.parametrize(
        ("end", "status"),
        [
            (change_password, 401),
            (deactivate, 401),
            (revoke, 401),
            (leave_the_group, 403),
            (lose_the_second_factor, 403),
        ],
    )
    def test_at_once(self, people: Any, end: Callable[..., None], status: int) -> None:
        token, plain = made(people.verifier)
        assert {ask(f"Bearer {plain}").status_code for _ in range(25)} == {200}
        end(self, people.verifier, token)
        # After twenty of them a network is answered with 429 instead.
        assert {ask(f"Bearer {plain}").status_code for _ in range(20)} == {status}

    def test_a_scope_that_the_person_has_no_more_is_gone(self, people: Any) -> None:
        plain = made(people.verifier, "verify", "casework:read")[1]
        people.verifier.groups.set([Group.objects.get(name="researcher")])
        assert ask(f"Bearer {plain}", "DELETE").status_code == 403
        assert ask(f"Bearer {plain}").status_code == 200

    def test_to_be_active_again_brings_no_token_back(self, people: Any) -> None:
        plain = made(people.researcher)[1]
        for is_active in (False, True):
            User.objects.filter(pk=people.researcher.pk).update(is_active=is_active)
        assert ask(f"Bearer {plain}").status_code == 401

    def test_by_its_person_or_an_administrator_alone(self, people: Any) -> None:
        token, _ = made(people.researcher)
        with pytest.raises(NotAllowed):
            tokens.revoke(token, people.verifier)
        tokens.revoke(token, people.administrator)
        assert token.revoked_by == people.administrator
        first = token.revoked_at
        tokens.revoke(token, people.researcher)
        assert token.revoked_at == first


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("token", *arguments, stdout=out, stderr=io.StringIO())
        return out.getvalue()

    def test_issue_list_revoke(self, people: Any) -> None:
        plain = self.run("issue", "researcher", "import", "--scope", "casework:read").strip()
        assert ask(f"Bearer {plain}").status_code == 200
        key_id = plain.split("_")[1]
        assert key_id in self.run("list", "researcher")
        assert plain.split("_")[2] not in self.run("list", "--all")
        assert key_id not in self.run("list", "verifier")
        self.run("revoke", key_id)
        assert ask(f"Bearer {plain}").status_code == 401
        assert key_id not in self.run("list")
        assert "revoked" in self.run("list", "--all")

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["issue", "nobody", "x", "--scope", "public"], "nobody called"),
            (["issue", "researcher", "x", "--scope", "verify"], "may not verify"),
            (["issue", "researcher", " ", "--scope", "public"], "name"),
            (["issue", "researcher", "x", "--scope", "public", "--days", "1e300"], "So many"),
            (["revoke", "000000000000"], "no such token"),
        ],
    )
    def test_what_is_wrong_is_one_sentence(
        self, people: Any, arguments: list[str], says: str
    ) -> None:
        with pytest.raises(CommandError, match=says):
            self.run(*arguments)


def test_the_fixture_gives_programs(people: SimpleNamespace, api: Callable[..., Api]) -> None:
    for name, scopes in TestMaking.HAVE:
        plain = api(name).bearer
        assert plain is not None
        assert set(tokens.find(plain).scopes) == scopes  # type: ignore[union-attr]
    assert api("verifier", ["verify"]).get("/api/v1/incidents/").status_code == 200
    assert api(None).bearer is None

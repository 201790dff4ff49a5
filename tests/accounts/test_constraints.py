"""Every rule that the database holds about people: a row that breaks it, and a near miss."""

from __future__ import annotations

import datetime
import secrets
import uuid
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from harmtracker.accounts.models import (
    Authenticator,
    PasswordLink,
    SecurityEvent,
    Token,
    User,
)
from harmtracker.history.acting import acting
from tests import rules
from tests.rules import JARGON, refusal, rule, run

pytestmark = pytest.mark.django_db(databases=["default", "published", "owner"])

World = SimpleNamespace
Values = dict[str, Any] | Callable[[World], dict[str, Any]]
NOW = timezone.now
DAY, HOUR, SECOND = (datetime.timedelta(**{unit: 1}) for unit in ("days", "hours", "seconds"))
HEX = "0123456789abcdef" * 4


@pytest.fixture
def world(people: SimpleNamespace) -> World:
    now = NOW()
    world = SimpleNamespace(people=people, now=now)
    world.token = token(world)
    world.link = link(world)
    return world


def token(world: World, *, save: bool = True, **values: Any) -> Token:
    row = Token(
        **{
            "person": world.people.verifier,
            "created_by": world.people.verifier,
            "name": "A test",
            "key_id": secrets.token_hex(6),
            "digest": HEX,
            "scopes": ["public"],
            "created_at": world.now,
            **values,
        }
    )
    if save:
        row.save(force_insert=True)
    return row


def link(world: World, *, save: bool = True, **values: Any) -> PasswordLink:
    row = PasswordLink(
        **{
            "person": world.people.verifier,
            "made_by": world.people.administrator,
            "purpose": "reset",
            "digest": secrets.token_hex(32),
            "made_at": world.now,
            "expires_at": world.now + 7 * DAY,
            "revoked_at": world.now,
            **values,
        }
    )
    if save:
        row.save(force_insert=True)
    return row


def user(world: World, *, save: bool = True, **values: Any) -> User:
    row = User(**{"username": f"u{secrets.token_hex(4)}", "password": "!", **values})
    if save:
        row.save(force_insert=True)
    return row


ROWS: list[tuple[str, Any, Values, Values]] = [
    ("accounts_user_username_key", user, {"username": "researcher"}, {"username": "researchers"}),
    (
        "accounts_user_uuid_key",
        user,
        lambda world: {"uuid": world.people.verifier.uuid},
        lambda world: {"uuid": uuid.uuid4()},
    ),
    *(
        ("accounts_user_username_is_folded", user, {"username": bad}, {"username": good})
        for bad, good in [("Ana", "ana"), ("ａｎａ", "аna"), ("ﬁn", "fin"), ("e\u0301", "é")]
    ),
    *(
        ("accounts_user_username_is_visible", user, {"username": bad}, {"username": "an a"})
        for bad in (
            *("", "a\u200bn", "a\u200d", "\u202ean", "\u2066an", "a\ufeff", "a\u00ad", "a\u061c"),
            *("a\u034f", "a\ufe0f", "a\u2060"),
        )
    ),
    (
        "accounts_passwordlink_digest_key",
        link,
        lambda world: {"digest": world.link.digest},
        lambda world: {"digest": HEX},
    ),
    *(
        ("accounts_passwordlink_digest_is_hex", link, {"digest": bad}, {"digest": HEX})
        for bad in (HEX[1:], HEX.upper(), "")
    ),
    *(
        (
            "accounts_passwordlink_seven_days",
            link,
            lambda world, far=far: {"expires_at": world.now + far},
            lambda world: {"expires_at": world.now + SECOND},
        )
        for far in (datetime.timedelta(0), 7 * DAY + SECOND)
    ),
    (
        "accounts_passwordlink_used_in_time",
        link,
        lambda world: {"revoked_at": None, "used_at": world.now + 7 * DAY + SECOND},
        lambda world: {"revoked_at": None, "used_at": world.now + 7 * DAY},
    ),
    (
        "accounts_passwordlink_used_in_time",
        link,
        lambda world: {"used_at": world.now},
        lambda world: {"used_at": None},
    ),
    (
        "accounts_passwordlink_for_another",
        link,
        lambda world: {"made_by": world.people.verifier},
        lambda world: {"made_by": world.people.researcher},
    ),
    *(
        (
            "accounts_passwordlink_made_now",
            link,
            lambda world, far=far: {"made_at": world.now + far, "expires_at": world.now + DAY},
            lambda world: {"made_at": world.now + SECOND},
        )
        for far in (datetime.timedelta(minutes=2), -datetime.timedelta(minutes=2))
    ),
    (
        "accounts_token_key_id_key",
        token,
        lambda world: {"key_id": world.token.key_id},
        lambda world: {"key_id": "0123456789ab"},
    ),
    *(
        ("accounts_token_key_id_is_hex", token, {"key_id": bad}, {"key_id": "0123456789ab"})
        for bad in ("0123456789AB", "0123456789a", "")
    ),
    *(
        ("accounts_token_digest_is_hex", token, {"digest": bad}, {"digest": HEX})
        for bad in (HEX[1:], HEX[1:] + "g", "")
    ),
    ("accounts_token_is_named", token, {"name": " \t"}, {"name": "x"}),
    *(
        ("accounts_token_scopes_known", token, {"scopes": bad}, {"scopes": ["public"]})
        for bad in (["public", "reveal"], [])
    ),
    (
        "accounts_token_ends_after_it_begins",
        token,
        lambda world: {"expires_at": world.now},
        lambda world: {"expires_at": world.now + SECOND},
    ),
    *(
        (
            "accounts_token_casework_a_year",
            token,
            lambda world, scope=scope: {
                "scopes": [scope],
                "expires_at": world.now + 365 * DAY + SECOND,
            },
            lambda world, scope=scope: {"scopes": [scope], "expires_at": world.now + 365 * DAY},
        )
        for scope in ("casework:read", "casework:write")
    ),
    (
        "accounts_token_casework_a_year",
        token,
        {"scopes": ["public", "casework:read"], "expires_at": None},
        {"expires_at": None},
    ),
    (
        "accounts_token_verify_twelve_hours",
        token,
        lambda world: {"scopes": ["verify"], "expires_at": world.now + 12 * HOUR + SECOND},
        lambda world: {"scopes": ["verify"], "expires_at": world.now + 12 * HOUR},
    ),
    (
        "accounts_token_revoked_at_a_time",
        token,
        lambda world: {"revoked_by": world.people.verifier},
        lambda world: {"revoked_by": world.people.verifier, "revoked_at": world.now},
    ),
    *(
        (
            "accounts_token_made_now",
            token,
            lambda world, far=far: {"created_at": world.now + far},
            lambda world: {"created_at": world.now + SECOND},
        )
        for far in (datetime.timedelta(minutes=2), -datetime.timedelta(minutes=2))
    ),
]
MODELS = {token: Token, user: User, link: PasswordLink}
# These are never altered: an update is refused for that before anything else is looked at.
NO_UPDATE = {token, link}


def _values(values: Values, world: World) -> dict[str, Any]:
    return values(world) if callable(values) else values


@pytest.mark.parametrize(
    ("name", "make", "bad", "fine"), [pytest.param(*row, id=row[0]) for row in ROWS]
)
def test_a_row_that_breaks_the_rule_is_refused_whichever_way_it_comes(
    world: World, name: str, make: Any, bad: Values, fine: Values
) -> None:
    bad, fine, by = _values(bad, world), _values(fine, world), world.people.administrator
    ways = rules.paths(MODELS[make])
    if make in NO_UPDATE:
        ways.pop("update", None)
    refused = {
        way: rule(partial(write, partial(make, world), bad, {}), by) for way, write in ways.items()
    }
    assert refused == dict.fromkeys(ways, name)
    taken = {
        way: refusal(partial(write, partial(make, world), fine, {}), by)
        for way, write in ways.items()
    }
    assert taken == dict.fromkeys(ways)


@pytest.mark.parametrize(
    ("name", "make", "bad"),
    [pytest.param(*row[:3], id=row[0]) for row in ROWS if not row[0].endswith("_check")],
)
def test_a_refused_row_comes_with_a_sentence(
    world: World, name: str, make: Any, bad: Values
) -> None:
    values = _values(bad, world)
    refused = refusal(lambda: make(world, **values), world.people.administrator)
    assert refused is not None
    assert refused.message != "The database refused it."
    assert refused.message.endswith(".")
    assert not JARGON.search(refused.message)


ALTERED: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    # what stands there, what is written, whether it is taken
    ({}, {"scopes": ["public", "verify"]}, False),
    ({}, {"name": "Other"}, False),
    ({}, {"digest": HEX[::-1]}, False),
    ({}, {"expires_at": NOW() + DAY}, False),
    ({}, {"created_at": NOW() - SECOND}, False),
    ({}, {"revoked_at": NOW()}, True),
    ({}, {"last_used_on": NOW().date()}, True),
    ({"revoked_at": NOW()}, {"revoked_at": None}, False),
    ({"revoked_at": NOW()}, {"revoked_at": NOW() + DAY}, False),
    ({"last_used_on": NOW().date()}, {"last_used_on": None}, False),
    ({"last_used_on": NOW().date()}, {"last_used_on": (NOW() - DAY).date()}, False),
    ({"last_used_on": NOW().date()}, {"last_used_on": (NOW() + DAY).date()}, True),
]


@pytest.mark.parametrize(("stands", "written", "is_taken"), ALTERED)
def test_accounts_token_never_altered(
    world: World, stands: dict[str, Any], written: dict[str, Any], is_taken: bool
) -> None:
    row = token(world, **stands)
    write = partial(Token.objects.filter(pk=row.pk).update, **written)
    found = rule(write, world.people.administrator)
    assert found == (None if is_taken else "accounts_token_never_altered")


@pytest.mark.parametrize(
    ("changed", "ends"),
    [
        ({"password": "other"}, True),
        ({"is_active": False}, True),
        ({"email": "a@example.org"}, False),
        ({"last_login": NOW()}, False),
    ],
)
def test_accounts_user_ends_tokens(world: World, changed: dict[str, Any], ends: bool) -> None:
    User.objects.filter(pk=world.people.verifier.pk).update(**changed)
    world.token.refresh_from_db()
    assert (world.token.revoked_at is not None) is ends


LINK_ALTERED: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"revoked_at": None}, {"expires_at": NOW() + DAY}, False),
    ({"revoked_at": None}, {"digest": HEX}, False),
    ({"revoked_at": None}, {"used_at": NOW()}, True),
    ({"revoked_at": None}, {"revoked_at": NOW()}, True),
    ({}, {"revoked_at": None}, False),
    ({"revoked_at": None, "used_at": NOW()}, {"used_at": None}, False),
    ({"revoked_at": None, "used_at": NOW()}, {"used_at": NOW() + DAY}, False),
]


@pytest.mark.parametrize(("stands", "written", "is_taken"), LINK_ALTERED)
def test_accounts_passwordlink_never_altered(
    world: World, stands: dict[str, Any], written: dict[str, Any], is_taken: bool
) -> None:
    row = link(world, **stands)
    write = partial(PasswordLink.objects.filter(pk=row.pk).update, **written)
    found = rule(write, world.people.administrator)
    assert found == (None if is_taken else "accounts_passwordlink_never_altered")


def test_accounts_passwordlink_one_at_a_time(world: World) -> None:
    open_link = partial(link, world, revoked_at=None)
    assert rule(open_link, world.people.administrator) is None
    name = "accounts_passwordlink_one_at_a_time"
    assert rule(lambda: (open_link(), open_link()), world.people.administrator) == name


def test_accounts_authenticator_one_per_person(world: World) -> None:
    def enrol() -> None:
        Authenticator.objects.create(user=world.people.verifier, name="x", confirmed=True)

    found = refusal(enrol, world.people.verifier)
    assert found is not None
    assert found.rule == "accounts_authenticator_one_per_person"


@pytest.mark.parametrize(
    ("written", "ends"),
    [({"is_active": False}, True), ({"email": "x"}, False), ({"epoch": 7}, True)],
)
def test_accounts_user_ends_sessions(world: World, written: dict[str, Any], ends: bool) -> None:
    person = world.people.verifier
    User.objects.filter(pk=person.pk).update(**written)
    User.objects.filter(pk=person.pk).update(is_active=True, epoch=0)
    before = person.epoch
    person.refresh_from_db()
    assert (person.epoch > before) is ends


def test_accounts_securityevent_stamped(world: World) -> None:
    long_ago = NOW() - 365 * DAY
    event = SecurityEvent.objects.create(kind="logged_in", at=long_ago)
    event.refresh_from_db()
    assert abs(event.at - NOW()) < datetime.timedelta(minutes=1)


def _add_group(world: World) -> None:
    world.people.verifier.groups.add(world.people.researcher.groups.get())


def _replace_key(world: World) -> None:
    Authenticator.objects.filter(user=world.people.verifier).update(key="ab" * 20)


RECORDED: list[tuple[str, Callable[[World], Any], list[str]]] = [
    ("accounts_user_recorded", lambda w: user(w), ["person_made"]),
    (
        "accounts_user_recorded",
        lambda w: User.objects.filter(username="verifier").update(
            password="x", is_active=False, is_superuser=True
        ),
        ["deactivated", "password_changed", "person_changed", "token_revoked"],
    ),
    (
        "accounts_user_recorded",
        lambda w: User.objects.filter(username="verifier").update(last_login=NOW()),
        [],
    ),
    ("accounts_user_groups_recorded", _add_group, ["group_added"]),
    (
        "accounts_user_groups_recorded",
        lambda w: w.people.verifier.groups.clear(),
        ["group_removed"],
    ),
    (
        "accounts_user_permissions_recorded",
        lambda w: w.people.verifier.user_permissions.add(1),
        ["person_changed"],
    ),
    ("accounts_token_recorded", lambda w: token(w), ["token_made"]),
    (
        "accounts_token_recorded",
        lambda w: Token.objects.filter(pk=w.token.pk).update(last_used_on=NOW().date()),
        ["token_first_used"],
    ),
    (
        "accounts_token_recorded",
        lambda w: Token.objects.filter(pk=w.token.pk).update(revoked_at=NOW()),
        ["token_revoked"],
    ),
    (
        "accounts_passwordlink_recorded",
        lambda w: PasswordLink.objects.filter(pk=link(w, revoked_at=None).pk).update(used_at=NOW()),
        ["link_made", "link_used"],
    ),
    (
        "accounts_passwordlink_recorded",
        lambda w: PasswordLink.objects.filter(pk=link(w, revoked_at=None).pk).update(
            revoked_at=NOW()
        ),
        ["link_made", "link_revoked"],
    ),
    (
        "accounts_authenticator_recorded",
        lambda w: Authenticator.objects.filter(user=w.people.verifier).delete(),
        ["second_factor_removed"],
    ),
    (
        "accounts_authenticator_recorded",
        _replace_key,
        ["second_factor_enrolled", "second_factor_removed"],
    ),
]


@pytest.mark.parametrize(("name", "change", "kinds"), RECORDED)
def test_each_change_of_access_is_written_down(
    world: World, name: str, change: Callable[[World], Any], kinds: list[str]
) -> None:
    last = SecurityEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with acting(world.people.administrator):
        change(world)
    events = list(SecurityEvent.objects.filter(pk__gt=last))
    assert sorted(event.kind for event in events) == kinds
    assert {event.by for event in events} <= {world.people.administrator}


KEPT = {
    ("accounts_token", operation): "accounts_token_never_deleted"
    for operation in ("DELETE", "TRUNCATE")
}
KEPT |= {
    ("accounts_passwordlink", operation): "accounts_passwordlink_never_deleted"
    for operation in ("DELETE", "TRUNCATE")
}
KEPT |= {
    ("accounts_securityevent", operation): "accounts_securityevent_only_grows"
    for operation in ("UPDATE", "DELETE", "TRUNCATE")
}


@pytest.mark.parametrize(
    ("table", "operation", "name"),
    [pytest.param(*key, name, id=f"{name}_{key[1].lower()}") for key, name in KEPT.items()],
)
def test_what_stays_is_not_changed_even_by_the_owner(
    people: SimpleNamespace, table: str, operation: str, name: str
) -> None:
    sql = {
        "UPDATE": f"UPDATE {table} SET id = id",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[operation]
    refused = refusal(partial(run, sql, using="owner"), people.verifier, using="owner")
    assert refused is not None
    assert refused.rule == name
    assert not JARGON.search(refused.message)


TWICE = {  # Django's own, of its tables for the groups and permissions of people
    "accounts_user_groups_user_id_group_id_59c0b32f_uniq": ("groups", "group_id"),
    "accounts_user_user_permi_user_id_permission_id_2ab516c2_uniq": (
        "user_permissions",
        "permission_id",
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_nobody_is_in_a_group_twice(world: World, name: str) -> None:
    of, column = TWICE[name]
    through = User._meta.get_field(of).remote_field.through
    row = {"user_id": world.people.verifier.pk, column: 1}
    through.objects.filter(**row).delete()
    add = partial(through.objects.create, **row)
    assert rule(add, world.people.administrator) is None
    assert rule(lambda: (add(), add()), world.people.administrator) == name


TESTED = {
    *(row[0] for row in ROWS),
    "accounts_token_never_altered",
    "accounts_user_ends_tokens",
    "accounts_passwordlink_never_altered",
    "accounts_passwordlink_one_at_a_time",
    "accounts_authenticator_one_per_person",
    "accounts_user_ends_sessions",
    "accounts_securityevent_stamped",
    *(row[0] for row in RECORDED),
    *TWICE,
}

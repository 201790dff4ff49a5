"""Making, finding and revoking tokens."""

from __future__ import annotations

import datetime
import hmac
import re
import secrets
from collections.abc import Collection
from functools import cache

from django.db import DatabaseError, connections, router, transaction
from django.db.models import Model, Q
from django.utils import timezone

from harmtracker.accounts import keyed, second_factor
from harmtracker.accounts.models import Authenticator, Token, User
from harmtracker.accounts.models.token import CASEWORK_DAYS, VERIFY_HOURS_AT_MOST
from harmtracker.accounts.scopes import CASEWORK, Scope, allowed
from harmtracker.accounts.services import SETUP_USERNAME
from harmtracker.errors import Invalid, NotAllowed
from harmtracker.history.acting import acting

# Known by its prefix to whoever finds one, and to programs that look for lost secrets.
_FORM = re.compile(r"ht_([0-9a-f]{12})_[0-9a-f]{64}", re.ASCII)


def issue(
    person: User,
    name: str,
    scopes: Collection[str],
    expires_at: datetime.datetime | None,
    by: User,
) -> tuple[Token, str]:
    """Make a token for ``person``; the token itself is the second value, never to be had again.

    ``expires_at`` of None means the usual: 12 hours with the scope ``verify``, 90 days for
    casework, no end for what is public. People make their own; the setup account, which acts for
    whoever sits at the machine, makes anybody's.
    """
    if by.pk != person.pk and by.username != SETUP_USERNAME:
        raise NotAllowed("People make their own tokens, and nobody makes another person's.")
    if not person.is_active:
        raise Invalid(f"{person.username} is not active, and gets no token.")
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in Scope.values]:
        raise Invalid(
            f"There is no scope {unknown[0]}: choose of {', '.join(Scope.values)}.",
            fields={"scopes": ["Unknown scope."]},
        )
    _refuse_more_than_the_person_has(person, wanted)
    now = timezone.now()
    if expires_at is None:
        expires_at = _usual_end(wanted, now)
    elif timezone.is_naive(expires_at):
        raise ValueError("A moment needs its time zone.")
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    plain = f"ht_{key_id}_{secret}"
    with acting(by, "Token made"):
        token = Token.objects.create(
            person=person,
            name=name.strip(),
            key_id=key_id,
            digest=_digest(plain),
            scopes=wanted,
            created_at=now,
            created_by=by,
            expires_at=expires_at,
        )
    return token, plain


def _refuse_more_than_the_person_has(person: User, wanted: list[str]) -> None:
    enrolled = second_factor.is_enrolled(person)
    if not enrolled and not CASEWORK.isdisjoint(wanted):
        raise Invalid(
            f"{person.username} has no second factor, and casework is not seen without one: "
            "enrol it first, by logging in to the admin.",
            fields={"scopes": ["Needs a second factor."]},
        )
    has = scopes_of(person)
    if beyond := [scope for scope in wanted if scope not in has]:
        raise Invalid(
            f"{person.username} may not {beyond[0]}, and so no token of theirs may: they can have "
            f"{', '.join(sorted(has))}.",
            fields={"scopes": [f"Not for this person: {beyond[0]}."]},
        )


def scopes_of(person: User) -> frozenset[str]:
    """The scopes that a new token of this person may have."""
    groups = person.groups.values_list("name", flat=True)
    return allowed(list(groups), has_second_factor=second_factor.is_enrolled(person))


def _usual_end(scopes: Collection[str], now: datetime.datetime) -> datetime.datetime | None:
    if Scope.VERIFY in scopes:
        return now + datetime.timedelta(hours=VERIFY_HOURS_AT_MOST)
    if not CASEWORK.isdisjoint(scopes):
        return now + datetime.timedelta(days=CASEWORK_DAYS)
    return None


def _digest(plain: str) -> str:
    return keyed.digest("token", plain).hex()


def find(plain: str) -> Token | None:
    """The token that this is, where it can be used now: neither revoked nor expired, of an active
    person; with what decides its use."""
    form = _FORM.fullmatch(plain)
    if form is None:
        return None
    token = _usable(form[1])
    if token is None or not hmac.compare_digest(token.digest, _digest(plain)):
        return None
    return token


def _columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@cache
def _statement() -> str:
    """Every request with a token asks this, and making it anew takes longer than running it."""
    wanted = [f't."{name}"' for name in _columns(Token)]
    wanted += [f'p."{name}"' for name in _columns(User)]
    return f"""
        SELECT {", ".join(wanted)},
            ARRAY(SELECT g.name FROM auth_group g
                  JOIN accounts_user_groups m ON m.group_id = g.id WHERE m.user_id = p.id),
            EXISTS (SELECT 1 FROM {Authenticator._meta.db_table} a
                    WHERE a.user_id = p.id AND a.confirmed)
        FROM accounts_token t JOIN accounts_user p ON p.id = t.person_id
        WHERE t.key_id = %s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %s)
          AND p.is_active
    """  # noqa: S608  (of our own words)


def _usable(key_id: str) -> Token | None:
    """The token of this id that can be used now, with its person, in one query."""
    alias = router.db_for_read(Token)
    with connections[alias].cursor() as cursor:
        cursor.execute(_statement(), [key_id, timezone.now()])
        row = cursor.fetchone()
    if row is None:
        return None
    size = len(_columns(Token))
    token = Token.from_db(alias, _columns(Token), row[:size])
    token.person = User.from_db(alias, _columns(User), row[size:-2])
    token.groups_now, token.has_second_factor_now = row[-2:]
    return token


def note_use(token: Token) -> None:
    """Remember the day on which a token was last used. Waits for nobody, and never fails."""
    today = timezone.now().astimezone(datetime.UTC).date()
    if token.last_used_on == today:
        return
    older = Q(last_used_on=None) | Q(last_used_on__lt=today)
    try:
        with transaction.atomic():
            free = Token.objects.select_for_update(skip_locked=True).filter(older, pk=token.pk)
            Token.objects.filter(pk__in=free.values("pk")).update(last_used_on=today)
    except DatabaseError:
        return


def revoke(token: Token, by: User) -> None:
    """End a token for good; the next request with it is refused. Again is no error.

    By its person, by whoever may change people, or by the setup account.
    """
    if (
        by.pk != token.person_id
        and by.username != SETUP_USERNAME
        and not by.has_perm("accounts.change_user")
    ):
        raise NotAllowed("This is another person's token: its person or an administrator ends it.")
    with acting(by, "Token revoked"):
        Token.objects.filter(pk=token.pk, revoked_at=None).update(
            revoked_at=timezone.now(), revoked_by=by
        )
    token.refresh_from_db(fields=["revoked_at", "revoked_by"])


def live() -> Q:
    """Tokens that are neither revoked nor expired."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))

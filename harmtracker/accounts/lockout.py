"""How often somebody may be wrong: counted in the database, over all processes.

An attempt is written down before it is looked at and struck out if it was right, so that a
thousand at once are no more than one after the other.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

from django.db import connections, transaction
from django.http import HttpRequest
from django.utils import timezone

from harmtracker import addresses
from harmtracker.accounts import events, keyed
from harmtracker.accounts.models import Attempt, SecurityEvent, User
from harmtracker.errors import TooMany

Kind = Attempt.Kind
FORGOTTEN_AFTER = datetime.timedelta(days=1)


class Limit(NamedTuple):
    """At most ``failures`` of these kinds ``within`` this time, of the same ``of``."""

    failures: int
    within: datetime.timedelta
    of: tuple[str, ...]
    kinds: tuple[str, ...]


_AT_THE_DOOR = (
    Limit(5, datetime.timedelta(minutes=15), ("account", "network"), (Kind.LOGIN, Kind.CODE)),
    Limit(20, datetime.timedelta(hours=1), ("network",), (Kind.LOGIN, Kind.CODE)),
)
LIMITS: dict[str, tuple[Limit, ...]] = {
    Kind.LOGIN: _AT_THE_DOOR,
    # Who is asked for a code has given the password: all networks together.
    Kind.CODE: (*_AT_THE_DOOR, Limit(20, datetime.timedelta(days=1), ("account",), (Kind.CODE,))),
    Kind.TOKEN: (Limit(20, datetime.timedelta(hours=1), ("network",), (Kind.TOKEN,)),),
}


def network_of(request: HttpRequest) -> str:
    """The network that a request comes from: /24 of IPv4, /64 of IPv6."""
    return addresses.network(addresses.client_address(request), bits_of_ipv4=24)


def reserve(kind: str, *, account: str = "", network: str = "") -> Attempt:
    """Write down an attempt before it is looked at. Raises :class:`TooMany` where it is not.

    ``account`` is the username as it was typed, whether somebody has it or not; without a
    ``network``, that of :func:`network_of`, all are counted together. Never within a transaction:
    what was tried stays written down whatever comes of it.
    """
    name = User.normalize_username(account)
    row = Attempt(
        kind=kind,
        account=keyed.digest("account", name).hex() if name else "",
        network=keyed.digest("network", network).hex() if network else "",
    )
    with transaction.atomic(durable=True):
        _one_after_the_other(row)
        row.at = timezone.now()
        wait = _wait(row)
        if wait is None:
            row.save(force_insert=True)
            Attempt.objects.filter(at__lt=row.at - FORGOTTEN_AFTER).delete()
    if wait is not None:
        _record(name, row.at)
        raise TooMany(
            f"Too many failed attempts: try again in {_in_words(wait)}.",
            wait_s=max(1, int(wait.total_seconds()) + 1),
        )
    return row


def release(attempt: Attempt) -> None:
    """Strike out an attempt that was right."""
    attempt.delete()


def _one_after_the_other(row: Attempt) -> None:
    """Who counts waits for whoever is counting the same."""
    with connections["default"].cursor() as cursor:
        for key in sorted({row.account, row.network} - {""}):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def _wait(row: Attempt) -> datetime.timedelta | None:
    """How long until an attempt is looked at again; None where it is now."""
    waits = []
    for limit in LIMITS[row.kind]:
        of = {name: getattr(row, name) for name in limit.of}
        if not all(of.values()):
            continue
        earlier = Attempt.objects.filter(kind__in=limit.kinds, at__gt=row.at - limit.within, **of)
        last = earlier.order_by("-at", "-pk").values_list("at", flat=True)
        if found := list(last[limit.failures - 1 : limit.failures]):
            waits.append(found[0] + limit.within - row.at)
    return max(waits, default=None)


def _record(name: str, now: datetime.datetime) -> None:
    """Once in a quarter of an hour for each person, however often somebody knocks."""
    person = User.objects.filter(username=name).first() if name else None
    lately = SecurityEvent.objects.filter(
        kind=SecurityEvent.Kind.LOCKED_OUT,
        person=person,
        at__gt=now - datetime.timedelta(minutes=15),
    )
    if not lately.exists():
        events.record(SecurityEvent.Kind.LOCKED_OUT, person)


def _in_words(wait: datetime.timedelta) -> str:
    minutes = int(wait.total_seconds() // 60) + 1
    if minutes > 90:
        return f"{round(minutes / 60)} hours"
    return f"{minutes} minutes" if minutes > 1 else "a minute"

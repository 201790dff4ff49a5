"""How often one client may ask: counted in the database, over all processes.

The count of a client begins with its first request and ends after the time that the rate names;
then it begins anew. The table holds a digest of the client's address with a key of the day, and
never the address. Where the database does not answer, each process counts for itself: a count that
is lost is better than an answer that is not given.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from harmtracker import rates
from harmtracker.accounts import keyed, tokens
from harmtracker.accounts.models import Token
from harmtracker.addresses import API, client_address, is_public, network
from harmtracker.api import authentication, problems
from harmtracker.rates import Rate

logger = logging.getLogger("harmtracker.api")

_CLIENT, _COUNTED = "harmtracker.client", "harmtracker.counted"

# A database that did not answer is left alone for so long.
REST_S = 5.0
# At most so many rows are swept at once, and so many clients kept in a process's own count.
SWEPT_AT_ONCE = 5_000
SWEEP_EVERY_S = 60.0
KEPT_HERE = 10_000

_COUNT = """
    INSERT INTO harmtracker_requestcount AS kept (client, ends_at, used)
    VALUES (%s, now() + make_interval(secs => %s), 1)
    ON CONFLICT (client) DO UPDATE SET
        used = CASE WHEN kept.ends_at <= now() THEN 1 ELSE least(kept.used, %s) + 1 END,
        ends_at = CASE WHEN kept.ends_at <= now() THEN excluded.ends_at ELSE kept.ends_at END
    RETURNING used, extract(epoch FROM ends_at - now())::float8
"""
_SWEEP = """
    DELETE FROM harmtracker_requestcount WHERE client IN (
        SELECT client FROM harmtracker_requestcount WHERE ends_at <= now()
        ORDER BY ends_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""


class Kind(NamedTuple):
    """What is counted together: its name in headers, and the settings that hold its rates."""

    name: str
    anonymous: str
    with_token: str

    def rate(self, client: Client) -> Rate | None:
        name = self.anonymous if client.token is None else self.with_token
        return rates.parse(getattr(settings, name))


REQUESTS = Kind("requests", "HARMTRACKER_RATE_ANONYMOUS", "HARMTRACKER_RATE_TOKEN")
FILES = Kind("files", "HARMTRACKER_RATE_FILE", "HARMTRACKER_RATE_FILE_TOKEN")
EXPORTS = Kind("exports", "HARMTRACKER_RATE_EXPORT", "HARMTRACKER_RATE_EXPORT_TOKEN")


class Client(NamedTuple):
    """Who is counted: a token, or an address without one."""

    name: str
    token: Token | None = None
    brings_dead_token: bool = False


class Counted(NamedTuple):
    """Where a client stands after a request."""

    kind: Kind
    rate: Rate
    used: int
    ends_in_s: int

    @property
    def left(self) -> int:
        return max(0, self.rate.requests - self.used)


def count(request: HttpRequest | Request, kind: Kind = REQUESTS) -> None:
    """Count one request of a kind; raises :class:`problems.Problem` (429) beyond its rate.

    Every request to the API is counted before its view begins: as one of ``REQUESTS``, or of the
    kind that the view names as ``counted_as``. A view that is about to give an export counts it
    besides, as one of ``EXPORTS``, once nothing else can be refused: a misspelt filter costs none.
    """
    plain = request._request if isinstance(request, Request) else request
    client = _client(plain)
    rate = kind.rate(client)
    if rate is None:
        return
    used, ends_in_s = COUNTER.count(_digest(client, kind, rate), rate)
    counted = Counted(kind, rate, used, max(1, math.ceil(ends_in_s)))
    plain.META.setdefault(_COUNTED, []).append(counted)
    if used > rate.requests:
        more = "" if client.token else " A token has a higher rate."
        raise problems.Problem(
            "throttled",
            f"There were {rate.requests} {kind.name} in {rate.seconds} seconds: ask again in "
            f"{counted.ends_in_s} seconds.{more}",
            headers={"Retry-After": str(counted.ends_in_s)},
        )


def headers(request: HttpRequest) -> dict[str, str]:
    """Where the client stands, as the IETF's draft of RateLimit fields writes it."""
    counted: list[Counted] = request.META.get(_COUNTED, [])
    if not counted:
        return {}
    return {
        "RateLimit-Policy": ", ".join(
            f'"{c.kind.name}";q={c.rate.requests};w={c.rate.seconds}' for c in counted
        ),
        "RateLimit": ", ".join(f'"{c.kind.name}";r={c.left};t={c.ends_in_s}' for c in counted),
    }


def _client(request: HttpRequest) -> Client:
    if _CLIENT not in request.META:
        request.META[_CLIENT] = _looked_up(request)
    found: Client = request.META[_CLIENT]
    return found


def _looked_up(request: HttpRequest) -> Client:
    address = network(client_address(request), bits_of_ipv4=32)
    if authentication.given_token(request) is None or COUNTER.is_resting:
        return Client(address)
    try:
        token = authentication.token_of(request)
    except (DatabaseError, InterfaceError) as error:
        # Nobody can say what it is worth: what is public is given as it is without one.
        COUNTER.rest(error)
        return Client(address)
    if token is None:
        return Client(address, brings_dead_token=True)
    return Client(f"token {token.pk}", token)


def _digest(client: Client, kind: Kind, rate: Rate) -> uuid.UUID:
    """What stands for a client in the table. Tomorrow it is another."""
    today = timezone.now().date().isoformat()
    text = f"{kind.name} {rate.requests}/{rate.seconds} {client.name}"
    digest = hmac.digest(keyed.digest("requests", today), text.encode(), hashlib.sha256)
    return uuid.UUID(bytes=digest[:16])


class Counter:
    """Counts in the database, and in this process alone while the database does not answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here: dict[uuid.UUID, tuple[int, float]] = {}
        self._rests_until = 0.0
        self._sweeps_at = time.monotonic() + SWEEP_EVERY_S

    def count(self, client: uuid.UUID, rate: Rate) -> tuple[int, float]:
        """How many requests the client has made with this one, and when its count ends (s)."""
        if not self.is_resting:
            try:
                return self._count_there(client, rate)
            except (DatabaseError, InterfaceError) as error:
                self.rest(error)
        return self._count_here(client, rate)

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self._rests_until

    def rest(self, error: Exception) -> None:
        """Leave the database alone for a while."""
        self._rests_until = time.monotonic() + REST_S
        logger.warning("Requests are counted by each process: %s", type(error).__name__)

    def _count_there(self, client: uuid.UUID, rate: Rate) -> tuple[int, float]:
        counted = _run(_COUNT, [client, rate.seconds, rate.requests]).fetchone()
        if time.monotonic() >= self._sweeps_at:
            self._sweeps_at = time.monotonic() + SWEEP_EVERY_S
            if _run(_SWEEP, [SWEPT_AT_ONCE]).rowcount >= SWEPT_AT_ONCE:
                self._sweeps_at = 0.0
        return counted or (1, float(rate.seconds))

    def _count_here(self, client: uuid.UUID, rate: Rate) -> tuple[int, float]:
        now = time.monotonic()
        with self._lock:
            used, ends_at = self._here.get(client, (0, 0.0))
            if ends_at <= now:
                used, ends_at = 0, now + rate.seconds
                if len(self._here) >= KEPT_HERE:
                    self._here.clear()
            self._here[client] = (used + 1, ends_at)
        return used + 1, ends_at - now


COUNTER = Counter()


def _run(statement: str, parameters: list[Any]) -> psycopg.Cursor[Any]:
    """Run a prepared statement over casework's connection.

    Django would ask first whether the connection still works, which takes half as long again. Here
    one that was ended while nobody used it is met by using it, and made anew.
    """
    casework = connections["default"]
    try:
        return _run_once(statement, parameters)
    except (OperationalError, InterfaceError):
        if casework.connection is None or casework.in_atomic_block or casework.is_usable():
            raise
        casework.close()
        return _run_once(statement, parameters)


def _run_once(statement: str, parameters: list[Any]) -> psycopg.Cursor[Any]:
    casework = connections["default"]
    casework.ensure_connection()
    with casework.wrap_database_errors:
        cursor = psycopg.Cursor(casework.connection)
        return cursor.execute(statement, parameters, prepare=True)


def _check_token(request: HttpRequest) -> None:
    """Say so where a token on a public address cannot be used: its program would never know.

    Other schemes are not looked at: a proxy of somebody's own may ask for a password.
    """
    client = _client(request)
    if client.token is not None:
        tokens.note_use(client.token)
    if client.brings_dead_token:
        authentication.reserve_failure(request)
        raise problems.Problem(
            "not-authenticated",
            "The token is wrong, expired or revoked: take a new one, or none, since what is "
            "public is to be had without.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )


class Throttle:
    """Counts every request to the API, but those to views that say ``is_counted = False``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in headers(request).items():
            response[name] = value
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not request.path.startswith(API):
            return None
        view_class = getattr(view, "view_class", None)
        if not getattr(view_class, "is_counted", True):
            return None
        try:
            count(request, getattr(view_class, "counted_as", REQUESTS))
            if is_public(request.path):
                _check_token(request)
        except Exception as error:
            return problems.respond(problems.of(error))
        return None

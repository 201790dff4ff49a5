"""Sessions of the admin: begun with both factors, and ended in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from harmtracker.accounts import events
from harmtracker.accounts.models import Authenticator, PasswordLink, SecurityEvent, User

# How long somebody who gave a password may take to enrol the second factor, in seconds.
ENROLMENT_AGE = 30 * 60
# A code this old, in seconds, is not enough to change what people may do.
FRESH_AGE = 10 * 60
# The time of the last use is written this often, in seconds, and not with each request.
SEEN_EVERY = 60

_PROOF, _ENROLLING, _LINK = "proof", "enrolling", "password_link"


def _now() -> int:
    return int(timezone.now().timestamp())


class VerifiedSessions:
    """Nobody is logged in by a session that a second factor did not begin, or that is over.

    Whatever else a view asks: without this proof ``request.user`` is anonymous.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            proof: Any = request.session.get(_PROOF)
            if not _is_good(proof, request.user.pk):
                auth.logout(request)
            elif _now() - proof["seen"] >= SEEN_EVERY:
                request.session[_PROOF] = {**proof, "seen": _now()}
        return self.get_response(request)


def _is_good(proof: Any, person_id: int) -> bool:
    return (
        isinstance(proof, dict)
        and 0 <= _now() - proof["began"] < settings.SESSION_COOKIE_AGE
        and _now() - proof["seen"] < settings.SESSION_IDLE_AGE
        and Authenticator.objects.filter(
            pk=proof["authenticator"], user=person_id, confirmed=True
        ).exists()
    )


def begin(request: HttpRequest, person: User) -> None:
    """Log in a person whose password and code were right a moment ago."""
    app = Authenticator.objects.get(user=person, confirmed=True)
    auth.login(request, person)
    request.session.pop(_ENROLLING, None)
    now = _now()
    request.session[_PROOF] = {"authenticator": app.pk, "began": now, "seen": now, "code": now}
    events.record(SecurityEvent.Kind.LOGGED_IN, person, by=person)
    Session.objects.filter(expire_date__lt=timezone.now()).delete()


def left(request: HttpRequest) -> int:
    """In how many seconds the session is over where the person does nothing; 0 without one."""
    proof = request.session.get(_PROOF)
    if not isinstance(proof, dict):
        return 0
    idle = proof["seen"] + settings.SESSION_IDLE_AGE
    return max(0, min(idle, proof["began"] + settings.SESSION_COOKIE_AGE) - _now())


def is_verified(request: HttpRequest) -> bool:
    """Whether a second factor began this session."""
    return _PROOF in request.session


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person of this session gave a code in the last ten minutes."""
    proof = request.session.get(_PROOF, {})
    return 0 <= _now() - proof.get("code", 0) < FRESH_AGE


def refresh(request: HttpRequest) -> None:
    """Remember that the person of this session gave a right code just now."""
    request.session[_PROOF] = {**request.session[_PROOF], "code": _now()}
    request.session.cycle_key()


def begin_enrolment(request: HttpRequest, person: User) -> None:
    """Remember who gave a password and has no second factor yet. Nobody is logged in by it."""
    request.session.flush()
    request.session[_ENROLLING] = {
        "person": person.pk,
        "hash": person.get_session_auth_hash(),
        "at": _now(),
    }


def enrolling(request: HttpRequest) -> User | None:
    """Who is enrolling a second factor here, after the password."""
    kept = request.session.get(_ENROLLING)
    if not isinstance(kept, dict) or not 0 <= _now() - kept["at"] < ENROLMENT_AGE:
        return None
    person = User.objects.filter(pk=kept["person"], is_active=True, is_staff=True).first()
    if person is None or not constant_time_compare(kept["hash"], person.get_session_auth_hash()):
        return None
    return person


def open_link(request: HttpRequest, link: PasswordLink) -> None:
    """Remember which link was opened, so that its secret need not stand in an address again."""
    request.session.flush()
    request.session[_LINK] = link.pk


def opened_link(request: HttpRequest) -> int | None:
    kept = request.session.get(_LINK)
    return kept if isinstance(kept, int) else None

"""The second factor: codes of an authenticator app, and recovery codes for when it is lost."""

from __future__ import annotations

import base64
import re
import secrets

import qrcode
import qrcode.image.svg
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from harmtracker.accounts import events, keyed, lockout
from harmtracker.accounts.models import Authenticator, SecurityEvent, Token, User
from harmtracker.accounts.scopes import CASEWORK
from harmtracker.accounts.services import SETUP_USERNAME
from harmtracker.errors import Conflict, NotAllowed
from harmtracker.history.acting import acting

RECOVERY_CODES = 10
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_RECOVERY_CODE = re.compile(r"[a-z2-7]{10}", re.ASCII)
# Letters and digits of base32, which nobody takes for each other.
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def is_enrolled(person: User) -> bool:
    """Whether this person has a second factor that was confirmed by a code."""
    return Authenticator.objects.filter(user=person, confirmed=True).exists()


def check(person: User, code: str, *, network: str = "") -> bool:
    """Whether this is a code of this person's, which it then was for the last time.

    A wrong one counts towards the lock-out; :class:`harmtracker.errors.TooMany` is raised where
    no more are looked at. Give the network of the request (`lockout.network_of`) where there is
    one. Never within a transaction, which could undo the counting.
    """
    attempt = lockout.reserve(lockout.Kind.CODE, account=person.username, network=network)
    with transaction.atomic(durable=True):
        is_right = _spend(person, code)
    if is_right:
        lockout.release(attempt)
    else:
        events.record(SecurityEvent.Kind.CODE_FAILED, person)
    return is_right


def _spend(person: User, code: str) -> bool:
    plain = "".join(code.split()).replace("-", "").casefold()
    if _CODE.fullmatch(plain):
        app = Authenticator.objects.select_for_update().filter(user=person, confirmed=True).first()
        return app is not None and app.verify_token(plain)
    if _RECOVERY_CODE.fullmatch(plain):
        codes = StaticDevice.objects.select_for_update().filter(user=person, confirmed=True).first()
        if codes is not None and codes.verify_token(_stored(person, plain)):
            left = codes.token_set.count()
            events.record(
                SecurityEvent.Kind.RECOVERY_CODE_USED, person, by=person, detail=f"{left} left"
            )
            return True
    return False


def new_authenticator(person: User, *, is_confirmed: bool = False) -> Authenticator:
    """A fresh secret for this person's app. Confirmed ones are made by quickstart and tests."""
    return Authenticator.objects.create(
        user=person, name="authenticator", confirmed=is_confirmed, tolerance=1
    )


def enrolling(person: User) -> Authenticator:
    """The secret that this person's app is to take, the same until it is confirmed."""
    waiting = Authenticator.objects.filter(user=person, confirmed=False).order_by("pk").first()
    return waiting or new_authenticator(person)


def confirm(person: User, code: str) -> list[str] | None:
    """Enrol the app whose code this is; the recovery codes, never to be had again.

    None where the code is wrong. Raises :class:`Conflict` where the person has a second factor
    already.
    """
    with acting(person, "Second factor enrolled"):
        User.objects.select_for_update().get(pk=person.pk)
        if is_enrolled(person):
            raise Conflict("You have a second factor already: log in with it.")
        app = enrolling(person)
        plain = "".join(code.split())
        if not _CODE.fullmatch(plain) or not app.verify_token(plain):
            return None
        app.confirmed = True
        app.save()
        return make_recovery_codes(person)


def make_recovery_codes(person: User) -> list[str]:
    """Ten fresh codes, each good once; earlier ones are good no more."""
    StaticDevice.objects.filter(user=person).delete()
    codes = StaticDevice.objects.create(user=person, name="recovery codes", confirmed=True)
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(
        StaticToken(device=codes, token=_stored(person, code)) for code in made
    )
    events.record(SecurityEvent.Kind.RECOVERY_CODES_MADE, person, by=person)
    return [f"{code[:5]}-{code[5:]}" for code in made]


def _stored(person: User, code: str) -> str:
    """What is stored of a recovery code: 80 bits of a keyed digest, 16 characters."""
    return base64.b32encode(keyed.digest(f"recovery:{person.pk}", code)[:10]).decode()


def reset(person: User, by: User) -> None:
    """Take away a lost second factor: ends all sessions and casework tokens.

    The person enrols another one after the next login. By an administrator, not for themselves,
    or by the setup account.
    """
    if by.username != SETUP_USERNAME and (
        by.pk == person.pk or not by.has_perm("accounts.change_user")
    ):
        raise NotAllowed("Another administrator takes away a second factor, not its person.")
    with acting(by, "Second factor reset"):
        Authenticator.objects.filter(user=person).delete()
        StaticDevice.objects.filter(user=person).delete()
        User.objects.filter(pk=person.pk).update(epoch=F("epoch") + 1)
        Token.objects.filter(
            person=person, revoked_at=None, scopes__overlap=sorted(CASEWORK)
        ).update(revoked_at=timezone.now(), revoked_by=by)


def secret_in_letters(app: Authenticator) -> str:
    """The secret as an app takes it when it is typed: base32."""
    return base64.b32encode(app.bin_key).decode()


def from_letters(secret: str) -> bytes:
    """The bytes of a secret that was given as base32."""
    return base64.b32decode(secret)


def qr_code(app: Authenticator) -> str:
    """The secret as an app scans it: the address of an SVG image that holds its own bytes."""
    image = qrcode.make(
        app.config_url, image_factory=qrcode.image.svg.SvgPathFillImage, box_size=14, border=3
    )
    return "data:image/svg+xml;base64," + base64.b64encode(image.to_string()).decode()

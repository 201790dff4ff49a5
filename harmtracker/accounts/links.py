"""Inviting people and resetting passwords, by a link that an administrator hands over.

Nobody but the person ever knows their password.
"""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Collection

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from harmtracker.accounts import keyed
from harmtracker.accounts.groups import GROUPS
from harmtracker.accounts.models import PasswordLink, User
from harmtracker.accounts.models.password_link import DAYS
from harmtracker.accounts.services import SETUP_USERNAME
from harmtracker.errors import Invalid, NotAllowed, NotFound
from harmtracker.history.acting import acting

_FORM = re.compile(r"[0-9a-f]{64}", re.ASCII)
NO_LONGER_GOOD = (
    "This link is not good, or no longer: it works once, and for seven days. Ask an administrator "
    "for another."
)


def invite(username: str, groups: Collection[str], by: User) -> tuple[User, str]:
    """Add a person to the team; the secret of the link for them, never to be had again."""
    _refuse_who_may_not(by, "accounts.add_user")
    if unknown := sorted(set(groups) - set(GROUPS)):
        raise Invalid(f"There is no group {unknown[0]}: choose of {', '.join(GROUPS)}.")
    person = User(username=User.normalize_username(username), is_staff=True)
    person.set_unusable_password()
    try:
        person.full_clean()
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), fields=error.message_dict) from error
    with acting(by, "Invited"):
        person.save(force_insert=True)
        person.groups.set(Group.objects.filter(name__in=groups))
        return person, _make(person, PasswordLink.Purpose.INVITATION, by)


def make_reset_link(person: User, by: User) -> str:
    """The secret of a fresh link for a person who forgot the password; earlier ones end.

    The second factor stays as it is. Nothing changes until the link is used.
    """
    _refuse_who_may_not(by, "accounts.change_user")
    if not person.is_active:
        raise Invalid(f"{person.username} is not active: activate them first.")
    purpose = PasswordLink.Purpose
    with acting(by, "Link made"):
        return _make(
            person, purpose.RESET if person.has_usable_password() else purpose.INVITATION, by
        )


def _refuse_who_may_not(by: User, permission: str) -> None:
    if by.username != SETUP_USERNAME and not by.has_perm(permission):
        raise NotAllowed("Administrators invite people and make links.")


def _make(person: User, purpose: str, by: User) -> str:
    now = timezone.now()
    User.objects.select_for_update().get(pk=person.pk)
    PasswordLink.objects.filter(person=person, used_at=None, revoked_at=None).update(revoked_at=now)
    secret = secrets.token_hex(32)
    PasswordLink.objects.create(
        person=person,
        purpose=purpose,
        digest=_digest(secret),
        made_at=now,
        made_by=by,
        expires_at=now + datetime.timedelta(days=DAYS),
    )
    return secret


def _digest(secret: str) -> str:
    return keyed.digest("password-link", secret).hex()


def _good() -> dict[str, object]:
    return {
        "used_at": None,
        "revoked_at": None,
        "expires_at__gt": timezone.now(),
        "person__is_active": True,
    }


def find(secret: str) -> PasswordLink | None:
    """The link with this secret, where it can still be used."""
    if not _FORM.fullmatch(secret):
        return None
    return PasswordLink.objects.filter(digest=_digest(secret), **_good()).first()


def still_good(link_id: int) -> PasswordLink | None:
    """The link of this id, where it can still be used."""
    return PasswordLink.objects.filter(pk=link_id, **_good()).select_related("person").first()


def use(link: PasswordLink, password: str) -> User:
    """Set the password of the link's person, which ends all their sessions and tokens."""
    with acting(link.person, "Link used"):
        now = timezone.now()
        if not PasswordLink.objects.filter(pk=link.pk, **_good()).update(used_at=now):
            raise NotFound(NO_LONGER_GOOD)
        person = User.objects.get(pk=link.person_id)
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise Invalid(" ".join(error.messages)) from error
        person.set_password(password)
        person.save(update_fields=["password"])
    return person

"""The second factor: an authenticator app."""

from __future__ import annotations

from harmtracker.accounts.models import Authenticator, User


def is_enrolled(person: User) -> bool:
    """Whether this person has a second factor that was confirmed by a code."""
    return Authenticator.objects.filter(user=person, confirmed=True).exists()


def new_authenticator(person: User, *, is_confirmed: bool = False) -> Authenticator:
    """A fresh secret for this person's app. Confirmed ones are made by quickstart and tests."""
    return Authenticator.objects.create(
        user=person, name="authenticator", confirmed=is_confirmed, tolerance=1
    )

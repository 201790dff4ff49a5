"""Whether a person may do something, asked where it is done."""

from __future__ import annotations

from harmtracker.accounts.models import User
from harmtracker.errors import NotAllowed


def need(person: User, permission: str, words: str) -> None:
    """Raise :class:`NotAllowed` unless the person has the permission; ``words``: to do what."""
    if not person.has_perm(permission):
        raise NotAllowed(f"You may not {words}.")

"""Who acts when a command is run."""

from __future__ import annotations

from harmtracker.accounts.models import User
from harmtracker.errors import Invalid


def named_or_only(username: str | None, permission: str) -> User:
    """The active person of this name, or the only one with this right. Raises :class:`Invalid`."""
    if username:
        person = User.objects.filter(username=username, is_active=True).first()
        if person is None:
            raise Invalid(f"There is no active person {username}.")
        return person
    able = [p for p in User.objects.filter(is_active=True).order_by("pk") if p.has_perm(permission)]
    if len(able) != 1:
        raise Invalid(f"{len(able)} persons may do this: say who does, with --as USERNAME.")
    return able[0]

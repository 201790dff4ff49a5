"""Making people, and the one account that no person has."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import transaction

from harmtracker.accounts.models import User

SETUP_USERNAME = "harmtracker-setup"


def setup_actor() -> User:
    """Who acts when data files are loaded: an inactive account that nobody can log in to."""
    user, _ = User.objects.get_or_create(
        username=SETUP_USERNAME, defaults={"is_active": False, "password": "!"}
    )
    return user


def create_person(*, username: str, password: str, group: str) -> User:
    """A member of the team. The password is taken as it is: the caller made or checked it."""
    with transaction.atomic():
        user = User.objects.create_user(username=username, password=password, is_staff=True)
        user.groups.set([Group.objects.get(name=group)])
    return user

"""The database after a test that may commit: laid anew where anything was written, else left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connections

from harmtracker.accounts.models import User
from tests.conftest import renew_database

pytestmark = pytest.mark.usefixtures("committed")


def oid() -> int:
    """Another one for each database that is laid."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        found: int = cursor.fetchone()[0]
    return found


def test_one_that_was_only_read_stays() -> None:
    renew_database()
    before = oid()
    assert User.objects.exists()
    renew_database()
    assert oid() == before


@pytest.mark.parametrize(
    "write",
    [
        lambda: Session.objects.create(session_key="x" * 32, expire_date="2030-01-01T00:00:00Z"),
        lambda: User.objects.filter(username="verifier").update(is_active=False),
    ],
    ids=["a row added", "a row changed"],
)
def test_what_was_written_is_undone(write: Callable[[], Any]) -> None:
    before = oid()
    write()
    renew_database()
    assert oid() != before
    assert not Session.objects.exists()
    assert User.objects.get(username="verifier").is_active

"""The database after a test that may commit: laid anew where anything was written, else left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connections

from harmtracker.accounts.models import User
from tests import database
from tests.laying import lay_once, leave_as_laid, renew_database

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


def note(text: str) -> str:
    """What a test might build: a row, and what it tells of it."""
    Session.objects.create(session_key=text, expire_date="2030-01-01T00:00:00Z")
    return text


def test_what_is_only_read_is_built_once() -> None:
    assert lay_once("one", lambda: note("a")) == "a"
    before = oid()
    assert lay_once("one", lambda: note("b")) == "a"
    assert (oid(), Session.objects.get().session_key) == (before, "a")
    assert lay_once("other", lambda: note("c")) == "c"
    assert Session.objects.get().session_key == "c"


@pytest.mark.parametrize("alias", ["default", "owner"])
def test_after_a_write_it_is_built_anew(alias: str) -> None:
    lay_once("one", lambda: note("a"))
    Session.objects.using(alias).create(session_key="w", expire_date="2030-01-01T00:00:00Z")
    assert lay_once("one", lambda: note("b")) == "b"
    assert Session.objects.get().session_key == "b"


def test_where_the_server_does_not_count_it_is_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "rows_written", lambda name: None)
    lay_once("one", lambda: note("a"))
    Session.objects.create(session_key="w", expire_date="2030-01-01T00:00:00Z")
    assert lay_once("one", lambda: note("b")) == "b"
    assert Session.objects.get().session_key == "b"


def test_what_a_test_does_to_its_copy_is_its_own() -> None:
    lay_once("one", lambda: [note("a")]).append("more")
    assert lay_once("one", lambda: [note("b")]) == ["a"]


def test_the_next_test_finds_the_template() -> None:
    lay_once("one", lambda: note("a"))
    leave_as_laid()
    assert not Session.objects.exists()

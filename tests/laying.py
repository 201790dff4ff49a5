"""The database of one worker: laid anew after what was written in it, and with what a row of tests
reads built in it once."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from tests import database

Value = TypeVar("Value")


class _Built(NamedTuple):
    name: str
    value: Any
    rows: int | None


# How many rows had been written in this worker's database when it was laid.
_rows: int | None = None
# What was built in it since, for tests that only read.
_built: _Built | None = None


def worker_database() -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return f"test_harmtracker_{worker}_{os.environ.get('HARMTRACKER_TEST_TEMPLATE', 'run')}"


def first_database() -> None:
    """This worker's own copy of the template."""
    global _rows
    _rows = None
    renew_database()
    database.use(worker_database())


def renew_database() -> None:
    """Lay this worker's database anew, after a test that may have committed.

    One in which nothing was written since, and nothing was tried and rolled back, is left as it is.
    """
    global _built, _rows
    database.connections.close_all()
    name = worker_database()
    _built = None
    if _rows is not None:
        database.end_sessions(name)
        if database.rows_written(name) == _rows:
            return
    database.clone(database.TEMPLATE, name)
    _rows = database.rows_written(name)


def lay_once(name: str, build: Callable[[], Value]) -> Value:
    """What ``build`` committed and gives, in a database as it was laid.

    It is built again only where another was laid since, or a test wrote in it, or the server does
    not count what is written. Each test has its own copy of the value.
    """
    global _built
    is_there = _built is not None and _built.name == name
    if not (is_there and _built.rows is not None and _written() == _built.rows):
        renew_database()
        value = build()
        _built = _Built(name, value, _written())
    found: Value = copy.deepcopy(_built.value)
    return found


def leave_as_laid() -> None:
    """Before a test that expects the template, and not what was built for the one before it."""
    if _built is not None:
        renew_database()


def _written() -> int | None:
    """As `database.rows_written`, with what this process's open sessions have not yet told."""
    for connection in database.connections.all(initialized_only=True):
        if connection.connection is not None and not connection.connection.closed:
            connection.connection.execute("SELECT pg_stat_force_next_flush()")
    return database.rows_written(worker_database())

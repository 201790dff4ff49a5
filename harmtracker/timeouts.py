"""How long the database may work on one statement, and wait for a lock.

The roles say it themselves (:data:`harmtracker.postgres.ROLE_SETTINGS`), so that it holds for
whoever connects as one of them; the server does not start as a role that does not. Only an export
asks for longer, for its own transactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from harmtracker.postgres import ROLE_SETTINGS

EXPORT = "30s"
_NAMES = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@contextmanager
def for_exports(alias: str = "published") -> Iterator[None]:
    """A transaction in which each statement may take 30 s: one batch of an export."""
    with transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{EXPORT}'")
        yield


def missing(connection: BaseDatabaseWrapper, role: str) -> list[str]:
    """The timeouts that a connection as this kind of role ("app", "public") lacks, or has longer.

    Asked of the connection as it is, whoever set them.
    """
    wanted = {name: int(ROLE_SETTINGS[role][name].removesuffix("s")) for name in _NAMES}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s)", [[*_NAMES]]
        )
        held_ms = dict(cursor.fetchall())
    return [
        f"{name} of {wanted[name]}s"
        for name in _NAMES
        if not 0 < held_ms[name] <= wanted[name] * 1000
    ]

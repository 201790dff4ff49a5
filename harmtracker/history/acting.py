"""Who acts: set once per transaction, read by the triggers, required by them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connections, transaction

from harmtracker.errors import translated

if TYPE_CHECKING:
    from harmtracker.accounts.models import User

_SET = (
    "SELECT current_setting('harmtracker.actor', true), "
    "current_setting('harmtracker.reason', true), "
    "current_setting('harmtracker.request', true), "
    "set_config('harmtracker.actor', %s, true), "
    "set_config('harmtracker.reason', %s, true), "
    "set_config('harmtracker.request', %s, true)"
)


@contextmanager
def acting(
    actor: User, reason: str = "", *, request_id: uuid.UUID | None = None, using: str = "default"
) -> Iterator[None]:
    """A transaction in which ``actor`` changes evidence, for ``reason``.

    Rules that span rows are checked before it ends, so that their refusal is raised here, as
    a :class:`harmtracker.errors.DomainError`, and not by the commit. May be nested: the outer
    person is the one who acts again afterwards.
    """
    if actor.pk is None:
        raise ValueError("Only a stored user can act on evidence.")
    connection = connections[using]
    with translated(), transaction.atomic(using=using):
        with connection.cursor() as cursor:
            cursor.execute(_SET, [str(actor.pk), reason, str(request_id or "")])
            row = cursor.fetchone()
            assert row is not None  # a SELECT without FROM gives one row  # noqa: S101
            outer = [value or "" for value in row[:3]]
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(_SET, outer)

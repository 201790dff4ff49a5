"""What the tests of one module begin with, made once and undone after the last of them.

For modules without the mark ``django_db``, whose end closes the connections: what stands is not
committed, and each test of it is a savepoint within.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import transaction


@contextmanager
def undone(*aliases: str) -> Iterator[None]:
    """Transactions, or savepoints, that are rolled back."""
    with ExitStack() as stack:
        for alias in aliases:
            stack.enter_context(transaction.atomic(using=alias))
        yield
        for alias in aliases:
            transaction.set_rollback(True, using=alias)

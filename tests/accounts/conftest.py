from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let so much time go by, for the program; the database's clock goes on as it does."""
    real = timezone.now
    gone = timedelta()

    def go_by(more: timedelta) -> None:
        nonlocal gone
        gone += more
        monkeypatch.setattr(timezone, "now", lambda: real() + gone)

    return go_by

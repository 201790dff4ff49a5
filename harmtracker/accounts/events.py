"""Writing down what was tried; what was changed, triggers write down."""

from __future__ import annotations

from harmtracker.accounts.models import SecurityEvent, User


def record(
    kind: SecurityEvent.Kind, person: User | None, *, by: User | None = None, detail: str = ""
) -> None:
    """``person`` is whose access it is about, ``by`` who did it, where that was proved."""
    SecurityEvent.objects.create(kind=kind, person=person, by=by, detail=detail)

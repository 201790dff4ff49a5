"""What a token may be used for, and who may have such a token."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models

from harmtracker.accounts.groups import RESEARCHER, VERIFIER


class Scope(models.TextChoices):
    """One kind of use. A scope never gives more than the person has."""

    PUBLIC = "public", "Read what is published"
    CASEWORK_READ = "casework:read", "Read casework"
    CASEWORK_WRITE = "casework:write", "Enter and change casework"
    VERIFY = "verify", "Return, verify, publish and retract"


CASEWORK = frozenset({Scope.CASEWORK_READ, Scope.CASEWORK_WRITE, Scope.VERIFY})

# Scope -> the groups of which a person must be in one; a public token is for everybody.
_GROUPS: dict[str, frozenset[str]] = {
    Scope.CASEWORK_READ: frozenset({RESEARCHER, VERIFIER}),
    Scope.CASEWORK_WRITE: frozenset({RESEARCHER, VERIFIER}),
    Scope.VERIFY: frozenset({VERIFIER}),
}


def allowed(groups: Collection[str], *, has_second_factor: bool) -> frozenset[str]:
    """The scopes that a person in these groups may use; casework needs the second factor."""
    if not has_second_factor:
        return frozenset({Scope.PUBLIC.value})
    return frozenset(
        scope.value
        for scope in Scope
        if scope not in _GROUPS or not _GROUPS[scope].isdisjoint(groups)
    )

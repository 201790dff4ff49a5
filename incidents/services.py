"""Entering records: each function checks the row, saves it, and leaves one history row.

Call them inside :func:`harmtracker.history.acting.acting`; the database refuses them otherwise.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from harmtracker.accounts.models import User
from harmtracker.errors import Invalid

from .models import CasualtyCount, Claim, CountBasis, Incident, Victim, VictimClaim

Row = TypeVar("Row", bound=models.Model)


def save(row: Row) -> Row:
    """Check a row by its fields and constraints, and store it. Raises :class:`Invalid`."""
    try:
        row.full_clean()
    except ValidationError as error:
        fields = error.message_dict
        first = next(iter(fields.values()))[0]
        raise Invalid(first, fields=fields) from error
    row.save()
    return row


def create_incident(*, author: User, **fields: Any) -> Incident:
    """A new draft, written by ``author``, who will never be the one to verify it."""
    return save(Incident(author=author, **fields))


def add_part(model: type[Row], *, incident: Incident, **fields: Any) -> Row:
    """A row that hangs on an incident: a claim, a count, a weapon, an involvement, a place ..."""
    return save(model(incident=incident, **fields))


def add_basis(*, count: CasualtyCount, claim: Claim, bound: str, reason: str = "") -> CountBasis:
    """That ``claim`` sets this bound of our assessed ``count``, or was left out and why."""
    if count.claim_id is not None:
        raise Invalid("Only our own assessment has a basis; this count is a source's.")
    return add_part(
        CountBasis, incident=count.incident, count=count, claim=claim, bound=bound, reason=reason
    )


def add_victim(*, incident: Incident, claims: list[Claim], **fields: Any) -> Victim:
    """A person who was harmed, with the claims that speak of them."""
    victim = add_part(Victim, incident=incident, **fields)
    for claim in claims:
        add_part(VictimClaim, incident=incident, victim=victim, claim=claim)
    return victim

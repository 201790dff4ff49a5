"""Entering records: each function checks the row, saves it, and leaves one history row.

Call them inside :func:`harmtracker.history.acting.acting`; the database refuses them otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models
from django.db.models import ProtectedError
from django.db.models.functions import Now

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid
from harmtracker.saving import save as save

from .models import CasualtyCount, Claim, CountBasis, Incident, ReviewComment, Victim, VictimClaim

Row = TypeVar("Row", bound=models.Model)

# What goes with a row that is removed, in this order. Anything else that refers to it keeps it.
REMOVED_ALONG: dict[type[models.Model], tuple[str, ...]] = {
    Claim: ("basis_of", "victim_links", "casualtycounts", "weaponuses", "involvements"),
    CasualtyCount: ("basis",),
    Victim: ("claim_links",),
}


def create_incident(*, author: User, **fields: Any) -> Incident:
    """A new draft, written by ``author``, who will never be the one to verify it."""
    return save(Incident(author=author, **fields))


def add_part(model: type[Row], *, incident: Incident, **fields: Any) -> Row:
    """A row that hangs on an incident: a claim, a count, a weapon, an involvement, a place ..."""
    return save(model(incident=incident, **fields))


def change(row: Row, **fields: Any) -> Row:
    """Give a row other values."""
    for name, value in fields.items():
        setattr(row, name, value)
    return save(row)


def remove(row: models.Model) -> None:
    """Take a part out of a draft, with what hangs on it alone. The history keeps all of it."""
    for relation in REMOVED_ALONG.get(type(row), ()):
        for other in getattr(row, relation).all():
            remove(other)
    try:
        row.delete()
    except ProtectedError as error:
        kinds = sorted({str(other._meta.verbose_name) for other in error.protected_objects})
        raise Conflict(
            f"It is referred to by a {' and a '.join(kinds)}: remove that first."
        ) from error


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
    name_claims(victim, claims)
    return victim


def name_claims(victim: Victim, claims: Iterable[Claim]) -> None:
    """Make ``claims`` those that speak of the person: links that are there stay untouched."""
    wanted = {claim.pk: claim for claim in claims}
    links = {link.claim_id: link for link in victim.claim_links.all()}
    for claim_id in sorted(links.keys() - wanted.keys()):
        links[claim_id].delete()
    for claim_id in sorted(wanted.keys() - links.keys()):
        add_part(VictimClaim, incident=victim.incident, victim=victim, claim=wanted[claim_id])


def settle(comment: ReviewComment, by: User, *, resolved: bool) -> ReviewComment:
    """Mark a remark as settled by somebody, or as open again."""
    if resolved and comment.resolved_by_id is not None:
        return comment
    comment.resolved_by = by if resolved else None
    comment.resolved_at = Now() if resolved else None
    comment.save(update_fields=["resolved_by", "resolved_at"])
    return comment

"""A record put together to be read by a person of the team."""

from __future__ import annotations

from typing import Any

from harmtracker.accounts.models import User
from harmtracker.codes import code_list
from incidents.models import (
    CasualtyCount,
    Claim,
    Incident,
    Involvement,
    PublishedVersion,
    Victim,
    WeaponUse,
)


def _load_findings(incident: Incident, claims: list[Any]) -> None:
    """Counts, weapons and involvements onto the record and each of its claims, one query each.

    Those without a claim are our assessment.
    """
    rows: dict[str, Any] = {
        "counts": CasualtyCount.objects.select_related("affiliation").prefetch_related("basis"),
        "weapons": WeaponUse.objects.select_related("weapon"),
        "actors": Involvement.objects.select_related("actor"),
    }
    holders: dict[int | None, Any] = {None: incident, **{claim.pk: claim for claim in claims}}
    for name, found in rows.items():
        for holder in holders.values():
            setattr(holder, name, [])
        for row in found.filter(incident=incident):
            getattr(holders[row.claim_id], name).append(row)


def record_to_read(incident: Incident, reader: User) -> dict[str, Any]:
    """All that hangs on a record, in a fixed number of queries.

    A link to a record that the reader may not know of is left out.
    """
    assessed: Any = incident
    claims = list(
        Claim.objects.filter(incident=incident).select_related(
            "article__outlet", "attributed_outlet", "attributed_actor"
        )
    )
    _load_findings(incident, claims)
    numbers = {claim.pk: number for number, claim in enumerate(claims, 1)}
    for count in assessed.counts:
        count.basis_by_bound = _by_bound(count, numbers)
    victims: list[Any] = list(
        Victim.objects.filter(incident=incident).prefetch_related("claim_links")
    )
    for victim in victims:
        victim.claim_numbers = [
            (link.claim_id, numbers[link.claim_id]) for link in victim.claim_links.all()
        ]
    return {
        "incident": incident,
        "assessed": assessed,
        "claims": claims,
        "victims": victims,
        "further_places": incident.further_places.select_related("place"),
        "external_ids": incident.external_ids.select_related("dataset"),
        "links": incident.links.filter(
            other__in=Incident.objects.visible_to(reader)
        ).select_related("other"),
        "comments": incident.comments.select_related("author", "resolved_by"),
        "reviews": incident.reviews.select_related("actor").defer("content"),
        # Not from the published side, which may lag behind: this page follows the publishing.
        "versions": PublishedVersion.objects.using("default")
        .filter(code=incident.code)
        .defer("document", "disclosures")
        if incident.code
        else [],
    }


def _by_bound(count: CasualtyCount, numbers: dict[int, int]) -> dict[str, list[Any]]:
    """Label of a bound -> its bases, each with the number that its claim has on the page."""
    bounds: dict[str, list[Any]] = {}
    for basis in count.basis.all():
        row = {"claim_id": basis.claim_id, "number": numbers[basis.claim_id]}
        bounds.setdefault(_label("basis_bound", basis.bound), []).append(
            {**row, "reason": basis.reason}
        )
    return bounds


def figures(low: int | None, best: int | None, high: int | None) -> str:
    """Such as "2 to 3 (best 2)", "at least 2" or "not known"."""
    if low is None and high is None:
        return "not known" if best is None else f"about {best}"
    if high is None:
        text = f"at least {low}"
    elif low is None:
        text = f"at most {high}"
    else:
        text = str(low) if low == high else f"{low} to {high}"
    return text if best is None or low == high else f"{text} (best {best})"


def _label(name: str, code: str | None) -> str:
    return "" if code is None else code_list(name)[code].label

"""Events of another dataset stored many at once, each as a draft with its one claim.

Call these inside :func:`harmtracker.history.acting.acting`: the triggers and constraints of the
database hold what a form would, and refuse the lot where one row breaks a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harmtracker.accounts.models import User
from incidents.choices import Bound
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    Dataset,
    ExternalId,
    Incident,
    Involvement,
)
from sources.models import Article, Outlet

from .ucdp_crosswalk import Count, Event, Side

CERTAINTY = "possible"  # one source says so, with detail


@dataclass(frozen=True)
class Origin:
    """Whose rows are stored, and who stores them."""

    dataset: Dataset
    outlet: Outlet
    importer: User


class Parties:
    """The actors behind the parties of the dataset, made once where they are new."""

    def __init__(self, known: dict[str, dict[str, Any]]) -> None:
        self._known = known
        self._ids: dict[str, int] = {}

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each party that is known, by its id in the dataset."""
        return {key: str(row["kind"]) for key, row in self._known.items()}

    def _slug(self, side: Side) -> str:
        return str(self._known.get(side.ucdp_id, {}).get("slug") or f"ucdp-actor-{side.ucdp_id}")

    def settle(self, events: Sequence[Event]) -> None:
        """Find or make the actors that these events name."""
        named = {side.ucdp_id: side for event in events for side, _role in event.parties}
        for count in (count for event in events for count in event.counts):
            if count.side is not None:
                named[count.side.ucdp_id] = count.side
        wanted = {self._slug(side): side for key, side in named.items() if key not in self._ids}
        found = dict(Actor.objects.filter(slug__in=wanted).values_list("slug", "pk"))
        for slug, side in wanted.items():
            self._ids[side.ucdp_id] = found.get(slug) or self._make(slug, side).pk

    def _make(self, slug: str, side: Side) -> Actor:
        known = self._known.get(side.ucdp_id, {})
        return Actor.objects.create(
            slug=slug,
            name=side.name,
            other_names=known.get("other_names", []),
            kind=side.kind,
            country=known.get("country"),
            independence_group=slug,
        )

    def forget(self) -> None:
        """After a transaction that was rolled back: what it made is not there."""
        self._ids.clear()

    def id_of(self, side: Side) -> int:
        return self._ids[side.ucdp_id]


def articles(origin: Origin, events: Sequence[Event]) -> dict[str, int]:
    """The article of each event by the event's id; made where it is not there."""
    titles = [event.article["title"] for event in events]
    rows = Article.objects.filter(outlet=origin.outlet, title__in=titles)
    known = dict(rows.order_by("-pk").values_list("title", "pk"))
    new = [event for event in events if event.article["title"] not in known]
    made = Article.objects.bulk_create(
        [Article(outlet=origin.outlet, **event.article) for event in new]
    )
    known |= {article.title: article.pk for article in made}
    return {event.external_id: known[event.article["title"]] for event in events}


def claim_of(origin: Origin, event: Event, incident_id: int, article_id: int) -> Claim:
    return Claim(
        incident_id=incident_id,
        article_id=article_id,
        attributed_outlet=origin.outlet,
        **event.claim,
    )


def count_of(
    parties: Parties, count: Count, claim: Claim | None, incident_id: int
) -> CasualtyCount:
    return CasualtyCount(
        incident_id=incident_id,
        claim=claim,
        outcome="killed",
        status=count.status,
        affiliation_id=None if count.side is None else parties.id_of(count.side),
        min=count.min,
        best=count.best,
        max=count.max,
        qualifier=count.qualifier,
        reported_text=count.reported_text,
    )


def involvement_of(
    parties: Parties, side: Side, role: str, claim: Claim | None, incident_id: int
) -> Involvement:
    return Involvement(
        incident_id=incident_id,
        claim=claim,
        actor_id=parties.id_of(side),
        role=role,
        certainty=CERTAINTY,
        reported_text=side.name,
    )


def bases_of(count: CasualtyCount, claim: Claim) -> list[CountBasis]:
    """The claim sets each bound that the count has."""
    figures = {Bound.MIN: count.min, Bound.BEST: count.best, Bound.MAX: count.max}
    return [
        CountBasis(incident_id=count.incident_id, count=count, claim=claim, bound=bound)
        for bound, figure in figures.items()
        if figure is not None
    ]


def create_all(origin: Origin, parties: Parties, events: Sequence[Event]) -> list[Claim]:
    """A draft for each event, with what UCDP claims and the same as our assessment.

    The claims, in the order of the events.
    """
    if not events:
        return []
    parties.settle(events)
    article_ids = articles(origin, events)
    incidents = Incident.objects.bulk_create(
        [
            Incident(author=origin.importer, dataset=origin.dataset, **event.incident)
            for event in events
        ]
    )
    together = list(zip(events, incidents, strict=True))
    ExternalId.objects.bulk_create(
        [
            ExternalId(incident=incident, dataset=origin.dataset, value=event.external_id)
            for event, incident in together
        ]
    )
    claims = Claim.objects.bulk_create(
        [
            claim_of(origin, event, incident.pk, article_ids[event.external_id])
            for event, incident in together
        ]
    )
    counts, involvements = [], []
    assessed: list[tuple[CasualtyCount, Claim]] = []
    for event, claim in zip(events, claims, strict=True):
        for owner in (claim, None):
            for side, role in event.parties:
                involvements.append(involvement_of(parties, side, role, owner, claim.incident_id))
            for count in event.counts:
                row = count_of(parties, count, owner, claim.incident_id)
                counts.append(row)
                if owner is None:
                    assessed.append((row, claim))
    CasualtyCount.objects.bulk_create(counts)
    Involvement.objects.bulk_create(involvements)
    CountBasis.objects.bulk_create(
        [basis for row, claim in assessed for basis in bases_of(row, claim)]
    )
    return claims

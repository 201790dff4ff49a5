"""Records as the team reads them: loaded in a fixed number of queries, written as JSON values."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from rest_framework.request import Request

from harmtracker.accounts.models import User
from harmtracker.errors import NotFound
from incidents import warnings, workflow
from incidents.choices import State, Verb
from incidents.models import (
    CasualtyCount,
    Claim,
    CountBasis,
    Incident,
    IncidentLink,
    Involvement,
    Merge,
    Review,
    Victim,
    WeaponUse,
)

from . import serializers as shapes

CLAIMS = Claim.objects.select_related("article", "attributed_outlet", "attributed_actor")
COUNTS = CasualtyCount.objects.select_related("claim", "affiliation").order_by("pk")
WEAPONS = WeaponUse.objects.select_related("claim", "weapon").order_by("pk")
INVOLVEMENTS = Involvement.objects.select_related("claim", "actor").order_by("pk")
BASES = CountBasis.objects.select_related("count", "claim").order_by("pk")
VICTIMS = Victim.objects.prefetch_related("claim_links__claim").order_by("pk")


def links_of(user: User) -> QuerySet[Any]:
    """Links to records that this person may know of."""
    visible = Incident.objects.visible_to(user)
    return IncidentLink.objects.filter(other__in=visible).select_related("other").order_by("pk")


def with_standing(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Records with who entered and who has taken them, their revision, and since when they wait."""
    since = Review.objects.filter(incident=OuterRef("pk"), verb=Verb.SUBMIT).order_by("-pk")
    return queryset.select_related(
        "author", "place", "dataset", "revision", "assignment__person"
    ).annotate(submitted_at=Subquery(since.values("at")[:1]))


def find(user: User, incident: uuid.UUID) -> Incident:
    """A record that this person may know of; :class:`NotFound` for any other."""
    found = with_standing(Incident.objects.visible_to(user)).filter(uuid=incident).first()
    if found is None:
        raise NotFound("There is no such incident.")
    return found


def standing(incident: Any) -> dict[str, Any]:
    """Where the record is in the work: its revision, who has taken it, since when it waits."""
    taken = getattr(incident, "assignment", None)
    waits = incident.state in (State.SUBMITTED, State.VERIFIED)
    return {
        "revision": incident.revision.number,
        "entered_at": incident.revision.entered_at,
        "changed_at": incident.revision.changed_at,
        "waiting_since": incident.submitted_at if waits else None,
        "taken_by": taken and {"person": taken.person.username, "since": taken.since},
    }


def in_list(incident: Any, warned: Iterable[warnings.Warned]) -> dict[str, Any]:
    """A record as lists have it."""
    return {
        "id": incident.uuid,
        "code": incident.code,
        "state": incident.state,
        "title": incident.title,
        "date_edtf": incident.date_edtf,
        "place": incident.place and incident.place.uuid,
        "place_name": incident.place and incident.place.name,
        "grading": incident.grading,
        "record_type": incident.record_type,
        "author": incident.author.username,
        **standing(incident),
        "warnings": sorted({warning.rule for warning in warned}),
    }


def whole(incident: Incident, request: Request) -> dict[str, Any]:
    """The record with all that hangs on it, what it lacks, and what this person may do with it."""
    user: Any = request.user
    loaded: Any = _loaded(user, incident)
    context = {"request": request, "incident": incident}
    warned = warnings.of(loaded, user)
    return {
        **shapes.IncidentSerializer(loaded, context=context).data,
        **standing(loaded),
        **_parts(loaded, context),
        "merges": merges_of(loaded, user),
        "comments": shapes.CommentSerializer(loaded.comments.all(), many=True).data,
        "warnings": [shown_warning(warning) for warning in warned],
        "can_be_submitted": not any(warning.blocks for warning in warned),
        "steps": {
            verb.value: why_not or None
            for verb, why_not in workflow.possible_steps(loaded, user).items()
        },
        "names": names_in(loaded),
    }


def shown_warning(warned: warnings.Warned) -> dict[str, Any]:
    return {
        "id": warned.fingerprint,
        "rule": warned.rule,
        "field": warned.field,
        "asks": warned.asks,
        "blocks": warned.blocks,
        "open": warned.is_open,
        "message": warned.message,
        "rows": warned.rows,
        "answer": warned.answer and asdict(warned.answer),
    }


def _loaded(user: User, incident: Incident) -> Incident:
    return (
        with_standing(Incident.objects.all())
        .prefetch_related(
            "comments__author",
            "comments__resolved_by",
            "further_places__place",
            "external_ids__dataset",
            Prefetch("claims", CLAIMS.order_by("pk")),
            Prefetch("casualtycounts", COUNTS),
            Prefetch("weaponuses", WEAPONS),
            Prefetch("involvements", INVOLVEMENTS),
            Prefetch("bases", BASES),
            Prefetch("victims", VICTIMS),
            Prefetch("links", links_of(user), to_attr="visible_links"),
        )
        .get(pk=incident.pk)
    )


def _parts(incident: Any, context: dict[str, Any]) -> dict[str, Any]:
    def shown(serializer: Any, rows: Iterable[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in serializer(list(rows), many=True, context=context).data]

    bases: dict[str, list[dict[str, Any]]] = {}
    for basis in shown(shapes.BasisSerializer, incident.bases.all()):
        bases.setdefault(basis["count"], []).append(basis)
    findings: dict[str | None, dict[str, list[dict[str, Any]]]] = {}
    for name, serializer, rows in (
        ("counts", shapes.CountSerializer, incident.casualtycounts.all()),
        ("weapons", shapes.WeaponSerializer, incident.weaponuses.all()),
        ("involvements", shapes.InvolvementSerializer, incident.involvements.all()),
    ):
        for row in shown(serializer, rows):
            said = findings.setdefault(row["claim"], {})
            if name == "counts" and row["claim"] is None:
                row["basis"] = bases.get(row["id"], [])
            said.setdefault(name, []).append(row)

    def said_by(claim: str | None) -> dict[str, Any]:
        said = findings.get(claim, {})
        return {name: said.get(name, []) for name in ("counts", "weapons", "involvements")}

    return {
        "claims": [
            {**claim, **said_by(claim["id"])}
            for claim in shown(shapes.ClaimSerializer, incident.claims.all())
        ],
        "assessment": said_by(None),
        "victims": shown(shapes.VictimSerializer, incident.victims.all()),
        "further_places": shown(shapes.FurtherPlaceSerializer, incident.further_places.all()),
        "external_ids": shown(shapes.ExternalIdSerializer, incident.external_ids.all()),
        "links": shown(shapes.LinkSerializer, incident.visible_links),
    }


def merges_of(incident: Incident, user: User) -> list[dict[str, Any]]:
    """Merges of a record with others that this person may know of."""
    visible = Incident.objects.visible_to(user)
    rows = Merge.objects.filter(Q(source=incident) | Q(target=incident))
    rows = rows.filter(source__in=visible, target__in=visible)
    return [
        {
            "id": row.uuid,
            "source": row.source.uuid,
            "source_code": row.source.code,
            "target": row.target.uuid,
            "who": row.actor.username,
            "at": row.at,
            "reason": row.reason,
            "state": "open" if row.is_open else "undone" if row.undone_at else "completed",
        }
        for row in rows.select_related("source", "target", "actor").order_by("pk")
    ]


def names_in(incident: Any) -> dict[str, str]:
    """What the ids of shared records stand for, so that nobody has to ask for each."""
    named: list[Any] = [incident.place]
    named += [row.place for row in incident.further_places.all()]
    for claim in incident.claims.all():
        named += [claim.attributed_outlet, claim.attributed_actor]
    named += [count.affiliation for count in incident.casualtycounts.all()]
    named += [row.actor for row in incident.involvements.all()]
    names = {str(row.uuid): row.name for row in named if row is not None}
    articles = {claim.article for claim in incident.claims.all()}
    return names | {str(article.uuid): article.title for article in articles}

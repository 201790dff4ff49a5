"""What hangs on a record and is entered part by part: one table, one way of writing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet

from harmtracker.accounts.models import User
from harmtracker.api.serializers import EvidenceSerializer
from incidents import services
from incidents.models import (
    CasualtyCount,
    Claim,
    CountBasis,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    Involvement,
    Victim,
    WeaponUse,
)

from . import reading
from . import serializers as shapes


@dataclass(frozen=True)
class Part:
    """A kind of part: its rows for a person, its shape, how one is added and changed."""

    name: str
    model: type[models.Model]
    serializer: type[EvidenceSerializer]
    rows: Callable[[User], QuerySet[Any]]
    add: Callable[[Incident, dict[str, Any]], Any]
    change: Callable[[Any, dict[str, Any]], Any]


def _adding(model: type[models.Model]) -> Callable[[Incident, dict[str, Any]], Any]:
    return lambda incident, fields: services.add_part(model, incident=incident, **fields)


def _change(row: Any, fields: dict[str, Any]) -> Any:
    return services.change(row, **fields)


def _add_basis(incident: Incident, fields: dict[str, Any]) -> CountBasis:
    return services.add_basis(**fields)


def _add_victim(incident: Incident, fields: dict[str, Any]) -> Victim:
    claims = fields.pop("claims", [])
    return services.add_victim(incident=incident, claims=claims, **fields)


def _change_victim(row: Victim, fields: dict[str, Any]) -> Victim:
    claims = fields.pop("claims", None)
    services.change(row, **fields)
    if claims is not None:
        services.name_claims(row, claims)
    return row


def _plain(
    name: str,
    model: type[models.Model],
    serializer: type[EvidenceSerializer],
    rows: Callable[[User], QuerySet[Any]],
) -> Part:
    return Part(name, model, serializer, rows, _adding(model), _change)


PARTS = {
    part.name: part
    for part in (
        _plain("claims", Claim, shapes.ClaimSerializer, lambda user: reading.CLAIMS.order_by("pk")),
        _plain("counts", CasualtyCount, shapes.CountSerializer, lambda user: reading.COUNTS.all()),
        Part(
            "bases",
            CountBasis,
            shapes.BasisSerializer,
            lambda user: reading.BASES.all(),
            _add_basis,
            _change,
        ),
        _plain("weapons", WeaponUse, shapes.WeaponSerializer, lambda user: reading.WEAPONS.all()),
        _plain(
            "involvements",
            Involvement,
            shapes.InvolvementSerializer,
            lambda user: reading.INVOLVEMENTS.all(),
        ),
        Part(
            "victims",
            Victim,
            shapes.VictimSerializer,
            lambda user: reading.VICTIMS.all(),
            _add_victim,
            _change_victim,
        ),
        _plain(
            "further-places",
            FurtherPlace,
            shapes.FurtherPlaceSerializer,
            lambda user: FurtherPlace.objects.select_related("place").order_by("pk"),
        ),
        _plain(
            "external-ids",
            ExternalId,
            shapes.ExternalIdSerializer,
            lambda user: ExternalId.objects.select_related("dataset").order_by("pk"),
        ),
        _plain("links", IncidentLink, shapes.LinkSerializer, reading.links_of),
    )
}

"""A whole record at once: the incident with all that hangs on it, or nothing of it.

What stands in the body by a ``key`` of its own (a claim) is named by it where something rests on
it. A refusal names its field by the whole path, such as ``claims[1].counts[0].min``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import models

from harmtracker.accounts.models import User
from harmtracker.errors import Invalid

from . import services
from .models import (
    CasualtyCount,
    Claim,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    Involvement,
    WeaponUse,
)

# The parts of an incident that refer to nothing else in the body.
_PLAIN: dict[str, type[models.Model]] = {
    "further_places": FurtherPlace,
    "external_ids": ExternalId,
    "links": IncidentLink,
}
# What a claim says, and what we assess.
_FINDINGS: dict[str, type[models.Model]] = {
    "counts": CasualtyCount,
    "weapons": WeaponUse,
    "involvements": Involvement,
}

Fields = Mapping[str, Any]


@contextmanager
def at(path: str) -> Iterator[None]:
    """Name the fields of a refusal by where they stand in the body."""
    try:
        yield
    except Invalid as refusal:
        fields = {
            path if name == "__all__" else f"{path}.{name}": messages
            for name, messages in refusal.fields.items()
        }
        raise Invalid(
            refusal.message, fields=fields or {path: [refusal.message]}, rule=refusal.rule
        ) from refusal


def enter(author: User, body: Fields) -> Incident:
    """Enter a draft with its parts; call it inside ``acting``. Raises :class:`Invalid`.

    ``body`` holds the incident's own fields, ``claims`` (each with counts, weapons, involvements
    and a ``key``), ``assessment`` (the same three, counts with their ``basis``), ``victims``
    (with the keys of their claims), ``further_places``, ``external_ids`` and ``links``.
    """
    lists = {*_PLAIN, "claims", "assessment", "victims"}
    own = {name: value for name, value in body.items() if name not in lists}
    incident = services.create_incident(author=author, **own)
    for name, model in _PLAIN.items():
        for i, row in enumerate(body.get(name, ())):
            with at(f"{name}[{i}]"):
                services.add_part(model, incident=incident, **row)
    claims: dict[str, Claim] = {}
    for i, row in enumerate(body.get("claims", ())):
        with at(f"claims[{i}]"):
            _enter_claim(incident, dict(row), claims)
    with at("assessment"):
        _enter_findings(incident, body.get("assessment", {}), None, claims)
    for i, row in enumerate(body.get("victims", ())):
        with at(f"victims[{i}]"):
            _enter_victim(incident, dict(row), claims)
    return incident


def _enter_claim(incident: Incident, row: dict[str, Any], claims: dict[str, Claim]) -> None:
    key = row.pop("key", None)
    findings = {name: row.pop(name, ()) for name in _FINDINGS}
    if key in claims:
        raise Invalid("Another claim here has this key.", fields={"key": ["It is taken."]})
    claim = services.add_part(Claim, incident=incident, **row)
    _enter_findings(incident, findings, claim, {})
    claims[key or str(claim.uuid)] = claim


def _enter_victim(incident: Incident, row: dict[str, Any], claims: Mapping[str, Claim]) -> None:
    keys = row.pop("claims", ())
    named = [_named(claims, key, f"claims[{i}]") for i, key in enumerate(keys)]
    services.add_victim(incident=incident, claims=named, **row)


def _named(claims: Mapping[str, Claim], key: str, path: str) -> Claim:
    if key not in claims:
        raise Invalid("No claim here has this key.", fields={path: ["No claim has this key."]})
    return claims[key]


def _enter_findings(
    incident: Incident,
    findings: Mapping[str, Sequence[Fields]],
    claim: Claim | None,
    claims: Mapping[str, Claim],
) -> None:
    """Counts, weapons and involvements, of a claim or, without one, of our assessment."""
    for name, model in _FINDINGS.items():
        for i, given in enumerate(findings.get(name, ())):
            row = dict(given)
            bases = row.pop("basis", ())
            with at(f"{name}[{i}]"):
                part = services.add_part(model, incident=incident, claim=claim, **row)
                for j, basis in enumerate(bases):
                    with at(f"basis[{j}]"):
                        _enter_basis(part, dict(basis), claims)


def _enter_basis(part: Any, basis: dict[str, Any], claims: Mapping[str, Claim]) -> None:
    claim = _named(claims, basis.pop("claim"), "claim")
    services.add_basis(count=part, claim=claim, **basis)

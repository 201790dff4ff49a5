"""A form asks the database as often for a large record as for a small one."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from harmtracker.history.acting import acting
from incidents import services
from incidents.models import Claim, Incident, Place, WeaponType
from tests import builders
from tests.admin.test_entering import change_url

pytestmark = pytest.mark.django_db


def more_rows(incident: Incident, claim: Claim | None, people: SimpleNamespace) -> None:
    taken = incident.further_places.values("place")
    place = Place.objects.exclude(pk__in=taken).exclude(pk=incident.place_id).latest("pk")
    named = incident.weaponuses.filter(claim=claim).values("weapon")
    weapon = WeaponType.objects.exclude(pk__in=named).earliest("pk")
    with acting(people.researcher):
        builders.involvement(incident, claim=claim)
        builders.weapon_use(incident, claim=claim, weapon_id=weapon.pk)
        if claim is None:
            builders.victim(incident)
            builders.further_place(incident, place=place)
            builders.external_id(incident)
            builders.link(
                incident, other=services.create_incident(author=people.researcher, title="x")
            )
            builders.count(incident, affiliation=builders.actor())


@pytest.mark.parametrize("kind", ["incident", "claim"])
def test_as_many_for_many_rows(
    kind: str,
    people: SimpleNamespace,
    draft: Callable[..., Incident],
    signed_in: Callable[[str], Client],
) -> None:
    incident = draft()
    claim = incident.claims.get()
    row: Any = claim if kind == "claim" else incident
    of = claim if kind == "claim" else None
    client, address = signed_in("researcher"), change_url(row)
    client.get(address)
    shown = []
    more_rows(incident, of, people)
    for _ in range(2):
        with CaptureQueriesContext(connections["default"]) as asked:
            assert client.get(address).status_code == 200
        shown.append(len(asked))
        for _ in range(3):
            more_rows(incident, of, people)
    assert shown[0] == shown[1], shown

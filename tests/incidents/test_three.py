import json

import pytest
from django.conf import settings

from incidents.models import Incident, PublishedIncident

pytestmark = pytest.mark.usefixtures("three")

EXPECTED = json.loads((settings.FIXTURES / "expected.json").read_text(encoding="utf-8"))
CODES = {
    "woichai-2024": "MMR-2024-0001",
    "mung-lai-hkyet-2023": "MMR-2023-0001",
    "cadet-school-2014": "MMR-2014-0001",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_incident_holds_what_the_sources_say(name: str) -> None:
    incident = Incident.objects.get(code=CODES[name])
    parts = {
        "counts": incident.casualtycounts,
        "weapons": incident.weaponuses,
        "involvements": incident.involvements,
    }
    held = {
        "claims": incident.claims.count(),
        "basis": incident.bases.count(),
        "victims": incident.victims.count(),
        "external_ids": incident.external_ids.count(),
    }
    for part, rows in parts.items():
        held[f"claim_{part}"] = rows.exclude(claim=None).count()
        held[f"assessed_{part}"] = rows.filter(claim=None).count()
    assert held == EXPECTED[name]


def test_all_three_are_published() -> None:
    codes = PublishedIncident.objects.filter(valid_until=None).values_list("code", flat=True)
    assert set(codes) == set(CODES.values())

"""How many figures are a lower bound from parts alone: those that the answer shows, no others."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.totals import plain
from tests.totals.test_order_of_ids import CODE, NOTHING
from tests.totals.test_plain_sum import World, world  # noqa: F401  (a fixture)

PARTY = {"affiliation": "a1"}
WOMEN = {"sex": "female"}
# Rows by status, with what narrows them; and whether a figure shown is from parts.
CASES: dict[str, tuple[list[tuple[str, dict[str, str]]], bool]] = {
    "a whole": ([("civilian", {})], False),
    "a whole and a part of it": ([("civilian", {}), ("civilian", WOMEN)], False),
    "a part": ([("civilian", WOMEN)], True),
    "a whole of another status beside a part": ([("protected", {}), ("civilian", WOMEN)], True),
    "a part of those of unknown status": ([("civilian", {}), ("unknown", WOMEN)], True),
    # As an import has it: dead of each side, civilians, and everybody.
    "sides of combatants": ([("all", {}), ("civilian", {}), ("armed_group", PARTY)], False),
    "combatants alone": ([("armed_group", PARTY)], False),
}


def count(status: str, narrowed: dict[str, str]) -> dict[str, Any]:
    row = {**NOTHING["casualties"][0], "status": status, **narrowed}
    return {**row, "min": 1, "best": 1, "max": 1}


@pytest.mark.parametrize("query", ["", "group_by=month", "group_by=actor", "group_by=sex"])
def test_from_parts_are_figures_that_are_shown(
    client: Client,
    world: World,  # noqa: F811
    query: str,
) -> None:
    for case, (rows, is_from_parts) in CASES.items():
        drawn = {
            **NOTHING,
            "casualties": [count(*row) for row in rows],
            "involvement": [],
            "weapons": [],
        }
        plain.publish(CODE, world.document(drawn))
        answer = client.get(f"/api/v1/totals/?code={CODE}&{query}").json()
        expected = {"killed": 1} if is_from_parts else {}
        assert answer["total"]["from_parts"] == expected, case
        civilian = answer["total"]["totals"]["killed"]["civilian"]
        uncertain = answer["total"]["totals"]["killed"]["uncertain"]
        # What is from parts has neither best nor maximum, and what is whole here has both.
        known = all(f["best"] is not None for f in (civilian, uncertain) if f["incidents"])
        assert known is not is_from_parts, case

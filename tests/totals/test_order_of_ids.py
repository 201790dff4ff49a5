"""Whose id comes first in the alphabet is nobody's business: totals are the same either way."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from tests.totals import plain
from tests.totals.test_plain_sum import World, world  # noqa: F401  (a fixture)

CODE = "MMR-2022-0001"
ACTORS = ("a1", "a2", "a3")
WEAPONS = ("EXA-BOM", "EXG-ART", "SAL-RIF")
# Which of three stand as alternatives to each other: those with the same group.
GROUPS = {
    "one of two, and a third": (None, 1, 1),
    "one of three": (1, 1, 1),
    "all of them": (None, None, None),
    "an alternative to nothing, and two": (1, None, None),
}
ASKED = (
    "actor",
    "weapon",
    "actor,weapon",
    "weapon,actor",
    "actor,year",
    "month,weapon,actor",
    "actor,sex",
    "weapon_group,bucket",
)
NOTHING: dict[str, Any] = {
    "place": "here",
    "grading": "fair",
    "record_type": "incident",
    "link": None,
    "datasets": [],
    "casualties": [
        {
            "outcome": "killed", "status": "civilian", "role": "all", "sex": sex,
            "age_group": "all", "affiliation": None, "min": number, "best": number, "max": None,
        }
        for sex, number in (("all", 5), ("female", 2))
    ],
    # In either of two months, so that some are in more than one period as well.
    "date": {"earliest": "2022-01-30", "latest": "2022-02-02"},
}  # fmt: skip


def drawn(
    groups: tuple[int | None, ...], actors: tuple[str, ...], weapons: tuple[str, ...]
) -> dict[str, Any]:
    return {
        **NOTHING,
        "involvement": [
            (name, "alleged_perpetrator", "likely", group)
            for name, group in zip(actors, groups, strict=True)
        ],
        "weapons": [(name, "possible", group) for name, group in zip(weapons, groups, strict=True)],
    }


def answered(client: Client, names: str, back: dict[str, str]) -> tuple[Any, Any]:
    """The whole, and the groups by values that are called as in the first order."""
    found = client.get(f"/api/v1/totals/?group_by={names}&code={CODE}").json()
    groups = {}
    for row in found["results"]:
        key = tuple(back.get(value, value) for value in row["group"].values())
        groups[key] = {name: row[name] for name in row if name not in ("group", "labels")}
    return found["total"], groups


@pytest.mark.parametrize("groups", GROUPS.values(), ids=[*GROUPS])
def test_totals_do_not_hang_on_the_order_of_ids(
    client: Client,
    world: World,  # noqa: F811
    groups: tuple[int | None, ...],
) -> None:
    first: dict[str, tuple[Any, Any]] = {}
    for actors, weapons in zip(permutations(ACTORS), permutations(WEAPONS), strict=True):
        plain.publish(CODE, world.document(drawn(groups, actors, weapons)))
        back = dict(zip(weapons, WEAPONS, strict=True)) | {
            world.actors[name]["id"]: world.actors[old]["id"]
            for name, old in zip(actors, ACTORS, strict=True)
        }
        # The first level of a weapon goes with it.
        back |= {name[:3]: old[:3] for name, old in zip(weapons, WEAPONS, strict=True)}
        for names in ASKED:
            total, rows = answered(client, names, back)
            assert rows
            assert (total, rows) == first.setdefault(names, (total, rows)), (names, actors)
    either = first["actor"][0]["either_or"]
    assert either == (1 if len([g for g in groups if g is not None]) > 1 else 0)
    assert first["actor"][0]["shared"] == 1

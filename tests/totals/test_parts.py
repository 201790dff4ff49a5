"""What rows come to by the kind of person, and what is left."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.publishing.parts import parts
from incidents.publishing.totals import Row, Total
from tests.incidents.test_totals import row


def figure(total: Total) -> str:
    bounds = ("?" if n is None else str(n) for n in (total.min, total.best, total.max))
    return "/".join(bounds) + ("+" if total.at_least else "")


def by(dimensions: str, *rows: Row, bucket: str = "civilian") -> dict[str | None, str]:
    return {
        part.values and " ".join(part.values.values()): figure(part.total)
        for part in parts(rows)
        if " ".join(part.dimensions) == dimensions and part.bucket == bucket
    }


WHOLE = row("28/29/33")
CHILDREN = row("10/11/13", age_group="child")
WOMEN = row("10/?/15", sex="female", age_group="adult")


@pytest.mark.parametrize(
    ("dimensions", "rows", "expected"),
    [
        # A whole that nothing divides is of no kind: it is the rest, which is not kept twice.
        ("sex", [WHOLE], {}),
        ("age_group", [WHOLE, CHILDREN], {"child": "10/11/13", None: "15/18/23"}),
        # A woman is no part of "women" that is known to be whole: more may have been elderly.
        ("age_group", [WHOLE, WOMEN], {"adult": "10/?/?+", None: "?/?/23"}),
        ("sex age_group", [WHOLE, WOMEN], {"female adult": "10/?/15", None: "13/?/23"}),
        # An infant is a child, and subtracted with the children once.
        (
            "age_group",
            [WHOLE, CHILDREN, row("2/2/2", age_group="infant")],
            {"child": "10/11/13", "infant": "2/2/2", None: "15/18/23"},
        ),
        # Infants alone are a lower bound of children.
        (
            "age_group",
            [row("9/9/9"), row("2/2/2", age_group="infant")],
            {"child": "2/?/?+", "infant": "2/2/2", None: "?/?/7"},
        ),
        # Parts that add up leave nothing
        (
            "sex",
            [row("3/3/3"), row("2/2/2", sex="female"), row("1/1/1", sex="male")],
            {"female": "2/2/2", "male": "1/1/1"},
        ),
        # ... those that go beyond the whole leave what the bounds leave.
        ("sex", [row("3/3/4"), row("2/4/5", sex="female")], {"female": "2/4/5", None: "?/?/2"}),
        # Parts without a whole have no rest: nobody says that there were more.
        ("sex", [row("2/2/2", sex="female")], {"female": "2/2/2"}),
        # The rows that make the whole are no parts of it.
        ("status", [WHOLE], {"civilian": "28/29/33"}),
        (
            "status",
            [WHOLE, row("1/1/1", status="civilian_military_role")],
            {"civilian": "28/29/33", "civilian_military_role": "1/1/1"},
        ),
        ("sex", [row("?/?/?"), row("1/1/1", sex="male")], {"male": "1/1/1", None: "?/?/?"}),
        (
            "affiliation",
            [row("5/5/5"), row("3/3/3", affiliation="x")],
            {"x": "3/3/3", None: "2/2/2"},
        ),
    ],
)
def test_civilians(dimensions: str, rows: list[Row], expected: dict[Any, str]) -> None:
    assert by(dimensions, *rows) == expected


def test_the_rest_of_a_whole_of_every_status() -> None:
    rows = [row("9/9/9", status="all"), row("2/2/2"), row("3/3/3", status="unknown")]
    everybody = by("status", *rows, bucket="all")
    assert everybody == {"civilian": "2/2/2", "unknown": "3/3/3", None: "4/4/4"}
    assert by("status", *rows, bucket="uncertain") == {"unknown": "3/3/3"}


def test_cadets_were_the_whole_of_the_combatants() -> None:
    cadets = row("23/23/23", status="armed_group", role="cadet")
    assert by("role", cadets, bucket="combatant") == {"cadet": "23/23/23"}
    everybody = by("role", cadets, row("0/0/1"), bucket="all")
    assert everybody == {"cadet": "23/23/23", None: "0/0/1"}

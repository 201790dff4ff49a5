"""What rows come to: wholes, parts, buckets, and what is not known."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.publishing.totals import Row, Total, contains, totals

DIMENSIONS = ("status", "role", "sex", "age_group", "affiliation")


def row(figures: str, **fields: Any) -> Row:
    """``"2/3/?"`` is min 2, best 3, max not known."""
    low, best, high = (None if n == "?" else int(n) for n in figures.split("/"))
    group = {"status": "civilian", "role": "all", "sex": "all", "age_group": "all"}
    fields = {"outcome": "killed", "affiliation": None, **group, **fields}
    return Row(min=low, best=best, max=high, **fields)


def total(bucket: str, *rows: Row) -> str:
    found = totals(rows)["killed"][bucket]
    figures = "/".join("?" if n is None else str(n) for n in (found.min, found.best, found.max))
    return figures + ("+" if found.at_least else "")


@pytest.mark.parametrize(
    ("bucket", "rows", "expected"),
    [
        ("civilian", [row("28/29/33")], "28/29/33"),
        ("civilian", [row("28/29/33"), row("10/11/13", age_group="child")], "28/29/33"),
        ("civilian", [row("0/0/1"), row("23/23/23", status="armed_group")], "0/0/1"),
        ("all", [row("0/0/1"), row("23/23/23", status="armed_group")], "23/23/24"),
        ("all", [row("28/29/33"), row("?/?/1", status="armed_group")], "28/?/34"),
        ("civilian", [row("13/20/?")], "13/20/?+"),
        ("civilian", [row("?/?/?")], "?/?/?"),
        ("combatant", [row("2/2/2")], "?/?/?"),
        # Wholes of two statuses of one bucket share nobody
        ("civilian", [row("2/2/2"), row("1/1/1", status="civilian_military_role")], "3/3/3"),
        # The role explains and does not narrow ...
        ("combatant", [row("23/23/23", status="armed_group", role="cadet")], "23/23/23"),
        # ... but is a part where the whole is there as well
        (
            "combatant",
            [
                row("25/25/25", status="armed_group"),
                row("23/23/23", status="armed_group", role="cadet"),
            ],
            "25/25/25",
        ),
        # Parts without a whole are a lower bound: others may have been killed too
        ("civilian", [row("1/1/1", sex="female"), row("2/2/2", sex="male")], "3/?/?+"),
        # ... and where they may share persons, only the larger counts
        ("civilian", [row("4/4/4", sex="female"), row("3/3/3", age_group="child")], "4/?/?+"),
        # An infant is a child
        ("civilian", [row("3/3/3", age_group="child"), row("2/2/2", age_group="infant")], "3/?/?+"),
        # Uncertain is beside civilian, never inside it
        ("civilian", [row("2/2/2"), row("5/5/5", status="unknown")], "2/2/2"),
        ("uncertain", [row("2/2/2"), row("5/5/5", status="disputed")], "5/5/5"),
        # What is known of everybody is never less than what is known of its buckets
        ("all", [row("2/2/2", status="all", sex="female"), row("20/20/20")], "20/?/?+"),
        ("all", [row("?/?/50", status="all"), row("20/20/20")], "20/?/50"),
        # A whole of everybody is not added to
        ("all", [row("9/9/9", status="all"), row("2/2/2")], "9/9/9"),
    ],
)
def test_rows_come_to(bucket: str, rows: list[Row], expected: str) -> None:
    assert total(bucket, *rows) == expected


def test_an_outcome_that_no_row_is_of_is_absent() -> None:
    assert set(totals([row("1/1/1")])) == {"killed"}
    assert set(totals([row("1/1/1")])["killed"]) == {
        "civilian",
        "protected",
        "combatant",
        "uncertain",
        "all",
    }


bound = st.one_of(st.none(), st.integers(0, 50))
rows = st.lists(
    st.builds(
        lambda figures, **f: Row(
            outcome="killed",
            **f,
            **dict(zip(("min", "best", "max"), figures, strict=True)),
        ),
        figures=st.tuples(bound, bound, bound).map(
            lambda t: _in_order(t),
        ),
        status=st.sampled_from(["civilian", "armed_group", "unknown", "civilian_military_role"]),
        role=st.sampled_from(["all", "cadet", "teacher"]),
        sex=st.sampled_from(["all", "female", "male"]),
        age_group=st.sampled_from(["all", "child", "infant", "adult"]),
        affiliation=st.sampled_from([None, "1", "2"]),
    ),
    max_size=7,
    unique_by=lambda r: tuple(getattr(r, d) for d in DIMENSIONS),
)


def _in_order(figures: tuple[int | None, ...]) -> tuple[int | None, ...]:
    known = iter(sorted(n for n in figures if n is not None))
    return tuple(None if n is None else next(known) for n in figures)


@given(rows)
def test_totals_hold_whatever_the_rows(given_rows: list[Row]) -> None:
    found = totals(given_rows).get("killed", {})
    for bucket, sums in found.items():
        held = [r for r in given_rows if bucket in ("all", r.bucket)]
        minima = [r.min for r in held if r.min is not None]
        # A true lower bound: no row alone has more
        assert (sums.min or 0) <= sum(minima)
        assert sums.min is None or sums.max is None or sums.min <= sums.max
        # Unknown is not zero
        assert (sums.min is None) == (not minima) or any(
            contains(a, b) or contains(b, a) for a, b in combinations(held, 2)
        )
        assert not (sums.at_least and sums.max is not None)
        assert sums == Total() or held


@given(rows)
def test_the_order_of_rows_does_not_matter(given_rows: list[Row]) -> None:
    assert totals(given_rows) == totals(list(reversed(given_rows)))

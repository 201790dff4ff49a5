"""When a claim disagrees with our assessment, and when it only says less."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from incidents.desk.comparison import compare, in_figures
from incidents.models import CasualtyCount


def count(claim: int | None = None, **values: Any) -> CasualtyCount:
    usual = {"outcome": "killed", "status": "all", "role": "all", "sex": "all"}
    row = CasualtyCount(**{**usual, "age_group": "all", "qualifier": "range", **values})
    row.claim_id = claim
    return row


def ours(*counts: CasualtyCount) -> Any:
    rows = [
        SimpleNamespace(
            **{name: getattr(c, name) for name in FIELDS},
            basis=SimpleNamespace(all=list),
        )
        for c in counts
    ]
    return SimpleNamespace(counts=rows, weapons=[], actors=[])


FIELDS = [
    *("outcome", "status", "role", "sex", "age_group", "affiliation_id", "affiliation"),
    *("min", "best", "max", "qualifier", "reported_text", "pk"),
]


def incident(**values: Any) -> Any:
    usual = {"date_edtf": None, "local_time": None, "place": None, "latitude": None}
    return SimpleNamespace(
        **{**usual, "longitude": None, "radius_m": None, "place_precision": None, **values}
    )


def claim(*counts: CasualtyCount, **values: Any) -> Any:
    usual = {"date_said": None, "time_said": "", "place_said": "", "latitude": None}
    speaker = SimpleNamespace(independence_group="one")
    return SimpleNamespace(
        **{
            **usual,
            "longitude": None,
            "kind": "report",
            "pk": 1,
            "attributed_outlet": speaker,
            "attributed_actor": None,
            "counts": list(counts),
            "weapons": [],
            "actors": [],
            **values,
        }
    )


@pytest.mark.parametrize(
    ("our", "their", "apart"),
    [
        ((2, None, 3), (3, None, 5), ""),
        ((2, None, 3), (4, None, 5), "above ours"),
        ((2, None, 3), (0, None, 1), "below ours"),
        ((2, None, 3), (0, None, 0), "below ours"),
        # What is not known bounds nothing, and is no zero.
        ((2, None, 3), (None, None, None), ""),
        ((2, None, None), (900, None, None), ""),
        ((2, None, None), (None, None, 1), "below ours"),
        ((None, None, 3), (4, None, None), "above ours"),
        ((None, None, None), (4, None, 5), ""),
        ((2, 2, 2), (None, 2, None), ""),
        ((2, 2, 2), (None, 5, None), "above ours"),
    ],
)
def test_figures(our: Any, their: Any, apart: str) -> None:
    names = ("min", "best", "max")
    found = compare(
        incident(),
        ours(count(**dict(zip(names, our, strict=True)))),
        [claim(count(1, **dict(zip(names, their, strict=True))))],
    )
    (said,) = found.accounts[0].cells["killed"]
    assert said.disagrees == apart


def test_another_group_is_not_compared() -> None:
    found = compare(
        incident(),
        ours(count(min=10, max=10)),
        [claim(count(1, status="civilian", min=2, max=2))],
    )
    assert found.disagreements == 0


def test_children_and_women_stand_by_themselves() -> None:
    found = compare(
        incident(),
        ours(count(age_group="child", min=1, max=2), count(sex="female", min=3, max=3)),
        [claim()],
    )
    assert [thing for thing, _label in found.things] == ["children", "women"]


@pytest.mark.parametrize(
    ("our", "their", "apart"),
    [
        ("2023-10-09", "2023-10", ""),
        ("2023-10-09", "2023-10-08", "before ours"),
        ("2023-10-09/2023-10-10", "2023-10-10", ""),
        ("2023-10", "2023-11-01", "after ours"),
        ("2023-10-09", None, ""),
        (None, "2023-10-08", ""),
    ],
)
def test_dates(our: str | None, their: str | None, apart: str) -> None:
    found = compare(incident(date_edtf=our), ours(), [claim(date_said=their, time_said="at night")])
    (said,) = found.accounts[0].cells["date"]
    assert said.disagrees == apart


@pytest.mark.parametrize(("longitude", "is_apart"), [(97.562, False), (97.7, True)])
def test_a_point_outside_of_the_radius(longitude: float, is_apart: bool) -> None:
    found = compare(
        incident(latitude=24.782, longitude=97.562, radius_m=5000),
        ours(),
        [claim(latitude=24.782, longitude=longitude)],
    )
    (said,) = found.accounts[0].cells["place"]
    assert bool(said.disagrees) is is_apart


def test_voices_of_a_group_are_together() -> None:
    other = SimpleNamespace(independence_group="other")
    claims = [claim(pk=1), claim(pk=2, attributed_outlet=other), claim(pk=3)]
    found = compare(incident(), ours(), claims)
    assert [[a.claim.pk for a in voice.accounts] for voice in found.voices] == [[1, 3], [2]]
    assert [a.number for a in found.accounts] == [1, 3, 2]


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ((None, None, None), "no figure"),
        ((0, 0, 0), "0"),
        ((0, None, None), "at least 0"),
        ((None, None, 0), "at most 0"),
        ((None, 3, None), "about 3"),
        ((2, 3, 5), "2 to 5, best 3"),
        ((2, None, 5), "2 to 5"),
        ((2, 3, None), "at least 2, best 3"),
    ],
)
def test_in_words(figures: Any, words: str) -> None:
    assert in_figures(*figures) == words

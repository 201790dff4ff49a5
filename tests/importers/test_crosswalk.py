"""What a row of UCDP GED becomes, column by column."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from incidents.importers.ucdp_crosswalk import Event, Remark, edtf_of, precision_of, read_event
from incidents.importers.ucdp_places import Places
from incidents.models import Place
from tests.importers.files import one_sided, row

NAMES = [
    (1, None, "country", "Myanmar", ["Burma"]),
    (2, 1, "adm1", "Kachin", ["Kachin State"]),
    (3, 1, "adm1", "Kayin", ["Karen"]),
    (4, 1, "adm1", "Shan (North)", []),
    (5, 1, "adm1", "Shan (South)", []),
    (6, 1, "adm1", "Magway", ["Magwe"]),
    (7, 2, "adm2", "Mohnyin", []),
    (8, 3, "adm2", "Hpa-An", []),
    (9, 4, "adm2", "Muse", []),
    (10, 1, "adm1", "Nay Pyi Taw", ["Naypyidaw"]),
    (11, 5, "adm2", "Pa-O Self-Administered Zone", []),
]
PLACES = Places(
    (
        Place(pk=pk, parent_id=parent, level=level, name=name, other_names=others, slug=f"p{pk}")
        for pk, parent, level, name, others in NAMES
    ),
    {"p8": ["Pa-an"]},
)


def read(**values: str) -> tuple[Event | None, list[Remark]]:
    return read_event(row(**values), PLACES, {"201": "rebel_group"})


def event(**values: str) -> Event:
    found, remarks = read(**values)
    assert found is not None, remarks
    return found


@pytest.mark.parametrize(
    ("adm1", "adm2", "place", "kinds"),
    [
        ("Kachin state", "Mohnyin district", 7, []),
        ("Kachin state", "", 2, []),
        ("Karen state", "Hpa-an district", 8, []),
        ("Kayin state", "Pa-an district", 8, []),
        ("Magwe division", "", 6, []),
        ("Magway  region", "", 6, []),
        ("Naypyidaw Union territory", "", 10, []),
        ("", "", 1, [("adm_1", "noted")]),
        ("Atlantis state", "", 1, [("adm_1", "unplaced")]),
        # Two of the list are called so: the district says which of them.
        ("Shan state", "", 1, [("adm_1", "unplaced")]),
        ("Shan state", "Muse district", 9, []),
        ("Shan state", "Pa-O Self-Administered Zone", 11, []),
        ("Shan state", "Nowhere district", 1, [("adm_1", "unplaced"), ("adm_2", "unplaced")]),
        ("Kachin state", "Muse district", 2, [("adm_2", "unplaced")]),
    ],
)
def test_a_place_is_the_narrowest_that_is_named_for_certain(
    adm1: str, adm2: str, place: int, kinds: list[tuple[str, str]]
) -> None:
    found = event(adm_1=adm1, adm_2=adm2)
    assert found.incident["place_id"] == place
    assert [(remark.column, remark.kind) for remark in found.remarks] == kinds
    # The words stay with the claim.
    assert adm1.replace("  ", " ") in found.claim["note"]


@pytest.mark.parametrize(
    ("start", "end", "edtf", "precision"),
    [
        ("2021-03-27", "2021-03-27", "2021-03-27", "day"),
        ("2021-03-27", "2021-03-28", "2021-03-27/2021-03-28", "days"),
        ("2021-03-27", "2021-04-01", "2021-03-27/2021-04-01", "days"),
        ("2021-03-01", "2021-03-07", "2021-03-01/2021-03-07", "week"),
        ("2021-03-01", "2021-03-31", "2021-03", "month"),
        ("2021-03-05", "2021-03-29", "2021-03-05/2021-03-29", "month"),
        ("2020-02-01", "2020-02-29", "2020-02", "month"),
        ("2021-01-01", "2021-12-31", "2021", "year"),
        ("2021-01-01", "2022-12-31", "2021-01-01/2022-12-31", "year"),
        ("2021-03-01", "2021-05-31", "2021-03-01/2021-05-31", "year"),
    ],
)
def test_a_date_is_the_interval_that_is_given(
    start: str, end: str, edtf: str, precision: str
) -> None:
    days = [datetime.date.fromisoformat(day) for day in (start, end)]
    assert edtf_of(*days) == edtf
    assert precision_of(edtf) == precision


@pytest.mark.parametrize(("code", "is_noted"), [("1", False), ("2", True), ("5", True)])
def test_dates_win_over_a_precision_that_disagrees(code: str, is_noted: bool) -> None:
    found = event(date_prec=code)
    assert found.incident["date_edtf"] == "2021-03-27"
    assert [remark.column for remark in found.remarks] == ["date_prec"] * is_noted


@pytest.mark.parametrize(
    ("code", "precision", "radius"),
    [
        ("1", "settlement", 5000),
        ("2", "near_settlement", 25000),
        ("3", "adm2", None),
        ("4", "adm1", None),
        ("5", "fuzzy", None),
        ("6", "adm0", None),
        ("7", "sea_air", None),
    ],
)
def test_the_precision_of_a_place(code: str, precision: str, radius: int | None) -> None:
    found = event(where_prec=code).incident
    assert (found["place_precision"], found["radius_m"]) == (precision, radius)
    assert found["point_basis"] == "source"


def figures(found: Event) -> list[tuple[Any, ...]]:
    return [
        (c.status, c.side and c.side.name, c.min, c.best, c.max, c.qualifier) for c in found.counts
    ]


GOVERNMENT = "Government of Myanmar (Burma)"


def test_counts_are_a_whole_and_parts_with_a_best_alone() -> None:
    assert figures(event()) == [
        ("all", None, 4, 5, 9, "range"),
        ("armed_forces", GOVERNMENT, None, 2, None, "approximate"),
        ("armed_group", "KIO", None, 1, None, "approximate"),
        ("civilian", None, None, 2, None, "approximate"),
        ("unknown", None, None, 0, None, "approximate"),
    ]


def test_one_number_is_exact_and_zero_stays_zero() -> None:
    values = dict.fromkeys(("best", "low", "high", "deaths_a", "deaths_b", "deaths_civilians"), "0")
    found = event(**values)
    assert figures(found)[0] == ("all", None, 0, 0, 0, "exact")
    # Nobody was killed: that nobody was harmed is not said.
    assert found.incident["harm_reported"] == "unknown"


@pytest.mark.parametrize(("low", "high"), [("6", "9"), ("1", "4"), ("9", "1")])
def test_bounds_out_of_order_are_not_known(low: str, high: str) -> None:
    found = event(low=low, high=high)
    assert figures(found)[0] == ("all", None, None, 5, None, "approximate")
    assert [remark.column for remark in found.remarks] == ["best"]


def test_against_civilians_side_a_is_the_alleged_perpetrator() -> None:
    found, _ = read_event(one_sided(), PLACES, {})
    assert found is not None
    assert [(side.name, role) for side, role in found.parties] == [
        (GOVERNMENT, "alleged_perpetrator")
    ]
    assert [status for status, *_ in figures(found)] == [
        "all",
        "armed_forces",
        "civilian",
        "unknown",
    ]
    assert found.incident["harm_reported"] == "yes"


@pytest.mark.parametrize("violence", ["1", "2"])
def test_a_dyad_has_no_direction(violence: str) -> None:
    assert {role for _, role in event(type_of_violence=violence).parties} == {"other_party"}


def test_our_words() -> None:
    found = event()
    assert found.incident["title"] == (
        "State-based violence between Government of Myanmar (Burma) and KIO, Hpakant town, "
        "2021-03-27: UCDP event 900001"
    )
    assert found.incident["grading"] == "weak"
    assert "one independent source" in found.incident["grading_rationale"]
    assert "Kachin News,2021-03-28,Clash at Hpakant" in found.claim["note"]
    assert found.claim["place_said"] == "Hpakant town"
    assert found.article["title"] == "[UCDP GED event 900001]"


def test_a_long_name_leaves_the_id_in_the_title() -> None:
    title = event(where_coordinates="x" * 400).incident["title"]
    assert len(title) == 300
    assert title.endswith(": UCDP event 900001")


TOMORROW = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)).date().isoformat()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", ""),
        ("id", "12a"),
        ("id", "=1+1"),
        ("best", ""),
        ("best", "-1"),
        ("best", "=SUM(A1:A9)"),
        ("best", "99999999999999"),
        ("best", "1.5"),
        ("low", "٣"),
        ("deaths_civilians", "many"),
        ("type_of_violence", "4"),
        ("date_prec", "0"),
        ("where_prec", "8"),
        ("event_clarity", ""),
        ("date_start", "27/03/2021"),
        ("date_start", "2021-02-30"),
        ("date_end", "2021-03-26"),
        ("date_end", TOMORROW),
        ("latitude", "91"),
        ("latitude", "NaN"),
        ("longitude", "1e2"),
        ("longitude", "-180.5"),
        ("side_a", ""),
        ("side_a_new_id", "x"),
        ("side_b", "y" * 201),
        ("country", "Atlantis"),
        ("where_description", "a\x00b"),
        ("source_article", "a\x1bb"),
        ("source_original", "a\udce9b"),
        ("adm_1", "\ufffe"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_column(column: str, value: str) -> None:
    found, remarks = read(**{column: value})
    assert found is None
    assert column in {remark.column for remark in remarks if remark.kind == "refused"}
    assert all(remark.message.isprintable() for remark in remarks)


def test_dead_of_side_b_of_one_sided_violence_are_refused() -> None:
    found, remarks = read_event(one_sided(deaths_b="1", best="6"), PLACES, {})
    assert found is None
    assert [remark.column for remark in remarks if remark.kind == "refused"] == ["deaths_b"]


def test_a_moment_of_midnight_is_a_day() -> None:
    found = event(date_start="2021-03-27 00:00:00.000", date_end="2021-03-27 00:00:00")
    assert found.incident["date_edtf"] == "2021-03-27"

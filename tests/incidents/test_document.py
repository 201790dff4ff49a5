"""What leaves, of the three incidents and in general."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from harmtracker.history.acting import acting
from incidents import services
from incidents.comparing import changes, differences
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    FurtherPlace,
    Incident,
    Involvement,
    Place,
    PublishedVersion,
    WeaponType,
    WeaponUse,
)
from incidents.publishing.canonical import canonical
from incidents.publishing.document import build_content
from sources.models import Article, Outlet

pytestmark = pytest.mark.django_db

WOICHAI, MUNG_LAI_HKYET, CADET_SCHOOL = "MMR-2024-0001", "MMR-2023-0001", "MMR-2014-0001"


def document(code: str) -> dict[str, Any]:
    return json.loads(PublishedVersion.objects.using("default").get(code=code).document)


def figures(total: dict[str, Any]) -> tuple[int | None, ...]:
    return total["min"], total["best"], total["max"]


@pytest.mark.parametrize(
    ("code", "outcome", "bucket", "expected"),
    [
        (WOICHAI, "killed", "civilian", (2, 2, 3)),
        (WOICHAI, "injured", "civilian", (1, 1, 1)),
        (MUNG_LAI_HKYET, "killed", "civilian", (28, 29, 33)),
        (MUNG_LAI_HKYET, "killed", "combatant", (None, None, 1)),
        (MUNG_LAI_HKYET, "injured", "civilian", (56, 57, 76)),
        (MUNG_LAI_HKYET, "injured", "combatant", (None, None, 10)),
        (CADET_SCHOOL, "killed", "civilian", (0, 0, 1)),
        (CADET_SCHOOL, "killed", "combatant", (23, 23, 23)),
        (CADET_SCHOOL, "injured", "combatant", (13, 20, None)),
        (CADET_SCHOOL, "injured", "civilian", (None, None, None)),
    ],
)
def test_the_totals_of_the_three(code: str, outcome: str, bucket: str, expected: object) -> None:
    assert figures(document(code)["totals"][outcome][bucket]) == expected


def test_the_23_cadets_were_of_four_groups() -> None:
    rows = [row for row in document(CADET_SCHOOL)["casualties"] if row["affiliation"]]
    assert sorted(row["best"] for row in rows) == [2, 2, 8, 11]
    assert all(row["role"] == "cadet" and row["bucket"] == "combatant" for row in rows)


def test_the_bounds_of_mung_lai_hkyet_name_their_claims() -> None:
    content = document(MUNG_LAI_HKYET)
    claims = {claim["id"]: claim for claim in content["claims"]}
    (row,) = [
        row
        for row in content["casualties"]
        if (row["outcome"], row["status"], row["sex"], row["age_group"])
        == ("killed", "civilian", "all", "all")
    ]
    for bound, figure in (("min", 28), ("max", 33)):
        named = [claims[b["claim"]] for b in row["basis"] if b["bound"] == bound]
        assert named
        assert any(
            figure in (count["min"], count["best"], count["max"])
            for claim in named
            for count in claim["counts"]
        )
    left_out = [b for b in row["basis"] if b["bound"] == "left_out"]
    assert left_out
    assert all(b["reason"] for b in left_out)


def test_the_weapon_of_mung_lai_hkyet_is_contested_four_ways() -> None:
    weapons = document(MUNG_LAI_HKYET)["weapons"]
    either_or = [(w["code"], w["certainty"]) for w in weapons if w["alternative_group"]]
    assert sorted(either_or) == [
        ("EXA-BOM", "likely"),
        ("EXA-DRD", "alleged"),
        ("EXG-ART", "possible"),
        ("EXU-UNS", "alleged"),
    ]
    assert [w["code"] for w in weapons if not w["alternative_group"]] == ["EXG-MOR"]


def test_one_article_names_all_three() -> None:
    seed = (
        "https://kachinnews.com/2024/03/07/"
        "kia-launches-simultaneous-attacks-on-multiple-burma-army-camps/"
    )
    for code in (WOICHAI, MUNG_LAI_HKYET, CADET_SCHOOL):
        assert any(claim["article"]["url"] == seed for claim in document(code)["claims"])


def test_every_claim_says_where_its_article_is_kept_or_that_it_is_not() -> None:
    for code in (WOICHAI, MUNG_LAI_HKYET, CADET_SCHOOL):
        for claim in document(code)["claims"]:
            archived = claim["article"]["archived"]
            assert archived is False or archived["url"] or archived["sha256"]


def test_the_three_unnamed_victims_leave_without_a_name_key() -> None:
    victims = [v for code in (WOICHAI, MUNG_LAI_HKYET) for v in document(code)["victims"]]
    assert len(victims) == 3
    assert all("names" not in victim and "age" not in victim for victim in victims)


SHAPE = (
    "shape code version record_type title summary date place further_places circumstances "
    "harm_reported weapons involvement casualties totals victims claims grading links "
    "external_ids published_at previous_version note licence cite nonce merged_from"
)


@pytest.mark.parametrize("code", [WOICHAI, MUNG_LAI_HKYET, CADET_SCHOOL])
def test_the_document_has_shape_1(code: str) -> None:
    content = document(code)
    assert set(content) == set(SHAPE.split())
    assert content["shape"] == 1
    claim = content["claims"][0]
    assert set(claim["article"]) == {
        "id",
        "outlet",
        "title",
        "url",
        "copy_url",
        "archived",
        "published",
        "language",
    }
    assert set(content["date"]) == {
        "edtf",
        "earliest",
        "latest",
        "precision",
        "local_time",
        "local_time_end",
        "time_kind",
        "utc_offset",
    }


def test_building_costs_the_same_for_one_row_as_for_ten(
    draft: Callable[..., Incident], people: SimpleNamespace
) -> None:
    incident = draft()
    with acting(people.researcher):
        _add_one_of_each(incident, 0)
    one = _queries(incident)
    with acting(people.researcher):
        for number in range(1, 10):
            _add_one_of_each(incident, number)
    assert _queries(incident) == one


def _queries(incident: Incident) -> int:
    with CaptureQueriesContext(connection) as captured:
        build_content(incident.pk)
    return len(captured)


def _add_one_of_each(incident: Incident, number: int) -> None:
    outlet = services.save(
        Outlet(slug=f"o{number}", name="O", kind="ngo", independence_group=str(number))
    )
    article = services.save(Article(outlet=outlet, title="T", language="en"))
    add = services.add_part
    claim = add(
        Claim,
        incident=incident,
        article=article,
        attributed_actor=Actor.objects.order_by("pk")[number],
        paraphrase="P",
    )
    army = Actor.objects.get(slug="lib-390")
    for owner in (claim, None):
        count = add(
            CasualtyCount,
            incident=incident,
            claim=owner,
            outcome="injured",
            status="armed_group",
            affiliation=Actor.objects.order_by("-pk")[number],
            qualifier="unknown",
        )
        add(
            WeaponUse,
            incident=incident,
            claim=owner,
            weapon=WeaponType.objects.exclude(parent=None)[number],
            certainty="likely",
        )
    add(Involvement, incident=incident, claim=claim, actor=army, role="target", certainty="denied")
    services.add_basis(count=count, claim=claim, bound="best")
    services.add_victim(incident=incident, claims=[claim], outcome="killed")
    add(FurtherPlace, incident=incident, place=Place.objects.order_by("pk")[number + 3])


def test_differences_name_the_path() -> None:
    before = {"a": {"b": [1, {"c": 2}]}, "d": 1}
    assert differences(before, {"a": {"b": [1, {"c": 3}]}, "d": 1}) == ["a.b[1].c"]
    assert differences(before, {"a": {"b": [1]}, "d": 1}) == ["a.b"]
    assert differences(before, {"a": {"b": [1, {"c": 2}]}}) == ["d"]
    assert differences(before, before) == []


# --- What differs between two contents ---


def test_a_correction_is_told_figure_by_figure() -> None:
    before = document(WOICHAI)
    after = json.loads(json.dumps(before))
    after["title"] = "Another"
    after["casualties"][0]["max"] = 99
    claim = after["claims"].pop(0)
    claim["paraphrase"] = "Another"
    after["claims"].append(claim)
    after["weapons"].reverse()
    one = before["casualties"][0]
    dimensions = ("outcome", "status", "role", "sex", "age_group")
    group = " ".join([*(one[key] for key in dimensions)])
    assert changes(before, after) == [
        (f"casualties[{group}].max", one["max"], 99),
        (f"claims[{claim['id']}].paraphrase", before["claims"][0]["paraphrase"], "Another"),
        ("title", before["title"], "Another"),
    ]


def test_an_item_that_came_or_went_is_one_change() -> None:
    before = document(WOICHAI)
    after = json.loads(json.dumps(before))
    gone = after["claims"].pop(1)
    assert changes(before, after) == [(f"claims[{gone['id']}]", gone, None)]
    assert changes(after, before) == [(f"claims[{gone['id']}]", None, gone)]


def test_items_that_nothing_tells_apart_go_by_position() -> None:
    one, other = {"outcome": "killed", "age": 3}, {"outcome": "killed", "age": 4}
    assert changes({"victims": [one]}, {"victims": [other, one]}) == [
        ("victims[0].age", 3, 4),
        ("victims[1]", None, one),
    ]
    twice = [{"kind": "related", "code": "A"}] * 2
    assert changes({"links": twice}, {"links": twice[:1]}) == [("links[1]", twice[0], None)]


def test_true_is_not_one_and_unknown_is_not_zero() -> None:
    assert changes({"a": True, "b": None}, {"a": 1, "b": 0}) == [("a", True, 1), ("b", None, 0)]


_LEAF = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b", ""]))
_ITEM = st.dictionaries(st.sampled_from(["id", "kind", "code", "x"]), _LEAF, max_size=3)
_CONTENT = st.dictionaries(
    st.sampled_from(["claims", "links", "victims", "title", "path"]),
    st.one_of(_LEAF, _ITEM, st.lists(_ITEM, max_size=4)),
    max_size=4,
)


@given(_CONTENT, _CONTENT)
def test_changes_are_none_of_the_same_and_the_same_backwards(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert changes(one, one) == []
    there, back = changes(one, other), changes(other, one)
    assert {(p, canonical(b), canonical(a)) for p, b, a in there} == {
        (p, canonical(a), canonical(b)) for p, b, a in back
    }
    assert all(canonical(b) != canonical(a) for _, b, a in there)
    # Whatever differs to the letter beside the order of items and missing keys is told.
    if not there:
        assert _unordered(one) == _unordered(other)


def _unordered(value: Any) -> str:
    if isinstance(value, dict):
        pairs = sorted((k, _unordered(v)) for k, v in value.items() if v is not None)
        return canonical([list(pair) for pair in pairs])
    if isinstance(value, list):
        return canonical(sorted(_unordered(item) for item in value))
    return canonical(value)

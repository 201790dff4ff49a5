"""Places, actors and datasets over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients import Api

pytestmark = pytest.mark.django_db

BASE = "/api/v1/casework/"
MakeApi = Callable[..., Api]
NEW: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "places",
        {"level": "site", "name": "School of Nam Sang", "parent": "laiza", "country": "MMR"},
        {"protected": True, "protected_reason": "A school in use", "other_names": ["နမ့်စန်"]},
    ),
    (
        "actors",
        {
            "kind": "state_forces",
            "name": "LIB 321",
            "parent": "myanmar-army",
            "independence_group": "myanmar-army",
        },
        {"other_names": ["Light Infantry Battalion 321"]},
    ),
]


@pytest.mark.parametrize(("name", "body", "more"), NEW, ids=[row[0] for row in NEW])
def test_one_is_entered_found_and_changed(
    api: MakeApi, name: str, body: dict[str, Any], more: dict[str, Any]
) -> None:
    mine = api("researcher")
    entered = mine.post(f"{BASE}{name}/", body)
    assert entered.status_code == 201, entered.content
    assert entered.json()["slug"] == entered.json()["name"].lower().replace(" ", "-")
    one = entered["Location"]
    assert mine.get(one).json() == entered.json()
    assert mine.patch(one, more).status_code == 428
    changed = mine.patch(one, more, headers={"If-Match": entered["ETag"]})
    assert changed.status_code == 200, changed.content
    assert {key: changed.json()[key] for key in more} == more
    assert mine.patch(one, more, headers={"If-Match": entered["ETag"]}).status_code == 412
    words = more["other_names"][0]
    found = mine.get(f"{BASE}{name}/", {"q": words}).json()["results"]
    assert [row["id"] for row in found] == [entered.json()["id"]]
    back = mine.put(one, entered.json(), headers={"If-Match": changed["ETag"]})
    assert back.json() == entered.json()
    assert mine.delete(one).status_code == 405


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("places", {"level": "site", "name": "x", "country": "MMR"}, "parent"),
        (
            "places",
            {
                "level": "adm3",
                "name": "x",
                "country": "MMR",
                "parent": "mmr001",
                "pcode": "MMR002001",
            },
            None,
        ),
        (
            "places",
            {"level": "site", "name": "x", "country": "Burma", "parent": "laiza"},
            "country",
        ),
        ("places", {"level": "sit", "name": "x", "country": "MMR", "parent": "laiza"}, "level"),
        (
            "places",
            {"level": "site", "name": "x", "country": "MMR", "parent": "laiza", "slug": "laiza"},
            "slug",
        ),
        ("actors", {"kind": "state_forces", "name": "", "independence_group": "x"}, "name"),
        ("actors", {"kind": "state_forces", "name": "x"}, "independence_group"),
    ],
)
def test_a_bad_one_is_refused(
    api: MakeApi, name: str, body: dict[str, Any], field: str | None
) -> None:
    refused = api("researcher").post(f"{BASE}{name}/", body)
    assert refused.status_code == 400, refused.content
    if field is not None:
        assert field in {error["field"] for error in refused.json()["errors"]}


@pytest.mark.parametrize(
    ("path", "query", "names"),
    [
        ("places", {"pcode": "MMR001"}, {"Kachin"}),
        ("places", {"q": "laiza", "level": "settlement"}, {"Laiza"}),
        ("places", {"protected": "true"}, {"Mung Lai Hkyet IDP camp"}),
        ("actors", {"q": "kachin independence army"}, {"Kachin Independence Army"}),
        ("datasets", {}, {"harmtracker", "UCDP"}),
    ],
)
def test_they_are_found(api: MakeApi, path: str, query: dict[str, str], names: set[str]) -> None:
    found = api("verifier").get(f"{BASE}{path}/", query)
    assert found.status_code == 200, found.content
    shown = [row["name"] for row in found.json()["results"]]
    assert all(any(name in row for row in shown) for name in names), shown


def test_what_lies_below_is_found_however_deep(api: MakeApi) -> None:
    mine = api("researcher")
    state = mine.get(f"{BASE}places/", {"pcode": "MMR001"}).json()["results"][0]
    below = mine.get(f"{BASE}places/", {"within": state["id"], "limit": 100}).json()["results"]
    assert {"laiza", "woichai-ward"} <= {row["slug"] for row in below}
    assert state["id"] not in {row["id"] for row in below}


def test_a_place_does_not_lie_within_itself(api: MakeApi) -> None:
    mine = api("researcher")
    ward = mine.get(f"{BASE}places/", {"q": "woichai"}).json()["results"][0]
    laiza = mine.get(f"{BASE}places/", {"q": "laiza", "level": "settlement"}).json()["results"][0]
    one = f"{BASE}places/{laiza['id']}/"
    refused = mine.patch(one, {"parent": ward["id"]}, headers={"If-Match": mine.get(one)["ETag"]})
    assert refused.status_code == 400
    assert "within itself" in refused.json()["detail"]

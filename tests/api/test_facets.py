"""How many incidents there are of each value, under the filters of the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.api.public.facets import DIMENSIONS, USUAL

pytestmark = pytest.mark.usefixtures("three")


def facets(client: Client, query: str) -> dict[str, Any]:
    response = client.get(f"/api/v1/incidents/facets/?{query}")
    assert response.status_code == 200, response.content
    return response.json()["facets"]


def counts(client: Client, name: str, query: str = "") -> dict[str | None, int]:
    found = facets(client, f"facet={name}&{query}")[name]
    return {row["code"]: row["count"] for row in found["values"]}


COUNTED = [  # dimension, filters, what is counted
    ("year", "", {"2014": 1, "2023": 1, "2024": 1}),
    ("year", "date_from=2020-01-01", {"2023": 1, "2024": 1}),
    ("country", "", {"MMR": 3}),
    ("adm1", "", {"MMR001": 3}),
    ("grading", "", {"contested": 1, "discounted": 1, "fair": 1}),
    # Its own filter is left out, its twin and the others are not.
    ("grading", "grading=fair", {"contested": 1, "discounted": 1, "fair": 1}),
    ("grading", "not_grading=fair", {"contested": 1, "discounted": 1}),
    ("grading", "grading=fair&harm_reported=yes", {"contested": 1, "fair": 1}),
    ("harm_reported", "grading=fair", {"yes": 1}),
    ("weapon", "grading=fair", {"EXG": 1, "EXG-ART": 1}),
    ("platform", "grading=contested", {"ground": 1, "uav": 1, "unknown": 1}),
    ("circumstance", "", {"unknown": 2, "indiscriminate_attack": 1}),
    ("dataset", "", {"UCDP Georeferenced Event Dataset": 2, None: 1}),
    ("has_victims", "", {"true": 2, "false": 1}),
    ("has_denial", "", {"false": 2, "true": 1}),
    ("contested_weapon", "", {"false": 2, "true": 1}),
    ("outcome", "", {"injured": 3, "killed": 3}),
    ("role", "", {"all": 3, "cadet": 1}),
    ("actor_target", "", {None: 3}),
    ("grading", "q=nothingofthekind", {}),
    ("grading", "killed_civilian_min__gte=10", {"contested": 1}),
]


@pytest.mark.parametrize(("name", "query", "expected"), COUNTED)
def test_counts(client: Client, name: str, query: str, expected: dict[str, int]) -> None:
    assert counts(client, name, query) == expected


def test_each_count_is_that_of_the_list_under_its_filter(client: Client) -> None:
    for name in ("country", "weapon", "platform", "circumstance", "grading", "status", "sex"):
        for code, count in counts(client, name).items():
            found = client.get(f"/api/v1/incidents/?{name}={code}&count=true").json()
            assert found["count"] == count, (name, code)


@pytest.mark.parametrize(
    "query",
    [
        *("date_from=2000-01-01", "date_from=2020-01-01", "date_from=2024-01-01"),
        *("not_grading=fair", "injured_civilian_best__gte=0"),
    ],
    ids=["all three", "two", "one", "two by what they are not", "one whose figure is not known"],
)
def test_counts_are_the_same_however_many_are_left_out(client: Client, query: str) -> None:
    """Where most are left in, it is the others that are counted."""
    codes = [r["code"] for r in client.get(f"/api/v1/incidents/?{query}").json()["results"]]
    each = [facets(client, f"facet={','.join(DIMENSIONS)}&code={code}") for code in codes]
    summed: dict[tuple[str, Any], int] = {}
    for one in each:
        for name, facet in one.items():
            for row in facet["values"]:
                key = (name, row["code"])
                summed[key] = summed.get(key, 0) + row["count"]
    found = facets(client, f"facet={','.join(DIMENSIONS)}&{query}")
    given = {
        (name, row["code"]): row["count"]
        for name, facet in found.items()
        for row in facet["values"]
    }
    assert given == summed


def test_actors_are_counted_by_role_and_named(client: Client) -> None:
    found = facets(client, "facet=actor_alleged_perpetrator")["actor_alleged_perpetrator"]
    army = found["values"][0]
    assert (army["label"], army["count"]) == ("Myanmar army", 3)
    own = counts(client, "actor_alleged_perpetrator", f"actor={army['code']}&grading=fair")
    assert own[army["code"]] == 1
    assert None not in own


def test_labels_stand_with_the_codes(client: Client) -> None:
    found = facets(client, "facet=country,adm1,weapon,grading")
    labels = {name: found[name]["values"][0]["label"] for name in found}
    assert labels == {
        "country": "Myanmar",
        "adm1": "Kachin",
        "weapon": "explosive, ground-launched",
        "grading": "contested",
    }


def test_without_facet_all_but_the_actors_are_counted(client: Client) -> None:
    found = client.get("/api/v1/incidents/facets/").json()
    assert set(found["facets"]) == set(USUAL)
    assert found["position"] == 3


def test_an_answer_has_an_etag_of_what_it_is_of(client: Client) -> None:
    path = "/api/v1/incidents/facets/?facet=grading"
    etag = client.get(path)["ETag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(path + "&weapon=EXA")["ETag"] != etag


def test_two_queries_for_each_set_of_filters_at_most(client: Client) -> None:
    asked = "grading=fair&weapon=EXG&place=MMR&actor_role=alleged_perpetrator"
    with CaptureQueriesContext(connections["published"]) as queries:
        facets(client, f"facet={','.join(DIMENSIONS)}&{asked}")
    # The position, names of codes, keys of all by traits and by actors; under four sets of filters
    # the traits, and the actors, each with how many there are.
    assert len(queries) <= 4 + 2 * 5


@pytest.mark.parametrize(
    ("query", "parameter", "nearest"),
    [
        ("facet=gradin", "facet", "grading"),
        ("facet=grading,,year", "facet", None),
        ("facets=grading", "facets", "facet"),
        ("grading=fare", "grading", "fair"),
        ("limit=5", "limit", None),
        ("date_match=certain", "date_match", None),
    ],
)
def test_refuses(client: Client, query: str, parameter: str, nearest: str | None) -> None:
    response = client.get(f"/api/v1/incidents/facets/?{query}")
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["field"] == parameter
    if nearest:
        assert error["nearest"] == nearest

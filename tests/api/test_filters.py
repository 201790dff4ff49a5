"""What each filter finds among the three incidents, and what it refuses."""

from __future__ import annotations

import pytest
from django.test import Client

from harmtracker.api import paging
from harmtracker.codes import code_list
from incidents.api.public.filters import IncidentFilters
from incidents.models import PublishedReference

CADETS, CAMP, WARD = "MMR-2014-0001", "MMR-2023-0001", "MMR-2024-0001"
ALL = [WARD, CAMP, CADETS]

pytestmark = pytest.mark.usefixtures("three")


def codes(client: Client, query: str) -> list[str]:
    response = client.get(f"/api/v1/incidents/?{query}")
    assert response.status_code == 200, response.content
    return [row["code"] for row in response.json()["results"]]


FOUND = [
    ("", ALL),
    ("ordering=date", [CADETS, CAMP, WARD]),
    ("ordering=-date", ALL),
    ("ordering=code", [CADETS, CAMP, WARD]),
    ("ordering=-code", ALL),
    ("date_from=2023-10-09", [WARD, CAMP]),
    ("date_from=2023-10-10", [WARD]),
    ("date_to=2023-10-09", [CAMP, CADETS]),
    ("date_to=2023-10-08", [CADETS]),
    ("date_from=2023-10-09&date_to=2023-10-09", [CAMP]),
    ("date_from=2023-10-09&date_to=2023-10-09&date_match=certain", [CAMP]),
    ("date_from=2023-10-10&date_match=certain", [WARD]),
    ("date_to=2014-11-19&date_match=possible", [CADETS]),
    ("place=MMR", ALL),
    ("place=MMR001002", ALL),
    ("place=MMR002", []),
    ("place=00000000-0000-4000-8000-000000000000", []),
    ("bbox=97.55,24.76,97.57,24.79", ALL),
    ("bbox=97.55,24.77,97.57,24.79", [CAMP]),
    ("bbox=-180,-90,180,90", ALL),
    ("bbox=97,24,-170,25", ALL),
    ("bbox=170,24,-170,25", []),
    ("weapon=EXG", ALL),
    ("weapon=EXG-ART", ALL),
    ("weapon=EXA-BOM", [CAMP]),
    ("weapon=EXA-BOM&weapon=EXG-ART", ALL),
    ("weapon=SAL", []),
    ("actor=00000000-0000-4000-8000-000000000000", []),
    ("grading=contested", [CAMP]),
    ("grading=contested&grading=fair", [WARD, CAMP]),
    ("grading=unassessed", []),
    ("record_type=incident", ALL),
    ("record_type=aggregate_count", []),
    ("harm_reported=yes", [WARD, CAMP]),
    ("harm_reported=unknown", [CADETS]),
    ("killed_civilian_min__gte=10", [CAMP]),
    ("killed_civilian_min__gte=28", [CAMP]),
    ("killed_civilian_min__gte=29", []),
    ("killed_civilian_best__lte=2", [WARD, CADETS]),
    ("killed_combatant_best__gte=23", [CADETS]),
    ("killed_civilian_min__gte=1&killed_civilian_max__lte=3", [WARD]),
    ("killed_civilian_min__gte=1&injured_civilian_best__gte=50", [CAMP]),
    # The figure is not known, which is not 0.
    ("injured_civilian_min__lte=0", []),
    ("killed_all_max__gte=0", ALL),
    ("displaced_all_min__gte=0", []),
    ("q=woichai", [WARD]),
    ("q=WOICHAI", [WARD]),
    ("q=mung+lai+hkyet", [CAMP]),
    ("q=%22mung+lai%22", [CAMP]),
    ("q=woichai+or+cadet", [WARD, CADETS]),
    ("q=laiza+-woichai", [CAMP, CADETS]),
    ("q=nothingofthekind", []),
    ("grading=contested&weapon=EXA-BOM&q=camp", [CAMP]),
    ("grading=fair&weapon=EXA-BOM", []),
]


@pytest.mark.parametrize(
    ("query", "expected"), FOUND, ids=[query or "nothing" for query, _ in FOUND]
)
def test_filter_finds_what_it_says(client: Client, query: str, expected: list[str]) -> None:
    assert codes(client, query) == expected


def test_words_in_burmese_find_names_in_burmese(client: Client) -> None:
    assert codes(client, "q=မြန်မာ")


def test_actor_finds_the_incidents_of_its_parts(client: Client) -> None:
    army = PublishedReference.objects.using("published").get(name="Myanmar army").key
    assert codes(client, f"actor={army}") == ALL
    assert codes(client, f"actor={army.upper()}") == ALL


def test_place_takes_the_id_as_it_takes_the_p_code(client: Client) -> None:
    camp = PublishedReference.objects.using("published").get(name="Mung Lai Hkyet IDP camp").key
    assert codes(client, f"place={camp}") == [CAMP]
    assert codes(client, f"place={camp}&place=MMR001") == ALL


REFUSED = [  # query, parameter, nearest
    ("wepon=EXG", "wepon", "weapon"),
    ("killed_civillian_min__gte=1", "killed_civillian_min__gte", "killed_civilian_min__gte"),
    ("killed_civilian_min__gt=1", "killed_civilian_min__gt", "killed_civilian_min__gte"),
    ("code__regex=.*", "code__regex", None),
    ("_connector=OR", "_connector", None),
    ("_negated=1", "_negated", None),
    ("pk__in=1", "pk__in", None),
    ("summary__icontains=x", "summary__icontains", None),
    ("date_from=2023-02-30", "date_from", None),
    ("date_from=2023", "date_from", None),
    ("date_from=0000-01-01", "date_from", None),
    ("date_from=%D9%A2%D9%A0%D9%A2%D9%A3-01-01", "date_from", None),
    ("date_from=2023-01-01&date_from=2024-01-01", "date_from", None),
    ("date_from=2024-01-01&date_to=2023-01-01", "date_to", None),
    ("date_match=certain", "date_match", None),
    ("date_from=2023-01-01&date_match=certian", "date_match", "certain"),
    ("place=mmr", "place", None),
    ("place=MMR%27--", "place", None),
    ("bbox=1,2,3", "bbox", None),
    ("bbox=nan,0,1,1", "bbox", None),
    ("bbox=0,0,inf,1", "bbox", None),
    ("bbox=0,0,181,1", "bbox", None),
    ("bbox=0,10,1,1", "bbox", None),
    ("bbox=0,0,1,91", "bbox", None),
    ("bbox=1e1,0,20,1", "bbox", None),
    ("weapon=EXG-AR", "weapon", "EXG-ART"),
    ("weapon=EXG,EXA", "weapon", None),
    ("actor=army", "actor", None),
    ("grading=contestd", "grading", "contested"),
    ("grading=", "grading", None),
    ("killed_civilian_min__gte=-1", "killed_civilian_min__gte", None),
    ("killed_civilian_min__gte=1.5", "killed_civilian_min__gte", None),
    ("killed_civilian_min__gte=2147483648", "killed_civilian_min__gte", None),
    ("q=a+b+c+d+e+f+g+h+i", "q", None),
    ("q=!!!", "q", None),
    ("q=" + "a" * 201, "q", None),
    ("ordering=dates", "ordering", "date"),
    ("ordering=date,code", "ordering", None),
    ("count=yes", "count", None),
    ("limit=0", "limit", None),
    ("limit=1001", "limit", None),
    ("limit=%2B5", "limit", None),
    ("fields=titel", "fields", "title"),
    ("fields=code,,title", "fields", None),
]


@pytest.mark.parametrize(
    ("query", "parameter", "nearest"), REFUSED, ids=[r[0][:40] for r in REFUSED]
)
def test_filter_refuses_what_it_does_not_understand(
    client: Client, query: str, parameter: str, nearest: str | None
) -> None:
    response = client.get(f"/api/v1/incidents/?{query}")
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["field"] == parameter
    if nearest is not None:
        assert error["nearest"] == nearest


def test_every_combination_of_outcome_bucket_bound_and_comparison_is_a_filter() -> None:
    expected = {
        f"{outcome}_{bucket}_{bound}__{comparison}"
        for outcome in code_list("outcome")
        for bucket in code_list("count_bucket")
        for bound in ("min", "best", "max")
        for comparison in ("gte", "lte")
    }
    assert expected <= set(IncidentFilters.base_filters)
    assert len(expected) == 180


REFERENCES = [  # path and query, how many
    ("places/", 8),
    ("places/?level=camp", 1),
    ("places/?pcode=MMR001002", 1),
    ("places/?pcode=MMR999", 0),
    ("places/?parent=MMR", 1),
    ("places/?parent=MMR001002", 3),
    ("places/?q=waimaw", 1),
    ("places/?q=laiza&level=settlement", 1),
    ("actors/?kind=state_forces", None),
    ("outlets/?kind=dataset&country=XXX", 0),
    ("outlets/?country=XXX", 0),
    ("articles/?language=en", None),
    ("articles/?language=xx", 0),
    ("weapon-types/?parent=EXG", None),
]


@pytest.mark.parametrize(("path", "expected"), REFERENCES)
def test_reference_filter_finds_what_it_says(
    client: Client, path: str, expected: int | None
) -> None:
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == 200
    found = response.json()["results"]
    assert found if expected is None else len(found) == expected


def test_articles_of_an_outlet_are_those_whose_claims_are_carried_by_it(client: Client) -> None:
    outlet = client.get("/api/v1/articles/").json()["results"][0]["outlet"]["id"]
    found = client.get(f"/api/v1/articles/?outlet={outlet}").json()["results"]
    assert found
    assert {article["outlet"]["id"] for article in found} == {outlet}


@pytest.mark.parametrize(
    "path",
    [
        "places/?level=planet",
        "places/?parent=x",
        "places/?name=Laiza",
        "actors/?level=adm1",
        "outlets/?country=Myanmar",
        "articles/?outlet=Reuters",
        "articles/?language=../en",
        "weapon-types/?parent=EXG-ART",
        "weapon-types/?limit=5",
        "weapon-types/EXG/?parent=EXG",
        "codelists/?q=x",
        "incidents/MMR-2023-0001/?q=x",
        "incidents/MMR-2023-0001/versions/?limit=1",
        "?x=1",
        "schema/?version=2",
        "docs/?lang=en",
    ],
)
def test_no_address_takes_a_parameter_that_it_does_not_name(client: Client, path: str) -> None:
    assert client.get(f"/api/v1/{path}").status_code == 400


def test_page_parameters_are_the_only_ones_that_are_no_filters() -> None:
    names = {"ordering", "limit", paging.CURSOR.name, paging.COUNT.name, "fields"}
    assert not names & set(IncidentFilters.base_filters)

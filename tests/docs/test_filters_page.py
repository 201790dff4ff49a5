"""What docs/filters.md says that its examples find."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from incidents.api.public.conditions import COUNT_FILTERS
from incidents.api.public.facets import DIMENSIONS
from incidents.api.public.filters import IncidentFilters
from incidents.models import PublishedReference

PAGE = (Path(__file__).parents[2] / "docs" / "filters.md").read_text(encoding="utf-8")
CODES = {"cadets": "MMR-2014-0001", "camp": "MMR-2023-0001", "ward": "MMR-2024-0001"}
_FINDS = r"(all three|none|(?:cadets|camp|ward)(?:, (?:cadets|camp|ward))*)"
EXAMPLES = re.findall(rf"`([a-z_]+=[^`]+)` (?:\| )?{_FINDS}\b", PAGE)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) > 20


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("query", "names"), EXAMPLES)
def test_example_finds_what_the_page_says(client: Client, query: str, names: str) -> None:
    words = {"all three": set(CODES), "none": set()}.get(names, set(names.split(", ")))
    found = client.get(f"/api/v1/incidents/?{query.replace(' ', '+')}").json()["results"]
    assert {row["code"] for row in found} == {CODES[word] for word in words}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("certainty", "count"), [("confirmed", 1), ("alleged", 3)])
def test_example_of_an_actor(client: Client, certainty: str, count: int) -> None:
    army = PublishedReference.objects.using("published").get(name="Myanmar army").key
    asked = f"actor={army}&actor_role=alleged_perpetrator&actor_certainty={certainty}"
    assert len(client.get(f"/api/v1/incidents/?{asked}").json()["results"]) == count


@pytest.mark.usefixtures("three")
def test_example_of_facets(client: Client) -> None:
    response = client.get("/api/v1/incidents/facets/?facet=grading,weapon&grading=fair")
    shown = re.search(r"^    (\{\"facets\".*?\"position\": 3\})$", PAGE, re.M | re.S)
    assert shown is not None
    assert json.loads(shown[1]) == response.json()


def test_the_page_names_every_filter_and_every_facet() -> None:
    said = set(re.findall(r"[a-z0-9_]+", PAGE))
    filters = IncidentFilters.base_filters.keys() - COUNT_FILTERS.keys()
    assert filters <= said
    assert {name for name in DIMENSIONS if not name.startswith("actor_")} <= said

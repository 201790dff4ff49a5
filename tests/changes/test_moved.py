"""What moved between two documents."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from incidents.models import PublishedVersion
from incidents.publishing.moved import figure_names, moved

CODE = "MMR-2023-0001"
ACTOR = {"id": "a", "name": "A", "names": [], "kind": "state_forces", "path": []}


@pytest.fixture
def document(three: None) -> dict[str, Any]:
    version = PublishedVersion.objects.using("published").get(code=CODE, number=1)
    found: dict[str, Any] = json.loads(version.document)
    return found


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        thing: Any = document
        for step in path[:-1]:
            thing = thing[step]
        thing[path[-1]] = to

    return change


NOTHING: dict[str, list[Any]] = {
    "figures": [],
    "rows": [],
    "values": [],
    "claims_added": [],
    "claims_removed": [],
    "claims_changed": [],
    "changed": [],
}


def test_nothing_moved(document: dict[str, Any]) -> None:
    assert moved(document, copy.deepcopy(document)) == NOTHING
    assert moved(None, None) == NOTHING
    assert moved(None, {"retracted": True}) == NOTHING


@pytest.mark.parametrize(
    "key", ["version", "note", "cite", "nonce", "redactions", "published_at", "previous_version"]
)
def test_a_stamp_is_no_content(document: dict[str, Any], key: str) -> None:
    assert moved(document, {**document, key: "other"}) == NOTHING


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (_set("grading", "code", to="weak"), "grading"),
        (_set("date", "edtf", to="2023-10"), "date"),
        (_set("place", "id", to="other"), "place"),
        (_set("place", "country", to="THA"), "country"),
        (_set("place", "point", to=None), "point"),
        (_set("circumstances", to=[]), "circumstances"),
        (_set("harm_reported", to="no"), "harm_reported"),
        (_set("weapons", to=[]), "weapons"),
        (_set("involvement", to=[]), "actors"),
        (_set("merged_from", to=["MMR-2014-0001"]), "merged_from"),
    ],
)
def test_plain_values(
    document: dict[str, Any], change: Callable[[dict[str, Any]], None], name: str
) -> None:
    after = copy.deepcopy(document)
    change(after)
    found = moved(document, after)
    (value,) = found["values"]
    (back,) = moved(after, document)["values"]
    assert value["name"] == name
    assert (back["from"], back["to"]) == (value["to"], value["from"])
    assert found["figures"] == []
    assert figure_names(found) == [name]


def test_a_figure(document: dict[str, Any]) -> None:
    after = copy.deepcopy(document)
    total = after["totals"]["killed"]["civilian"]
    was = dict(total)
    total["best"] = 999
    found = moved(document, after)
    assert found["figures"] == [
        {"outcome": "killed", "bucket": "civilian", "from": was, "to": {**was, "best": 999}}
    ]
    assert figure_names(found) == ["killed_civilian", "killed_civilian_best"]


def test_zero_is_not_unknown(document: dict[str, Any]) -> None:
    one, other = copy.deepcopy(document), copy.deepcopy(document)
    one["totals"]["killed"]["civilian"]["best"] = None
    other["totals"]["killed"]["civilian"]["best"] = 0
    (figure,) = moved(one, other)["figures"]
    assert (figure["from"]["best"], figure["to"]["best"]) == (None, 0)


def test_a_row(document: dict[str, Any]) -> None:
    after = copy.deepcopy(document)
    row = after["casualties"][0]
    row["max"] = 999
    (found,) = moved(document, after)["rows"]
    assert found["to"]["max"] == 999
    assert found["from"]["max"] == document["casualties"][0]["max"]
    assert found["status"] == row["status"]


def test_rows_alike_are_compared_one_by_one(document: dict[str, Any]) -> None:
    after = copy.deepcopy(document)
    after["casualties"].append(dict(after["casualties"][0]))
    (found,) = moved(document, after)["rows"]
    assert found["from"] is None


def test_claims(document: dict[str, Any]) -> None:
    after = copy.deepcopy(document)
    removed = after["claims"].pop()
    after["claims"].append({**removed, "id": "new"})
    after["claims"][0]["paraphrase"] = "Something else."
    found = moved(document, after)
    assert found["claims_added"] == ["new"]
    assert found["claims_removed"] == [removed["id"]]
    assert found["claims_changed"] == [document["claims"][0]["id"]]
    assert found["changed"] == ["claims"]


def test_the_order_of_claims_is_no_change_of_one(document: dict[str, Any]) -> None:
    after = {**document, "claims": document["claims"][::-1]}
    assert moved(document, after)["claims_changed"] == []


def test_a_text_is_named_and_not_said(document: dict[str, Any]) -> None:
    after = {**document, "title": "zzcanary"}
    found = moved(document, after)
    assert found == {**NOTHING, "changed": ["title"]}


@pytest.mark.parametrize("end", [None, {"retracted": True}, {"merged_into": "MMR-2014-0001"}])
def test_beginning_and_end_have_figures_alone(
    document: dict[str, Any], end: dict[str, Any] | None
) -> None:
    for found, side in ((moved(end, document), "from"), (moved(document, end), "to")):
        assert {name for name, value in found.items() if value} == {"figures"}
        assert all(figure[side] is None for figure in found["figures"])

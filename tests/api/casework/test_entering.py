"""Entering records over the API: whole or part by part, as a researcher's program does."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from incidents.models import Incident
from tests.clients import Api

from .bodies import BASE, count, whole

pytestmark = pytest.mark.django_db

Enter = Callable[..., tuple[dict[str, Any], str]]
MakeApi = Callable[..., Api]


def address(record: dict[str, Any], *more: str) -> str:
    return BASE + "/".join([record["id"], *more]) + "/"


def test_a_whole_record_is_entered_by_one_request(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    assert record["state"] == "draft"
    assert record["code"] is None
    assert record["author"] == "researcher"
    assert [len(claim["counts"]) for claim in record["claims"]] == [1, 1]
    (assessed,) = record["assessment"]["counts"]
    ids = [claim["id"] for claim in record["claims"]]
    assert [(basis["claim"], basis["bound"]) for basis in assessed["basis"]] == [
        (ids[0], "min"),
        (ids[1], "max"),
    ]
    assert (assessed["min"], assessed["best"], assessed["max"]) == (2, None, 5)
    assert record["victims"][0]["claims"] == ids
    assert record["can_be_submitted"] is True
    read = api("researcher").get(address(record))
    assert read.json() == record
    assert read["ETag"] == etag


def test_a_record_is_entered_part_by_part(api: MakeApi, articles: tuple[str, str]) -> None:
    mine = api("researcher")
    response = mine.post(BASE, {"title": "Something happened"})
    record, etag = response.json(), response["ETag"]
    assert response["Location"] == address(record)
    assert {w["rule"] for w in record["warnings"] if w["blocks"]} == {
        "date_missing",
        "place_missing",
        "claim_missing",
        "grading_missing",
    }
    assert record["can_be_submitted"] is False

    def add(name: str, body: dict[str, Any]) -> dict[str, Any]:
        nonlocal etag
        added = mine.post(address(record, name), body, headers={"If-Match": etag})
        assert added.status_code == 201, added.content
        etag = added["ETag"]
        assert mine.get(added["Location"]).json() == added.json()
        return dict(added.json())

    claim = add(
        "claims",
        {
            "article": articles[0],
            "attributed_outlet": "kachin-news-group",
            "paraphrase": "Two were killed.",
        },
    )
    add("counts", count(claim=claim["id"]))
    assessed = add("counts", count())
    add("bases", {"count": assessed["id"], "claim": claim["id"], "bound": "best"})
    add("weapons", {"weapon": "EXA-BOM", "certainty": "alleged", "claim": claim["id"]})
    add("involvements", {"actor": "kia", "role": "other_party", "certainty": "possible"})
    add("victims", {"outcome": "killed", "age": 7.5, "claims": [claim["id"]]})
    add("further-places", {"place": "woichai-ward"})
    add("external-ids", {"dataset": "ucdp-ged", "value": "1"})
    add("links", {"kind": "related", "other": "MMR-2023-0001"})
    changed = mine.patch(
        address(record),
        {"date_edtf": "2024-03", "place": "laiza", "grading": "weak"},
        headers={"If-Match": etag},
    )
    assert changed.status_code == 200, changed.content
    assert changed.json()["can_be_submitted"] is True
    assert changed.json()["assessment"]["counts"][0]["basis"][0]["claim"] == claim["id"]


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("claims", {"quotation": "“Two dead.”", "credibility": "3"}),
    ("counts", {"min": 1, "best": 1, "max": 1}),
    ("weapons", {"certainty": "possible", "calibre_mm": 105.5}),
    ("involvements", {"certainty": "possible"}),
    ("victims", {"names": ["မအေး"], "consent_basis": "family_consent", "claims": []}),
    ("further-places", {"place": "mung-lai-hkyet-camp"}),
    ("external-ids", {"value": "7"}),
    ("bases", {"reason": "It saw the bodies."}),
]


@pytest.mark.parametrize(("name", "fields"), CHANGES, ids=[row[0] for row in CHANGES])
def test_each_part_is_changed_put_back_and_removed(
    enter: Enter, api: MakeApi, name: str, fields: dict[str, Any]
) -> None:
    record, etag = enter()
    mine = api("researcher")
    rows = mine.get(address(record, name)).json()["results"]
    one = address(record, name, rows[0]["id"])
    before = mine.get(one).json()
    assert before == rows[0]
    patched = mine.patch(one, fields, headers={"If-Match": etag})
    assert patched.status_code == 200, patched.content
    shown = patched.json()
    assert all(shown[key] == value for key, value in fields.items() if key != "place")
    assert {key for key in shown if shown[key] != before[key]} == set(fields)
    put = mine.put(one, before, headers={"If-Match": patched["ETag"]})
    assert put.status_code == 200, put.content
    assert put.json() == before
    gone = mine.delete(one, headers={"If-Match": put["ETag"]})
    assert gone.status_code == 204, gone.content
    assert mine.get(one).status_code == 404
    assert len(mine.get(address(record, name)).json()["results"]) == len(rows) - 1


def test_a_record_that_was_read_whole_can_be_sent_back_whole(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    mine = api("researcher")
    body = {**record, "title": "Another title"}
    put = mine.put(address(record), body, headers={"If-Match": etag})
    assert put.status_code == 200, put.content
    assert put.json()["title"] == "Another title"
    claims = [{**record["claims"][0], "paraphrase": "Changed"}, record["claims"][1]]
    refused = mine.put(
        address(record), {**put.json(), "claims": claims}, headers={"If-Match": put["ETag"]}
    )
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "claims"


def test_put_sets_what_is_left_out_to_unknown(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    put = api("researcher").put(
        address(record), {"title": record["title"]}, headers={"If-Match": etag}
    )
    assert put.status_code == 200, put.content
    assert put.json()["place"] is None
    assert put.json()["grading"] == "unassessed"
    assert put.json()["circumstances"] == []


@pytest.mark.parametrize("field", ["state", "code", "author", "id", "revision", "warnings"])
def test_nobody_sets_by_hand_what_the_workflow_moves(
    enter: Enter, api: MakeApi, field: str
) -> None:
    record, etag = enter()
    for body in ({field: "published"}, {field: ["x"]}):
        refused = api("researcher").patch(address(record), body, headers={"If-Match": etag})
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"] == field
    entered = api("researcher").post(BASE, {"title": "x", field: "published"})
    assert entered.status_code == 400


WRONG: list[tuple[str, Callable[[dict[str, Any]], Any], str | None]] = [
    ("claims[1].counts[0].min", lambda b: b["claims"][1]["counts"][0].update(min=9), None),
    (
        "claims[0].weapons[0].weapon",
        lambda b: b["claims"][0]["weapons"][0].update(weapon="EXA-BOMB"),
        "EXA-BOM",
    ),
    (
        "claims[0].attributed_outlet",
        lambda b: b["claims"][0].update(attributed_outlet="irawady"),
        "irrawaddy",
    ),
    ("claims[1].key", lambda b: b["claims"][1].update(key="a"), None),
    ("claims[0].paraphrase", lambda b: b["claims"][0].update(paraphrase=""), None),
    (
        "assessment.counts[0].basis[0].claim",
        lambda b: b["assessment"]["counts"][0]["basis"][0].update(claim="z"),
        None,
    ),
    ("assessment.counts[0].max", lambda b: b["assessment"]["counts"][0].update(max=1), None),
    ("victims[0].claims[0]", lambda b: b["victims"][0].update(claims=["z"]), None),
    ("victims[0].age", lambda b: b["victims"][0].update(age=200), None),
    ("external_ids[0].dataset", lambda b: b["external_ids"][0].update(dataset="x"), None),
    ("date_edtf", lambda b: b.update(date_edtf="2024-13"), None),
    ("latitude", lambda b: b.update(latitude=91, longitude=0, place_precision="site"), None),
    ("circumstances[0]", lambda b: b.update(circumstances=["air"]), None),
    ("titel", lambda b: b.update(titel="x"), "title"),
]


@pytest.mark.parametrize(("field", "spoil", "nearest"), WRONG, ids=[row[0] for row in WRONG])
def test_a_fault_names_its_field_and_nothing_is_stored(
    api: MakeApi, articles: tuple[str, str], field: str, spoil: Any, nearest: str | None
) -> None:
    before = Incident.objects.count()
    body = whole(*articles)
    spoil(body)
    refused = api("researcher").post(BASE, body)
    assert refused.status_code == 400, refused.content
    named = {error["field"]: error for error in refused.json()["errors"]}
    assert field in named
    if nearest is not None:
        assert named[field]["nearest"] == nearest
    assert Incident.objects.count() == before


def test_a_part_above_its_whole_is_refused_by_the_rows_it_names(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    refused = api("researcher").post(
        address(record, "counts"),
        count(min=6, best=6, max=6, age_group="child"),
        headers={"If-Match": etag},
    )
    assert refused.status_code == 400
    assert "whole" in refused.json()["detail"]


def test_a_correction_says_why(people: SimpleNamespace, draft: Any, api: MakeApi) -> None:
    incident = draft("published")
    mine = api("researcher")
    one = f"{BASE}{incident.uuid}/"
    etag = mine.get(one)["ETag"]
    closed = mine.patch(one, {"title": "Other"}, headers={"If-Match": etag})
    assert closed.status_code == 409
    reopened = mine.post(f"{one}reopen/", {"reason": "A better source"}, headers={"If-Match": etag})
    assert reopened.status_code == 200, reopened.content
    etag = reopened["ETag"]
    silent = mine.patch(one, {"title": "Other"}, headers={"If-Match": etag})
    assert silent.status_code == 400
    assert silent.json()["errors"][0]["field"] == "change_reason"
    said = mine.patch(
        one, {"title": "Other", "change_reason": "Wrong title"}, headers={"If-Match": etag}
    )
    assert said.status_code == 200
    entry = mine.get(f"{one}history/").json()["results"][0]
    assert entry["why"] == "Wrong title"
    assert entry["changes"] == [
        {"field": "title", "before": incident.title, "after": "Other"},
    ]


def test_names_say_what_ids_stand_for(enter: Enter) -> None:
    record, _ = enter()
    assert record["names"][record["place"]] == "Laiza"

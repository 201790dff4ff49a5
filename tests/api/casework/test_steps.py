"""Steps, remarks, taking, and the history of a record over the API."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from incidents.choices import State
from incidents.models import Incident
from tests.clients import Api

from .bodies import BASE

pytestmark = pytest.mark.django_db

Enter = Callable[..., tuple[dict[str, Any], str]]
MakeApi = Callable[..., Api]
Draft = Callable[..., Incident]


def address(record: dict[str, Any], *more: str) -> str:
    return BASE + "/".join([record["id"], *more]) + "/"


def step(client: Api, record: dict[str, Any], name: str, etag: str, **said: Any) -> Any:
    return client.post(address(record, name), said, headers={"If-Match": etag})


def test_a_record_goes_from_its_author_to_the_public(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    researcher, verifier = api("researcher"), api("verifier")
    submitted = step(researcher, record, "submit", etag)
    assert submitted.json()["state"] == "submitted"
    assert submitted.json()["waiting_since"] is not None
    assert step(researcher, record, "verify", etag).status_code == 403

    remark = verifier.post(
        address(record, "comments"), {"field": "claims[0].quotation", "text": "Quote it."}
    )
    assert remark.status_code == 201
    returned = step(verifier, record, "return", etag, reason="Quote the first source.")
    assert returned.json()["state"] == "draft"

    mine = researcher.get(address(record))
    assert mine.json()["comments"][0]["text"] == "Quote it."
    claim = record["claims"][0]["id"]
    changed = researcher.patch(
        address(record, "claims", claim),
        {"quotation": "“Two.”"},
        headers={"If-Match": mine["ETag"]},
    )
    settled = researcher.patch(remark["Location"], {"resolved": True})
    assert settled.json()["resolved_by"] == "researcher"
    again = step(researcher, record, "submit", changed["ETag"], reason="Quoted now")
    stale = step(verifier, record, "verify", etag)
    assert stale.status_code == 412

    preview = verifier.get(address(record, "content")).json()
    assert preview["version"] == 1
    assert preview["content"]["claims"][0]["quotation"] == "“Two.”"
    verified = step(verifier, record, "verify", again["ETag"], seen_sha256=preview["sha256"])
    assert verified.status_code == 200, verified.content
    published = step(verifier, record, "publish", again["ETag"])
    assert published.json()["state"] == "published"
    assert published.json()["code"].startswith("MMR-2024-")
    taken = verifier.get(address(record, "steps")).json()["results"]
    assert [(row["step"], row["who"]) for row in taken] == [
        ("submit", "researcher"),
        ("return", "verifier"),
        ("submit", "researcher"),
        ("verify", "verifier"),
        ("publish", "verifier"),
    ]


def test_a_verification_of_what_was_not_read_is_refused(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    step(api("researcher"), record, "submit", etag)
    refused = step(api("verifier"), record, "verify", etag, seen_sha256="0" * 64)
    assert refused.status_code == 412


def test_a_retraction_is_confirmed_by_a_second_person(draft: Draft, api: MakeApi) -> None:
    record = {"id": str(draft(State.PUBLISHED).uuid)}
    one, other = api("verifier"), api("other_verifier")
    etag = one.get(address(record))["ETag"]
    assert step(one, record, "retract", etag).status_code == 409
    assert step(one, record, "propose-retraction", etag).status_code == 400
    proposed = step(one, record, "propose-retraction", etag, reason="It did not happen.")
    assert proposed.json()["state"] == "published"
    assert step(one, record, "retract", etag).status_code == 403
    assert step(other, record, "retract", etag).json()["state"] == "retracted"


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(["casework:read"], 403), (["casework:read", "casework:write"], 403), (["verify"], 200)],
)
def test_a_verification_needs_the_scope_for_it(
    enter: Enter, api: MakeApi, scopes: list[str], status: int
) -> None:
    record, etag = enter()
    step(api("researcher"), record, "submit", etag)
    client = api("verifier", scopes=scopes)
    assert step(client, record, "verify", etag).status_code == status


def test_what_is_lacking_is_said_by_field(enter: Enter, api: MakeApi) -> None:
    record, etag = enter(grading="confirmed")
    refused = step(api("researcher"), record, "submit", etag)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "grading"


def test_a_record_is_taken_released_and_taken_over(enter: Enter, api: MakeApi) -> None:
    record, _ = enter()
    researcher, verifier = api("researcher"), api("verifier")
    assert researcher.post(address(record, "take")).json()["person"] == "researcher"
    refused = verifier.post(address(record, "take"))
    assert refused.status_code == 409
    assert "researcher" in refused.json()["detail"]
    assert verifier.post(address(record, "release")).status_code == 403
    assert verifier.get(address(record)).json()["taken_by"]["person"] == "researcher"
    assert verifier.post(address(record, "take"), {"over": True}).status_code == 200
    assert verifier.post(address(record, "release")).status_code == 204
    assert verifier.get(address(record)).json()["taken_by"] is None


def test_the_history_says_what_moved_figure_by_figure(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    mine = api("researcher")
    count = record["assessment"]["counts"][0]["id"]
    mine.patch(
        address(record, "counts", count),
        {"min": 1, "change_reason": "B is doubtful"},
        headers={"If-Match": etag},
    )
    page = mine.get(address(record, "history"), {"limit": 1}).json()
    (entry,) = page["results"]
    assert (entry["who"], entry["did"], entry["type"], entry["row"], entry["why"]) == (
        "researcher",
        "changed",
        "count",
        count,
        "B is doubtful",
    )
    assert entry["changes"] == [{"field": "min", "before": 2, "after": 1}]
    seen = [entry["id"]]
    while page["next_before"]:
        page = mine.get(
            address(record, "history"), {"limit": 5, "before": page["next_before"]}
        ).json()
        seen += [row["id"] for row in page["results"]]
    everything = mine.get(address(record, "history"), {"limit": 200}).json()["results"]
    assert seen == [row["id"] for row in everything]
    assert everything[-1]["type"] == "incident"
    place = next(c for c in everything[-1]["changes"] if c["field"] == "place")
    assert place == {"field": "place", "before": None, "after": record["place"]}


def test_an_earlier_value_is_restored_as_a_new_edit(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    mine = api("researcher")
    count = record["assessment"]["counts"][0]["id"]
    changed = mine.patch(
        address(record, "counts", count), {"min": 1, "max": 9}, headers={"If-Match": etag}
    )
    entry = mine.get(address(record, "history")).json()["results"][0]
    restore = address(record, "history", entry["id"], "restore")
    stale = mine.post(restore, {"only": ["min"]}, headers={"If-Match": etag})
    assert stale.status_code == 412
    restored = mine.post(restore, {"only": ["min"]}, headers={"If-Match": changed["ETag"]})
    assert restored.status_code == 200, restored.content
    (row,) = restored.json()["assessment"]["counts"]
    assert (row["min"], row["max"]) == (2, 9)
    newest = mine.get(address(record, "history")).json()["results"][0]
    assert newest["changes"] == [{"field": "min", "before": 1, "after": 2}]
    refused = mine.post(restore, {"only": ["best"]}, headers={"If-Match": restored["ETag"]})
    assert refused.status_code == 400


def test_a_removed_part_is_restored(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    mine = api("researcher")
    weapon = record["assessment"]["weapons"][0]
    gone = mine.delete(address(record, "weapons", weapon["id"]), headers={"If-Match": etag})
    entry = mine.get(address(record, "history")).json()["results"][0]
    assert entry["did"] == "removed"
    restored = mine.post(
        address(record, "history", entry["id"], "restore"), headers={"If-Match": gone["ETag"]}
    )
    assert restored.status_code == 200, restored.content
    assert restored.json()["assessment"]["weapons"] == [weapon]


def test_what_was_added_is_not_restored_away(enter: Enter, api: MakeApi) -> None:
    record, etag = enter()
    mine = api("researcher")
    entry = mine.get(address(record, "history")).json()["results"][0]
    assert entry["did"] == "added"
    refused = mine.post(
        address(record, "history", entry["id"], "restore"), headers={"If-Match": etag}
    )
    assert refused.status_code == 409


def test_an_entry_that_names_a_hidden_record_is_not_shown(
    draft: Draft, people: SimpleNamespace, api: MakeApi
) -> None:
    public, hidden = draft(State.PUBLISHED), draft()
    mine, others = api("researcher"), api("other_researcher")
    one = f"{BASE}{public.uuid}/"
    etag = mine.post(f"{one}reopen/", {"reason": "x"}, headers={"If-Match": mine.get(one)["ETag"]})
    linked = mine.post(
        f"{one}links/",
        {"kind": "related", "other": str(hidden.uuid), "change_reason": "Same day"},
        headers={"If-Match": etag["ETag"]},
    )
    assert linked.status_code == 201, linked.content
    assert "link" in {row["type"] for row in mine.get(f"{one}history/").json()["results"]}
    assert mine.get(one).json()["links"] != []
    shown = others.get(f"{one}history/")
    assert "link" not in {row["type"] for row in shown.json()["results"]}
    assert str(hidden.uuid) not in shown.content.decode()
    assert others.get(one).json()["links"] == []

"""What differs between two versions of a record."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from tests.changes.conftest import Draft, count_again
from tests.drafts import publish_again
from tests.incidents.test_redaction import NAME, WHY, take, told
from tests.telling import tells

EMPTY = (
    "figures", "rows", "values", "claims_added", "claims_removed", "claims_changed", "changed",
    "changes",
)  # fmt: skip


def differ(client: Client, code: str, **asked: int) -> dict[str, Any]:
    answer = client.get(f"/api/v1/incidents/{code}/diff/", asked)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_figure_by_figure_and_by_path(history: SimpleNamespace, client: Client) -> None:
    found = differ(client, history.one.code, **{"from": 1, "to": 2})
    assert (found["from"]["version"], found["to"]["version"]) == (1, 2)
    assert {f["bucket"] for f in found["figures"]} == {"civilian", "all"}
    paths = {change["path"]: change for change in found["changes"]}
    best = paths["totals.killed.civilian.best"]
    assert (best["from"], best["to"]) == (2, 5)
    assert not {"version", "note", "cite", "nonce", "published_at"} & paths.keys()
    assert found["changed"] == ["casualties", "totals"]
    assert found["redacted"] == []


def test_backwards_it_is_the_same_the_other_way(history: SimpleNamespace, client: Client) -> None:
    there = differ(client, history.one.code, **{"from": 1, "to": 2})
    back = differ(client, history.one.code, **{"from": 2, "to": 1})
    assert [(c["path"], c["from"], c["to"]) for c in there["changes"]] == [
        (c["path"], c["to"], c["from"]) for c in back["changes"]
    ]
    assert [(f["from"], f["to"]) for f in there["figures"]] == [
        (f["to"], f["from"]) for f in back["figures"]
    ]


def test_without_numbers_it_is_the_last_against_the_one_before(
    history: SimpleNamespace, client: Client
) -> None:
    code = history.one.code
    assert differ(client, code) == differ(client, code, **{"from": 1, "to": 2})
    assert differ(client, code, to=1) == differ(client, code, **{"from": 1, "to": 1})


def test_as_of_a_position_later_versions_are_not_there(
    history: SimpleNamespace, client: Client
) -> None:
    code, created = history.one.code, history.start + 1
    address = f"/api/v1/incidents/{code}/diff/"
    assert client.get(address, {"to": 2, "as_of": created}).status_code == 404
    assert client.get(address, {"as_of": created}).json()["to"]["version"] == 1
    assert client.get(address, {"as_of": created + 1}).json() == differ(client, code)


def test_a_version_does_not_differ_from_itself(history: SimpleNamespace, client: Client) -> None:
    found = differ(client, history.one.code, **{"from": 2, "to": 2})
    assert all(found[key] == [] for key in EMPTY)


@pytest.mark.parametrize(("which", "key"), [("gone", "retracted"), ("other", "merged_into")])
def test_where_it_ended(history: SimpleNamespace, client: Client, which: str, key: str) -> None:
    code = getattr(history, which).code
    found = differ(client, code)
    assert found["to"]["kind"] in ("retracted", "merged")
    assert [change["path"] for change in found["changes"]] == [key]
    assert all(figure["to"] is None for figure in found["figures"])
    assert found["figures"]
    back = differ(client, code, **{"from": 2, "to": 1})
    assert [change["path"] for change in back["changes"]] == [key]
    assert all(figure["from"] is None for figure in back["figures"])
    assert all(differ(client, code, **{"from": 2, "to": 2})[name] == [] for name in EMPTY)


def test_what_was_taken_out_is_shown_as_taken_out(
    committed: None, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = publish_again(told(draft, people), people, title="Shelling of a house")
    take(incident, people)
    found = differ(client, incident.code)
    (title,) = [change for change in found["changes"] if change["path"] == "title"]
    assert title["to"] == "Shelling of a house"
    assert title["from"].keys() == {"redacted"}
    taken = [r for r in found["redacted"] if (r["version"], r["path"]) == (1, ["title"])]
    assert [r["digest"] for r in taken] == [title["from"]["redacted"]]
    assert taken[0]["reason"] == WHY
    # Taken out of both: whether they differed is not told.
    assert not [c for c in found["changes"] if "quotation" in c["path"]]
    assert {r["version"] for r in found["redacted"] if "quotation" in r["path"]} == {1, 2}
    whole = client.get(f"/api/v1/incidents/{incident.code}/diff/").content.decode()
    assert not tells(whole, "htwe")
    assert NAME not in whole


def test_a_claim_that_came_is_named(
    committed: None, draft: Draft, people: SimpleNamespace, client: Client, history: SimpleNamespace
) -> None:
    found = differ(client, history.target.code)
    assert found["claims_added"] == []
    entry = client.get("/api/v1/changes/", {"code": history.target.code}).json()["results"][0]
    assert entry["kind"] == "created"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("MMR-2023-0001/diff/?from=1&to=2", 404),
        ("MMR-2023-0001/diff/?from=0&to=1", 400),
        ("MMR-2023-0001/diff/?from=x", 400),
        ("MMR-2023-0001/diff/?form=1", 400),
        ("MMR-2099-0001/diff/", 404),
        ("nothing/diff/", 404),
        ("MMR-2023-0001/diff/", 200),
    ],
)
def test_what_is_not_there(three: None, client: Client, path: str, status: int) -> None:
    assert client.get(f"/api/v1/incidents/{path}").status_code == status


def test_its_etag_is_its_own(
    committed: None, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = count_again(draft("published"), people, 3)
    address = f"/api/v1/incidents/{incident.code}/diff/?from=1&to=2"
    etag = client.get(address)["ETag"]
    draft("published")
    assert client.get(address, headers={"if-none-match": etag}).status_code == 304

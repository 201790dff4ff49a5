"""Values brought back over the API: as they were, and in nobody else's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients import Api

from .bodies import BASE

pytestmark = pytest.mark.django_db

Enter = Callable[..., tuple[dict[str, Any], str]]
MakeApi = Callable[..., Api]


def restored(program: Api, record: dict[str, Any], body: dict[str, Any] | None = None) -> Any:
    """The answer to bringing back what the last change moved."""
    one = f"{BASE}{record['id']}/"
    last = program.get(f"{one}history/").json()["results"][0]
    headers = {"If-Match": program.get(one)["ETag"]}
    return program.post(f"{one}history/{last['id']}/restore/", body or {}, headers=headers)


def test_a_number_comes_back_with_its_own_digits(enter: Enter, api: MakeApi) -> None:
    mine = api("researcher")
    record, etag = enter(latitude=25.4, longitude=-96.17, place_precision="site")
    nowhere = {"latitude": None, "longitude": None}
    changed = mine.patch(f"{BASE}{record['id']}/", nowhere, headers={"If-Match": etag})
    assert changed.status_code == 200
    answer = restored(mine, record)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["latitude"], answer.json()["longitude"]) == (25.4, -96.17)


def test_a_field_that_the_change_did_not_move_is_named(enter: Enter, api: MakeApi) -> None:
    mine = api("researcher")
    record, etag = enter()
    mine.patch(f"{BASE}{record['id']}/", {"title": "Other"}, headers={"If-Match": etag})
    answer = restored(mine, record, {"only": ["title", "summary"]})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["only[1]"]


def test_nobody_settles_a_remark_in_the_name_of_another(enter: Enter, api: MakeApi) -> None:
    record, _ = enter()
    remarks = f"{BASE}{record['id']}/comments/"
    remark = api("verifier").post(remarks, {"field": "title", "text": "Which?"}).json()
    one = f"{remarks}{remark['id']}/"
    assert api("verifier").patch(one, {"resolved": True}).status_code == 200
    assert api("researcher").patch(one, {"resolved": False}).status_code == 200
    entry = api("researcher").get(f"{BASE}{record['id']}/history/").json()["results"][0]
    assert entry["changes"][0] == {"field": "resolved_by", "before": "verifier", "after": None}
    assert restored(api("researcher"), record).status_code == 409
    assert api("researcher").get(one).json()["resolved_by"] is None

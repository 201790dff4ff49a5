"""Redaction and merging over the API. What they do is tested with the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from incidents.choices import State
from incidents.models import Incident
from tests.clients import Api

from .bodies import BASE

pytestmark = pytest.mark.usefixtures("committed")

MakeApi = Callable[..., Api]
Draft = Callable[..., Incident]


def test_a_name_is_shown_first_and_then_taken_out(draft: Draft, api: MakeApi) -> None:
    incident = draft(State.PUBLISHED, summary="Ma Aye was killed at home.")
    one = f"{BASE}{incident.uuid}/redact/"
    public = f"/api/v1/incidents/{incident.code}/"
    verifier = api("verifier")
    asked: dict[str, Any] = {"text": "ma aye", "public_reason": "Asked for by the family."}
    assert verifier.post(one, asked).status_code == 400
    shown = verifier.post(one, {**asked, "dry_run": True}).json()
    assert shown["values"] == [{"code": incident.code, "version": 1, "path": "summary"}]
    assert b"Ma Aye" in verifier.client.get(public).content
    done = verifier.post(one, {**asked, "expected": 1})
    assert done.status_code == 200, done.content
    assert b"Ma Aye" not in verifier.client.get(public).content
    assert b"Ma Aye" not in verifier.client.get("/api/v1/incidents/").content


@pytest.mark.parametrize(
    ("name", "status"), [("researcher", 403), ("administrator", 403), (None, 401)]
)
def test_who_may_not_redact(draft: Draft, api: MakeApi, name: str | None, status: int) -> None:
    incident = draft(State.PUBLISHED)
    body = {"text": "village", "public_reason": "x", "dry_run": True}
    assert api(name).post(f"{BASE}{incident.uuid}/redact/", body).status_code == status

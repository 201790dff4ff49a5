"""What everybody learns of what waits: numbers to the nearest five, whole weeks, midnights."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import ProgrammingError, connections, transaction
from django.test import Client

from harmtracker import grants
from incidents import workflow
from incidents.choices import State, Verb
from incidents.models import Incident
from tests.rules import run

URL = "/api/v1/backlog/"
Draft = Callable[..., Incident]


def at(moment: datetime.datetime) -> dict[str, Any]:
    """The backlog as of any moment, which the database's owner alone may ask for."""
    return json.loads(run("SELECT incidents_backlog_at(%s)::text", [moment], using="owner")[0][0])


def in_days(days: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)


@pytest.fixture
def six(committed: None, draft: Draft) -> list[Incident]:
    """Six records of each kind, beside the three that are published."""
    return [draft(State.SUBMITTED) for _ in range(6)] + [draft(State.VERIFIED) for _ in range(6)]


def waiting(found: dict[str, Any]) -> list[int]:
    return [age["waiting"] for age in found["by_age"]]


def test_what_waits_by_age(six: list[Incident], people: SimpleNamespace) -> None:
    now = at(in_days(0))
    assert now["waiting"] == 10  # twelve
    assert waiting(now) == [10, 0, 0, 0]
    assert waiting(at(in_days(6.9))) == [10, 0, 0, 0]
    assert waiting(at(in_days(7.1))) == [0, 10, 0, 0]
    assert waiting(at(in_days(29.9))) == [0, 10, 0, 0]
    assert waiting(at(in_days(30.1))) == [0, 0, 10, 0]
    assert waiting(at(in_days(90.1))) == [0, 0, 0, 10]
    before = at(in_days(-0.5))
    assert (before["waiting"], waiting(before)) == (0, [0, 0, 0, 0])


def test_what_has_gone_on_since_waited_then(six: list[Incident], people: SimpleNamespace) -> None:
    (then,) = run("SELECT clock_timestamp()")[0]
    for incident in six[:5]:
        workflow.take_step(
            Verb.RETURN, incident_id=incident.pk, actor=people.verifier, reason="The date."
        )
    for incident in six[6:]:
        workflow.take_step(Verb.PUBLISH, incident_id=incident.pk, actor=people.verifier)
    workflow.take_step(Verb.SUBMIT, incident_id=six[0].pk, actor=people.researcher)
    assert at(then)["waiting"] == 10
    assert at(in_days(0))["waiting"] == 0  # two


def test_weeks_are_whole_and_each_record_counts_once(
    six: list[Incident], people: SimpleNamespace
) -> None:
    for incident in six:
        workflow.take_step(
            Verb.RETURN, incident_id=incident.pk, actor=people.verifier, reason="The date."
        )
        workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
    today = datetime.datetime.now(datetime.UTC)
    monday = (today - datetime.timedelta(days=today.weekday())).date().isoformat()
    for moment, is_there in ((in_days(0), False), (in_days(7), True), (in_days(7 * 14), False)):
        weeks = {week.pop("begins"): week for week in at(moment)["weeks"]}
        assert len(weeks) == 12
        assert (monday in weeks) is is_there
        if is_there:
            # Fifteen came in, of which nine were verified, and three published.
            assert weeks[monday] == {"came_in": 15, "verified": 10, "published": 5}


def test_a_median_is_of_five_records_at_least(six: list[Incident]) -> None:
    assert at(in_days(7))["median_days"] == {"to_verification": 0, "to_publication": None}


def test_everybody_gets_the_same_rounded_figures(
    six: list[Incident], client: Client, people: SimpleNamespace
) -> None:
    response = client.get(URL)
    assert response.status_code == 200
    found = response.json()
    # All of it is of today, and as of midnight there was nothing.
    assert (found["waiting"], found["rounded_to"]) == (0, 5)
    assert found["as_of"].endswith("T00:00:00.000000Z") or found["as_of"].endswith("T00:00:00Z")
    assert set(found) == {"as_of", "rounded_to", "waiting", "by_age", "weeks", "median_days"}
    again = client.get(URL, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert client.get(URL, {"at": "2024-01-01"}).status_code == 400
    assert client.get("/api/v1/").json()["links"]["backlog"].endswith(URL)


@pytest.mark.parametrize(
    ("alias", "statement"),
    [
        ("published", "SELECT incidents_backlog_at(now())"),
        ("published", "SELECT count(*) FROM incidents_waiting"),
        ("published", "SELECT count(*) FROM incidents_waitingcount"),
        ("published", "SELECT count(*) FROM incidents_review"),
        ("default", "SELECT incidents_backlog()"),
        ("default", "SELECT incidents_backlog_at(now())"),
    ],
)
def test_nobody_asks_for_more(three: None, alias: str, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(alias):
        run(statement, using=alias)


@pytest.mark.parametrize("alias", ["default", "published"])
def test_who_may_call_what_is_compared_at_start_up(committed: None, alias: str) -> None:
    role = connections[alias].get_connection_params()["user"]
    assert grants.differences(connections[alias], role) == []
    run("GRANT EXECUTE ON FUNCTION incidents_backlog_at(timestamptz) TO PUBLIC", using="owner")
    assert grants.differences(connections[alias], role) == [
        f"{role} may call incidents_backlog_at(timestamptz)"
    ]
    run("REVOKE EXECUTE ON FUNCTION incidents_backlog_at(timestamptz) FROM PUBLIC", using="owner")


@pytest.mark.parametrize(
    ("n", "rounded"), [(0, 0), (1, 0), (2, 0), (3, 5), (5, 5), (7, 5), (8, 10), (12, 10)]
)
@pytest.mark.django_db(databases=["owner"])
def test_to_the_nearest_five(n: int, rounded: int) -> None:
    assert run("SELECT incidents_to_five(%s::bigint)", [n], using="owner") == [(rounded,)]

"""No statement runs for ever, and a database that does not answer is a 503 with Retry-After."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import InternalError, OperationalError, connections
from django.test import Client

from harmtracker import checks, timeouts
from harmtracker.api import problems
from incidents.api.public import reading
from tests.running import server_process

pytestmark = pytest.mark.usefixtures("three")
LIST = "/api/v1/incidents/"


def shown(alias: str) -> list[str]:
    with connections[alias].cursor() as cursor:
        values = []
        for name in timeouts._NAMES:
            cursor.execute(f"SHOW {name}")
            values.append(cursor.fetchone()[0])
    return values


@pytest.mark.parametrize(
    ("alias", "values"), [("published", ["5s", "2s", "10s"]), ("default", ["30s", "5s", "1min"])]
)
def test_each_role_has_its_timeouts(alias: str, values: list[str]) -> None:
    assert shown(alias) == values


def test_an_export_may_take_longer_and_nothing_after_it() -> None:
    with timeouts.for_exports():
        assert shown("published") == ["30s", "2s", "10s"]
    assert shown("published") == ["5s", "2s", "10s"]


@pytest.mark.parametrize("alias", ["default", "published"])
@pytest.mark.parametrize("value", ["0", "60min"])
def test_the_server_does_not_start_as_a_role_without_them(
    monkeypatch: pytest.MonkeyPatch, settings: Any, alias: str, value: str
) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    options = connections[alias].settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "options", f"-c statement_timeout={value}")
    connections[alias].close()
    (refused,) = checks.refusals()
    assert "has no statement_timeout of" in refused
    assert "db roles" in refused


def test_a_locked_table_is_503_in_time(client: Client) -> None:
    with psycopg.connect(**_parameters("owner")) as owner:
        owner.execute("LOCK TABLE incidents_publishedincident IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        answer = client.get(LIST)
        took_s = time.monotonic() - started
        owner.rollback()
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unavailable"
    assert int(answer["Retry-After"]) > 0
    assert took_s < 6
    assert client.get(LIST).status_code == 200


def test_a_statement_that_takes_too_long_is_503(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly() -> int:
        with connections["published"].cursor() as cursor:
            # The role's own 5 s are shown above; nobody waits for them here.
            cursor.execute("SET statement_timeout = '100ms'")
            cursor.execute("SELECT pg_sleep(20)")
        return 0

    monkeypatch.setattr(reading, "position", slowly)
    answer = client.get(LIST)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    connections["published"].close()


@pytest.mark.usefixtures("committed")
def test_a_server_whose_connections_were_ended_answers_at_once(tmp_path: Path) -> None:
    with server_process(tmp_path, HARMTRACKER_RATE_ANONYMOUS="1000/min") as server:
        address = f"http://127.0.0.1:{server.port}{LIST}"
        for _ in range(3):
            for alias in ("default", "published"):
                with psycopg.connect(**_parameters(alias), autocommit=True) as other:
                    ended = other.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND usename = current_user "
                        "AND pid <> pg_backend_pid()"
                    ).fetchall()
                    assert ended
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.status == 200
                # Counted where all processes count, and not by this one for itself.
                assert answer.headers["RateLimit"]


@pytest.mark.parametrize("sqlstate", ["25P03", "25P04", "25006"])
def test_what_passes_is_503_whatever_class_its_error_has(sqlstate: str) -> None:
    error = InternalError("x")
    error.__cause__ = psycopg.errors.lookup(sqlstate)() if sqlstate != "25P04" else _Timed()
    try:
        raise error
    except InternalError as caught:
        problem = problems.of(caught)
    assert problem.slug == "unavailable"


class _Timed(psycopg.errors.InternalError):
    sqlstate = "25P04"


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/"])
def test_a_page_without_the_database_is_503(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("it is down")

    connections["default"].close()
    monkeypatch.setattr(connections["default"], "connect", refuse)
    client = Client(raise_request_exception=False)
    client.cookies["session"] = "x" * 32
    answer = client.get(path)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0


def _parameters(alias: str) -> dict[str, Any]:
    parameters = connections[alias].get_connection_params()
    wanted = ("host", "port", "user", "password", "dbname")
    return {name: value for name, value in parameters.items() if name in wanted}

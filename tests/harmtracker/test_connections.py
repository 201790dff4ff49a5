"""Connections that PostgreSQL ends, and clients that go: the next request is answered."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from incidents.exports.xlsx import MOST_AT_ONCE
from tests.clients import Api
from tests.running import Server, server_process

pytestmark = pytest.mark.usefixtures("committed")
PUBLIC = "/api/v1/incidents/?limit=1"
TEAM = "/api/v1/casework/incidents/"


def status(server: Server, path: str, bearer: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
        return int(answer.status)


def end_connections(alias: str) -> int:
    """End those of this role but our own; how many there were."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE "
            "usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_a_connection_that_was_ended_between_two_requests(
    tmp_path: Path, api: Callable[..., Api]
) -> None:
    bearer = api("researcher").bearer
    with server_process(tmp_path) as server:
        for _ in range(2):
            assert status(server, PUBLIC) == 200
            assert status(server, TEAM, bearer) == 200
            assert end_connections("published") >= 1
            assert end_connections("default") >= 1
        assert status(server, PUBLIC) == 200
        assert status(server, PUBLIC.replace("limit", "format=csv&fields=code&x")[:-4]) == 200
        assert status(server, TEAM, bearer) == 200


@pytest.mark.parametrize("form", ["xlsx", "csv", "parquet"])
def test_clients_that_go_away_take_no_place(tmp_path: Path, form: str) -> None:
    path = f"/api/v1/claims/?format={form}"
    with server_process(tmp_path) as server:
        for _ in range(3 * MOST_AT_ONCE):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
                time.sleep(0.01)
        time.sleep(1)
        assert status(server, path) == 200
    with connections["published"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'")
        assert cursor.fetchone() == (0,)

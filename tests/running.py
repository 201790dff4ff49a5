"""The server in a process of its own, as the product starts it, on this worker's database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connections

from harmtracker.serving import THREADS

ROOT = Path(__file__).parents[1]
STARTS_WITHIN_S = 60


class Server(NamedTuple):
    """Where a server listens, and its process."""

    port: int
    pid: int


@contextmanager
def server_process(captures: Path, *, workers: int = 1, **environment: str) -> Iterator[Server]:
    """A server that keeps copies below ``captures``; it answers when this begins.

    ``environment`` are variables besides those of the tests.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)),
            *(
                "--workers",
                str(workers),
                "--blocking-threads",
                str(THREADS),
                "--no-ws",
                "--log-level",
                "error",
            ),
            "harmtracker.wsgi:application",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "harmtracker.settings",
            "HARMTRACKER_IS_SERVER": "1",
            "HARMTRACKER_CAPTURES": str(captures),
            "HARMTRACKER_TOKEN_PEPPER": settings.HARMTRACKER_TOKEN_PEPPER,
            "DATABASE_URL": _address("default"),
            "DATABASE_PUBLIC_URL": _address("published"),
            **environment,
        },
    )
    try:
        _wait_for(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _address(alias: str) -> str:
    at = connections[alias].get_connection_params()
    if at["host"].startswith("/"):
        return f"postgresql://{at['user']}@/{at['dbname']}?host={at['host']}&port={at['port']}"
    return f"postgresql://{at['user']}:{at['password']}@{at['host']}:{at['port']}/{at['dbname']}"


def _wait_for(port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/", timeout=30).close()
        except OSError:
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.2)
        else:
            return

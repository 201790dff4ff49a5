"""Large bodies against the server as it runs: refused while they come, in flat memory."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from harmtracker.history.acting import acting
from sources.models import Article
from tests import builders
from tests.clients import Api
from tests.running import server_process
from tests.sources.files import PDF

MIB = 1024 * 1024


class Running(NamedTuple):
    """A server in a process of its own."""

    port: int
    pid: int
    bearer: str
    path: str

    def rss_kib(self) -> int:
        """Memory of the server and of its workers."""
        pids = [str(self.pid), *_children(self.pid)]
        lines = [
            line
            for pid in pids
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        ]
        return sum(int(line.split()[1]) for line in lines)

    def send(self, pieces: Iterator[bytes], **headers: str) -> tuple[int, dict[str, Any]]:
        """POST a body in chunks, or by its length where that is said; what the server answers."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            return self._sent(connection, pieces, headers)

    def _sent(
        self,
        connection: http.client.HTTPConnection,
        pieces: Iterator[bytes],
        headers: dict[str, str],
    ) -> tuple[int, dict[str, Any]]:
        connection.putrequest("POST", self.path)
        is_chunked = "Content-Length" not in headers
        headers |= {"Authorization": f"Bearer {self.bearer}"}
        headers |= {"Transfer-Encoding": "chunked"} if is_chunked else {}
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        try:
            for piece in pieces:
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)
            if is_chunked:
                connection.send(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.fixture
def running(
    committed: None, captures: Path, people: SimpleNamespace, api: Callable[..., Api]
) -> Iterator[Running]:
    with acting(people.researcher):
        article: Article = builders.article()
    bearer = api("researcher").bearer
    assert bearer is not None
    path = f"/api/v1/casework/articles/{article.uuid}/captures/"
    with server_process(captures) as started:
        yield Running(started.port, started.pid, bearer, path)


def pieces(count_mib: int, *, begin: bytes = PDF) -> Iterator[bytes]:
    yield begin
    for _ in range(count_mib):
        yield b"a" * MIB


FORM = (
    b'--zq\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n'
    b"Content-Type: application/pdf\r\n\r\n" + PDF
)
BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "raw": (PDF, {"Content-Type": "application/pdf"}),
    "form": (FORM, {"Content-Type": "multipart/form-data; boundary=zq"}),
    "json": (b'{"text":"', {"Content-Type": "application/json"}),
}


def test_200_mib_are_refused_while_they_come_in_flat_memory(
    running: Running, captures: Path
) -> None:
    # What is loaded at the first of each way is no growth.
    status, _ = running.send(pieces(40), **BODIES["raw"][1])
    assert status == 201
    running.send(iter([FORM + b"\r\n--zq--\r\n"]), **BODIES["form"][1])
    kept = sorted(path for path in captures.rglob("*") if path.is_file())
    before = running.rss_kib()
    for begin, headers in BODIES.values():
        for more in ({}, {"Content-Length": str(200 * MIB)}):
            start = time.monotonic()
            status, body = running.send(pieces(200, begin=begin), **headers, **more)
            assert (status, body["type"]) == (413, "/problems/too-large")
            assert time.monotonic() - start < 10  # 2 s on an idle machine
    assert running.rss_kib() - before < 20 * 1024
    assert sorted(path for path in captures.rglob("*") if path.is_file()) == kept

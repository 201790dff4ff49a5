"""Slow clients do not starve others: one thread works, the rest wait."""

from __future__ import annotations

import io
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from harmtracker.working import UPLOADS_AT_ONCE, Working
from tests.running import server_process

# The end of an answer looks after the connection that another test may have left open.
pytestmark = pytest.mark.django_db(databases=["default", "owner", "published"])

MEGABYTE = 1024 * 1024


class Application:
    """A WSGI application that remembers by which threads it was run."""

    def __init__(self, response: Callable[[dict[str, Any]], Any]) -> None:
        self.response = response
        self.threads: set[int] = set()
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.threads.add(threading.get_ident())
        response = self.response(environ)
        original = response.close

        def close() -> None:
            self.closed += 1
            self.threads.add(threading.get_ident())
            original()

        response.close = close
        start_response(f"{response.status_code} OK", list(response.items()))
        return response


def ask(working: Working, **environ: Any) -> tuple[str, bytes]:
    """Status and body, as a server has them; the body is closed."""
    status: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()} | environ
    body = working(environ, lambda line, headers: status.append(line))
    whole = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return status[0], whole


def test_every_request_is_worked_on_by_one_thread() -> None:
    application = Application(lambda environ: HttpResponse(b"whole"))
    working = Working(application)
    answers: list[tuple[str, bytes]] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(working))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [("200 OK", b"whole")] * 20
    assert len(application.threads) == 1
    assert application.closed == 20
    assert threading.get_ident() not in application.threads


def test_pieces_of_a_stream_are_made_by_that_thread_while_others_are_served() -> None:
    made_by: list[int] = []

    def pieces() -> Iterator[bytes]:
        for n in range(3):
            made_by.append(threading.get_ident())
            yield bytes([n])

    application = Application(
        lambda environ: (
            StreamingHttpResponse(pieces())
            if environ["PATH_INFO"] == "/stream"
            else HttpResponse(b"x")
        )
    )
    working = Working(application)
    body = working({"PATH_INFO": "/stream", "wsgi.input": io.BytesIO()}, lambda *line: None)
    slowly = iter(body)
    assert next(slowly) == b"\x00"
    # The client takes its time.
    assert len(made_by) == 1
    assert ask(working, PATH_INFO="/") == ("200 OK", b"x")
    assert b"".join(slowly) == b"\x01\x02"
    body.close()
    assert {*made_by, *application.threads} == {made_by[0]}
    assert application.closed == 2


def test_a_stream_that_is_given_up_is_closed() -> None:
    application = Application(lambda environ: StreamingHttpResponse(iter([b"x"] * 100)))
    body = Working(application)({"wsgi.input": io.BytesIO()}, lambda *line: None)
    next(iter(body))
    body.close()
    assert application.closed == 1


def test_what_goes_wrong_reaches_who_asked_and_the_thread_goes_on() -> None:
    def response(environ: dict[str, Any]) -> HttpResponse:
        if "fails" in environ:
            raise ZeroDivisionError
        return HttpResponse(b"x")

    working = Working(Application(response))
    with pytest.raises(ZeroDivisionError):
        ask(working, fails=True)
    assert ask(working) == ("200 OK", b"x")


class Slow(io.RawIOBase):
    """A body that does not come until it is let."""

    def __init__(self, body: bytes) -> None:
        self.comes = threading.Event()
        self.body = io.BytesIO(body)

    def read(self, size: int = -1) -> bytes:
        assert self.comes.wait(20)
        return self.body.read(size)


def echo(environ: dict[str, Any]) -> HttpResponse:
    return HttpResponse(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH", 0))))


@pytest.mark.parametrize("length", [5, MEGABYTE, MEGABYTE + 1])
def test_a_body_is_awaited_without_the_one_that_works(length: int) -> None:
    working = Working(Application(echo))
    slow, answers = Slow(b"x" * length), []
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(length), "wsgi.input": slow}
    thread = threading.Thread(target=lambda: answers.append(ask(working, **environ)))
    thread.start()
    assert ask(working) == ("200 OK", b"")
    slow.comes.set()
    thread.join()
    assert answers == [("200 OK", b"x" * length)]


def test_uploads_are_a_few_at_once() -> None:
    at_once, most = [0], [0]
    lock = threading.Lock()

    def response(environ: dict[str, Any]) -> HttpResponse:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.05)
        with lock:
            at_once[0] -= 1
        return HttpResponse()

    working = Working(Application(response))
    environ = {"REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked"}
    threads = [threading.Thread(target=lambda: ask(working, **environ)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == UPLOADS_AT_ONCE


@pytest.mark.parametrize("length", ["x", "-1", "", "9" * 30, "1.5"])
def test_a_length_that_is_none_is_no_fault_of_ours(length: str) -> None:
    assert ask(Working(Application(lambda _: HttpResponse(b"x"))), CONTENT_LENGTH=length)


@pytest.mark.usefixtures("committed")
def test_slow_clients_do_not_starve_others(tmp_path: Path) -> None:
    """Half a header, half a body, and an answer that is not read; then fifty others."""
    document = "/api/v1/incidents/MMR-2023-0001/"
    begun = {
        "header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ",
        "body": b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
        b"Cookie: csrf=abcdefghijklmnopqrstuvwxyzABCDEF\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=",
        "answer": f"GET {document} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 10,
    }
    with server_process(tmp_path) as server, ExitStack() as open_sockets:
        for start in begun.values():
            for _ in range(40):
                client = socket.create_connection(("127.0.0.1", server.port))
                open_sockets.enter_context(client)
                client.sendall(start)
        time.sleep(0.5)
        took = []
        for _ in range(50):
            started = time.monotonic()
            address = f"http://127.0.0.1:{server.port}{document}"
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.status == 200
            took.append(time.monotonic() - started)
    assert sorted(took)[47] < 1

"""One thread of each process works; the others wait for slow clients.

A thread that reads a body as it dribbles in, or writes an export to a slow line, does nothing for
anybody else, and there may be hundreds. So the server has many threads, which hold no connection to
the database, and each hands its request to the one that has them. A stream is asked for one piece
after another: between two pieces the worker serves others.

Bodies that are no larger than a form are awaited before they are handed over. Larger ones, which
are uploads, are worked on by the thread that reads them, a few at once.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Any

from django.conf import settings
from django.http import HttpResponse

Environ = dict[str, Any]
UPLOADS_AT_ONCE = 4


class _Job:
    """Something to be done by the worker, and how it ended."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.done = threading.Lock()
        self.done.acquire()
        self.result: Any = None
        self.error: BaseException | None = None


class Worker:
    """A thread that does one thing after another, for whoever waits for it."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        threading.Thread(target=self._work, name="worker", daemon=True).start()

    def do(self, work: Callable[[], Any]) -> Any:
        job = _Job(work)
        self._jobs.put(job)
        job.done.acquire()
        if job.error is not None:
            raise job.error
        return job.result

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job.result = job.work()
            except BaseException as error:
                job.error = error
            job.done.release()
            del job


class _Stream:
    """A body that comes in pieces, each made by the worker when the client has taken the last."""

    def __init__(self, do: Callable[[Callable[[], Any]], Any], body: Any) -> None:
        self._do = do
        self._body = body
        self._pieces = iter(body)

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._do(lambda: next(self._pieces, None))) is not None:
            # An empty one says that the next takes long: others have their turn.
            if piece:
                yield piece

    def close(self) -> None:
        if hasattr(self._body, "close"):
            self._do(self._body.close)


def _whole(stream: Any, length: int) -> io.BytesIO:
    """The body, or as much of it as comes."""
    body = io.BytesIO()
    while (missing := length - body.tell()) and (piece := stream.read(missing)):
        body.write(piece)
    body.seek(0)
    return body


class Working:
    """A WSGI application that is run by one thread."""

    def __init__(self, application: Callable[[Environ, Any], Any]) -> None:
        self._application = application
        self._worker: Worker | None = None
        self._begins = threading.Lock()
        self._uploads = threading.BoundedSemaphore(UPLOADS_AT_ONCE)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        # Files are sent as other streams are.
        environ.pop("wsgi.file_wrapper", None)
        if self._is_upload(environ):
            with self._uploads:
                return self._answer(environ, start_response, lambda work: work())
        if length := int(environ.get("CONTENT_LENGTH") or 0):
            environ["wsgi.input"] = _whole(environ["wsgi.input"], length)
        return self._answer(environ, start_response, self._do)

    @staticmethod
    def _is_upload(environ: Environ) -> bool:
        length = environ.get("CONTENT_LENGTH") or "0"
        return (
            "HTTP_TRANSFER_ENCODING" in environ
            or not length.isdecimal()
            or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        )

    def _do(self, work: Callable[[], Any]) -> Any:
        if self._worker is None:
            with self._begins:
                self._worker = self._worker or Worker()
        return self._worker.do(work)

    def _answer(
        self, environ: Environ, start_response: Any, do: Callable[[Callable[[], Any]], Any]
    ) -> Iterable[bytes]:
        started: list[Any] = []

        def begin() -> Any:
            body = self._application(environ, lambda *line: started.extend(line))
            if not isinstance(body, HttpResponse):
                return _Stream(do, body)
            pieces = list(body)
            body.close()
            return pieces

        answer: Iterable[bytes] = do(begin)
        start_response(started[0], started[1])
        return answer

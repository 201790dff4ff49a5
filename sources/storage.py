"""Where stored copies lie: each file is named by the SHA-256 of its bytes, and never changes.

``captures/ab/cd/<64 hex>``, folders for their owner alone, files read-only. A copy comes in as a
temporary file that is hashed, counted and judged while it is written, made durable, and then linked
to its name. A crash leaves at worst such a temporary file, which nobody holds locked any more and
which the next copy that comes in, or ``manage.py verify_captures``, removes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Protocol

from django.conf import settings

from harmtracker.errors import Invalid
from harmtracker.limits import LARGEST_FILE
from sources.media import Judge, Judged

MAX_BYTES = LARGEST_FILE
PIECE_BYTES = 64 * 1024
_NAME = re.compile(r"[0-9a-f]{64}")


class TooLarge(Invalid):
    """More bytes came than one copy may have."""

    def __init__(self) -> None:
        message = f"A file has at most {MAX_BYTES // 1024 // 1024} MiB."
        super().__init__(message, fields={"file": [message]})


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _root() -> Path:
    return Path(settings.HARMTRACKER_CAPTURES)


def _incoming() -> Path:
    return _root() / "incoming"


def path_of(sha256: str) -> Path:
    """Where the copy with this hash lies, if it is there."""
    if not _NAME.fullmatch(sha256):
        raise ValueError("A SHA-256 is 64 hexadecimal digits, lower case.")
    return _root() / sha256[:2] / sha256[2:4] / sha256


def _make_folder(path: Path) -> None:
    """A folder for its owner alone, on disk before anything is put into it."""
    if path.is_dir():
        return
    _make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_file() -> tuple[Path, int]:
    """A temporary file, held locked for as long as somebody is at work on it."""
    _make_folder(_incoming())
    while True:
        path = _incoming() / secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Before it was locked, somebody may have taken it for one that was left behind.
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)


class Incoming:
    """A copy on its way in. :meth:`write` all of it, :meth:`finish`, then :meth:`keep` it.

    Used as a context, it leaves nothing behind but what was kept.
    """

    def __init__(self, *, as_text: bool = False) -> None:
        clear_unfinished()
        self._path, descriptor = _new_file()
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._digest = hashlib.sha256()
        self._judge = Judge(as_text=as_text)
        self._judged: Judged | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """The next bytes. Raises :class:`TooLarge`, or :class:`Invalid` for what is not taken."""
        self.size += len(data)
        if self.size > MAX_BYTES:
            raise TooLarge
        self._judge.take(data)
        self._digest.update(data)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def finish(self) -> None:
        """All bytes are there: judge them and have them on disk. Raises :class:`Invalid`."""
        self._judged = self._judge.verdict()
        os.fsync(self._file.fileno())

    @property
    def judged(self) -> Judged:
        if self._judged is None:
            raise ValueError("The copy has not come in wholly yet.")
        return self._judged

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def keep(self) -> None:
        """Link the copy to its name; where the same bytes lie there already, they stay."""
        if self._judged is None:
            raise ValueError("The copy has not come in wholly yet.")
        final = path_of(self.sha256)
        _make_folder(final.parent)
        try:
            os.link(self._path, final)
        except FileExistsError:
            return
        _sync_folder(final.parent)

    def discard(self) -> None:
        """Remove the temporary file; what was kept stays."""
        if not self._file.closed:
            self._path.unlink(missing_ok=True)
            self._file.close()

    def __enter__(self) -> Incoming:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()


def receive(stream: Readable, *, as_text: bool = False) -> Incoming:
    """Read a stream to its end, a piece at a time. Raises as :meth:`Incoming.write` does."""
    incoming = Incoming(as_text=as_text)
    try:
        while data := stream.read(PIECE_BYTES):
            incoming.write(data)
        incoming.finish()
    except BaseException:
        incoming.discard()
        raise
    return incoming


def open_copy(sha256: str) -> BufferedReader:
    """The bytes of a stored copy. Raises :class:`FileNotFoundError`."""
    return path_of(sha256).open("rb")


def rehash(sha256: str) -> str | None:
    """What is wrong with the copy of this name, in words; None where it is as it was."""
    try:
        with open_copy(sha256) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "the file is missing"
    except OSError as error:
        return f"the file cannot be read ({error.strerror})"
    return None if found == sha256 else f"its bytes have changed: they hash to {found}"


def files() -> Iterator[Path]:
    """Every file below the folder but those that are coming in, in order."""
    for folder, folders, names in os.walk(_root()):
        if Path(folder) == _root() and "incoming" in folders:
            folders.remove("incoming")
        folders.sort()
        for name in sorted(names):
            yield Path(folder) / name


def clear_unfinished() -> int:
    """Remove the temporary files that nobody is at work on; how many there were."""
    removed = 0
    try:
        left = list(os.scandir(_incoming()))
    except FileNotFoundError:
        return 0
    for entry in left:
        try:
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(entry.path)
            removed += 1
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return removed

"""Stored copies: named by their bytes, once, whole or not at all, in flat memory."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harmtracker.errors import Invalid
from sources import storage
from tests.sources.files import PDF, REFUSED, TAKEN

ROOT = Path(__file__).parents[2]


def stored(content: bytes) -> Path:
    with storage.receive(io.BytesIO(content)) as incoming:
        incoming.keep()
    return storage.path_of(hashlib.sha256(content).hexdigest())


def every_file(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_copy_is_named_by_its_hash_and_readable_by_its_owner_alone(captures: Path) -> None:
    path = stored(PDF)
    name = hashlib.sha256(PDF).hexdigest()
    assert path == captures / name[:2] / name[2:4] / name
    assert path.read_bytes() == PDF
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    for folder in [captures, *path.relative_to(captures).parents]:
        assert stat.S_IMODE((captures / folder).stat().st_mode) == 0o700
    assert every_file(captures) == [path]


def test_equal_bytes_are_one_file(captures: Path) -> None:
    first = stored(PDF)
    inode = first.stat().st_ino
    assert stored(PDF) == first
    assert first.stat().st_ino == inode
    assert every_file(captures) == [first]


def test_many_at_once_store_one_file_and_leave_nothing_else(captures: Path) -> None:
    contents = [PDF, *(content for content, *_ in TAKEN.values())] * 3
    threads = [threading.Thread(target=stored, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.read_bytes() for path in every_file(captures)} == set(contents)
    assert len(every_file(captures)) == len(set(contents))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_nothing(captures: Path, name: str) -> None:
    with pytest.raises(Invalid):
        storage.receive(io.BytesIO(REFUSED[name]))
    assert every_file(captures) == []


def test_a_byte_too_many_is_refused(captures: Path) -> None:
    class Endless:
        given = 0

        def read(self, size: int, /) -> bytes:
            self.given += size
            return b"a" * size

    endless = Endless()
    with pytest.raises(storage.TooLarge):
        storage.receive(endless)
    assert endless.given <= storage.MAX_BYTES + storage.PIECE_BYTES
    assert every_file(captures) == []
    whole = stored(PDF.ljust(storage.MAX_BYTES))
    assert whole.stat().st_size == storage.MAX_BYTES


def test_what_breaks_off_leaves_nothing(captures: Path) -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            if self.__dict__.setdefault("read_once", False):
                raise ConnectionError
            self.read_once = True
            return b"a" * size

    with pytest.raises(ConnectionError):
        storage.receive(Broken())
    assert every_file(captures) == []


INTERRUPTED = """
import io, os, sys
from django.conf import settings
settings.configure(HARMTRACKER_CAPTURES=sys.argv[1])
from sources import storage
incoming = storage.Incoming()
incoming.write(b"a" * 100_000)
print("written", flush=True)
sys.stdin.read()
"""


def test_a_crash_leaves_a_temporary_file_that_the_next_copy_clears_away(captures: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(captures)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    (left,) = every_file(captures)
    # Somebody is at work on it still.
    assert storage.clear_unfinished() == 0
    assert left.exists()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert left.exists()
    kept = stored(PDF)
    assert every_file(captures) == [kept]


def test_a_symlink_where_copies_come_in_is_not_followed(captures: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("stays")
    stored(PDF)
    (captures / "incoming" / "link").symlink_to(victim)
    storage.clear_unfinished()
    assert victim.read_text() == "stays"


@pytest.mark.parametrize("name", ["../../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 65, "/x"])
def test_nothing_but_a_hash_is_a_path(captures: Path, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        storage.path_of(name)


MEASURED = """
import io, os, resource, sys
from django.conf import settings
settings.configure(HARMTRACKER_CAPTURES=sys.argv[1])
from sources import storage

class Zeros:
    left = 49 * 1024 * 1024
    def read(self, size):
        size = min(size, self.left)
        self.left -= size
        return b"a" * size

with storage.receive(io.BytesIO(b"x")) as incoming:
    incoming.keep()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with storage.receive(Zeros()) as incoming:
    incoming.keep()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat_while_a_large_copy_comes_in(captures: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(captures)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 10 * 1024  # KiB

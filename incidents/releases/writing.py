"""Files that are hashed while they are written, and are on the disk when they are closed."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Written:
    size: int
    sha256: str


class Sink(io.RawIOBase):
    """One file. Only its end is ever written to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("xb")
        self._hash = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._hash.update(data)
        self._file.write(data)
        length = memoryview(data).nbytes
        self._size += length
        return length

    def tell(self) -> int:
        return self._size

    def close(self) -> None:
        if not self.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        super().close()

    def written(self) -> Written:
        return Written(self._size, self._hash.hexdigest())


@dataclass
class Folder:
    """The folder that a build is written to, and what was written there so far, by path."""

    path: Path
    files: dict[str, Written] = field(default_factory=dict)

    @contextmanager
    def open(self, path: str) -> Iterator[Sink]:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with Sink(target) as sink:
            yield sink
        self.files[path] = sink.written()

    def put(self, path: str, pieces: Iterable[bytes]) -> None:
        with self.open(path) as sink:
            for piece in pieces:
                sink.write(piece)

    def size(self, below: str = "") -> int:
        return sum(f.size for path, f in self.files.items() if path.startswith(below))


def measured(path: Path) -> Written | None:
    """What a file is on the disk; None where there is none."""
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError:
        return None
    return Written(size, digest.hexdigest())

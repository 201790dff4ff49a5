"""A CSV file read row by row, each with the very bytes it stands in; never whole in memory."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# A longer line is no row of anybody's dataset. Its beginning is kept, and the rest passed over.
MAX_LINE = 1 << 20
KEPT_OF_A_LONG_LINE = 1 << 16
# A field that is opened and never closed would take in the rest of the file.
MAX_LINES_OF_A_ROW = 1000
# Python's own limit, said here since a library may have lifted it for the whole process.
MAX_FIELD = 131_072
BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class CsvRow:
    """One row. ``fault`` says why it has no ``values``; a byte that is no UTF-8 is a surrogate."""

    line: int
    original: bytes
    values: tuple[str, ...] = ()
    fault: str = ""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


class _Lines:
    """The lines of a file, which can be put back, and a list of those that were just taken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting: deque[bytes] = deque()
        self.taken: list[bytes] = []
        self.number = 0
        self.is_too_long = False

    def __iter__(self) -> Iterator[str]:
        while line := self._next():
            self.taken.append(line)
            self.number += 1
            if self.is_too_long or len(self.taken) > MAX_LINES_OF_A_ROW:
                raise csv.Error("it is too long for a row")
            if self.number == 1:
                line = line.removeprefix(_BOM)
            yield line.decode("utf-8", "surrogateescape")

    def _next(self) -> bytes:
        self.is_too_long = False
        if self._waiting:
            return self._waiting.popleft()
        line = self._file.readline(MAX_LINE)
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            self.is_too_long = True
            while rest := self._file.readline(MAX_LINE):
                if rest.endswith(b"\n"):
                    break
            return line[:KEPT_OF_A_LONG_LINE]
        return line

    def put_back_but_first(self) -> None:
        """Of a row that cannot be read: its first line is lost, the others may begin rows."""
        self.number -= len(self.taken) - 1
        self._waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def read(file: BinaryIO) -> Iterator[CsvRow]:
    """The rows of a CSV file in UTF-8, the header first; empty lines are left out."""
    lines = _Lines(file)
    width = 0
    while True:
        reader = csv.reader(iter(lines), strict=True)
        while True:
            lines.taken.clear()
            line = lines.number + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                lines.put_back_but_first()
                yield CsvRow(line, lines.taken[0], fault=f"The row cannot be read as CSV: {error}.")
                break  # the reader is in the middle of a row: take another
            original = b"".join(lines.taken)
            width = width or len(values)
            if not values:
                continue
            if any(len(value) > MAX_FIELD for value in values):
                yield CsvRow(line, original, fault="A field is too long for a row.")
            elif len(values) != width:
                yield CsvRow(
                    line,
                    original,
                    fault=f"The row has {len(values)} fields and the header {width}.",
                )
            else:
                yield CsvRow(line, original, tuple(values))


def values_of(original: bytes) -> tuple[str, ...]:
    """The fields of a stored row."""
    text = original.removeprefix(_BOM).decode("utf-8", "surrogateescape")
    # Lines end where those of the file do: U+2028 and the like stand inside of fields.
    return tuple(next(csv.reader(io.StringIO(text, newline="\n"), strict=True)))

"""XLSX: a sheet of rows, and a sheet that says what they are.

The file is a zip whose directory stands at its end, so that it is written whole, in a folder of its
own that goes with it, before its first byte is sent. That can take minutes: while it is written the
answer comes in empty pieces, between which the thread that works serves others.
"""

from __future__ import annotations

import datetime
import json
import tempfile
import threading
import weakref
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import xlsxwriter

from harmtracker.errors import Invalid

from . import batches, selecting
from .about import About
from .columns import DAY, Column
from .selecting import Asked

# Excel's own limits.
MOST_ROWS = 1_048_576 - 1
MOST_CHARACTERS = 32_767
# Of rows as JSON: what stands on the disk at a time follows from it.
MOST_BYTES = 512 * 1024 * 1024
# What is said in a cell of a text that is longer than a cell may be.
CUT = " [... cut: {} characters; CSV has them all]"
# Files that one process writes at a time: each takes room on the disk.
MOST_AT_ONCE = 4
# Rows between two empty pieces, and how long the end of a file is waited for between two.
_ROWS_AT_ONCE = 200
_WAIT_S = 0.01
_FIRST_YEAR = 1900
_BLOCK = 256 * 1024
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
_MORE_TO_COME = b""
_being_written = threading.BoundedSemaphore(MOST_AT_ONCE)
TOO_MUCH = "More than an XLSX file can hold here: narrow the filters, or take format=csv."


def check(asked: Asked) -> None:
    """Raise :class:`Invalid` where there are more rows than Excel has."""
    if selecting.count(asked, MOST_ROWS + 1) > MOST_ROWS:
        raise Invalid(f"An XLSX sheet has {MOST_ROWS:,} rows at most. {TOO_MUCH}")


class Busy(Exception):
    """As many files are being written as may be."""


def xlsx(asked: Asked, about: About) -> File:
    """The file in pieces, empty ones while it is written.

    Raises :class:`Invalid` where there are more rows than Excel has, and :class:`Busy`.
    """
    check(asked)
    if not _being_written.acquire(blocking=False):
        raise Busy
    return File(asked, about)


class File:
    """A file that is written when it is read. It has a place among those that are until closed."""

    def __init__(self, asked: Asked, about: About) -> None:
        # Once, whether it is closed or lost.
        self._leave = weakref.finalize(self, _being_written.release)
        self._pieces = _pieces(asked, about)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._pieces.close()
        self._leave()


def _pieces(asked: Asked, about: About) -> Generator[bytes, None, None]:
    with tempfile.TemporaryDirectory(prefix="harmtracker-xlsx-") as folder:
        path = Path(folder) / "export.xlsx"
        yield from _write(path, asked, about, folder)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block


def _write(path: Path, asked: Asked, about: About, folder: str) -> Iterator[bytes]:
    book = xlsxwriter.Workbook(str(path), {**_OPTIONS, "tmpdir": folder})
    try:
        yield from _filled(book, asked, about)
    except BaseException:
        # Nobody reads on, or the database does not answer: what was begun is not put together.
        for sheet in book.worksheets():
            sheet.row_data_fh.close()
        raise


def _filled(book: Any, asked: Asked, about: About) -> Iterator[bytes]:
    book.set_properties(
        {
            "title": f"harmtracker {about.list}",
            "comments": about.citation,
            # Not today: the same rows give the same file.
            "created": _moment(about.moment),
        }
    )
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet(about.list)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(asked.columns):
        sheet.write_string(0, place, column.name, bold)
    cut = yield from _rows(sheet, asked, days)
    _about(book.add_worksheet("About"), asked, about, cut, bold)
    yield from _closed(book)


def _closed(book: Any) -> Iterator[bytes]:
    """Put the file together, which reads and compresses all of it, in a thread of its own."""
    failed: list[BaseException] = []

    def close() -> None:
        try:
            book.close()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=close, name="xlsx")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_WAIT_S)
            yield _MORE_TO_COME
    finally:
        # Nobody reads on: the folder goes when the thread has done with it.
        thread.join()
    if failed:
        raise failed[0]


def _moment(text: str | None) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text or "2000-01-01T00:00:00+00:00")
    return moment.astimezone(datetime.UTC).replace(tzinfo=None)


def _rows(sheet: Any, asked: Asked, days: Any) -> Generator[bytes, None, int]:
    """Write all rows; how many cells were cut."""
    number = size = cut = 0
    for batch in batches.texts(
        asked, lambda after, limit: selecting.objects(asked, after, limit, is_neutral=True)
    ):
        size += batch.size
        if size > MOST_BYTES:
            raise Invalid(TOO_MUCH)
        for row in batch.rows:
            number += 1
            values = json.loads(row)
            for place, column in enumerate(asked.columns):
                cut += _cell(sheet, number, place, column, values[column.name], days)
            if number % _ROWS_AT_ONCE == 0:
                yield _MORE_TO_COME
    return cut


def _cell(sheet: Any, row: int, place: int, column: Column, value: Any, days: Any) -> int:
    """Write a cell by what it is; 1 where it was cut."""
    if value is None:
        return 0
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, place, value)
    elif column.kind == DAY and int(value[:4]) >= _FIRST_YEAR and len(value) == 10:
        sheet.write_datetime(row, place, datetime.date.fromisoformat(value), days)
    elif _length(value) > MOST_CHARACTERS:
        note = CUT.format(len(value))
        sheet.write_string(row, place, _beginning(value, MOST_CHARACTERS - len(note)) + note)
        return 1
    else:
        sheet.write_string(row, place, value)
    return 0


def _length(text: str) -> int:
    """As Excel counts: what lies beyond U+FFFF is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _beginning(text: str, most: int) -> str:
    """As much of a text as has so many characters for Excel."""
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


def _about(sheet: Any, asked: Asked, about: About, cut: int, bold: Any) -> None:
    licence = about.members()["licence"]
    lines = [
        ("List", about.list),
        ("Filter", about.filters or "none"),
        ("Ledger position", str(about.position)),
        ("As of", about.moment or ""),
        ("Address", about.address),
        ("Licence", f"{licence['name']}, {licence['url']}, name {licence['attribution']}"),
        ("Licence of single records", about.members()["licence_note"]),
        ("Citation", about.citation),
        ("Empty cells", "Not known. 0 is that a source says none."),
        (
            "Apostrophes",
            "A text that starts like a formula, or with one, has one more.",
        ),
        ("Cut cells", str(cut)),
    ]
    number = 0
    for name, value in lines:
        sheet.write_string(number, 0, name, bold)
        sheet.write_string(number, 1, value[:MOST_CHARACTERS])
        number += 1
    number += 1
    for row in [("column", "type", "unit", "meaning", "HXL")] + [
        tuple(column.described().values()) for column in asked.columns
    ]:
        for place, text in enumerate(row):
            sheet.write_string(number, place, text)
        number += 1

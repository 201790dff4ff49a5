"""XLSX: a sheet of rows, and a sheet that says what they are.

The file is a zip whose directory stands at its end, so that it is written whole before the answer
begins: in a folder of its own that goes with it.
"""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

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
_FIRST_YEAR = 1900
_BLOCK = 256 * 1024
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
TOO_MUCH = "More than an XLSX file can hold here: narrow the filters, or take format=csv."


def check(asked: Asked) -> None:
    """Raise :class:`Invalid` where there are more rows than Excel has."""
    if selecting.count(asked, MOST_ROWS + 1) > MOST_ROWS:
        raise Invalid(f"An XLSX sheet has {MOST_ROWS:,} rows at most. {TOO_MUCH}")


def xlsx(asked: Asked, about: About) -> Iterable[bytes]:
    """The file in blocks. It is written when this is called, not when it is read."""
    check(asked)
    folder = tempfile.TemporaryDirectory(prefix="harmtracker-xlsx-")
    with folder as name:
        path = Path(name) / "export.xlsx"
        _write(path, asked, about, name)
        # Open: it is gone from the folder with it, and from the disk when it is closed.
        file = path.open("rb")
    return _Blocks(file)


class _Blocks:
    """A file in blocks, closed when the answer is over, read or not."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(_BLOCK):
            yield block

    def close(self) -> None:
        self._file.close()


def _write(path: Path, asked: Asked, about: About, folder: str) -> None:
    with xlsxwriter.Workbook(str(path), {**_OPTIONS, "tmpdir": folder}) as book:
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
        cut = _rows(sheet, asked, days)
        _about(book.add_worksheet("About"), asked, about, cut, bold)


def _moment(text: str | None) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text or "2000-01-01T00:00:00+00:00")
    return moment.astimezone(datetime.UTC).replace(tzinfo=None)


def _rows(sheet: Any, asked: Asked, days: Any) -> int:
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
    elif len(value) > MOST_CHARACTERS:
        note = CUT.format(len(value))
        sheet.write_string(row, place, value[: MOST_CHARACTERS - len(note)] + note)
        return 1
    else:
        sheet.write_string(row, place, value)
    return 0


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

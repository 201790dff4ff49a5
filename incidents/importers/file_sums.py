"""What the file itself sums to, read from the stored bytes of its rows, refused ones included.

Beside it stands what became claims of records (:func:`incidents.importers.reviewing.by_year`), read
by another way: where the two differ, the difference wants a reason.
"""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Max

from incidents.models import ImportBatch, ImportedRow

from .csv_rows import values_of
from .reviewing import by_year

# What a sum is called -> the column of the file.
COLUMNS = {"low": "low", "best": "best", "high": "high", "civilians": "deaths_civilians"}
NAMES = ("events", *COLUMNS)
YEAR = "year"


def of_the_file(batch: ImportBatch) -> dict[str, dict[str, int]]:
    """Year as it stands in the file -> rows, and the sums of figures that are whole numbers.

    Stored rows never change, so that they are read again only where some were added.
    """
    last = ImportedRow.objects.filter(batch=batch).aggregate(last=Max("pk"))["last"]
    return {} if last is None else _sums_up_to(batch.uuid, last)


@lru_cache(maxsize=8)
def _sums_up_to(batch_uuid: uuid.UUID, last: int) -> dict[str, dict[str, int]]:
    batch = ImportBatch.objects.get(uuid=batch_uuid)
    at = {name: place for place, name in enumerate(batch.columns)}
    years: dict[str, dict[str, int]] = {}
    for cells in _rows(batch, last):
        year = _readable(_cell(cells, at, YEAR))
        sums = years.setdefault(year or "none", dict.fromkeys(NAMES, 0))
        sums["events"] += 1
        for name, column in COLUMNS.items():
            text = _cell(cells, at, column)
            if text.isascii() and text.isdecimal() and len(text) < 10:
                sums[name] += int(text)
    return years


def _rows(batch: ImportBatch, last: int) -> Iterator[Sequence[str]]:
    stored = ImportedRow.objects.filter(batch=batch, pk__lte=last).exclude(outcome="unchanged")
    for original in stored.values_list("original", flat=True).iterator(chunk_size=500):
        yield _values(bytes(original))


def cells_of(original: bytes) -> Sequence[str]:
    """The cells of a row as they stand in the file; none where it cannot be read. What is no UTF-8
    shows as U+FFFD."""
    return [_readable(cell) for cell in _values(original)]


def _values(original: bytes) -> Sequence[str]:
    try:
        return values_of(original)
    except (csv.Error, StopIteration):
        return ()


def _readable(cell: str) -> str:
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _cell(cells: Sequence[str], at: dict[str, int], column: str) -> str:
    place = at.get(column)
    return cells[place].strip() if place is not None and place < len(cells) else ""


def beside(batch: ImportBatch) -> list[dict[str, Any]]:
    """By year, and at last over all: each sum of the file, of the records, and whether they
    differ."""
    theirs = of_the_file(batch)
    ours = {str(row["year"]): row for row in by_year(batch)}
    lines = [
        _line(year, theirs.get(year, {}), ours.get(year, {})) for year in sorted({*theirs, *ours})
    ]
    whole = _line("all", _added(theirs.values()), _added(ours.values()))
    return [*lines, whole]


def _added(rows: Any) -> dict[str, int]:
    rows = list(rows)
    return {name: int(sum(row.get(name) or 0 for row in rows)) for name in (*NAMES, "unbounded")}


def _line(year: str, theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    pairs = [(name, int(theirs.get(name) or 0), int(ours.get(name) or 0)) for name in NAMES]
    return {
        "year": year,
        "pairs": [
            {"name": name, "file": one, "records": other, "differs": one != other}
            for name, one, other in pairs
        ],
        "unbounded": int(ours.get("unbounded") or 0),
    }

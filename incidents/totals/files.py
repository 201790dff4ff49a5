"""Totals as tables: a row for each outcome of a group, the whole first."""

from __future__ import annotations

import csv
import datetime
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from incidents.exports.cells import neutralised
from incidents.exports.columns import CODE, FLAG, TEXT, WHOLE, Column
from incidents.models.tally_sums import SIDE_BY_SIDE

from .answers import REASONS, Answer, Figures, Group
from .grouping import BUCKET
from .sums import FIGURES

_MEANINGS = {
    "min": "At least so many persons. Empty: not known.",
    "best": "Most likely so many. Empty: not every incident has one.",
    "max": "At most so many. Empty: open, or not known.",
    "at_least": "Whether the maximum is open.",
    "incidents": "Incidents that have a figure here.",
    "without_best": "Of these, how many have no best figure.",
}
_TYPES = {TEXT: pa.string(), CODE: pa.string(), WHOLE: pa.int64(), FLAG: pa.bool_()}


@dataclass(frozen=True)
class Table:
    """Rows with what they are of."""

    columns: tuple[Column, ...]
    rows: list[list[Any]]
    about: Mapping[str, Any]


def table(
    answer: Answer, labels: Mapping[str, Mapping[str, str]], about: Mapping[str, Any]
) -> Table:
    """``labels`` are by grouping and value; ``about`` says what the answer is."""
    buckets = _buckets(answer)
    columns = tuple(_columns(answer, labels, buckets))
    rows = [*_rows(answer, answer.whole, labels, buckets, is_whole=True)]
    for group in answer.groups:
        rows += _rows(answer, group, labels, buckets, is_whole=False)
    return Table(columns, rows, about)


def _buckets(answer: Answer) -> list[str]:
    from_figures = {
        bucket
        for group in (answer.whole, *answer.groups)
        for figures in group.figures.values()
        for bucket in figures.buckets
    }
    return [*SIDE_BY_SIDE, *sorted(from_figures - {*SIDE_BY_SIDE})]


def _columns(
    answer: Answer, labels: Mapping[str, Mapping[str, str]], buckets: Sequence[str]
) -> Iterator[Column]:
    yield Column("of", CODE, "total: of all incidents found, each once; group: of one group.")
    for name in answer.asked.groupings:
        if name != "outcome":
            yield Column(name, TEXT, "What the group is of. Empty: not known, none, or the rest.")
        if name in labels:
            yield Column(f"{name}_label", TEXT, "The same in words.")
    yield Column("outcome", CODE, "Code list outcome. Empty: nobody is counted.")
    yield Column("incidents", WHOLE, "Incidents of the group, the same in each of its rows.")
    yield Column("could_move", WHOLE, "Of these, how many need not lie in the period.")
    yield Column("undated", WHOLE, "Of these, how many have no known date.")
    yield Column("shared", WHOLE, "Of these, how many stand under another value too.")
    yield Column("either_or", WHOLE, "Of these, to how many it applies as an alternative.")
    yield Column("from_parts", WHOLE, "Incidents whose civilian or uncertain figure is from parts.")
    for bucket in buckets:
        for name in FIGURES:
            yield Column(
                f"{bucket}_{name}",
                FLAG if name == "at_least" else WHOLE,
                f"{bucket}: {_MEANINGS[name]}",
                unit="" if name in ("at_least", "incidents", "without_best") else "persons",
            )
    for reason in REASONS:
        yield Column(f"left_out_{reason}", WHOLE, f"Records found that are out as {reason}.")


def _rows(
    answer: Answer,
    group: Group,
    labels: Mapping[str, Mapping[str, str]],
    buckets: Sequence[str],
    *,
    is_whole: bool,
) -> Iterator[list[Any]]:
    asked = answer.asked
    start: list[Any] = ["total" if is_whole else "group"]
    for place, name in enumerate(asked.groupings):
        value = None if is_whole else group.key[place]
        if name != "outcome":
            start.append(value)
        if name in labels:
            start.append(None if value is None else labels[name].get(value, value))
    counts = [
        group.incidents,
        group.could_move if asked.is_dated else None,
        group.undated,
        group.shared if asked.several else None,
        group.either_or if asked.several else None,
    ]
    out = [answer.left_out[reason] if is_whole else None for reason in REASONS]
    nothing = (None,) * len(FIGURES)
    nobody: Figures = Figures((), ())
    outcomes: list[tuple[str | None, Figures]] = [*group.figures.items()]
    for outcome, figures in outcomes or [(None, nobody)]:
        own = [
            value
            for bucket in buckets
            for value in (
                nothing
                if BUCKET in asked.groupings and bucket not in figures.buckets
                else figures.of(bucket)
            )
        ]
        yield [*start, outcome, *counts, group.from_parts.get(outcome or "", 0), *own, *out]


def as_csv(table: Table, *, with_bom: bool) -> Iterator[bytes]:
    """What the figures are of stands in each row, so that it goes where the rows go."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    extra = ["position", "moment", "query", "citation"]
    writer.writerow([*(column.name for column in table.columns), *extra])
    tail = [_cell(table.about[name]) for name in extra]
    for row in table.rows:
        writer.writerow([*map(_cell, row), *tail])
    yield (b"\xef\xbb\xbf" if with_bom else b"") + file.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return neutralised(value) if isinstance(value, str) else value


def as_parquet(table: Table) -> Iterator[bytes]:
    schema = pa.schema(
        [
            pa.field(column.name, _TYPES[column.kind], metadata={"meaning": column.meaning})
            for column in table.columns
        ],
        metadata={"harmtracker": json.dumps(table.about, ensure_ascii=False)},
    )
    arrays = [
        pa.array([row[place] for row in table.rows], _TYPES[column.kind])
        for place, column in enumerate(table.columns)
    ]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), file, compression="zstd")
    yield file.getvalue()


def as_xlsx(table: Table) -> Iterable[bytes]:
    """Two sheets: the rows, and what they are of."""
    with tempfile.TemporaryDirectory(prefix="harmtracker-totals-") as folder:
        path = Path(folder) / "totals.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "tmpdir": folder}
        with xlsxwriter.Workbook(str(path), {**options, "strings_to_urls": False}) as book:
            # Not today: the same rows give the same file.
            book.set_properties(
                {"title": "harmtracker totals", "created": _moment(table.about["moment"])}
            )
            _sheet(book.add_worksheet("totals"), table)
            _about(book.add_worksheet("About"), table)
        return [path.read_bytes()]


def _moment(text: str | None) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text or "2000-01-01T00:00:00+00:00")
    return moment.astimezone(datetime.UTC).replace(tzinfo=None)


def _sheet(sheet: Any, table: Table) -> None:
    sheet.freeze_panes(1, 0)
    for number, row in enumerate([[column.name for column in table.columns], *table.rows]):
        for place, value in enumerate(row):
            if isinstance(value, bool):
                sheet.write_boolean(number, place, value)
            elif isinstance(value, int):
                sheet.write_number(number, place, value)
            elif value is not None:
                sheet.write_string(number, place, neutralised(value))


def _about(sheet: Any, table: Table) -> None:
    lines = [(name, value) for name, value in table.about.items() if isinstance(value, str | int)]
    lines += [("rule", rule) for rule in table.about["rules"]]
    lines += [(column.name, column.meaning) for column in table.columns]
    for number, (name, value) in enumerate(lines):
        sheet.write_string(number, 0, name)
        sheet.write_string(number, 1, str(value))

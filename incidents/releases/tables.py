"""The four lists as files: documents, CSV, CSV with HXL tags, GeoJSON, Parquet in partitions."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import IO, cast

import pyarrow.parquet as pq

from incidents.exports import batches, delimited, jsonlines, parquet, selecting
from incidents.exports.columns import CODE, LISTS, WHOLE, Column

from .frozen import Frozen
from .writing import Folder

DOCUMENTS = "documents.ndjson"
POINTS = "geojson/incidents.geojson"
# What the folders of Parquet are named by, and what stands for not known there.
PARTITIONED_BY = (
    Column("country", CODE, "ISO 3166-1 alpha-3.", "", "", 'r."country"'),
    Column(
        "year",
        WHOLE,
        "Year of the first day it can have been.",
        "",
        "years",
        """extract(year FROM r."date_earliest")::integer""",
    ),
)
NOT_KNOWN = "__HIVE_DEFAULT_PARTITION__"
_VALUES = re.compile(rb"([A-Z]{3})?,([0-9]{1,4})?,")
# Rows are kept in memory until there are so many bytes of them, of all partitions together.
_KEPT_BYTES = 8 * 1024 * 1024


def csv_path(list_name: str) -> str:
    return f"csv/{list_name}.csv"


def hxl_path(list_name: str) -> str:
    return f"hxl/{list_name}.csv"


def in_parquet(list_name: str) -> tuple[Column, ...]:
    """The columns that stand in the files: those that the folders name do not."""
    return tuple(column for column in LISTS[list_name] if column.name != "country")


def documents(frozen: Frozen, folder: Folder) -> None:
    folder.put(DOCUMENTS, jsonlines.stored(frozen.asked("incidents"), column="document"))


def points(frozen: Frozen, folder: Folder) -> None:
    folder.put(POINTS, jsonlines.geojson(frozen.asked("incidents"), frozen.about("incidents")))


def delimited_files(frozen: Frozen, folder: Folder, list_name: str) -> None:
    """CSV as it is, and with a row of tags: the rows are read once."""
    asked = frozen.asked(list_name)
    with folder.open(csv_path(list_name)) as plain, folder.open(hxl_path(list_name)) as tagged:
        plain.write(delimited.head(asked))
        tagged.write(delimited.head(asked, with_tags=True))
        for rows in delimited.rows(asked):
            plain.write(rows)
            tagged.write(rows)


def partitions(frozen: Frozen, folder: Folder, list_name: str) -> None:
    """Parquet in folders of country and year.

    The rows come once, in the order of the ledger, and go to a file of each partition; those
    become Parquet one after the other. So the time is linear and the memory flat, however many
    partitions there are.
    """
    columns = in_parquet(list_name)
    asked = frozen.asked(list_name, columns)
    reader = parquet.Reader(asked, parquet.schema(asked, frozen.about(list_name)))
    with tempfile.TemporaryDirectory(prefix=".rows-", dir=folder.path.parent) as name:
        longest = _sort_out(frozen, list_name, Path(name))
        for rows in sorted(Path(name).iterdir()):
            path = rows.name.replace(" ", "/")
            target = f"parquet/{list_name}/{path}/part-0.parquet"
            with (
                rows.open("rb") as file,
                folder.open(target) as sink,
                pq.ParquetWriter(
                    cast(IO[bytes], sink), reader.schema, compression=parquet.COMPRESSION
                ) as writer,
            ):
                for table in reader.tables(file, longest):
                    writer.write_table(table)
            rows.unlink()


def _sort_out(frozen: Frozen, list_name: str, folder: Path) -> int:
    """Write a file for each partition, named by it: its rows as CSV. How many bytes the longest
    row has."""
    asked = frozen.asked(list_name, (*PARTITIONED_BY, *in_parquet(list_name)))
    kept: defaultdict[str, list[bytes]] = defaultdict(list)
    size = longest = 0
    for batch in batches.lines(
        asked, lambda after, limit: selecting.table(asked, after, limit, is_neutral=False)
    ):
        for row in batch.rows:
            found = _VALUES.match(row)
            if found is None:
                raise ValueError("A row has a country or a year that no folder can be named by.")
            country, year = (value.decode() if value else NOT_KNOWN for value in found.groups())
            kept[f"country={country}/year={year}"].append(row[found.end() :])
            longest = max(longest, len(row))
        size += batch.size
        if size > _KEPT_BYTES:
            _append(kept, folder)
            size = 0
    _append(kept, folder)
    return longest


def _append(kept: defaultdict[str, list[bytes]], folder: Path) -> None:
    for path, rows in kept.items():
        with (folder / path.replace("/", " ")).open("ab") as file:
            file.writelines(rows)
    kept.clear()

"""Parquet with a column for each column, and GeoParquet's metadata for the points.

Rows come as CSV, which pyarrow reads by a schema of our own; a batch is a row group and leaves
when it is written.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from . import batches, selecting
from .about import About
from .columns import CODE, DAY, FLAG, MOMENT, NUMBER, TEXT, WHOLE, Column
from .selecting import Asked

_TYPES: dict[str, pa.DataType] = {
    TEXT: pa.string(),
    CODE: pa.string(),
    WHOLE: pa.int32(),
    NUMBER: pa.float64(),
    FLAG: pa.bool_(),
    DAY: pa.date32(),
    MOMENT: pa.timestamp("us", tz="UTC"),
}
COMPRESSION: Final = "zstd"
_GEOMETRY = "geometry"
# A point as well-known binary: little-endian, of type 1, longitude before latitude.
_POINT = struct.Struct("<BIdd")
_BLOCK = batches.MOST_BYTES * 2
# Of a file that was written before, which may be of any size. pyarrow reads up to 32 blocks ahead,
# so that they are small; a row group is many of them.
_FILE_BLOCK = 512 * 1024
_GROUP_BYTES = batches.LINES_BYTES // 2
_PARSE = pa_csv.ParseOptions(newlines_in_values=True)


def _type(column: Column) -> pa.DataType:
    return pa.int64() if column.name == "position" else _TYPES[column.kind]


def _has_points(asked: Asked) -> bool:
    return {"latitude", "longitude"} <= {column.name for column in asked.columns}


def schema(asked: Asked, about: About) -> pa.Schema:
    fields = [
        pa.field(
            column.name,
            _type(column),
            metadata={
                key: value
                for key, value in column.described().items()
                if key in ("unit", "meaning", "hxl") and value
            },
        )
        for column in asked.columns
    ]
    metadata: dict[bytes | str, bytes | str] = {
        "harmtracker": json.dumps(about.members(), ensure_ascii=False)
    }
    if _has_points(asked):
        fields.append(pa.field(_GEOMETRY, pa.binary()))
        metadata["geo"] = json.dumps(
            {
                "version": "1.1.0",
                "primary_column": _GEOMETRY,
                "columns": {_GEOMETRY: {"encoding": "WKB", "geometry_types": ["Point"]}},
            }
        )
    return pa.schema(fields, metadata=metadata)


class _Written(io.BytesIO):
    """What was written since it was last taken. Only its end is ever written to."""

    def __init__(self) -> None:
        super().__init__()
        self._taken = 0

    def tell(self) -> int:
        return self._taken + super().tell()

    def taken(self) -> bytes:
        data = self.getvalue()
        self._taken += len(data)
        self.seek(0)
        self.truncate()
        return data


def _points(table: pa.Table) -> pa.Array:
    pairs = zip(table["longitude"].to_pylist(), table["latitude"].to_pylist(), strict=True)
    return pa.array(
        [None if x is None or y is None else _POINT.pack(1, 1, x, y) for x, y in pairs],
        pa.binary(),
    )


@dataclass(frozen=True)
class Reader:
    """How rows that came as CSV become tables of the columns asked for."""

    asked: Asked
    schema: pa.Schema

    def _options(
        self, block: int
    ) -> tuple[pa_csv.ReadOptions, pa_csv.ParseOptions, pa_csv.ConvertOptions]:
        names = [column.name for column in self.asked.columns]
        convert = pa_csv.ConvertOptions(
            column_types={column.name: _type(column) for column in self.asked.columns},
            null_values=[""],
            true_values=["true"],
            false_values=["false"],
            strings_can_be_null=True,
            # An empty text is "", and no NULL.
            quoted_strings_can_be_null=False,
        )
        read = pa_csv.ReadOptions(column_names=names, block_size=block, use_threads=False)
        return read, _PARSE, convert

    def table(self, rows: bytes) -> pa.Table:
        return self._shaped(pa_csv.read_csv(io.BytesIO(rows), *self._options(_BLOCK)))

    def tables(self, file: BinaryIO, longest: int) -> Iterator[pa.Table]:
        """The rows of a file as row groups. None of them is longer than ``longest`` bytes."""
        # A row longer than a block cannot be read.
        options = self._options(max(_FILE_BLOCK, longest))
        kept: list[pa.RecordBatch] = []
        with pa_csv.open_csv(file, *options) as blocks:
            for block in blocks:
                kept.append(block)
                if sum(each.nbytes for each in kept) >= _GROUP_BYTES:
                    yield self._shaped(pa.Table.from_batches(kept))
                    kept = []
        if kept:
            yield self._shaped(pa.Table.from_batches(kept))

    def _shaped(self, table: pa.Table) -> pa.Table:
        if _has_points(self.asked):
            table = table.append_column(_GEOMETRY, _points(table))
        return table.cast(self.schema)


def parquet(asked: Asked, about: About) -> Iterator[bytes]:
    reader = Reader(asked, schema(asked, about))
    written = _Written()
    # A dictionary of each column of numbers takes time, and more room than the numbers.
    texts = [field.name for field in reader.schema if pa.types.is_string(field.type)]
    with pq.ParquetWriter(
        written,
        reader.schema,
        compression=COMPRESSION,
        use_dictionary=texts,  # type: ignore[arg-type]  # the stubs know of bool alone
    ) as writer:
        for batch in batches.lines(
            asked, lambda after, limit: selecting.table(asked, after, limit, is_neutral=False)
        ):
            writer.write_table(reader.table(b"".join(batch.rows)))
            yield written.taken()
    yield written.taken()

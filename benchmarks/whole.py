"""Whole lists from the server against psql's COPY of the same rows: content, time, memory."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.servers import Server
from harmtracker.postgres import find_install, find_package

_BLOCK = 1 << 18
_PARTS = {"incidents": "", "casualties": "publishedcasualty", "claims": "publishedclaim"}


@dataclass(frozen=True)
class Export:
    """One list in one format, and its goals: time against COPY."""

    list: str
    form: str
    goal: float
    detail: str = ""

    @property
    def name(self) -> str:
        return f"{self.list} as {self.form}" + (f" of each {self.detail}" if self.detail else "")

    def path(self, **more: str) -> str:
        asked = {"format": self.form, **({"detail": self.detail} if self.detail else {}), **more}
        return f"/api/v1/{self.list}/?{urlencode(asked)}"

    def copy(self, server: Server) -> str:
        """COPY of the same rows and columns in the same order; of stored texts for NDJSON."""
        if self.form != "ndjson":
            return _copy_of_columns(self.list, f"http://127.0.0.1:{server.port}/api/v1/incidents/")
        if self.detail == "document":
            source = "SELECT document FROM incidents_publishedversion v JOIN "
            source += "incidents_publishedincident i USING (seq)"
        else:
            source = "SELECT summary FROM incidents_publishedincident i"
        return f"COPY ({source} WHERE i.valid_until IS NULL ORDER BY i.seq) TO STDOUT"


EXPORTS = (
    Export("incidents", "csv", 1.5),
    Export("casualties", "csv", 1.5),
    Export("claims", "csv", 1.5),
    Export("incidents", "ndjson", 1.5, "summary"),
    Export("incidents", "ndjson", 1.5, "document"),
    Export("incidents", "parquet", 2.0),
)


def _copy_of_columns(name: str, address: str) -> str:
    from incidents.exports.columns import FLAG, LISTS

    parts = []
    for column in LISTS[name]:
        source = column.source
        if source == "link":
            source = f"'{address}' || r.code || '/'"
        elif column.kind == FLAG:
            source = f"({source})::text"
        parts.append(f'{source} AS "{column.name}"')
    joined, order = "", "i.seq"
    if _PARTS[name]:
        joined = f"JOIN incidents_{_PARTS[name]} c ON c.incident_id = i.seq"
        order = 'c.incident_id, c."position"'
    return (
        f"COPY (SELECT {', '.join(parts)} FROM incidents_publishedincident i "
        f"JOIN incidents_publishedincidentrow r ON r.seq = i.seq {joined} "
        f"WHERE i.valid_until IS NULL ORDER BY {order}) TO STDOUT (FORMAT csv, HEADER)"
    )


def answer(server: Server, path: str, keep: Callable[[bytes], object] | None = None) -> float:
    """Seconds until the last byte of an answer."""
    start = time.monotonic()
    with urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=3600) as found:
        while block := found.read(_BLOCK):
            if keep is not None:
                keep(block)
    return time.monotonic() - start


def copied(dsn: str, statement: str, keep: Callable[[bytes], object] | None = None) -> float:
    """Seconds that psql, connected already, takes to write the rows into a pipe to the end."""
    psql = shutil.which("psql") or str(find_install(find_package())[0] / "bin" / "psql")
    with subprocess.Popen(
        [psql, "-XqAt", "-v", "ON_ERROR_STOP=1", dsn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        # The product's worker is connected as well: starting psql would be a good part of a small
        # export.
        process.stdin.write(b"SELECT 'connected';\n")
        process.stdin.flush()
        process.stdout.readline()
        start = time.monotonic()
        process.stdin.write(statement.encode() + b";\n")
        process.stdin.close()
        while block := process.stdout.read(_BLOCK):
            if keep is not None:
                keep(block)
        taken = time.monotonic() - start
    if process.returncode:
        raise SystemExit("psql's COPY failed.")
    return taken


def compare(export: Export, server: Server, dsn: str) -> tuple[int, int]:
    """How many rows both have, and the answer's bytes. Ends the run where they differ."""
    ours, theirs = io.BytesIO(), io.BytesIO()
    answer(server, export.path(), ours.write)
    copied(dsn, export.copy(server), theirs.write)
    check = {"csv": _same_cells, "ndjson": _same_lines, "parquet": _same_sums}[export.form]
    return check(export.list, ours.getvalue(), theirs.getvalue()), len(ours.getvalue())


def _differ(what: str) -> SystemExit:
    return SystemExit(f"{what}: the export and COPY do not give the same. Nothing was timed.")


def _same_cells(name: str, ours: bytes, theirs: bytes) -> int:
    """Byte for byte, unless there are cells that start like a formula: then cell by cell."""
    from incidents.exports.cells import neutralised
    from incidents.exports.columns import LISTS, TEXT

    found = csv.reader(io.StringIO(ours.decode(), ""))
    wanted = csv.reader(io.StringIO(theirs.decode(), ""))
    texts = [column.kind == TEXT for column in LISTS[name]]
    rows = changed = 0
    if next(found) != next(wanted):
        raise _differ(f"{name}, the header")
    for one, other in zip(found, wanted, strict=True):
        rows += 1
        for is_text, cell, plain in zip(texts, one, other, strict=True):
            if cell != (neutralised(plain) if is_text else plain):
                raise _differ(f"{name}, row {rows}")
            changed += cell != plain
    if not changed and ours != theirs:
        raise _differ(f"{name}, the bytes")
    return rows


def _same_lines(name: str, ours: bytes, theirs: bytes) -> int:
    """Every line byte for byte; COPY's text format doubles backslashes, and has no other escape
    for a JSON text, which holds no control character."""
    found, wanted = ours.splitlines(), theirs.splitlines()
    if found != [line.replace(b"\\\\", b"\\") for line in wanted]:
        raise _differ(f"{name}, line by line")
    json.loads(found[0])
    return len(found)


def _same_sums(name: str, ours: bytes, theirs: bytes) -> int:
    """As many rows, the same NULLs in each column, the same sums of numbers, the same codes."""
    table = pq.read_table(pa.BufferReader(ours))
    types: dict[str, Any] = {
        field.name: pa.string() if pa.types.is_timestamp(field.type) else field.type
        for field in table.schema
        if field.name != "geometry"
    }
    wanted = pa_csv.read_csv(
        io.BytesIO(theirs),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    if table.column_names != [*wanted.column_names, "geometry"] or len(table) != len(wanted):
        raise _differ(f"{name}, columns and number of rows")
    for column, kind in types.items():
        one, other = table[column], wanted[column]
        same = one.null_count == other.null_count
        if pa.types.is_floating(kind) or pa.types.is_integer(kind):
            same &= math.isclose(pc.sum(one).as_py() or 0, pc.sum(other).as_py() or 0)
        elif not pa.types.is_timestamp(table.schema.field(column).type):
            same &= one.combine_chunks().equals(other.combine_chunks())
        if not same:
            raise _differ(f"{name}, {column}")
    return len(table)


def memory(export: Export, server: Server, code: str) -> float:
    """MiB by which the export raises the highest memory of a worker of a fresh server.

    An export of one record goes before: what a format loads once is loaded, and no memory is taken
    for rows.
    """
    for _ in range(20):
        # Both workers are warm, whichever takes a request.
        server.get("/api/v1/incidents/?limit=1")
        server.get(export.path(code=code))
    before = {pid: _peak_kib(pid) for pid in server.workers()}
    answer(server, export.path())
    return max(_peak_kib(pid) - kib for pid, kib in before.items()) / 1024


def _peak_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise SystemExit(f"/proc/{pid}/status does not tell VmHWM: memory is measured on Linux.")

"""A file read row by row, whatever stands in it."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from pathlib import Path

from django.conf import settings

from incidents.importers.csv_rows import CsvRow, read, sha256_of, values_of
from tests.importers.files import row, text_of

SHIPPED = settings.FIXTURES / "ucdp_ged_kachin_1989-2023.csv"


def rows(content: bytes) -> list[CsvRow]:
    return list(read(io.BytesIO(content)))


def test_the_bytes_of_the_rows_are_those_of_the_file() -> None:
    found = rows(SHIPPED.read_bytes())
    assert len(found) == 435
    assert b"".join(one.original for one in found) == SHIPPED.read_bytes()
    assert all(values_of(one.original) == one.values for one in found)
    assert found[-1].line > 435  # rows have several lines


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    assert sha256_of(SHIPPED) == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def test_a_mark_of_byte_order_is_no_part_of_a_name() -> None:
    (header,) = rows(b"\xef\xbb\xbfid,name\n")
    assert header.values == ("id", "name")
    assert values_of(header.original) == header.values


def test_bytes_that_are_no_text_are_kept() -> None:
    _, found = rows(b"id,name\n1,caf\xe9\x00\n")
    assert found.original == b"1,caf\xe9\x00\n"
    assert found.values == ("1", "caf\udce9\x00")


def test_a_row_with_other_fields_than_the_header_has_a_fault() -> None:
    found = rows(b"id,name\n1\n2,x,y\n3,z\n\n")
    assert [(one.line, bool(one.fault)) for one in found] == [
        (1, False),
        (2, True),
        (3, True),
        (4, False),
    ]


def test_a_quotation_that_is_never_closed_takes_no_other_row_along() -> None:
    found = rows(b'id,name\n1,"open\n2,x\n3,y\n')
    assert [(one.line, bool(one.fault)) for one in found] == [
        (1, False),
        (2, True),
        (3, False),
        (4, False),
    ]


def test_a_huge_field_is_a_fault_and_its_neighbours_are_read() -> None:
    content = b"id,name\n1," + b"x" * 200_000 + b"\n2,y\n3," + b"z" * 3_000_000 + b"\n4,w\n"
    assert [bool(one.fault) for one in rows(content)] == [False, True, False, True, False]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    body = text_of([row()]).split("\n", 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(body[0] + "\n")
        for _ in range(10_000):
            file.write(body[1])
    tracemalloc.start()
    with path.open("rb") as file:
        assert sum(1 for _ in read(file)) == 10_001
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 5_000_000
    assert peak < 1_000_000

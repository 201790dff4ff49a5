"""Each list in each format, read by other programs: the same rows, the same figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from incidents.exports.cells import restored
from incidents.exports.columns import DAY, TEXT
from incidents.exports.columns import LISTS as COLUMNS
from tests.exports import reading
from tests.exports.reading import FILES, LISTS

pytestmark = pytest.mark.usefixtures("three")

FIGURES = {
    "incidents": ["killed_civilian_min", "killed_civilian_best", "killed_all_max", "claim_count"],
    "casualties": ["min", "best", "max", "row"],
    "claims": ["killed_civilian_min", "killed_all_max", "injured_all_min"],
    "victims": ["position", "row"],
}


def sums(rows: list[dict[str, Any]], name: str) -> dict[str, float]:
    return {key: sum(row[key] or 0 for row in rows) for key in FIGURES[name]}


@pytest.mark.parametrize("name", LISTS)
def test_json_has_every_row_of_the_documents(client: Client, name: str) -> None:
    rows = reading.flat(client, name)
    assert len(rows) == {"incidents": 3, "casualties": 17, "claims": 80, "victims": 3}[name]
    assert all(list(row) == [column.name for column in COLUMNS[name]] for row in rows)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", ["csv", "hxl"])
def test_pandas_reads_csv(client: Client, name: str, form: str) -> None:
    rows = reading.flat(client, name)
    frame = reading.by_pandas(reading.get(client, name, form), [1] if form == "hxl" else None)
    assert list(frame.columns) == [column.name for column in COLUMNS[name]]
    assert list(frame["code"]) == [row["code"] for row in rows]
    assert {key: frame[key].sum() for key in FIGURES[name]} == sums(rows, name)
    for key in FIGURES[name]:
        assert list(frame[key].isna()) == [row[key] is None for row in rows]


@pytest.mark.parametrize("name", LISTS)
def test_duckdb_reads_parquet_with_the_same_values(
    client: Client, name: str, tmp_path: Path
) -> None:
    rows = reading.flat(client, name)
    table = pq.read_table(pa.BufferReader(reading.get(client, name, "parquet")))
    found = reading.by_duckdb(
        reading.get(client, name, "parquet"), tmp_path / "x.parquet", "read_parquet"
    )
    assert len(found) == len(table) == len(rows)
    for row, other in zip(rows, found, strict=True):
        for column in COLUMNS[name]:
            value = other.get(column.name)
            if column.kind == DAY and value is not None:
                value = value.isoformat()
            if column.name != "published_at":
                assert value == row[column.name], column.name
    assert {field.name: field.metadata[b"meaning"] for field in table.schema if field.metadata} == {
        column.name: column.meaning.encode() for column in COLUMNS[name]
    }
    assert json.loads(table.schema.metadata[b"harmtracker"])["position"] == 3
    assert json.loads(table.schema.metadata[b"geo"])["primary_column"] == "geometry"


@pytest.mark.parametrize("name", LISTS)
def test_duckdb_reads_csv_and_lines_of_json(client: Client, name: str, tmp_path: Path) -> None:
    rows = reading.flat(client, name)
    found = reading.by_duckdb(reading.get(client, name, "csv"), tmp_path / "x.csv", "read_csv")
    assert sums(found, name) == sums(rows, name)
    lines = reading.by_duckdb(
        reading.get(client, name, "ndjson"), tmp_path / "x.ndjson", "read_json_auto"
    )
    assert [line["code"] for line in lines] == [row["code"] for row in rows]


@pytest.mark.parametrize("name", LISTS)
def test_openpyxl_reads_typed_cells_and_no_formula(client: Client, name: str) -> None:
    rows = reading.flat(client, name)
    cells, book = reading.by_openpyxl(reading.get(client, name, "xlsx"))
    assert [cell.value for cell in cells[0]] == [column.name for column in COLUMNS[name]]
    assert all(cell.data_type != "f" for row in cells for cell in row)
    for row, line in zip(rows, cells[1:], strict=True):
        for column, cell in zip(COLUMNS[name], line, strict=True):
            value = cell.value
            if column.kind == DAY and value is not None:
                value = value.date().isoformat()
            if column.kind == TEXT and value is not None:
                value = restored(value)
            assert value == row[column.name], column.name
    assert book.sheetnames == [name, "About"]
    about = {line[0].value: line[1].value for line in book["About"].iter_rows(max_row=11)}
    assert about["Ledger position"] == "3"
    assert "CC BY 4.0" in about["Licence"]
    assert about["Filter"] == "none"


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", ["geojson", "parquet"])
def test_pyogrio_reads_points(client: Client, name: str, form: str, tmp_path: Path) -> None:
    rows = reading.flat(client, name)
    if form == "parquet":
        # GDAL's wheel has no Parquet: the bytes of its points are compared instead.
        table = pq.read_table(pa.BufferReader(reading.get(client, name, form)))
        for row, point in zip(rows, table["geometry"].to_pylist(), strict=True):
            assert (point is None) == (row["latitude"] is None)
            assert point is None or point[:5] == b"\x01\x01\x00\x00\x00"
        return
    meta, _fids, points, columns = reading.by_pyogrio(
        reading.get(client, name, form), tmp_path / "x.geojson"
    )
    assert meta["crs"] == "EPSG:4326"
    assert len(points) == len(rows)
    codes = columns[list(meta["fields"]).index("code")]
    assert list(codes) == [row["code"] for row in rows]


def test_geojson_is_as_rfc_7946_has_it(client: Client) -> None:
    found = json.loads(reading.get(client, "incidents", "geojson"))
    assert found["type"] == "FeatureCollection"
    assert "crs" not in found
    assert found["position"] == 3
    assert found["licence"]["name"] == "CC BY 4.0"
    by_id = {feature["id"]: feature for feature in found["features"]}
    point = by_id["MMR-2014-0001"]["geometry"]
    assert point == {"type": "Point", "coordinates": [97.563333, 24.76]}


def test_ndjson_of_incidents_is_what_is_stored_byte_for_byte(client: Client) -> None:
    lines = reading.get(client, "incidents", "ndjson").splitlines()
    stored = json.loads(client.get("/api/v1/incidents/?ordering=published").content)["results"]
    assert [json.loads(line) for line in lines] == stored
    documents = reading.get(client, "incidents", "ndjson", "detail=document").splitlines()
    for line in documents:
        code = json.loads(line)["code"]
        assert line == client.get(f"/api/v1/incidents/{code}/").content
    picked = reading.get(client, "incidents", "ndjson", "fields=code,version").splitlines()
    assert picked[0] == b'{"code":"MMR-2014-0001","version":1}'


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", FILES)
def test_a_filter_is_exactly_applied(client: Client, name: str, form: str) -> None:
    query = "killed_civilian_min__gte=10"
    wanted = {row["code"] for row in client.get(f"/api/v1/incidents/?{query}").json()["results"]}
    found = reading.flat(client, name, query)
    assert {row["code"] for row in found} == wanted == {"MMR-2023-0001"}
    data = reading.get(client, name, form, query)
    if form == "ndjson":
        assert len(data.splitlines()) == len(found)
    elif form == "csv":
        assert set(reading.by_pandas(data)["code"]) == wanted
    elif form == "parquet":
        assert set(pq.read_table(pa.BufferReader(data))["code"].to_pylist()) == wanted


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", FILES)
def test_an_empty_result_is_a_whole_file(client: Client, name: str, form: str) -> None:
    data = reading.get(client, name, form, "date_from=2100-01-01")
    if form == "ndjson":
        assert data == b""
    elif form in ("csv", "hxl"):
        assert data.count(b"\n") == (1 if form == "csv" else 2)
    elif form == "xlsx":
        assert len(reading.by_openpyxl(data)[0]) == 1
    elif form == "geojson":
        assert json.loads(data)["features"] == []
    else:
        table = pq.read_table(pa.BufferReader(data))
        assert len(table) == 0
        assert len(table.column_names) == len(COLUMNS[name]) + 1
    assert reading.flat(client, name, "date_from=2100-01-01") == []


def test_null_is_empty_and_zero_is_0(client: Client) -> None:
    """The cadet school: civilian 0 / 0 / 1, and nothing said of those injured."""
    line = reading.by_pandas(reading.get(client, "incidents", "csv")).iloc[0]
    assert [line[f"killed_civilian_{bound}"] for bound in ("min", "best", "max")] == [0, 0, 1]
    data = reading.get(
        client, "incidents", "csv", "fields=code,missing_all_min,killed_civilian_min"
    )
    assert data.splitlines()[1] == b"MMR-2014-0001,0,,1"


def test_children_are_counted_from_rows_that_say_so(client: Client) -> None:
    rows = {row["code"]: row for row in reading.flat(client, "incidents")}
    school = rows["MMR-2014-0001"]
    assert school["killed_children_min"] is None
    assert school["killed_women_max"] is None


def test_wholes_of_a_bucket_add_up_to_its_total(client: Client) -> None:
    totals = {row["code"]: row for row in reading.flat(client, "incidents")}
    found: dict[tuple[str, str, str], int] = {}
    for row in reading.flat(client, "casualties"):
        if row["is_whole"] and row["min"] is not None:
            key = (row["code"], row["outcome"], row["bucket"])
            found[key] = found.get(key, 0) + row["min"]
    assert found
    for (code, outcome, bucket), low in found.items():
        assert totals[code][f"{outcome}_{bucket}_min"] >= low
        if bucket != "all":
            assert totals[code][f"{outcome}_{bucket}_min"] == low


def test_columns_are_described_over_the_api(client: Client) -> None:
    found = client.get("/api/v1/columns/").json()["results"]
    assert [row["list"] for row in found] == list(LISTS)
    assert [column["name"] for column in found[0]["columns"]] == [
        c.name for c in COLUMNS["incidents"]
    ]
    assert COLUMNS["incidents"][-1].name == "position"

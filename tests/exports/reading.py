"""The same list, read by other people's programs."""

from __future__ import annotations

import io
import json
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyogrio
from django.test import Client

LISTS = ("incidents", "casualties", "claims", "victims")
FILES = ("ndjson", "csv", "hxl", "xlsx", "geojson", "parquet")


def body(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    data = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    return data


def get(client: Client, name: str, form: str, query: str = "") -> bytes:
    return body(client.get(f"/api/v1/{name}/?format={form}{query and '&' + query}"))


def flat(client: Client, name: str, query: str = "") -> list[dict[str, Any]]:
    """The rows as JSON gives them: of incidents, by GeoJSON's properties."""
    if name != "incidents":
        page = json.loads(get(client, name, "json", query))
        rows: list[dict[str, Any]] = page["results"]
        while page["next"]:
            page = client.get(page["next"]).json()
            rows += page["results"]
        return rows
    return [
        feature["properties"]
        for feature in json.loads(get(client, name, "geojson", query))["features"]
    ]


def by_pandas(data: bytes, skip: list[int] | None = None) -> pd.DataFrame:
    # Only a bare empty cell is not known; "" is an empty text.
    return pd.read_csv(io.BytesIO(data), skiprows=skip, low_memory=False)


def by_duckdb(data: bytes, path: Any, reader: str) -> list[dict[str, Any]]:
    path.write_bytes(data)
    # Moments with a zone need another package in Python.
    found = duckdb.sql(f"SELECT * EXCLUDE (published_at) FROM {reader}('{path}')")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def by_openpyxl(data: bytes) -> tuple[list[list[Any]], Any]:
    """Cells of the first sheet, and the workbook."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [list(row) for row in book.worksheets[0].iter_rows()], book


def by_pyogrio(data: bytes, path: Any) -> tuple[Any, ...]:
    path.write_bytes(data)
    result: tuple[Any, ...] = pyogrio.raw.read(path)
    return result

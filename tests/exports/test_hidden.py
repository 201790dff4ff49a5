"""What may not leave is in no list, in no format, and in no count."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from tests.exports import reading
from tests.exports.reading import FILES, LISTS
from tests.test_canary import Canaries, canaries  # noqa: F401  (a fixture)

WAYS = [
    *((name, form, "") for name in LISTS for form in ("json", *FILES)),
    ("incidents", "json", "detail=document"),
    ("incidents", "ndjson", "detail=document"),
    ("casualties", "csv", "bom=true"),
]


def text_of(form: str, data: bytes) -> str:
    """All text of a file, whatever it is packed in."""
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return "\n".join(file.read(name).decode() for name in file.namelist())
    if form == "parquet":
        table = pq.read_table(pa.BufferReader(data))
        rows = json.dumps(table.to_pylist(), ensure_ascii=False, default=_said)
        about = [table.schema.metadata, *(field.metadata for field in table.schema)]
        return f"{rows} {about}"
    return data.decode()


def _said(value: Any) -> str:
    """A point as its numbers: in well-known binary nobody would see them."""
    if isinstance(value, bytes) and len(value) == 21:
        return str(struct.unpack("<bIdd", value))
    return str(value)


@pytest.mark.parametrize(("name", "form", "query"), WAYS)
def test_no_format_holds_a_canary(
    client: Client,
    canaries: Canaries,  # noqa: F811
    name: str,
    form: str,
    query: str,
) -> None:
    response = client.get(f"/api/v1/{name}/?limit=100&format={form}&{query}".replace(
        "limit=100&" if form != "json" else "", ""
    ))  # fmt: skip
    headers = str(dict(response.headers))
    text = text_of(form, reading.body(response))
    assert canaries.found_in(text + headers) == []
    for number in ("24.123456", "97.654321", "33.33"):
        assert number not in text
    # What may leave of the same record is there; of casualties it has none.
    if name != "casualties":
        assert "MMR-2022-0001" in text
    if name == "victims":
        assert "24.1" in text


def test_no_facet_holds_a_canary(client: Client, canaries: Canaries) -> None:  # noqa: F811
    every = "actor_alleged_perpetrator,actor_target,actor_other_party"
    for query in ("", f"?facet=dataset,adm1,country,{every}"):
        assert (
            canaries.found_in(client.get(f"/api/v1/incidents/facets/{query}").content.decode())
            == []
        )

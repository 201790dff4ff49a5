"""How an export is asked for, and what is refused."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas
import pytest
from django.test import Client

from incidents.exports import batches, xlsx
from incidents.exports.columns import LISTS as COLUMNS
from tests.exports import reading
from tests.exports.reading import FILES, LISTS

pytestmark = pytest.mark.usefixtures("three")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv; charset=utf-8; header=present"
DOCS = Path(__file__).parents[2] / "docs" / "formats.md"


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", None, "application/json"),
        ("", "*/*", "application/json"),
        ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("", "application/json", "application/json"),
        ("", "text/csv", CSV),
        ("", "text/csv, */*", CSV),
        ("", "text/csv;q=0.5, application/json;q=0.4", CSV),
        ("", "text/csv;q=0.4, application/json", "application/json"),
        ("", "application/x-ndjson", "application/x-ndjson"),
        ("", "application/geo+json", "application/geo+json"),
        ("", XLSX, XLSX),
        ("", PARQUET, PARQUET),
        ("?format=csv", "application/json", CSV),
        ("?format=hxl", None, CSV),
        ("?format=json", "text/csv", "application/json"),
        ("?format=parquet", "text/html", PARQUET),
    ],
)
@pytest.mark.parametrize("name", LISTS)
def test_format_decides_and_then_accept(
    client: Client, name: str, query: str, accept: str | None, media_type: str
) -> None:
    headers = {"Accept": accept} if accept else {}
    response = client.get(f"/api/v1/{name}/{query}", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"] == media_type
    assert "Accept" in response["Vary"]
    response.close()


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml"])
def test_what_is_not_to_be_had_is_406(client: Client, accept: str) -> None:
    assert client.get("/api/v1/claims/", headers={"Accept": accept}).status_code == 406


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=csv&limit=5", "limit"),
        ("format=csv&count=true", "count"),
        ("format=geojson&cursor=abc", "cursor"),
        ("format=xml", "format"),
        ("format=", "format"),
        ("format=csv&format=json", "format"),
        ("format=xlsx&bom=true", "bom"),
        ("bom=true", "bom"),
        ("format=csv&fields=nosuch", "fields"),
        ("format=csv&date_from=nonsense", "date_from"),
    ],
)
@pytest.mark.parametrize("name", LISTS)
def test_what_an_export_cannot_have_is_refused_by_name(
    client: Client, name: str, query: str, field: str
) -> None:
    response = client.get(f"/api/v1/{name}/?{query}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "query",
    [
        "format=csv&ordering=code",
        "format=csv&detail=document",
        "format=csv&fields=claims",
        "format=ndjson&fields=killed_all_min",
        "format=json&fields=killed_all_min",
        "format=ndjson&detail=document&fields=claim_count",
    ],
)
def test_what_a_format_of_incidents_cannot_have(client: Client, query: str) -> None:
    assert client.get(f"/api/v1/incidents/?{query}").status_code == 400


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", FILES)
def test_headers_say_what_it_is(client: Client, name: str, form: str) -> None:
    response = client.get(f"/api/v1/{name}/?format={form}")
    ending = {"hxl": "hxl.csv"}.get(form, form)
    file = f"harmtracker-{name}-pos3.{ending}"
    assert response["Content-Disposition"] == f'attachment; filename="{file}"'
    assert response["Harmtracker-Position"] == "3"
    assert 'rel="license"' in response["Link"]
    assert response["Harmtracker-Citation"].startswith("harmtracker ")
    body = reading.body(response)
    again = client.get(f"/api/v1/{name}/?format={form}")
    assert reading.body(again) == body
    known = client.get(
        f"/api/v1/{name}/?format={form}", headers={"If-None-Match": response["ETag"]}
    )
    assert (known.status_code, known.content) == (304, b"")
    head = client.head(f"/api/v1/{name}/?format={form}")
    assert (head.status_code, head.content) == (200, b"")
    for header in ("ETag", "Content-Type", "Content-Disposition", "Harmtracker-Position"):
        assert head[header] == response[header]
    other = client.get(f"/api/v1/{name}/?format={form}&date_from=2015-01-01")
    assert other["ETag"] != response["ETag"]
    other.close()


def test_fields_pick_columns_and_the_key_stays(client: Client) -> None:
    data = reading.get(client, "casualties", "csv", "fields=max,code")
    assert data.splitlines()[0] == b"code,max,position,row"
    rows = reading.flat(client, "casualties", "fields=max,code")
    assert set(rows[0]) == {"code", "max", "position", "row"}


def test_bom_and_tags(client: Client) -> None:
    data = reading.get(client, "incidents", "hxl", "bom=true&fields=code,title")
    assert data.startswith(
        b"\xef\xbb\xbfcode,title,position\n#event+id,#event+name,#meta+position\n"
    )
    assert not reading.get(client, "incidents", "csv").startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("name", ["casualties", "claims", "victims"])
@pytest.mark.parametrize("limit", [1, 7])
def test_pages_of_rows_show_the_whole_list_once(client: Client, name: str, limit: int) -> None:
    def keys(page: dict[str, Any]) -> list[tuple[int, int]]:
        return [(row["position"], row["row"]) for row in page["results"]]

    address = f"/api/v1/{name}/"
    whole = keys(client.get(f"{address}?limit=1000&count=true").json())
    assert whole == sorted(whole)
    page = client.get(f"{address}?limit={limit}&count=true").json()
    assert page["count"] == len(whole)
    pages = [keys(page)]
    while page["next"]:
        page = client.get(page["next"]).json()
        pages.append(keys(page))
    assert [key for rows in pages for key in rows] == whole
    back = []
    while page["previous"]:
        page = client.get(page["previous"]).json()
        back.append(keys(page))
    assert [key for rows in reversed(back) for key in rows] == whole[: -len(pages[-1])]


def test_page_of_rows_ends_early_rather_than_be_too_long(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reading.flat(client, "claims", "limit=1000")
    monkeypatch.setattr("harmtracker.api.paging.MAX_PAGE_BYTES", 10_000)
    response = client.get("/api/v1/claims/?limit=1000")
    assert len(response.content) < 15_000
    assert response.json()["next"]
    assert reading.flat(client, "claims", "limit=1000") == whole


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", ["csv", "ndjson", "geojson"])
def test_batches_of_any_size_give_the_same_file(
    client: Client, name: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reading.get(client, name, form)
    monkeypatch.setattr(batches, "FIRST_ROWS", 2)
    monkeypatch.setattr(batches, "MOST_ROWS", 2)
    assert reading.get(client, name, form) == whole
    # A batch that is too long ends early, and nothing is lost.
    monkeypatch.setattr(batches, "FIRST_ROWS", 1000)
    monkeypatch.setattr(batches, "MOST_BYTES", 5_000)
    assert reading.get(client, name, form) == whole


def test_more_rows_than_a_sheet_has_are_refused_before_it_begins(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 10)
    response = client.get("/api/v1/claims/?format=xlsx")
    assert response.status_code == 400
    assert "format=csv" in response.json()["detail"]


@pytest.mark.parametrize("form", ["csv", "hxl", "ndjson"])
def test_what_breaks_off_is_refused_by_its_readers(
    client: Client, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, calls = batches._copy, []

    def fail_later(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        if len(calls) > 1:
            raise RuntimeError("The database is gone.")
        return read(*arguments, **named)

    monkeypatch.setattr(batches, "_copy", fail_later)
    monkeypatch.setattr(batches, "FIRST_ROWS", 1)
    answer = b"".join(client.get(f"/api/v1/incidents/?format={form}"))
    assert answer.count(b"MMR-2014-0001")
    assert b"The export broke off here" in answer
    if form == "ndjson":
        with pytest.raises(json.JSONDecodeError):
            [json.loads(line) for line in answer.splitlines()]
    else:
        with pytest.raises(pandas.errors.ParserError):
            pandas.read_csv(io.BytesIO(answer))


def test_a_geojson_that_breaks_off_has_no_end(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "FIRST_ROWS", 2)
    monkeypatch.setattr(batches, "MOST_ROWS", 2)
    response = client.get("/api/v1/claims/?format=geojson")
    parts = iter(response.streaming_content)
    begun = next(parts) + next(parts)
    with pytest.raises(json.JSONDecodeError):
        json.loads(begun)
    response.close()


def table_of(name: str) -> str:
    lines = ["| column | type | unit | HXL | meaning |", "|---|---|---|---|---|"]
    lines += [
        f"| `{c.name}` | {c.kind} | {c.unit} | {c.hxl and f'`{c.hxl}`'} | {c.meaning} |"
        for c in COLUMNS[name]
    ]
    return "\n".join(lines)


@pytest.mark.parametrize("name", LISTS)
def test_the_document_has_the_table_of_columns(name: str) -> None:
    written = DOCS.read_text()
    found = re.search(rf"### {name}\n\n(\|.*?)\n\n", written + "\n\n", re.S)
    assert found is not None
    assert found[1] == table_of(name)

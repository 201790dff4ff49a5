"""Texts that start like a formula: neutralised for spreadsheets, and back again (N5)."""

from __future__ import annotations

import csv
import io
import json
from itertools import product

import pytest
from django.db import connections
from django.test import Client

from incidents.exports import cells
from incidents.models import PublishedClaim
from tests.exports import reading

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'"]
ENDS = ["cmd|' /C calc'!A0", "1+1", 'HYPERLINK("http://x.example","y")', "-96.17", ""]
HOSTILE = [start + end for start, end in product(STARTS, ENDS)]
OTHERS = ["မန်းလှိုင်ကျေး", 'He said "no", twice', "two\nlines", "two\r\nlines", "''", "1,5", " =1", ""]


def test_there_are_sixty() -> None:
    assert len(HOSTILE) == 60


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("text", [*HOSTILE, *OTHERS])
def test_sql_and_python_agree_and_the_exact_text_comes_back(text: str) -> None:
    with connections["published"].cursor() as cursor:
        cursor.execute(f"SELECT {cells.neutral('t')} FROM (SELECT %s::text AS t) x", [text])
        found = cursor.fetchone()[0]
    assert found == cells.neutralised(text)
    assert cells.restored(found) == text
    assert not found.startswith(tuple("=+-@\t\r\n\0＝＋－＠"))


def test_nul_is_neutralised() -> None:
    assert cells.neutralised("\0=1") == "'\0=1"


@pytest.mark.usefixtures("committed")
def test_hostile_cells_in_files(client: Client) -> None:
    texts = [*HOSTILE, *OTHERS]
    claims = PublishedClaim.objects.using("default").order_by("incident_id", "position")
    written = []
    for claim, text in zip(claims, texts, strict=False):
        claim.quotation, claim.longitude, claim.latitude = text, -96.17, -1.5
        claim.save(using="default")
        written.append(text)
    assert len(written) == len(texts)

    rows = list(csv.DictReader(io.StringIO(reading.get(client, "claims", "csv").decode(), "")))
    for row, text in zip(rows, written, strict=False):
        assert row["quotation"] == cells.neutralised(text)
        assert row["claim_longitude"] == "-96.17"

    lines, _book = reading.by_openpyxl(reading.get(client, "claims", "xlsx"))
    names = [cell.value for cell in lines[0]]
    place, number = names.index("quotation"), names.index("claim_longitude")
    assert all(cell.data_type != "f" for line in lines for cell in line)
    for line, text in zip(lines[1:], written, strict=False):
        # XML has one kind of line end.
        value = (line[place].value or "").replace("_x000D_", "\r")
        assert cells.restored(value) == text or "\r" in text
        assert (line[number].value, line[number].data_type) == (-96.17, "n")

    # JSON, Parquet and GeoJSON are no spreadsheets: they have the text as it is.
    for form in ("ndjson", "geojson"):
        data = reading.get(client, "claims", form)
        found = (
            [json.loads(line) for line in data.splitlines()]
            if form == "ndjson"
            else [feature["properties"] for feature in json.loads(data)["features"]]
        )
        assert [row["quotation"] for row in found[: len(written)]] == written


@pytest.mark.usefixtures("committed")
def test_a_text_longer_than_a_cell_is_cut_and_says_so(client: Client) -> None:
    claim = PublishedClaim.objects.using("default").earliest("incident_id", "position")
    claim.quotation = "x" * 40_000
    claim.save(using="default")
    lines, book = reading.by_openpyxl(reading.get(client, "claims", "xlsx"))
    place = [cell.value for cell in lines[0]].index("quotation")
    assert len(lines[1][place].value) == 32_767
    assert lines[1][place].value.endswith("[... cut: 40000 characters; CSV has them all]")
    about = {line[0].value: line[1].value for line in book["About"].iter_rows(max_row=11)}
    assert about["Cut cells"] == "1"

"""What a release holds, read by other people's programs."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import frictionless
import pandas as pd
import pytest
import yaml
from django.test import Client

from incidents.choices import State
from incidents.exports import parquet
from incidents.exports.columns import LISTS as COLUMNS
from incidents.exports.columns import NUMBER, WHOLE
from incidents.models import Incident, ReleaseBuild
from incidents.releases import making, tables
from tests.exports.reading import LISTS, flat, get
from tests.releases.conftest import address, body, folder, page


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_each_file_is_given_with_its_length_and_hash(released: ReleaseBuild) -> None:
    files = page()["build"]["files"]
    assert {file["path"] for file in files} == {
        str(path.relative_to(folder(released)))
        for path in folder(released).rglob("*")
        if path.is_file()
    }
    for file in files:
        response = Client().get(file["url"])
        data = body(response)
        assert response.status_code == 200, file
        assert (len(data), sha256(data)) == (file["bytes"], file["sha256"])
        assert response["ETag"] == f'"{file["sha256"]}"'
        assert response["Content-Type"] == file["media_type"]


def test_sums_are_those_that_sha256sum_reads(released: ReleaseBuild) -> None:
    checked = subprocess.run(
        ["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"],
        cwd=folder(released),
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    lines = (folder(released) / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == released.files.count() - 1


def test_the_package_is_valid(released: ReleaseBuild) -> None:
    path = folder(released) / "datapackage.json"
    content = json.loads(path.read_text())
    report = frictionless.Package(content, basepath=str(folder(released))).validate()
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "message"])[:5]
    tabular = [r for r in content["resources"] if r["profile"] == "tabular-data-resource"]
    assert {f"csv/{name}.csv" for name in LISTS} < {r["path"] for r in tabular}
    assert all(r["schema"]["fields"] for r in tabular)


def test_the_package_names_every_file_of_data(released: ReleaseBuild) -> None:
    content = json.loads((folder(released) / "datapackage.json").read_text())
    known = {r["path"]: r for r in content["resources"]}
    assert len({r["name"] for r in known.values()}) == len(known)
    for file in released.files.all():
        kind = file.path.rsplit(".", 1)[-1]
        if kind in ("csv", "ndjson", "geojson", "parquet"):
            resource = known.pop(file.path)
            assert resource["bytes"] == file.size
            assert resource["hash"] == f"sha256:{file.sha256}"
            if kind == "parquet":
                schema = json.loads((folder(released) / resource["schema"]).read_text())
                assert schema["fields"]
    assert not known
    assert content["build"]["harmtracker"] == released.software
    assert [source["title"] for source in content["sources"]]
    assert content["licenses"][0]["name"] == "CC-BY-4.0"


@pytest.mark.parametrize("name", LISTS)
def test_tables_say_what_the_api_says(released: ReleaseBuild, name: str) -> None:
    rows = flat(Client(), name)
    for row in rows:
        del row["link"]
    table = pd.read_csv(folder(released) / f"csv/{name}.csv")
    tagged = pd.read_csv(folder(released) / f"hxl/{name}.csv", skiprows=[1])
    pd.testing.assert_frame_equal(table, tagged)
    partitions = f"{folder(released)}/parquet/{name}/*/*/*.parquet"
    found = duckdb.sql(
        f"SELECT * EXCLUDE (published_at, link, geometry) "
        f"FROM read_parquet('{partitions}', hive_partitioning = true)"
    )
    by_duckdb = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    frame = pd.read_parquet(folder(released) / "parquet" / name)
    assert len(table) == len(by_duckdb) == len(frame) == len(rows)
    for column in (c.name for c in COLUMNS[name] if c.kind in (WHOLE, NUMBER)):
        of_api = sum(row[column] or 0 for row in rows)
        assert table[column].sum() == pytest.approx(of_api), column
        assert sum(row[column] or 0 for row in by_duckdb) == pytest.approx(of_api), column
        assert frame[column].sum() == pytest.approx(of_api), column
    key = ("position", "row") if name != "incidents" else ("position",)

    def place(row: dict[str, Any]) -> list[int]:
        return [row[part] for part in key]

    for one, other in zip(sorted(by_duckdb, key=place), sorted(rows, key=place), strict=True):
        assert (one["code"], one["title"], one["country"]) == (
            other["code"],
            other["title"],
            other["country"],
        )
        assert str(one["year"]) == other["date_earliest"][:4]


def test_rows_longer_than_what_is_read_at_once_are_whole(
    released: ReleaseBuild, people: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_FILE_BLOCK", 64)
    monkeypatch.setattr(parquet, "_GROUP_BYTES", 1)
    monkeypatch.setattr(tables, "_KEPT_BYTES", 64)
    again = making.release("2026.2", people.verifier, site="https://harm.example.org")
    for name in LISTS:
        usual, small = (
            pd.read_parquet(folder(build) / "parquet" / name).sort_values(
                ["position", *(["row"] if name != "incidents" else [])], ignore_index=True
            )
            for build in (released, again)
        )
        pd.testing.assert_frame_equal(small, usual)


def test_documents_and_points_are_those_of_the_api(released: ReleaseBuild) -> None:
    lines = (folder(released) / "documents.ndjson").read_bytes()
    assert lines == get(Client(), "incidents", "ndjson", "detail=document")
    ours = json.loads((folder(released) / "geojson/incidents.geojson").read_text())
    theirs = json.loads(get(Client(), "incidents", "geojson"))
    assert [f["geometry"] for f in ours["features"]] == [f["geometry"] for f in theirs["features"]]
    assert "software_version" not in ours
    assert ours["features"][0]["properties"]["link"].startswith("https://harm.example.org/api/v1/")


def test_the_citation_is_read(released: ReleaseBuild) -> None:
    citation = yaml.safe_load((folder(released) / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == "2026.1"
    assert citation["license"] == "CC-BY-4.0"
    assert citation["url"] == "https://harm.example.org/api/v1/releases/2026.1/"


def test_software_stands_in_one_file(released: ReleaseBuild) -> None:
    for file in released.files.exclude(path__in=["datapackage.json"]):
        if not file.path.startswith(("methodology/", "codelists/")):
            data = (folder(released) / file.path).read_bytes()
            assert b'"software_version"' not in data or file.path == "documents.ndjson"


def test_what_is_not_known_is_a_folder_of_its_own(
    committed: None, people: SimpleNamespace, files: Path, draft: Callable[..., Incident]
) -> None:
    draft(State.PUBLISHED, date_edtf="../2024-05-06")
    build = making.release("2026.1", people.verifier)
    name = f"country=MMR/year={tables.NOT_KNOWN}"
    assert (folder(build) / "parquet/incidents" / name / "part-0.parquet").exists()
    partitions = f"{folder(build)}/parquet/incidents/*/*/*.parquet"
    found = duckdb.sql(
        f"SELECT year, count(*) FROM read_parquet('{partitions}', hive_partitioning = true) "
        "GROUP BY year ORDER BY year NULLS LAST"
    ).fetchall()
    assert [(year and int(year), count) for year, count in found][-1] == (None, 1)


def test_an_old_address_shows_no_more_than_the_table(released: ReleaseBuild) -> None:
    (folder(released) / "notes.txt").write_text("left behind")
    assert Client().get(address(released, "notes.txt")).status_code == 404

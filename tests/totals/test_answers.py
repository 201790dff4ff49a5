"""What totals of the three incidents say, under every grouping, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from itertools import combinations
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.models.tally_sums import SIDE_BY_SIDE
from incidents.totals.grouping import GROUPINGS, clash
from incidents.totals.sums import FIGURES

pytestmark = pytest.mark.usefixtures("three")

API = "/api/v1/totals/"
CADETS, CAMP, WARD = 0, 1, 2


def ask(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(f"{API}?{query}")
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def figure(found: dict[str, Any]) -> str:
    """``28/29/33``; ``13/20/?+`` where the maximum is open."""
    bounds = ("?" if found[name] is None else str(found[name]) for name in ("min", "best", "max"))
    return "/".join(bounds) + ("+" if found["at_least"] else "")


def killed(row: dict[str, Any], bucket: str = "civilian") -> str:
    return figure(row["totals"]["killed"][bucket])


def by_value(client: Client, name: str, query: str = "", bucket: str = "civilian") -> Any:
    found = ask(client, f"group_by={name}&{query}".rstrip("&"))
    return {
        (row["labels"].get(name) or row["group"][name]): killed(row, bucket)
        for row in found["results"]
        if bucket in row["totals"].get("killed", {})
    }


KACHIN, CAMP_KILLED, WARD_KILLED = "30/31/37", "28/29/33", "2/2/3"
GROUPED = {
    "year": {"2014": "0/0/1", "2023": CAMP_KILLED, "2024": WARD_KILLED},
    "quarter": {"2014-Q4": "0/0/1", "2023-Q4": CAMP_KILLED, "2024-Q1": WARD_KILLED},
    "month": {"2014-11": "0/0/1", "2023-10": CAMP_KILLED, "2024-03": WARD_KILLED},
    "week": {"2014-W47": "0/0/1", "2023-W41": CAMP_KILLED, "2024-W10": WARD_KILLED},
    "country": {"Myanmar": KACHIN},
    "adm1": {"Kachin": KACHIN},
    "adm2": {"Myitkyina": KACHIN},
    "adm3": {"Waingmaw": KACHIN},
    "place": {
        "Woi Chyai Bum Officer Training School": "0/0/1",
        "Mung Lai Hkyet IDP camp": CAMP_KILLED,
        "Woichai ward": WARD_KILLED,
    },
    "grading": {
        "contested": CAMP_KILLED,
        "discounted": "0/0/1",
        "fair": WARD_KILLED,
    },
    "weapon_group": {
        "explosive, air-launched": CAMP_KILLED,
        "explosive, ground-launched": KACHIN,
        "explosive, launch unknown": CAMP_KILLED,
    },
    "actor": {
        "Myanmar army": KACHIN,
        "Light Infantry Battalion 389": "0/0/1",
        "Light Infantry Battalion 390": "0/0/1",
        "Garrison of Hkaya Bum": WARD_KILLED,
        "Garrison of Hpun Pyen Bum": WARD_KILLED,
    },
    "dataset": {"UCDP Georeferenced Event Dataset": "28/29/34", None: WARD_KILLED},
    "outcome": {"killed": KACHIN},
    "bucket": {"civilians": KACHIN},
    "status": {"civilian": KACHIN, "member of a non-State armed group": "?/?/?"},
    "role": {"cadet": "?/?/?", None: KACHIN},
    # What is left of 2 wholes that women were part of, and a whole of no sex.
    "sex": {"female": "11/?/?+", None: "0/?/26"},
    "age_group": {"adult (18 and over)": "11/?/?+", "child (under 18)": "11/12/14", None: "0/?/15"},
}


@pytest.mark.parametrize("name", GROUPED)
def test_civilians_killed_by(client: Client, name: str) -> None:
    assert by_value(client, name) == GROUPED[name]


def test_the_table_above_has_every_grouping() -> None:
    assert {*GROUPED} | {"weapon", "affiliation"} == {*GROUPINGS}


def test_the_cadets_are_no_civilians(client: Client) -> None:
    cadets = by_value(client, "role", bucket="combatant")
    assert cadets["cadet"] == "23/23/23"
    by_affiliation = by_value(client, "affiliation", bucket="combatant")
    assert by_affiliation["Ta'ang National Liberation Army"] == "11/11/11"
    assert by_affiliation["Arakan Army"] == "8/8/8"


def test_either_or_counts_once_in_the_total(client: Client) -> None:
    found = ask(client, "group_by=weapon&grading=contested")
    assert len(found["results"]) == 5
    assert {killed(row) for row in found["results"]} == {CAMP_KILLED}
    assert killed(found["total"]) == CAMP_KILLED
    either = {row["group"]["weapon"]: row["either_or"] for row in found["results"]}
    assert either == {"EXA-BOM": 1, "EXA-DRD": 1, "EXG-ART": 1, "EXG-MOR": 0, "EXU-UNS": 1}
    assert [row["shared"] for row in found["results"]] == [1] * 5
    assert (found["total"]["shared"], found["total"]["either_or"]) == (1, 1)


def test_actors_are_those_of_the_role_that_is_asked_for(client: Client) -> None:
    assert set(by_value(client, "actor", "actor_role=alleged_perpetrator")) == {*GROUPED["actor"]}
    confirmed = by_value(client, "actor", "actor_certainty=confirmed")
    assert confirmed == {"Myanmar army": "0/0/1"}


ALL = [*combinations(GROUPINGS, 1), *combinations(GROUPINGS, 2)]


@pytest.mark.parametrize("name", GROUPINGS)
def test_every_grouping_alone_and_with_every_other(client: Client, name: str) -> None:
    for other in (None, *GROUPINGS):
        names = (name,) if other is None else (name, other)
        if other == name or (other and GROUPINGS.index(other) < GROUPINGS.index(name)):
            continue
        query = f"group_by={','.join(names)}"
        if clash(names):
            assert client.get(f"{API}?{query}").status_code == 400
            continue
        found = ask(client, query)
        assert found["group_by"] == [*names]
        assert found["total"]["incidents"] == 3
        assert killed(found["total"]) == KACHIN
        assert found["results"]
        for row in found["results"]:
            assert [*row["group"]] == [*names]
            if "bucket" not in names:
                assert all({*SIDE_BY_SIDE} <= {*buckets} for buckets in row["totals"].values())
        values = [tuple(row["group"].values()) for row in found["results"]]
        assert len(set(values)) == len(values)


def test_three_together(client: Client) -> None:
    found = ask(client, "group_by=year,weapon_group,bucket&grading=contested")
    groups = {tuple(row["group"].values()): row for row in found["results"]}
    assert killed(groups["2023", "EXA", "civilian"]) == CAMP_KILLED
    # Nobody is uncertain, which is said.
    assert killed(groups["2023", "EXA", "uncertain"], "uncertain") == "?/?/?"
    assert groups["2023", "EXA", "uncertain"]["incidents"] == 0


def test_an_answer_says_what_it_is_of(client: Client) -> None:
    found = ask(client, "group_by=month&grading=fair&date_from=2024-01-01")
    assert found["position"] == 3
    assert found["query"] == "date_from=2024-01-01&grading=fair&group_by=month"
    assert found["date_match"] == "possible"
    assert found["left_out"] == {
        "aggregate_count": 0, "duplicate": 0, "merged": 0, "retracted": 0,
    }  # fmt: skip
    assert found["moment"] in found["citation"]
    assert found["query"] in found["citation"]
    assert "totals over incidents by month at ledger position 3" in found["citation"]
    assert any("lower bound" in rule for rule in found["rules"])


def test_without_a_grouping_there_is_the_total_alone(client: Client) -> None:
    found = ask(client)
    assert found["results"] == []
    assert killed(found["total"]) == KACHIN
    assert figure(found["total"]["totals"]["injured"]["civilian"]) == "57/58/77"
    assert found["total"]["could_move"] is None


def test_nothing_found_is_no_zero(client: Client) -> None:
    found = ask(client, "group_by=month&q=nothingofthekind")
    assert found["results"] == []
    assert (found["total"]["incidents"], found["total"]["totals"]) == (0, {})


@pytest.mark.parametrize(
    ("query", "field", "nearest"),
    [
        ("group_by=moth", "group_by", "month"),
        ("group_by=weapons", "group_by", "weapon"),
        ("group_by=age", "group_by", None),
        ("group_by=month,,adm1", "group_by", None),
        ("group_by=month,month", "group_by", None),
        ("group_by=year,adm1,sex,role", "group_by", None),
        ("group_by=week,month", "group_by", None),
        ("group_by=week,year", "group_by", None),
        ("group_by=", "group_by", None),
        ("group_by=year&group_by=adm1", "group_by", None),
        ("groupby=year", "groupby", "group_by"),
        ("grading=fare", "grading", "fair"),
        ("date_match=certain", "date_match", None),
        ("group_by=adm1&date_match=certain", "date_match", None),
        ("group_by=year&date_match=certian", "date_match", "certain"),
        ("date_from=2024-01-01&date_to=2023-01-01", "date_to", None),
        ("format=geojson", "format", None),
        ("format=cvs", "format", "csv"),
        ("format=xlsx&bom=true", "bom", None),
        ("limit=5", "limit", None),
        ("as_of=4", "as_of", None),
    ],
)
def test_refuses(client: Client, query: str, field: str, nearest: str | None) -> None:
    response = client.get(f"{API}?{query}")
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["field"] == field
    if nearest:
        assert error["nearest"] == nearest


def test_too_many_groups_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.totals.answers.MOST_GROUPS", 2)
    for query in ("group_by=year", "group_by=place,sex", "group_by=place&format=csv"):
        response = client.get(f"{API}?{query}")
        assert response.status_code == 400
        assert "narrow the filters" in response.json()["detail"]


@pytest.mark.parametrize(
    "query", ["", "group_by=year", "group_by=year,actor,sex", "group_by=outcome,bucket,weapon"]
)
def test_as_many_queries_however_many_groups(client: Client, query: str) -> None:
    with CaptureQueriesContext(connections["published"]) as queries:
        ask(client, query)
    # The position, its moment, names. Sums go by a cursor of their own.
    assert len(queries) <= 4


def test_an_answer_has_an_etag_of_what_it_is_of(client: Client) -> None:
    path = f"{API}?group_by=year&as_of=2"
    first = client.get(path)
    assert first.json()["total"]["incidents"] == 2
    assert client.get(path).content == first.content
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.get(f"{API}?group_by=year")["ETag"] != first["ETag"]
    assert client.get(f"{path}&format=csv")["ETag"] != first["ETag"]


# --- Files ---


def content(client: Client, query: str) -> bytes:
    response = client.get(f"{API}?{query}")
    assert response.status_code == 200
    assert response["Harmtracker-Position"] == "3"
    assert "at ledger position 3" in response["Harmtracker-Citation"]
    return b"".join(response.streaming_content)


QUERY = "group_by=year,actor"


def flat(client: Client, query: str) -> list[dict[str, Any]]:
    """Rows of the tables, as JSON has them."""
    found = ask(client, query)
    rows = []
    for row in [found["total"], *found["results"]]:
        for outcome, buckets in row["totals"].items():
            group = row.get("group", {})
            rows.append(
                {
                    "of": "group" if group else "total",
                    **{name: group.get(name) for name in found["group_by"]},
                    "outcome": outcome,
                    "incidents": row["incidents"],
                    "could_move": row["could_move"],
                    "shared": row["shared"],
                    **{
                        f"{bucket}_{name}": buckets[bucket][name]
                        for bucket in buckets
                        for name in FIGURES
                    },
                }
            )
    return rows


def test_csv_is_the_same(client: Client) -> None:
    rows = [*csv.DictReader(io.StringIO(content(client, f"{QUERY}&format=csv").decode()))]
    expected = flat(client, QUERY)
    assert len(rows) == len(expected)
    for came, row in zip(rows, expected, strict=True):
        text = {True: "true", False: "false", None: ""}
        for name, value in row.items():
            written = text[value] if value is None or isinstance(value, bool) else str(value)
            assert came[name] == written, name
        assert came["position"] == "3"
        assert came["query"] == "group_by=year%2Cactor"
        assert "at ledger position 3" in came["citation"]
    assert rows[0]["left_out_retracted"] == "0"
    assert content(client, f"{QUERY}&format=csv&bom=true").startswith(b"\xef\xbb\xbfof,")


def test_parquet_is_the_same(client: Client) -> None:
    table = pq.read_table(io.BytesIO(content(client, f"{QUERY}&format=parquet")))
    expected = flat(client, QUERY)
    rows = table.select([*expected[0]]).to_pylist()
    assert rows == expected
    about = json.loads(table.schema.metadata[b"harmtracker"])
    assert about["position"] == 3
    assert about["citation"] == ask(client, QUERY)["citation"]


def test_xlsx_is_the_same(client: Client) -> None:
    book = openpyxl.load_workbook(io.BytesIO(content(client, f"{QUERY}&format=xlsx")))
    names, *rows = book["totals"].iter_rows(values_only=True)
    expected = flat(client, QUERY)
    came = [dict(zip(names, row, strict=True)) for row in rows]
    assert [{name: row[name] for name in expected[0]} for row in came] == expected
    said = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert said["position"] == "3"
    assert said["citation"] == ask(client, QUERY)["citation"]


def test_accept_decides_without_format(client: Client) -> None:
    response = client.get(API, headers={"Accept": "text/csv"})
    assert response["Content-Type"].startswith("text/csv")
    assert client.head(f"{API}?format=parquet").status_code == 200

"""Each figure of a document in its own column, of every format: not known, none, and some."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from harmtracker.codes import code_list
from harmtracker.history.acting import acting
from incidents import services
from incidents.choices import Verb
from incidents.models import CasualtyCount, Incident
from incidents.models.rows import CLAIM_TOTALS, INCIDENT_GROUPS, INCIDENT_TOTALS
from tests.builders import take_a_step
from tests.exports import reading

pytestmark = pytest.mark.usefixtures("committed")

# Persons injured among civilians, by sex and age: at least and at most.
INJURED = {
    ("female", "adult"): (3, 4),
    ("male", "adult"): (5, 6),
    ("female", "child"): (1, 1),
    ("male", "child"): (2, None),
    ("all", "child"): (3, 5),
}
GROUPS: dict[str, tuple[int | None, int | None]] = {
    "injured_women": (3, 4),
    "injured_men": (5, 6),
    "injured_girls": (1, 1),
    "injured_boys": (2, None),
    "injured_children": (3, 5),
    # None of the women was killed; of the others nothing is said.
    "killed_women": (0, 0),
    "killed_men": (None, None),
    "killed_girls": (None, None),
    "killed_boys": (None, None),
    "killed_children": (None, None),
}


def add(incident: Incident, claim: Any, low: int | None, high: int | None, **fields: Any) -> None:
    best = low if low is not None else high
    for owner in (claim, None):
        qualifier = "exact" if low == high else "approximate"
        row = services.add_part(
            CasualtyCount, incident=incident, claim=owner, min=low, best=best, max=high,
            qualifier=qualifier, **fields,
        )  # fmt: skip
    services.add_basis(count=row, claim=claim, bound="best")


@pytest.fixture
def record(
    laid: Callable[..., Any], draft: Callable[..., Incident], people: SimpleNamespace
) -> Incident:
    """A figure of its own for each outcome and bucket, and groups of injured civilians."""
    found: Incident = laid("a record of every figure", lambda: of_every_figure(draft, people))
    return found


def of_every_figure(draft: Callable[..., Incident], people: SimpleNamespace) -> Incident:
    incident = draft()
    claim = incident.claims.get()
    statuses = {
        str(row.mappings["bucket"]): code for code, row in code_list("person_status").items()
    }
    figures = count(100, 10)
    with acting(people.researcher, "For a test"):
        for outcome in code_list("outcome"):
            for bucket, status in statuses.items():
                if bucket == "all" or (outcome, bucket) == ("killed", "civilian"):
                    continue
                status = "civilian" if bucket == "civilian" else status
                low: int | None = next(figures)
                high: int | None = low + 5
                if outcome == "missing":
                    low, high = 0, (0 if bucket == "civilian" else None)
                add(incident, claim, low, high, outcome=outcome, status=status)
        for (sex, age), (low, high) in INJURED.items():
            add(incident, claim, low, high, outcome="injured", status="civilian", sex=sex,
                age_group=age)  # fmt: skip
        add(incident, claim, 0, 0, outcome="killed", status="civilian", sex="female",
            age_group="adult")  # fmt: skip
    for verb, name in ((Verb.SUBMIT, "researcher"), (Verb.VERIFY, "verifier"),
                       (Verb.PUBLISH, "verifier")):  # fmt: skip
        incident = take_a_step(verb, incident_id=incident.pk, actor=getattr(people, name))
    return incident


def read(client: Client, name: str, form: str) -> list[dict[str, Any]]:
    data = reading.get(client, name, form)
    if form == "csv":
        frame = reading.by_pandas(data)
        return [
            {key: None if value != value else value for key, value in row.items()}
            for row in frame.to_dict("records")
        ]
    if form == "xlsx":
        head, *lines = reading.by_openpyxl(data)[0]
        names = [cell.value for cell in head]
        return [dict(zip(names, (c.value for c in line), strict=True)) for line in lines]
    if form == "parquet":
        found: list[dict[str, Any]] = pq.read_table(pa.BufferReader(data)).to_pylist()
        return found
    if form == "geojson":
        return [feature["properties"] for feature in json.loads(data)["features"]]
    return [json.loads(line) for line in io.BytesIO(data)]


def test_every_total_of_every_document_stands_in_its_column(
    client: Client, record: Incident
) -> None:
    documents = {row["code"]: row for row in read(client, "incidents", "ndjson&detail=document")}
    assert len(documents) == 4
    given = documents[record.code]["totals"]
    assert given["missing"]["civilian"] == {"min": 0, "best": 0, "max": 0, "at_least": False}
    assert len({str(total) for buckets in given.values() for total in buckets.values()}) > 20
    for form in ("csv", "xlsx", "parquet", "geojson"):
        for row in read(client, "incidents", form):
            totals = documents[row["code"]]["totals"]
            for column in INCIDENT_TOTALS:
                wanted = totals.get(column.outcome, {}).get(column.bucket, {}).get(column.bound)
                assert row[column.name] == wanted, (form, row["code"], column.name)
                assert wanted is None or row[column.name] is not None


def test_claims_have_what_their_own_rows_come_to(client: Client, record: Incident) -> None:
    totals = json.loads(client.get(f"/api/v1/incidents/{record.code}/").content)["totals"]
    for form in ("csv", "xlsx", "parquet", "ndjson"):
        (row,) = [row for row in read(client, "claims", form) if row["code"] == record.code]
        # The claim says just what is assessed.
        for column in CLAIM_TOTALS:
            wanted = totals[column.outcome][column.bucket][column.bound]
            assert row[column.name] == wanted, (form, column.name)


def test_groups_by_sex_and_age(client: Client, record: Incident) -> None:
    for form in ("csv", "xlsx", "parquet", "geojson"):
        (row,) = [row for row in read(client, "incidents", form) if row["code"] == record.code]
        found = {
            group: (row[f"{group}_min"], row[f"{group}_max"])
            for group in {f"{c.outcome}_{c.group}" for c in INCIDENT_GROUPS}
        }
        assert found == GROUPS, form


@pytest.mark.parametrize("bound", ["min", "best", "max"])
def test_filters_look_at_the_figure_of_the_column(
    client: Client, record: Incident, bound: str
) -> None:
    (row,) = [r for r in read(client, "incidents", "geojson") if r["code"] == record.code]
    for column in INCIDENT_TOTALS:
        if column.bound != bound or column.bucket == "protected":
            continue
        figure = row[column.name]
        for comparison, asked in (("gte", figure), ("lte", figure), ("gte", (figure or 0) + 1)):
            query = f"{column.name}__{comparison}={asked or 0}&code={record.code}"
            found = client.get(f"/api/v1/incidents/?{query}").json()["results"]
            assert bool(found) is (figure is not None and asked == figure), query

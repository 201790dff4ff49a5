"""The tables of docs/totals.md are what its addresses answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from incidents.totals.grouping import GROUPINGS

FILE = Path(__file__).parents[2] / "docs" / "totals.md"
PAGE = FILE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^    GET (/api/v1/totals/\S*)\n\n((?:\|.*\n)+)", PAGE, re.M)


def figure(found: dict[str, Any] | None) -> str:
    if found is None or not found["incidents"]:
        return ""
    bounds = ("?" if found[name] is None else str(found[name]) for name in ("min", "best", "max"))
    return " / ".join(bounds) + ("+" if found["at_least"] else "")


def cell(row: dict[str, Any], column: str) -> str:
    if column in row.get("group", {}):
        value = row["group"][column]
        return str(row["labels"].get(column) or value or "null")
    if column in GROUPINGS:
        return "total"
    if column in row:
        return str(row[column])
    outcome, _, bucket = column.partition(" ")
    bucket = bucket or row.get("group", {}).get("bucket", "all")
    return figure(row["totals"].get(outcome, {}).get(bucket))


def table(client: Client, address: str, columns: list[str]) -> list[list[str]]:
    answer = client.get(address).json()
    return [[cell(row, name) for name in columns] for row in [answer["total"], *answer["results"]]]


def cells(line: str) -> list[str]:
    return [text.strip() for text in line.strip().strip("|").split("|")]


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("address", "shown"), EXAMPLES)
def test_an_example(client: Client, address: str, shown: str) -> None:
    head, _, *rows = shown.splitlines()
    came = table(client, address, cells(head))
    # Groups of actors come by their ids, which are others each time.
    assert sorted(came) == sorted(cells(row) for row in rows)


def test_the_page_names_every_grouping() -> None:
    assert set(GROUPINGS) <= set(re.findall(r"[a-z0-9_]+", PAGE))

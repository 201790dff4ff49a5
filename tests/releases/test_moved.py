"""What a release says of each record that came, changed, was merged, went or came back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command

from incidents.choices import State
from incidents.models import Incident, ReleaseBuild
from incidents.releases import making
from tests.changes.conftest import count_again, retract
from tests.drafts import merge_into, publish_again
from tests.incidents.test_redaction import take
from tests.releases.conftest import folder

Draft = Callable[..., Incident]
TWO = {"min": 2, "best": 2, "max": 2, "at_least": False}
FIVE = {"min": 5, "best": 5, "max": 5, "at_least": False}


def told(build: ReleaseBuild) -> dict[str, dict[str, Any]]:
    """Code -> what the release says of it, which is one line each."""
    lines = (folder(build) / "changes/changes.ndjson").read_text().splitlines()
    found = {line["code"]: line for line in map(json.loads, lines)}
    assert len(found) == len(lines)
    return found


def figures(build: ReleaseBuild) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """Code, outcome and bucket -> min, best, max before and after, as the table has them."""
    with (folder(build) / "changes/figures.csv").open() as file:
        rows = [*csv.DictReader(file)]
    found = {
        (row["code"], row["outcome"], row["bucket"]): tuple(
            row[f"{side}_{bound}"] for side in ("from", "to") for bound in ("min", "best", "max")
        )
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def killed(line: dict[str, Any]) -> tuple[Any, Any]:
    (figure,) = [
        f for f in line["figures"] if (f["outcome"], f["bucket"]) == ("killed", "civilian")
    ]
    return figure["from"], figure["to"]


def two_releases(draft: Draft, people: SimpleNamespace) -> SimpleNamespace:
    names = ("corrected", "retitled", "merged", "retracted", "back", "again", "cut", "same")
    records = {name: draft(State.PUBLISHED, title=f"Shelling of {name}") for name in names}
    records["came_back"] = retract(draft(State.PUBLISHED), people)
    records["stayed_away"] = retract(draft(State.PUBLISHED), people)
    first = making.release("2026.1", people.verifier)

    count_again(records["corrected"], people, 4)
    count_again(records["corrected"], people, 5)
    publish_again(records["retitled"], people, title="Shelling of a hamlet")
    records["target"] = draft(title="Shelling of a town")
    merge_into(records["merged"], records["target"], people)
    retract(records["retracted"], people)
    # Away and back, with other figures and with the same.
    retract(records["back"], people)
    count_again(records["back"], people, 5)
    retract(records["again"], people)
    publish_again(records["again"], people, title="Shelling of again")
    publish_again(records["came_back"], people, title="Shelling of what came back")
    # Came and went, so that neither release has it.
    records["between"] = retract(draft(State.PUBLISHED), people)
    records["new"] = draft(State.PUBLISHED)
    for name in ("target", "new", "between"):
        records[name].refresh_from_db()
    second = making.release("2026.2", people.verifier)
    codes = {name: record.code for name, record in records.items()}
    return SimpleNamespace(first=first, second=second, codes=codes, records=records)


@pytest.fixture
def moved(
    laid_with_files: Callable[..., Any], draft: Draft, people: SimpleNamespace
) -> SimpleNamespace:
    """Two releases, and between them a record of every fate."""
    found: SimpleNamespace = laid_with_files("every fate", lambda: two_releases(draft, people))
    return found


WANTED: dict[str, tuple[str, int | None, int, Any]] = {
    # name: change, version in the release before, version now, killed from and to
    "corrected": ("corrected", 1, 3, (TWO, FIVE)),
    "retitled": ("corrected", 1, 2, None),
    "merged": ("merged", 1, 2, (TWO, None)),
    "target": ("added", None, 1, (None, TWO)),
    "retracted": ("retracted", 1, 2, (TWO, None)),
    "back": ("corrected", 1, 3, (TWO, FIVE)),
    "again": ("corrected", 1, 3, None),
    "came_back": ("added", None, 3, (None, TWO)),
    "new": ("added", None, 1, (None, TWO)),
}


def test_each_record_is_told_of_once_with_its_figures(moved: SimpleNamespace) -> None:
    lines, rows = told(moved.second), figures(moved.second)
    assert lines.keys() == {moved.codes[name] for name in WANTED}
    assert told(moved.first) == {}
    for name, (change, before, now, figure) in WANTED.items():
        line = lines[moved.codes[name]]
        assert (line["change"], line["from_version"], line["to_version"]) == (change, before, now)
        if figure is None:
            assert line["figures"] == [], name
        else:
            assert killed(line) == figure, name
            of_table = tuple(
                "" if side is None else str(side[bound])
                for side in figure
                for bound in ("min", "best", "max")
            )
            assert rows[line["code"], "killed", "civilian"] == of_table
    assert {key[0] for key in rows} == {c for c, line in lines.items() if line["figures"]}
    merged = lines[moved.codes["merged"]]
    assert merged["merged_into"] == moved.codes["target"]
    assert lines[moved.codes["retracted"]]["note"] == "It did not happen."
    assert [row for row in lines.values() if row["merged_into"]] == [merged]


def test_what_moved_is_the_difference_of_the_two_releases(moved: SimpleNamespace) -> None:
    """Documents before, and what is said to have moved, give the documents after."""

    def documents(build: ReleaseBuild) -> dict[str, dict[str, Any]]:
        lines = (folder(build) / "documents.ndjson").read_text().splitlines()
        return {line["code"]: line for line in map(json.loads, lines)}

    one, other = documents(moved.first), documents(moved.second)
    lines = told(moved.second)
    assert {c for c in {*one, *other} if one.get(c) != other.get(c)} == lines.keys()
    sums = {
        code: {(o, b): total for o, of in d["totals"].items() for b, total in of.items()}
        for code, d in one.items()
    }
    for code, line in lines.items():
        totals = sums.setdefault(code, {})
        assert (code in one) == (line["from_version"] is not None)
        assert (code in other) == (line["change"] in ("added", "corrected"))
        for figure in line["figures"]:
            key = figure["outcome"], figure["bucket"]
            assert totals.get(key) == figure["from"]
            totals.pop(key, None)
            if figure["to"] is not None:
                totals[key] = figure["to"]
        assert totals == {
            (o, b): total
            for o, of in other.get(code, {"totals": {}})["totals"].items()
            for b, total in of.items()
        }


def test_a_redaction_takes_texts_and_no_figures(
    moved: SimpleNamespace, people: SimpleNamespace
) -> None:
    before = told(moved.second), figures(moved.second)
    take(moved.records["retracted"], people, text="It did not happen")
    take(moved.records["cut"], people, text="Shelling of cut")
    again = making.rebuild("2026.2", people.verifier)
    lines = told(again)
    assert figures(again) == before[1]
    gone = moved.codes["retracted"]
    assert lines[gone].pop("note") is None
    assert before[0][gone].pop("note") is not None
    assert lines == before[0]
    # A redaction alone moved nothing.
    assert moved.codes["cut"] not in lines


def test_whatever_comes_after_it_comes_out_the_same(
    moved: SimpleNamespace, draft: Draft, people: SimpleNamespace
) -> None:
    count_again(moved.records["new"], people, 9)
    merge_into(moved.records["back"], draft(), people)
    retract(moved.records["same"], people)
    publish_again(moved.records["retracted"], people, title="Shelling after all")
    call_command("rebuild_published", verbosity=0)
    for build in (moved.first, moved.second):
        assert making.verify(build.release.name) == build

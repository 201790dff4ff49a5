"""The command: what it makes, what it refuses, and what a run leaves that is ended."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from harmtracker.errors import Conflict
from harmtracker.history.models import HistoryEntry
from incidents.models import Incident, LedgerHead, Release, ReleaseBuild
from incidents.releases import making, storage
from incidents.releases.making import Software
from tests.drafts import publish_again
from tests.releases.conftest import ROOT, folder, page


def run(*args: str) -> None:
    call_command("release", *args)


def test_a_release_is_made_and_listed(
    committed: None, people: SimpleNamespace, files: Path, capsys: Any
) -> None:
    assert Client().get(ROOT).json() == {"results": []}
    run("2026.1", "--by", "verifier", "--site", "https://harm.example.org/")
    run("--list")
    said = capsys.readouterr()
    assert "Release 2026.1, build 1, is written: ledger position 3" in said.out
    assert "2026.1    position 3          build 1" in said.out
    assert "CSV of claims" in said.err
    (listed,) = Client().get(ROOT).json()["results"]
    assert (listed["name"], listed["position"], listed["state"]) == ("2026.1", 3, "stands")
    assert listed["files"] == len(page()["build"]["files"])
    made = HistoryEntry.objects.get(table_name="incidents_release")
    assert made.actor == people.verifier
    assert not [p for p in files.iterdir() if p.name.startswith(".building")]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["2026.1"], "exists"),
        (["2026.2", "--position", "4"], "positions 1 to 3"),
        (["2026.2", "--position", "0"], "positions 1 to 3"),
        (["../x"], "year and number"),
        (["2026.0"], "year and number"),
        (["2026.2", "--site", "harm.example.org"], "A site is"),
        (["2026.2", "--rebuild"], "no release"),
        (["2026.2", "--verify"], "no release"),
        (["2026.1", "--rebuild"], "nothing to do"),
        ([], "Name a release"),
    ],
)
def test_refusals(released: ReleaseBuild, args: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*args, "--by", "verifier")
    assert Release.objects.count() == 1


@pytest.mark.parametrize("name", ["researcher", "administrator"])
def test_who_may_not(committed: None, files: Path, name: str) -> None:
    with pytest.raises(CommandError, match="You may not make a release"):
        run("2026.1", "--by", name)
    assert not Release.objects.exists()
    assert not storage.folder_of("2026.1", 1).exists()


def test_the_same_bytes_come_of_the_ledger_again(
    released: ReleaseBuild, people: SimpleNamespace, tmp_path: Path, monkeypatch: Any
) -> None:
    publish_again(Incident.objects.get(code="MMR-2023-0001"), people, title="Another title")
    monkeypatch.setattr(making, "software", lambda: Software("99.0", "1.0"))
    run("2026.1", "--verify")


def test_verify_names_what_comes_out_otherwise_and_the_versions(
    released: ReleaseBuild, monkeypatch: Any
) -> None:
    monkeypatch.setattr(making, "software", lambda: Software("99.0", "1.0"))
    monkeypatch.setattr(making.describing, "LICENCE_NAME", "other")
    with pytest.raises(Conflict, match=r"harmtracker 99.0 with pyarrow 1.0") as refused:
        making.verify("2026.1")
    assert "CITATION.cff: comes out otherwise" in refused.value.differences


def test_lost_files_come_back_with_their_hashes(
    released: ReleaseBuild, people: SimpleNamespace
) -> None:
    path = folder(released) / "csv/claims.csv"
    was = path.read_bytes()
    path.write_bytes(was[:-1] + b"x")
    with pytest.raises(Conflict, match="not whole") as refused:
        making.verify("2026.1")
    assert refused.value.differences == ["csv/claims.csv: has other bytes"]
    again = making.rebuild("2026.1", people.verifier)
    assert again == released
    assert path.read_bytes() == was


def test_a_run_that_was_ended_leaves_nothing_visible(
    committed: None, people: SimpleNamespace, files: Path, monkeypatch: Any
) -> None:
    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        # As a kill would have it: between the move and the rows, with nothing cleared away.
        patched.setattr(making.ReleaseText.objects, "using", killed)
        patched.setattr(storage, "remove", lambda name, number: None)
        with pytest.raises(KeyboardInterrupt):
            making.release("2026.1", people.verifier)
    assert storage.folder_of("2026.1", 1).exists()
    (files / ".building-left").mkdir()
    assert Client().get(ROOT).json() == {"results": []}
    assert Client().get(f"{ROOT}2026.1/").status_code == 404
    assert Client().get(f"{ROOT}2026.1/builds/1/SHA256SUMS").status_code == 404
    making.release("2026.2", people.verifier)
    assert not storage.folder_of("2026.1", 1).exists()
    assert not (files / ".building-left").exists()


def test_two_are_not_made_at_once(released: ReleaseBuild, people: SimpleNamespace) -> None:
    with storage.alone(), pytest.raises(Conflict, match="Another release is being made"):
        making.release("2026.2", people.verifier)


def test_an_earlier_position_and_what_moved_since(
    committed: None, people: SimpleNamespace, files: Path
) -> None:
    making.release("2026.1", people.verifier, position=2)
    head = LedgerHead.objects.using("default").get().size
    incident = Incident.objects.exclude(code=None).order_by("pk").first()
    assert incident is not None
    publish_again(incident, people, title="Another title")
    second = making.release("2026.2", people.verifier)
    assert second.release.position == head + 1
    first = Release.objects.get(name="2026.1")
    assert second.release.previous == first
    lines = (folder(second) / "changes/changes.ndjson").read_text().splitlines()
    changes = {(c["code"], c["change"]): c for c in map(json.loads, lines)}
    assert ("MMR-2014-0001", "corrected") in changes or incident.code in {c for c, _ in changes}
    added = [c for (_code, change), c in changes.items() if change == "added"]
    assert len(added) == 1
    assert all(figure["from"] is None for figure in added[0]["figures"])
    figures = (folder(second) / "changes/figures.csv").read_text().splitlines()
    assert len(figures) - 1 == sum(len(c["figures"]) for c in changes.values())
    assert page("2026.2")["previous"] == "2026.1"
    # Named after it, and before it in the ledger.
    third = making.release("2026.3", people.verifier, position=1)
    assert third.release.previous is None

"""A text that leaves: what held it is withdrawn at once, and another build comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from harmtracker.errors import Conflict, DomainError
from incidents.models import Incident, ReleaseBuild, ReleaseWithdrawal
from incidents.redaction import redact
from incidents.releases import making, storage
from tests.drafts import publish_again
from tests.incidents.test_redaction import NAME, WHY, told
from tests.releases.conftest import ROOT, address, body, folder, page

Draft = Callable[..., Incident]


def take_out(incident: Incident, people: SimpleNamespace) -> None:
    shown = redact(incident.pk, NAME, people.verifier, WHY, None, dry_run=True)
    redact(incident.pk, NAME, people.verifier, WHY, len(shown.values))


def status(url: str) -> int:
    response = Client().get(url)
    body(response)
    return int(response.status_code)


def bytes_of(build: ReleaseBuild) -> bytes:
    return b"".join(p.read_bytes() for p in folder(build).rglob("*") if p.is_file())


@pytest.fixture
def named(committed: None, files: Path, draft: Draft, people: SimpleNamespace) -> Incident:
    """A published record that says a name."""
    return told(draft, people)


def test_a_redaction_withdraws_and_another_build_comes(
    named: Incident, people: SimpleNamespace
) -> None:
    first = making.release("2026.1", people.verifier)
    hashes = dict(first.files.values_list("path", "sha256"))
    assert NAME.encode() in (folder(first) / "documents.ndjson").read_bytes()
    opened = (folder(first) / "documents.ndjson").open("rb", buffering=0)
    take_out(named, people)

    assert not folder(first).exists()
    assert opened.read() == b""
    opened.close()
    told_gone = Client().get(address(first, "documents.ndjson"))
    assert told_gone.status_code == 410
    problem = told_gone.json()
    assert problem["type"] == "/problems/withdrawn"
    assert problem["sha256"] == hashes["documents.ndjson"]
    assert problem["reason"] == WHY
    shown = page()
    assert (shown["state"], shown["build"]) == ("withdrawn", None)
    (withdrawn,) = shown["withdrawn"]
    assert {f["path"]: f["sha256"] for f in withdrawn["files"]} == hashes
    assert Client().get(ROOT).json()["results"][0]["state"] == "withdrawn"
    with pytest.raises(Conflict, match="withdrawn"):
        making.verify("2026.1")

    second = making.rebuild("2026.1", people.verifier)
    assert (second.number, second.redacted_at) == (2, withdrawn["position"] + 0)
    assert NAME.encode() not in bytes_of(second)
    assert page()["state"] == "stands"
    assert status(address(second, "documents.ndjson")) == 200
    assert status(address(first, "documents.ndjson")) == 410
    again = dict(second.files.values_list("path", "sha256"))
    assert again.keys() == hashes.keys()
    same = {path for path, digest in again.items() if hashes[path] == digest}
    assert {"CITATION.cff", "README.md", "codelists/grading.csv"} <= same
    assert any(path.startswith("parquet/incidents/") for path in same)
    assert "documents.ndjson" not in same
    making.verify("2026.1")


def test_the_withdrawal_is_of_the_redactions_transaction(
    named: Incident, people: SimpleNamespace
) -> None:
    build = making.release("2026.1", people.verifier)
    with transaction.atomic():
        take_out(named, people)
        assert ReleaseWithdrawal.objects.filter(build=build).exists()
        transaction.set_rollback(True)
    assert page()["state"] == "stands"
    assert status(address(build, "SHA256SUMS")) == 200


def test_a_release_that_never_held_it_stands(named: Incident, people: SimpleNamespace) -> None:
    before = making.release("2026.1", people.verifier, position=3)
    take_out(named, people)
    assert status(address(before, "SHA256SUMS")) == 200
    after = making.release("2026.2", people.verifier)
    assert NAME.encode() not in bytes_of(after)


def test_one_that_tells_what_moved_from_it_is_withdrawn_too(
    named: Incident, people: SimpleNamespace
) -> None:
    first = making.release("2026.1", people.verifier)
    publish_again(named, people, title="Nobody is named here")
    second = making.release("2026.2", people.verifier)
    publish_again(named, people, title="Nor here")
    third = making.release("2026.3", people.verifier)
    fourth = making.release("2026.4", people.verifier)
    take_out(named, people)
    gone = {w.build_id for w in ReleaseWithdrawal.objects.all()}
    assert {first.pk, second.pk} <= gone
    for build in (first, second, third, fourth):
        assert status(address(build, "SHA256SUMS")) == (410 if build.pk in gone else 200)


def test_a_redaction_while_the_files_are_written(
    named: Incident, people: SimpleNamespace, monkeypatch: Any
) -> None:
    written = making.write

    def write(*args: Any, **options: Any) -> Any:
        made = written(*args, **options)
        take_out(named, people)
        return made

    monkeypatch.setattr(making, "write", write)
    with pytest.raises(DomainError, match="write them again"):
        making.release("2026.1", people.verifier)
    assert Client().get(f"{ROOT}2026.1/").status_code == 404
    assert not storage.folder_of("2026.1", 1).exists()


def test_nothing_leaves_that_was_not_published(
    named: Incident, draft: Draft, people: SimpleNamespace
) -> None:
    hidden = "canary-7f3c9e1d5b2a4860"
    draft(title=f"A draft of {hidden}")
    Incident.objects.get(pk=named.pk)
    take_out(named, people)
    build = making.release("2026.1", people.verifier)
    whole = bytes_of(build)
    for word in (hidden, NAME, people.verifier.username, people.researcher.username):
        if word not in ("verifier", "researcher"):
            assert word.encode() not in whole, word

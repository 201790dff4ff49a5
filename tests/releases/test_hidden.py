"""What is hidden, and what was taken out, is in no file of a release and in no figure."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from harmtracker.errors import DomainError
from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.choices import Verb
from incidents.models import Claim, Dataset, Incident, ReleaseBuild
from incidents.releases import making
from incidents.totals.grouping import GROUPINGS
from sources.models import Article
from tests.builders import take_a_step
from tests.changes.conftest import head, retract
from tests.drafts import merge_into, publish_again
from tests.exports import reading
from tests.exports.test_hidden import WAYS, text_of
from tests.incidents.test_redaction import take
from tests.releases.conftest import folder
from tests.telling import tells
from tests.test_canary import Canaries, _published_record, plant_draft

ROOT = "/api/v1/"
POINT = (24.123456, 97.654321)
NUMBERS = ("24.1234", "97.6543", "33.33")


def to_the_public(incident: Incident, people: SimpleNamespace) -> Incident:
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
    ):
        incident = take_a_step(verb, incident_id=incident.pk, actor=actor)
    return incident


def of_a_closed_dataset(planted: Canaries, people: SimpleNamespace) -> Incident:
    """A record whose own makers forbid that it leaves: it waits, verified, and cannot go out."""
    with acting(people.researcher):
        closed = services.save(
            Dataset(
                slug=planted.plant("slug of a closed Dataset"),
                name=planted.plant("name of a closed Dataset"),
                licence=planted.plant("licence of a closed Dataset"),
                citation=planted.plant("citation of a closed Dataset"),
            )
        )
        incident = services.create_incident(
            author=people.researcher,
            title=planted.plant("title of a record of a closed dataset"),
            summary=planted.plant("summary of a record of a closed dataset"),
            date_edtf="2023-03-04",
            place=Incident.objects.get(code="MMR-2023-0001").place,
            grading="weak",
            dataset=closed,
        )
        services.add_part(
            Claim,
            incident=incident,
            article=Article.objects.exclude(url=None)[0],
            attributed_outlet=Article.objects.exclude(url=None)[0].outlet,
            paraphrase=planted.plant("claim of a record of a closed dataset"),
        )
    with pytest.raises(DomainError):
        to_the_public(incident, people)
    assert Incident.objects.get(pk=incident.pk).code is None
    return incident


@pytest.fixture
def world(committed: None, files: Path, people: SimpleNamespace) -> SimpleNamespace:
    """Records of every fate with hidden words in them, and words that will be taken out."""
    hidden, cut = Canaries(), Canaries()
    with acting(people.researcher, hidden.plant("reason of a change")):
        plant_draft(hidden, people)
        records = [_published_record(hidden, people) for _ in range(5)]
        kept = records[0]
        kept.title = f"Shelling of {cut.plant('title')}"
        kept.summary = cut.plant("summary")
        services.save(kept)
        claim = Claim.objects.get(incident=kept)
        claim.quotation = cut.plant("quotation")
        services.save(claim)
        services.add_victim(
            incident=kept,
            claims=[claim],
            names=[cut.plant("name with consent")],
            outcome="killed",
            consent_basis="family_consent",
        )
    of_a_closed_dataset(hidden, people)
    one, merged, gone, back = (to_the_public(record, people) for record in records[:4])
    first = making.release("2026.1", people.verifier, site="https://harm.example.org")
    one = publish_again(one, people, title=f"Raid of {cut.plant('corrected title')}")
    with acting(people.researcher):
        target = _published_record(hidden, people)
    merge_into(merged, target, people)
    retract(gone, people)
    retract(back, people)
    publish_again(back, people, title="Shelling, as others say too")
    second = making.release("2026.2", people.verifier, site="https://harm.example.org")
    # A correction that is being worked on, and one that waits for its verifier.
    with acting(people.researcher):
        workflow.take_step(
            Verb.REOPEN,
            incident_id=back.pk,
            actor=people.researcher,
            reason=hidden.plant("reason to reopen"),
        )
        Incident.objects.filter(pk=back.pk).update(title=hidden.plant("title being worked on"))
    return SimpleNamespace(
        hidden=hidden, cut=cut, one=one, codes=[r.code for r in (one, merged, gone, back)],
        builds=[first, second],
    )  # fmt: skip


def files_of(build: ReleaseBuild) -> Iterator[tuple[str, bytes]]:
    client = Client()
    page = client.get(f"{ROOT}releases/{build.release.name}/").json()
    for file in page["build"]["files"]:
        yield file["path"], reading.body(client.get(file["url"]))
    on_disk = {str(p.relative_to(folder(build))) for p in folder(build).rglob("*") if p.is_file()}
    assert on_disk == {file["path"] for file in page["build"]["files"]}


def addresses(world: SimpleNamespace) -> Iterator[str]:
    """Every answer in which figures, changes or former states are told."""
    for name in GROUPINGS:
        for form in ("json", "csv", "xlsx", "parquet"):
            yield f"totals/?group_by={name}&format={form}"
    yield from ("changes/?limit=1000", "changes/?format=ndjson", "changes/atom/?limit=100")
    yield from ("changes/?country=MMR&limit=1000", "changes/atom/?country=MMR")
    for name, form, query in WAYS:
        yield f"{name}/?format={form}&{query}".rstrip("&")
    for code in world.codes:
        yield f"incidents/{code}/"
        yield f"incidents/{code}/versions/"
        yield from (f"incidents/{code}/versions/{number}/" for number in (1, 2, 3))
        yield from (f"incidents/{code}/diff/?from={a}&to={b}" for a in (1, 2) for b in (2, 3))
    yield from ("incidents/facets/", "places/", "actors/", "outlets/", "articles/")


def form_of(address: str) -> str:
    if ".parquet" in address or "=parquet" in address:
        return "parquet"
    return "xlsx" if "=xlsx" in address else "text"


def everything(world: SimpleNamespace, builds: list[ReleaseBuild]) -> dict[str, str]:
    """Where -> all that it says: bodies unpacked, headers too."""
    found = {}
    for build in builds:
        for path, data in files_of(build):
            found[f"{build} {path}"] = text_of(form_of(path), data)
            for number in POINT:
                assert struct.pack("<d", number) not in data, path
    client = Client()
    for position in ("", *range(1, head() + 1)):
        for address in addresses(world):
            if position and ("format=" in address or position % 4):
                continue
            mark = "&" if "?" in address else "?"
            answer = client.get(f"{ROOT}{address}{position and f'{mark}as_of={position}'}")
            assert answer.status_code < 500, address
            data = b"".join(answer.streaming_content) if answer.streaming else answer.content
            where = f"{address} {position}"
            found[where] = f"{text_of(form_of(address), data)} {dict(answer.headers)}"
    for where, text in found.items():
        assert world.hidden.found_in(text) == [], where
        assert not any(number in text for number in NUMBERS), where
        assert "verifier" not in text or "methodology" in where or "codelists" in where, where
    return found


KINDS: dict[str, Callable[[str], bool]] = {
    "a file of documents": lambda where: "documents.ndjson" in where,
    "CSV": lambda where: " csv/" in where,
    "HXL": lambda where: " hxl/" in where,
    "GeoJSON": lambda where: " geojson/" in where,
    "Parquet": lambda where: " parquet/" in where,
    "lists": lambda where: where.startswith(("incidents/?", "claims/?", "victims/?")),
    "changes": lambda where: where.startswith("changes/"),
    "the feed": lambda where: where.startswith("changes/atom/"),
    "differences": lambda where: "/diff/" in where,
    "former states": lambda where: where[-1].isdigit(),
}


def told(found: dict[str, str], words: Canaries) -> dict[str, set[str]]:
    """Kind of answer -> which of the words are told there."""
    return {
        kind: {hit for where, text in found.items() if is_of(where) for hit in words.found_in(text)}
        for kind, is_of in KINDS.items()
    }


def test_no_release_and_no_figure_holds_what_is_hidden(
    world: SimpleNamespace, people: SimpleNamespace
) -> None:
    before = everything(world, world.builds)
    shown = told(before, world.cut)
    assert all(shown.values()), shown
    assert set.union(*shown.values()) == {*world.cut.planted.values()}
    assert any("24.1" in text for where, text in before.items() if "parquet/incidents" in where)

    for word in world.cut.planted:
        take(world.one, people, text=word)
    builds = [making.rebuild(build.release.name, people.verifier) for build in world.builds]
    assert [build.number for build in builds] == [2, 2]
    after = everything(world, builds)
    for where, text in after.items():
        assert world.cut.found_in(text) == [], where
    # What was withdrawn is told of by its hash and is nowhere.
    client = Client()
    for build in world.builds:
        for file in build.files.all():
            url = f"{ROOT}releases/{build.release.name}/builds/1/{file.path}"
            answer: Any = client.get(url)
            assert (answer.status_code, answer.json()["sha256"]) == (410, file.sha256)
            text = answer.content.decode()
            assert not world.cut.found_in(text)
            assert not tells(text, "zqcanary")

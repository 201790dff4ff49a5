"""What the database holds about imports, whichever way a write comes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents.importers import reviewing
from incidents.importers.ucdp_import import import_file
from incidents.models import Claim, Dataset, ImportBatch, ImportedRow, Incident
from tests.importers.files import row, write
from tests.rules import JARGON, refusal, rule, run

pytestmark = pytest.mark.django_db(databases=["default", "owner"])
World = SimpleNamespace
STATE = "UPDATE incidents_importbatch SET state = %s, verified_by_id = %s WHERE id = %s"


def batch_of(world: World, **fields: Any) -> ImportBatch:
    values = {
        "dataset": Dataset.objects.get(slug="ucdp-ged"),
        "file_name": "a.csv",
        "file_sha256": "0" * 64,
        "layout": "ged-49",
        "columns": ["id"],
        "importer": world.people.researcher,
        **fields,
    }
    return ImportBatch(**values)


@pytest.fixture
def world(tmp_path: Path, people: SimpleNamespace) -> World:
    """A batch that waits, and one that is being imported."""
    world = World(people=people)
    report = import_file(write(tmp_path, row(id="1"), row(id="2")), people.researcher)
    assert report.batch is not None
    world.batch = report.batch
    world.kept = ImportedRow.objects.filter(batch=world.batch).first()
    with acting(people.researcher, "For a test"):
        world.open = batch_of(world)
        world.open.save()
    return world


def row_of(world: World, **fields: Any) -> None:
    original = fields.pop("original", b"x")
    values = {
        "batch": world.open,
        "line": 1,
        "original": original,
        "original_sha256": hashlib.sha256(original).hexdigest(),
        "outcome": "refused",
        **fields,
    }
    ImportedRow.objects.create(**values)


def move(world: World, **fields: Any) -> None:
    ImportBatch.objects.filter(pk=world.batch.pk).update(**fields)


def move_open(world: World, **fields: Any) -> None:
    ImportBatch.objects.filter(pk=world.open.pk).update(**fields)


def close_and_begin(world: World, **fields: Any) -> None:
    """Another batch, after the one that is open was submitted."""
    with acting(world.people.researcher, "For a test"):
        move_open(world, state="submitted")
        batch_of(world, **fields).save()


def verified(world: World) -> None:
    """As the verifier: the records, so that the batch may follow."""
    reviewing.verify(world.batch.uuid, world.people.verifier)


def in_name_of(world: World, name: str, field: str, **fields: Any) -> None:
    move(world, **fields, **{field: getattr(world.people, name)})


Write = Callable[[World], object]
# Rule, who acts, what breaks it, and a near miss that is taken (where there is one by one write).
STEPS: list[tuple[str, str, Write, Write | None]] = [
    (
        "incidents_importbatch_origin_stays",
        "researcher",
        lambda w: move_open(w, file_sha256="1" * 64),
        lambda w: move_open(w, lines_done=3),
    ),
    (
        "incidents_importbatch_state_by_step",
        "researcher",
        lambda w: move(w, state="importing"),
        lambda w: move_open(w, state="submitted"),
    ),
    (
        "incidents_importbatch_in_own_name",
        "verifier",
        lambda w: in_name_of(w, "other_verifier", "verified_by", state="verified"),
        verified,
    ),
    (
        "incidents_importbatch_of_its_records",
        "verifier",
        lambda w: in_name_of(w, "verifier", "verified_by", state="verified"),
        verified,
    ),
    (
        "incidents_importbatch_returned_says_why",
        "verifier",
        lambda w: move(w, state="returned", reason=" "),
        lambda w: move(w, state="returned", reason="Wrong file"),
    ),
    (
        "incidents_importbatch_begins",
        "verifier",
        lambda w: batch_of(w, importer=w.people.verifier).save(),
        None,
    ),
    (
        "incidents_importbatch_one_at_a_time",
        "researcher",
        lambda w: batch_of(w).save(),
        close_and_begin,
    ),
    (
        "incidents_importbatch_sha256_is_hex",
        "researcher",
        lambda w: close_and_begin(w, file_sha256="X" * 64),
        close_and_begin,
    ),
    (
        "incidents_importbatch_uuid_key",
        "researcher",
        lambda w: close_and_begin(w, uuid=w.batch.uuid),
        close_and_begin,
    ),
    (
        "incidents_importbatch_lines_done_check",
        "researcher",
        lambda w: close_and_begin(w, lines_done=-1),
        close_and_begin,
    ),
    (
        "incidents_importedrow_line_check",
        "researcher",
        lambda w: row_of(w, line=-1),
        row_of,
    ),
    (
        "incidents_importedrow_line_once",
        "researcher",
        lambda w: (row_of(w), row_of(w)),
        lambda w: (row_of(w), row_of(w, line=2)),
    ),
    (
        "incidents_importedrow_outcome_is_known",
        "researcher",
        lambda w: row_of(w, outcome="lost", incident=w.kept.incident),
        row_of,
    ),
    (
        "incidents_importedrow_refused_without_record",
        "researcher",
        lambda w: row_of(w, incident=w.kept.incident),
        row_of,
    ),
    (
        "incidents_importedrow_hash",
        "researcher",
        lambda w: row_of(w, original_sha256="0" * 64),
        row_of,
    ),
    (
        "incidents_importedrow_by_importer",
        "researcher",
        lambda w: row_of(w, batch=w.batch, line=99),
        row_of,
    ),
    (
        "incidents_importedrow_claim_of_record",
        "researcher",
        lambda w: row_of(
            w,
            outcome="created",
            incident=w.kept.incident,
            claim=Claim.objects.exclude(incident=w.kept.incident).first(),
        ),
        lambda w: row_of(w, outcome="created", incident=w.kept.incident, claim=w.kept.claim),
    ),
]


@pytest.mark.parametrize(("name", "by", "bad", "good"), [pytest.param(*s, id=s[0]) for s in STEPS])
def test_a_write_that_breaks_the_rule_is_refused_and_its_near_miss_taken(
    world: World, name: str, by: str, bad: Write, good: Write | None
) -> None:
    person = getattr(world.people, by)
    refused = refusal(partial(bad, world), person)
    assert refused is not None
    assert refused.rule == name
    assert not JARGON.search(refused.message)
    if good is not None:
        assert rule(partial(good, world), person) is None


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("incidents_importbatch_state_is_known", {"state": "lost"}),
        ("incidents_importbatch_says_who", {"state": "verified"}),
        ("incidents_importbatch_four_eyes", {"state": "verified", "verified_by": "researcher"}),
        (
            "incidents_importbatch_four_eyes",
            {"state": "published", "verified_by": "verifier", "published_by": "researcher"},
        ),
    ],
)
def test_a_rule_holds_even_without_the_guard_before_it(
    people: SimpleNamespace, name: str, fields: dict[str, str]
) -> None:
    world = World(people=people)
    values = {
        key: getattr(world.people, value) if key.endswith("_by") else value
        for key, value in fields.items()
    }
    with transaction.atomic(using="owner"):
        run("ALTER TABLE incidents_importbatch DISABLE TRIGGER incidents_importbatch_begins",
            using="owner")  # fmt: skip
        other = Dataset.objects.get(slug="harmtracker")
        written = batch_of(world, dataset_id=other.pk, **values)
        found = rule(lambda: written.save(using="owner"), world.people.researcher, using="owner")
        transaction.set_rollback(True, using="owner")
    assert found == name


def test_an_import_is_begun_in_ones_own_name(people: SimpleNamespace) -> None:
    """As the key of one import at a time is of a dataset, of one that has none."""
    batch = batch_of(World(people=people), dataset=Dataset.objects.get(slug="harmtracker"))
    assert rule(batch.save, people.other_researcher) == "incidents_importbatch_in_own_name"
    assert rule(batch.save, people.researcher) is None


def test_raw_sql_does_not_verify_in_the_importers_name(world: World) -> None:
    """Whoever holds the application's connection, as the importer or in another's name."""
    researcher, verifier = world.people.researcher, world.people.verifier
    for by, named in ((researcher, researcher), (researcher, verifier), (verifier, researcher)):
        write = partial(run, STATE, ["verified", named.pk, world.batch.pk])
        assert rule(write, by) in (
            "incidents_importbatch_in_own_name",
            "incidents_importbatch_four_eyes",
        )
    # Nor does a review of one of its records.
    incident = Incident.objects.get(pk=world.kept.incident_id)
    sql = (
        "INSERT INTO incidents_review (incident_id, verb, actor_id, revision, reason, content, "
        "content_sha256) VALUES (%s, 'verify', %s, %s, '', '{}', "
        "encode(sha256('{}'::bytea), 'hex'))"
    )
    values = [incident.pk, researcher.pk, incident.revision.number]
    assert rule(partial(run, sql, values), researcher) == "incidents_review_by_who_may"


KEPT = {
    **{
        ("incidents_importbatch", operation): "incidents_importbatch_never_deleted"
        for operation in ("DELETE", "TRUNCATE")
    },
    **{
        ("incidents_importedrow", operation): "incidents_importedrow_only_grows"
        for operation in ("UPDATE", "DELETE", "TRUNCATE")
    },
}
STATEMENTS = {
    "UPDATE": "UPDATE {} SET line = 1",
    "DELETE": "DELETE FROM {}",
    "TRUNCATE": "TRUNCATE {} CASCADE",
}


@pytest.mark.parametrize(
    ("table", "operation", "name"),
    [pytest.param(*key, name, id=f"{name}_{key[1].lower()}") for key, name in KEPT.items()],
)
def test_what_was_imported_is_not_removed_even_by_the_owner(
    people: SimpleNamespace, table: str, operation: str, name: str
) -> None:
    sql = STATEMENTS[operation].format(table)
    found = rule(partial(run, sql, using="owner"), people.verifier, using="owner")
    # Emptying a batch would empty its rows, and either says no.
    assert found in {name, "incidents_importedrow_only_grows"}
    with pytest.raises(DatabaseError), transaction.atomic():
        run(sql)


HISTORY = {
    f"incidents_importbatch_history_{event}": event for event in ("insert", "update", "delete")
}
TRIGGERS = {
    "incidents_importbatch_guard",
    "incidents_importedrow_guard",
    *HISTORY,
    *(f"{name}_{operation.lower()}" for (_, operation), name in KEPT.items()),
}
TESTED = (
    {step[0] for step in STEPS}
    | set(KEPT.values())
    | {
        "incidents_importbatch_state_is_known",
        "incidents_importbatch_says_who",
        "incidents_importbatch_four_eyes",
    }
)


@pytest.mark.parametrize("name", [n for n, event in HISTORY.items() if event != "delete"])
def test_every_change_of_a_batch_leaves_an_entry(world: World, name: str) -> None:
    entries = HistoryEntry.objects.filter(
        table_name="incidents_importbatch",
        row_id=world.batch.pk,
        operation=HISTORY[name].upper(),
    )
    assert entries.exists()
    assert {entry.actor for entry in entries} == {world.people.researcher}

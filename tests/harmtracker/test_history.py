"""Whoever changes evidence, on whatever way, leaves one entry each, and none can be taken back."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connections, models, transaction

from harmtracker import grants
from harmtracker.accounts.models import User
from harmtracker.errors import DomainError, Invalid, translated
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents.choices import State
from incidents.models import Incident, IncidentRevision, Place
from sources.models import Article
from tests import builders
from tests.rules import insert_by_sql, refusal, run, switch_off

pytestmark = pytest.mark.django_db(databases=["default", "published", "owner"])

# What makes up a record.
PARTS = [
    "incidents_furtherplace",
    "incidents_externalid",
    "incidents_incidentlink",
    "incidents_claim",
    "incidents_casualtycount",
    "incidents_countbasis",
    "incidents_weaponuse",
    "incidents_involvement",
    "incidents_victim",
    "incidents_victimclaim",
]
SHARED = [
    "incidents_place",
    "incidents_actor",
    "incidents_dataset",
    "sources_outlet",
    "sources_article",
    "sources_capture",
    "sources_custodyentry",
    "sources_confidentialsource",
    "sources_reveal",
]
TRACKED = ["incidents_incident", *PARTS, "incidents_reviewcomment", *SHARED]
TRIGGERS = (
    {f"{table}_history_{event}" for table in TRACKED for event in ("insert", "update", "delete")}
    | {f"{table}_edited_{event}" for table in PARTS for event in ("insert", "update", "delete")}
    | {"incidents_incident_begins_revisions", "incidents_incident_edited_update"}
    | {f"history_only_grows_{event}" for event in ("update", "delete", "truncate")}
)


# --- One row of each table, whose dependencies are stored on the connection that is asked ---

Store = Callable[[models.Model], Any]


def _storing(using: str) -> Store:
    def store(row: models.Model) -> models.Model:
        insert_by_sql(row, using=using)
        return row

    return store


def _unsaved(table: str, incident: Incident, store: Store, by: User) -> models.Model:
    article = Article.objects.select_related("outlet").order_by("pk")[0]

    def claim() -> models.Model:
        return builders.claim(incident, article=article, save=False)

    make: dict[str, Callable[[], models.Model]] = {
        "incidents_incident": lambda: builders.incident(author=by, save=False),
        "incidents_furtherplace": lambda: builders.further_place(
            incident, place=Place.objects.get(slug="mmr002"), save=False
        ),
        "incidents_externalid": lambda: builders.external_id(
            incident, dataset=store(builders.dataset(save=False)), save=False
        ),
        "incidents_incidentlink": lambda: builders.link(incident, save=False),
        "incidents_claim": claim,
        "incidents_casualtycount": lambda: builders.count(incident, save=False),
        "incidents_countbasis": lambda: builders.basis(
            incident,
            count=store(builders.count(incident, sex="male", save=False)),
            claim=store(claim()),
            save=False,
        ),
        "incidents_weaponuse": lambda: builders.weapon_use(incident, save=False),
        "incidents_involvement": lambda: builders.involvement(
            incident, actor=store(builders.actor(save=False)), save=False
        ),
        "incidents_victim": lambda: builders.victim(incident, save=False),
        "incidents_victimclaim": lambda: builders.victim_claim(
            incident,
            victim=store(builders.victim(incident, save=False)),
            claim=store(claim()),
            save=False,
        ),
        "incidents_reviewcomment": lambda: builders.comment(incident, author=by, save=False),
        "incidents_place": lambda: builders.place(save=False),
        "incidents_actor": lambda: builders.actor(save=False),
        "incidents_dataset": lambda: builders.dataset(save=False),
        "sources_outlet": lambda: builders.outlet(save=False),
        "sources_article": lambda: builders.article(outlet=article.outlet, save=False),
        "sources_capture": lambda: builders.capture(by=by, article=article, save=False),
        "sources_custodyentry": lambda: builders.custody_entry(
            by=by, capture=store(builders.capture(by=by, article=article, save=False)), save=False
        ),
        "sources_confidentialsource": lambda: builders.confidential_source(
            outlet=store(builders.outlet(save=False)), save=False
        ),
        "sources_reveal": lambda: builders.reveal(
            by=by,
            source=store(
                builders.confidential_source(outlet=store(builders.outlet(save=False)), save=False)
            ),
            save=False,
        ),
    }
    return make[table]()


# The column that an edit changes, and to what.
EDIT: dict[str, tuple[str, Any]] = {
    "incidents_incident": ("title", "Another"),
    "incidents_furtherplace": ("place_id", 1),  # the country
    "incidents_externalid": ("value", "another"),
    "incidents_incidentlink": ("kind", "part_of"),
    "incidents_claim": ("note", "Another"),
    "incidents_casualtycount": ("reported_text", "two"),
    "incidents_countbasis": ("reason", "Another"),
    "incidents_weaponuse": ("reported_text", "shells"),
    "incidents_involvement": ("reported_text", "soldiers"),
    "incidents_victim": ("note", "Another"),
    "incidents_victimclaim": ("claim_id", None),  # another claim of the same record
    "incidents_reviewcomment": ("text", "Another"),
    "incidents_place": ("name", "Another"),
    "incidents_actor": ("name", "Another"),
    "incidents_dataset": ("name", "Another"),
    "sources_outlet": ("name", "Another"),
    "sources_article": ("title", "Another"),
    "sources_capture": ("tool", "another"),
    "sources_custodyentry": ("purpose", "another"),
    "sources_confidentialsource": ("key_name", "fedcba9876543210"),
    "sources_reveal": ("reason", "another"),
}
# What another trigger refuses first. Switched off by the owner, the history still holds it.
FIRST = {
    **{
        (table, "DELETE"): f"{table}_never_deleted_delete"
        for table in [*SHARED, "incidents_incident"]
        if table not in ("sources_capture", "sources_custodyentry", "sources_reveal")
    },
    ("sources_capture", "UPDATE"): "sources_capture_never_altered_update",
    ("sources_capture", "DELETE"): "sources_capture_never_altered_delete",
    ("sources_custodyentry", "UPDATE"): "sources_custodyentry_only_grows_update",
    ("sources_custodyentry", "DELETE"): "sources_custodyentry_only_grows_delete",
    ("sources_reveal", "UPDATE"): "sources_reveal_only_grows_update",
    ("sources_reveal", "DELETE"): "sources_reveal_only_grows_delete",
}


def _manager(row: models.Model) -> Any:
    return type(row)._base_manager.filter(pk=row.pk)


def _save(row: models.Model, column: str, value: Any) -> None:
    setattr(row, column, value)
    row.save()


def _bulk_update(row: models.Model, column: str, value: Any) -> None:
    setattr(row, column, value)
    field = column.removesuffix("_id")
    type(row)._base_manager.bulk_update([row], [field])


def _update_by_sql(row: models.Model, column: str, value: Any, using: str = "default") -> None:
    table = row._meta.db_table
    run(f'UPDATE {table} SET "{column}" = %s WHERE id = %s', [value, row.pk], using=using)


def _delete_by_sql(row: models.Model, using: str = "default") -> None:
    run(f"DELETE FROM {row._meta.db_table} WHERE id = %s", [row.pk], using=using)


INSERTS: dict[str, Callable[[models.Model], object]] = {
    "save": lambda row: row.save(),
    "bulk_create": lambda row: type(row)._base_manager.bulk_create([row]),
    "sql": insert_by_sql,
    "owner": partial(insert_by_sql, using="owner"),
}
UPDATES: dict[str, Callable[[models.Model, str, Any], object]] = {
    "save": _save,
    "update": lambda row, column, value: _manager(row).update(**{column: value}),
    "bulk_update": _bulk_update,
    "sql": _update_by_sql,
    "owner": partial(_update_by_sql, using="owner"),
}
DELETES: dict[str, Callable[[models.Model], object]] = {
    "delete": lambda row: row.delete(),
    "queryset": lambda row: _manager(row).delete(),
    "sql": _delete_by_sql,
    "owner": partial(_delete_by_sql, using="owner"),
}
REQUEST = uuid.UUID(int=7)


def _ways(operation: str, ways: Any) -> list[Any]:
    """Each table with each path on which it is not refused beforehand."""
    right = {"INSERT": "INSERT", "UPDATE": "UPDATE", "DELETE": "DELETE"}[operation]
    return [
        pytest.param(table, path, id=f"{table}_history_{operation.lower()}-{path}")
        for table in TRACKED
        for path in ways
        if path == "owner" or right in grants.APP[table]
    ]


def _last(using: str) -> int:
    return int(run("SELECT max(id) FROM history_historyentry", using=using)[0][0])


def _entries(since: int, using: str, table: str) -> list[HistoryEntry]:
    """What was written since, but for the custody entry that a copy brings along."""
    found = HistoryEntry.objects.using(using).filter(pk__gt=since)
    return [e for e in found if e.table_name == table or table != "sources_capture"]


def _as_json(row: models.Model, using: str) -> Any:
    table = row._meta.db_table
    found = run(f"SELECT to_jsonb(t)::text FROM {table} t WHERE id = %s", [row.pk], using=using)
    return HistoryEntry._meta.get_field("after").from_db_value(  # type: ignore[attr-defined]
        found[0][0], None, connections[using]
    )


@pytest.fixture
def stored(people: SimpleNamespace) -> Callable[..., models.Model]:
    """A row of a table of a new draft, on the connection that is asked; inside acting()."""

    def store(table: str, using: str, *, save: bool = True) -> models.Model:
        first = builders.incident(author=people.researcher, save=False)
        insert_by_sql(first, using=using)
        row = _unsaved(table, first, _storing(using), people.researcher)
        if save:
            insert_by_sql(row, using=using)
            row.refresh_from_db(using=using)
        return row

    return store


Stored = Callable[..., models.Model]


def _other_value(table: str, row: Any, using: str) -> Any:
    if table != "incidents_victimclaim":
        return EDIT[table][1]
    other = builders.claim(row.incident, article=row.claim.article, save=False)
    insert_by_sql(other, using=using)
    return other.pk


def _switch_off_first(table: str, operation: str) -> None:
    first = FIRST.get((table, operation))
    if first is not None:
        switch_off(table, first)


@pytest.mark.parametrize(("table", "path"), _ways("INSERT", INSERTS))
def test_a_row_that_is_added_leaves_one_entry(
    people: SimpleNamespace, stored: Stored, table: str, path: str
) -> None:
    using = "owner" if path == "owner" else "default"
    with acting(people.researcher, "New", request_id=REQUEST, using=using):
        row = stored(table, using, save=False)
        since = _last(using)
        INSERTS[path](row)
        (entry,) = _entries(since, using, table)
        assert (entry.table_name, entry.row_id, entry.operation) == (table, row.pk, "INSERT")
        assert (entry.before, entry.after) == (None, _as_json(row, using))
        _assert_is_signed(entry, people.researcher, "New", row, using)


@pytest.mark.parametrize(("table", "path"), _ways("UPDATE", UPDATES))
def test_a_row_that_is_changed_leaves_one_entry_and_an_idle_update_none(
    people: SimpleNamespace, stored: Stored, table: str, path: str
) -> None:
    using = "owner" if path == "owner" else "default"
    if using == "owner":
        _switch_off_first(table, "UPDATE")
    with acting(people.researcher, "Typo", request_id=REQUEST, using=using):
        row = stored(table, using)
        column, value = EDIT[table][0], _other_value(table, row, using)
        before, since = _as_json(row, using), _last(using)
        UPDATES[path](row, column, value)
        (entry,) = _entries(since, using, table)
        assert (entry.table_name, entry.row_id, entry.operation) == (table, row.pk, "UPDATE")
        assert (entry.before, entry.after) == (before, _as_json(row, using))
        assert entry.changed_fields() == {column: (before[column], value)}
        _assert_is_signed(entry, people.researcher, "Typo", row, using)
        UPDATES[path](row, column, value)
        assert _last(using) == entry.pk


@pytest.mark.parametrize(("table", "path"), _ways("DELETE", DELETES))
def test_a_row_that_is_removed_leaves_one_entry(
    people: SimpleNamespace, stored: Stored, table: str, path: str
) -> None:
    using = "owner" if path == "owner" else "default"
    if using == "owner":
        _switch_off_first(table, "DELETE")
        if table == "sources_capture":
            switch_off(table, "sources_capture_into_custody")
    with acting(people.researcher, "Twice", request_id=REQUEST, using=using):
        row = stored(table, using)
        before, since, key = _as_json(row, using), _last(using), row.pk
        if table == "incidents_incident":
            run("DELETE FROM incidents_incidentrevision WHERE incident_id = %s", [key], using=using)
        DELETES[path](row)
        (entry,) = _entries(since, using, table)
        assert (entry.table_name, entry.row_id, entry.operation) == (table, key, "DELETE")
        assert (entry.before, entry.after) == (before, None)
        row.pk = key
        _assert_is_signed(entry, people.researcher, "Twice", row, using)


def _assert_is_signed(
    entry: HistoryEntry, by: User, why: str, row: models.Model, using: str
) -> None:
    assert (entry.actor_id, entry.reason, entry.request_id) == (by.pk, why, REQUEST)
    ((transaction_id, now),) = run(
        "SELECT pg_current_xact_id()::text::bigint, clock_timestamp()", using=using
    )
    assert entry.transaction_id == transaction_id
    assert 0 <= (now - entry.at).total_seconds() < 60
    table = row._meta.db_table
    incident = (
        None if table in SHARED else row.pk if table == "incidents_incident" else row.incident_id
    )  # type: ignore[attr-defined]
    assert entry.incident_id == incident


def test_a_statement_over_many_rows_leaves_an_entry_for_each(people: SimpleNamespace) -> None:
    with acting(people.administrator, "Spelling"):
        since = _last("default")
        changed = Place.objects.filter(level="adm1").update(protected_reason="-")
        entries = _entries(since, "default", "")
    assert changed > 1
    assert len({entry.row_id for entry in entries}) == len(entries) == changed


# --- Somebody answers for it ---

UNSIGNED = [
    pytest.param(table, operation, id=f"{table}_history_{operation.lower()}")
    for table in TRACKED
    for operation in ("INSERT", "UPDATE", "DELETE")
]


@pytest.mark.parametrize(("table", "operation"), UNSIGNED)
def test_a_write_that_nobody_answers_for_is_refused(
    people: SimpleNamespace, stored: Stored, table: str, operation: str
) -> None:
    using = "default" if operation in grants.APP[table] else "owner"
    if using == "owner":
        _switch_off_first(table, operation)
    with acting(people.researcher, "For a test", using=using):
        row = stored(table, using, save=operation != "INSERT")
        value = _other_value(table, row, using) if operation == "UPDATE" else None
    write: dict[str, Callable[[], None]] = {
        "INSERT": lambda: insert_by_sql(row, using=using),
        "UPDATE": lambda: _update_by_sql(row, EDIT[table][0], value, using),
        "DELETE": lambda: _delete_by_sql(row, using),
    }
    with (
        pytest.raises(Invalid) as refused,
        translated(),
        transaction.atomic(using=using),
    ):
        write[operation]()
    # Which of the rules that want a person is met first depends on the table.
    assert refused.value.rule in {
        "history_actor_is_set",
        "incidents_incidentrevision_counts_edits",
        f"{table}_in_own_name",
    }


def test_the_inner_person_acts_and_then_the_outer_one_again(people: SimpleNamespace) -> None:
    since = _last("default")
    with acting(people.researcher, "Outer", request_id=REQUEST):
        builders.dataset()
        with acting(people.verifier, "Inner"):
            builders.dataset()
        builders.dataset()
        with pytest.raises(Invalid), acting(people.verifier, "Lost"):
            builders.dataset(name=None)
        builders.dataset()
    signed = [(e.actor.username, e.reason, e.request_id) for e in _entries(since, "default", "")]
    outer = ("researcher", "Outer", REQUEST)
    assert signed == [outer, ("verifier", "Inner", None), outer, outer]


def test_nobody_acts_after_the_last_one(people: SimpleNamespace) -> None:
    with acting(people.researcher):
        builders.dataset()
    with pytest.raises(DatabaseError, match="nobody is set as acting"), transaction.atomic():
        builders.dataset()


def test_a_user_who_is_not_stored_cannot_act() -> None:
    with pytest.raises(ValueError, match="stored user"), acting(User(username="nobody")):
        pass


def test_a_person_whom_the_history_does_not_know_cannot_act(people: SimpleNamespace) -> None:
    with pytest.raises(Invalid), acting(User(pk=10**9)):
        builders.dataset()


# --- Revisions ---


def _revision(incident: Any) -> int:
    return IncidentRevision.objects.get(incident=incident).number


def _of(row: Any) -> Incident:
    incident: Incident = row if isinstance(row, Incident) else row.incident
    return incident


_RECORD = "incidents_incident_begins_revisions-incidents_incident_edited_update"
_PART = "{0}_edited_insert-{0}_edited_update-{0}_edited_delete"


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("incidents_incident", id=_RECORD),
        *(pytest.param(table, id=_PART.format(table)) for table in PARTS),
    ],
)
def test_each_statement_that_edits_a_record_moves_its_revision_by_one(
    people: SimpleNamespace, stored: Stored, table: str
) -> None:
    with acting(people.researcher, "For a test"):
        row = stored(table, "default", save=False)
        if table == "incidents_incident":
            row.save()
            assert _revision(row) == 1
        else:
            start = _revision(_of(row))
            row.save()
            assert _revision(_of(row)) == start + 1
        column, value = EDIT[table][0], _other_value(table, row, "default")
        start = _revision(_of(row))
        for _ in range(2):  # the second changes nothing
            _update_by_sql(row, column, value)
            assert _revision(_of(row)) == start + 1
        if table != "incidents_incident":
            incident = _of(row)
            row.delete()
            assert _revision(incident) == start + 2


def test_a_statement_over_many_parts_is_one_edit_of_each_record(people: SimpleNamespace) -> None:
    with acting(people.researcher, "For a test"):
        one, two = (builders.incident(author=people.researcher) for _ in range(2))
        claims = [builders.claim(incident) for incident in (one, one, two)]
        before = _revision(one), _revision(two)
        type(claims[0]).objects.filter(pk__in=[c.pk for c in claims]).update(note="Seen")
        assert (_revision(one), _revision(two)) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(
    "table", [pytest.param(table, id=f"{table}_stays_with_its_record") for table in PARTS]
)
def test_a_part_is_not_moved_to_another_record(
    people: SimpleNamespace, stored: Stored, table: str
) -> None:
    with acting(people.researcher, "For a test"):
        row: Any = stored(table, "default")
        other = builders.incident(author=people.researcher)
    move = partial(_update_by_sql, row, "incident_id")
    refused = refusal(partial(move, other.pk), people.researcher)
    assert refused is not None
    assert refused.rule == f"{table}_stays_with_its_record"
    assert refusal(partial(move, row.incident_id), people.researcher) is None


@pytest.mark.parametrize("table", TRACKED)
def test_the_key_of_a_row_never_changes(
    people: SimpleNamespace, stored: Stored, table: str
) -> None:
    using = "default" if "UPDATE" in grants.APP[table] else "owner"
    if using == "owner":
        _switch_off_first(table, "UPDATE")
    with acting(people.researcher, "For a test", using=using):
        row = stored(table, using)
        renumber = partial(_update_by_sql, row, "id", using=using)
        refused = refusal(partial(renumber, 10**9), people.researcher, using=using)
        assert refused is not None
        assert refused.rule == "history_key_never_changes"
        assert refusal(partial(renumber, row.pk), people.researcher, using=using) is None


def test_shared_records_remarks_and_steps_are_no_edit_of_a_record(people: SimpleNamespace) -> None:
    with acting(people.researcher, "For a test"):
        place = builders.place()
        incident = builders.incident(author=people.researcher, place=place)
        builders.claim(incident)
        before = _revision(incident)
        Place.objects.filter(pk=place.pk).update(name="Another")
        builders.comment(incident, author=people.researcher)
        builders.take_to(incident, State.SUBMITTED, people)
    assert _revision(incident) == before


@pytest.mark.parametrize("state", [State.VERIFIED, State.PUBLISHED, State.RETRACTED])
def test_the_content_stays_as_it_was_verified(
    people: SimpleNamespace, stored: Stored, state: State
) -> None:
    """Every part, by every operation and path, and the record's own columns."""
    rows: dict[str, Any] = {}
    values: dict[str, Any] = {}
    by = people.researcher
    with acting(by, "For a test"):
        incident = builders.incident(author=by)
        for table in PARTS:
            rows[table] = _unsaved(table, incident, _storing("default"), by)
            rows[table].save()
            values[table] = _other_value(table, rows[table], "default")
        victim, claim = builders.victim(incident), builders.claim(incident)
        place, actor, dataset = builders.place(), builders.actor(), builders.dataset()
    count = rows["incidents_casualtycount"]
    new = partial(partial, save=False)
    fresh: dict[str, Callable[[], models.Model]] = {
        "incidents_furtherplace": new(builders.further_place, incident, place=place),
        "incidents_externalid": new(builders.external_id, incident, dataset=dataset),
        "incidents_incidentlink": new(builders.link, incident, kind="part_of"),
        "incidents_claim": new(builders.claim, incident, article=claim.article),
        "incidents_casualtycount": new(builders.count, incident, sex="female"),
        "incidents_countbasis": new(builders.basis, incident, count=count, claim=claim),
        "incidents_weaponuse": new(builders.weapon_use, incident, platform="vehicle"),
        "incidents_involvement": new(builders.involvement, incident, actor=actor),
        "incidents_victim": new(builders.victim, incident),
        "incidents_victimclaim": new(builders.victim_claim, incident, victim=victim, claim=claim),
    }
    incident.refresh_from_db()
    builders.take_to(incident, state, people)

    outcomes = {}
    for table, row in rows.items():
        for path in ("save", "bulk_create", "sql"):
            outcomes[table, "INSERT", path] = refusal(
                lambda table=table, path=path: INSERTS[path](fresh[table]()), by
            )
        for path in ("save", "update", "bulk_update", "sql"):
            outcomes[table, "UPDATE", path] = refusal(
                lambda table=table, row=row, path=path: UPDATES[path](
                    _again(row), EDIT[table][0], values[table]
                ),
                by,
            )
        for path in ("delete", "queryset", "sql"):
            outcomes[table, "DELETE", path] = refusal(
                lambda row=row, path=path: DELETES[path](_again(row)), by
            )
    for path in ("save", "update", "bulk_update", "sql"):
        outcomes["incidents_incident", "UPDATE", path] = refusal(
            lambda path=path: UPDATES[path](_again(incident), "internal_note", "Another"), by
        )
    assert {key: outcome and outcome.rule for key, outcome in outcomes.items()} == dict.fromkeys(
        outcomes, "incidents_incident_edited_as_draft"
    )


def _again(row: models.Model) -> models.Model:
    return type(row)._base_manager.get(pk=row.pk)


# --- The history itself ---


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE history_historyentry SET reason = 'none'",
        "DELETE FROM history_historyentry",
        "TRUNCATE history_historyentry",
    ],
    ids=lambda sql: f"history_only_grows_{sql.split()[0].lower()}",
)
def test_even_the_owner_only_adds_to_the_history(people: SimpleNamespace, sql: str) -> None:
    refused = refusal(partial(run, sql, using="owner"), people.verifier, using="owner")
    assert refused is not None
    assert refused.rule == "history_only_grows"


TAMPERING = [
    "UPDATE history_historyentry SET reason = 'none'",
    "DELETE FROM history_historyentry",
    "TRUNCATE history_historyentry",
    "INSERT INTO history_historyentry SELECT * FROM history_historyentry",
    "SELECT setval(pg_get_serial_sequence('history_historyentry', 'id'), 1)",
    "ALTER TABLE history_historyentry OWNER TO CURRENT_USER",
    "DROP TABLE history_historyentry CASCADE",
    "DROP TRIGGER incidents_claim_history_update ON incidents_claim",
    "ALTER TABLE incidents_claim DISABLE TRIGGER ALL",
    "ALTER TABLE incidents_claim DISABLE TRIGGER incidents_claim_history_update",
    "CREATE TRIGGER mine AFTER INSERT ON incidents_claim EXECUTE FUNCTION history_record('id')",
    "CREATE OR REPLACE FUNCTION history_record() RETURNS trigger LANGUAGE plpgsql "
    "AS 'BEGIN RETURN NULL; END'",
    "CREATE FUNCTION history_record(x text) RETURNS text LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION history_record() RESET ALL",
    "DROP FUNCTION history_record() CASCADE",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "SET SESSION AUTHORIZATION {owner}",
    "CREATE TEMP TABLE history_historyentry (id bigint)",
    "CREATE TEMP TABLE incidents_incident AS SELECT 1",
    "CREATE TABLE public.another (id bigint)",
    "CREATE SCHEMA shadow",
    "ALTER DATABASE {database} SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER SUPERUSER",
]


@pytest.mark.parametrize("sql", TAMPERING)
def test_the_application_cannot_tamper_with_the_history(sql: str) -> None:
    owner = connections["owner"].settings_dict["USER"]
    database = connections["default"].settings_dict["NAME"]
    with (
        pytest.raises(DatabaseError, match=r"permission denied|must be|[Oo]nly roles"),
        transaction.atomic(),
    ):
        run(sql.format(owner=owner, database=database))


def test_the_application_grants_itself_nothing() -> None:
    run("GRANT ALL ON history_historyentry TO CURRENT_USER")  # a warning, and no grant
    assert _denied("UPDATE history_historyentry SET reason = 'none'", "default")


def test_a_search_path_of_ones_own_does_not_lead_the_history_astray(
    people: SimpleNamespace,
) -> None:
    with acting(people.researcher, "For a test"):
        place = builders.place()
        since = _last("default")
        run("SET LOCAL search_path = pg_temp, public")
        Place.objects.filter(pk=place.pk).update(name="Another")
        assert [entry.row_id for entry in _entries(since, "default", "")] == [place.pk]


@pytest.mark.parametrize("alias", ["default", "published"])
def test_the_serving_roles_own_nothing_and_hold_what_the_table_of_grants_says(alias: str) -> None:
    owned = run(
        "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' "
        "AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = current_user)",
        using=alias,
    )
    assert owned == [(0,)]
    ((role,),) = run("SELECT current_user", using=alias)
    assert role in grants.roles()
    assert grants.differences(connections[alias], role) == []


def _tables() -> list[str]:
    return [
        row[0]
        for row in run(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') "
            "AND relnamespace = 'public'::regnamespace ORDER BY 1"
        )
    ]


def _denied(sql: str, using: str) -> bool:
    try:
        with transaction.atomic(using=using):
            run(sql, using=using)
    except DatabaseError as error:
        return "permission denied" in str(error) or "read-only" in str(error)
    return False


def test_the_public_role_reads_what_is_published_and_nothing_else() -> None:
    readable = {
        table for table in _tables() if not _denied(f"SELECT 1 FROM {table} LIMIT 1", "published")
    }
    assert readable == set(grants.PUBLIC)
    assert {"incidents_incident", "history_historyentry", "accounts_user"} & readable == set()


def test_the_public_role_writes_nothing() -> None:
    for table in _tables():
        for sql in (
            f"INSERT INTO {table} DEFAULT VALUES",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            assert _denied(sql, "published"), sql


def test_every_table_has_a_line_of_grants() -> None:
    assert set(_tables()) == set(grants.APP)


# --- Texts ---

TEXTS = [
    " leading and trailing ",
    "line\nline\r\nline\ttab",
    "composed é and decomposed e\u0301",
    "မြန်မာ \u1019\u103c\u1014\u103a zawgyi \u1031\u1019",
    "zero\u200bwidth\u200djoiner\ufeff",
    "\u202eright to left\u202c שלום",
    "\u2028line separator\u2029",
    "\U0001f54a\ufe0f \U00010900",
    "'quotes\" \\ back\\nslash %s {} $$ ; --",
    "escapes \\u0001 \\b \\\\f \\\\\\u001f",
    "＝１＋１ fullwidth",
    "a" * 100_000,
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_text_is_kept_byte_by_byte_in_the_record_and_in_the_history(
    people: SimpleNamespace, text: str
) -> None:
    with acting(people.researcher, text[:100]):
        incident = builders.incident(author=people.researcher, summary=text)
        since = _last("default")
        Incident.objects.filter(pk=incident.pk).update(internal_note=text)
    incident.refresh_from_db()
    assert (incident.summary, incident.internal_note) == (text, text)
    (entry,) = _entries(since, "default", "")
    assert entry.after is not None
    assert (entry.after["summary"], entry.after["internal_note"]) == (text, text)
    assert entry.reason == text[:100]
    ((length,),) = run(
        "SELECT octet_length(summary) FROM incidents_incident WHERE id = %s", [incident.pk]
    )
    assert length == len(text.encode())


@pytest.mark.parametrize("text", ["nul \x00", "lone surrogate \ud800"])
def test_a_text_that_cannot_be_kept_is_refused(people: SimpleNamespace, text: str) -> None:
    with pytest.raises((ValueError, DomainError)), acting(people.researcher):
        builders.incident(author=people.researcher, summary=text)


NOT_TEXT = [1, 7, 8, 0x0B, 0x0C, 0x0E, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9F, 0xFFFE, 0xFFFF]
AROUND = ["{}", "before {} after", "\\{}", "\\\\{}", "line\n{}\ttab", "မြန်မာ{}"]
NOT_TEXTS = [
    *(AROUND[i % len(AROUND)].format(chr(code)) for i, code in enumerate(NOT_TEXT)),
    *(around.format("\x08") for around in AROUND),
]


def _copied(row: models.Model, using: str) -> None:
    """Add a row by COPY, as a restore or an import by the owner does."""
    columns = [f for f in row._meta.concrete_fields if not f.generated and f.name != "id"]
    names = ", ".join(f'"{f.column}"' for f in columns)
    values = [f.get_db_prep_save(f.pre_save(row, True), connections[using]) for f in columns]
    statement = f"COPY {row._meta.db_table} ({names}) FROM STDIN"
    with (
        connections[using].wrap_database_errors,
        connections[using].cursor() as cursor,
        cursor.connection.cursor().copy(statement) as copy,
    ):
        copy.write_row(values)


@pytest.mark.parametrize("path", ["save", "bulk_create", "sql", "copy", "update"])
def test_history_text_is_text_on_every_path(people: SimpleNamespace, path: str) -> None:
    def write(text: str) -> None:
        row = builders.incident(author=people.researcher, save=path == "update")
        if path == "update":
            _update_by_sql(row, "summary", text)
        else:
            row.summary = text
            {**INSERTS, "copy": partial(_copied, using="default")}[path](row)

    for text in NOT_TEXTS:
        refused = refusal(partial(write, text), people.researcher)
        assert refused is not None, ascii(text)
        assert refused.rule == "history_text_is_text"
        assert "take it out" in refused.message
    for text in ["tab\t line\r\n", "\\b \\u0001 \\\\f", "\u00a0\ufffd\u200b\u202e"]:
        assert refusal(partial(write, text), people.researcher) is None


def test_history_text_is_text_in_lists_in_json_and_in_reasons(people: SimpleNamespace) -> None:
    by = people.researcher
    for bad, good in (("\x1f", "\t"), ("\x9f", "\xa0")):
        for text, rule in ((bad, "history_text_is_text"), (good, None)):
            writes = [
                lambda text=text: builders.place(other_names=["one", text]),
                lambda text=text: builders.capture(by=by, http_headers={"a": [{text: text}]}),
            ]
            for write in writes:
                refused = refusal(write, by)
                assert (refused and refused.rule) == rule
    with pytest.raises(Invalid, match="take it out"), transaction.atomic(), acting(by, "\x01"):
        builders.place()
    with acting(by, "\t"):
        builders.place()


def test_a_bad_text_from_before_the_rule_can_be_mended(people: SimpleNamespace) -> None:
    with acting(people.researcher, "For a test", using="owner"):
        run("ALTER TABLE history_historyentry DROP CONSTRAINT history_text_is_text", using="owner")
        place = builders.place(name="A \x01 name", save=False)
        insert_by_sql(place, using="owner")
        migration = importlib.import_module("harmtracker.history.migrations.0003_text_is_text")
        run("SET CONSTRAINTS ALL IMMEDIATE", using="owner")
        run(migration.ADD, using="owner")
        Place.objects.using("owner").filter(pk=place.pk).update(name="A name")
        assert Place.objects.using("owner").get(pk=place.pk).name == "A name"
    transaction.set_rollback(True, using="owner")

"""Every column that holds a code is checked against its list by the trigger of its table."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connections, models

from harmtracker.codes import CodeArrayField, CodeField, code_list
from harmtracker.models import Code
from sources.models import Article
from tests import builders
from tests.rules import insert_by_sql, refusal, run, switch_off

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


def code_fields() -> Iterator[tuple[str, CodeField | CodeArrayField]]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, CodeField | CodeArrayField):
                yield model._meta.db_table, field


FIELDS = list(code_fields())
TABLES = sorted({table for table, _ in FIELDS})
TRIGGERS = {f"{table}_codes_{event}" for table in TABLES for event in ("insert", "update")}


@pytest.mark.enumeration
def test_the_trigger_of_each_table_names_each_code_and_its_list() -> None:
    declared = {
        (
            table,
            event,
            f"{field.column}{'[]' if isinstance(field, CodeArrayField) else ''}={field.code_list}",
        )
        for table, field in FIELDS
        for event in ("INSERT", "UPDATE")
    }
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT t.tgrelid::regclass::text, t.tgname, encode(t.tgargs, 'escape') "
            "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'codes_known'"
        )
        held = {
            (table, name.rsplit("_", 1)[1].upper(), argument)
            for table, name, arguments in cursor.fetchall()
            for argument in re.split(r"\\000", arguments)
            if argument
        }
    assert held == declared


@pytest.mark.parametrize("name", sorted({field.code_list for _, field in FIELDS}))
def test_the_database_holds_the_list_as_its_file_has_it(name: str) -> None:
    held = Code.objects.filter(list=name).order_by("position").values_list("code", "parent")
    assert list(held) == [(code.code, code.parent) for code in code_list(name).values()]


Make = Callable[..., models.Model]


def of_incident(builder: Callable[..., models.Model], **fixed: Any) -> Make:
    return lambda people, **values: builder(
        values.pop("incident", None) or builders.incident(author=people.researcher),
        **{**fixed, **values},
    )


MAKE: dict[str, Make] = {
    "incidents_incident": lambda people, **v: builders.incident(
        author=people.researcher, local_time=datetime.time(6), **v
    ),
    "incidents_place": lambda people, **v: builders.place(**v),
    "incidents_actor": lambda people, **v: builders.actor(**v),
    "incidents_claim": of_incident(builders.claim),
    "incidents_casualtycount": of_incident(builders.count),
    "incidents_countbasis": of_incident(builders.basis),
    "incidents_weaponuse": of_incident(builders.weapon_use),
    "incidents_involvement": of_incident(builders.involvement),
    "incidents_victim": of_incident(builders.victim),
    "incidents_incidentlink": of_incident(builders.link),
    "sources_outlet": lambda people, **v: builders.outlet(**v),
    "sources_capture": lambda people, **v: builders.capture(
        by=people.researcher, article=Article.objects.all()[0], **v
    ),
}
# Where another trigger refuses first. Without it the codes are checked all the same.
FIRST = {
    ("incidents_incident", "state", "insert"): "incidents_incident_state_guard",
    ("incidents_incident", "state", "update"): "incidents_incident_state_guard",
    ("sources_capture", "kind", "update"): "sources_capture_never_altered_update",
}
# An answer to a warning has to be of one that is open, whose rule is of the list, and is never
# updated: both are refused before its code is looked at.
REFUSED_BEFORE = {"incidents_warninganswer"}
TRIED = [
    pytest.param(table, field, operation, id=f"{table}_codes_{operation}-{field.column}")
    for table, field in FIELDS
    if table not in REFUSED_BEFORE
    for operation in ("insert", "update")
]


def test_each_table_with_codes_is_tried() -> None:
    assert sorted({*MAKE} | REFUSED_BEFORE) == TABLES


@pytest.mark.parametrize(("table", "field", "operation"), TRIED)
def test_an_unknown_code_is_refused_in_raw_sql(
    people: SimpleNamespace, table: str, field: CodeField | CodeArrayField, operation: str
) -> None:
    unknown = ["unknown", "no-such-code"]
    value = unknown if isinstance(field, CodeArrayField) else unknown[1]
    first = FIRST.get((table, field.column, operation))
    using = "owner" if first else "default"

    def write() -> None:
        if first:
            switch_off(table, first)
        values = {field.attname: value} if operation == "insert" else {}
        row = MAKE[table](people, save=False, **values)
        insert_by_sql(row, using=using)
        if operation == "update":
            sql = f'UPDATE {table} SET "{field.column}" = %s WHERE id = %s'
            run(sql, [value, row.pk], using=using)

    refused = refusal(write, people.researcher, using=using)
    assert refused is not None
    assert refused.rule == f"{table}_codes_known"
    assert "no-such-code" in refused.message
    assert refused.message.endswith(".")


def test_a_known_code_is_taken(people: SimpleNamespace) -> None:
    for make in MAKE.values():
        assert refusal(partial(make, people), people.researcher) is None

"""What the database holds, and which of its rules refuses a write."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db import connections, models, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import DatabaseDefault

from harmtracker import grants
from harmtracker.accounts.models import User
from harmtracker.errors import DomainError
from harmtracker.history.acting import acting

OURS = "^(accounts|incidents|sources|history|harmtracker)_"


def constraints(cursor: CursorWrapper) -> dict[str, str]:
    """Every CHECK, UNIQUE and key over several columns of our tables: name -> table."""
    cursor.execute(
        "SELECT conname, conrelid::regclass::text FROM pg_constraint "
        "WHERE conrelid::regclass::text ~ %s "
        "AND (contype IN ('c', 'u') OR contype = 'f' AND cardinality(conkey) > 1) "
        "UNION ALL "
        # A UNIQUE with a condition is an index alone.
        "SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index i "
        "WHERE indisunique AND indrelid::regclass::text ~ %s "
        "AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) "
        "ORDER BY 2, 1",
        [OURS, OURS],
    )
    return dict(cursor.fetchall())


def triggers(cursor: CursorWrapper) -> dict[str, str]:
    """Every trigger of ours: name -> table."""
    cursor.execute(
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal "
        "ORDER BY 2, 1"
    )
    return dict(cursor.fetchall())


def raised_by_functions(cursor: CursorWrapper) -> set[str]:
    """The rules that our functions name when they refuse."""
    cursor.execute("SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    sources = "\n".join(row[0] for row in cursor.fetchall())
    return set(re.findall(r"CONSTRAINT = '(\w+)'", sources))


def refusal(write: Callable[[], object], by: User, *, using: str = "default") -> DomainError | None:
    """Why the database refuses a write, or None where it takes it. Either way it is undone."""
    with transaction.atomic(using=using):
        try:
            with acting(by, "For a test", using=using):
                write()
        except DomainError as error:
            return error
        transaction.set_rollback(True, using=using)
    return None


def rule(write: Callable[[], object], by: User, *, using: str = "default") -> str | None:
    """The name of the rule that refuses a write, or None where it is taken."""
    refused = refusal(write, by, using=using)
    return None if refused is None else refused.rule


def run(sql: str, parameters: list[Any] | None = None, *, using: str = "default") -> list[Any]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, parameters or [])
        return cursor.fetchall() if cursor.description else []


def insert_by_sql(row: models.Model, *, using: str = "default") -> None:
    """Insert an unsaved row without the ORM, and set its key."""
    connection = connections[using]
    columns, values = [], []
    for field in row._meta.concrete_fields:
        if field.generated:
            continue
        value = field.pre_save(row, True)
        if isinstance(value, DatabaseDefault):
            continue
        if isinstance(field, models.AutoField) and value is None:
            continue
        columns.append(f'"{field.column}"')
        values.append(field.get_db_prep_save(value, connection))
    places = ", ".join(["%s"] * len(values))
    table, key = row._meta.db_table, row._meta.pk.column  # type: ignore[union-attr]
    found = run(
        f'INSERT INTO {table} ({", ".join(columns)}) VALUES ({places}) RETURNING "{key}"',
        values,
        using=using,
    )
    row.pk = found[0][0]


def switch_off(table: str, trigger: str) -> None:
    """Switch off a trigger, for the owner's transaction, so that the rule behind it is met."""
    if run("SELECT 1 FROM pg_trigger WHERE tgname = %s", [trigger], using="owner"):
        run(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}", using="owner")


Make = Callable[..., models.Model]


def by_save(make: Make, values: dict[str, Any], start: dict[str, Any]) -> None:
    make(**values)


def by_bulk_create(make: Make, values: dict[str, Any], start: dict[str, Any]) -> None:
    row = make(save=False, **values)
    type(row)._base_manager.using("default").bulk_create([row])


def by_sql(make: Make, values: dict[str, Any], start: dict[str, Any]) -> None:
    insert_by_sql(make(save=False, **values))


def by_update(make: Make, values: dict[str, Any], start: dict[str, Any]) -> None:
    row = make(**start)
    type(row)._base_manager.using("default").filter(pk=row.pk).update(**values)


def paths(model: type[models.Model]) -> dict[str, Callable[..., None]]:
    """The ways on which the application can write a row of this table."""
    ways: dict[str, Callable[..., None]] = {
        "save": by_save,
        "bulk_create": by_bulk_create,
        "sql": by_sql,
    }
    if "UPDATE" in grants.APP[model._meta.db_table]:
        ways["update"] = by_update
    return ways


# What a message for a researcher does not say.
JARGON = re.compile(r"constraint|violat|column|relation|null|tuple|trigger|sql|_|%|\brow\b", re.I)

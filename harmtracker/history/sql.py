"""SQL for migrations: the rules that every evidence table carries, whatever app it is of."""

from __future__ import annotations

from django.db import migrations


def _operation(forward: list[str], backward: list[str]) -> migrations.RunSQL:
    return migrations.RunSQL("\n".join(forward), "\n".join(backward))


def track(table: str, incident_column: str | None = None) -> migrations.RunSQL:
    """Record every change of ``table`` in the history, and refuse one that nobody answers for.

    ``incident_column`` is the column that holds the incident's id; None for shared records.
    """
    forward, backward = [], []
    for operation, tables in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("DELETE", "OLD TABLE AS old_rows"),
    ):
        name = f"{table}_history_{operation.lower()}"
        forward.append(
            f"CREATE TRIGGER {name} AFTER {operation} ON {table} REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION history_record('{incident_column or ''}');"
        )
        backward.append(f"DROP TRIGGER {name} ON {table};")
    return _operation(forward, backward)


def refuse(table: str, *operations: str, rule: str, message: str) -> migrations.RunSQL:
    """Refuse ``operations`` (UPDATE, DELETE, TRUNCATE) on ``table``, whoever asks."""
    quoted = message.replace("'", "''")
    forward, backward = [], []
    for operation in operations:
        name = f"{rule}_{operation.lower()}"
        forward.append(
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION history_refuse('{rule}', '{quoted}');"
        )
        backward.append(f"DROP TRIGGER {name} ON {table};")
    return _operation(forward, backward)


def check(table: str, name: str, condition: str) -> migrations.RunSQL:
    """A CHECK that the ORM cannot say; its message is in ``sql_rules`` of the app's config."""
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition});",
        f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )


def foreign_key(
    table: str, name: str, columns: str, target: str, target_columns: str
) -> migrations.RunSQL:
    """A key over several columns: the row may hang only on one of the same incident.

    ON UPDATE CASCADE: when a claim moves to another incident, what hangs on it moves along.
    """
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) "
        f"REFERENCES {target} ({target_columns}) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;",
        f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )


def codes(table: str, **lists: str) -> migrations.RunSQL:
    """Refuse a code that its list does not have: ``column="list"``, for an array ``"[]list"``."""
    arguments = ", ".join(
        f"'{column}[]={name[2:]}'" if name.startswith("[]") else f"'{column}={name}'"
        for column, name in lists.items()
    )
    forward, backward = [], []
    for operation in ("INSERT", "UPDATE"):
        name = f"{table}_codes_{operation.lower()}"
        forward.append(
            f"CREATE TRIGGER {name} AFTER {operation} ON {table} REFERENCING NEW TABLE AS new_rows "
            f"FOR EACH STATEMENT EXECUTE FUNCTION codes_known({arguments});"
        )
        backward.append(f"DROP TRIGGER {name} ON {table};")
    return _operation(forward, backward)


def in_own_name(table: str, column: str) -> migrations.RunSQL:
    """A new row of ``table`` names in ``column`` the person who acts, and nobody else."""
    name = f"{table}_in_own_name"
    return migrations.RunSQL(
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION history_own_name('{column}');",
        f"DROP TRIGGER {name} ON {table};",
    )

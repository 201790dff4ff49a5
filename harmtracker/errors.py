"""What can be wrong with a request, said without HTTP: API, admin and commands translate these.

A rule held by the database comes back as an ``IntegrityError`` that names its constraint;
:func:`from_database` turns it into the sentence which that rule carries.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import DatabaseError, DataError, IntegrityError


class DomainError(Exception):
    """Base of all refusals. ``message`` is a sentence for the person who asked."""

    def __init__(self, message: str, *, rule: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule


class Invalid(DomainError):
    """What was sent breaks a rule. ``fields`` maps a field to what is wrong with it."""

    def __init__(
        self, message: str, *, fields: dict[str, list[str]] | None = None, rule: str = ""
    ) -> None:
        super().__init__(message, rule=rule)
        self.fields = fields or {}


class Conflict(DomainError):
    """The record is not in the state that the request assumes. ``differences`` says where."""

    def __init__(self, message: str, *, differences: list[str] | None = None) -> None:
        super().__init__(message)
        self.differences = differences or []


class Stale(Conflict):
    """Somebody changed the record since this person read it; nothing was stored."""


class NotAllowed(DomainError):
    """This person may see the record but not do this to it."""


class NotFound(DomainError):
    """No such thing, or none that this person may know of: the two are never told apart."""


class TooMany(DomainError):
    """Too many attempts; ``wait_s`` is in how many seconds the next one is looked at."""

    def __init__(self, message: str, *, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def _declared_message(constraint_name: str) -> str | None:
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == constraint_name:
                message = constraint.violation_error_message
                return str(message) if message else None
    for app in apps.get_app_configs():
        # What the ORM cannot declare: the checks that migrations write in SQL.
        message = getattr(app, "sql_rules", {}).get(constraint_name)
        if message is not None:
            return str(message)
    return None


def _field_of(constraint_name: str) -> str | None:
    """The field that a check which migrations write in SQL is of, where it is of one."""
    for app in apps.get_app_configs():
        field = getattr(app, "sql_rule_fields", {}).get(constraint_name)
        if field is not None:
            return str(field)
    return None


def from_database(error: DatabaseError) -> DomainError | None:
    """The refusal that a database error stands for, or None where it is a fault of ours.

    Triggers raise with the sentence itself as their message; declared constraints carry
    theirs on the model.
    """
    if isinstance(error, DataError):
        return Invalid("A value is larger, longer or of another kind than can be stored.")
    cause = error.__cause__
    diagnostic = getattr(cause, "diag", None)
    name = getattr(diagnostic, "constraint_name", None) or ""
    if not isinstance(error, IntegrityError) or diagnostic is None:
        return None
    if diagnostic.sqlstate == "23514" and not diagnostic.table_name:
        return Invalid(diagnostic.message_primary or "", rule=name)
    message = _declared_message(name)
    if message is None:
        message = {
            "23502": f"{diagnostic.column_name} is required.",
            "23503": "It refers to, or is referred to by, a record that is not there.",
            "23505": "There is one like it already.",
        }.get(diagnostic.sqlstate or "", "The database refused it.")
    column = diagnostic.column_name or _field_of(name)
    return Invalid(message, fields={column: [message]} if column else {}, rule=name)


@contextmanager
def translated() -> Iterator[None]:
    """Raise a refusal of the database as the :class:`DomainError` it stands for."""
    try:
        yield
    except DatabaseError as error:
        refusal = from_database(error)
        if refusal is None:
            raise
        raise refusal from error

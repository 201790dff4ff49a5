"""Storing a row: checked by its fields first, and by its constraints where it is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DataError, IntegrityError, models, router, transaction

from harmtracker.errors import Invalid

Row = TypeVar("Row", bound=models.Model)


def save(row: Row) -> Row:
    """Store a row, with the fields checked first.

    Raises :class:`Invalid` that names the fields, and the rule where it is a constraint. These are
    the database's to hold: they are asked for one by one only where it refuses the row.
    """
    try:
        row.clean_fields(exclude=_read_before(row))
        row.clean()
    except ValidationError:
        _refuse(row)
    try:
        with transaction.atomic(using=router.db_for_write(type(row), instance=row)):
            row.save()
    except (IntegrityError, DataError):
        _refuse(row)
        raise
    return row


def _read_before(row: models.Model) -> set[str]:
    """Fields that refer to a row which was read already: there is no need to look for it again."""
    return {
        field.name
        for field in row._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.is_cached(row)
        and (other := field.get_cached_value(row)) is not None
        and not other._state.adding
    }


def _refuse(row: models.Model) -> None:
    """Say what is wrong with a row, if its fields and constraints tell."""
    faults: dict[str, list[str]] = {}
    rule = ""
    try:
        row.full_clean(validate_constraints=False)
    except ValidationError as error:
        faults = dict(error.message_dict)
    for model, constraints in row.get_constraints():
        for constraint in constraints:
            try:
                constraint.validate(model, row, exclude=set(faults) - {NON_FIELD_ERRORS})
            except ValidationError as error:
                rule = rule or constraint.name
                for name in _fields_of(constraint):
                    faults[name] = [*faults.get(name, []), *error.messages]
    if faults:
        raise Invalid(next(iter(faults.values()))[0], fields=faults, rule=rule)


def _fields_of(constraint: models.BaseConstraint) -> Iterable[str]:
    """The fields that a person can mend where a constraint is broken."""
    if isinstance(constraint, models.CheckConstraint):
        condition: Any = constraint.condition
        names = set(condition.referenced_base_fields)
    else:
        names = set(getattr(constraint, "fields", ()))
    return sorted(names - {"incident", "id"}) or [NON_FIELD_ERRORS]

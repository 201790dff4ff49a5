"""Storing a row: checked by its fields and its constraints first, so that a refusal names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from harmtracker.errors import Invalid

Row = TypeVar("Row", bound=models.Model)


def save(row: Row) -> Row:
    """Check a row by its fields and constraints, and store it.

    Raises :class:`Invalid` that names the fields, and the rule where it is a constraint.
    """
    faults: dict[str, list[str]] = {}
    rule = ""
    try:
        row.full_clean(validate_constraints=False)
    except ValidationError as error:
        faults = dict(error.message_dict)
    for model, constraints in row.get_constraints():
        for constraint in _to_ask_for(model, row, constraints, is_sound=not faults):
            try:
                constraint.validate(model, row, exclude=set(faults) - {NON_FIELD_ERRORS})
            except ValidationError as error:
                rule = rule or constraint.name
                for name in _fields_of(constraint):
                    faults[name] = [*faults.get(name, []), *error.messages]
    if faults:
        raise Invalid(next(iter(faults.values()))[0], fields=faults, rule=rule)
    row.save()
    return row


def _to_ask_for(
    model: type[models.Model],
    row: models.Model,
    constraints: Iterable[models.BaseConstraint],
    *,
    is_sound: bool,
) -> list[models.BaseConstraint]:
    """The constraints that are asked for one by one, each by a query.

    The conditions of all checks are asked for at once, and one by one where that fails.
    """
    asked = list(constraints)
    checks = [c for c in asked if isinstance(c, models.CheckConstraint)]
    if not is_sound or not checks:
        return asked
    try:
        together = models.CheckConstraint(
            name="together", condition=models.Q(*(check.condition for check in checks))
        )
        together.validate(model, row)
    except ValidationError:
        return asked
    return [constraint for constraint in asked if constraint not in checks]


def _fields_of(constraint: models.BaseConstraint) -> Iterable[str]:
    """The fields that a person can mend where a constraint is broken."""
    if isinstance(constraint, models.CheckConstraint):
        condition: Any = constraint.condition
        names = set(condition.referenced_base_fields)
    else:
        names = set(getattr(constraint, "fields", ()))
    return sorted(names - {"incident", "id"}) or [NON_FIELD_ERRORS]

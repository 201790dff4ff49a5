"""An earlier value brought back, as a new edit: the history stays, and grows by one entry."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.db import models

from harmtracker.errors import Conflict, Invalid
from harmtracker.history.models import HistoryEntry

from . import services
from .models import Incident, ReviewComment

# What no edit sets: the row's keys, and what the workflow moves.
_KEPT = {"id", "uuid", "incident_id", "state", "code", "author_id"}


def _model_of(entry: HistoryEntry) -> type[models.Model]:
    return next(m for m in apps.get_models() if m._meta.db_table == entry.table_name)


def restorable(model: type[models.Model]) -> dict[str, models.Field]:
    """Field name -> field, of what an edit sets on a row of this model."""
    return {
        field.name: field
        for field in model._meta.concrete_fields
        if field.column not in _KEPT and not isinstance(field, models.GeneratedField)
    }


def restore(
    incident: Incident, entry: HistoryEntry, fields: Collection[str] | None = None
) -> models.Model:
    """Give a row the values that it had before ``entry``; without ``fields``, all that it moved.

    A row that the entry removed is entered again. Call it inside :func:`incidents.editing.editing`
    of the entry's record. Raises :class:`Invalid` for a field that the entry did not move and
    :class:`Conflict` where the row, or what it rests on, is not there any more.
    """
    if entry.table_name == ReviewComment._meta.db_table:
        # It would settle a remark in the name of somebody who does not act.
        raise Conflict("A remark is settled, or opened again, at its own address.")
    if entry.operation == HistoryEntry.Operation.INSERT:
        raise Conflict("Before this change there was no such row: remove it instead.")
    model = _model_of(entry)
    known = restorable(model)
    before: dict[str, Any] = entry.before or {}
    if entry.operation == HistoryEntry.Operation.DELETE:
        row: Any = model(incident=incident)
        wanted = set(known)
        if "uuid" in before:
            row.uuid = before["uuid"]
    else:
        row = _present_row(model, incident, entry)
        moved = entry.changed_fields()
        wanted = {name for name, field in known.items() if field.column in moved}
        if fields is not None:
            for i, name in enumerate(fields):
                if name not in wanted:
                    message = "This change did not move it."
                    raise Invalid(message, fields={f"only[{i}]": [message]})
            wanted = set(fields)
    if not wanted:
        raise Conflict("This change moved nothing that an edit sets.")
    for name in wanted:
        field = known[name]
        if field.column in before:
            setattr(row, field.attname, _as_stored(field, before[field.column]))
    return services.save(row)


def _as_stored(field: models.Field, value: Any) -> Any:
    """A value of the history as its column has it."""
    # JSON gives a float; its shortest digits are those that were stored.
    return field.to_python(str(value) if isinstance(value, float) else value)


def _present_row(
    model: type[models.Model], incident: Incident, entry: HistoryEntry
) -> models.Model:
    if model is Incident:
        return incident
    row = model._default_manager.filter(pk=entry.row_id, incident=incident).first()
    if row is None:
        raise Conflict("The row was removed since: restore the removal first.")
    return row

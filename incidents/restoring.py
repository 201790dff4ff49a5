"""An earlier value brought back, as a new edit: the history stays, and grows by one entry."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.db import models

from harmtracker.errors import Conflict, Invalid
from harmtracker.history.models import HistoryEntry

from . import services
from .models import CasualtyCount, Claim, Incident, ReviewComment, Victim

# What no edit sets: the row's keys, and what the workflow moves.
_KEPT = {"id", "uuid", "incident_id", "state", "code", "author_id"}
# Parts on which others hang.
_PARTS: tuple[Any, ...] = (Claim, CasualtyCount, Victim)
_REMARKS = ReviewComment._meta.db_table


def _model_of(entry: HistoryEntry) -> type[models.Model]:
    return next(m for m in apps.get_models() if m._meta.db_table == entry.table_name)


def restorable(model: type[models.Model]) -> dict[str, models.Field]:
    """Field name -> field, of what an edit sets on a row of this model."""
    return {
        field.name: field
        for field in model._meta.concrete_fields
        if field.column not in _KEPT and not isinstance(field, models.GeneratedField)
    }


def restorable_of(entry: HistoryEntry) -> dict[str, models.Field]:
    """What can be set on the row that an entry is of."""
    return restorable(_model_of(entry))


def is_restorable(entry: HistoryEntry, column: str) -> bool:
    """Whether :func:`restore` can give back what this column held before an entry."""
    if entry.operation == HistoryEntry.Operation.INSERT or entry.table_name == _REMARKS:
        return False
    return any(field.column == column for field in restorable_of(entry).values())


def restore(
    incident: Incident, entry: HistoryEntry, fields: Collection[str] | None = None
) -> models.Model:
    """Give a row the values that it had before ``entry``; without ``fields``, all that it moved.

    A row that the entry removed is entered again. Call it inside :func:`incidents.editing.editing`
    of the entry's record. Raises :class:`Invalid` for a field that the entry did not move and
    :class:`Conflict` where the row, or what it rests on, is not there any more.
    """
    if entry.table_name == _REMARKS:
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
            value = _as_stored(field, before[field.column])
            setattr(row, field.attname, _present_key(incident, field, value))
    return services.save(row)


def _present_key(incident: Incident, field: models.Field, value: Any) -> Any:
    """The key of the part that a value refers to. One that was removed and entered again has
    another key and the same uuid: what hung on it comes back onto the new one."""
    part: Any = field.related_model if isinstance(field, models.ForeignKey) else None
    if value is None or part not in _PARTS or part._default_manager.filter(pk=value).exists():
        return value
    removed = HistoryEntry.objects.filter(
        incident_id=incident.pk,
        table_name=part._meta.db_table,
        row_id=value,
        operation=HistoryEntry.Operation.DELETE,
    ).first()
    if removed is None:
        return value
    again = part._default_manager.filter(incident=incident, uuid=(removed.before or {})["uuid"])
    return again.values_list("pk", flat=True).first() or value


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

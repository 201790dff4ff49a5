"""The history in words that people read: names for ids, labels for columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.admin.exceptions import NotRegistered
from django.db import models
from django.http import HttpRequest

from harmtracker.history.models import HistoryEntry

# Of no use to a reader: the row's own keys, and what the database derives.
_LEFT_OUT = {"id", "uuid", "incident_id"}
_DID = {"INSERT": "added", "UPDATE": "changed", "DELETE": "removed"}


class Moved(NamedTuple):
    """One value that moved, in words; ``column`` is where it is stored."""

    label: str
    before: str
    after: str
    column: str


# What a row is called, by its table and key.
Called = Mapping[tuple[str, int], str]


@dataclass(frozen=True)
class Change:
    """One entry of the history; ``fields`` is what moved, ``what`` the row.

    ``is_first``: there was no such row before.
    """

    who: str
    at: datetime
    why: str
    did: str
    what: str
    table: str
    row_id: int
    fields: list[Moved]
    entry_id: int = 0
    is_first: bool = False


def _model(table: str) -> type[models.Model] | None:
    return next((m for m in apps.get_models() if m._meta.db_table == table), None)


def _field(model: type[models.Model] | None, column: str) -> models.Field | None:
    if model is None:
        return None
    return next((f for f in model._meta.concrete_fields if f.column == column), None)


def _moved(entry: HistoryEntry) -> dict[str, tuple[object, object]]:
    """What moved and matters. Of an added or removed row: what it said."""
    model = _model(entry.table_name)
    moved = {}
    for column, (before, after) in entry.changed_fields().items():
        field = _field(model, column)
        derived = isinstance(field, models.GeneratedField)
        if column not in _LEFT_OUT and not derived and (before, after) not in _NOTHING:
            moved[column] = (before, after)
    return moved


_NOTHING: tuple[tuple[object, object], ...] = ((None, ""), (None, []), ("", None), ([], None))


def in_short(entry: HistoryEntry) -> str:
    """Such as "changed min, max of a casualty count"; nothing where a step alone was taken."""
    model = _model(entry.table_name)
    name = model._meta.verbose_name if model is not None else entry.table_name
    if entry.operation != HistoryEntry.Operation.UPDATE:
        return f"{_DID[entry.operation]} a row: {name}"
    labels = [_label(model, column) for column in _moved(entry) if column not in ("state", "code")]
    return f"changed {', '.join(labels)} ({name})" if labels else ""


def _label(model: type[models.Model] | None, column: str) -> str:
    field = _field(model, column)
    return str(field.verbose_name) if field is not None else column


def changes_in_words(
    entries: Iterable[HistoryEntry],
    request: HttpRequest,
    site: AdminSite,
    called: Called | None = None,
) -> list[Change]:
    """The entries for this reader: what an id stands for is said only of what they may see.

    A row that ``called`` has no name for is called by its kind and key.
    """
    entries = list(entries)
    names = _names(entries, request, site)
    return [
        Change(
            who=entry.actor.get_username(),
            at=entry.at,
            why=entry.reason,
            did=_DID[entry.operation],
            what=(called or {}).get((entry.table_name, entry.row_id)) or _called(model, entry),
            table=entry.table_name,
            row_id=entry.row_id,
            fields=[
                Moved(
                    _label(model, column),
                    _value(_field(model, column), before, names),
                    _value(_field(model, column), after, names),
                    column,
                )
                for column, (before, after) in _moved(entry).items()
            ],
            entry_id=entry.pk or 0,
            is_first=entry.operation == HistoryEntry.Operation.INSERT,
        )
        for entry in entries
        for model in [_model(entry.table_name)]
    ]


def _called(model: type[models.Model] | None, entry: HistoryEntry) -> str:
    kind = str(model._meta.verbose_name) if model is not None else entry.table_name
    return f"{kind} {entry.row_id}"


Names = dict[tuple[type[models.Model], Any], str]


def _names(entries: list[HistoryEntry], request: HttpRequest, site: AdminSite) -> Names:
    """What the rows that the entries refer to are called, one query for each kind."""
    wanted: dict[type[models.Model], set[Any]] = {}
    for entry in entries:
        model = _model(entry.table_name)
        for column, values in _moved(entry).items():
            field = _field(model, column)
            if isinstance(field, models.ForeignKey):
                wanted.setdefault(field.related_model, set()).update(v for v in values if v)
    names: Names = {}
    for model, ids in wanted.items():
        try:
            visible = site.get_model_admin(model).get_queryset(request)
        except NotRegistered:
            # Parts without a page of their own, all of the record that is being read.
            names |= {(model, pk): f"{model._meta.verbose_name} {pk}" for pk in ids}
            continue
        names |= {(model, pk): str(row) for pk, row in visible.in_bulk(ids).items()}
    return names


def _value(field: models.Field | None, value: object, names: Names) -> str:
    if value is None or value == "" or value == []:
        return ""
    if isinstance(field, models.BinaryField):
        return "(encrypted)"
    if isinstance(field, models.ForeignKey):
        return names.get((field.related_model, value), "(not open to you)")
    labels = dict(getattr(field, "flatchoices", None) or [])
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(labels.get(value, value))


def latest_edit(incident_id: int) -> str:
    """Who edited a record last, when and what; empty where nobody has."""
    recent = (
        HistoryEntry.objects.filter(incident_id=incident_id)
        .exclude(table_name__endswith="_reviewcomment")
        .select_related("actor")
        .order_by("-id")[:50]
    )
    last: HistoryEntry | None = None
    said: list[str] = []
    for entry in recent:
        words = in_short(entry)
        if last is not None and entry.transaction_id != last.transaction_id:
            break
        if words:
            last = last or entry
            said.append(words)
    if last is None:
        return ""
    what = "; ".join(list(dict.fromkeys(reversed(said)))[:5])
    return f"{last.actor} at {last.at:%Y-%m-%d %H:%M} UTC {what}"

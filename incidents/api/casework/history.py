"""The history of a record for whoever works on it: who, when, why, and what moved, by figures."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import models

from harmtracker.accounts.models import User
from harmtracker.errors import NotFound
from harmtracker.history.models import HistoryEntry
from incidents.models import Incident, IncidentLink
from incidents.restoring import restorable

# Table -> what the API calls a row of it.
TYPES = {
    "incidents_incident": "incident",
    "incidents_claim": "claim",
    "incidents_casualtycount": "count",
    "incidents_countbasis": "basis",
    "incidents_weaponuse": "weapon",
    "incidents_involvement": "involvement",
    "incidents_victim": "victim",
    "incidents_victimclaim": "victim_claim",
    "incidents_furtherplace": "further_place",
    "incidents_externalid": "external_id",
    "incidents_incidentlink": "link",
    "incidents_reviewcomment": "comment",
}
_DID = {"INSERT": "added", "UPDATE": "changed", "DELETE": "removed"}
_MODELS = {model._meta.db_table: model for model in apps.get_models()}


def entries_of(incident: Incident, user: User) -> models.QuerySet[HistoryEntry]:
    """The entries of a record, the newest first, less those that name a record hidden from them."""
    links = HistoryEntry.objects.filter(
        incident_id=incident.pk, table_name=IncidentLink._meta.db_table
    )
    others = {
        entry.pk: {row["other_id"] for row in (entry.before, entry.after) if row} for entry in links
    }
    named = set().union(*others.values())
    visible = Incident.objects.visible_to(user).filter(pk__in=named).values_list("pk", flat=True)
    hidden = [pk for pk, ids in others.items() if not ids <= set(visible)]
    found = HistoryEntry.objects.filter(incident_id=incident.pk, table_name__in=TYPES)
    return found.exclude(pk__in=hidden).select_related("actor").order_by("-pk")


def entry_of(incident: Incident, user: User, entry: uuid.UUID) -> HistoryEntry:
    found = entries_of(incident, user).filter(uuid=entry).first()
    if found is None:
        raise NotFound("There is no such entry.")
    return found


def shown(entries: Iterable[HistoryEntry]) -> list[dict[str, Any]]:
    entries = list(entries)
    ids = _ids(entries)
    return [
        {
            "id": entry.uuid,
            "at": entry.at,
            "who": entry.actor.username,
            "why": entry.reason,
            "did": _DID[entry.operation],
            "type": TYPES[entry.table_name],
            "row": (entry.after or entry.before or {}).get("uuid"),
            "changes": _changes(entry, ids),
        }
        for entry in entries
    ]


Ids = dict[tuple[type[models.Model], Any], str]


def _changes(entry: HistoryEntry, ids: Ids) -> list[dict[str, Any]]:
    """Field, before and after, of each value that moved; ids of rows as the API names them."""
    moved = entry.changed_fields()
    model = _MODELS[entry.table_name]
    fields: dict[str, Any] = dict(restorable(model))
    if model is Incident:
        fields |= {name: model._meta.get_field(name) for name in ("state", "code")}
    return [
        {
            "field": name,
            "before": _value(field, moved[field.column][0], ids),
            "after": _value(field, moved[field.column][1], ids),
        }
        for name, field in fields.items()
        if field.column in moved
    ]


def _value(field: models.Field, value: Any, ids: Ids) -> Any:
    if isinstance(field, models.ForeignKey) and value is not None:
        return ids.get((field.related_model, value), str(value) if _is_code(field) else None)
    return value


def _is_code(field: models.ForeignKey) -> bool:
    """Whether the key itself is a name, as that of a weapon type is."""
    return isinstance(field.related_model._meta.pk, models.CharField)


def _ids(entries: list[HistoryEntry]) -> Ids:
    """What the rows that the entries refer to are named outside, one query for each kind."""
    wanted: dict[type[models.Model], set[Any]] = {}
    for entry in entries:
        model = _MODELS[entry.table_name]
        moved = entry.changed_fields()
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.column in moved:
                values = {value for value in moved[field.column] if value is not None}
                wanted.setdefault(field.related_model, set()).update(values)
    ids: Ids = {}
    for model, keys in wanted.items():
        names = ("username",) if model is User else ("uuid", "slug")
        name = next((n for n in names if any(f.name == n for f in model._meta.fields)), None)
        if name is not None:
            found = model._default_manager.filter(pk__in=keys).values_list("pk", name)
            ids |= {(model, pk): str(value) for pk, value in found}
    return ids

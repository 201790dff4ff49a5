"""What the rows of a record are called where its history is told, such as "count of killed,
children (claim 3)". Claims have the numbers of the record's page; people have no names here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from harmtracker.codes import code_list
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import Called
from incidents.models import Actor, CasualtyCount, Claim, Incident, Place

Names = dict[Any, str]


def called(incident: Incident, entries: Iterable[HistoryEntry]) -> Called:
    """The name of each row that the entries tell of, in a fixed number of queries."""
    rows = {(one.table_name, one.row_id): one.after or one.before or {} for one in entries}
    naming = _Naming(incident, rows)
    return {key: naming.name(key[0], key[1], row) for key, row in rows.items()}


class _Naming:
    def __init__(self, incident: Incident, rows: Mapping[tuple[str, int], dict[str, Any]]) -> None:
        claims = Claim.objects.filter(incident=incident).values_list("pk", flat=True)
        self.claims = {pk: f"claim {number}" for number, pk in enumerate(claims, 1)}
        self.actors = _named(Actor, rows.values(), "actor_id", "affiliation_id")
        self.places = _named(Place, rows.values(), "place_id")
        ids: set[Any] = {row["count_id"] for row in rows.values() if row.get("count_id")}
        counts = CasualtyCount.objects.filter(pk__in=ids, incident=incident)
        self.counts = {row["id"]: self.group({**row}) for row in counts.values()}

    def name(self, table: str, pk: int, row: dict[str, Any]) -> str:
        match table:
            case "incidents_incident":
                return "the record"
            case "incidents_claim":
                return self.claims.get(pk, "a claim that is not there any more")
            case "incidents_casualtycount":
                return f"count of {self.group(row)} ({self.whose(row)})"
            case "incidents_countbasis":
                bound = _label("basis_bound", row.get("bound"))
                count = self.counts.get(row["count_id"], "a removed count")
                return f"basis of {count}: {bound} ({self.whose(row)})"
            case "incidents_weaponuse":
                return f"weapon {row.get('weapon_id')} ({self.whose(row)})"
            case "incidents_involvement":
                actor = self.actors.get(row["actor_id"], "an actor")
                return f"involvement of {actor} ({self.whose(row)})"
            case "incidents_furtherplace":
                return f"further place {self.places.get(row.get('place_id'), '')}".strip()
            case "incidents_victim":
                return f"person {pk}, {_label('outcome', row.get('outcome'))}"
            case "incidents_victimclaim":
                return f"person {row.get('victim_id')} in {self.whose(row)}"
            case "incidents_incidentlink":
                return f"link, {_label('link_kind', row.get('kind'))}"
            case "incidents_externalid":
                return "id elsewhere"
            case "incidents_reviewcomment":
                return f"remark on {row.get('field')}"
        return ""

    def whose(self, row: dict[str, Any]) -> str:
        claim = row.get("claim_id")
        if claim is None:
            return "our assessment"
        return self.claims.get(claim, "a claim that is not there any more")

    def group(self, row: dict[str, Any]) -> str:
        parts = [_label("outcome", row.get("outcome"))]
        parts += [
            _label(name, row[column])
            for column, name in (
                ("status", "person_status"),
                ("role", "person_role"),
                ("sex", "sex"),
                ("age_group", "age_group"),
            )
            if row.get(column, "all") != "all"
        ]
        if row.get("affiliation_id"):
            parts.append(f"of {self.actors.get(row['affiliation_id'], 'an actor')}")
        return ", ".join(parts)


def _named(
    model: type[models.Model], rows: Iterable[dict[str, Any]], *columns: str
) -> dict[Any, str]:
    ids = {row[column] for row in rows for column in columns if row.get(column)}
    return {pk: str(row) for pk, row in model._default_manager.in_bulk(ids).items()}


def _label(name: str, code: Any) -> str:
    codes = code_list(name)
    return codes[code].label if code in codes else str(code)

"""Loading the data files of ``fixtures/``: shared records first, then incidents, as people would.

Every record is found again by its natural key, so that loading twice adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models

from harmtracker.accounts.models import User
from harmtracker.history.acting import acting
from sources.models import Article, Outlet

from . import services
from .models import (
    Actor,
    CasualtyCount,
    Claim,
    Dataset,
    ExternalId,
    FurtherPlace,
    Incident,
    Involvement,
    Place,
    WeaponType,
    WeaponUse,
)


def read(name: str) -> Any:
    """Content of a data file. Numbers with a point are read as they are written."""
    text = (settings.FIXTURES / name).read_text(encoding="utf-8")
    return json.loads(text, parse_float=Decimal)


def load_weapon_types(using: str) -> None:
    """As the owner: the list is loaded, never typed in."""
    rows = read("weapon_types.json")
    for row in sorted(rows, key=lambda row: row["parent"] is not None):
        fields = {k: v for k, v in row.items() if k not in ("code", "parent")}
        WeaponType.objects.using(using).update_or_create(
            code=row["code"], defaults={**fields, "parent_id": row["parent"]}
        )


def load_shared(actor: User, say: Callable[[str], None] = lambda line: None) -> None:
    """Places, actors, outlets, articles and datasets that the database does not have yet."""
    with acting(actor, "Loaded from the data files"):
        load_places_and_parties(actor, say)
        for row in read("articles.json"):
            article(row)
        say("articles")


def load_places_and_parties(actor: User, say: Callable[[str], None] = lambda line: None) -> None:
    """What articles and incidents refer to: places, actors, datasets and outlets."""
    with acting(actor, "Loaded from the data files"):
        for name in ("places_mmr.json", "places_incidents.json"):
            _add_missing(Place, read(name), parent=Place)
        say("places")
        _add_missing(Actor, read("actors.json"), parent=Actor)
        say("actors")
        _add_missing(Dataset, read("datasets.json"))
        _add_missing(Outlet, read("outlets.json"))
        say("outlets")


def _add_missing(
    model: type[models.Model], rows: list[dict[str, Any]], **relations: type[models.Model]
) -> None:
    known = set(model._default_manager.values_list("slug", flat=True))
    for row in rows:
        if row["slug"] in known:
            continue
        fields = dict(row)
        for field, target in relations.items():
            if fields.get(field):
                fields[field] = target._default_manager.get(slug=fields[field])
        services.save(model(**fields))


def article(row: dict[str, Any]) -> Article:
    """The article of a data row, made where it is new: known by address, else outlet and title."""
    fields = {key: value for key, value in row.items() if key != "key"}
    fields["outlet"] = Outlet.objects.get(slug=row["outlet"])
    if row["url"]:
        known = Article.objects.filter(url=row["url"])
    elif row["copy_url"]:
        known = Article.objects.filter(copy_url=row["copy_url"])
    else:
        known = Article.objects.filter(
            outlet=fields["outlet"], title=row["title"], published=row["published"]
        )
    return known.first() or services.save(Article(**fields))


def incident_files() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of each incident file, the oldest incident first."""
    for path in sorted((settings.FIXTURES / "incidents").glob("*.json"), key=lambda p: p.stem[-4:]):
        yield path.stem, read(f"incidents/{path.name}")


def enter_incident(data: dict[str, Any], *, author: User) -> Incident:
    """Enter one incident with all its parts, as its author, in one transaction."""
    articles = {row["key"]: row for row in read("articles.json")}
    with acting(author, "Entered from the sources"):
        fields = dict(data["incident"])
        further = fields.pop("further_places")
        fields["place"] = Place.objects.get(slug=fields["place"])
        incident = services.create_incident(author=author, **fields)
        for slug in further:
            services.add_part(FurtherPlace, incident=incident, place=Place.objects.get(slug=slug))
        claims = {
            row["key"]: _enter_claim(incident, row, articles[row["article"]])
            for row in data["claims"]
        }
        _enter_findings(incident, data["assessment"], None, claims)
        for row in data["victims"]:
            person = dict(row)
            named = [claims[key] for key in person.pop("claims")]
            services.add_victim(incident=incident, claims=named, **person)
        for row in data["external_ids"]:
            services.add_part(
                ExternalId,
                incident=incident,
                dataset=Dataset.objects.get(slug=row["dataset"]),
                value=row["value"],
            )
    return incident


def _enter_claim(incident: Incident, row: dict[str, Any], article_row: dict[str, Any]) -> Claim:
    fields = dict(row)
    findings = {name: fields.pop(name) for name in ("counts", "weapons", "involvements")}
    fields.pop("key")
    fields["article"] = article(article_row)
    ((kind, slug),) = fields.pop("attributed_to").items()
    speakers = Outlet.objects if kind == "outlet" else Actor.objects
    fields[f"attributed_{kind}"] = speakers.get(slug=slug)
    claim = services.add_part(Claim, incident=incident, **fields)
    _enter_findings(incident, findings, claim, {})
    return claim


def _enter_findings(
    incident: Incident, rows: dict[str, Any], claim: Claim | None, claims: dict[str, Claim]
) -> None:
    """Counts, weapons and involvements, of a claim or, without one, of our assessment."""
    add = partial(services.add_part, incident=incident, claim=claim)
    for row in rows["counts"]:
        fields = dict(row)
        bases = fields.pop("basis", [])
        if fields["affiliation"]:
            fields["affiliation"] = Actor.objects.get(slug=fields["affiliation"])
        count = add(CasualtyCount, **fields)
        for basis in bases:
            services.add_basis(
                count=count,
                claim=claims[basis["claim"]],
                bound=basis["bound"],
                reason=basis["reason"],
            )
    for row in rows["weapons"]:
        add(WeaponUse, **{**row, "weapon": WeaponType.objects.get(code=row["weapon"])})
    for row in rows["involvements"]:
        add(Involvement, **{**row, "actor": Actor.objects.get(slug=row["actor"])})

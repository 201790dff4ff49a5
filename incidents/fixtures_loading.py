"""Loading the data files of ``fixtures/``: shared records first, then incidents, as people would.

Every record is found again by its natural key, so that loading twice adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models

from harmtracker.accounts.models import User
from harmtracker.history.acting import acting
from sources.models import Article, Outlet

from . import entering, services
from .models import Actor, Dataset, Incident, Place, WeaponType


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
    own = {**data["incident"], "place": Place.objects.get(slug=data["incident"]["place"])}
    with acting(author, "Entered from the sources"):
        return entering.enter(
            author,
            {
                **own,
                "further_places": [
                    {"place": Place.objects.get(slug=slug)} for slug in own["further_places"]
                ],
                "claims": [_claim(row, articles[row["article"]]) for row in data["claims"]],
                "assessment": _findings(data["assessment"]),
                "victims": data["victims"],
                "external_ids": [
                    {**row, "dataset": Dataset.objects.get(slug=row["dataset"])}
                    for row in data["external_ids"]
                ],
            },
        )


def _claim(row: dict[str, Any], article_row: dict[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in row.items() if name != "attributed_to"}
    ((kind, slug),) = row["attributed_to"].items()
    speakers = Outlet.objects if kind == "outlet" else Actor.objects
    fields[f"attributed_{kind}"] = speakers.get(slug=slug)
    return {**fields, **_findings(row), "article": article(article_row)}


def _findings(rows: dict[str, Any]) -> dict[str, Any]:
    """Counts, weapons and involvements with the records that they name."""
    return {
        "counts": [
            {
                **row,
                "affiliation": row["affiliation"] and Actor.objects.get(slug=row["affiliation"]),
            }
            for row in rows["counts"]
        ],
        "weapons": [
            {**row, "weapon": WeaponType.objects.get(code=row["weapon"])} for row in rows["weapons"]
        ],
        "involvements": [
            {**row, "actor": Actor.objects.get(slug=row["actor"])} for row in rows["involvements"]
        ],
    }

"""What a document is found by: keys that the filters look for. Pure, no database.

An index row holds its keys in arrays, each under one index, so that any of the filters is one
look-up however many there are, and PostgreSQL knows how common each key is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from harmtracker.codes import code_list
from incidents.finding import DIMENSIONS_OF_A_COUNT, address_key, trait, weapon_types


def steps(thing: dict[str, Any]) -> list[dict[str, Any]]:
    """A place or actor and what it lies in, each with its own path."""
    line = [{k: v for k, v in thing.items() if k != "path"}, *thing["path"]]
    return [{**step, "path": line[i + 1 :]} for i, step in enumerate(line)]


def _steps_of_a_place(place: dict[str, Any]) -> list[dict[str, Any]]:
    return steps({key: place[key] for key in ("id", "pcode", "level", "name", "names", "path")})


def places(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Its main place and the further ones, and what they lie in."""
    main = document["place"]
    for place in ([main] if main else []) + document["further_places"]:
        yield from _steps_of_a_place(place)


def involved(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Actors that are in the assessment, and what they are part of."""
    for row in document["involvement"]:
        yield from steps(row["actor"])
    for row in document["casualties"]:
        if row["affiliation"]:
            yield from steps(row["affiliation"])


def _keys_of(found: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> set[str]:
    return {key for place in found for key in (place["id"], place["pcode"]) if key}


def place_keys(document: dict[str, Any]) -> list[str]:
    found = _keys_of(places(document))
    if document["place"]:
        found.add(document["place"]["country"])
    for place in document["further_places"]:
        found |= {f"+{key}" for key in _keys_of(_steps_of_a_place(place))}
    return sorted(found)


def actor_keys(document: dict[str, Any]) -> list[str]:
    found = {actor["id"] for actor in involved(document)}
    for row in document["involvement"]:
        parts = [row["role"], f"{row['role']} {row['certainty']}"]
        found |= {*parts}
        found |= {f"{actor['id']} {part}" for actor in steps(row["actor"]) for part in parts}
    return sorted(found)


def affiliation_keys(count: dict[str, Any]) -> list[str]:
    """Of a count row: whom the persons belonged to, and what that is part of."""
    return [actor["id"] for actor in steps(count["affiliation"])] if count["affiliation"] else []


def address_keys(document: dict[str, Any]) -> list[str]:
    articles = [claim["article"] for claim in document["claims"]]
    kept = [article["archived"] for article in articles if article["archived"]]
    addresses = {
        *(article["url"] for article in articles),
        *(article["copy_url"] for article in articles),
        *(archived["url"] for archived in kept),
    }
    return sorted(address_key(address) for address in addresses if address)


def traits(document: dict[str, Any]) -> list[str]:
    """``dimension:value`` of all that has few values; an empty value is one that is not known."""
    return sorted({trait(name, value) for name, value in _traits(document)})


def _traits(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    place, claims = document["place"], document["claims"]
    weapons = document["weapons"]
    yield "year", (document["date"]["earliest"] or "")[:4]
    yield "country", place["country"] if place else ""
    yield "adm1", _adm1(place)
    yield "grading", document["grading"]["code"]
    yield "record_type", document["record_type"]
    yield "harm_reported", document["harm_reported"]
    yield from _several("circumstance", document["circumstances"])
    yield from _several("weapon", [code for row in weapons for code in weapon_levels(row)])
    yield from _several("platform", [row["platform"] for row in weapons])
    for row in weapons:
        for code in weapon_levels(row):
            yield "weapon_platform", f"{code} {row['platform']}"
    # None where the name was taken out.
    named = [row["dataset"] for row in document["external_ids"] if row["dataset"]]
    yield from _several("dataset", named)
    yield "has_victims", _flag(document["victims"])
    yield "has_denial", _flag(any(claim["kind"] == "denial" for claim in claims))
    groups = Counter(row["alternative_group"] for row in weapons if row["alternative_group"])
    yield "contested_weapon", _flag(any(count > 1 for count in groups.values()))
    yield from _of_counts(document["casualties"])


def _of_counts(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What count rows are of, one thing at a time and two of one row together."""
    for name, listed in DIMENSIONS_OF_A_COUNT.items():
        codes = {row[name] for row in rows}
        yield from _several(name, [wide for code in codes for wide in _upwards(listed, code)])
    for row in rows:
        for key in affiliation_keys(row):
            yield "affiliation", key
        narrow = {
            name: list(_upwards(listed, row[name]))
            for name, listed in DIMENSIONS_OF_A_COUNT.items()
            if row[name] != "all"
        }
        for one, other in combinations(narrow, 2):
            for both in product(narrow[one], narrow[other]):
                yield f"{one} {other}", " ".join(both)


def _several(name: str, values: list[str]) -> Iterator[tuple[str, str]]:
    for value in values or [""]:
        yield name, value


def _flag(value: Any) -> str:
    return "true" if value else "false"


def weapon_levels(weapon: dict[str, Any]) -> list[str]:
    """Its code, and that of its first level where it is of the second."""
    return [code for code in (weapon["code"], weapon["parent"]) if code]


def _upwards(listed: str, code: str) -> Iterator[str]:
    """A code and those that it is within: an infant is a child."""
    step: str | None = code
    while step is not None:
        yield step
        step = code_list(listed)[step].parent


def _adm1(place: dict[str, Any] | None) -> str:
    """P-code, or id where it has none, of the province that the main place lies in."""
    for step in [place, *place["path"]] if place else []:
        if step["level"] == "adm1":
            return str(step["pcode"] or step["id"])
    return ""


def _weapon_labels(weapon: dict[str, Any]) -> list[str]:
    wide = weapon_types().get(weapon["parent"])
    return [weapon["label"], *([wide["label"]] if wide else [])]


def searched(document: dict[str, Any]) -> list[str | None]:
    """The texts whose words find a record, in order of weight: the first ones are kept.

    Public names of persons are among them, since they are in the document for all to read. What
    was taken out is None.
    """
    found: dict[str | None, None] = {document["title"]: None}
    for thing in (*places(document), *involved(document)):
        found.update(dict.fromkeys([thing["name"], *thing["names"]]))
    for victim in document["victims"]:
        found.update(dict.fromkeys(victim.get("names") or []))
    for weapon in document["weapons"]:
        found.update(dict.fromkeys(_weapon_labels(weapon)))
    return [*found, document["summary"]]

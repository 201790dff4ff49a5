"""One value, or a few, for each filter of incidents: a frequent one, as people ask for."""

from __future__ import annotations

from typing import Any

import psycopg

# Where a name ends so, it is a filter of a figure; a few of them stand for all.
FIGURES = (
    "killed_civilian_min__gte",
    "killed_all_best__gte",
    "killed_all_max__lte",
    "injured_civilian_best__gte",
)
PLAIN: dict[str, Any] = {
    "date_from": "2015-01-01",
    "date_to": "2018-12-31",
    "bbox": "20,10,60,30",
    "near": "20,60,300",
    "grading": "confirmed",
    "not_grading": "discounted",
    "record_type": "incident",
    "not_record_type": "aggregate_count",
    "harm_reported": "yes",
    "not_harm_reported": "no",
    "country": "MMR",
    "not_country": "SYR",
    "weapon": "EXG",
    "not_weapon": "SAL",
    "platform": "ground",
    "not_platform": "unknown",
    "contested_weapon": "false",
    "circumstance": "hostilities_crossfire",
    "not_circumstance": "unknown",
    "actor_role": "alleged_perpetrator",
    "actor_certainty": "confirmed",
    "not_actor_role": "target",
    "not_actor_certainty": "possible",
    "dataset": "UCDP Georeferenced Event Dataset",
    "not_dataset": "UCDP Georeferenced Event Dataset",
    "has_victims": "true",
    "has_denial": "true",
    "independent_sources__gte": "2",
    "article_url": "https://example.org/7/0",
    "published_after": "2026-01-01T00:30:00Z",
    "changed_after": "2026-01-01T00:30:00Z",
    "q": "monastery school",
    "outcome": "injured",
    "not_outcome": "injured",
    "status": "civilian",
    "not_status": "unknown",
    "role": "all",
    "not_role": "cadet",
    "sex": "female",
    "not_sex": "female",
    "age_group": "child",
    "not_age_group": "child",
    **dict.fromkeys(FIGURES, "3"),
}
# Of rows that are there: the most frequent place above a settlement, actor and outlet.
_PLACE = (
    "SELECT p.uuid::text FROM incidents_place p JOIN incidents_place c ON c.parent_id = p.id "
    "JOIN incidents_incident i ON i.place_id = c.id GROUP BY p.uuid ORDER BY count(*) DESC LIMIT 1"
)
_FURTHER = (
    "SELECT p.uuid::text FROM incidents_place p JOIN incidents_furtherplace f ON f.place_id = p.id "
    "GROUP BY p.uuid ORDER BY count(*) DESC LIMIT 1"
)
_ACTOR = (
    "SELECT a.uuid::text FROM incidents_actor a JOIN incidents_involvement v ON v.actor_id = a.id "
    "GROUP BY a.uuid ORDER BY count(*) DESC LIMIT 1"
)
_OUTLET = (
    "SELECT o.uuid::text FROM sources_outlet o JOIN sources_article a ON a.outlet_id = o.id "
    "GROUP BY o.uuid ORDER BY count(*) DESC LIMIT 1"
)
_CODES = "SELECT string_agg(code, ',') FROM (SELECT code FROM incidents_incident LIMIT 5) AS few"
FOUND = {
    "place": _PLACE,
    "not_place": _PLACE,
    "further_place": _FURTHER,
    "actor": _ACTOR,
    "not_actor": _ACTOR,
    "affiliation": _ACTOR,
    "not_affiliation": _ACTOR,
    "outlet": _OUTLET,
    "not_outlet": _OUTLET,
    "code": _CODES,
}
PAIRS = (
    ("country", "date_from"),
    ("place", "date_from"),
    ("country", "weapon"),
    ("weapon", "grading"),
    ("actor", "date_from"),
    ("country", "killed_civilian_min__gte"),
    ("bbox", "date_from"),
    ("q", "country"),
    ("grading", "harm_reported"),
    ("outlet", "date_from"),
)
# Say nothing alone.
NOT_ALONE = {"date_match"}


def values(names: set[str], database: psycopg.Connection) -> dict[str, Any]:
    """Filter -> value, of the filters that there are; what has none is said."""
    found: dict[str, Any] = {}
    for name in sorted(names - NOT_ALONE):
        if name in PLAIN:
            found[name] = PLAIN[name]
        elif name in FOUND:
            row = database.execute(FOUND[name]).fetchone()
            if row:
                found[name] = row[0]
        elif not _is_figure(name):
            print(f"    no sample value for the filter {name}: add one to samples.py", flush=True)
    return found


def _is_figure(name: str) -> bool:
    return any(f"_{bound}__" in name for bound in ("min", "best", "max"))


def queries(names: set[str], database: psycopg.Connection) -> dict[str, dict[str, Any]]:
    """What is measured: each filter alone, then the pairs, by a name."""
    of_each = values(names, database)
    alone = {name: {name: value} for name, value in of_each.items()}
    pairs = {
        f"{one} and {other}": {one: of_each[one], other: of_each[other]}
        for one, other in PAIRS
        if one in of_each and other in of_each
    }
    return alone | pairs

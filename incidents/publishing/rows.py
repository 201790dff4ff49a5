"""The flat rows of a document, as exports give them. Pure but for :func:`store`.

What is not in the document is in no row; what stands in several places of it is joined into one
text, in its order. The meaning of each column is in ``incidents/exports/columns.py``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.db import connections, models
from psycopg import sql

from harmtracker.codes import covers
from incidents.models import (
    PublishedCasualty,
    PublishedClaim,
    PublishedIncidentRow,
    PublishedVictim,
)
from incidents.models.rows import CLAIM_TOTALS, GROUPS, INCIDENT_GROUPS, INCIDENT_TOTALS

from . import index_keys
from .totals import Row, Total, contains, totals

Values = dict[str, Any]
# Between codes, and between names, of one cell.
CODES = ";"
NAMES = "; "


class Rows(NamedTuple):
    """All rows of one version: values by column of their table."""

    incident: Values
    casualties: list[Values]
    victims: list[Values]
    claims: list[Values]


def build(position: int, document: dict[str, Any]) -> Rows:
    """The rows of the version that was published at a ledger position."""
    return Rows(
        _incident(position, document),
        _casualties(position, document["casualties"]),
        [_victim(position, row, victim) for row, victim in enumerate(document["victims"])],
        [_claim(position, row, claim) for row, claim in enumerate(document["claims"])],
    )


def store(built: Iterable[Rows]) -> None:
    """Write rows of any number of versions, in one COPY per table."""
    built = list(built)
    copy(PublishedIncidentRow, [rows.incident for rows in built])
    copy(PublishedCasualty, [values for rows in built for values in rows.casualties])
    copy(PublishedVictim, [values for rows in built for values in rows.victims])
    copy(PublishedClaim, [values for rows in built for values in rows.claims])


def copy(model: type[models.Model], rows: Sequence[Values]) -> None:
    """Add rows by COPY, all of the same columns."""
    if not rows:
        return
    columns = list(rows[0])
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    connection = connections["default"]
    # Django does not wrap this method of the cursor itself.
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(command) as stream,
    ):
        for values in rows:
            stream.write_row([values[column] for column in columns])


def _joined(values: Iterable[str | None], separator: str) -> str | None:
    """In one text, each once; None where nothing is left."""
    kept = dict.fromkeys(value for value in values if value is not None)
    return separator.join(kept) if kept else None


def _aligned(values: Iterable[str]) -> str | None:
    """In one text, one for each row, so that several such texts can be read side by side."""
    kept = list(values)
    return CODES.join(kept) if kept else None


def _day(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)


def _incident(position: int, document: dict[str, Any]) -> Values:
    date, weapons, licence = document["date"], document["weapons"], document["licence"]
    named = document["external_ids"]
    return {
        "seq": position,
        "code": document["code"],
        "version": document["version"],
        "title": document["title"],
        "record_type": document["record_type"],
        "date_edtf": date["edtf"],
        "date_earliest": _day(date["earliest"]),
        "date_latest": _day(date["latest"]),
        "date_precision": date["precision"],
        **_place(document["place"]),
        "weapons": _aligned(weapon["code"] for weapon in weapons),
        "weapon_certainties": _aligned(weapon["certainty"] for weapon in weapons),
        "platforms": _aligned(weapon["platform"] for weapon in weapons),
        "circumstances": _joined(document["circumstances"], CODES),
        "alleged_perpetrators": _joined(
            (
                row["actor"]["name"]
                for row in document["involvement"]
                if row["role"] == "alleged_perpetrator" and row["certainty"] != "denied"
            ),
            NAMES,
        ),
        "grading": document["grading"]["code"],
        "harm_reported": document["harm_reported"],
        "independent_sources": document["grading"]["independent_sources"],
        "claim_count": len(document["claims"]),
        "datasets": _joined((row["dataset"] for row in named), NAMES),
        "external_ids": _joined((row["value"] for row in named), NAMES),
        "licence": licence["name"],
        "licence_url": licence["url"],
        "attribution": licence["attribution"],
        "citation": document["cite"],
        "published_at": document["published_at"],
        **_incident_totals(document["totals"]),
        **_groups(document["casualties"]),
    }


def _place(place: dict[str, Any] | None) -> Values:
    point = (place and place["point"]) or {}
    levels = {} if place is None else {step["level"]: step for step in (*place["path"], place)}
    main: dict[str, Any] = place or {}
    return {
        "country": main.get("country"),
        **{
            f"{level}_{column}": levels.get(level, {}).get(key)
            for level in ("adm1", "adm2", "adm3")
            for column, key in (("pcode", "pcode"), ("name", "name"))
        },
        "place_id": main.get("id"),
        "place_name": main.get("name"),
        "place_pcode": main.get("pcode"),
        "place_precision": main.get("precision"),
        "latitude": point.get("latitude"),
        "longitude": point.get("longitude"),
        "radius_m": main.get("radius_m"),
        "on_grid": main.get("on_grid"),
    }


def _incident_totals(found: dict[str, Any]) -> Values:
    return {
        column.name: found.get(column.outcome, {}).get(column.bucket, {}).get(column.bound)
        for column in INCIDENT_TOTALS
    }


def count_row(count: dict[str, Any]) -> Row:
    """A count row of a document, as totals read it."""
    affiliation = count["affiliation"]
    return Row(
        count["outcome"],
        count["status"],
        count["role"],
        count["sex"],
        count["age_group"],
        affiliation and affiliation["id"],
        count["min"],
        count["best"],
        count["max"],
    )


def group_total(counts: Sequence[dict[str, Any]], outcome: str, group: str) -> Total:
    """What the rows say of the persons of one sex and age, of every status.

    They alone are read, by the rule of totals: a row of just this sex and age is a whole, and
    one that is narrower a part. A row of both sexes or all ages says nothing of it.
    """
    sex, age = GROUPS[group]
    rows = [
        replace(
            row,
            sex="all" if row.sex == sex else row.sex,
            age_group="all" if row.age_group == age else row.age_group,
        )
        for row in map(count_row, counts)
        if row.outcome == outcome
        and covers("sex", sex, row.sex)
        and row.age_group != "all"
        and covers("age_group", age, row.age_group)
    ]
    return totals(rows)[outcome]["all"] if rows else Total()


def _groups(counts: Sequence[dict[str, Any]]) -> Values:
    found = {
        (column.outcome, column.group): group_total(counts, column.outcome, column.group)
        for column in INCIDENT_GROUPS
    }
    return {
        column.name: getattr(found[column.outcome, column.group], column.bound)
        for column in INCIDENT_GROUPS
    }


def _is_whole(row: Row, rows: Sequence[Row]) -> bool:
    """Whether it may be added to the others of its outcome and bucket of which that is true."""
    return row.is_whole and not any(
        other is not row
        and (other.outcome, other.bucket) == (row.outcome, row.bucket)
        and contains(other, row)
        for other in rows
    )


def _casualties(position: int, counts: Sequence[dict[str, Any]]) -> list[Values]:
    rows = [count_row(count) for count in counts]
    return [
        {
            "incident_id": position,
            "position": place,
            "outcome": row.outcome,
            "status": row.status,
            "bucket": count["bucket"],
            "role": row.role,
            "sex": row.sex,
            "age_group": row.age_group,
            "affiliation": row.affiliation,
            "affiliation_keys": index_keys.affiliation_keys(count),
            "affiliation_name": count["affiliation"] and count["affiliation"]["name"],
            "min": row.min,
            "best": row.best,
            "max": row.max,
            "qualifier": count["qualifier"],
            "reported_text": count["reported_text"],
            "is_whole": _is_whole(row, rows),
        }
        for place, (count, row) in enumerate(zip(counts, rows, strict=True))
    ]


def names_left(victim: dict[str, Any]) -> list[str] | None:
    """Names that were not taken out; None where the person leaves without any."""
    names = victim.get("names")
    return None if names is None else [name for name in names if name is not None]


def _victim(position: int, place: int, victim: dict[str, Any]) -> Values:
    return {
        "incident_id": position,
        "position": place,
        "outcome": victim["outcome"],
        "status": victim["status"],
        "role": victim["role"],
        "sex": victim["sex"],
        "age_group": victim["age_group"],
        "names": names_left(victim),
        "age": victim.get("age"),
        "consent_basis": victim.get("consent_basis"),
    }


def _claim(position: int, place: int, claim: dict[str, Any]) -> Values:
    article, speaker = claim["article"], claim["attributed_to"]
    archived, point = article["archived"], claim["point"] or {}
    found = totals(map(count_row, claim["counts"]))
    return {
        "incident_id": position,
        "position": place,
        "claim": claim["id"],
        "article": article["id"],
        "article_title": article["title"],
        "article_url": article["url"],
        "article_published": article["published"],
        "article_language": article["language"],
        "archived": bool(archived),
        "archive_url": archived["url"] if archived else None,
        "outlet": article["outlet"]["id"],
        "outlet_name": article["outlet"]["name"],
        "attributed_to": speaker["id"],
        "attributed_to_type": speaker["type"],
        "attributed_to_name": speaker["name"],
        "speaker": speaker["speaker"],
        "independence_group": speaker["independence_group"],
        "kind": claim["kind"],
        "credibility": claim["credibility"],
        "date_said": claim["date"],
        "time_said": claim["time"],
        "place_said": claim["place"],
        "latitude": point.get("latitude"),
        "longitude": point.get("longitude"),
        "paraphrase": claim["paraphrase"],
        "quotation": claim["quotation"],
        "locator": claim["locator"],
        "note": claim["note"],
        **{
            column.name: getattr(
                found.get(column.outcome, {}).get(column.bucket, Total()), column.bound
            )
            for column in CLAIM_TOTALS
        },
    }

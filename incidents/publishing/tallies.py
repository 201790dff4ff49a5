"""What totals over incidents read of a document. Pure but for :func:`store` and :func:`close`."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connections

from incidents.models import PublishedGroupValue, PublishedIncident, PublishedPart, PublishedTally
from incidents.models.rows import BOUNDS
from incidents.models.tallies import BUCKETS
from incidents.models.tally_sums import SIDE_BY_SIDE
from incidents.totals.periods import month_of, week_of

from .index_keys import weapon_levels
from .parts import PERSONS, parts
from .rows import copy, count_row
from .totals import Row, is_from_parts

Values = dict[str, Any]
_AREAS = ("adm1", "adm2", "adm3")


class Tallies(NamedTuple):
    """All rows of one version: values by column of their table."""

    tallies: list[Values]
    parts: list[Values]
    group_values: list[Values]


def build(row: PublishedIncident, document: dict[str, Any]) -> Tallies:
    counted = [count_row(count) for count in document["casualties"]]
    return Tallies(
        _tallies(row, document, counted),
        [
            {
                "incident_id": row.pk,
                "dimensions": " ".join(part.dimensions),
                "outcome": part.outcome,
                "bucket": part.bucket,
                **{name: (part.values or {}).get(name) for name in PERSONS},
                "min": part.total.min,
                "best": part.total.best,
                "max": part.total.max,
            }
            for part in parts(counted)
        ],
        [{"incident_id": row.pk, **values} for values in _group_values(document)],
    )


def store(built: Iterable[Tallies]) -> None:
    """Write rows of any number of versions, in one COPY per table."""
    built = list(built)
    copy(PublishedTally, [values for rows in built for values in rows.tallies])
    copy(PublishedPart, [values for rows in built for values in rows.parts])
    copy(PublishedGroupValue, [values for rows in built for values in rows.group_values])


_CLOSE = """
    UPDATE incidents_publishedtally t
    SET valid_until = i.valid_until,
        ended_by = CASE WHEN v.kind IN ('retracted', 'merged') THEN v.kind END
    FROM incidents_publishedincident i
    JOIN incidents_publishedversion v ON v.seq = i.valid_until
    WHERE t.incident_id = i.seq AND i.seq = ANY(%s)
"""


def close(positions: Sequence[int]) -> None:
    """Say of versions that are the current ones no more until when they were, and what ended it."""
    if positions:
        with connections["default"].cursor() as cursor:
            cursor.execute(_CLOSE, [list(positions)])


def _tallies(
    row: PublishedIncident, document: dict[str, Any], counted: Sequence[Row]
) -> list[Values]:
    given: dict[str, set[str]] = {}
    for each in counted:
        given.setdefault(each.outcome, {"all"}).add(each.bucket)
    keys = _keys(row, document)
    outcomes: list[str | None] = [*document["totals"]]
    return [
        {
            **keys,
            "outcome": outcome,
            "first": place == 0,
            "from_parts": is_from_parts(
                # Of the figures that every answer shows: the dead of two armies are often given
                # apart, beside a whole of the civilians.
                each
                for each in counted
                if each.outcome == outcome and each.bucket in SIDE_BY_SIDE
            ),
            **_figures(document["totals"].get(outcome, {}), given.get(outcome or "", set())),
        }
        for place, outcome in enumerate(outcomes or [None])
    ]


def _figures(buckets: dict[str, Any], given: set[str]) -> Values:
    values: Values = {}
    for bucket in BUCKETS:
        values[f"{bucket}_given"] = bucket in given
        for bound in BOUNDS:
            values[f"{bucket}_{bound}"] = buckets[bucket][bound] if bucket in given else None
    return values


def _keys(row: PublishedIncident, document: dict[str, Any]) -> Values:
    earliest, latest = row.date_earliest, row.date_latest
    place = document["place"]
    levels = {step["level"]: step for step in [*place["path"], place]} if place else {}
    return {
        "incident_id": row.pk,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "left_out": _left_out(row),
        "date_earliest": earliest,
        "date_latest": latest,
        "month_from": _index(month_of, earliest),
        "month_until": _index(month_of, latest),
        "week_from": _index(week_of, earliest),
        "week_until": _index(week_of, latest),
        "country": place and place["country"],
        **{level: _place_key(levels.get(level)) for level in _AREAS},
        "place": _place_key(place),
        "grading": row.grading,
    }


def _index(of: Any, day: datetime.date | None) -> int | None:
    return None if day is None else of(day)


def _place_key(place: dict[str, Any] | None) -> str | None:
    """What the filter place takes: its P-code, or its id where it has none."""
    return None if place is None else place["pcode"] or place["id"]


def _left_out(row: PublishedIncident) -> str | None:
    if row.in_totals:
        return None
    return "aggregate_count" if row.record_type == "aggregate_count" else "duplicate"


def _group_values(document: dict[str, Any]) -> Iterator[Values]:
    weapons = [row for row in document["weapons"] if row["certainty"] != "denied"]
    yield from _distinct(
        _value("weapon", row["code"], row["alternative_group"], certainty=row["certainty"])
        for row in weapons
    )
    yield from _distinct(
        _value(
            "weapon_group",
            weapon_levels(row)[-1],
            row["alternative_group"],
            certainty=row["certainty"],
        )
        for row in weapons
    )
    yield from _distinct(
        _value(
            "actor",
            row["actor"]["id"],
            row["alternative_group"],
            role=row["role"],
            certainty=row["certainty"],
        )
        for row in document["involvement"]
    )
    # None where the name was taken out.
    yield from _distinct(
        _value("dataset", row["dataset"], None)
        for row in document["external_ids"]
        if row["dataset"]
    )


def _value(
    dimension: str,
    value: str,
    group: Any,
    *,
    role: str | None = None,
    certainty: str | None = None,
) -> tuple[Values, Any]:
    row = {"dimension": dimension, "value": value, "role": role, "certainty": certainty}
    return row, group


def _distinct(found: Iterable[tuple[Values, Any]]) -> Iterator[Values]:
    """Each once; one is an alternative where another value has the same group in the same role."""
    rows = list(found)
    rivals = {
        (group, row["role"], row["value"])
        for row, group in rows
        if group is not None and row["certainty"] != "denied"
    }
    values = Counter((group, role) for group, role, _value in rivals)
    kept: dict[tuple[Any, ...], Values] = {}
    for row, group in rows:
        is_alternative = row["certainty"] != "denied" and values[group, row["role"]] > 1
        held = kept.setdefault(tuple(row.values()), {**row, "is_alternative": False})
        held["is_alternative"] = held["is_alternative"] or is_alternative
    yield from kept.values()

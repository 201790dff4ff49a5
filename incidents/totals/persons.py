"""Sums over the persons of incidents: by sex, age, status, role, affiliation, bucket."""

from __future__ import annotations

# ruff: noqa: S608  (of our own words; what a client sends is a parameter)
from incidents.exports.selecting import Statement
from incidents.models.tallies import BUCKETS

from . import tally
from .grouping import BUCKET, COLUMNS, OUTCOME, SEVERAL, Asked
from .periods import PERIODS
from .spreading import spread


def _wholes(asked: Asked, dimensions: str) -> Statement:
    """What a version counts in a bucket without saying of whom: wholes that nothing divides."""
    values = ", ".join(
        f"('{bucket}', t.{bucket}_given, t.{bucket}_min, t.{bucket}_best, t.{bucket}_max)"
        for bucket in BUCKETS
    )
    nothing = ", ".join("NULL" for _ in asked.of_persons)
    return Statement(
        f"""SELECT t.incident_id, t.outcome, v.bucket, v.min, v.best, v.max
                   {"," if nothing else ""} {nothing}
            FROM incidents_publishedtally t
            CROSS JOIN LATERAL (VALUES {values}) v (bucket, given, min, best, max)
            WHERE t.outcome IS NOT NULL AND v.given
              AND t.incident_id IN (SELECT incident_id FROM kept)
              AND NOT EXISTS (
                SELECT 1 FROM incidents_publishedpart q
                WHERE q.incident_id = t.incident_id AND q.dimensions = %s
                  AND q.outcome = t.outcome AND q.bucket = v.bucket)""",
        (dimensions,),
    )


def statement(asked: Asked, most: int) -> Statement:
    """Rows: a column for each grouping, outcome, bucket, the first five of COUNTS, FIGURES.

    Those that count incidents have neither outcome nor bucket, but for what is grouped by them,
    and 0 as their figures; those of figures have 0 as their counts. ``is_count`` comes first.
    """
    dimensions = " ".join(asked.of_persons)
    keys = tally.keys(asked)
    named = {name: key for name, key in keys.items() if name in (*PERIODS, *COLUMNS, *SEVERAL)}
    marks = {name: f"({condition})::integer" for name, condition in tally.marks(asked).items()}
    found = tally.joined(
        [
            "SELECT t.incident_id, 1 AS incidents, 1 AS rows,",
            ", ".join(
                [
                    *tally.columns(asked, named),
                    *(f"{condition} AS {name}" for name, condition in marks.items()),
                ]
            ),
            tally.source(asked),
            f"WHERE {tally.is_counted(asked)} AND t.first",
        ]
    )
    counted = ("could_move", "undated", "shared", "either_or")
    kept = spread(asked, named, "found_rows", ["incident_id", *counted[1:]])
    own = ", ".join(asked.of_persons)
    own = f", {own}" if own else ""
    nobody = "".join(", NULL" for _ in asked.of_persons)
    figures = tally.joined(
        [
            Statement(
                f"""SELECT incident_id, outcome, bucket, min, best, max{own}
                    FROM incidents_publishedpart WHERE dimensions = %s
                      AND incident_id IN (SELECT incident_id FROM kept)""",
                (dimensions,),
            ),
            _wholes(asked, dimensions),
            f"""SELECT t.incident_id, NULL, NULL, NULL, NULL, NULL{nobody}
                FROM incidents_publishedtally t WHERE t.outcome IS NULL
                  AND t.incident_id IN (SELECT incident_id FROM kept)""",
        ],
        " UNION ALL ",
    )
    rows = tally.joined(
        [
            "SELECT figures.incident_id, figures.outcome, figures.bucket,",
            "figures.min, figures.best, figures.max,",
            ", ".join(
                f"{named.get(name, f'figures.{name}')} AS {key}" for name, key in keys.items()
            ),
            ", " + ", ".join(f"kept.{mark}" for mark in counted),
            "FROM kept JOIN figures ON figures.incident_id = kept.incident_id",
        ]
    )
    one = "count(DISTINCT incident_id)"
    counts = [one, *(f"{one} FILTER (WHERE {mark} > 0)" for mark in counted)]
    told = {OUTCOME: "NULL", BUCKET: "NULL"}
    grouped = ", ".join(keys.values())
    count_rows = (
        f"SELECT true, {grouped}, {told[OUTCOME]}, {told[BUCKET]}, {', '.join(counts)}, "
        f"NULL::bigint, NULL::bigint, NULL::bigint, false, 0, 0 FROM rows GROUP BY {grouped}"
    )
    figure_rows = f"""
        SELECT false, {grouped}, outcome, bucket, 0, 0, 0, 0, 0,
               sum(min), CASE WHEN count(*) = count(best) THEN sum(best) END,
               CASE WHEN count(*) = count(max) THEN sum(max) END,
               count(*) > count(max) AND count(min) > 0, count(*), count(*) - count(best)
        FROM rows WHERE outcome IS NOT NULL GROUP BY {grouped}, outcome, bucket
    """
    return tally.joined(
        [
            tally.with_found(
                asked,
                ("found_rows", found),
                ("kept", Statement(kept)),
                ("figures", figures),
                ("rows", rows),
            ),
            count_rows,
            "UNION ALL",
            figure_rows,
            f"LIMIT {int(most)}",
        ]
    )

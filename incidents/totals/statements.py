"""The SQL of totals: sums over the tally, one narrow row for each outcome of a version.

Cells are added up once and then put together twice: by group, and, each incident once, for the
whole. An incident is in a cell for each of its values, of which the first alone counts for the
whole. Dates that lie in one period go one way; the others, of which there are few, another.
"""

from __future__ import annotations

# ruff: noqa: S608  (of our own words; what a client sends is a parameter)
from collections.abc import Sequence

from incidents.exports.selecting import USING, Statement
from incidents.models.rows import BOUNDS
from incidents.models.tallies import BUCKETS

from .grouping import BUCKET, COLUMNS, DENIED, OUTCOME, PERPETRATOR, SEVERAL, Asked
from .periods import MONTHS, PERIODS, WEEK, index_of

# Columns of each bucket in a row of the answer.
FIGURES = ("min", "best", "max", "at_least", "incidents", "without_best")
COUNTS = ("incidents", "could_move", "undated", "shared", "either_or", "from_parts")


def joined(parts: Sequence[Statement | str], separator: str = " ") -> Statement:
    statements = [Statement(part) if isinstance(part, str) else part for part in parts]
    return Statement(
        separator.join(part.sql for part in statements),
        tuple(value for part in statements for value in part.parameters),
    )


def _with(asked: Asked, *ctes: tuple[str, Statement]) -> Statement:
    every = list(ctes)
    if asked.found is not None:
        found = asked.found.order_by().values_list("version_id").query
        sql, parameters = found.get_compiler(using=USING).as_sql()
        every.insert(0, ("found (seq)", Statement(sql, tuple(parameters))))
    named = [joined([f"{name} AS (", statement, ")"]) for name, statement in every]
    return joined(["WITH", joined(named, ", ")]) if named else Statement("")


def is_valid(asked: Asked, table: str) -> str:
    """That a row was the current one."""
    at = int(asked.at)
    return (
        f"{table}.valid_from <= {at} "
        f"AND ({table}.valid_until IS NULL OR {table}.valid_until > {at})"
    )


def _several(asked: Asked, place: int, name: str) -> Statement:
    """Of each incident its values of what it may have several of, numbered and counted."""
    conditions = [Statement("dimension = %s", (name,))]
    if name == "actor":
        roles = asked.actor_roles or (PERPETRATOR,)
        conditions.append(Statement("role = ANY(%s)", ([*roles],)))
        if asked.actor_certainties:
            conditions.append(Statement("certainty = ANY(%s)", ([*asked.actor_certainties],)))
        else:
            conditions.append(Statement("certainty <> %s", (DENIED,)))
    if asked.found is not None:
        conditions.append(Statement("incident_id IN (SELECT seq FROM found)"))
    return joined(
        [
            "LEFT JOIN (SELECT incident_id, value, bool_or(is_alternative) AS alternative,",
            "count(*) OVER (PARTITION BY incident_id) AS n,",
            # The total counts each incident by its first value: as an alternative if any is.
            "row_number() OVER (PARTITION BY incident_id "
            "ORDER BY bool_or(is_alternative) DESC, value) AS k",
            "FROM incidents_publishedgroupvalue WHERE",
            joined(conditions, " AND "),
            f"GROUP BY incident_id, value) m{place} ON m{place}.incident_id = t.incident_id",
        ]
    )


def _source(asked: Asked) -> Statement:
    parts: list[Statement | str] = ["FROM incidents_publishedtally t"]
    if asked.found is not None:
        parts.append("JOIN found f ON f.seq = t.incident_id")
    parts += [_several(asked, place, name) for place, name in enumerate(asked.several)]
    return joined(parts)


def _counted(asked: Asked) -> str:
    """That a row of the tally counts."""
    counted = "t.left_out IS NULL"
    return counted if asked.found is not None else f"{counted} AND {is_valid(asked, 't')}"


def _index(unit: str, end: str) -> str:
    """The number of the period that a date begins or ends in."""
    if unit == WEEK:
        return f"t.week_{end}"
    return f"t.month_{end}" if MONTHS[unit] == 1 else f"t.month_{end} / {MONTHS[unit]}"


_UNDATED = "(t.date_earliest IS NULL AND t.date_latest IS NULL)"


def _leaves_range(asked: Asked) -> str:
    """That the date need not lie in the range asked for."""
    inside = []
    if asked.date_from:
        inside.append(f"coalesce(t.date_earliest >= DATE '{asked.date_from}', false)")
    if asked.date_to:
        inside.append(f"coalesce(t.date_latest <= DATE '{asked.date_to}', false)")
    if not inside:
        return "false"
    if asked.date_from and not asked.date_to:
        inside.append("t.date_latest IS NOT NULL")
    if asked.date_to and not asked.date_from:
        inside.append("t.date_earliest IS NOT NULL")
    return f"(NOT ({' AND '.join(inside)}))"


class _Branch:
    """One way of reading the tally: its source, its condition, and what differs between ways."""

    def __init__(
        self, asked: Asked, *, source: Statement, condition: str, unit: str, moves: str, again: str
    ) -> None:
        self.asked = asked
        self.source = source
        self.condition = condition
        self.unit = unit
        self.moves = moves
        several = range(len(asked.several))
        self.again = " OR ".join([again, *(f"coalesce(m{n}.k, 1) > 1" for n in several)])
        self.shared = " OR ".join(["false", *(f"coalesce(m{n}.n, 1) > 1" for n in several)])
        self.either = " OR ".join(
            ["false", *(f"coalesce(m{n}.alternative, false)" for n in several)]
        )

    def key(self, name: str) -> str:
        if name in PERIODS:
            finest = self.asked.unit or name
            if name == finest:
                return self.unit
            return f"({self.unit}) / {MONTHS[name] // MONTHS[finest]}"
        if name in SEVERAL:
            return f"m{self.asked.several.index(name)}.value"
        return f"t.{name}"

    def selected(self, columns: Sequence[str], ending: str = "") -> Statement:
        return joined(
            ["SELECT", ", ".join(columns), self.source, f"WHERE {self.condition}", ending]
        )


def _branches(asked: Asked) -> list[_Branch]:
    source, counted, leaves = _source(asked), _counted(asked), _leaves_range(asked)
    unit = asked.unit
    if unit is None:
        return [
            _Branch(asked, source=source, condition=counted, unit="", moves=leaves, again="false")
        ]
    first, last = _index(unit, "from"), _index(unit, "until")
    # As PostgreSQL does not know how often two columns are equal, it would take it for seldom and
    # sort what it had better hash.
    is_one = f"coalesce({first} = {last}, false)"
    within = _Branch(
        asked,
        source=source,
        condition=f"{counted} AND {is_one}",
        unit=first,
        moves=leaves,
        again="false",
    )
    condition = f"{counted} AND NOT {is_one}"
    moves = f"(NOT {_UNDATED})"
    if asked.is_certain:
        across = _Branch(
            asked, source=source, condition=condition, unit="NULL::integer", moves=moves,
            again="false",
        )  # fmt: skip
        return [within, across]
    low, high = _reach(asked, unit, first, last)
    return [
        within,
        _Branch(
            asked,
            source=joined(
                [source, f"LEFT JOIN LATERAL generate_series({low}, {high}) p (unit) ON true"]
            ),
            condition=condition,
            unit="p.unit",
            moves=moves,
            again=f"coalesce(p.unit > {low}, false)",
        ),
    ]


def _reach(asked: Asked, unit: str, first: str, last: str) -> tuple[str, str]:
    """The first and the last period that a date can lie in; NULL where nothing is known of it.

    An open end reaches as far as anything does: back to the first period of any incident found,
    on to the day of the ledger position.
    """
    back = "NULL::integer" if asked.reaches_back is None else str(asked.reaches_back)
    lows = [f"coalesce({first}, {back}, {last})"]
    end = index_of(unit, asked.last_day)
    highs = [f"coalesce({last}, {end})", str(end)]
    if asked.date_from:
        lows.append(str(index_of(unit, asked.date_from)))
    if asked.date_to:
        highs.append(str(index_of(unit, asked.date_to)))
    low = f"(CASE WHEN NOT {_UNDATED} THEN greatest({', '.join(lows)}) END)"
    return low, f"greatest(least({', '.join(highs)}), {low})"


def reach(asked: Asked) -> Statement | None:
    """Where open beginnings reach back to: the first period of any incident found.

    NULL where there are none; the rows are gone through only where there are. Asked beforehand,
    since PostgreSQL would not share the work of a statement that asks it within.
    """
    unit = asked.unit
    if unit is None or asked.is_certain:
        return None
    first, last = _index(unit, "from"), _index(unit, "until")
    return joined(
        [
            _with(asked),
            f"SELECT min(coalesce({first}, {last})) FROM incidents_publishedtally t",
            "JOIN found f ON f.seq = t.incident_id" if asked.found is not None else "",
            f"""WHERE {_counted(asked)} AND EXISTS (
                  SELECT 1 FROM incidents_publishedtally o
                  WHERE o.month_from IS NULL AND o.month_until IS NOT NULL)""",
        ]
    )


def _sums(bucket: str) -> list[str]:
    return [
        f"count(*) FILTER (WHERE t.{bucket}_given) AS {bucket}_n",
        *(
            f"{work}(t.{bucket}_{bound}) AS {bucket}_{work}_{bound}"
            for work, bound in (
                ("count", "best"),
                ("count", "max"),
                ("sum", "min"),
                ("sum", "best"),
                ("sum", "max"),
            )
        ),
    ]


_SUMMED = ("n", "count_best", "count_max", "sum_min", "sum_best", "sum_max")


def _figures(bucket: str) -> list[str]:
    """Sums as figures: FIGURES of a bucket."""
    n, best, high, *_sums_of = (f"{bucket}_{name}" for name in _SUMMED)
    return [
        f"{bucket}_sum_min",
        f"CASE WHEN {n} > 0 AND {n} = {best} THEN {bucket}_sum_best END",
        f"CASE WHEN {n} > 0 AND {n} = {high} THEN {bucket}_sum_max END",
        f"{n} > {high} AND {bucket}_sum_min IS NOT NULL",
        n,
        f"{n} - {best}",
    ]


def of_incidents(
    asked: Asked, buckets: Sequence[str], most: int, *, only_whole: bool = False
) -> Statement:
    """Rows: whether it is of the whole, a column for each grouping, outcome, COUNTS, FIGURES of
    each bucket. At most so many of them.
    """
    keys = [f"k{place}" for place in range(len(asked.groupings))]
    # A row for each outcome: one of each version is counted, or all where they are told apart.
    counted = "true" if OUTCOME in asked.groupings else "t.first"
    branches = _branches(asked)
    rows = []
    for branch in branches:
        columns = [
            *(
                f"{branch.key(name)} AS {key}"
                for key, name in zip(keys, asked.groupings, strict=True)
            ),
            "t.outcome",
            f"({branch.again}) AS again",
            f"{counted} AS is_one",
            f"({branch.moves}) AS moves",
            f"{_UNDATED} AS is_undated",
            f"({branch.shared}) AS is_shared",
            f"({branch.either}) AS is_either",
            "t.from_parts AS has_parts",
            *(f"t.{bucket}_{name}" for bucket in buckets for name in ("given", *BOUNDS)),
        ]
        rows.append(branch.selected(columns))
    cells = joined(
        [
            f"SELECT {', '.join([*keys, 'outcome', 'again'])},",
            "count(*) FILTER (WHERE is_one) AS incidents,",
            "count(*) FILTER (WHERE is_one AND moves) AS could_move,",
            "count(*) FILTER (WHERE is_one AND is_undated) AS undated,",
            "count(*) FILTER (WHERE is_one AND is_shared) AS shared,",
            "count(*) FILTER (WHERE is_one AND is_either) AS either_or,",
            ", ".join(
                [
                    "count(*) FILTER (WHERE has_parts) AS from_parts",
                    *(column for bucket in buckets for column in _sums(bucket)),
                ]
            ),
            "FROM (",
            joined(rows, " UNION ALL "),
            f") t GROUP BY {', '.join([*keys, 'outcome', 'again'])}",
        ]
    )
    sums = [*COUNTS, *(f"{bucket}_{name}" for bucket in buckets for name in _SUMMED)]
    # Exact up to 2^53 persons; whole numbers of eight bytes are added several times as slowly.
    added = ", ".join(f"sum({name}::float8)::bigint AS {name}" for name in sums)
    figures = [*COUNTS, *(column for bucket in buckets for column in _figures(bucket))]
    every = [*keys, "outcome"]
    is_split = len(branches) > 1 or bool(asked.several)
    groups = (
        f"SELECT false AS is_whole, {', '.join([*every, added])} FROM cells "
        f"GROUP BY {', '.join(every)}"
        if is_split
        else f"SELECT false AS is_whole, {', '.join([*every, *sums])} FROM cells"
    )
    nothing = [f"NULL AS {key}" for key in keys]
    whole = (
        f"SELECT true AS is_whole, {', '.join([*nothing, 'outcome', added])} FROM cells "
        "WHERE NOT again GROUP BY outcome"
    )
    every_way = [whole] if only_whole else [groups, whole]
    ordered = ", ".join(
        f'{key} COLLATE "C" NULLS LAST' if name not in PERIODS else f"{key} NULLS LAST"
        for key, name in zip(keys, asked.groupings, strict=True)
    )
    order = ", ".join(filter(None, ["is_whole DESC", ordered, 'outcome COLLATE "C" NULLS LAST']))
    return joined(
        [
            _with(
                asked,
                ("cells", cells),
                ("put_together", Statement(" UNION ALL ".join(every_way))),
            ),
            f"SELECT {', '.join(['is_whole', *every, *figures])} FROM put_together",
            f"ORDER BY {order} LIMIT {int(most)}",
        ]
    )


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


def of_persons(asked: Asked, most: int) -> Statement:
    """Rows: a column for each grouping, outcome, bucket, the first five of COUNTS, FIGURES.

    Those that count incidents have neither outcome nor bucket, but for what is grouped by them,
    and 0 as their figures; those of figures have 0 as their counts. ``is_count`` comes first.
    """
    dimensions = " ".join(asked.of_persons)
    kept_names = [name for name in asked.groupings if name in (*PERIODS, *COLUMNS, *SEVERAL)]
    kept_keys = {name: f"k{asked.groupings.index(name)}" for name in kept_names}
    marks = ("could_move", "undated", "shared", "either_or")
    kept = [
        branch.selected(
            [
                "t.incident_id",
                *(f"{branch.key(name)} AS {key}" for name, key in kept_keys.items()),
                f"({branch.moves}) AS could_move",
                f"{_UNDATED} AS undated",
                f"({branch.shared}) AS shared",
                f"({branch.either}) AS either_or",
            ],
            "AND t.first",
        )
        for branch in _branches(asked)
    ]
    own = ", ".join(asked.of_persons)
    own = f", {own}" if own else ""
    nobody = "".join(", NULL" for _ in asked.of_persons)
    figures = joined(
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
    names = {name: kept_keys.get(name) or f"figures.{name}" for name in asked.groupings}
    keys = [f"k{place}" for place in range(len(names))]
    rows = joined(
        [
            "SELECT figures.incident_id, figures.outcome, figures.bucket,",
            "figures.min, figures.best, figures.max,",
            ", ".join(
                f"{source} AS {key}" for key, source in zip(keys, names.values(), strict=True)
            ),
            ", " + ", ".join(f"kept.{mark}" for mark in marks),
            "FROM kept JOIN figures ON figures.incident_id = kept.incident_id",
        ]
    )
    one = "count(DISTINCT incident_id)"
    counts = [one, *(f"{one} FILTER (WHERE {mark})" for mark in marks)]
    told = {OUTCOME: "NULL", BUCKET: "NULL"}
    grouped = ", ".join(keys)
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
    return joined(
        [
            _with(
                asked,
                ("kept", joined(kept, " UNION ALL ")),
                ("figures", figures),
                ("rows", rows),
            ),
            count_rows,
            "UNION ALL",
            figure_rows,
            f"LIMIT {int(most)}",
        ]
    )


def left_out(asked: Asked) -> Statement:
    """Rows: why records are in no total, and how many are not."""
    at = int(asked.at)
    parts: list[Statement | str] = [
        "SELECT t.left_out, count(*) FROM incidents_publishedtally t",
        f"WHERE t.left_out IS NOT NULL AND t.first AND {is_valid(asked, 't')}",
        "AND t.incident_id IN (SELECT seq FROM found)" if asked.found is not None else "",
        "GROUP BY 1 UNION ALL",
        # As the last version says: what was withdrawn may have been merged, or come back, since.
        f"""SELECT (SELECT v.kind FROM incidents_publishedversion v
                    WHERE v.code = i.code AND v.seq <= {at} ORDER BY v.number DESC LIMIT 1),
                   count(*)
            FROM incidents_publishedtally t JOIN incidents_publishedincident i
              ON i.seq = t.incident_id
            WHERE t.ended_by IS NOT NULL AND t.first AND t.valid_until <= {at}
              AND NOT EXISTS (
                SELECT 1 FROM incidents_publishedincident later
                WHERE later.code = i.code AND later.valid_from > i.valid_from
                  AND later.valid_from <= {at})""",
    ]
    if asked.ended is not None:
        query = asked.ended.order_by().values_list("version_id").query
        sql, parameters = query.get_compiler(using=USING).as_sql()
        parts.append(joined(["AND i.seq IN (", Statement(sql, tuple(parameters)), ")"]))
    parts.append("GROUP BY 1")
    return joined([_with(asked), *parts])

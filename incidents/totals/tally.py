"""The tally as totals read it: one narrow row for each outcome of a version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from incidents.exports.selecting import USING, Statement

from .grouping import DENIED, PERPETRATOR, SEVERAL, Asked
from .periods import MONTHS, PERIODS, WEEK

# A condition that nothing meets.
NEVER = "false"


def joined(parts: Sequence[Statement | str], separator: str = " ") -> Statement:
    statements = [Statement(part) if isinstance(part, str) else part for part in parts]
    return Statement(
        separator.join(part.sql for part in statements),
        tuple(value for part in statements for value in part.parameters),
    )


def versions(found: QuerySet[Any]) -> Statement:
    """The numbers of versions."""
    compiler = found.order_by().values_list("version_id").query.get_compiler(using=USING)
    sql, parameters = compiler.as_sql()
    return Statement(sql, tuple(parameters))


def with_found(asked: Asked, *ctes: tuple[str, Statement]) -> Statement:
    """The beginning of a statement: the incidents found, and what else is to have a name."""
    every = list(ctes)
    if asked.found is not None:
        every.insert(0, ("found (seq)", versions(asked.found.current)))
    named = [joined([f"{name} AS (", statement, ")"]) for name, statement in every]
    return joined(["WITH", joined(named, ", ")]) if named else Statement("")


def is_current(asked: Asked) -> str:
    """That a row of the tally is of a version that was the current one, as all are that were
    found."""
    if asked.found is not None:
        return "true"
    at = int(asked.at)
    return f"t.valid_from <= {at} AND (t.valid_until IS NULL OR t.valid_until > {at})"


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


def source(asked: Asked) -> Statement:
    """The rows found, as ``t``, with their values of what they may have several of."""
    parts: list[Statement | str] = ["FROM incidents_publishedtally t"]
    if asked.found is not None:
        parts.append("JOIN found f ON f.seq = t.incident_id")
    parts += [_several(asked, place, name) for place, name in enumerate(asked.several)]
    return joined(parts)


def is_counted(asked: Asked) -> str:
    """That a row of the tally counts."""
    return f"t.left_out IS NULL AND {is_current(asked)}"


def period(unit: str, end: str) -> str:
    """The number of the period that a date begins or ends in: ``from``, ``until``."""
    if unit == WEEK:
        return f"t.week_{end}"
    return f"t.month_{end}" if MONTHS[unit] == 1 else f"t.month_{end} / {MONTHS[unit]}"


def keys(asked: Asked) -> dict[str, str]:
    """Grouping -> the column that is named for it."""
    return {name: f"k{place}" for place, name in enumerate(asked.groupings)}


def columns(asked: Asked, named: Mapping[str, str]) -> list[str]:
    """What groups are made of, in the order that they come in: of periods the first and the last
    that a date can lie in."""
    found = []
    for name, key in named.items():
        if name in SEVERAL:
            found.append(f'm{asked.several.index(name)}.value COLLATE "C" AS {key}')
        elif name not in PERIODS:
            found.append(f't.{name} COLLATE "C" AS {key}')
    if asked.unit is not None:
        found.append(f"{period(asked.unit, 'from')} AS period_from")
        found.append(f"{period(asked.unit, 'until')} AS period_until")
    return found


def marks(asked: Asked) -> dict[str, str]:
    """What is said of an incident in a group: name -> condition."""
    several = range(len(asked.several))
    return {
        "could_leave": _leaves_range(asked),
        "undated": "t.date_earliest IS NULL AND t.date_latest IS NULL",
        "shared": _any(f"coalesce(m{n}.n, 1) > 1" for n in several),
        "either_or": _any(f"coalesce(m{n}.alternative, false)" for n in several),
    }


def is_again(asked: Asked) -> str:
    """That the whole counts an incident by another of its values."""
    return _any(f"coalesce(m{n}.k, 1) > 1" for n in range(len(asked.several)))


def _any(conditions: Iterable[str]) -> str:
    return " OR ".join(conditions) or NEVER


def _leaves_range(asked: Asked) -> str:
    """That the date need not lie in the range asked for."""
    inside = []
    if asked.date_from:
        inside.append(f"coalesce(t.date_earliest >= DATE '{asked.date_from}', false)")
    if asked.date_to:
        inside.append(f"coalesce(t.date_latest <= DATE '{asked.date_to}', false)")
    if not inside:
        return NEVER
    if asked.date_from and not asked.date_to:
        inside.append("t.date_latest IS NOT NULL")
    if asked.date_to and not asked.date_from:
        inside.append("t.date_earliest IS NOT NULL")
    return f"(NOT ({' AND '.join(inside)}))"

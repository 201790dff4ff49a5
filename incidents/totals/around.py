"""What is asked beside the sums: how far open beginnings reach back, and what is in no total."""

from __future__ import annotations

# ruff: noqa: S608  (of our own words; what a client sends is a parameter)
from incidents.exports.selecting import USING, Statement
from incidents.models.tally_sums import SIDE_BY_SIDE

from . import sums, tally
from .grouping import Asked
from .periods import MONTHS

POSITION = "position"
_KEPT_REACH = """
    SELECT least(min(month_from), (
        SELECT min(month_until) FROM incidents_publishedtallysum
        WHERE left_out IS NULL AND month_from IS NULL
    )) / {months} FROM incidents_publishedtallysum WHERE left_out IS NULL
"""


def reach(asked: Asked) -> Statement | None:
    """Where open beginnings reach back to: the first period of any incident found.

    NULL where there are none; the rows are gone through only where there are. Asked beforehand,
    since PostgreSQL would not share the work of a statement that asks it within.
    """
    unit = asked.unit
    if unit is None or asked.is_certain:
        return None
    if sums.is_kept(asked, SIDE_BY_SIDE):
        return Statement(_KEPT_REACH.format(months=MONTHS[unit]))
    first, last = tally.period(unit, "from"), tally.period(unit, "until")
    return tally.joined(
        [
            tally.with_found(asked),
            f"SELECT min(coalesce({first}, {last})) FROM incidents_publishedtally t",
            "JOIN found f ON f.seq = t.incident_id" if asked.found is not None else "",
            f"""WHERE {tally.is_counted(asked)} AND EXISTS (
                  SELECT 1 FROM incidents_publishedtally o
                  WHERE o.month_from IS NULL AND o.month_until IS NOT NULL)""",
        ]
    )


def left_out(asked: Asked) -> Statement:
    """Rows: why records are in no total, and how many are not; as POSITION the head of the ledger
    where sums are read that are of the head."""
    at = int(asked.at)
    if asked.is_everything_now:
        current = (
            "SELECT left_out, sum(incidents)::bigint FROM incidents_publishedtallysum "
            f"WHERE left_out IS NOT NULL GROUP BY 1 UNION ALL SELECT '{POSITION}', {sums.HEAD}"
        )
    else:
        current = (
            "SELECT t.left_out, count(*) FROM incidents_publishedtally t "
            f"WHERE t.left_out IS NOT NULL AND t.first AND {tally.is_valid(asked, 't')} "
            + ("AND t.incident_id IN (SELECT seq FROM found)" if asked.found is not None else "")
            + "GROUP BY 1"
        )
    parts: list[Statement | str] = [
        current,
        "UNION ALL",
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
        parts.append(tally.joined(["AND i.seq IN (", Statement(sql, tuple(parameters)), ")"]))
    parts.append("GROUP BY 1")
    return tally.joined([tally.with_found(asked), *parts])

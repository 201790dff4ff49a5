"""The SQL that the hand-written contenders share, and the one question of the pages.

A page is asked by ``day``: the 100 incidents of a grading of ``confirmed`` or ``fair`` that began
on that day or before, the last ones first. On most days that is most of the incidents.
"""

from __future__ import annotations

from benchmarks.nested import POSTGRES, ROWS, assembled

GRADINGS = ("confirmed", "fair")
LIMIT = 100

_ORDER = "ORDER BY i.date_earliest DESC NULLS LAST, i.code"
_PAGE = (
    f"{ROWS} WHERE i.state = 'published' AND i.grading IN ('confirmed', 'fair') "
    f"AND i.date_earliest <= {{day}} {_ORDER} LIMIT {LIMIT}"
)
_ONE = f"{ROWS} WHERE i.code = {{code}}"


def nested_page(day: str, *, full: bool) -> str:
    """The page as one text: PostgreSQL writes the whole body."""
    rows = assembled(POSTGRES, _PAGE.format(day=day), full=full, order=_ORDER)
    return (
        "SELECT '{\"results\":[' || coalesce(string_agg(item::text, ','), '') || ']}' "
        f"FROM ({rows}) page"
    )


def nested_one(code: str) -> str:
    rows = assembled(POSTGRES, _ONE.format(code=code), full=True)
    return f"SELECT item::text FROM ({rows}) one"


def stored_page(day: str, *, full: bool) -> str:
    """The same page of stored texts, by hand."""
    rows = (
        "SELECT i.seq, i.summary FROM incidents_publishedincident i "
        "WHERE i.valid_until IS NULL AND i.grading IN ('confirmed', 'fair') "
        f"AND i.date_earliest <= {day} {_ORDER} LIMIT {LIMIT}"
    )
    if not full:
        return f"SELECT summary FROM ({rows}) page"
    return (
        "SELECT v.document FROM (SELECT row_number() OVER () AS position, * "
        f"FROM ({rows}) found) page JOIN incidents_publishedversion v USING (seq) "
        "ORDER BY position"
    )


def stored_one(code: str) -> str:
    return (
        f"SELECT document FROM incidents_publishedversion WHERE code = {code} "
        "ORDER BY number DESC LIMIT 1"
    )


def stored_changes(after: str) -> str:
    return (
        f"SELECT change FROM incidents_publishedchange WHERE seq > {after} ORDER BY seq LIMIT 1000"
    )

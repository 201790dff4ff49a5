"""What moved since the release before: a line per record, and a row per figure.

Both documents are read as the public has them now, so that nothing that was taken out is said.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import connections

from harmtracker import timeouts
from incidents.choices import VersionKind
from incidents.exports.selecting import USING
from incidents.publishing.canonical import canonical
from incidents.publishing.moved import BOUNDS, is_whole, moved

from .frozen import Frozen
from .writing import Folder

AT_ONCE = 100
LINES = "changes/changes.ndjson"
FIGURES = "changes/figures.csv"
_SIDES = ("from", "to")
_OF = (*BOUNDS, "at_least")
COLUMNS = (
    "position",
    "code",
    "change",
    "from_version",
    "to_version",
    "outcome",
    "bucket",
    *(f"{side}_{bound}" for side in _SIDES for bound in _OF),
)
# The versions that were the last ones of their codes at the release, and were not at the one
# before, each with the one that was then.
_CHANGED = """
    SELECT v.seq, v.code, v.number, v.kind, v.document, b.number, b.document
    FROM incidents_publishedversion v
    LEFT JOIN LATERAL (
        SELECT w.number, w.document FROM incidents_publishedversion w
        WHERE w.code = v.code AND w.number < v.number AND w.seq <= %s
        ORDER BY w.number DESC LIMIT 1) b ON true
    WHERE v.seq > %s AND v.seq <= %s AND NOT EXISTS (
        SELECT FROM incidents_publishedversion n
        WHERE n.code = v.code AND n.number > v.number AND n.seq <= %s)
    ORDER BY v.seq LIMIT %s
"""


def changes(frozen: Frozen) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each record that came, changed or went, in the order of the ledger."""
    if frozen.since is None:
        return
    after = frozen.since
    while True:
        with timeouts.for_exports(USING), connections[USING].cursor() as cursor:
            values = [frozen.since, after, frozen.position, frozen.position, AT_ONCE]
            cursor.execute(_CHANGED, values)
            rows = cursor.fetchall()
        for seq, code, number, kind, document, former, former_document in rows:
            now = json.loads(document)
            was = None if former_document is None else json.loads(former_document)
            change = _change(kind, was)
            if change is not None:
                yield (
                    seq,
                    {
                        "code": code,
                        "change": change,
                        "from_version": former if is_whole(was) else None,
                        "to_version": number,
                        "merged_into": now.get("merged_into"),
                        "note": now["note"],
                        **moved(was, now),
                    },
                )
        if len(rows) < AT_ONCE:
            return
        after = rows[-1][0]


def _change(kind: str, was: dict[str, Any] | None) -> str | None:
    """What became of the record; None for one that was in neither release."""
    if kind == VersionKind.PUBLISHED:
        return "corrected" if is_whole(was) else "added"
    return str(kind) if is_whole(was) else None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rows(seq: int, change: dict[str, Any]) -> Iterator[str]:
    """Rows of the table of figures: numbers and codes alone, which need no quotes."""
    what = [seq, *(change[name] for name in COLUMNS[1:5])]
    for figure in change["figures"]:
        sides = [(figure[side] or {}).get(bound) for side in _SIDES for bound in _OF]
        yield ",".join(map(_cell, [*what, figure["outcome"], figure["bucket"], *sides])) + "\n"


def write(frozen: Frozen, folder: Folder) -> Counter[str]:
    """Write both files; how many records came, changed and went, and how many figures moved."""
    counted: Counter[str] = Counter()
    with folder.open(LINES) as lines, folder.open(FIGURES) as figures:
        figures.write((",".join(COLUMNS) + "\n").encode())
        for seq, change in changes(frozen):
            lines.write(canonical(change).encode() + b"\n")
            for row in _rows(seq, change):
                figures.write(row.encode())
            counted[change["change"]] += 1
            counted["figures"] += len(change["figures"])
    return counted

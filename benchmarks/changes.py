"""What changed: pages of 1,000 entries against reading those rows by hand."""

from __future__ import annotations

import json
import time
from random import Random
from typing import Any

from benchmarks import build
from benchmarks.parts import Bench, same
from benchmarks.report import Row, median
from incidents.publishing.canonical import canonical
from incidents.publishing.moved import moved

API = "/api/v1/changes/"
LIMIT = 1_000
# A correction every so many entries, with what the real one says of two documents.
EVERY = 4
PLACES = 40


def _corrected(bench: Bench) -> None:
    """Let a part of the entries be corrections: the benchmark's records have one version each."""
    rows = bench.database.execute(
        "SELECT c.seq, c.change, v.document FROM incidents_publishedchange c "
        "JOIN incidents_publishedversion v USING (seq) "
        "WHERE c.kind = 'created' AND c.seq %% %s = 0 AND c.seq <= 20000",
        [EVERY],
    ).fetchall()
    for seq, change, text in rows:
        after = json.loads(text)
        found = moved(_before(after), after)
        content = {**json.loads(change), "kind": "corrected", **found}
        bench.database.execute(
            "UPDATE incidents_publishedchange SET kind = 'corrected', change = %s WHERE seq = %s",
            [canonical(content), seq],
        )


def _before(after: dict[str, Any]) -> dict[str, Any]:
    """A document as it may have been before."""
    before: dict[str, Any] = json.loads(canonical(after))
    before["grading"]["code"] = "weak"
    before["claims"] = before["claims"][1:]
    for buckets in before["totals"].values():
        for total in buckets.values():
            total["min"] = (total["min"] or 0) + 1
    return before


def changes(bench: Bench) -> None:
    """A page of 1,000 entries of what changed, 8 connections."""
    _corrected(bench)
    bench.database.execute("ANALYZE incidents_publishedchange")
    last = max(0, min(bench.count, 20_000) - LIMIT)
    random = Random(build.SEED)
    starts = [random.randrange(last + 1) for _ in range(PLACES)]
    asked = [f"{API}?limit={LIMIT}&after={start}" for start in starts]
    for start, path in list(zip(starts, asked, strict=True))[:5]:
        ours = bench.product.json(path)["results"]
        assert len(ours) == LIMIT, "1,000 entries must fit into a page"
        same("changes", ours, bench.bare.json(f"/stored/changes?{start}")["results"])
    rates = bench.race(
        {
            "harmtracker": (bench.product, asked),
            "bare WSGI, stored texts": (bench.bare, [f"/stored/changes?{s}" for s in starts]),
            "harmtracker, of one country": (bench.product, [f"{p}&country=MMR" for p in asked]),
            "harmtracker, a kind and a figure": (
                bench.product,
                [f"{p}&kind=created&moved=killed_civilian" for p in asked],
            ),
        }
    )
    ours = rates["harmtracker"]
    reading = rates["bare WSGI, stored texts"]
    bench.report.add(
        Row("1,000 changes: time against reading those rows", reading / ours, 1.5, at_least=False)
    )
    for name in ("of one country", "a kind and a figure"):
        ratio = ours / rates[f"harmtracker, {name}"]
        bench.report.add(Row(f"1,000 changes, {name}: time against all", ratio, None))
    _parsed(bench, starts[0], reading)


def _parsed(bench: Bench, start: int, reading: float) -> None:
    """What a page would cost if it were made of the documents when it is asked for."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        rows = bench.database.execute(
            "SELECT document, document FROM incidents_publishedversion WHERE seq > %s "
            "ORDER BY seq LIMIT %s",
            [start, LIMIT],
        ).fetchall()
        for one, other in rows:
            moved(json.loads(one), json.loads(other))
        taken.append(time.perf_counter() - began)
    ratio = median(taken) * reading
    bench.report.add(Row("made of 2,000 documents instead: against reading the rows", ratio, None))

"""Incidents by each dimension: one request against a count of all keys written by hand."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from benchmarks.report import Row, median

if TYPE_CHECKING:
    from benchmarks.parts import Bench

# What a count of the whole list asks of the database, written as plainly as may be.
BY_HAND = """
    SELECT key, count(*) FROM (
        SELECT unnest(traits) AS key FROM incidents_publishedincident WHERE valid_until IS NULL
    ) k GROUP BY key
"""
# A filter that leaves nothing out, for which rows are counted one by one.
EVERYTHING = {"published_after": "2000-01-01T00:00:00Z"}
BROAD = {"grading": ["contested", "fair", "confirmed"]}


def facets(bench: Bench) -> None:
    """Facets of all incidents, and under filters, against a query written by hand."""
    path = "/api/v1/incidents/facets/"
    paths = {
        "no filter": path,
        "a filter that leaves nothing out": f"{path}?{urlencode(EVERYTHING)}",
        "a broad filter": f"{path}?{urlencode(BROAD, doseq=True)}",
    }
    found = bench.product.json(path)["facets"]
    by_hand = dict(bench.database.execute(BY_HAND).fetchall())
    for name, facet in found.items():
        for value in facet["values"]:
            if value["count"] != by_hand[f"{name}:{value['code'] or ''}"]:
                raise SystemExit(f"Facet {name} and the query do not give the same.")
    if found != bench.product.json(paths["a filter that leaves nothing out"])["facets"]:
        raise SystemExit("Facets of all and of a filter that finds all are not the same.")
    taken: dict[str, list[float]] = {name: [] for name in [*paths, "by hand"]}
    for _ in range(max(bench.rounds, 3)):
        start = time.monotonic()
        json.dumps(bench.database.execute(BY_HAND).fetchall())
        taken["by hand"].append(time.monotonic() - start)
        for name, address in paths.items():
            start = time.monotonic()
            bench.product.get(address)
            taken[name].append(time.monotonic() - start)
    bench.explain("facets-by-hand", BY_HAND)
    base = median(taken["by hand"])
    for name in paths:
        spread = f"{min(taken[name]):.3f} to {max(taken[name]):.3f} s"
        print(f"    {name:<34} {spread}; by hand {base:.3f} s", flush=True)
        what = f"facets, {name}: time against a count of all keys written by hand"
        bench.report.add(Row(what, median(taken[name]) / base, None, at_least=False))

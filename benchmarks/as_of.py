"""Pages of a former time against the same pages of now."""

from __future__ import annotations

from benchmarks.parts import API, Bench, asked, page_path
from benchmarks.report import Row

# Where the pages stand, as shares of the ledger.
SHARES = {"half of the ledger": 0.5, "all but one entry": 1.0}
ORDERINGS = ("-date", "date", "code", "-published")


def as_of(bench: Bench) -> None:
    """A page of 100 as of a position against the same page of now, 8 connections."""
    head = bench.product.json("/api/v1/")["position"]
    now = [page_path(day) for day in bench.days]
    for name, share in SHARES.items():
        at = min(int(head * share), head - 1)
        first = bench.product.json(page_path(bench.days[0], as_of=at))
        assert first["position"] == at, "the page is of another position"
        then = [page_path(day, as_of=at) for day in bench.days]
        rates = bench.race({"now": (bench.product, now), f"as of {name}": (bench.product, then)})
        ratio = rates["now"] / rates[f"as of {name}"]
        bench.report.add(Row(f"page as of {name}: time against now", ratio, 1.5, at_least=False))
    half = head // 2
    for ordering in ORDERINGS:
        rates = bench.race(
            {
                "now": (bench.product, [asked(ordering=ordering)]),
                "then": (bench.product, [asked(ordering=ordering, as_of=half)]),
            }
        )
        name = f"first page by {ordering} as of half: time against now"
        bench.report.add(Row(name, rates["now"] / rates["then"], 1.5, at_least=False))
    _first_pages(bench, half)


def _first_pages(bench: Bench, at: int) -> None:
    """The plan of a first page: no scan of all history."""
    bench.explain(
        "as-of-first-page",
        "SELECT seq, summary FROM incidents_publishedincident "
        f"WHERE (valid_until IS NULL OR valid_until > {at}) AND valid_from <= {at} "
        "AND date_earliest IS NOT NULL ORDER BY date_earliest DESC NULLS LAST, code LIMIT 51",
    )
    print(f"    {API} as of {at}: see the plan as-of-first-page", flush=True)

"""Measure the public API against baselines on this machine: see benchmarks/README.md."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("fastapi", "asyncpg", "datasette")


def main() -> None:
    options = _options()
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        # Outside the project's usual packages, and only for this.
        command = ["uv", "run", "--group", "bench", __file__, *sys.argv[1:]]
        sys.exit(subprocess.call(command, cwd=ROOT))
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)

    from benchmarks import as_of, build, changes, facets, parts, totals

    count = 1_000_000 if options.full else options.incidents
    folder = options.folder / f"n{count}"
    folder.mkdir(parents=True, exist_ok=True)
    build.set_up(folder)
    copies = build.Copies(options.built, not options.index_only) if options.built else None
    build.build(folder, count, copies)
    every = {
        **parts.PARTS,
        "as_of": as_of.as_of,
        "totals": totals.totals,
        "changes": changes.changes,
        "facets": facets.facets,
    }
    wanted = options.only or list(every)
    if options.build_only:
        return
    bench = parts.Bench(
        folder=folder,
        count=count,
        seconds=options.seconds,
        rounds=options.rounds,
        report=_report(options.out),
        smaller=lambda: _smaller(options, count // 10),
    )
    with ExitStack() as stack:
        bench.stack = stack
        for name in wanted:
            print(f"\n{name}: {(every[name].__doc__ or '').splitlines()[0]}", flush=True)
            every[name](bench)
    bench.report.finish(incidents=count, seconds=options.seconds, rounds=options.rounds)
    if not options.keep:
        _discard(options.folder)


def _report(folder: Path):
    from benchmarks.report import Report

    return Report(folder)


def _smaller(options: argparse.Namespace, count: int) -> Path:
    """The folder of a database of a tenth of the incidents, built by a process of its own."""
    command = [
        sys.executable, __file__, "--incidents", str(count), "--folder", str(options.folder),
        "--build-only",
    ]  # fmt: skip
    if subprocess.call(command, cwd=ROOT):
        sys.exit("The smaller database could not be built.")
    folder: Path = options.folder / f"n{count}"
    return folder


def _discard(folder: Path) -> None:
    from harmtracker.postgres import default_cluster

    for home in folder.glob("n*"):
        default_cluster(home).reset()
        shutil.rmtree(home)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add: Callable[..., object] = parser.add_argument
    scratch = Path(tempfile.gettempdir())
    add("--incidents", type=int, default=100_000, help="how many to build (100,000)")
    add("--full", action="store_true", help="1,000,000 incidents")
    add("--built", type=int, help="how many of them to build; the others are copies of these")
    add("--index-only", action="store_true", help="copies without documents: lists and totals")
    add("--only", action="append", choices=_names(), metavar="PART", help=", ".join(_names()))
    add("--seconds", type=float, default=4.0, help="of each round of each contender (4)")
    add("--rounds", type=int, default=5, help="rounds, one contender after the other (5)")
    add("--folder", type=Path, default=scratch / "harmtracker-benchmarks", help="databases")
    add("--out", type=Path, default=scratch / "harmtracker-benchmarks-results", help="results")
    add("--keep", action="store_true", help="keep the databases for the next run")
    add("--build-only", action="store_true", help="build the database, measure nothing")
    options = parser.parse_args()
    if options.incidents < 1000:
        parser.error("--incidents: at least 1,000, or there is nothing to page through.")
    return options


def _names() -> Sequence[str]:
    return (
        "pages",
        "documents",
        "one",
        "filter",
        "depth",
        "filters",
        "exports",
        "growth",
        "as_of",
        "totals",
        "changes",
        "facets",
        "releases",
    )


if __name__ == "__main__":
    main()

"""A release against the plain exports of the same lists: time, memory, and how both grow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from benchmarks.report import Row

if TYPE_CHECKING:
    from benchmarks.parts import Bench

ROOT = Path(__file__).resolve().parent.parent
GOAL = 3.0
MEMORY_MIB = 400
# What a release holds, as the API exports it.
PLAIN = (
    "incidents/?format=ndjson&detail=document",
    "incidents/?format=geojson",
    *(
        f"{name}/?format={form}"
        for name in ("incidents", "casualties", "claims", "victims")
        for form in ("csv", "parquet")
    ),
)
_VERIFIER = """
    SELECT u.username FROM accounts_user u
    JOIN accounts_user_groups g ON g.user_id = u.id JOIN auth_group a ON a.id = g.group_id
    WHERE u.is_active AND a.name = 'verifier' ORDER BY u.id LIMIT 1
"""


def releases(bench: Bench) -> None:
    """A release of everything, against the sum of the plain exports."""
    plain = sum(bench.read_all(f"/api/v1/{address}") for address in PLAIN)
    seconds, peak = made(bench.dsn, bench.folder)
    print(f"    a release {seconds:.1f} s, the plain exports {plain:.1f} s", flush=True)
    bench.report.add(
        Row("release: time against the plain exports", seconds / plain, GOAL, at_least=False)
    )
    bench.report.add(
        Row("release: peak memory in MiB, of the process", peak, MEMORY_MIB, at_least=False)
    )


def made(dsn: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak MiB of the command, on the database of a folder."""
    with psycopg.connect(dsn) as database:
        row = database.execute(_VERIFIER).fetchone()
        count = database.execute("SELECT count(*) FROM incidents_release").fetchone()
    if row is None or count is None:
        raise SystemExit("Nobody in this database may release.")
    command = [sys.executable, "manage.py", "release", f"2026.{count[0] + 1}", "--by", row[0]]
    start = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "HARMTRACKER_DATA": str(folder)}
    )
    peak = 0.0
    # Not the usage that the system reports at the end: that begins with what this process holds.
    while process.poll() is None:
        peak = max(peak, _peak(process.pid))
        time.sleep(0.1)
    seconds = time.monotonic() - start
    if process.returncode:
        raise SystemExit("The release failed.")
    return seconds, peak


def _peak(pid: int) -> float:
    """MiB that a running process has held at most; 0 where it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    held = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(held[0]) / 1024 if held else 0.0

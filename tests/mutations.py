"""Does a test notice when a rule is gone? Drops each trigger and constraint in turn, and looks.

    uv run python -m tests.mutations [--only NAME] [--jobs 2]

A rule whose loss turns no test red is one that nobody would miss: the program then ends with 1.
Tests that only enumerate the rules (marker ``enumeration``) do not count.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django
import psycopg
import pytest
from psycopg import sql

django.setup()

from django.db import connections  # noqa: E402  (after the settings are loaded)

from tests import database, rules  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
FIRST = [
    "tests/incidents/test_constraints.py",
    "tests/sources/test_constraints.py",
    "tests/accounts/test_constraints.py",
    "tests/harmtracker/test_history.py",
    "tests/incidents/test_codes.py",
    "tests/importers/test_rules.py",
]
AFTER = [
    "tests/incidents/test_redaction.py",
    "tests/incidents/test_merge.py",
    "tests/incidents/test_warnings.py",
]
# Where tests are called otherwise than their rules: what a rule's name holds, and the files.
ELSEWHERE = {
    "incidents_redaction_withdraws": ["tests/releases/test_withdrawal.py"],
    "incidents_release": ["tests/releases/test_rules.py"],
    "_counted_": ["tests/incidents/test_key_counts.py", "tests/incidents/test_waiting.py"],
    "_waits": ["tests/incidents/test_waiting.py"],
    "_summed_": ["tests/incidents/test_tally_sums.py"],
    "incidents_waitingrecount": ["tests/incidents/test_neighbours.py"],
}
# Tests are called by the rule that refuses. Where that is not the one that is dropped:
CALLED = {
    "incidents_incident_state_guard": "incidents_incident_state_by_workflow",
    "incidents_review_guard": "incidents_review_four_eyes",
    "incidents_publishedversion_guard": "incidents_publishedversion_four_eyes",
    "incidents_ledgerentry_guard": "incidents_ledgerentry_without_gaps",
    "incidents_redaction_guard": "incidents_redaction_by_who_may",
    "incidents_merge_guard": "incidents_merge_by_who_may",
    "incidents_warninganswer_guard": "incidents_warninganswer_by_who_may",
    "incidents_warninganswer_answered": "incidents_warninganswer_of_an_open_warning",
    "incidents_claim_date_is_edtf": "edtf_is_valid",
    "incidents_claim_of_incident": "_claim_of_incident",
    "incidents_casualtycount_of_incident": "_count_of_incident",
    "incidents_victim_of_incident": "_victim_of_incident",
}
# Slow, or about other things, or red for any trigger that is missing.
LEFT_OUT = {"test_postgres.py", "test_quickstart.py", "test_checks.py", "test_dates.py"}
QUIET = ["-n", "0", "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
QUIET += ["-m", "not enumeration and not browser"]


@dataclass(frozen=True)
class Loss:
    """One rule that is dropped."""

    name: str
    table: str
    statement: sql.Composed


@dataclass(frozen=True)
class Outcome:
    loss: Loss
    noticed_by: str  # the test that went red; empty where none did
    trouble: str  # why it could not be said
    seconds: float

    @property
    def is_good(self) -> bool:
        return not self.trouble and bool(self.noticed_by)

    def __str__(self) -> str:
        if self.trouble:
            return f"BROKEN  {self.trouble}"
        if self.noticed_by:
            return f"red     {self.noticed_by}"
        return "GREEN   no test noticed"


def losses() -> list[Loss]:
    database._named_database()  # remembered before all connections are pointed at the template
    database.use(database.TEMPLATE)
    with connections["owner"].cursor() as cursor:
        constraints, triggers = rules.constraints(cursor), rules.triggers(cursor)
        cursor.execute("SELECT conname FROM pg_constraint")
        proper = {row[0] for row in cursor.fetchall()}
    connections.close_all()

    def drop(name: str, table: str) -> sql.Composed:
        names = {"name": sql.Identifier(name), "table": sql.Identifier(table)}
        if name in triggers:
            return sql.SQL("DROP TRIGGER {name} ON {table}").format(**names)
        if name in proper:
            return sql.SQL("ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE").format(**names)
        return sql.SQL("DROP INDEX {name}").format(**names)

    return [Loss(n, t, drop(n, t)) for n, t in sorted({**constraints, **triggers}.items())]


def _copy_without(loss: Loss, copy: str) -> None:
    database.clone(database.TEMPLATE, copy)
    with database._connect("owner") as named:
        place = {"host": named.info.host, "port": named.info.port, "user": named.info.user}
        password = named.info.password
    with psycopg.connect(**place, password=password, dbname=copy, autocommit=True) as owner:
        owner.execute(loss.statement)


def _files() -> list[str]:
    found = [
        str(path.relative_to(ROOT))
        for app in (
            "incidents",
            "sources",
            "accounts",
            "harmtracker",
            "importers",
            "exports",
            "releases",
        )
        for path in sorted((ROOT / "tests" / app).glob("test_*.py"))
        if path.name not in LEFT_OUT
    ]
    return [*FIRST, *(path for path in found if path not in FIRST)]


def _likely(loss: Loss) -> list[str]:
    """Arguments for the tests that are called by the rule, or that are of it alone."""
    name = CALLED.get(loss.name, loss.name)
    for part, files in ELSEWHERE.items():
        if part in name and "_history_" not in name:
            return files
    elsewhere = ("_only_grows", "_never_deleted", "_codes_")
    of_acts = ("incidents_redact", "incidents_merge", "incidents_warninganswer")
    if name.startswith(of_acts) and not any(part in name for part in elsewhere):
        files = AFTER
    elif "_import" in name:
        files = FIRST[5:]
    elif "_codes_" in name:
        files = FIRST[4:5]
    elif any(part in name for part in ("history_", "_edited_", "_begins_revisions")):
        files = FIRST[3:4]
    elif name.startswith("accounts_"):
        files = FIRST[2:3]
    else:
        files = FIRST[1:2] if name.startswith("sources_") else FIRST[:1]
    return ["-k", name, *files]


class Watch:
    """Which test went red, and what kept tests from being run at all."""

    def __init__(self) -> None:
        self.red = ""
        self.trouble = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.when == "call":
            self.red = self.red or report.nodeid
        elif report.failed:
            self.trouble = f"{report.nodeid}: {report.longreprtext[-300:]}"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.trouble = f"{report.nodeid}: {report.longreprtext[-300:]}"


def _pytest(template: str, arguments: list[str]) -> Watch:
    os.environ["HARMTRACKER_TEST_TEMPLATE"] = database.TEMPLATE = template
    watch = Watch()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = pytest.main([*QUIET, *arguments], plugins=[watch])
    if code not in (0, 1, 5) and not watch.trouble:  # passed, red, none is called so
        watch.trouble = f"pytest ended with {code}"
    return watch


def look(loss: Loss) -> Outcome:
    """In a process of its own, forked from one that has loaded everything."""
    template = database.TEMPLATE
    copy = f"test_loss_{os.getpid()}"
    start = time.monotonic()
    watch = Watch()
    try:
        _copy_without(loss, copy)
        watch = _pytest(copy, _likely(loss))
        if not watch.red and not watch.trouble:
            watch = _pytest(copy, _files())
    except Exception as error:
        watch.trouble = f"{type(error).__name__}: {error}"
    finally:
        database.TEMPLATE = template
        database.drop(copy)
    trouble = "" if watch.red else watch.trouble.strip().replace("\n", " ")
    return Outcome(loss, watch.red, trouble, time.monotonic() - start)


def _is_red_as_it_is() -> str:
    watch = _pytest(database.TEMPLATE, _files())
    return watch.red or watch.trouble


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutations",
        description="Drop each trigger and each constraint of the database in turn and see "
        "whether a test goes red. Ends with 1 where one stays green.",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="rules whose name holds this; repeatable"
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (default: 2)")
    parser.add_argument("--list", action="store_true", help="print the rules and stop")
    options = parser.parse_args()

    given = "HARMTRACKER_TEST_TEMPLATE" in os.environ
    cluster = None
    if not given:
        cluster = database.start_cluster()
        database.build_template()
    try:
        chosen = [
            loss
            for loss in losses()
            if not options.only or any(part in loss.name for part in options.only)
        ]
        if options.list:
            sys.stdout.writelines(f"{loss.table}  {loss.name}\n" for loss in chosen)
            return 0
        processes = multiprocessing.get_context("fork")
        with processes.Pool(1) as pool:
            trouble = pool.apply(_is_red_as_it_is)
        if trouble:
            sys.stdout.write(f"Red with every rule in place: {trouble}\n")
            return 2
        outcomes = []
        with processes.Pool(options.jobs, maxtasksperchild=1) as pool:
            for outcome in pool.imap(look, chosen, chunksize=1):
                outcomes.append(outcome)
                sys.stdout.write(
                    f"{len(outcomes)}/{len(chosen)} {outcome.seconds:5.1f} s "
                    f"{outcome.loss.name}: {outcome}\n"
                )
                sys.stdout.flush()
    finally:
        if cluster is not None:
            cluster.destroy()
    _report(outcomes)
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


def _report(outcomes: list[Outcome]) -> None:
    width = max((len(outcome.loss.name) for outcome in outcomes), default=0)
    sys.stdout.write("\n")
    for outcome in outcomes:
        sys.stdout.write(f"{outcome.loss.name:{width}}  {outcome}\n")
    red = sum(bool(outcome.noticed_by) for outcome in outcomes)
    left = [outcome.loss.name for outcome in outcomes if not outcome.is_good]
    sys.stdout.write(f"\n{len(outcomes)} rules dropped, {red} noticed.")
    sys.stdout.write(f" Not noticed: {', '.join(left)}.\n" if left else "\n")


if __name__ == "__main__":
    sys.exit(main())

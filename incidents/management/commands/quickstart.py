from __future__ import annotations

import argparse
import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from harmtracker.accounts.groups import ADMINISTRATOR, RESEARCHER, VERIFIER
from harmtracker.accounts.models import User
from harmtracker.accounts.services import create_person, setup_actor
from harmtracker.checks import refusals
from harmtracker.postgres import PostgresError, create_roles, default_cluster
from harmtracker.serving import refuse_busy_port, serve
from incidents import demo, fixtures_loading

DEMO_PEOPLE = {
    "researcher": RESEARCHER,
    "verifier": VERIFIER,
    "verifier2": VERIFIER,
    "administrator": ADMINISTRATOR,
}


class Command(BaseCommand):
    help = (
        "From nothing to a running harmtracker: starts the embedded PostgreSQL (unless "
        "DATABASE_URL names another), brings it up to date, loads the code lists and the three "
        "incidents through the real workflow, makes demo people, and serves. Run again, it "
        "starts at once and loads nothing twice. Ctrl-C stops the server; the database goes on "
        "until `manage.py db stop`."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port to serve on (8000)")
        parser.add_argument("--no-serve", action="store_true", help="prepare all, then end")
        parser.add_argument(
            "--empty", action="store_true", help="code lists only: no people, no incidents"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["no_serve"]:
            refuse_busy_port("127.0.0.1", options["port"])
        try:
            self._prepare(is_empty=options["empty"])
        except PostgresError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise CommandError(
                    f"The disk of {settings.HARMTRACKER_DATA} is full: free some space."
                ) from error
            raise
        except OperationalError as error:
            first = str(error).strip().splitlines()[0]
            hint = (
                "free some space" if "No space left" in str(error) else "see `manage.py db status`"
            )
            raise CommandError(f"The database does not answer: {first} ({hint}).") from error
        address = f"http://127.0.0.1:{options['port']}"
        self.stdout.write(
            f"\n  API            {address}/api/v1/"
            f"\n  Documentation  {address}/api/v1/docs/"
            f"\n  Admin          {address}/admin/\n"
        )
        if options["no_serve"]:
            return
        if refused := refusals():
            raise CommandError("\n".join(refused))
        self.stdout.write("Serving; Ctrl-C stops.")
        connections.close_all()
        serve("127.0.0.1", options["port"])

    def _prepare(self, *, is_empty: bool) -> None:
        if settings.DATABASE_EMBEDDED:
            self.stdout.write("Starting the embedded PostgreSQL ...")
            cluster = default_cluster(settings.HARMTRACKER_DATA)
            cluster.start()
            create_roles(
                cluster.dsn("postgres"),
                prefix=settings.HARMTRACKER_ROLE_PREFIX,
                database="harmtracker",
            )
        if "owner" not in connections:
            raise CommandError("Migrations run as the owner: set DATABASE_OWNER_URL too.")
        with _one_at_a_time():
            self._load(is_empty=is_empty)

    def _load(self, *, is_empty: bool) -> None:
        self.stdout.write("Bringing the database up to date ...")
        call_command("migrate", verbosity=0)
        fixtures_loading.load_weapon_types("owner")
        if is_empty:
            setup_actor()
            return
        logins = self._demo_people()
        self.stdout.write("Loading the three incidents ...")
        demo.load_incidents(
            researcher=User.objects.get(username="researcher"),
            verifier=User.objects.get(username="verifier"),
            say=lambda line: self.stdout.write(f"  {line}"),
        )
        if logins:
            self.stdout.write(f"\nDemo logins, shown this once and kept in {_logins_path()}:")
            for username, password in logins.items():
                self.stdout.write(f"  {username:<14} {password}")

    def _demo_people(self) -> dict[str, str]:
        """Make the demo people that are missing; their passwords, where any was made.

        A password is written to the file before the account is made: a run that is cut off in
        between leaves a line too many, never an account that nobody can enter.
        """
        path = _logins_path()
        kept = json.loads(path.read_text()) if path.exists() else {}
        made: dict[str, str] = {}
        for username, group in DEMO_PEOPLE.items():
            if User.objects.filter(username=username).exists():
                continue
            made[username] = secrets.token_urlsafe(18)
            _write_privately(path, json.dumps({**kept, **made}, indent=1) + "\n")
            create_person(username=username, password=made[username], group=group)
        return made


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two runs at once: the second waits, and finds everything there."""
    owner = connections["owner"]
    with closing(owner.get_new_connection(owner.get_connection_params())) as session:
        session.execute("SELECT pg_advisory_lock(hashtext('harmtracker quickstart'))")
        yield


def _logins_path() -> Path:
    return Path(settings.HARMTRACKER_DATA) / "demo_logins.json"


def _write_privately(path: Path, text: str) -> None:
    """Replace the file's content as a whole; only its owner reads it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)

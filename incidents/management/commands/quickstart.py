from __future__ import annotations

import argparse
import errno
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections, transaction

from harmtracker.accounts import demo_logins, second_factor
from harmtracker.accounts.demo_logins import DemoLogin
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
            "--with-ucdp",
            action="store_true",
            help="also import, verify and publish 434 events of UCDP GED in Kachin State",
        )
        parser.add_argument(
            "--empty", action="store_true", help="code lists only: no people, no incidents"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["empty"] and options["with_ucdp"]:
            raise CommandError("--empty loads nothing: leave --with-ucdp out.")
        if not options["no_serve"]:
            refuse_busy_port("127.0.0.1", options["port"])
        try:
            self._prepare(is_empty=options["empty"], with_ucdp=options["with_ucdp"])
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

    def _prepare(self, *, is_empty: bool, with_ucdp: bool) -> None:
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
            self._load(is_empty=is_empty, with_ucdp=with_ucdp)

    def _load(self, *, is_empty: bool, with_ucdp: bool) -> None:
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
        if with_ucdp:
            self.stdout.write("Loading the events of UCDP GED ...")
            demo.load_ucdp(
                researcher=User.objects.get(username="researcher"),
                verifier=User.objects.get(username="verifier"),
                say=lambda line: self.stdout.write(f"  {line}"),
            )
        if logins:
            self.stdout.write(f"\nDemo logins, shown this once and kept in {demo_logins.path()}:")
            for username, login in logins.items():
                self.stdout.write(f"  {username:<14} {login.password}  {login.totp_secret}")
            self.stdout.write(
                "Each is a username, a password, and a secret for an authenticator app. Without "
                "one,\n`manage.py second_factor code USERNAME` prints the code of the moment."
            )

    def _demo_people(self) -> dict[str, DemoLogin]:
        """Make the demo people that are missing; their logins, where any was made.

        A login is written to the file before the account is there: a run that is cut off in
        between leaves a line too many, never an account that nobody can enter.
        """
        made: dict[str, DemoLogin] = {}
        for username, group in DEMO_PEOPLE.items():
            if User.objects.filter(username=username).exists():
                continue
            password = secrets.token_urlsafe(18)
            with transaction.atomic():
                person = create_person(username=username, password=password, group=group)
                app = second_factor.new_authenticator(person, is_confirmed=True)
                made[username] = DemoLogin(password, second_factor.secret_in_letters(app))
                demo_logins.write({**demo_logins.read(), **made})
        return made


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two runs at once: the second waits, and finds everything there."""
    owner = connections["owner"]
    with closing(owner.get_new_connection(owner.get_connection_params())) as session:
        session.execute("SELECT pg_advisory_lock(hashtext('harmtracker quickstart'))")
        yield

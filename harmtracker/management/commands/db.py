"""`manage.py db`: the embedded database server and the database's roles."""

import os
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from psycopg import ProgrammingError, conninfo

from harmtracker import postgres

EXTERNAL = "An external server is used (DATABASE_URL is set)"

START_HELP = """Start the embedded server and create the database and its roles if they are missing.
The server keeps running when this command ends. Starting a running server does nothing."""

STOP_HELP = """Stop the embedded server. Open connections are ended; committed data is kept."""

STATUS_HELP = """Say whether the embedded server runs, as which user, and where its files are.
Exit status: 0 when it runs, 3 when it does not."""

SHELL_HELP = """Open psql on the embedded server. Everything the chosen role may do can be done
there without a question, so take the weakest role that suffices: `public` can only read."""

ROLES_HELP = """Create the three database roles, or correct them; it can be repeated at any time.

  <prefix>_owner   owns the database and runs migrations
  <prefix>_app     the application: sees and changes only what it was granted
  <prefix>_public  published data, read-only

Without options this is done on the embedded server. On a server of your own:

  db roles --url postgresql://postgres@db.example.org/harmtracker
  db roles --sql | psql ...        have a database administrator do it

Passwords are taken from HARMTRACKER_OWNER_PASSWORD, HARMTRACKER_APP_PASSWORD and
HARMTRACKER_PUBLIC_PASSWORD, or from --password-file. A role without one there keeps its own.
The password of the superuser is better given in PGPASSWORD or ~/.pgpass than in the URL,
where other users of the machine can see it."""

RESET_HELP = """Stop the embedded server and delete it with every database in it. This cannot be
undone. Other files in the data folder (HARMTRACKER_DATA) are kept."""


class Command(BaseCommand):
    help = (
        "The embedded PostgreSQL server, which is used when DATABASE_URL is not set, and the roles "
        "of the database. See `manage.py db <subcommand> --help`."
    )
    # The checks may want a database, and this command is what starts it.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(title="subcommands", dest="subcommand", required=True)

        def add(name: str, text: str) -> Any:
            return subcommands.add_parser(
                name,
                help=text.split(". ")[0].split(";")[0].replace("\n", " ").rstrip("."),
                description=text,
                formatter_class=RawDescriptionHelpFormatter,
            )

        add("start", START_HELP)
        add("stop", STOP_HELP)
        add("status", STATUS_HELP)

        shell = add("shell", SHELL_HELP)
        shell.add_argument(
            "--role",
            choices=postgres.ROLES,
            default="owner",
            help="log in as this role (default: owner)",
        )

        roles = add("roles", ROLES_HELP)
        target = roles.add_mutually_exclusive_group()
        target.add_argument("--url", help="URL of a superuser on the server to do it on")
        target.add_argument(
            "--sql",
            action="store_true",
            help="connect nowhere and print a script for psql, which asks for the passwords",
        )
        roles.add_argument(
            "--database",
            help="the database to give to the owner role; it must exist"
            " (default: the one in --url, else harmtracker)",
        )
        roles.add_argument(
            "--password-file",
            type=Path,
            metavar="FILE",
            help="lines such as `app=secret`, for owner, app and public; they win over the"
            " environment. Keep the file readable by you alone",
        )

        reset = add("reset", RESET_HELP)
        reset.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["subcommand"])(**options)
        except postgres.PostgresError as error:
            raise CommandError(str(error)) from error

    def cluster(self) -> postgres.Cluster:
        if not settings.DATABASE_EMBEDDED:
            raise CommandError(f"{EXTERNAL}: it is not started, stopped or deleted from here.")
        return postgres.default_cluster(settings.HARMTRACKER_DATA)

    def start(self, **options: Any) -> None:
        cluster = self.cluster()
        cluster.start()
        postgres.create_roles(
            cluster.url(postgres.SUPERUSER),
            prefix=settings.HARMTRACKER_ROLE_PREFIX,
            database=postgres.DATABASE,
        )
        self.stdout.write(f"The database is running (log: {cluster.log}).")

    def stop(self, **options: Any) -> None:
        self.cluster().stop()
        self.stdout.write("The database is stopped.")

    def status(self, **options: Any) -> None:
        if not settings.DATABASE_EMBEDDED:
            self.stdout.write(f"{EXTERNAL}.")
            return
        status = self.cluster().status()
        if status.running:
            self.stdout.write(f"The database is running as process {status.pid}.")
        else:
            self.stdout.write("The database is not running: start it with `manage.py db start`.")
        self.stdout.write(f"PostgreSQL  {status.version or 'not created yet'}")
        self.stdout.write(f"user        {status.user}")
        self.stdout.write(f"files       {status.folder}")
        self.stdout.write(f"socket      {status.socket}")
        self.stdout.write(f"log         {status.log}")
        if not status.running:
            raise SystemExit(3)

    def shell(self, *, role: str, **options: Any) -> None:
        if not settings.DATABASE_EMBEDDED:
            raise CommandError(f"{EXTERNAL}: use `manage.py dbshell`.")
        self.stdout.flush()
        name = postgres.role_name(settings.HARMTRACKER_ROLE_PREFIX, role)
        self.cluster().psql(name)

    def roles(
        self,
        *,
        url: str | None,
        sql: bool,
        database: str | None,
        password_file: Path | None,
        **options: Any,
    ) -> None:
        prefix = settings.HARMTRACKER_ROLE_PREFIX
        if sql:
            script = postgres.role_script(prefix=prefix, database=database or postgres.DATABASE)
            self.stdout.write(script, ending="")
            return
        if url is None and not settings.DATABASE_EMBEDDED:
            raise CommandError(f"{EXTERNAL}: give --url, or --sql for a database administrator.")
        passwords = _passwords(password_file)
        if url is None:
            cluster = self.cluster()
            cluster.start()
            url = cluster.url(postgres.SUPERUSER)
        database = database or _database_of(url)
        postgres.create_roles(url, prefix=prefix, passwords=passwords, database=database)
        names = ", ".join(postgres.role_name(prefix, role) for role in postgres.ROLES)
        self.stdout.write(f"The roles {names} are ready in the database {database}.")
        if passwords:
            self.stdout.write(f"Passwords set: {', '.join(sorted(passwords))}.")

    def reset(self, *, yes: bool, **options: Any) -> None:
        cluster = self.cluster()
        if not yes:
            self.stdout.write(f"This deletes {cluster.folder} with every database in it, forever.")
            try:
                answer = input("Type yes to go on: ")
            except EOFError:
                answer = ""
            if answer != "yes":
                raise CommandError("Nothing was deleted.")
        cluster.reset()
        self.stdout.write("The database is deleted; `manage.py db start` creates an empty one.")


def _database_of(url: str) -> str:
    try:
        return str(conninfo.conninfo_to_dict(url).get("dbname") or postgres.DATABASE)
    except ProgrammingError as error:
        raise CommandError("--url is not a PostgreSQL URL.") from error


def _passwords(file: Path | None) -> dict[str, str]:
    passwords = {}
    for role in postgres.ROLES:
        value = os.environ.get(f"HARMTRACKER_{role.upper()}_PASSWORD")
        if value:
            passwords[role] = value
    if file is None:
        return passwords
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The password file {file} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        role, equals, value = line.partition("=")
        if role not in postgres.ROLES or not equals or not value:
            # The line itself is not shown: it may hold a password.
            raise CommandError(
                f"{file}, line {number}: write owner=..., app=... or public=... there."
            )
        passwords[role] = value
    return passwords

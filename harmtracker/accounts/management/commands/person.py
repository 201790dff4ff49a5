from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from harmtracker.accounts import links
from harmtracker.accounts.groups import GROUPS
from harmtracker.accounts.models import User
from harmtracker.accounts.services import setup_actor
from harmtracker.errors import DomainError

INVITE_HELP = """Add a person to the team and print a link for them, this once. With it they choose
their password and set up their second factor; it works once, for seven days.

  person invite ana --group researcher
  person invite vera --group verifier --site https://harm.example.org

This is how the first administrator comes into an empty installation; all others can be invited
in the admin, below Users."""

LINK_HELP = """Print a fresh link with which a person chooses a new password, this once. It works
once, for seven days. The second factor stays; all sessions and tokens end when it is used."""


class Command(BaseCommand):
    help = (
        "Inviting people and giving them links for a new password. See `manage.py person "
        "<subcommand> --help`. Administrators do the same, and more, in the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(title="subcommands", dest="subcommand", required=True)
        for name, text in (("invite", INVITE_HELP), ("link", LINK_HELP)):
            added = subcommands.add_parser(
                name,
                help=text.split(",")[0].split(";")[0].replace("\n", " "),
                description=text,
                formatter_class=RawDescriptionHelpFormatter,
            )
            added.add_argument("username", help="the name to log in with")
            added.add_argument(
                "--site",
                default="http://127.0.0.1:8000",
                help="how the person reaches the site (http://127.0.0.1:8000)",
            )
            if name == "invite":
                added.add_argument(
                    "--group",
                    action="append",
                    required=True,
                    choices=list(GROUPS),
                    help="what they do; repeatable",
                )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["subcommand"] == "invite":
                _, secret = links.invite(options["username"], options["group"], setup_actor())
            else:
                person = User.objects.filter(
                    username=User.normalize_username(options["username"])
                ).first()
                if person is None:
                    raise CommandError(f"There is nobody called {options['username']}.")
                secret = links.make_reset_link(person, setup_actor())
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        address = reverse("admin:open_password_link", args=[secret])
        self.stdout.write(f"{options['site'].rstrip('/')}{address}")
        self.stderr.write("Shown this once: hand it over where nobody else reads it.")

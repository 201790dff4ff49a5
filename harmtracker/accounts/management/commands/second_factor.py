from __future__ import annotations

import time
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_otp.oath import TOTP

from harmtracker.accounts import demo_logins, second_factor
from harmtracker.accounts.models import User
from harmtracker.accounts.services import setup_actor
from harmtracker.errors import DomainError

RESET_HELP = """For a lost phone: the authenticator and the recovery codes of this person stop
working, all their sessions and casework tokens end, and they set up another authenticator after
their next login. Whoever has their password does so, too: be sure who asks, and give them a link
for a new password where anybody else may know the old one (`manage.py person link`)."""

CODE_HELP = """Print the code that the authenticator of a demo person shows now. It is worked out
from the secret in demo_logins.json, which quickstart wrote; other people's secrets are on their
phones alone, and cannot be printed."""


class Command(BaseCommand):
    help = (
        "The second factor of people: reset one that was lost; show the code of a demo person. See "
        "`manage.py second_factor <subcommand> --help`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(title="subcommands", dest="subcommand", required=True)
        for name, text in (("reset", RESET_HELP), ("code", CODE_HELP)):
            added = subcommands.add_parser(
                name,
                help=text.split(":")[0].split(".")[0].replace("\n", " "),
                description=text,
                formatter_class=RawDescriptionHelpFormatter,
            )
            added.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, options["subcommand"])(options["username"])

    def reset(self, username: str) -> None:
        person = User.objects.filter(username=User.normalize_username(username)).first()
        if person is None:
            raise CommandError(f"There is nobody called {username}.")
        try:
            second_factor.reset(person, setup_actor())
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{person.username} sets up another one after the next login.")

    def code(self, username: str) -> None:
        login = demo_logins.read().get(username)
        if login is None:
            raise CommandError(f"demo_logins.json has no second factor of {username}.")
        totp = TOTP(second_factor.from_letters(login.totp_secret))
        totp.time = time.time()
        self.stdout.write(f"{totp.token():06}")

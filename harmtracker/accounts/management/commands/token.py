from __future__ import annotations

import datetime
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from harmtracker.accounts import tokens
from harmtracker.accounts.models import Token, User
from harmtracker.accounts.scopes import Scope
from harmtracker.accounts.services import setup_actor
from harmtracker.errors import DomainError

ISSUE_HELP = """Make a token for a person and print it, this once. It is stored as a digest alone.

  token issue ana "import script" --scope casework:read --scope casework:write
  token issue vera "tonight's check" --scope casework:read --scope verify --hours 4
  token issue ana "map of our website" --scope public

Scopes:
  public          read what is published
  casework:read   read casework; for researchers and verifiers
  casework:write  enter and change casework; for researchers and verifiers
  verify          return, verify, publish and retract; for verifiers

A token never gives more than its person has at the time of a request. It ends after 90 days
(at most 365), with the scope verify after 12 hours (at most 12), with public alone when it is
revoked. A change of the person's password, or deactivating them, ends it at once."""

LIST_HELP = """Print the tokens, newest first: the id after ht_, the person, the name, the scopes,
when it ends, the last day it was used, and whether it was revoked. The tokens themselves are
stored nowhere and cannot be shown."""

REVOKE_HELP = """End a token for good: the next request with it is refused. Give the token's id, the
twelve digits after ht_, as `token list` prints it; the secret part is not needed."""


class Command(BaseCommand):
    help = (
        "Keys by which programs act for people: make, list and revoke them. See "
        "`manage.py token <subcommand> --help`. People make and revoke their own in the admin, "
        "below Tokens."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(title="subcommands", dest="subcommand", required=True)

        def add(name: str, text: str) -> Any:
            return subcommands.add_parser(
                name,
                help=text.split(". ")[0].split(":")[0].replace("\n", " "),
                description=text,
                formatter_class=RawDescriptionHelpFormatter,
            )

        issue = add("issue", ISSUE_HELP)
        issue.add_argument("username", help="whom it acts for")
        issue.add_argument("name", help="what it is for, in a few words")
        issue.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=Scope.values,
            help="what it may be used for; repeatable",
        )
        end = issue.add_mutually_exclusive_group()
        end.add_argument("--days", type=float, help="it ends after so many days")
        end.add_argument("--hours", type=float, help="it ends after so many hours")

        listing = add("list", LIST_HELP)
        listing.add_argument("username", nargs="?", help="those of one person alone")
        listing.add_argument("--all", action="store_true", help="revoked and expired ones as well")

        revoke = add("revoke", REVOKE_HELP)
        revoke.add_argument("key_id", help="the twelve digits after ht_")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["subcommand"])(**options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal

    def issue(self, *, username: str, name: str, scope: list[str], **options: Any) -> None:
        expires_at = None
        if options["days"] is not None or options["hours"] is not None:
            try:
                length = datetime.timedelta(days=options["days"] or 0, hours=options["hours"] or 0)
                expires_at = timezone.now() + length
            except (OverflowError, ValueError) as error:
                raise CommandError("So many days or hours there are not.") from error
        token, plain = tokens.issue(_person(username), name, scope, expires_at, setup_actor())
        self.stdout.write(f"{plain}\n", ending="")
        end = f"on {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "when revoked"
        self.stderr.write(f"Shown this once. It ends {end}.")

    def list(self, *, username: str | None, **options: Any) -> None:
        found = Token.objects.select_related("person")
        if username is not None:
            found = found.filter(person=_person(username))
        if not options["all"]:
            found = found.filter(tokens.live())
        for token in found:
            end = f"{token.expires_at:%Y-%m-%d %H:%M}" if token.expires_at else "no end"
            used = f"{token.last_used_on}" if token.last_used_on else "never used"
            state = f"  revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else ""
            self.stdout.write(
                f"{token.key_id}  {token.person.username:<16} {end:<16} {used:<10} "
                f"{','.join(token.scopes)}  {token.name}{state}"
            )

    def revoke(self, *, key_id: str, **options: Any) -> None:
        token = Token.objects.filter(key_id=key_id.removeprefix("ht_").split("_")[0]).first()
        if token is None:
            raise CommandError("There is no such token: `manage.py token list` prints their ids.")
        tokens.revoke(token, setup_actor())
        self.stdout.write(f"Revoked: {token}.")


def _person(username: str) -> User:
    person = User.objects.filter(username=username).first()
    if person is None:
        raise CommandError(f"There is nobody called {username}.")
    return person

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from harmtracker.errors import Conflict, DomainError, Invalid
from incidents.importers.people import named_or_only
from incidents.models import Release, ReleaseBuild
from incidents.releases import making


class _Help(RawDescriptionHelpFormatter):
    """The description as it stands."""


class Command(BaseCommand):
    help = """\
Freezes a position of the ledger under a name, and writes its files: documents, CSV, HXL, GeoJSON,
Parquet, code lists, methodology, what moved since the release before, hashes, how to cite.

  manage.py release 2026.1 --by verifier --site https://harm.example.org
  manage.py release 2026.1 --verify      are the files whole, and do they come out the same?
  manage.py release 2026.1 --rebuild     the next build, after a redaction withdrew the last one
  manage.py release --list

Anyone then reads them below /api/v1/releases/. Nothing of a release is ever changed. Where a text
is taken out of what it holds, the database withdraws its files at once, and --rebuild writes others
beside them; files that did not change keep their hash. All of it happens or nothing: a run that is
ended leaves no release, and the next run clears away what it wrote. A verifier makes releases."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=_Help, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="year and number, such as 2026.1")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="print all releases")
        what.add_argument(
            "--rebuild",
            action="store_true",
            help="write the next build of a withdrawn release, or files anew that were lost",
        )
        what.add_argument(
            "--verify",
            action="store_true",
            help="hash the files on the disk, and write them again elsewhere to compare",
        )
        parser.add_argument(
            "--position", type=int, help="ledger position to freeze (the last one there is)"
        )
        parser.add_argument(
            "--site", default="", help="where links in the files lead (without: paths alone)"
        )
        parser.add_argument("--by", "--as", dest="username", help="who releases (the one who may)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["list"]:
                self._list()
            elif not options["name"]:
                raise Invalid("Name a release, such as 2026.1, or ask with --list.")
            else:
                self._work(options["name"], options)
        except DomainError as refusal:
            lines = [refusal.message]
            if isinstance(refusal, Conflict):
                lines += refusal.differences[:20]
            raise CommandError("\n  ".join(lines)) from refusal

    def _work(self, name: str, options: dict[str, Any]) -> None:
        if options["verify"]:
            self._done(making.verify(name, say=self._say), "is as the ledger gives it")
            return
        person = named_or_only(options["username"], making.PERMISSION)
        if options["rebuild"]:
            self._done(making.rebuild(name, person, say=self._say), "is written")
            return
        build = making.release(
            name, person, position=options["position"], site=options["site"], say=self._say
        )
        self._done(build, "is written")

    def _say(self, text: str) -> None:
        self.stderr.write(text)

    def _done(self, build: ReleaseBuild, what: str) -> None:
        files = [*build.files.all()]
        self.stdout.write(
            f"Release {build.release.name}, build {build.number}, {what}: ledger position "
            f"{build.release.position}, {len(files)} files, "
            f"{sum(file.size for file in files) / 1e6:,.1f} MB.\n"
            f"  /api/v1/releases/{build.release.name}/"
        )

    def _list(self) -> None:
        for release in Release.objects.order_by("pk"):
            build = making.standing(release)
            state = f"build {build.number}" if build else "withdrawn: write it with --rebuild"
            self.stdout.write(f"{release.name:<8}  position {release.position:<9}  {state}")

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from harmtracker.accounts.models import User
from harmtracker.errors import DomainError
from incidents.importers.people import named_or_only
from incidents.importers.ucdp_import import PERMISSION, Report, import_file

HELP = """Import events of UCDP GED from a CSV file as it is published, of 49 columns or of 42.

  import_ucdp_ged GEDEvent_v24_1.csv --dry-run --as ana
  import_ucdp_ged GEDEvent_v24_1.csv --where country="Myanmar (Burma)" --as ana
  import_ucdp_ged GEDEvent_v24_1.csv --where adm_1="Kachin state" --where year=2021 --as ana

Each row becomes a draft with one claim of UCDP's and keeps its original, byte for byte. A row whose
id a record carries already becomes a claim of that record; a published record is reopened for it.
All of them wait as one batch for another person: see `manage.py import_batch --help`.

Run again with the same file it stores nothing twice. A row that was changed since becomes a
correction. A run that was cut off goes on after the last 500 rows that it stored.

Rows that cannot be taken are refused one by one, named with line, id and column, and stored with
the batch. Names of places that are not known leave the event at its country, as unplaced."""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file, in UTF-8")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="read and compare every row, and store nothing; what only the database would "
            "refuse is not seen",
        )
        parser.add_argument(
            "--where",
            action="append",
            default=[],
            metavar="COLUMN=VALUE",
            help="only rows with this value in this column; given several times, all must hold",
        )
        parser.add_argument(
            "--as",
            dest="username",
            help="who imports: a researcher, who will not verify the batch. May be left out where "
            "there is one alone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        criteria = dict(_criterion(text) for text in options["where"])
        try:
            person = named_or_only(options["username"], PERMISSION)
            with tqdm(
                total=path.stat().st_size,
                unit="B",
                unit_scale=True,
                file=self.stderr,
                disable=not self.stderr.isatty(),
            ) as bar:

                def say(size: int) -> None:
                    bar.update(size)

                report = import_file(path, person, criteria, is_dry=options["dry_run"], say=say)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        self._tell(report, person, is_dry=options["dry_run"])

    def _tell(self, report: Report, person: User, *, is_dry: bool) -> None:
        if report.is_resumed_after:
            self.stdout.write(f"Went on after line {report.is_resumed_after}.")
        self.stdout.write(
            ", ".join(f"{number} {outcome}" for outcome, number in sorted(report.counts.items()))
            or "no row"
        )
        self.stdout.write(f"killed, best: {report.best}; of them civilians: {report.civilians}")
        for (kind, column), number in sorted(report.remarks.items()):
            self.stdout.write(f"{kind:<9} {column or 'the row':<17} {number}")
        for line, external_id, remark in report.named:
            where = f"line {line}" + (f", id {external_id}" if external_id else "")
            column = f", {remark.column}" if remark.column else ""
            self.stdout.write(f"  {where}{column}: {remark.message}")
        if is_dry:
            self.stdout.write("A dry run: nothing was stored.")
        elif report.batch is None:
            self.stdout.write("Nothing is new: nothing was stored.")
        else:
            self.stdout.write(
                f"Batch {report.batch.uuid} ({report.batch.file_name}) by {person.username} is "
                f"{report.batch.state}: another person looks at it with\n"
                f"  manage.py import_batch show {report.batch.uuid}"
            )


def _criterion(text: str) -> tuple[str, str]:
    column, found, value = text.partition("=")
    if not found or not column.strip():
        raise CommandError(f'--where takes COLUMN=VALUE, such as adm_1="Kachin state": {text}')
    return column.strip(), value

from __future__ import annotations

import json
import secrets
import uuid
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, DomainError, NotFound
from incidents.choices import State
from incidents.importers import reviewing, warned
from incidents.importers.people import named_or_only
from incidents.models import ImportBatch

# Refused rows that `show` prints.
SHOWN = 50
STEPS = {
    "submit": (
        "incidents.submit_incident",
        "put a batch that was returned before a verifier again",
    ),
    "verify": ("incidents.verify_incident", "verify every record of a batch, as a second person"),
    "publish": ("incidents.publish_incident", "publish every record of a verified batch, or none"),
    "return": ("incidents.return_incident", "give a batch back to its importer, with the reason"),
}


class Command(BaseCommand):
    help = (
        "Batches of imported records, each reviewed as one by another person than its importer: "
        "list, show, verify, publish, return, submit. The casework API has the same below "
        "/api/v1/casework/imports/."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(title="subcommands", dest="subcommand", required=True)

        def add(name: str, text: str) -> Any:
            return subcommands.add_parser(
                name,
                help=text,
                description=text.capitalize() + ".",
                formatter_class=RawDescriptionHelpFormatter,
            )

        add("list", "print the batches, the newest first")
        show = add(
            "show", "print a batch: its sums, what was refused or not placed, and a random sample"
        )
        show.add_argument("batch", type=uuid.UUID, help="id of the batch, as `list` prints it")
        show.add_argument("--sample", type=int, default=3, help="rows drawn at random (3)")
        show.add_argument("--seed", type=int, help="draw the same rows as another time")
        for name, (_permission, text) in STEPS.items():
            step = add(name, text)
            step.add_argument("batch", type=uuid.UUID, help="id of the batch")
            step.add_argument("--as", dest="username", help="who takes the step")
            if name == "return":
                step.add_argument("--reason", required=True, help="why, for the importer")
            if name == "verify":
                step.add_argument(
                    "--reason", default="", help="why the warnings that are open may stand"
                )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            match options["subcommand"]:
                case "list":
                    self._list()
                case "show":
                    self._show(options["batch"], options["sample"], options["seed"])
                case step:
                    self._step(step, options)
        except DomainError as refusal:
            lines = [refusal.message]
            if isinstance(refusal, Conflict):
                lines += refusal.differences
            raise CommandError("\n  ".join(lines)) from refusal

    def _list(self) -> None:
        for batch in ImportBatch.objects.select_related("importer"):
            self.stdout.write(
                f"{batch.uuid}  {batch.state:<10} {batch.importer}  "
                f"{batch.started_at:%Y-%m-%d %H:%M}  {batch.file_name}"
            )

    def _show(self, batch_uuid: uuid.UUID, size: int, seed: int | None) -> None:
        batch = _found(batch_uuid)
        years = reviewing.by_year(batch)
        self.stdout.write(
            f"{batch.file_name} ({batch.layout}, SHA-256 {batch.file_sha256})\n"
            f"{batch.state}; imported by {batch.importer}\n"
            f"rows {json.dumps(batch.counts)}\nsums {json.dumps(reviewing.sums(years))}\n"
            f"records {json.dumps(reviewing.states(batch))}"
        )
        for year in years:
            self.stdout.write(f"  {json.dumps(year)}")
        waiting = reviewing.records(batch).filter(state=State.SUBMITTED)
        found = warned.open_on(list(waiting.values_list("pk", flat=True)))
        for rule, number in found.items():
            self.stdout.write(f"warning   {rule:<24} {number}")
        for remark in reviewing.remarks(batch):
            self.stdout.write(
                f"{remark['kind']:<9} {remark['column'] or 'the row':<17} {remark['rows']}"
            )
        for row in reviewing.rows(batch, "refused")[:SHOWN]:
            said = "; ".join(f"{note['column']}: {note['message']}" for note in row.notes)
            self.stdout.write(f"  line {row.line}, id {row.external_id or '?'}: {said}")
        drawn_by = secrets.randbelow(1 << 31) if seed is None else seed
        self.stdout.write(f"sample drawn with --seed {drawn_by}")
        for drawn in reviewing.sample(batch, drawn_by, max(size, 0)):
            self.stdout.write(json.dumps(drawn, ensure_ascii=False, indent=1))

    def _step(self, step: str, options: dict[str, Any]) -> None:
        person = named_or_only(options["username"], STEPS[step][0])
        batch = _found(options["batch"])
        total = sum(reviewing.states(batch).values())
        with tqdm(
            total=total, unit=" records", file=self.stderr, disable=not self.stderr.isatty()
        ) as bar:

            def say(count: int) -> None:
                bar.update(count)

            done = _take(step, batch, person, options, say)
        self.stdout.write(f"{done.state}: {json.dumps(reviewing.states(done))}")


def _found(batch_uuid: uuid.UUID) -> ImportBatch:
    batch = ImportBatch.objects.select_related("importer").filter(uuid=batch_uuid).first()
    if batch is None:
        raise NotFound("There is no such import.")
    return batch


def _take(
    step: str,
    batch: ImportBatch,
    person: User,
    options: dict[str, Any],
    say: Callable[[int], None],
) -> ImportBatch:
    match step:
        case "verify":
            return reviewing.verify(batch.uuid, person, options["reason"], say=say)
        case "publish":
            return reviewing.publish(batch.uuid, person, say=say)
        case "return":
            return reviewing.give_back(batch.uuid, person, options["reason"], say=say)
    return reviewing.submit_again(batch.uuid, person, say=say)

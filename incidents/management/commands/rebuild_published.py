from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from incidents.publishing import ledger, projection


class Command(BaseCommand):
    help = (
        "Rebuilds the index over the published documents (summaries, filter columns, totals, "
        "references) from the documents themselves. Publications wait while it runs; readers "
        "see the old rows until it has ended."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--if-outdated",
            action="store_true",
            help="only where an earlier version of the software wrote it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_outdated"] and not projection.is_outdated():
            return
        with transaction.atomic():
            ledger.lock_head()
            count = projection.rebuild()
        self.stdout.write(f"{count} versions indexed anew.")

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from harmtracker.checks import refusals
from harmtracker.postgres import PostgresError, default_cluster
from harmtracker.serving import refuse_busy_port, serve


class Command(BaseCommand):
    help = (
        "Serves the API, the pages and the admin. Starts the embedded database where it does not "
        "run; refuses unsafe settings, each in a line that says what to do."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_busy_port(options["host"], options["port"])
        if settings.DATABASE_EMBEDDED:
            try:
                default_cluster(settings.HARMTRACKER_DATA).start()
            except PostgresError as error:
                raise CommandError(str(error)) from error
        if refused := refusals():
            raise CommandError("\n".join(refused))
        serve(options["host"], options["port"])

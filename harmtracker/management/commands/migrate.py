from __future__ import annotations

import gc
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as Migrate
from django.db import connections

from harmtracker import grants
from harmtracker.accounts.groups import sync_groups
from harmtracker.codes_loading import load_code_lists


class Command(Migrate):
    """Migrations run as the owner, who then gives the other roles what they may do."""

    help = (
        "Brings the database up to date, as the owner's role: tables and rules, what each role "
        "may do, the groups, the code lists, and the published index where a new form of it is due."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] == "default":
            options["database"] = "owner"
        if "owner" not in connections:
            raise CommandError("Migrations run as the owner: set DATABASE_OWNER_URL.")
        # The many models that migrations draw up are one large circle: looking for parts of it to
        # free takes a fifth of the time.
        gc.disable()
        try:
            super().handle(*args, **options)
        finally:
            gc.enable()
        if options["app_label"] or options["plan"] or options["check_unapplied"]:
            return
        grants.apply(connections["owner"])
        sync_groups("owner")
        load_code_lists("owner")
        call_command("rebuild_published", if_outdated=True)

"""Which connection a query takes when nobody says: the safe one."""

from __future__ import annotations

from typing import Any

from django.db import models


class Router:
    """Casework on ``default``, published on ``published``, migrations on ``owner``.

    Published models are read as the public role unless somebody asks otherwise; publishing
    itself, the only writer, says ``default``.
    """

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        if model.__name__.startswith(("Published", "Ledger")):
            return "published"
        return None

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return None

    def allow_relation(self, one: models.Model, two: models.Model, **hints: Any) -> bool:
        return True  # the aliases are roles of one database

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"

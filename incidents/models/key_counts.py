"""How many records are published under each key of the index, at the head of the ledger."""

from __future__ import annotations

from django.db import models


class PublishedKeyCount(models.Model):
    """How many current rows of the index hold a key. Triggers of the index write it, and nobody
    else: whoever reads it in one statement with the ledger's head has both as of one position."""

    kind = models.CharField(max_length=10, help_text="traits or actor_keys: the column.")
    key = models.CharField(max_length=240, help_text="Empty: how many rows there are.")
    n = models.BigIntegerField(help_text="Rows.")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="incidents_publishedkeycount_once", fields=["kind", "key"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.n}"

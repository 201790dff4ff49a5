import uuid

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models


class HistoryEntry(models.Model):
    """One change of one row of evidence: who, when, why, and the row before and after.

    Written by triggers alone, so that bulk updates and raw SQL are recorded too; the
    application's role can read it and nothing else.
    """

    class Operation(models.TextChoices):
        INSERT = "INSERT"
        UPDATE = "UPDATE"
        DELETE = "DELETE"

    uuid = models.UUIDField(
        default=uuid.uuid4,
        # Entries are written by a trigger, which knows no default of Python.
        db_default=RandomUUID(),
        editable=False,
        # Looked for among the entries of one record alone: an index would cost every write.
        help_text="By what the entry is named outside.",
    )
    table_name = models.CharField(max_length=63, help_text="Table of the changed row.")
    row_id = models.BigIntegerField(help_text="Primary key of the changed row.")
    incident_id = models.BigIntegerField(
        null=True, help_text="The incident that the row is part of; NULL for shared records."
    )
    operation = models.CharField(max_length=6, choices=Operation)
    before = models.JSONField(null=True, help_text="The row as it was; NULL when it was added.")
    after = models.JSONField(null=True, help_text="The row as it is now; NULL when it was removed.")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, help_text="Who made the change."
    )
    reason = models.TextField(help_text="Why, as the person who acted said it; may be empty.")
    request_id = models.UUIDField(null=True, help_text="The request that the change came with.")
    transaction_id = models.BigIntegerField(help_text="PostgreSQL's transaction id.")
    at = models.DateTimeField(help_text="When, by the database's clock.")

    class Meta:
        verbose_name_plural = "history entries"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["incident_id", "id"], name="history_by_incident"),
            models.Index(fields=["table_name", "row_id", "id"], name="history_by_row"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.table_name} {self.row_id}"

    def changed_fields(self) -> dict[str, tuple[object, object]]:
        """Column -> (before, after) for each column that this change moved."""
        before, after = self.before or {}, self.after or {}
        return {
            column: (before.get(column), after.get(column))
            for column in sorted({*before, *after})
            if before.get(column) != after.get(column)
        }

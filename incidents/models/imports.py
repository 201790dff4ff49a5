from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from incidents.choices import BatchState, RowOutcome

from .claims import Claim
from .incidents import Dataset, Incident


class ImportBatch(models.Model):
    """One file of another dataset that somebody imported, reviewed as one by another person."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="imports", help_text="Whose rows these are."
    )
    file_name = models.CharField(max_length=255, help_text="Name of the file, without its folder.")
    file_sha256 = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    layout = models.CharField(max_length=40, help_text="Which layout of the dataset it has.")
    columns = ArrayField(
        models.CharField(max_length=200), help_text="The header of the file, as it stands there."
    )
    criteria = models.JSONField(
        default=dict, help_text="Column and value of the rows that were taken; empty: all."
    )
    importer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="imports",
        help_text="Who imported it. Never verifies nor publishes it.",
    )
    state = models.CharField(
        max_length=20,
        choices=BatchState,
        default=BatchState.IMPORTING,
        help_text="Where the batch stands.",
    )
    lines_done = models.PositiveIntegerField(
        default=0, help_text="The last line of the file that is stored: an import goes on after it."
    )
    counts = models.JSONField(
        default=dict, help_text="Rows by what became of them; of unchanged ones nothing else."
    )
    started_at = models.DateTimeField(db_default=Now(), help_text="When the import began, UTC.")
    finished_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was complete and waited for its verifier, UTC."
    )
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who verified it: somebody else than the importer.",
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who published it: somebody else than the importer.",
    )
    reason = models.TextField(blank=True, help_text="Why it was returned, the last time.")

    class Meta:
        verbose_name_plural = "import batches"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="incidents_importbatch_state_is_known",
                condition=Q(state__in=BatchState.values),
                violation_error_message="A batch is importing, submitted, verified, published "
                "or returned.",
            ),
            models.CheckConstraint(
                name="incidents_importbatch_four_eyes",
                condition=(Q(verified_by__isnull=True) | ~Q(verified_by=F("importer")))
                & (Q(published_by__isnull=True) | ~Q(published_by=F("importer"))),
                violation_error_message="An import is verified and published by another person "
                "than the one who imported it.",
            ),
            models.CheckConstraint(
                name="incidents_importbatch_says_who",
                condition=(
                    ~Q(state__in=[BatchState.VERIFIED, BatchState.PUBLISHED])
                    | Q(verified_by__isnull=False)
                )
                & (~Q(state=BatchState.PUBLISHED) | Q(published_by__isnull=False)),
                violation_error_message="A verified or published batch says by whom.",
            ),
            models.CheckConstraint(
                name="incidents_importbatch_returned_says_why",
                condition=~Q(state=BatchState.RETURNED) | Q(reason__regex=r"[^\s]"),
                violation_error_message="Say why.",
            ),
            models.UniqueConstraint(
                name="incidents_importbatch_one_at_a_time",
                fields=["dataset"],
                condition=Q(state=BatchState.IMPORTING),
                violation_error_message="An import of this dataset is not finished: run it again "
                "with its file, and it goes on where it was stopped.",
            ),
        ]

    def __str__(self) -> str:
        return f"Import {self.pk}: {self.file_name}"


class ImportedRow(models.Model):
    """One row of an imported file, byte for byte, and what became of it. Never changed.

    Crosswalks are many-to-one: the codes that the dataset itself uses stand here.
    """

    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="rows")
    line = models.PositiveIntegerField(help_text="The line of the file on which it begins, from 1.")
    external_id = models.CharField(
        max_length=100, blank=True, help_text="Its id in that dataset; empty where it has none."
    )
    original = models.BinaryField(help_text="The row as it stands in the file.")
    original_sha256 = models.CharField(max_length=64, help_text="SHA-256 of it.")
    outcome = models.CharField(
        max_length=20, choices=RowOutcome, help_text="What became of the row."
    )
    incident = models.ForeignKey(
        Incident, null=True, blank=True, on_delete=models.PROTECT, related_name="imported_rows"
    )
    claim = models.ForeignKey(
        Claim, null=True, blank=True, on_delete=models.PROTECT, related_name="imported_rows"
    )
    notes = models.JSONField(
        default=list,
        help_text="What was refused, not placed or remarked, each with column, kind and message.",
    )

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["external_id", "-id"], name="importedrow_by_external_id"),
            models.Index(fields=["original_sha256"], name="importedrow_by_sha256"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="incidents_importedrow_line_once",
                fields=["batch", "line"],
                violation_error_message="This line of the file is stored already.",
            ),
            models.CheckConstraint(
                name="incidents_importedrow_outcome_is_known",
                condition=Q(outcome__in=RowOutcome.values),
                violation_error_message="This is not what becomes of an imported event.",
            ),
            models.CheckConstraint(
                name="incidents_importedrow_refused_without_record",
                condition=(
                    Q(outcome=RowOutcome.REFUSED, incident__isnull=True, claim__isnull=True)
                    | ~Q(outcome=RowOutcome.REFUSED) & Q(incident__isnull=False)
                ),
                violation_error_message="A refused event has no record, any other has one.",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.outcome}"

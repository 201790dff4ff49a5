"""Releases: the data as they stood at a ledger position, in files that do not change.

Rows are added and nothing else. A build holds files; a redaction that touches what it holds
withdraws it, by the database, and the next build stands beside it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .published import Redaction

# Also what an address may hold.
NAME = r"[0-9]{4}\.[1-9][0-9]{0,2}"
_STEP = r"[A-Za-z0-9_=-][A-Za-z0-9_=.-]*"
PATH = rf"{_STEP}(/{_STEP})*"


class Release(models.Model):
    """A ledger position by a name, for ever. Who made it stands in the history."""

    name = models.CharField(max_length=8, help_text="Year and number, such as 2026.1.")
    position = models.BigIntegerField(help_text="Ledger position that it holds.")
    previous = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The release before, of that position or the nearest lower one.",
    )
    site = models.CharField(
        max_length=200, blank=True, help_text="Where links lead, such as https://harm.example.org."
    )
    made_at = models.DateTimeField(db_default=Now(), help_text="By the database's clock.")

    class Meta:
        ordering = ["-position", "-pk"]
        permissions = [("make_release", "Can make a release of what was published")]
        constraints = [
            models.UniqueConstraint(
                name="incidents_release_once",
                fields=["name"],
                violation_error_message="There is a release of this name.",
            ),
            models.CheckConstraint(
                name="incidents_release_has_a_name",
                condition=Q(name__regex=f"^{NAME}$"),
                violation_error_message="A release is named by year and number, such as 2026.1.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReleaseText(models.Model):
    """A code list or a text on method as it was that day: what no ledger position gives again."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="texts")
    path = models.CharField(max_length=200, help_text="Of its file in the release.")
    content = models.TextField()

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(name="incidents_releasetext_once", fields=["release", "path"]),
            models.CheckConstraint(
                name="incidents_releasetext_path_is_plain", condition=Q(path__regex=f"^{PATH}$")
            ),
        ]

    def __str__(self) -> str:
        return self.path


class ReleaseBuild(models.Model):
    """The files of a release, as one run wrote them. It stands until a redaction withdraws it."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="builds")
    number = models.SmallIntegerField(help_text="1, 2, 3 ... of this release.")
    redacted_at = models.BigIntegerField(
        help_text="Ledger position of the last redaction of what it holds; 0 where there is none."
    )
    software = models.CharField(max_length=40, help_text="Version of harmtracker that wrote it.")
    pyarrow = models.CharField(max_length=40, help_text="Version of pyarrow that wrote Parquet.")
    made_at = models.DateTimeField(db_default=Now(), help_text="By the database's clock.")
    # Its files come in the same transaction. Set by the database.
    transaction_id = models.BigIntegerField(editable=False, default=0)

    class Meta:
        ordering = ["release", "number"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_releasebuild_once",
                fields=["release", "number"],
                violation_error_message="This release has a build of that number.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.release} build {self.number}"


class ReleaseFile(models.Model):
    """One file of a build. Only what stands here is given to anybody."""

    build = models.ForeignKey(ReleaseBuild, on_delete=models.PROTECT, related_name="files")
    path = models.CharField(max_length=200, help_text="Below the build, such as csv/claims.csv.")
    size = models.PositiveBigIntegerField(help_text="In bytes.")
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(name="incidents_releasefile_once", fields=["build", "path"]),
            models.CheckConstraint(
                name="incidents_releasefile_path_is_plain",
                condition=Q(path__regex=f"^{PATH}$"),
                violation_error_message="A path is of letters, digits, _ = - and dots inside.",
            ),
        ]

    def __str__(self) -> str:
        return self.path


class ReleaseWithdrawal(models.Model):
    """That a build is given to nobody any more. Written by the database with the redaction."""

    build = models.OneToOneField(
        ReleaseBuild, primary_key=True, on_delete=models.PROTECT, related_name="withdrawal"
    )
    redaction = models.ForeignKey(
        Redaction, on_delete=models.PROTECT, related_name="+", help_text="Which one withdrew it."
    )
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.build} withdrawn"

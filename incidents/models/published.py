"""The far side of the door: what was published, and how it is found. Nothing here is edited.

Versions and ledger entries only grow; a redaction alone takes values out of a version, and leaves
their digests. All the other tables are an index over the versions'
documents, written by publishing and rebuilt from the documents by ``rebuild_published``.
The public role reads these tables, the code lists and the weapon types, and no others.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from incidents.choices import VersionKind
from incidents.finding import FIGURES, Days


class CodeCounter(models.Model):
    """The last ordinal given to a code of one country and year. Only publishing moves it."""

    country = models.CharField(max_length=3)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_codecounter_one_per_year", fields=["country", "year"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.country}-{self.year}-{self.last:04d}"


class LedgerHead(models.Model):
    """The one row that publishing locks: how long the ledger is, and its tree's right edge."""

    size = models.PositiveBigIntegerField(default=0, help_text="Entries so far.")
    edge = ArrayField(
        models.CharField(max_length=64),
        default=list,
        help_text="Roots of the full subtrees, widest first, from which the next root follows.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(name="incidents_ledgerhead_is_one_row", condition=Q(id=1))
        ]

    def __str__(self) -> str:
        return f"{self.size} entries"


class LedgerEntry(models.Model):
    """One act of publishing, in order and without gaps: a leaf of the Merkle tree (RFC 6962)."""

    seq = models.PositiveBigIntegerField(primary_key=True, help_text="Position, from 1.")
    at = models.DateTimeField(help_text="When, by the database's clock.")
    kind = models.CharField(max_length=20, choices=VersionKind, help_text="What was done.")
    code = models.CharField(max_length=20, help_text="To which record.")
    version = models.PositiveIntegerField(help_text="Which version of it came of that.")
    committed_sha256 = models.CharField(
        max_length=64,
        help_text="SHA-256 of the document with a digest in place of each redactable value.",
    )
    entry = models.TextField(help_text="All of the above as canonical JSON: the leaf's bytes.")
    leaf_hash = models.CharField(max_length=64, help_text="SHA-256 of 0x00 and the entry's bytes.")
    root_hash = models.CharField(max_length=64, help_text="Root of the tree that ends here.")

    class Meta:
        verbose_name_plural = "ledger entries"
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_ledgerentry_version_once",
                fields=["code", "version"],
                condition=~Q(kind=VersionKind.REDACTED),
            )
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.kind} {self.code} v{self.version}"


class PublishedVersion(models.Model):
    """A version of a record as it left: the document, byte for byte as it was hashed."""

    entry = models.OneToOneField(
        LedgerEntry,
        primary_key=True,
        db_column="seq",
        on_delete=models.PROTECT,
        related_name="published",
    )
    code = models.CharField(max_length=20)
    number = models.PositiveIntegerField(help_text="1, 2, 3 ... of this code.")
    kind = models.CharField(max_length=20, choices=VersionKind)
    document = models.TextField(help_text="Canonical JSON (RFC 8785).")
    sha256 = models.CharField(max_length=64, help_text="SHA-256 of the document.")
    disclosures = models.TextField(
        help_text="Canonical JSON list of [salt, path, value]: what the digests stand for."
    )
    note = models.TextField(blank=True, help_text="What changed, or why it was retracted. Public.")
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["code", "number"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedversion_once",
                fields=["code", "number"],
                violation_error_message="This version is published already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"


class Redaction(models.Model):
    """That values were taken out of a version, which keeps their digests. Holds none of them."""

    entry = models.OneToOneField(
        LedgerEntry,
        primary_key=True,
        db_column="seq",
        on_delete=models.PROTECT,
        related_name="redaction",
    )
    code = models.CharField(max_length=20)
    number = models.IntegerField(help_text="Of the version.")
    taken = models.TextField(
        help_text="Canonical JSON list of [path, digest]: where a value was, and what it was "
        "committed to as."
    )
    public_reason = models.TextField(help_text="Why. Public.")
    # Which transaction wrote it: the version gives way in the same one. Set by the database.
    transaction_id = models.BigIntegerField(editable=False, default=0)

    class Meta:
        ordering = ["entry"]
        constraints = [
            models.CheckConstraint(
                name="incidents_redaction_says_why",
                condition=~Q(public_reason=""),
                violation_error_message="Say in public why it was taken out.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"


# Keys that are not in their place in the index yet: each reader goes through them, so there are
# few. Without any, a row costs three times as much to add.
PENDING_KB = 256


class PublishedIncident(models.Model):
    """What a version is found by: its summary for lists and its filter columns.

    It was the current one from ledger position ``valid_from`` until before ``valid_until``.
    """

    version = models.OneToOneField(
        PublishedVersion, primary_key=True, db_column="seq", on_delete=models.PROTECT
    )
    code = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    valid_from = models.PositiveBigIntegerField()
    valid_until = models.PositiveBigIntegerField(null=True)
    summary = models.TextField(help_text="The document without claims, as canonical JSON.")
    date_earliest = models.DateField(null=True)
    date_latest = models.DateField(null=True)
    record_type = models.CharField(max_length=40)
    harm_reported = models.CharField(max_length=40)
    grading = models.CharField(max_length=40)
    in_totals = models.BooleanField(help_text="Whether totals over incidents count it.")
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    # The totals that are asked for most, as PublishedTotal has them all.
    killed_civilian_min = models.PositiveIntegerField(null=True)
    killed_civilian_best = models.PositiveIntegerField(null=True)
    killed_civilian_max = models.PositiveIntegerField(null=True)
    killed_all_min = models.PositiveIntegerField(null=True)
    killed_all_best = models.PositiveIntegerField(null=True)
    killed_all_max = models.PositiveIntegerField(null=True)
    injured_civilian_min = models.PositiveIntegerField(null=True)
    injured_civilian_best = models.PositiveIntegerField(null=True)
    injured_civilian_max = models.PositiveIntegerField(null=True)
    injured_all_min = models.PositiveIntegerField(null=True)
    injured_all_best = models.PositiveIntegerField(null=True)
    injured_all_max = models.PositiveIntegerField(null=True)
    independent_sources = models.PositiveSmallIntegerField(default=0)
    first_published_at = models.DateTimeField(null=True, help_text="Of the code's first version.")
    published_at = models.DateTimeField(null=True, help_text="Of this version.")
    traits = ArrayField(
        models.CharField(max_length=240),
        default=list,
        help_text="dimension:value, of all that has few values; an empty value is not known.",
    )
    place_keys = ArrayField(
        models.CharField(max_length=40),
        default=list,
        help_text="Ids and P-codes of its places and what they lie in, and the country's code; "
        "with a plus before them those of further places alone.",
    )
    actor_keys = ArrayField(
        models.CharField(max_length=100),
        default=list,
        help_text="Ids of actors involved or harmed, and of what they are part of; of each that "
        "is involved also `id role` and `id role certainty`, and the same without an id.",
    )
    address_keys = ArrayField(
        models.CharField(max_length=24),
        default=list,
        help_text="Digests of the addresses of its articles.",
    )
    reference_keys = ArrayField(models.CharField(max_length=40), default=list)
    search = SearchVectorField()
    index_shape = models.PositiveSmallIntegerField(
        default=1, help_text="By which form of the projection the row was written."
    )

    class Meta:
        indexes = [
            models.Index(
                F("date_earliest").desc(nulls_last=True), F("code"), name="published_by_date"
            ),
            GistIndex(Days("date_earliest", "date_latest"), name="published_by_days"),
            models.Index(fields=["code", "valid_from"], name="published_by_code"),
            models.Index(fields=["valid_from"], name="published_by_position"),
            models.Index(
                fields=["valid_until"],
                name="published_by_end",
                condition=Q(valid_until__isnull=False),
            ),
            models.Index(fields=["latitude", "longitude"], name="published_by_point"),
            *(
                models.Index(
                    fields=[name], name=f"by_{name}", condition=Q((f"{name}__isnull", False))
                )
                for name in FIGURES
            ),
            models.Index(fields=["published_at"], name="published_by_change"),
            models.Index(fields=["first_published_at"], name="published_by_first"),
            models.Index(fields=["independent_sources"], name="published_by_sources"),
            GinIndex(
                fields=["traits"], name="published_by_trait", gin_pending_list_limit=PENDING_KB
            ),
            GinIndex(
                fields=["place_keys"], name="published_by_place", gin_pending_list_limit=PENDING_KB
            ),
            GinIndex(
                fields=["actor_keys"], name="published_by_actor", gin_pending_list_limit=PENDING_KB
            ),
            GinIndex(
                fields=["address_keys"],
                name="published_by_address",
                gin_pending_list_limit=PENDING_KB,
            ),
            GinIndex(
                fields=["reference_keys"],
                name="published_by_reference",
                gin_pending_list_limit=PENDING_KB,
            ),
            GinIndex(
                fields=["search"], name="published_by_words", gin_pending_list_limit=PENDING_KB
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedincident_one_current",
                fields=["code"],
                condition=Q(valid_until__isnull=True),
            ),
            models.CheckConstraint(
                name="incidents_publishedincident_aggregate_not_in_totals",
                condition=~Q(record_type="aggregate_count") | Q(in_totals=False),
                violation_error_message="A count over several incidents is in no total.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"


class PublishedTotal(models.Model):
    """A total of one version: one outcome, one bucket. Conditions on counts look here."""

    incident = models.ForeignKey(PublishedIncident, on_delete=models.CASCADE, related_name="totals")
    outcome = models.CharField(max_length=40)
    bucket = models.CharField(max_length=40)
    min = models.PositiveIntegerField(null=True)
    best = models.PositiveIntegerField(null=True)
    max = models.PositiveIntegerField(null=True)
    at_least = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedtotal_once", fields=["incident", "outcome", "bucket"]
            )
        ]
        indexes = [
            models.Index(fields=["outcome", "bucket", bound], name=f"total_by_{bound}")
            for bound in ("min", "best", "max")
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.bucket}"


class PublishedReference(models.Model):
    """A place, actor, outlet or article, as the newest document that names it has it.

    It was so from ledger position ``valid_from`` until before ``valid_until``: there is a row while
    a current document names it.
    """

    kind = models.CharField(max_length=10, help_text="place, actor, outlet or article.")
    key = models.CharField(max_length=40, help_text="Its id.")
    name = models.CharField(max_length=500, help_text="What it is sorted by.")
    subkind = models.CharField(max_length=40, null=True, help_text="Level, or kind: its code.")
    pcode = models.CharField(max_length=20, null=True)
    parent_keys = ArrayField(
        models.CharField(max_length=40),
        default=list,
        help_text="Id and P-code of what it lies right below.",
    )
    country = models.CharField(max_length=3, null=True)
    language = models.CharField(max_length=40, null=True)
    outlet = models.CharField(max_length=40, null=True, help_text="Id of an article's outlet.")
    document = models.TextField(help_text="Canonical JSON.")
    valid_from = models.PositiveBigIntegerField()
    valid_until = models.PositiveBigIntegerField(null=True)
    search = SearchVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incidents_publishedreference_one_current",
                fields=["kind", "key"],
                condition=Q(valid_until__isnull=True),
            ),
            models.UniqueConstraint(
                name="incidents_publishedreference_once", fields=["kind", "key", "valid_from"]
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "name", "key"], name="reference_by_name"),
            models.Index(fields=["kind", "subkind", "name"], name="reference_by_subkind"),
            models.Index(
                fields=["pcode"], name="reference_by_pcode", condition=Q(pcode__isnull=False)
            ),
            models.Index(
                fields=["outlet", "name"],
                name="reference_by_outlet",
                condition=Q(outlet__isnull=False),
            ),
            GinIndex(fields=["parent_keys"], name="reference_by_parent"),
            GinIndex(fields=["search"], name="reference_by_words"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

"""Who reported, what was published, and what we kept of it. Knows nothing of incidents."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from harmtracker.codes import CodeField
from harmtracker.fields import ADDRESS, ADDRESS_MESSAGE, AddressField, EdtfField
from sources import media

sha256_hex = RegexValidator(r"^[0-9a-f]{64}\Z", "64 hexadecimal digits, lower case.")


class Outlet(models.Model):
    """Someone who publishes or speaks: a newspaper, an NGO, a hospital, a witness."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(
        max_length=80, unique=True, help_text="Short name used in data files; never changes."
    )
    name = models.CharField(max_length=200, help_text="The name the outlet goes by.")
    other_names = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Other spellings, scripts and former names, all of them searched.",
    )
    kind = CodeField("outlet_kind", help_text="What kind of source this is.")
    country = models.CharField(
        max_length=3, null=True, blank=True, help_text="ISO 3166-1 alpha-3 code of its seat."
    )
    languages = ArrayField(
        models.CharField(max_length=20),
        default=list,
        blank=True,
        help_text="BCP 47 codes of the languages it publishes in.",
    )
    reliability = CodeField(
        "reliability",
        default="F",
        help_text="Admiralty code A to F. F, cannot be judged, until a verifier says otherwise.",
    )
    independence_group = models.CharField(
        max_length=80,
        help_text="Outlets and actors of one group count as one independent source.",
    )
    party_to_conflict = models.BooleanField(
        default=False, help_text="Whether the outlet belongs to or speaks for a party."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Article(models.Model):
    """One thing an outlet published or said, on the web, on paper, on air or to us."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    outlet = models.ForeignKey(Outlet, on_delete=models.PROTECT, related_name="articles")
    title = models.CharField(max_length=500, help_text="Its own title, or what it is in words.")
    authors = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, help_text="As it names them."
    )
    language = models.CharField(max_length=20, help_text="BCP 47 code, such as en or my.")
    published = EdtfField(
        null=True, blank=True, help_text="When it appeared, in EDTF; NULL when not known."
    )
    published_earliest = models.GeneratedField(
        expression=models.Func(
            F("published"), function="edtf_earliest", output_field=models.DateField()
        ),
        output_field=models.DateField(null=True),
        db_persist=True,
    )
    summary = models.TextField(blank=True, help_text="What it says, in our words.")
    url = AddressField(
        max_length=2000,
        null=True,
        blank=True,
        unique=True,
        help_text="Address of the original; NULL for print, radio, a witness, or when not known.",
    )
    copy_url = AddressField(
        max_length=2000,
        null=True,
        blank=True,
        unique=True,
        help_text="Address of the republished copy that was read, where the original was not.",
    )
    archive_url = AddressField(
        max_length=2000, null=True, blank=True, help_text="Address of it in a public web archive."
    )

    class Meta:
        ordering = ["-published_earliest", "pk"]
        constraints = [
            models.CheckConstraint(
                name="sources_article_addresses_are_of_the_web",
                condition=Q(url__regex=ADDRESS)
                & Q(copy_url__regex=ADDRESS)
                & Q(archive_url__regex=ADDRESS),
                violation_error_message=ADDRESS_MESSAGE,
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Capture(models.Model):
    """A stored copy of an article, never altered and never public (Berkeley Protocol)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="captures")
    kind = CodeField("capture_kind", help_text="What was stored.")
    sha256 = models.CharField(
        max_length=64, validators=[sha256_hex], help_text="SHA-256 of the bytes; also their path."
    )
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    media_type = models.CharField(max_length=100, help_text="Media type, by content.")
    requested_url = AddressField(max_length=2000, null=True, blank=True)
    final_url = AddressField(max_length=2000, null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    http_headers = models.JSONField(null=True, blank=True)
    captured_at = models.DateTimeField(help_text="When the copy was taken, UTC.")
    captured_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    tool = models.CharField(max_length=100, help_text="What took the copy, with its version.")

    class Meta:
        ordering = ["-captured_at", "pk"]
        permissions = [("hand_over_capture", "Can hand a stored copy over to somebody outside")]
        constraints = [
            models.UniqueConstraint(
                name="sources_capture_once_per_article",
                fields=["article", "sha256"],
                violation_error_message="This copy is kept already.",
            ),
            models.CheckConstraint(
                name="sources_capture_sha256_is_hex",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
                violation_error_message="A SHA-256 is 64 hexadecimal digits, lower case.",
            ),
            models.CheckConstraint(
                name="sources_capture_not_in_the_future",
                condition=Q(captured_at__lte=Now()),
                violation_error_message="A copy cannot have been taken in the future.",
            ),
            models.CheckConstraint(
                name="sources_capture_media_type_fits_kind",
                # A kind that is on no list is refused by the trigger that knows the lists.
                condition=~Q(kind__in=[*media.MEDIA_TYPES])
                | Q(
                    *(
                        Q(kind=kind, media_type__in=types)
                        for kind, types in media.MEDIA_TYPES.items()
                    ),
                    _connector=Q.OR,
                ),
                violation_error_message="The media type is one that the kind of copy can have.",
            ),
            models.CheckConstraint(
                name="sources_capture_addresses_are_of_the_web",
                condition=Q(requested_url__regex=ADDRESS) & Q(final_url__regex=ADDRESS),
                violation_error_message=ADDRESS_MESSAGE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"


class CustodyEntry(models.Model):
    """What was done with a stored copy: storing, reading, handing over. The list only grows.

    The database writes the entry of the storing itself.
    """

    capture = models.ForeignKey(Capture, on_delete=models.PROTECT, related_name="custody")
    action = models.CharField(
        max_length=20,
        choices=[("stored", "Stored"), ("read", "Read"), ("handed_over", "Handed over")],
        help_text="What was done with the copy.",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    to = models.CharField(max_length=200, blank=True, help_text="Whom it was handed to.")
    purpose = models.CharField(max_length=500, blank=True, help_text="What for.")
    at = models.DateTimeField(db_default=Now(), help_text="When, by the database's clock, UTC.")

    class Meta:
        verbose_name_plural = "custody entries"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="sources_custodyentry_stored_once",
                fields=["capture"],
                condition=Q(action="stored"),
                violation_error_message="A copy is stored once.",
            ),
            models.CheckConstraint(
                name="sources_custodyentry_action_is_known",
                condition=Q(action__in=["stored", "read", "handed_over"]),
                violation_error_message="A copy is stored, read or handed over.",
            ),
            models.CheckConstraint(
                name="sources_custodyentry_names_receiver",
                condition=Q(action="handed_over", to__regex=r"[^\s]")
                | ~Q(action="handed_over") & Q(to=""),
                violation_error_message="Say to whom the copy was handed over, and only then.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.at}"


class ConfidentialSource(models.Model):
    """Who a source is that must not be named. The outlet carries what may be said of them.

    The identity is encrypted by the program before the database sees it; see
    :mod:`sources.sealing`. One action shows it: :func:`sources.confidential.reveal`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    outlet = models.OneToOneField(
        Outlet,
        on_delete=models.PROTECT,
        related_name="confidential_source",
        help_text="The source as everybody may know it, such as: a resident of the ward.",
    )
    key_name = models.CharField(
        max_length=16, editable=False, help_text="Which key encrypted the identity."
    )
    sealed = models.BinaryField(help_text="The identity, encrypted for this row alone.")

    class Meta:
        ordering = ["outlet__name", "pk"]
        permissions = [("reveal_confidentialsource", "Can reveal who a confidential source is")]
        constraints = [
            models.CheckConstraint(
                name="sources_confidentialsource_key_is_named",
                condition=Q(key_name__regex=r"^[0-9a-f]{16}$"),
                violation_error_message="Name the key by 16 hexadecimal digits.",
            ),
        ]

    def __str__(self) -> str:
        return self.outlet.name


class Reveal(models.Model):
    """Somebody was shown who a confidential source is. Stored before it is shown; only grows."""

    source = models.ForeignKey(ConfidentialSource, on_delete=models.PROTECT, related_name="reveals")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    reason = models.TextField(help_text="Why they had to know.")
    at = models.DateTimeField(db_default=Now(), help_text="When, by the database's clock, UTC.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="sources_reveal_has_reason",
                condition=Q(reason__regex=r"[^\s]"),
                violation_error_message="Say why you have to know.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.at}"

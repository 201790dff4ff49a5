from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from incidents.choices import Verb

from .incidents import Incident
from .parts import part_id


class Review(models.Model):
    """One step of the workflow that a person took. Never changed, never removed.

    A verification holds the very bytes that were verified; it is live while it is the last
    step and the revision is the one it saw.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="reviews")
    verb = models.CharField(max_length=20, choices=Verb, help_text="What was done.")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveBigIntegerField(help_text="The revision that was looked at.")
    reason = models.TextField(blank=True, help_text="Why, where a reason is due.")
    content = models.TextField(
        null=True, help_text="Of a verification: the canonical content (RFC 8785)."
    )
    content_sha256 = models.CharField(max_length=64, null=True, help_text="SHA-256 of it.")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["incident", "-id"], name="review_latest"),
            models.Index(fields=["at"], name="review_by_moment"),
        ]
        constraints = [
            models.CheckConstraint(
                name="incidents_review_verification_holds_content",
                condition=Q(verb=Verb.VERIFY, content__isnull=False, content_sha256__isnull=False)
                | (~Q(verb=Verb.VERIFY) & Q(content__isnull=True, content_sha256__isnull=True)),
                violation_error_message="A verification holds what was verified.",
            ),
            models.CheckConstraint(
                name="incidents_review_says_why",
                condition=~Q(verb__in=[Verb.RETURN, Verb.REOPEN, Verb.PROPOSE_RETRACTION])
                | ~Q(reason=""),
                violation_error_message="Say why.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%Y-%m-%d}"


class ReviewComment(models.Model):
    """A remark on one field of a record, open until somebody resolves it."""

    uuid = part_id()
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="comments")
    field = models.CharField(max_length=200, help_text="Path of the field, such as place.point.")
    text = models.TextField(help_text="The remark.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    at = models.DateTimeField(db_default=Now(), editable=False)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    resolved_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="incidents_reviewcomment_resolved_by_someone",
                condition=Q(resolved_by__isnull=True, resolved_at__isnull=True)
                | Q(resolved_by__isnull=False, resolved_at__isnull=False),
                violation_error_message="A resolved comment says by whom and when.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.text[:60]}"


class Look(models.Model):
    """Up to which entry of its history a person has seen a record. No evidence, and not kept."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="looks")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="looks"
    )
    entry = models.BigIntegerField(help_text="Id of the last entry of the history that was there.")
    at = models.DateTimeField(db_default=Now(), help_text="When.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_look_once",
                fields=["incident", "person"],
                violation_error_message="This person has looked at the record already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.at:%Y-%m-%d %H:%M}"

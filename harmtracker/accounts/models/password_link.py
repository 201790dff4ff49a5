from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

DAYS = 7


class PasswordLink(models.Model):
    """A link by which its person chooses a password, once; an administrator hands it over.

    Shown once, when it is made. Never deleted.
    """

    class Purpose(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        RESET = "reset", "Reset of the password"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="password_links"
    )
    purpose = models.CharField(max_length=10, choices=Purpose)
    digest = models.CharField(
        max_length=64,
        unique=True,
        help_text="HMAC-SHA256 of the secret in the link, with a key kept outside the database.",
    )
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True, help_text="When a newer link took its place.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="accounts_passwordlink_digest_is_hex",
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"),
                violation_error_message="The digest is 64 hexadecimal digits.",
            ),
            models.CheckConstraint(
                name="accounts_passwordlink_seven_days",
                condition=Q(
                    expires_at__gt=F("made_at"),
                    expires_at__lte=F("made_at") + datetime.timedelta(days=DAYS),
                ),
                violation_error_message="A link ends after seven days at the latest.",
            ),
            models.CheckConstraint(
                name="accounts_passwordlink_used_in_time",
                condition=Q(used_at=None) | Q(used_at__lte=F("expires_at"), revoked_at=None),
                violation_error_message="This link is no longer good: ask for another.",
            ),
            models.CheckConstraint(
                name="accounts_passwordlink_for_another",
                condition=~Q(person=F("made_by")),
                violation_error_message="Nobody makes a link for themselves: change the password "
                "with the old one, or ask another administrator.",
            ),
            models.UniqueConstraint(
                name="accounts_passwordlink_one_at_a_time",
                fields=["person"],
                condition=Q(used_at=None, revoked_at=None),
                violation_error_message="This person has a link already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} of {self.made_at:%Y-%m-%d}"

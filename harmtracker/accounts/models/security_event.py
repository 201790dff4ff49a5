from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class SecurityEvent(models.Model):
    """Something that happened to a person's access: to what, by whom, when. It only grows.

    What changes a row is written down by triggers, what is tried by the program. Passwords,
    codes and secrets are never in it.
    """

    class Kind(models.TextChoices):
        LOGGED_IN = "logged_in", "Logged in"
        LOGIN_FAILED = "login_failed", "Login failed"
        CODE_FAILED = "code_failed", "Wrong code"
        LOCKED_OUT = "locked_out", "Locked out"
        RECOVERY_CODES_MADE = "recovery_codes_made", "Recovery codes made"
        RECOVERY_CODE_USED = "recovery_code_used", "Recovery code used"
        PERSON_MADE = "person_made", "Person added"
        PERSON_CHANGED = "person_changed", "Person changed"
        ACTIVATED = "activated", "Activated"
        DEACTIVATED = "deactivated", "Deactivated"
        PASSWORD_CHANGED = "password_changed", "Password changed"
        GROUP_ADDED = "group_added", "Put into a group"
        GROUP_REMOVED = "group_removed", "Taken out of a group"
        SECOND_FACTOR_ENROLLED = "second_factor_enrolled", "Second factor enrolled"
        SECOND_FACTOR_REMOVED = "second_factor_removed", "Second factor removed"
        TOKEN_MADE = "token_made", "Token made"
        TOKEN_FIRST_USED = "token_first_used", "Token used for the first time"
        TOKEN_REVOKED = "token_revoked", "Token revoked"
        LINK_MADE = "link_made", "Link made"
        LINK_USED = "link_used", "Link used"
        LINK_REVOKED = "link_revoked", "Link revoked"

    at = models.DateTimeField(db_default=Now(), help_text="By the database's clock.")
    kind = models.CharField(max_length=30, choices=Kind)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="security_events",
        help_text="Whose access. Empty for a name that nobody has.",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who did it. Empty where nobody had proved who they are.",
    )
    detail = models.TextField(blank=True, help_text="Which group, token or link.")

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["person", "-id"], name="event_of_person")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"

from __future__ import annotations

import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from harmtracker.accounts.scopes import CASEWORK, Scope, allowed

CASEWORK_DAYS = 90
CASEWORK_DAYS_AT_MOST = 365
VERIFY_HOURS_AT_MOST = 12


class Token(models.Model):
    """A key by which a program acts for a person, in their name and never with more rights.

    Shown once, when it is made. Never deleted, only revoked.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tokens"
    )
    name = models.CharField(max_length=100, help_text="What it is for, such as: import script.")
    key_id = models.CharField(
        max_length=12, unique=True, help_text="The part of the token that is no secret."
    )
    digest = models.CharField(
        max_length=64,
        help_text="HMAC-SHA256 of the token, with a key that is kept outside the database.",
    )
    scopes = ArrayField(
        models.CharField(max_length=20, choices=Scope), help_text="What it may be used for."
    )
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    expires_at = models.DateTimeField(
        null=True, help_text="When it ends. Empty, for public tokens alone: when it is revoked."
    )
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty where a change of password or the end of the account revoked it.",
    )
    last_used_on = models.DateField(null=True, help_text="The last day (UTC) it was used.")

    # Of tokens that `harmtracker.accounts.tokens.find` found.
    groups_now: list[str]
    has_second_factor_now: bool

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="accounts_token_is_named",
                condition=Q(name__regex=r"\S"),
                violation_error_message="Give the token a name that says what it is for.",
            ),
            models.CheckConstraint(
                name="accounts_token_key_id_is_hex",
                condition=Q(key_id__regex=r"^[0-9a-f]{12}$"),
                violation_error_message="The key's id is 12 hexadecimal digits.",
            ),
            models.CheckConstraint(
                name="accounts_token_digest_is_hex",
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"),
                violation_error_message="The digest is 64 hexadecimal digits.",
            ),
            models.CheckConstraint(
                name="accounts_token_scopes_known",
                condition=Q(scopes__contained_by=Scope.values, scopes__len__gte=1),
                violation_error_message="A token has one scope or more, each of those there are.",
            ),
            models.CheckConstraint(
                name="accounts_token_ends_after_it_begins",
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")),
                violation_error_message="A token ends after it begins.",
            ),
            models.CheckConstraint(
                name="accounts_token_casework_a_year",
                condition=~Q(scopes__overlap=sorted(CASEWORK))
                | Q(
                    expires_at__isnull=False,
                    expires_at__lte=F("created_at")
                    + datetime.timedelta(days=CASEWORK_DAYS_AT_MOST),
                ),
                violation_error_message="A token for casework ends after 365 days at the latest.",
            ),
            models.CheckConstraint(
                name="accounts_token_verify_twelve_hours",
                condition=~Q(scopes__contains=[Scope.VERIFY])
                | Q(
                    expires_at__isnull=False,
                    expires_at__lte=F("created_at")
                    + datetime.timedelta(hours=VERIFY_HOURS_AT_MOST),
                ),
                violation_error_message="A token with the scope verify ends after 12 hours at the "
                "latest.",
            ),
            models.CheckConstraint(
                name="accounts_token_revoked_at_a_time",
                condition=Q(revoked_by=None) | Q(revoked_at__isnull=False),
                violation_error_message="A revoked token says when.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (ht_{self.key_id})"

    def allows(self, scope: str) -> bool:
        """Whether it has this scope and its person may still use it; of one that was found."""
        now = allowed(self.groups_now, has_second_factor=self.has_second_factor_now)
        return scope in self.scopes and scope in now

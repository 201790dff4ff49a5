from __future__ import annotations

from django.db import models
from django.utils import timezone


class Attempt(models.Model):
    """A failed attempt to prove who one is, or one that is being checked. Kept for a day.

    Account and network are keyed hashes: no name that was tried and no address is kept.
    """

    class Kind(models.TextChoices):
        LOGIN = "login", "username and password"
        CODE = "code", "code of the second factor"
        TOKEN = "token", "token"

    kind = models.CharField(max_length=10, choices=Kind)
    account = models.CharField(max_length=64, blank=True)
    network = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["network", "-at"], name="attempt_network"),
            models.Index(fields=["account", "-at"], name="attempt_account"),
            models.Index(fields=["at"], name="attempt_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"

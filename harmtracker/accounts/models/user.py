from __future__ import annotations

import unicodedata
import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.db.models.lookups import Exact
from django.utils.crypto import salted_hmac

# Bidirectional controls, zero-width and other invisible characters: two names that look alike.
INVISIBLE = r"[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E"
INVISIBLE += r"\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB]"


class IsNfkc(models.Func):
    """Whether a text is in the normal form NFKC."""

    template = "%(expressions)s IS NFKC NORMALIZED"
    output_field = models.BooleanField()


class People(UserManager):
    def get_by_natural_key(self, username: str | None) -> Any:
        """By the name as it is typed: capitals and other forms of the letters do not matter."""
        return self.get(username=User.normalize_username(username or ""))


class User(AbstractUser):
    """A person of the team. Never deleted, only deactivated: the history names them."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    epoch = models.IntegerField(
        default=0, editable=False, help_text="Raised to end all sessions of this person."
    )
    first_name = None  # type: ignore[assignment]  # people are known by the name they log in with
    last_name = None  # type: ignore[assignment]

    objects: ClassVar[People] = People()

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="accounts_user_username_is_folded",
                condition=Q(Exact(IsNfkc("username"), True)) & ~Q(username__regex="[A-Z]"),
                violation_error_message="A username is in lower case and in plain letters: other "
                "forms of a letter would make two names that look alike.",
            ),
            models.CheckConstraint(
                name="accounts_user_username_is_visible",
                condition=~Q(username__regex=INVISIBLE) & ~Q(username=""),
                violation_error_message="A username has no invisible characters: they would make "
                "two names that look alike.",
            ),
        ]

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """The one form of a username, so that no two differ in capitals or forms of letters."""
        folded = unicodedata.normalize("NFKC", username).casefold()
        return unicodedata.normalize("NFKC", folded)

    def get_full_name(self) -> str:
        return self.username

    def get_short_name(self) -> str:
        return self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """A session is good while password and epoch are those that it began with."""
        return salted_hmac(
            "harmtracker.accounts.session",
            f"{self.epoch}:{self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

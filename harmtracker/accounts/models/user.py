import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person of the team. Never deleted, only deactivated: the history names them."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    first_name = None  # type: ignore[assignment]  # people are known by the name they log in with
    last_name = None  # type: ignore[assignment]

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta(AbstractUser.Meta):
        pass

    def get_full_name(self) -> str:
        return self.username

    def get_short_name(self) -> str:
        return self.username

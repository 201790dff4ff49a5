from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Code(models.Model):
    """One code of one code list, as the file of that list has it. Loaded, never typed in."""

    list = models.CharField(max_length=40, help_text="The list that the code is of.")
    code = models.CharField(max_length=40, help_text="The code as records hold it.")
    label = models.CharField(max_length=200, help_text="The term of the field.")
    definition = models.TextField(help_text="What the code means.")
    parent = models.CharField(
        max_length=40, null=True, help_text="The wider code of the same list that takes it in."
    )
    position = models.PositiveSmallIntegerField(help_text="Place in the list, from 0.")
    mappings = models.JSONField(default=dict, help_text="What others call it: list -> code.")

    class Meta:
        ordering = ["list", "position"]
        constraints = [
            models.UniqueConstraint(
                name="harmtracker_code_once_per_list",
                fields=["list", "code"],
                violation_error_message="This list has that code already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.list}: {self.code}"


class IdempotentRequest(models.Model):
    """A request that came with an Idempotency-Key and what it was answered.

    Stored in the transaction of what it did, so that there is one where there is the other.
    Whoever sends it again gets the same bytes.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who sent it: each person has keys of their own.",
    )
    key = models.CharField(max_length=255, help_text="The Idempotency-Key, as it was sent.")
    request = models.TextField(help_text="Method and path, such as POST /api/v1/casework/claims/.")
    fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of method, path, query, If-Match and body."
    )
    status = models.SmallIntegerField(help_text="HTTP status of the answer, a success.")
    headers = models.JSONField(help_text="Headers of the answer: name -> value.")
    body = models.BinaryField(help_text="The bytes of the answer.")
    at = models.DateTimeField(db_default=Now(), help_text="When, by the database's clock.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="harmtracker_idempotentrequest_once",
                fields=["user", "key"],
                violation_error_message="This person used that Idempotency-Key already.",
            ),
            models.CheckConstraint(
                name="harmtracker_idempotentrequest_succeeded",
                condition=Q(status__gte=200, status__lte=299),
                violation_error_message="Only the answer of a request that succeeded is kept.",
            ),
        ]
        indexes = [models.Index(fields=["user", "at"], name="idempotentrequest_by_age")]

    def __str__(self) -> str:
        return f"{self.request} {self.status}"


class RequestCount(models.Model):
    """How many requests one client has made, of one kind, in the time that runs for it.

    The table is unlogged: a crash empties it, and it is neither in the write-ahead log nor on a
    standby. Rows whose time is over are swept away.
    """

    client = models.UUIDField(
        primary_key=True,
        help_text="Digest of the client, with a key that is another each day: no address.",
    )
    ends_at = models.DateTimeField(help_text="When the count begins anew.")
    used = models.IntegerField(help_text="Requests since the count began.")

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="requestcount_by_end")]

    def __str__(self) -> str:
        return f"{self.used} until {self.ends_at}"

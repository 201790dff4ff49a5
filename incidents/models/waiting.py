"""What waits for somebody, in rows small enough to be put in order and counted by the thousand."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from .incidents import Incident
from .places import Place


class Waiting(models.Model):
    """A record that waits: submitted or verified for a verifier, returned for its author.

    Kept by triggers, beside the history and not in it; nobody else writes it. What the queue is
    put in order, filtered and searched by stands here, so that its cost does not follow from its
    length.
    """

    incident = models.OneToOneField(
        Incident, primary_key=True, on_delete=models.PROTECT, related_name="waiting"
    )
    state = models.CharField(max_length=40, help_text="Of the record; draft: it was returned.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(help_text="Its last submission; of a returned one, the return.")
    day = models.DateField(help_text="The UTC day of it.")
    killed_low = models.BigIntegerField(help_text="At least so many persons killed; -1: not known.")
    killed_high = models.BigIntegerField(
        help_text="The highest figure of persons killed in our assessment; -1: there is none."
    )
    grading = models.CharField(max_length=40, help_text="Of the record.")
    place = models.ForeignKey(Place, null=True, on_delete=models.PROTECT, related_name="+")
    adm1 = models.ForeignKey(
        Place,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The state or region it lies in; the widest place it lies in, where there is no "
        "such.",
    )
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    open_warnings = models.IntegerField(
        help_text="As of the last step or edit of it, or of one in the queue that it may be "
        "a duplicate of; 0 of a returned one."
    )
    warnings_told = models.IntegerField(
        db_default=0,
        help_text="Those of them that its author may be told of: about no record hidden from them.",
    )
    alike = ArrayField(
        models.BigIntegerField(),
        db_default=[],
        help_text="Ids of the records that it is warned to be a possible duplicate of.",
    )
    is_imported = models.BooleanField(help_text="Whether an import made or changed it.")
    words = models.TextField(help_text="Title and code without case and accents, to search in.")

    class Meta:
        # Of what waits for a verifier, one for each order of the queue.
        indexes = [
            models.Index(
                "day",
                F("killed_high").desc(),
                "incident",
                name="waiting_oldest",
                condition=~Q(state="draft"),
            ),
            models.Index(
                F("killed_high").desc(),
                "day",
                "incident",
                name="waiting_gravest",
                condition=~Q(state="draft"),
            ),
            models.Index(
                F("killed_low").desc(),
                "day",
                "incident",
                name="waiting_killed",
                condition=~Q(state="draft"),
            ),
            models.Index(fields=["since"], name="waiting_since", condition=~Q(state="draft")),
            GinIndex(fields=["alike"], name="waiting_alike"),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.state} since {self.since}"


class WaitingCount(models.Model):
    """How many rows of :class:`Waiting` agree in what the queue is filtered by: the sum of ``n``.

    Written by triggers, one row more for each change; rows that nobody holds are then made one, so
    that two people who take a step at once do not wait for each other.
    """

    state = models.CharField(max_length=40)
    grading = models.CharField(max_length=40)
    adm1 = models.BigIntegerField(help_text="Id of the place; 0: none.")
    is_taken = models.BooleanField()
    has_warnings = models.BooleanField()
    is_imported = models.BooleanField()
    n = models.BigIntegerField(help_text="Rows that came, less those that went.")

    class Meta:
        indexes = [
            models.Index(
                fields=[
                    "state",
                    "grading",
                    "adm1",
                    "is_taken",
                    "has_warnings",
                    "is_imported",
                ],
                name="waitingcount_by_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.grading} {self.adm1}: {self.n}"


class WaitingRecount(models.Model):
    """A record whose open warnings are counted anew when the transaction ends, because one that may
    be a duplicate of it took a step or was edited.

    Where its row of :class:`Waiting` is held by somebody else at that moment it stays here, and the
    next transaction with such rows counts it: nobody waits for a colleague's record.
    """

    # No foreign key: to look for the record would lock it.
    record = models.BigIntegerField(help_text="Its id.")

    def __str__(self) -> str:
        return str(self.record)

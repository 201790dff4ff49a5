"""The codes that behaviour hangs on. All the others stand in the code lists alone."""

from django.db import models


class State(models.TextChoices):
    """Where a record stands (code list ``incident_state``)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    PUBLISHED = "published"
    RETRACTED = "retracted"
    MERGED = "merged"


class Verb(models.TextChoices):
    """A step of the workflow, as the history of reviews names it."""

    SUBMIT = "submit"
    RETURN = "return"
    VERIFY = "verify"
    PUBLISH = "publish"
    REOPEN = "reopen"
    PROPOSE_RETRACTION = "propose_retraction"
    RETRACT = "retract"
    # Taken by nobody alone: publishing the record that it was merged into takes it along.
    MERGE = "merge"


class VersionKind(models.TextChoices):
    """What a ledger entry did to a code."""

    PUBLISHED = "published"
    RETRACTED = "retracted"
    MERGED = "merged"
    # Of an entry alone: it makes no version, but takes values out of one.
    REDACTED = "redacted"


class ChangeKind(models.TextChoices):
    """What became of a record by a ledger entry, as the list of changes names it."""

    CREATED = "created"
    # A later version; after a retraction too.
    CORRECTED = "corrected"
    MERGED = "merged"
    RETRACTED = "retracted"
    REDACTED = "redacted"


class Bound(models.TextChoices):
    """What a claim does for an assessed count (code list ``basis_bound``)."""

    MIN = "min"
    BEST = "best"
    MAX = "max"
    LEFT_OUT = "left_out"


class BatchState(models.TextChoices):
    """Where an import batch stands."""

    IMPORTING = "importing"
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    PUBLISHED = "published"
    RETURNED = "returned"


class RowOutcome(models.TextChoices):
    """What became of an imported row."""

    # A new record.
    CREATED = "created"
    # A claim of a record that carries its id.
    CLAIM_ADDED = "claim_added"
    # The record of an earlier import, corrected.
    CORRECTED = "corrected"
    # What the row says is in the record already.
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class ReleaseState(models.TextChoices):
    """Whether the files of a release can be had."""

    STANDS = "stands"
    WITHDRAWN = "withdrawn"

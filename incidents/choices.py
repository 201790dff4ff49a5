"""The codes that behaviour hangs on. All the others stand in the code lists alone."""

from django.db import models


class State(models.TextChoices):
    """Where a record stands (code list ``incident_state``)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    PUBLISHED = "published"
    RETRACTED = "retracted"


class Verb(models.TextChoices):
    """A step of the workflow, as the history of reviews names it."""

    SUBMIT = "submit"
    RETURN = "return"
    VERIFY = "verify"
    PUBLISH = "publish"
    REOPEN = "reopen"
    PROPOSE_RETRACTION = "propose_retraction"
    RETRACT = "retract"


class VersionKind(models.TextChoices):
    """What a ledger entry did to a code."""

    PUBLISHED = "published"
    RETRACTED = "retracted"
    # Of an entry alone: it makes no version, but takes values out of one.
    REDACTED = "redacted"


class Bound(models.TextChoices):
    """What a claim does for an assessed count (code list ``basis_bound``)."""

    MIN = "min"
    BEST = "best"
    MAX = "max"
    LEFT_OUT = "left_out"

"""The shapes of what a person says with a request, by its body."""

from __future__ import annotations

from harmtracker.api.fields import Flag, Reference, Several, Text, Whole
from harmtracker.api.serializers import StrictSerializer

from .named import visible_incidents


class StepSerializer(StrictSerializer):
    """What a person says with a step of the workflow."""

    reason = Text(
        required=False,
        allow_blank=True,
        max_length=10_000,
        help_text="Why: needed to return, to reopen and to propose a retraction, whose reason is "
        "public. For the team otherwise.",
    )
    note = Text(
        required=False,
        allow_blank=True,
        max_length=10_000,
        help_text="Public note of a publication: what this version corrects. Needed from the "
        "second one on.",
    )
    seen_sha256 = Text(
        required=False,
        max_length=64,
        help_text="Of a verification: the SHA-256 that content/ gave with what you read. Where "
        "the content is another by now, nothing is verified.",
    )


class RemarkSerializer(StrictSerializer):
    """What is to be mended, of which field."""

    field = Text(max_length=200, help_text="Path of the field, such as place.point.")
    text = Text(max_length=10_000, help_text="The remark.")


class ReturnRecordSerializer(StepSerializer):
    """Why a record is returned, and what is to be mended of it."""

    comments = Several(
        child=RemarkSerializer(),
        required=False,
        max_length=100,
        help_text="Remarks on fields, stored with the return or not at all.",
    )


class EmptySerializer(StrictSerializer):
    """Nothing is said."""


class TakeSerializer(StrictSerializer):
    over = Flag(required=False, help_text="Take the record over from whoever has it.")


class MergeIntoSerializer(StrictSerializer):
    """Which record is the duplicate, as it was read."""

    source = Reference(  # type: ignore[assignment]
        queryset=visible_incidents,
        by=("uuid", "code"),
        what="incident",
        help_text="The duplicate, by id or code: its parts move to this record.",
    )
    source_etag = Text(max_length=60, help_text="The ETag that was read with the duplicate.")
    reason = Text(max_length=10_000, help_text="Why the two are one. For the team.")


class UndoSerializer(StrictSerializer):
    reason = Text(max_length=10_000, help_text="Why the two are not one after all.")


class AnswerSerializer(StrictSerializer):
    reason = Text(
        max_length=10_000,
        help_text="Why it may stand; of a withdrawal, why the answer does not hold. For the team.",
    )


class RedactSerializer(StrictSerializer):
    """Which text leaves everything that was published, and what the public is told of it."""

    text = Text(
        max_length=10_000,
        help_text="Every published value that holds it goes whole; case and accents do not matter.",
    )
    public_reason = Text(max_length=1000, help_text="Why. Public: it cannot hold the text.")
    expected = Whole(
        min_value=0,
        max_value=10**9,
        required=False,
        allow_null=True,
        help_text="How many values the dry run showed. Needed, but for a dry run.",
    )
    everywhere = Flag(
        required=False, help_text="Out of the versions of every record, not of this one alone."
    )
    dry_run = Flag(required=False, help_text="Only show what would go.")


class ResolveSerializer(StrictSerializer):
    resolved = Flag(help_text="true settles the remark, false opens it again.")


class RestoreSerializer(StrictSerializer):
    only = Several(
        child=Text(max_length=100),
        required=False,
        max_length=100,
        help_text="Which of the fields that the change moved; all of them without it.",
    )
    change_reason = Text(required=False, allow_blank=True, max_length=1000, help_text="Why.")

"""The shapes of answers that are more than one record or part, for the API's description."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from . import serializers as shapes


class TakenSerializer(serializers.Serializer):
    person = serializers.CharField(help_text="User name of who is at work on the record.")
    since = serializers.DateTimeField(help_text="Since when.")


class WarningAnswerSerializer(serializers.Serializer):
    """Why a warning may stand. It holds while the rows and figures behind it are the same."""

    id = serializers.UUIDField(help_text="Id of the answer.")
    reason = serializers.CharField(help_text="Why the warning may stand.")
    who = serializers.CharField(help_text="Who said so.")
    at = serializers.DateTimeField(help_text="When.")
    revision = serializers.IntegerField(help_text="The revision that was looked at.")


class WarnedSerializer(serializers.Serializer):
    """One thing that the record lacks or that a verifier should look at."""

    id = serializers.CharField(
        help_text="Of the rule, the rows and the figures behind it: with others, another warning."
    )
    rule = serializers.CharField(help_text="Code list record_warning.")
    field = serializers.CharField(help_text="The field or the kind of part that it is about.")
    asks = serializers.ChoiceField(
        ["mend", "answer", "nothing"],
        help_text="mend: bars the record from being submitted. answer: bars it from being verified "
        "while it is neither mended nor answered. nothing: to be known.",
    )
    blocks = serializers.BooleanField(help_text="The record cannot be submitted with it.")
    open = serializers.BooleanField(help_text="It is neither mended nor answered.")
    message = serializers.CharField(help_text="What is lacking, or wrong, with the figures.")
    rows = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        help_text="The rows behind it, each with `type` and `id`; of a possible duplicate the "
        "other record.",
    )
    answer = WarningAnswerSerializer(allow_null=True, help_text="The answer that stands.")


class SaidOfWarningSerializer(serializers.Serializer):
    """An answer or the withdrawal of one, as it was said."""

    id = serializers.UUIDField(help_text="Its id.")
    warning = serializers.CharField(help_text="Id of the warning.")
    rule = serializers.CharField(help_text="Code list record_warning.")
    message = serializers.CharField(help_text="What the warning said then.")
    did = serializers.ChoiceField(["answered", "withdrew"], help_text="What was done.")
    reason = serializers.CharField(help_text="Why.")
    who = serializers.CharField(help_text="By whom.")
    at = serializers.DateTimeField(help_text="When.")
    revision = serializers.IntegerField(help_text="The revision that was looked at.")


class WarningsSerializer(serializers.Serializer):
    results = WarnedSerializer(many=True, help_text="What stands on the record now.")
    said = SaidOfWarningSerializer(
        many=True, help_text="Every answer and withdrawal so far, the first one first."
    )


class StandingSerializer(serializers.Serializer):
    revision = serializers.IntegerField(help_text="How often it was edited; the ETag has it.")
    entered_at = serializers.DateTimeField(help_text="When it was begun.")
    changed_at = serializers.DateTimeField(help_text="When it or a part was last edited.")
    waiting_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when it waits for a verifier; null while it does not."
    )
    taken_by = TakenSerializer(allow_null=True, help_text="Who is at work on it.")


class CountWithBasisSerializer(shapes.CountSerializer):
    basis = shapes.BasisSerializer(many=True, help_text="Which claims set which bound.")

    class Meta(shapes.CountSerializer.Meta):
        fields = [*shapes.CountSerializer.Meta.fields, "basis"]


class FindingsSerializer(serializers.Serializer):
    counts = CountWithBasisSerializer(many=True, help_text="Casualty counts.")
    weapons = shapes.WeaponSerializer(many=True, help_text="Means of harm.")
    involvements = shapes.InvolvementSerializer(many=True, help_text="Who had a part.")


class ClaimWithFindingsSerializer(shapes.ClaimSerializer):
    counts = shapes.CountSerializer(many=True, help_text="Its figures.")
    weapons = shapes.WeaponSerializer(many=True, help_text="The means of harm that it names.")
    involvements = shapes.InvolvementSerializer(many=True, help_text="Who it says had a part.")

    class Meta(shapes.ClaimSerializer.Meta):
        fields = [*shapes.ClaimSerializer.Meta.fields, "counts", "weapons", "involvements"]


class MergeSerializer(serializers.Serializer):
    """That two records are one incident: the source's parts were moved into the target."""

    id = serializers.UUIDField(help_text="Id of the merge.")
    source = serializers.UUIDField(  # type: ignore[assignment]
        help_text="Id of the duplicate."
    )
    source_code = serializers.CharField(allow_null=True, help_text="Its code, if it has one.")
    target = serializers.UUIDField(help_text="Id of the record that stays.")
    who = serializers.CharField(help_text="Who merged them.")
    at = serializers.DateTimeField(help_text="When.")
    reason = serializers.CharField(help_text="Why.")
    state = serializers.ChoiceField(
        ["open", "undone", "completed"],
        help_text="open until the target is published, which completes it, or it is undone.",
    )


class RecordSerializer(shapes.IncidentSerializer, StandingSerializer):
    """A record with all that hangs on it."""

    claims = ClaimWithFindingsSerializer(many=True, help_text="What the sources say.")
    assessment = FindingsSerializer(help_text="What we conclude.")
    victims = shapes.VictimSerializer(many=True, help_text="People harmed.")
    further_places = shapes.FurtherPlaceSerializer(many=True, help_text="Other places touched.")
    external_ids = shapes.ExternalIdSerializer(many=True, help_text="Ids in other datasets.")
    links = shapes.LinkSerializer(many=True, help_text="Links to records that you may see.")
    merges = MergeSerializer(many=True, help_text="Merges of this record with another.")
    comments = shapes.CommentSerializer(many=True, help_text="Remarks, settled ones too.")
    warnings = WarnedSerializer(many=True, help_text="What it lacks, and what to look at.")
    can_be_submitted = serializers.BooleanField(help_text="Nothing that blocks is lacking.")
    steps = serializers.DictField(
        child=serializers.CharField(allow_null=True),
        help_text="Each step that its state allows: null where you may take it, else why not.",
    )
    names = serializers.DictField(
        child=serializers.CharField(), help_text="What the ids of shared records stand for."
    )

    class Meta(shapes.IncidentSerializer.Meta):
        fields = [
            *shapes.IncidentSerializer.Meta.fields,
            "revision",
            "entered_at",
            "changed_at",
            "waiting_since",
            "taken_by",
            "claims",
            "assessment",
            "victims",
            "further_places",
            "external_ids",
            "links",
            "merges",
            "comments",
            "warnings",
            "can_be_submitted",
            "steps",
            "names",
        ]


class RecordInListSerializer(StandingSerializer):
    """A record in a list."""

    id = serializers.UUIDField(help_text="Its id.")
    code = serializers.CharField(allow_null=True, help_text="Its public code, once it has one.")
    state = serializers.CharField(help_text="Code list incident_state.")
    title = serializers.CharField(help_text="What happened, in a line.")
    date_edtf = serializers.CharField(allow_null=True, help_text="Its date in EDTF.")
    place = serializers.UUIDField(allow_null=True, help_text="Id of its main place.")
    place_name = serializers.CharField(allow_null=True, help_text="The place's name.")
    grading = serializers.CharField(help_text="Code list grading.")
    record_type = serializers.CharField(help_text="Code list record_type.")
    author = serializers.CharField(help_text="Who entered it.")
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="Rules of the warnings that stand on it."
    )


class TakenStepSerializer(serializers.Serializer):
    step = serializers.CharField(help_text="What was done.")
    who = serializers.CharField(help_text="By whom.")
    at = serializers.DateTimeField(help_text="When.")
    revision = serializers.IntegerField(help_text="The revision that was looked at.")
    reason = serializers.CharField(help_text="What was said with it.")
    content_sha256 = serializers.CharField(
        allow_null=True, help_text="Of a verification: SHA-256 of the content."
    )


class TakenStepsSerializer(serializers.Serializer):
    results = TakenStepSerializer(many=True, help_text="The first one first.")


class ChangedValueSerializer(serializers.Serializer):
    path = serializers.CharField(help_text="Where, such as casualties[...].max.")
    before = serializers.JSONField(allow_null=True, help_text="As the last version has it.")
    after = serializers.JSONField(allow_null=True, help_text="As it would leave.")


class ContentSerializer(serializers.Serializer):
    content = serializers.DictField(help_text="What leaves, but for the stamps of publication.")
    sha256 = serializers.CharField(help_text="Of the canonical content (RFC 8785).")
    version = serializers.IntegerField(help_text="Which version it would be.")
    changes = ChangedValueSerializer(many=True, help_text="What differs from the last version.")


class ChangeSerializer(serializers.Serializer):
    field = serializers.CharField(help_text="What moved.")
    before = serializers.JSONField(allow_null=True, help_text="As it was.")
    after = serializers.JSONField(allow_null=True, help_text="As it was then.")


class EntrySerializer(serializers.Serializer):
    """One change of one row."""

    id = serializers.UUIDField(help_text="Id of the entry.")
    at = serializers.DateTimeField(help_text="When, by the database's clock.")
    who = serializers.CharField(help_text="Who changed it.")
    why = serializers.CharField(help_text="Why, as they said.")
    did = serializers.ChoiceField(["added", "changed", "removed"], help_text="What was done.")
    type = serializers.CharField(help_text="Kind of the row.")
    row = serializers.UUIDField(allow_null=True, help_text="Id of the row.")
    changes = ChangeSerializer(many=True, help_text="Each value that moved.")


class HistorySerializer(serializers.Serializer):
    results = EntrySerializer(many=True, help_text="The newest first.")
    next_before = serializers.UUIDField(
        allow_null=True, help_text="The next page is asked for with before= this; null at the end."
    )


class RedactedValueSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="Of which record.")
    version = serializers.IntegerField(help_text="Of which version.")
    path = serializers.CharField(help_text="Where it stood.")


class RedactedSerializer(serializers.Serializer):
    values = RedactedValueSerializer(many=True, help_text="What was taken out, or would be.")
    elsewhere = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Of a dry run: code -> values of other records that hold the text and stay.",
    )
    remains = RedactedValueSerializer(
        many=True, help_text="What holds the text and cannot be taken out."
    )
    entries = serializers.ListField(
        child=serializers.IntegerField(), help_text="Positions in the ledger; none of a dry run."
    )


def rows_of(serializer: type[Any], name: str) -> Any:
    """An answer with all rows of one kind."""
    return type(
        name,
        (serializers.Serializer,),
        {"results": serializer(many=True, help_text="The rows.")},
    )

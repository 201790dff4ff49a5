"""The shapes of records as the team writes and reads them. Rules are in services and the database.

What refers to another record names it by its id; short names are taken as well.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from harmtracker.api.fields import Reference, Several
from harmtracker.api.serializers import EvidenceSerializer
from incidents.models import (
    CasualtyCount,
    Claim,
    CountBasis,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    Involvement,
    ReviewComment,
    Victim,
    WeaponUse,
)

from .named import (
    OfRecord,
    named_actor,
    named_article,
    named_dataset,
    named_outlet,
    named_place,
    named_weapon,
    visible_incidents,
)


class CountSerializer(EvidenceSerializer):
    """How many people of one group were harmed in one way, as a range of whole persons.

    NULL is not known, 0 is that a source says none. ``all`` in a dimension is everybody; a
    narrower row is a part of it, and is never added to its whole.
    """

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    claim = OfRecord(
        model=Claim,
        what="claim",
        required=False,
        allow_null=True,
        help_text="The claim that says so; null for our assessment.",
    )
    affiliation = named_actor(
        required=False,
        allow_null=True,
        help_text="The party they belonged to; null where the row is of all of them.",
    )

    class Meta:
        model = CasualtyCount
        fields = [
            "id",
            "claim",
            "outcome",
            "status",
            "role",
            "sex",
            "age_group",
            "affiliation",
            "min",
            "best",
            "max",
            "qualifier",
            "reported_text",
        ]


class WeaponSerializer(EvidenceSerializer):
    """A means of harm, and how sure that is."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    claim = OfRecord(
        model=Claim,
        what="claim",
        required=False,
        allow_null=True,
        help_text="The claim that says so; null for our assessment.",
    )
    weapon = named_weapon(help_text="Code of the weapon type, such as EXG-ART.")

    class Meta:
        model = WeaponUse
        fields = [
            "id",
            "claim",
            "weapon",
            "certainty",
            "platform",
            "calibre_mm",
            "is_cluster",
            "is_thermobaric",
            "is_incendiary",
            "alternative_group",
            "reported_text",
        ]


class InvolvementSerializer(EvidenceSerializer):
    """That an actor had a part in it, and how sure that is."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    claim = OfRecord(
        model=Claim,
        what="claim",
        required=False,
        allow_null=True,
        help_text="The claim that says so; null for our assessment.",
    )
    actor = named_actor(help_text="Who, by id or short name.")

    class Meta:
        model = Involvement
        fields = [
            "id",
            "claim",
            "actor",
            "role",
            "certainty",
            "alternative_group",
            "reported_text",
        ]


class BasisSerializer(EvidenceSerializer):
    """That a claim sets a bound of an assessed count, or was left out and why."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    count = OfRecord(model=CasualtyCount, what="count", help_text="The assessed count, by its id.")
    claim = OfRecord(model=Claim, what="claim", help_text="The claim, by its id.")

    class Meta:
        model = CountBasis
        fields = ["id", "count", "claim", "bound", "reason"]


class ClaimSerializer(EvidenceSerializer):
    """What one source says. Two figures for the same thing in one article are two claims."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    article = named_article(help_text="Where it stands: the article's id or its URL.")
    attributed_outlet = named_outlet(
        required=False,
        allow_null=True,
        help_text="Who speaks, where that is an outlet, a hospital or a witness.",
    )
    attributed_actor = named_actor(
        required=False,
        allow_null=True,
        help_text="Who speaks, where that is a party. One of the two is given.",
    )

    class Meta:
        model = Claim
        fields = [
            "id",
            "article",
            "attributed_outlet",
            "attributed_actor",
            "speaker",
            "kind",
            "credibility",
            "paraphrase",
            "quotation",
            "locator",
            "date_said",
            "time_said",
            "place_said",
            "latitude",
            "longitude",
            "note",
        ]


class NamedBy(Several):
    """The claims that speak of a person: read over links that were fetched with the person."""

    def get_attribute(self, instance: Victim) -> list[Claim]:
        return [link.claim for link in instance.claim_links.all()]


class VictimSerializer(EvidenceSerializer):
    """One person who was harmed. A name leaves only with a basis of consent."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    claims = NamedBy(
        child=OfRecord(model=Claim, what="claim"),
        required=False,
        max_length=200,
        help_text="The claims that speak of the person, by their ids.",
    )

    class Meta:
        model = Victim
        fields = [
            "id",
            "names",
            "age",
            "age_group",
            "sex",
            "status",
            "role",
            "outcome",
            "consent_basis",
            "note",
            "claims",
        ]

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        read = super().to_internal_value(data)
        # The claims are no column of the person, and are replaced by PUT like one.
        return read if self.partial else {"claims": [], **read}


class FurtherPlaceSerializer(EvidenceSerializer):
    """Another place that it touched. Filters find it, totals do not count it."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    place = named_place()

    class Meta:
        model = FurtherPlace
        fields = ["id", "place"]


class ExternalIdSerializer(EvidenceSerializer):
    """What another dataset calls it."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    dataset = named_dataset(help_text="Short name of the dataset.")

    class Meta:
        model = ExternalId
        fields = ["id", "dataset", "value"]


class LinkSerializer(EvidenceSerializer):
    """How the record stands to another one."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    other = Reference(
        queryset=visible_incidents,
        by=("uuid", "code"),
        what="incident",
        help_text="The other record, by id or code.",
    )

    class Meta:
        model = IncidentLink
        fields = ["id", "kind", "other"]


class IncidentSerializer(EvidenceSerializer):
    """Our own words and judgement about one event."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    author = serializers.CharField(
        source="author.username", read_only=True, help_text="Who entered it; never verifies it."
    )
    place = named_place(
        required=False,
        allow_null=True,
        help_text="The main place, by id, short name or P-code; totals count this one.",
    )
    dataset = named_dataset(
        required=False,
        allow_null=True,
        help_text="Where an imported record comes from; null for our own.",
    )

    class Meta:
        model = Incident
        fields = [
            "id",
            "code",
            "state",
            "author",
            "title",
            "summary",
            "record_type",
            "dataset",
            "date_edtf",
            "date_earliest",
            "date_latest",
            "date_precision",
            "local_time",
            "local_time_end",
            "time_kind",
            "utc_offset",
            "place",
            "latitude",
            "longitude",
            "point_basis",
            "point_note",
            "place_precision",
            "radius_m",
            "point_already_public",
            "circumstances",
            "harm_reported",
            "grading",
            "grading_rationale",
            "internal_note",
        ]
        read_only_fields = ["code", "state", "date_earliest", "date_latest", "date_precision"]


class CommentSerializer(EvidenceSerializer):
    """A remark on one field, open until somebody resolves it."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    author = serializers.CharField(
        source="author.username", read_only=True, help_text="Who remarked it."
    )
    at = serializers.DateTimeField(read_only=True, help_text="When.")
    resolved_by = serializers.CharField(
        source="resolved_by.username",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="Who settled it; null while it is open.",
    )
    resolved_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When it was settled."
    )

    class Meta:
        model = ReviewComment
        fields = ["id", "field", "text", "author", "at", "resolved_by", "resolved_at"]

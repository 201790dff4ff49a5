"""The shapes of records as the team writes and reads them. Rules are in services and the database.

What refers to another record names it by its id; short names are taken as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from harmtracker.accounts.models import User
from harmtracker.api.fields import Flag, Reference, Several, Text, Whole
from harmtracker.api.serializers import EvidenceSerializer, StrictSerializer
from harmtracker.errors import Invalid
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    Dataset,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    Involvement,
    Place,
    ReviewComment,
    Victim,
    WeaponType,
    WeaponUse,
)
from sources.models import Article, Outlet


# What is shared by the whole team: whoever sees casework sees it.
def named_place(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Place.objects.all(),
        by=("uuid", "slug", "pcode"),
        what="place",
        **more,
    )


def named_actor(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Actor.objects.all(), by=("uuid", "slug"), what="actor", **more
    )


def named_outlet(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Outlet.objects.all(), by=("uuid", "slug"), what="outlet", **more
    )


def named_article(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Article.objects.all(), by=("uuid", "url"), what="article", **more
    )


def named_dataset(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: Dataset.objects.all(),
        by=("slug",),
        out="slug",
        what="dataset",
        **more,
    )


def named_weapon(**more: Any) -> Reference:
    return Reference(
        queryset=lambda user: WeaponType.objects.all(),
        by=("code",),
        out="code",
        what="weapon type",
        **more,
    )


def _visible_incidents(user: User) -> QuerySet[Any]:
    return Incident.objects.visible_to(user)


class OfRecord(Reference):
    """Something of the record that the request is about, by its id.

    What belongs to another record is not there, whoever may see it.
    """

    def __init__(self, *, model: type[Any], what: str, **kwargs: Any) -> None:
        super().__init__(queryset=lambda user: model.objects.all(), what=what, **kwargs)

    def _visible(self) -> QuerySet[Any]:
        return super()._visible().filter(incident=self.context["incident"])


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
        queryset=_visible_incidents,
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


# --- A whole record in one body ---


class WholeBasisSerializer(EvidenceSerializer):
    claim = Text(max_length=100, help_text="The `key` of a claim of this body.")

    class Meta:
        model = CountBasis
        fields = ["claim", "bound", "reason"]


class WholeCountSerializer(CountSerializer):
    class Meta(CountSerializer.Meta):
        fields = [name for name in CountSerializer.Meta.fields if name not in ("id", "claim")]

    claim = None  # type: ignore[assignment]  # where it stands says whose it is


class AssessedCountSerializer(WholeCountSerializer):
    basis = WholeBasisSerializer(
        many=True,
        required=False,
        help_text="Which claims set which bound, and which were left out.",
    )

    class Meta(WholeCountSerializer.Meta):
        fields = [*WholeCountSerializer.Meta.fields, "basis"]


class WholeWeaponSerializer(WeaponSerializer):
    claim = None  # type: ignore[assignment]  # where it stands says whose it is

    class Meta(WeaponSerializer.Meta):
        fields = [name for name in WeaponSerializer.Meta.fields if name not in ("id", "claim")]


class WholeInvolvementSerializer(InvolvementSerializer):
    claim = None  # type: ignore[assignment]  # where it stands says whose it is

    class Meta(InvolvementSerializer.Meta):
        fields = [name for name in InvolvementSerializer.Meta.fields if name not in ("id", "claim")]


class WholeClaimSerializer(ClaimSerializer):
    """A claim with what it says."""

    key = Text(
        max_length=100,
        required=False,
        help_text="Your name for it in this body, by which bases and victims refer to it.",
    )
    counts = WholeCountSerializer(many=True, required=False, help_text="Casualty counts.")
    weapons = WholeWeaponSerializer(many=True, required=False, help_text="Means of harm.")
    involvements = WholeInvolvementSerializer(
        many=True, required=False, help_text="Who had a part."
    )

    class Meta(ClaimSerializer.Meta):
        fields = ["key", *ClaimSerializer.Meta.fields[1:], "counts", "weapons", "involvements"]


class AssessmentSerializer(StrictSerializer):
    """What we conclude from the claims."""

    counts = AssessedCountSerializer(many=True, required=False, help_text="Casualty counts.")
    weapons = WholeWeaponSerializer(many=True, required=False, help_text="Means of harm.")
    involvements = WholeInvolvementSerializer(
        many=True, required=False, help_text="Who had a part."
    )


class WholeVictimSerializer(VictimSerializer):
    claims = Several(  # type: ignore[assignment]
        child=Text(max_length=100),
        required=False,
        max_length=200,
        help_text="The keys of the claims of this body that speak of the person.",
    )

    class Meta(VictimSerializer.Meta):
        fields = VictimSerializer.Meta.fields[1:]


class WholeFurtherPlaceSerializer(FurtherPlaceSerializer):
    class Meta(FurtherPlaceSerializer.Meta):
        fields = ["place"]


class WholeExternalIdSerializer(ExternalIdSerializer):
    class Meta(ExternalIdSerializer.Meta):
        fields = ["dataset", "value"]


class WholeLinkSerializer(LinkSerializer):
    class Meta(LinkSerializer.Meta):
        fields = ["kind", "other"]


# Rows of all kinds in one body: each is checked and stored by itself, in one transaction.
MAX_ROWS_AT_ONCE = 500


def _rows_in(body: Any) -> int:
    """How many objects a body holds, whatever they are."""
    if isinstance(body, Mapping):
        return 1 + sum(map(_rows_in, body.values()))
    return sum(map(_rows_in, body)) if isinstance(body, list) else 0


class WholeIncidentSerializer(IncidentSerializer):
    """A new record with all that hangs on it, entered whole or not at all."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if (rows := _rows_in(data)) > MAX_ROWS_AT_ONCE:
            raise Invalid(
                f"The body holds {rows} rows, and {MAX_ROWS_AT_ONCE} are entered at once: enter "
                "the record with some of them, and the others part by part."
            )
        return super().to_internal_value(data)

    claims = WholeClaimSerializer(many=True, required=False, help_text="What the sources say.")
    assessment = AssessmentSerializer(required=False)
    victims = WholeVictimSerializer(many=True, required=False, help_text="People harmed.")
    further_places = WholeFurtherPlaceSerializer(
        many=True, required=False, help_text="Other places that it touched."
    )
    external_ids = WholeExternalIdSerializer(
        many=True, required=False, help_text="What other datasets call it."
    )
    links = WholeLinkSerializer(
        many=True, required=False, help_text="How it stands to other records."
    )

    class Meta(IncidentSerializer.Meta):
        fields = [
            *IncidentSerializer.Meta.fields,
            "claims",
            "assessment",
            "victims",
            "further_places",
            "external_ids",
            "links",
        ]


# --- Shared records ---


class ShortName(Text):
    """The short name, which can be left out and is then made from the name."""

    def __init__(self) -> None:
        super().__init__(
            max_length=80,
            required=False,
            help_text="Short name used in data files; made from the name where it is left out.",
        )


class PlaceSerializer(EvidenceSerializer):
    """A place that incidents happen in, from a country down to one site, in a tree."""

    slug = ShortName()
    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    parent = named_place(  # type: ignore[assignment]
        required=False,
        allow_null=True,
        help_text="The next wider place; null for a country.",
    )

    class Meta:
        model = Place
        fields = [
            "id",
            "slug",
            "level",
            "name",
            "other_names",
            "pcode",
            "parent",
            "country",
            "latitude",
            "longitude",
            "protected",
            "protected_reason",
        ]


class ActorSerializer(EvidenceSerializer):
    """A party or another group of people, or a unit of one, in a tree."""

    slug = ShortName()
    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    parent = named_actor(  # type: ignore[assignment]
        required=False, allow_null=True, help_text="What it is a part of."
    )

    class Meta:
        model = Actor
        fields = [
            "id",
            "slug",
            "name",
            "other_names",
            "kind",
            "parent",
            "country",
            "independence_group",
        ]


class DatasetSerializer(EvidenceSerializer):
    """A collection that records come from, with its terms."""

    class Meta:
        model = Dataset
        fields = ["slug", "name", "licence", "citation", "url", "redistributable"]


# --- What is said about a record ---


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


# --- What goes with a request ---


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
        queryset=_visible_incidents,
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

"""The shape of a whole record in one body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harmtracker.api.fields import Several, Text
from harmtracker.api.serializers import EvidenceSerializer, StrictSerializer
from harmtracker.errors import Invalid
from incidents.models import CountBasis

from .serializers import (
    ClaimSerializer,
    CountSerializer,
    ExternalIdSerializer,
    FurtherPlaceSerializer,
    IncidentSerializer,
    InvolvementSerializer,
    LinkSerializer,
    VictimSerializer,
    WeaponSerializer,
)


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

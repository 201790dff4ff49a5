"""An ordinary Django REST framework API over casework: nested ModelSerializers, prefetch_related,
cursor pagination. As its documentation teaches it, without its own worst habits."""

from __future__ import annotations

import os
from typing import Any, ClassVar

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "harmtracker.settings")

import django

django.setup()

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db.models import Prefetch, QuerySet  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import generics, serializers  # noqa: E402
from rest_framework.pagination import CursorPagination  # noqa: E402
from rest_framework.renderers import JSONRenderer  # noqa: E402

from incidents.models import (  # noqa: E402
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    ExternalId,
    FurtherPlace,
    Incident,
    Involvement,
    Place,
    Victim,
    WeaponType,
    WeaponUse,
)
from sources.models import Article, Outlet  # noqa: E402


class PlaceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Place
        fields = ("uuid", "pcode", "level", "name", "other_names", "country")


class WithinSerializer(PlaceSerializer):
    """A place with the next wider ones."""

    parent: Any = None

    def to_representation(self, place: Place) -> dict[str, Any]:
        shown = super().to_representation(place)
        steps, step = [], place.parent
        while step is not None:
            steps.append(PlaceSerializer(step).data)
            step = step.parent
        return {**shown, "path": steps}


class ActorSerializer(serializers.ModelSerializer):
    class Meta:
        model = Actor
        fields = ("uuid", "name", "other_names", "kind")


class OutletSerializer(serializers.ModelSerializer):
    class Meta:
        model = Outlet
        fields = ("uuid", "name", "other_names", "kind", "country", "reliability")


class ArticleSerializer(serializers.ModelSerializer):
    outlet = OutletSerializer()

    class Meta:
        model = Article
        fields = ("uuid", "outlet", "title", "url", "copy_url", "published", "language")


class WeaponTypeSerializer(serializers.ModelSerializer):
    class Meta:
        model = WeaponType
        fields = ("code", "label", "parent")


class WeaponSerializer(serializers.ModelSerializer):
    weapon = WeaponTypeSerializer()

    class Meta:
        model = WeaponUse
        fields = (
            "weapon", "certainty", "platform", "calibre_mm", "is_cluster", "is_thermobaric",
            "is_incendiary", "alternative_group", "reported_text",
        )  # fmt: skip


class InvolvementSerializer(serializers.ModelSerializer):
    actor = ActorSerializer()

    class Meta:
        model = Involvement
        fields = ("actor", "role", "certainty", "alternative_group", "reported_text")


class CountSerializer(serializers.ModelSerializer):
    affiliation = ActorSerializer()

    class Meta:
        model = CasualtyCount
        fields: Any = (
            "outcome", "status", "role", "sex", "age_group", "affiliation", "min", "best", "max",
            "qualifier", "reported_text",
        )  # fmt: skip


class BasisSerializer(serializers.ModelSerializer):
    class Meta:
        model = CountBasis
        fields = ("bound", "claim", "reason")


class AssessedCountSerializer(CountSerializer):
    basis = BasisSerializer(many=True)

    class Meta(CountSerializer.Meta):
        fields = (*CountSerializer.Meta.fields, "basis")


class VictimSerializer(serializers.ModelSerializer):
    class Meta:
        model = Victim
        fields = (
            "outcome", "status", "role", "sex", "age_group", "names", "age", "consent_basis",
        )  # fmt: skip


class ExternalIdSerializer(serializers.ModelSerializer):
    dataset = serializers.SlugRelatedField("name", read_only=True)

    class Meta:
        model = ExternalId
        fields = ("dataset", "value")


class FurtherPlaceSerializer(serializers.ModelSerializer):
    place = WithinSerializer()

    class Meta:
        model = FurtherPlace
        fields = ("place",)


class ClaimSerializer(serializers.ModelSerializer):
    article = ArticleSerializer()
    attributed_outlet = OutletSerializer()
    attributed_actor = ActorSerializer()
    counts = CountSerializer(many=True, source="casualtycounts")
    weapons = WeaponSerializer(many=True, source="weaponuses")
    involvement = InvolvementSerializer(many=True, source="involvements")

    class Meta:
        model = Claim
        fields = (
            "uuid", "article", "attributed_outlet", "attributed_actor", "speaker", "kind",
            "credibility", "paraphrase", "quotation", "locator", "date_said", "time_said",
            "place_said", "latitude", "longitude", "note", "counts", "weapons", "involvement",
        )  # fmt: skip


OWN_FIELDS = (
    "code", "record_type", "title", "summary", "date_edtf", "date_earliest", "date_latest",
    "date_precision", "local_time", "local_time_end", "time_kind", "utc_offset", "place",
    "latitude", "longitude", "point_basis", "point_note", "place_precision", "radius_m",
    "further_places", "circumstances", "harm_reported", "weapons", "involvement", "casualties",
    "victims", "grading", "grading_rationale", "external_ids",
)  # fmt: skip


class SummarySerializer(serializers.ModelSerializer):
    place = WithinSerializer()
    further_places = FurtherPlaceSerializer(many=True)
    weapons = WeaponSerializer(many=True, source="assessed_weapons")
    involvement = InvolvementSerializer(many=True, source="assessed_actors")
    casualties: Any = CountSerializer(many=True, source="assessed_counts")
    victims = VictimSerializer(many=True)
    external_ids = ExternalIdSerializer(many=True)

    class Meta:
        model = Incident
        fields: Any = OWN_FIELDS


class DocumentSerializer(SummarySerializer):
    casualties = AssessedCountSerializer(many=True, source="assessed_counts")
    claims = ClaimSerializer(many=True)

    class Meta(SummarySerializer.Meta):
        fields = (*OWN_FIELDS, "claims")


def incidents(*, full: bool) -> QuerySet[Incident]:
    counts = CasualtyCount.objects.select_related("affiliation")
    weapons = WeaponUse.objects.select_related("weapon")
    parties = Involvement.objects.select_related("actor")
    found = (
        Incident.objects.filter(state="published")
        .select_related("place__parent__parent__parent__parent")
        .prefetch_related(
            "further_places__place__parent__parent__parent__parent",
            "external_ids__dataset",
            "victims",
            Prefetch("casualtycounts", counts.filter(claim=None), to_attr="assessed_counts"),
            Prefetch("weaponuses", weapons.filter(claim=None), to_attr="assessed_weapons"),
            Prefetch("involvements", parties.filter(claim=None), to_attr="assessed_actors"),
        )
    )
    if not full:
        return found
    claims = Claim.objects.select_related(
        "article__outlet", "attributed_outlet", "attributed_actor"
    ).prefetch_related(
        Prefetch("casualtycounts", counts),
        Prefetch("weaponuses", weapons),
        Prefetch("involvements", parties),
    )
    return found.prefetch_related(Prefetch("claims", claims), "assessed_counts__basis")


class ByDate(CursorPagination):
    page_size = 100
    ordering = ("-date_earliest", "code")


class PageView(generics.ListAPIView):
    serializer_class: Any = SummarySerializer
    pagination_class = ByDate
    full: ClassVar[bool] = False

    renderer_classes = [JSONRenderer]

    def get_queryset(self) -> QuerySet[Incident]:
        return incidents(full=self.full).filter(
            grading__in=("confirmed", "fair"), date_earliest__lte=self.request.GET["day"]
        )


class DocumentsView(PageView):
    serializer_class = DocumentSerializer
    full = True


class OneView(generics.RetrieveAPIView):
    serializer_class = DocumentSerializer
    renderer_classes = [JSONRenderer]
    lookup_field = "code"
    queryset = incidents(full=True)


urlpatterns = [
    path("nested/page", PageView.as_view()),
    path("nested/documents", DocumentsView.as_view()),
    path("nested/one/<str:code>", OneView.as_view()),
]
# The project's settings with its connections; the middleware that such an API would have.
override_settings(
    ROOT_URLCONF=__name__, MIDDLEWARE=["django.middleware.common.CommonMiddleware"]
).enable()
application = WSGIHandler()

"""A small casework of outlets and articles, by which the ground of the API is tested."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request

from harmtracker.api import fields, idempotency, preconditions, problems
from harmtracker.api.conditional import etag_of
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.serializers import EvidenceSerializer, StrictSerializer
from harmtracker.api.team import TeamView
from incidents import services
from incidents.models import Incident, Place
from sources.models import Article, Outlet


class OutletSerializer(EvidenceSerializer):
    letters = serializers.SerializerMethodField(help_text="Letters of the name.")

    class Meta:
        model = Outlet
        fields = [
            "uuid",
            "slug",
            "name",
            "other_names",
            "kind",
            "country",
            "languages",
            "reliability",
            "independence_group",
            "party_to_conflict",
            "letters",
        ]

    def get_letters(self, outlet: Outlet) -> dict[str, Any]:
        return {"count": len(outlet.name), "half": len(outlet.name) / 2}


class ArticleSerializer(EvidenceSerializer):
    outlet = fields.Reference(
        queryset=lambda user: Outlet.objects.exclude(slug__startswith="hidden"),
        by=("uuid", "slug"),
        what="outlet",
    )

    class Meta:
        model = Article
        fields = ["uuid", "outlet", "title", "authors", "language", "published", "url"]


class IncidentSerializer(EvidenceSerializer):
    place = fields.Reference(
        queryset=lambda user: Place.objects.all(),
        by=("uuid", "slug", "pcode"),
        what="place",
        required=False,
        allow_null=True,
    )
    articles = ArticleSerializer(many=True, required=False, help_text="What was published.")

    class Meta:
        model = Incident
        fields = [
            "uuid",
            "code",
            "state",
            "title",
            "summary",
            "place",
            "date_edtf",
            "date_earliest",
            "local_time",
            "latitude",
            "radius_m",
            "point_already_public",
            "utc_offset",
            "circumstances",
            "grading",
            "articles",
        ]


class KindsSerializer(StrictSerializer):
    """A field of each kind."""

    text = fields.Text(max_length=5, required=False)
    blank = fields.Text(allow_blank=True, required=False)
    nothing = fields.Text(allow_null=True, required=False)
    whole = fields.Whole(min_value=1, max_value=9, required=False)
    number = fields.Number(max_digits=5, decimal_places=2, required=False)
    flag = fields.Flag(required=False)
    maybe = fields.Flag(allow_null=True, required=False)
    code = fields.Code("grading", required=False)
    codes = fields.Codes("circumstance", required=False)
    texts = fields.Texts(max_length=3, required=False)
    edtf = fields.Edtf(required=False)
    time = fields.Time(required=False)
    moment = fields.Moment(required=False)
    url = fields.Url(required=False)


def etag(outlet: Outlet) -> str:
    return etag_of(StoredJSONRenderer().render(OutletSerializer(outlet).data))


class Outlets(TeamView):
    """POST: a new outlet, once."""

    def post(self, request: Request) -> HttpResponse:
        def produce() -> HttpResponse:
            serializer = OutletSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            with self.acting("By a test"):
                outlet = services.save(Outlet(**serializer.validated_data))
            time.sleep(float(request.META.get("HTTP_X_SECONDS", 0)))
            if request.META.get("HTTP_X_DIE") == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            if request.META.get("HTTP_X_ANSWER"):
                return problems.respond(problems.Problem("conflict"))
            return self.created(
                OutletSerializer(outlet).data, f"/outlets/{outlet.uuid}/", etag(outlet)
            )

        answer = idempotency.once(request, produce)
        if request.META.get("HTTP_X_DIE") == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


class OneOutlet(TeamView):
    def get(self, request: Request, uuid: str) -> HttpResponse:
        outlet = get_object_or_404(Outlet, uuid=uuid)
        return self.ok(OutletSerializer(outlet).data, etag(outlet))

    def _change(self, request: Request, uuid: str, *, partial: bool) -> HttpResponse:
        with self.acting("By a test"):
            outlet = get_object_or_404(Outlet.objects.select_for_update(), uuid=uuid)
            preconditions.check(request, etag(outlet))
            serializer = OutletSerializer(outlet, data=request.data, partial=partial)
            serializer.is_valid(raise_exception=True)
            for name, value in serializer.validated_data.items():
                setattr(outlet, name, value)
            services.save(outlet)
        return self.ok(OutletSerializer(outlet).data, etag(outlet))

    def put(self, request: Request, uuid: str) -> HttpResponse:
        return self._change(request, uuid, partial=False)

    def patch(self, request: Request, uuid: str) -> HttpResponse:
        return self._change(request, uuid, partial=True)


class Reading(TeamView):
    """POST: what a serializer makes of a body."""

    parameters = {"like"}
    serializer: type[StrictSerializer] = KindsSerializer

    def post(self, request: Request) -> HttpResponse:
        serializer = self.serializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        return self.ok(serializer.to_representation(serializer.validated_data))


class Incidents(Reading):
    serializer = IncidentSerializer


class Echo(TeamView):
    """POST: the SHA-256 of the text in a body."""

    def post(self, request: Request) -> HttpResponse:
        text = request.data["text"].encode()
        return self.ok({"sha256": hashlib.sha256(text).hexdigest()})


class Step(TeamView):
    """POST: a step that needs nothing said."""

    body_is_optional = True

    def post(self, request: Request) -> HttpResponse:
        if request.data:
            return self.ok(dict(request.data))
        return self.no_content('"1"')


class Rules(TeamView):
    """GET: what the database refuses, by the number of a statement."""

    statements = (
        "INSERT INTO sources_outlet (uuid) VALUES (gen_random_uuid())",
        "UPDATE incidents_casualtycount SET min = 99999999999",
        "SELECT 'x'::int",
        "SELECT 1 / 0",
        "SELECT '2024-13-01'::date",
        "UPDATE sources_outlet SET slug = repeat('x', 999)",
    )

    def get(self, request: Request, number: int) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute(self.statements[number])
        return self.no_content()


urlpatterns = [
    path("outlets/", Outlets.as_view()),
    path("outlets/<uuid:uuid>/", OneOutlet.as_view()),
    path("kinds/", Reading.as_view()),
    path("incidents/", Incidents.as_view()),
    path("echo/", Echo.as_view()),
    path("step/", Step.as_view()),
    path("rules/<int:number>/", Rules.as_view()),
]

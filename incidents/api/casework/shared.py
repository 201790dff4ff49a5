"""Places, actors and datasets, which many records name. All of the team see all of them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api.filters import StrictFilterSet
from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.serializers import EvidenceSerializer
from harmtracker.api.shared import (
    ID,
    SharedListView,
    SharedRecordView,
    by_text,
    describe_list,
    shown,
)
from harmtracker.slugs import free_slug
from incidents import services
from incidents.models import Actor, Dataset, Place

from . import filters, shared_records

TAG = "Casework: places and parties"


def _rights(name: str, words: str) -> dict[str, tuple[str, str]]:
    change = (f"incidents.change_{name}", f"change {words}")
    return {
        "GET": (f"incidents.view_{name}", f"see {words}"),
        "POST": (f"incidents.add_{name}", f"enter {words}"),
        "PUT": change,
        "PATCH": change,
    }


class EnteredListView(SharedListView):
    """A list to which the team adds."""

    model: ClassVar[type[models.Model]]
    shape: ClassVar[type[EvidenceSerializer]]
    rows: ClassVar[QuerySet[Any]]
    one: ClassVar[str]
    filterset: ClassVar[type[StrictFilterSet]] = filters.PlaceFilters
    orders = by_text("name")
    weight = F("name")

    def get(self, request: Request) -> Response:
        return self.page(self.rows.all())

    def post(self, request: Request) -> HttpResponse:
        return self.once(self._enter)

    def _enter(self) -> Response:
        body, reason = self.read_body()
        serializer = self.shape(data=body, context={"request": self.request})
        with self.acting(reason):
            fields = self.validated(serializer)
            fields.setdefault("slug", free_slug(self.model, fields["name"]))
            row: Any = services.save(self.model(**fields))
        data, etag = shown(self.shape, self.found(self.rows.all(), row.uuid), self.request)
        return self.created(data, reverse(self.one, args=[row.uuid]), etag)


class EnteredView(SharedRecordView):
    """One record of such a list."""

    http_method_names = ["get", "head", "put", "patch"]

    def store(self, row: Any, fields: dict[str, Any]) -> None:
        services.change(row, **fields)

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self.read_one(id)

    def put(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=False)

    def patch(self, request: Request, id: uuid.UUID) -> Response:
        return self.change(id, partial=True)


def described(name: str, words: str, shape: type[EvidenceSerializer]) -> Any:
    """Describe a list, and one of its records."""
    adding = extend_schema_view(
        post=describe_team(
            f"add{name}",
            summary=f"Enter {words}",
            tag=TAG,
            request=shape,
            ok=shape,
            status=201,
            parameters=[IDEMPOTENCY_KEY],
            may_be=[409, 422],
        )
    )
    listing = describe_list(
        f"listCasework{name}s", summary=f"{name}s", tag=TAG, name=f"Casework{name}Page"
    )
    changed: dict[str, Any] = {
        "tag": TAG,
        "request": shape,
        "ok": shape,
        "parameters": [ID],
        "is_changed": True,
    }
    single = extend_schema_view(
        get=describe_team(
            f"getCasework{name}", summary=f"One {name.lower()}", tag=TAG, ok=shape, parameters=[ID]
        ),
        put=describe_team(f"replace{name}", summary=f"Change {words}, all fields", **changed),
        patch=describe_team(f"change{name}", summary=f"Change fields of {words}", **changed),
    )
    return (lambda view: listing(adding(view))), single


_places, _place = described("Place", "a place", shared_records.PlaceSerializer)
_actors, _actor = described("Actor", "an actor", shared_records.ActorSerializer)


@_places
class PlaceListView(EnteredListView):
    """Places, in a tree from a country to one site. POST: one more, in the place it lies in."""

    rights = _rights("place", "places")
    filterset = filters.PlaceFilters
    model = Place
    shape = shared_records.PlaceSerializer
    rows = Place.objects.select_related("parent")
    one = "casework-place"


@_place
class PlaceView(EnteredView):
    """One place. Whoever changes it has a hand in each draft that names it."""

    rights = _rights("place", "places")
    shape = shared_records.PlaceSerializer
    rows = Place.objects.select_related("parent")


@_actors
class ActorListView(EnteredListView):
    """Parties, their units, and other groups of people, in a tree. POST: one more."""

    rights = _rights("actor", "actors")
    filterset = filters.ActorFilters
    model = Actor
    shape = shared_records.ActorSerializer
    rows = Actor.objects.select_related("parent")
    one = "casework-actor"


@_actor
class ActorView(EnteredView):
    """One actor. Whoever changes it has a hand in each draft that names it."""

    rights = _rights("actor", "actors")
    shape = shared_records.ActorSerializer
    rows = Actor.objects.select_related("parent")


@describe_list("listDatasets", summary="Datasets", tag=TAG, name="CaseworkDatasetPage")
class DatasetListView(SharedListView):
    """Collections that records come from, with their terms. They are entered in the admin."""

    rights = _rights("dataset", "datasets")
    filterset = filters.DatasetFilters
    shape = shared_records.DatasetSerializer
    orders = by_text("name", unique="slug")
    weight = F("name")

    def get(self, request: Request) -> Response:
        return self.page(Dataset.objects.all())

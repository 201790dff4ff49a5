"""What anyone may read. The docstrings are the API's description."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework.request import Request
from rest_framework.response import Response

import harmtracker
from harmtracker.api import conditional, paging
from harmtracker.api.parameters import Parameter, Query, listed
from harmtracker.api.problems import Problem
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import describe
from harmtracker.licence import DATA_LICENCE
from harmtracker.models import Code
from incidents.choices import VersionKind
from incidents.exports import jsonlines
from incidents.exports.about import described
from incidents.exports.columns import LISTS
from incidents.exports.selecting import Asked
from incidents.models import WeaponType

from . import as_of, filters, reading
from . import serializers as shapes
from .exporting import DETAIL, MEDIA_TYPES, ExportedView, columns_or_keys, keys_picked
from .lists import Form, PageView, PublicView, describe_page, fields_of, picked

# What the root document links to: name in the document -> name of the route.
LINKS = {
    "incidents": "incidents",
    "facets": "facets",
    "totals": "totals",
    "changes": "changes",
    "changes_feed": "changes-feed",
    "backlog": "backlog",
    "casualties": "casualties",
    "claims": "claims",
    "victims": "victims",
    "releases": "releases",
    "columns": "columns",
    "places": "places",
    "actors": "actors",
    "outlets": "outlets",
    "articles": "articles",
    "weapon_types": "weapon-types",
    "codelists": "codelists",
    "schema": "schema",
    "docs": "docs",
}
WEAPON_COLUMNS = (
    "code",
    "label",
    "definition",
    "parent",
    "sdg_cause",
    "acled_sub_event",
    "wide_area",
)
_LIST = re.compile(r"[a-z_]{1,40}")


def in_path(name: str, description: str, kind: type = str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=description)


CODE = in_path("code", "Code of the record, such as MMR-2023-0001.")
NUMBER = in_path("number", "Number of the version, from 1.", int)
ID = in_path("id", "Its id, a UUID.")
DOCUMENT_FIELDS = fields_of(
    shapes.IncidentDocumentSerializer, shapes.TombstoneSerializer, shapes.MergedSerializer
)


# What can be picked of an incident as JSON.
KEYS = {
    "summary": frozenset(shapes.IncidentSummarySerializer().get_fields()),
    "document": frozenset(shapes.IncidentDocumentSerializer().get_fields()),
}


@describe("getRoot", summary="Where everything is", tag="About", ok=shapes.RootSerializer)
class RootView(PublicView):
    """What this is, on what terms it may be used, how far the ledger goes, and all addresses."""

    def get(self, request: Request) -> Any:
        return self.whole(
            {
                "name": "harmtracker",
                "description": "Incidents in which civilians were harmed: what each source says, "
                "what was concluded from it, verified by a second person.",
                "software_version": harmtracker.__version__,
                "position": reading.position(),
                "licence": DATA_LICENCE,
                "links": {
                    name: request.build_absolute_uri(reverse(route))
                    for name, route in LINKS.items()
                },
            }
        )


@describe_page(
    "listIncidents",
    summary="Incidents",
    tag="Incidents",
    ok=PolymorphicProxySerializer(
        component_name="IncidentsPage",
        serializers=[shapes.IncidentPageSerializer, shapes.IncidentDocumentPageSerializer],
        resource_type_field_name=None,
    ),
    also=MEDIA_TYPES,
)
class IncidentListView(ExportedView):
    """Summaries or whole documents of the current versions, in pages.

    Pages that follow one another all show the state of the first one's ledger position, whatever
    is published meanwhile. Different filters must all hold. Filters of counts are named
    outcome_bucket_bound__comparison, as in killed_civilian_min__gte=10.
    """

    filterset = filters.IncidentFilters
    limit = paging.limit_up_to(1000)
    ordering = Parameter(
        "ordering",
        listed(reading.INCIDENT_ORDERINGS),
        "date is the first day it can have been; incidents without one come last either way. "
        "published is the order of publication. Equals go by code.",
        "-date",
    )
    list_name = "incidents"
    json_keys = KEYS["summary"] | KEYS["document"]
    fields = columns_or_keys("incidents", json_keys)
    forms: ClassVar[dict[str, Form]] = {
        "summary": Form("summary", limit, fields),
        "document": Form("version__document", paging.limit_up_to(100), fields),
    }

    @classmethod
    def others(cls) -> list[Parameter]:
        return [DETAIL, *super().others()]

    def form(self) -> Form:
        return self.forms[self.query.read(DETAIL)]

    def known_fields(self, asked: str) -> frozenset[str]:
        if asked in ("json", "ndjson"):
            return KEYS[self.query.read(DETAIL)]
        return super().known_fields(asked)

    def ndjson(self, asked: Asked, detail: str) -> Iterator[bytes]:
        fields = self.query.read(self.fields)
        return jsonlines.stored(asked, column=detail, pick=keys_picked(fields))

    def rows(self, at: int) -> QuerySet[Any]:
        return reading.incidents(at)

    def order(self, name: str, filterset: Any = None, at: int = 0) -> paging.Order:
        if filterset is None:
            return reading.incident_orders(Q())[name]
        dated = filterset.dated()
        if as_of.AS_OF.name in self.query.values and name.endswith("date"):
            # A list by date starts where that time does, and not among all that happened since.
            day = reading.last_day(at)
            dated &= Q() if day is None else Q(date_earliest__lte=day)
        return reading.incident_orders(dated)[name]


def position_asked(query: Query) -> int | None:
    """The ledger position that a request asks for; None for now, which needs no look at it."""
    return as_of.position(query, reading.position()) if as_of.AS_OF.name in query.values else None


class DocumentView(PublicView):
    """A stored document, byte for byte; its ETag is its SHA-256."""

    parameters = {DOCUMENT_FIELDS.name, as_of.AS_OF.name}

    def document(self, request: Request, find: Callable[..., reading.Found | None]) -> Any:
        """The document that ``find`` finds; the long text only once it is known to be wanted."""
        fields = self.query.read(DOCUMENT_FIELDS)
        find = partial(find, at=position_asked(self.query))
        if "HTTP_IF_NONE_MATCH" in request.META:
            found = self._known(find(with_document=False))
            etag = self._etag(found, fields)
            if not self.leads_elsewhere(found) and conditional.is_current(request, etag):
                return conditional.not_modified(etag)
        found = self._known(find(with_document=True))
        stored = found.document or b""
        if self.leads_elsewhere(found):
            return self.elsewhere(json.loads(stored))
        body = picked(stored, fields) if fields else stored
        return self.answer(body, self._etag(found, fields))

    def _known(self, found: reading.Found | None) -> reading.Found:
        if found is None:
            raise Problem("not-found")
        return found

    def leads_elsewhere(self, found: reading.Found) -> bool:
        """Whether the answer is where the record went, and not the document."""
        return False

    def elsewhere(self, document: dict[str, Any]) -> Any:
        """The address of the record that this one was merged into, for ever."""
        target = self.request.build_absolute_uri(
            reverse("incident", args=[document["merged_into"]])
        )
        if as_of.AS_OF.name in self.query.values:
            target += "?" + self.query.normal()
        versions = reverse("versions", args=[document["code"]])
        body = {
            "code": document["code"],
            "merged_into": document["merged_into"],
            "url": target,
            "versions": self.request.build_absolute_uri(versions),
        }
        headers = {"Location": target, "Cache-Control": conditional.CACHE_CONTROL}
        return Response(StoredJSONRenderer().render(body), status=301, headers=headers)

    @staticmethod
    def _etag(found: reading.Found, fields: Sequence[str] | None) -> str:
        return conditional.etag_of(found.sha256, *fields) if fields else f'"{found.sha256}"'


@describe(
    "getIncident",
    summary="One incident",
    tag="Incidents",
    parameters=[CODE, DOCUMENT_FIELDS.documented(), as_of.AS_OF.documented()],
    ok=shapes.IncidentDocumentSerializer,
    found_by_path=True,
    may_be_retracted=True,
    moved=shapes.MovedSerializer,
)
class IncidentView(DocumentView):
    """The document of the current version: our assessment, and every claim that it rests on.

    Its ETag is its SHA-256. A record that was withdrawn answers 410, with the reason; one that was
    merged into another answers 301, for ever, whatever becomes of the other.
    """

    def get(self, request: Request, code: str) -> Any:
        return self.document(request, lambda **wanted: reading.last_version(code, **wanted))

    def leads_elsewhere(self, found: reading.Found) -> bool:
        return found.kind == VersionKind.MERGED

    def _known(self, found: reading.Found | None) -> reading.Found:
        found = super()._known(found)
        if found.kind == VersionKind.RETRACTED:
            code = self.kwargs["code"]
            versions = reverse("versions", args=[code])
            raise Problem(
                "retracted",
                code=code,
                version=found.number,
                reason=found.note,
                versions=self.request.build_absolute_uri(versions),
            )
        return found


@describe(
    "getVersion",
    summary="One version",
    tag="Incidents",
    parameters=[CODE, NUMBER, DOCUMENT_FIELDS.documented(), as_of.AS_OF.documented()],
    ok=PolymorphicProxySerializer(
        component_name="IncidentVersion",
        serializers=[
            shapes.IncidentDocumentSerializer,
            shapes.TombstoneSerializer,
            shapes.MergedSerializer,
        ],
        resource_type_field_name=None,
    ),
    found_by_path=True,
)
class VersionView(DocumentView):
    """The document as it was published, the tombstone that a retraction left, or where it went.

    Its ETag is its SHA-256.
    """

    def get(self, request: Request, code: str, number: str) -> Any:
        return self.document(request, lambda **wanted: reading.one_version(code, number, **wanted))


@describe(
    "listVersions",
    summary="Versions of an incident",
    tag="Incidents",
    parameters=[CODE, as_of.AS_OF.documented()],
    ok=shapes.VersionsSerializer,
    found_by_path=True,
)
class VersionListView(PublicView):
    """Every version, the first one first: publications, retractions, and the end in another."""

    parameters = {as_of.AS_OF.name}

    def get(self, request: Request, code: str) -> Any:
        found = reading.versions(code, as_of.position(self.query, reading.position()))
        if not found:
            raise Problem("not-found")
        return self.whole(
            {
                "code": code,
                "results": [
                    {
                        "version": row.number,
                        "kind": row.kind,
                        "published_at": row.published_at,
                        "note": row.note,
                        "sha256": row.sha256,
                        "url": request.build_absolute_uri(
                            reverse("version", args=[code, row.number])
                        ),
                    }
                    for row in found
                ],
            }
        )


@describe("listColumns", summary="Columns", tag="Code lists", ok=shapes.ColumnsSerializer)
class ColumnListView(PublicView):
    """The columns of the lists as tables: CSV, XLSX, Parquet, properties of GeoJSON."""

    def get(self, request: Request) -> Any:
        return self.whole(
            {
                "results": [
                    {"list": name, "columns": described(columns)} for name, columns in LISTS.items()
                ]
            }
        )


class ReferenceListView(PageView):
    column = "document"
    limit = paging.limit_up_to(1000)
    ordering = Parameter("ordering", listed(reading.REFERENCE_ORDERS), "By name or title.", "name")
    kind: ClassVar[str]

    def rows(self, at: int) -> QuerySet[Any]:
        return reading.references(at, self.kind)

    def order(self, name: str, filterset: Any = None, at: int = 0) -> paging.Order:
        return reading.REFERENCE_ORDERS[name]


class ReferenceView(PublicView):
    parameters = {as_of.AS_OF.name}
    kind: ClassVar[str]

    def get(self, request: Request, id: str) -> Any:
        at = as_of.position(self.query, reading.position())
        stored = reading.reference(self.kind, id, at)
        if stored is None:
            raise Problem("not-found")
        return self.whole(stored.encode("utf-8"))


@describe_page("listPlaces", summary="Places", tag="References", ok=shapes.PlacePageSerializer)
class PlaceListView(ReferenceListView):
    """Places that current documents name, and what they lie in, as the last document has them."""

    kind = "place"
    filterset = filters.PlaceFilters
    fields = fields_of(shapes.PlaceReferenceSerializer)


@describe_page("listActors", summary="Actors", tag="References", ok=shapes.ActorPageSerializer)
class ActorListView(ReferenceListView):
    """Actors that current documents name, as the last document has them."""

    kind = "actor"
    filterset = filters.ActorFilters
    fields = fields_of(shapes.ActorSerializer)


@describe_page("listOutlets", summary="Outlets", tag="References", ok=shapes.OutletPageSerializer)
class OutletListView(ReferenceListView):
    """Outlets that current documents name, as the last document has them."""

    kind = "outlet"
    filterset = filters.OutletFilters
    fields = fields_of(shapes.OutletSerializer)


@describe_page(
    "listArticles", summary="Articles", tag="References", ok=shapes.ArticlePageSerializer
)
class ArticleListView(ReferenceListView):
    """Articles that the claims of current documents are from, as the last document has them."""

    kind = "article"
    filterset = filters.ArticleFilters
    fields = fields_of(shapes.ArticleSerializer)


@describe(
    "getPlace",
    summary="One place",
    tag="References",
    parameters=[ID, as_of.AS_OF.documented()],
    ok=shapes.PlaceReferenceSerializer,
    found_by_path=True,
)
class PlaceView(ReferenceView):
    """A place as the last document that names it has it."""

    kind = "place"


@describe(
    "getActor",
    summary="One actor",
    tag="References",
    parameters=[ID, as_of.AS_OF.documented()],
    ok=shapes.ActorSerializer,
    found_by_path=True,
)
class ActorView(ReferenceView):
    """An actor as the last document that names it has it."""

    kind = "actor"


@describe(
    "getOutlet",
    summary="One outlet",
    tag="References",
    parameters=[ID, as_of.AS_OF.documented()],
    ok=shapes.OutletSerializer,
    found_by_path=True,
)
class OutletView(ReferenceView):
    """An outlet as the last document that names it has it."""

    kind = "outlet"


@describe(
    "getArticle",
    summary="One article",
    tag="References",
    parameters=[ID, as_of.AS_OF.documented()],
    ok=shapes.ArticleSerializer,
    found_by_path=True,
)
class ArticleView(ReferenceView):
    """An article as the last document with a claim from it has it."""

    kind = "article"


@describe(
    "listWeaponTypes",
    summary="Weapon types",
    tag="Code lists",
    parameters=filters.WeaponTypeFilters.documented(),
    ok=shapes.WeaponTypesSerializer,
)
class WeaponTypeListView(PublicView):
    """All weapon types, in two levels, by the effect that hit the person."""

    parameters = set(filters.WeaponTypeFilters.base_filters)

    def get(self, request: Request) -> Any:
        rows = WeaponType.objects.using("published").order_by("code")
        found = filters.WeaponTypeFilters.of(self.query, rows).qs
        return self.whole({"results": list(found.values(*WEAPON_COLUMNS))})


@describe(
    "getWeaponType",
    summary="One weapon type",
    tag="Code lists",
    parameters=[in_path("code", "Code of the weapon type, such as EXG-ART.")],
    ok=shapes.WeaponTypeSerializer,
    found_by_path=True,
)
class WeaponTypeView(PublicView):
    """A weapon type by its code."""

    def get(self, request: Request, code: str) -> Any:
        if code not in filters.weapon_codes():
            raise Problem("not-found")
        found = WeaponType.objects.using("published").filter(code=code)
        return self.whole(found.values(*WEAPON_COLUMNS).get())


@describe("listCodeLists", summary="Code lists", tag="Code lists", ok=shapes.CodeListsSerializer)
class CodeListsView(PublicView):
    """The lists whose codes documents hold."""

    def get(self, request: Request) -> Any:
        lists = Code.objects.using("published").order_by("list").values("list")
        return self.whole(
            {
                "results": [
                    {
                        **row,
                        "url": request.build_absolute_uri(reverse("codelist", args=[row["list"]])),
                    }
                    for row in lists.annotate(count=Count("pk"))
                ]
            }
        )


@describe(
    "getCodeList",
    summary="One code list",
    tag="Code lists",
    parameters=[in_path("list", "Name of the list, such as grading.")],
    ok=shapes.CodeListSerializer,
    found_by_path=True,
)
class CodeListView(PublicView):
    """The codes of a list in order, each with its meaning."""

    def get(self, request: Request, list: str) -> Any:
        codes = Code.objects.using("published").filter(list=list).order_by("position")
        found = codes.values("code", "label", "definition", "parent", "mappings")
        if not _LIST.fullmatch(list) or not found:
            raise Problem("not-found")
        return self.whole({"list": list, "codes": [*found]})

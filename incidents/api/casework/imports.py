"""Imports of other datasets, each reviewed as one by another person than its importer."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import F
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api import preconditions
from harmtracker.api.fields import Text
from harmtracker.api.filters import StrictFilter, StrictFilterSet
from harmtracker.api.parameters import Parameter, listed, whole
from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.serializers import StrictSerializer
from harmtracker.api.shared import (
    BY_ENTRY,
    ID,
    RightsView,
    SharedListView,
    describe_list,
    shown,
)
from harmtracker.errors import Conflict
from harmtracker.history.acting import acting
from incidents.choices import BatchState, RowOutcome
from incidents.importers import reviewing
from incidents.models import ImportBatch, ImportedRow, Incident

TAG = "Casework: imports"
SEE = {"GET": ("incidents.view_importbatch", "see imports")}
# Refused rows that one import shows; its rows have an address of their own.
REFUSED = 100
# Records that are verified or published by one request. Each takes some hundredths of a second.
MOST_AT_ONCE = 500
SEED = Parameter("seed", whole(0, (1 << 31) - 1), "Draws the same rows as another time.")
SIZE = Parameter("size", whole(1, 50), "How many rows are drawn, at most 50.", 10)


class RemarkSerializer(serializers.Serializer):
    """What was refused, not placed or remarked of a row."""

    column = serializers.CharField(help_text="The column; empty: the row.")
    kind = serializers.ChoiceField(
        choices=["refused", "unplaced", "noted"],
        help_text="refused: the row was not taken. unplaced: the name of a place is not known.",
    )
    message = serializers.CharField(help_text="What is so.")


class RowSerializer(serializers.Serializer):
    """A row of an imported file, and what became of it."""

    line = serializers.IntegerField(help_text="Line of the file on which it begins, from 1.")
    external_id = serializers.CharField(help_text="Its id in the dataset; empty where it has none.")
    outcome = serializers.ChoiceField(
        choices=RowOutcome.choices, help_text="What became of the row."
    )
    incident = serializers.SerializerMethodField(
        help_text="Id of the record; null: refused, or one that you may not see yet."
    )
    original = serializers.SerializerMethodField(
        help_text="The row as it stands in the file; what is no UTF-8 shows as U+FFFD."
    )
    original_sha256 = serializers.CharField(help_text="SHA-256 of its bytes.")
    remarks = RemarkSerializer(many=True, source="notes", help_text="What there is to tell of it.")

    def get_incident(self, row: ImportedRow) -> uuid.UUID | None:
        incident = row.incident
        if incident is None or not self._is_seen(incident):
            return None
        return incident.uuid

    def _is_seen(self, incident: Incident) -> bool:
        """Rows may be of a draft that somebody else imported."""
        person = self.context["request"].user
        is_theirs = incident.code is not None or incident.author_id == person.pk
        return is_theirs or bool(person.has_perm("incidents.verify_incident"))

    def get_original(self, row: ImportedRow) -> str:
        return bytes(row.original).decode("utf-8", "replace")


class CountedSerializer(serializers.Serializer):
    """Remarks of one kind on one column."""

    kind = serializers.CharField(help_text="refused, unplaced or noted.")
    column = serializers.CharField(help_text="The column; empty: the row.")
    rows = serializers.IntegerField(help_text="How many rows.")


class SumsSerializer(serializers.Serializer):
    """Persons killed, as the rows have it, before any review."""

    events = serializers.IntegerField(help_text="Rows that are a record or a claim.")
    low = serializers.IntegerField(help_text="Sum of the minima that are known.")
    best = serializers.IntegerField(help_text="Sum of the best figures.")
    high = serializers.IntegerField(help_text="Sum of the maxima that are known.")
    unbounded = serializers.IntegerField(help_text="Rows with a best figure and no bounds.")
    civilians = serializers.IntegerField(help_text="Sum of the best figures of civilians.")


class YearSerializer(SumsSerializer):
    year = serializers.IntegerField(help_text="First year in which the events can lie.")


class ImportInListSerializer(serializers.ModelSerializer):
    """An import."""

    id = serializers.UUIDField(source="uuid", help_text="Id of the import.")
    dataset = serializers.CharField(source="dataset.slug", help_text="Slug of the dataset.")
    importer = serializers.CharField(source="importer.username", help_text="Who imported it.")
    verified_by = serializers.SerializerMethodField(help_text="Who verified it; null: nobody.")
    published_by = serializers.SerializerMethodField(help_text="Who published it; null: nobody.")
    rows = serializers.DictField(
        source="counts", child=serializers.IntegerField(), help_text="Rows of the file by outcome."
    )

    class Meta:
        model = ImportBatch
        fields = [
            "id", "dataset", "file_name", "file_sha256", "layout", "criteria", "importer", "state",
            "rows", "started_at", "finished_at", "verified_by", "published_by", "reason",
        ]  # fmt: skip

    def get_verified_by(self, batch: ImportBatch) -> str | None:
        return None if batch.verified_by is None else batch.verified_by.username

    def get_published_by(self, batch: ImportBatch) -> str | None:
        return None if batch.published_by is None else batch.published_by.username


class ImportSerializer(ImportInListSerializer):
    """An import with what its verifier looks at."""

    sums = serializers.SerializerMethodField(help_text="Over all years.")
    years = serializers.SerializerMethodField(help_text="The same by year.")
    remarks = serializers.SerializerMethodField(help_text="Remarks by kind and column.")
    warnings = serializers.SerializerMethodField(
        help_text="Rule -> on how many of its records that wait a warning is open, of the first "
        "200 that have any."
    )
    records = serializers.SerializerMethodField(help_text="Its records by their state.")
    refused = serializers.SerializerMethodField(help_text="The first 100 rows that were refused.")

    class Meta(ImportInListSerializer.Meta):
        fields = [
            *ImportInListSerializer.Meta.fields,
            "sums", "years", "remarks", "warnings", "records", "refused",
        ]  # fmt: skip

    def to_representation(self, instance: ImportBatch) -> Any:
        self._years = reviewing.by_year(instance)
        return super().to_representation(instance)

    @extend_schema_field(SumsSerializer)
    def get_sums(self, batch: ImportBatch) -> dict[str, int]:
        return reviewing.sums(self._years)

    @extend_schema_field(YearSerializer(many=True))
    def get_years(self, batch: ImportBatch) -> list[dict[str, Any]]:
        return [{**year, **reviewing.sums([year])} for year in self._years]

    @extend_schema_field(CountedSerializer(many=True))
    def get_remarks(self, batch: ImportBatch) -> list[dict[str, Any]]:
        return reviewing.remarks(batch)

    def get_warnings(self, batch: ImportBatch) -> dict[str, int]:
        return reviewing.warnings_of(batch, self.context["request"].user)

    def get_records(self, batch: ImportBatch) -> dict[str, int]:
        return reviewing.states(batch)

    @extend_schema_field(RowSerializer(many=True))
    def get_refused(self, batch: ImportBatch) -> Any:
        refused = reviewing.rows(batch, RowOutcome.REFUSED)[:REFUSED]
        return RowSerializer(refused, many=True, context=self.context).data


class DrawnSerializer(serializers.Serializer):
    """A row drawn at random: as it stands in the file, and what leaves of its record."""

    line = serializers.IntegerField(help_text="Line of the file on which it begins.")
    external_id = serializers.CharField(help_text="Its id in the dataset.")
    outcome = serializers.CharField(help_text="What became of the row.")
    original = serializers.CharField(help_text="The row as it stands in the file.")
    remarks = RemarkSerializer(many=True, help_text="What there is to tell of it.")
    content = serializers.DictField(
        help_text="What leaves if its record is published as it stands now."
    )


class SampleSerializer(serializers.Serializer):
    """Some rows of an import."""

    seed = serializers.IntegerField(help_text="Draws the same rows again.")
    results = DrawnSerializer(many=True, help_text="The rows, in the order in which they fell.")


class ReturnSerializer(StrictSerializer):
    """Why an import is given back."""

    reason = Text(max_length=10_000, help_text="Why, for the importer.")


class VerifySerializer(StrictSerializer):
    """What is said with the verification of an import."""

    reason = Text(
        max_length=10_000,
        required=False,
        allow_blank=True,
        help_text="Why the warnings that are open on its records may stand. Due where any is: it "
        "answers each of them.",
    )


class NothingSaidSerializer(StrictSerializer):
    """A body without anything in it."""


class ImportFilters(StrictFilterSet):
    """Filters of imports."""

    state = StrictFilter(
        listed(BatchState.values), "Where it stands.", lookup_expr="in", several=True
    )


class RowFilters(StrictFilterSet):
    """Filters of rows."""

    outcome = StrictFilter(
        listed(RowOutcome.values), "What became of the row.", lookup_expr="in", several=True
    )


@describe_list("listImports", summary="Imports", tag=TAG, name="ImportPage")
class ImportListView(SharedListView):
    """Imports of other datasets: a verifier sees all of them, a researcher their own.

    Files are imported by command, `manage.py import_ucdp_ged`.
    """

    rights = SEE
    filterset = ImportFilters
    orders = BY_ENTRY
    shape = ImportInListSerializer
    weight = F("file_name")

    def get(self, request: Request) -> Response:
        return self.page(reviewing.visible_to(self.person))


class ImportView(RightsView):
    """GET: an import, its sums, and what was refused."""

    rights: ClassVar[dict[str, tuple[str, str]]] = SEE

    def batch(self, id: uuid.UUID) -> ImportBatch:
        found: ImportBatch = self.found(reviewing.visible_to(self.person), id)
        return found

    def answer(self, id: uuid.UUID) -> Response:
        return self.ok(*shown(ImportSerializer, self.batch(id), self.request))


@extend_schema_view(
    get=describe_team(
        "getImport", summary="One import", tag=TAG, ok=ImportSerializer, parameters=[ID]
    )
)
class OneImportView(ImportView):
    """An import with what its verifier looks at: sums, remarks by column, refused rows.

    Its ETag names what was looked at in a step.
    """

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self.answer(id)


@extend_schema_view(
    get=describe_team(
        "sampleImport",
        summary="Rows of an import, drawn at random",
        tag=TAG,
        ok=SampleSerializer,
        parameters=[ID, SEED.documented(), SIZE.documented()],
    )
)
class SampleView(ImportView):
    """Rows drawn at random, each beside what leaves of it. The answer gives the seed it drew by."""

    parameters = frozenset({SEED.name, SIZE.name})

    def get(self, request: Request, id: uuid.UUID) -> Response:
        batch = self.batch(id)
        given, size = self.query.read(SEED), self.query.read(SIZE)
        seed = secrets.randbelow(1 << 31) if given is None else given
        return self.ok({"seed": seed, "results": reviewing.sample(batch, seed, size)})


@describe_list(
    "listImportedRows", summary="Rows of an import", tag=TAG, name="ImportedRowPage",
    parameters=[ID],
)  # fmt: skip
class RowListView(SharedListView):
    """The rows of an import as they stand in the file, in its order. Unchanged ones are few: one
    that stands as it was imported before is not kept twice.
    """

    rights = SEE
    filterset = RowFilters
    orders = BY_ENTRY
    shape = RowSerializer
    weight = F("original_sha256")

    def get(self, request: Request, id: uuid.UUID) -> Response:
        batch = self.found(reviewing.visible_to(self.person), id)
        rows = ImportedRow.objects.filter(batch=batch).select_related("incident")
        return self.page(rows)


class ImportStepView(ImportView):
    """A step of an import and of each of its records, all or none. If-Match names what was seen."""

    body_is_optional = True
    said = NothingSaidSerializer
    act: ClassVar[Callable[..., Any]]
    # Records of one request, since nobody else is served by its process meanwhile.
    most: ClassVar[int | None] = None

    def post(self, request: Request, id: uuid.UUID) -> HttpResponse:
        return self.once(lambda: self._take(id))

    def _take(self, id: uuid.UUID) -> Response:
        preconditions.if_match(self.request)
        said = self.validated(self.said(data=self.request.data))
        with acting(self.person, request_id=self.request_id):
            # Held, so that what is compared is what the step is taken with.
            held = reviewing.visible_to(self.person).select_for_update(of=("self",), no_key=True)
            batch = self.found(held, id)
            preconditions.check(self.request, shown(ImportSerializer, batch, self.request)[1])
            if self.most is not None and reviewing.records(batch).count() > self.most:
                raise Conflict(
                    f"Over the API at most {self.most} records are taken this step together: have "
                    "it taken by the command, manage.py import_batch."
                )
            type(self).act(id, self.person, request_id=self.request_id, **said)
        return self.answer(id)


def step_view(
    name: str,
    act: Callable[..., Any],
    words: str,
    *,
    said: type[StrictSerializer] = NothingSaidSerializer,
    scope: str = "verify",
    right: str,
    most: int | None = None,
) -> type[ImportStepView]:
    view = type(
        f"{name.capitalize()}ImportView",
        (ImportStepView,),
        {
            "act": staticmethod(act),
            "said": said,
            "most": most,
            "scopes": {"POST": scope},
            "rights": {"POST": (f"incidents.{right}_incident", f"{name} imports")},
            "__doc__": words,
        },
    )
    extend_schema_view(
        post=describe_team(
            f"{name}Import",
            summary=f"{name.capitalize()} an import",
            tag=TAG,
            request=said,
            ok=ImportSerializer,
            is_changed=True,
            may_be=[409, 422],
            parameters=[ID, IDEMPOTENCY_KEY],
        )
    )(view)
    return view


STEP_VIEWS = {
    "submit": step_view(
        "submit",
        reviewing.submit_again,
        "Put a returned import before a verifier again. Its importer does.",
        scope="casework:write",
        right="submit",
    ),
    "verify": step_view(
        "verify",
        reviewing.verify,
        "Verify every record of the import, as a second person: not its importer, nor anybody who "
        "edited one of its records. Where warnings are open, `reason` answers all of them. Imports "
        "of more than 500 records: by the command.",
        said=VerifySerializer,
        right="verify",
        most=MOST_AT_ONCE,
    ),
    "publish": step_view(
        "publish",
        reviewing.publish,
        "Publish every record of a verified import in one transaction, or none. Imports of more "
        "than 500 records: by the command.",
        right="publish",
        most=MOST_AT_ONCE,
    ),
    "return": step_view(
        "return",
        reviewing.give_back,
        "Give the import back to its importer, with the reason; its records are drafts again.",
        said=ReturnSerializer,
        right="return",
    ),
}

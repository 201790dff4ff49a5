"""Totals over incidents, in groups."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework import serializers
from rest_framework.request import Request

import harmtracker
from harmtracker import timeouts
from harmtracker.api import conditional, throttling
from harmtracker.api.parameters import (
    Kind,
    Parameter,
    Unacceptable,
    listed,
    nearest,
    raise_for,
)
from harmtracker.api.problems import Problem
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import describe
from harmtracker.codes import code_list
from harmtracker.errors import Invalid
from harmtracker.licence import DATA_LICENCE
from incidents.finding import DIMENSIONS_OF_A_COUNT, weapon_types
from incidents.totals import files, words
from incidents.totals.answers import Answer, answer
from incidents.totals.grouping import GROUPINGS, MOST_GROUPINGS, Asked, Found, clash
from incidents.totals.written import written

from . import as_of, reading
from .exporting import BOM, FORMATS, FormatNegotiation
from .facets import names_of
from .filters import CountedFilters
from .lists import PublicView

SERVED = {name: FORMATS[name] for name in ("json", "csv", "xlsx", "parquet")}
# Nowhere on Earth is it later than this beside UTC.
_FURTHEST = datetime.timedelta(hours=14)
_NAMED = ("country", "adm1", "adm2", "adm3", "place", "actor", "affiliation")
_LISTED = {"grading": "grading", "bucket": "count_bucket", **DIMENSIONS_OF_A_COUNT}


def _read_groupings(text: str) -> tuple[str, ...]:
    asked = text.split(",")
    for name in asked:
        if name not in GROUPINGS:
            raise Unacceptable("Nothing to group by.", nearest(name, GROUPINGS))
    if len(set(asked)) < len(asked):
        raise Unacceptable("One of them is given twice.")
    if len(asked) > MOST_GROUPINGS:
        raise Unacceptable(f"At most {MOST_GROUPINGS}.")
    fault = clash(asked)
    if fault:
        raise Unacceptable(fault)
    return tuple(asked)


GROUP_BY = Parameter(
    "group_by",
    Kind(_read_groupings, {"type": "array", "items": {"type": "string", "enum": [*GROUPINGS]}}),
    f"What to group by, up to {MOST_GROUPINGS} by commas. weapon is the type as assessed, "
    "weapon_group its first level; actor are the alleged perpetrators, or those of actor_role and "
    "actor_certainty where these are asked. Without it: the total alone.",
    (),
    by_commas=True,
)
FORMAT = Parameter(
    "format",
    listed(SERVED),
    "Without it the header Accept decides. In tables a row is one outcome of a group.",
)


class TotalsFilters(CountedFilters):
    """As of incidents, but that date_match may be asked of periods too."""

    def _check_dates(self) -> None:
        start, end = self.given.get("date_from"), self.given.get("date_to")
        if start and end and start > end:
            raise_for([("date_to", Unacceptable("It lies before date_from."))])


class FigureSerializer(serializers.Serializer):
    min = serializers.IntegerField(allow_null=True, help_text="At least; null: not known.")
    best = serializers.IntegerField(
        allow_null=True, help_text="Most likely; null: not every incident has one."
    )
    max = serializers.IntegerField(allow_null=True, help_text="At most; null: open or not known.")
    at_least = serializers.BooleanField(help_text="Whether the maximum is open.")
    incidents = serializers.IntegerField(help_text="Incidents that have a figure here.")
    without_best = serializers.IntegerField(help_text="Of these, those without a best figure.")


class WholeSerializer(serializers.Serializer):
    incidents = serializers.IntegerField(help_text="How many.")
    could_move = serializers.IntegerField(
        allow_null=True,
        help_text="Of these, how many need not lie in the period or in the dates asked for; null: "
        "none were asked for.",
    )
    share_that_could_move = serializers.FloatField(
        allow_null=True, help_text="The same as a share of incidents, of 1."
    )
    undated = serializers.IntegerField(help_text="Of these, how many have no known date.")
    shared = serializers.IntegerField(
        allow_null=True, help_text="Of these, how many stand under another value too."
    )
    either_or = serializers.IntegerField(
        allow_null=True, help_text="Of these, to how many it applies as an alternative."
    )
    from_parts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="By outcome: incidents whose civilian or uncertain figure is from parts without "
        "a whole.",
    )
    totals = serializers.DictField(
        child=serializers.DictField(child=FigureSerializer()),
        help_text="By outcome and bucket. Civilian and uncertain are always there; the others "
        "where persons are grouped.",
    )


class GroupSerializer(WholeSerializer):
    group = serializers.DictField(
        child=serializers.CharField(allow_null=True), help_text="Grouping and value."
    )
    labels = serializers.DictField(
        child=serializers.CharField(allow_null=True), help_text="The values in words or by name."
    )


class TotalsSerializer(serializers.Serializer):
    position = serializers.IntegerField(help_text="Ledger position that all of it is as of.")
    moment = serializers.DateTimeField(
        allow_null=True, help_text="When the entry at that position was made."
    )
    query = serializers.CharField(help_text="What was asked, in one spelling.")
    citation = serializers.CharField(help_text="A sentence to cite these figures by.")
    group_by = serializers.ListField(child=serializers.CharField(), help_text="As asked.")
    date_match = serializers.CharField(
        allow_null=True, help_text="possible or certain; null: no dates were asked for."
    )
    rules = serializers.ListField(
        child=serializers.CharField(), help_text="How these figures were made."
    )
    left_out = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Records under the same filters that are in no figure: aggregate_count, "
        "duplicate, merged, retracted.",
    )
    total = WholeSerializer(help_text="Of every incident found, each once.")
    results = GroupSerializer(many=True, help_text="The groups, by their values; null comes last.")


@describe(
    "getTotals",
    summary="Totals over incidents",
    tag="Incidents",
    parameters=[
        GROUP_BY.documented(),
        FORMAT.documented(),
        BOM.documented(),
        as_of.AS_OF.documented(),
        *TotalsFilters.documented(),
    ],
    ok=TotalsSerializer,
    also=[form.media_type for name, form in SERVED.items() if name != "json"],
)
class TotalsView(PublicView):
    """How many persons were harmed, under the filters of incidents/, in groups.

    Filters choose incidents, groupings divide what these count. Every figure says how many
    incidents it is of and how many of these have no best one. What is not known is null and no
    zero. The rules are in the answer; docs/totals.md has worked examples. An answer has at most
    50,000 groups.
    """

    content_negotiation_class = FormatNegotiation
    renderer_classes = [
        type(
            "TotalsRenderer", (StoredJSONRenderer,), {"media_type": form.media_type, "format": name}
        )
        for name, form in SERVED.items()
    ]
    parameters = {
        GROUP_BY.name,
        FORMAT.name,
        BOM.name,
        as_of.AS_OF.name,
        *TotalsFilters.base_filters,
    }
    several = TotalsFilters.several()

    def get(self, request: Request) -> Any:
        form = self.query.read(FORMAT) or request.accepted_renderer.format
        with_bom = self.query.read(BOM)
        if with_bom is not None and form != "csv":
            raise_for([(BOM.name, Unacceptable("Only csv can have one."))])
        head = reading.position()
        at = as_of.position(self.query, head)
        moment = reading.moment(at)
        asked = self._asked(at, moment)
        # The position says as of when.
        query = self.query.normal(without=(FORMAT.name, BOM.name, as_of.AS_OF.name))
        etag = conditional.etag_of(
            harmtracker.__version__,
            as_of.state(at, head),
            request.path,
            self.query.normal(),
            form,
        )
        if conditional.is_current(request, etag):
            return conditional.not_modified(etag)
        if form == "json":
            found = _answered(asked)
        else:
            throttling.count(request, throttling.EXPORTS)
            with timeouts.for_exports():
                found = _answered(asked)
        about = {
            "position": at,
            "moment": moment,
            "query": query,
            "citation": words.citation(asked, harmtracker.__version__, moment, query),
            "group_by": [*asked.groupings],
            "date_match": ("certain" if asked.is_certain else "possible")
            if asked.is_dated
            else None,
            "rules": words.rules(asked),
            "left_out": found.left_out,
        }
        labels = _labels(found)
        if form == "json":
            return self.answer(written(found, labels, about), etag)
        return self._file(form, files.table(found, labels, about), etag, bool(with_bom))

    def _asked(self, at: int, moment: str | None) -> Asked:
        groupings = self.query.read(GROUP_BY)
        filterset = TotalsFilters.of(self.query, reading.of_every_version())
        every = filterset.qs
        given = filterset.given
        now = (
            datetime.datetime.fromisoformat(moment)
            if moment
            else datetime.datetime.now(datetime.UTC)
        )
        found = None
        if given.keys() - {"date_match"}:
            found = Found(every.filter(reading.held(at)), every.filter(reading.withdrawn(at)))
        asked = Asked(
            at,
            groupings,
            (now + _FURTHEST).date(),
            found,
            given.get("date_from"),
            given.get("date_to"),
            given.get("date_match") == "certain",
            tuple(given.get("actor_role") or ()),
            tuple(given.get("actor_certainty") or ()),
        )
        if "date_match" in given and not asked.is_dated:
            message = "It needs date_from, date_to, or a period to group by."
            raise_for([("date_match", Unacceptable(message))])
        return asked

    def _file(self, form: str, table: files.Table, etag: str, with_bom: bool) -> Any:
        at = table.about["position"]
        headers = {
            **conditional.headers(etag),
            "Content-Type": SERVED[form].media_type
            + ("; charset=utf-8; header=present" if form == "csv" else ""),
            "Content-Disposition": "attachment; "
            f'filename="harmtracker-totals-pos{at}.{SERVED[form].extension}"',
            "Harmtracker-Position": str(at),
            "Harmtracker-Citation": table.about["citation"],
            "Link": f'<{DATA_LICENCE["url"]}>; rel="license"',
        }
        if self.request.method == "HEAD":
            return HttpResponse(headers=headers)
        content = {
            "csv": lambda: files.as_csv(table, with_bom=with_bom),
            "xlsx": lambda: files.as_xlsx(table),
            "parquet": lambda: files.as_parquet(table),
        }[form]()
        return StreamingHttpResponse(content, headers=headers)


def _answered(asked: Asked) -> Answer:
    try:
        return answer(asked)
    except Invalid as error:
        raise Problem("invalid-parameter", error.message) from error


def _labels(found: Answer) -> dict[str, dict[str, str]]:
    """Grouping -> value -> in words, of those whose values are codes or ids."""
    values = {
        name: {group.key[place] for group in found.groups} - {None}
        for place, name in enumerate(found.asked.groupings)
    }
    codes = {str(code) for name in _NAMED for code in values.get(name, ())}
    names = names_of(codes, found.asked.at) if codes else {}
    labels: dict[str, dict[str, str]] = {}
    for name, of_name in values.items():
        if name in _NAMED:
            labels[name] = {code: names.get(code, code) for code in map(str, of_name)}
        elif name in _LISTED:
            listed_as = code_list(_LISTED[name])
            labels[name] = {code: listed_as[code].label for code in map(str, of_name)}
        elif name in ("weapon", "weapon_group"):
            labels[name] = {code: str(weapon_types()[code]["label"]) for code in map(str, of_name)}
    return labels

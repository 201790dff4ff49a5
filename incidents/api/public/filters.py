"""What published incidents, and the things they refer to, are found by."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from functools import cache
from itertools import product
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, JSONField, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from harmtracker.api.filters import StrictFilter, StrictFilterSet, TogetherFilter
from harmtracker.api.parameters import (
    DAY,
    MAX_VALUE_CHARACTERS,
    PCODE,
    PLACE,
    UUID,
    Kind,
    Unacceptable,
    listed,
    raise_for,
    whole,
)
from harmtracker.codes import code_list
from incidents.models import PublishedTotal
from incidents.search import fold

MAX_TERMS = 8
MAX_PERSONS = 2**31 - 1


@cache
def weapon_codes() -> dict[str, str | None]:
    """Code -> code of its first level, from the file that the table is loaded from."""
    rows = json.loads((settings.FIXTURES / "weapon_types.json").read_text(encoding="utf-8"))
    return {row["code"]: row["parent"] for row in rows}


# PostgreSQL fails on a long row of them, and they say nothing: "-" negates what it stands at.
_LOOSE_DASH = re.compile(r'-(?![\w"])')


def _read_words(text: str) -> SearchQuery:
    if len(text.split()) > MAX_TERMS:
        raise Unacceptable(f"At most {MAX_TERMS} words.")
    # Folded first: other dashes fold to this one.
    words = _LOOSE_DASH.sub(" ", fold(text))
    return SearchQuery(words, config="simple", search_type="websearch")


WORDS = Kind(_read_words, {"type": "string", "maxLength": MAX_VALUE_CHARACTERS})


class Box(NamedTuple):
    west: float
    south: float
    east: float
    north: float


_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")


def _read_box(text: str) -> Box:
    parts = text.split(",")
    if len(parts) != 4 or not all(_DEGREES.fullmatch(part) for part in parts):
        raise Unacceptable("Four numbers by commas: west,south,east,north in degrees.")
    box = Box(*map(float, parts))
    if not -180 <= box.west <= 180 or not -180 <= box.east <= 180:
        raise Unacceptable("Longitudes go from -180 to 180.")
    if not -90 <= box.south <= box.north <= 90:
        raise Unacceptable("Latitudes go from -90 to 90, the southern first.")
    return box


BOX = Kind(_read_box, {"type": "string", "example": "97.5,24.7,97.6,24.8"})


class WordsFilter(StrictFilter):
    """Rows whose search column has all the words."""

    def filter(self, qs: QuerySet[Any], value: SearchQuery) -> QuerySet[Any]:
        return qs.filter(search=value)


_COUNTRY = re.compile(r"[A-Z]{3}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")


def _read_country(text: str) -> str:
    if not _COUNTRY.fullmatch(text):
        raise Unacceptable("A country is three capital letters, such as MMR.")
    return text


def _read_language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise Unacceptable("A language is a tag such as en or my.")
    return text


COUNTRY = Kind(_read_country, {"type": "string", "pattern": f"^{_COUNTRY.pattern}$"})
LANGUAGE = Kind(_read_language, {"type": "string", "pattern": f"^{_LANGUAGE.pattern}$"})


class BoxFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: Box) -> QuerySet[Any]:
        qs = qs.filter(latitude__range=(value.south, value.north))
        if value.west <= value.east:
            return qs.filter(longitude__range=(value.west, value.east))
        return qs.filter(Q(longitude__gte=value.west) | Q(longitude__lte=value.east))


class CountFilter(TogetherFilter):
    """A condition on one bound of one total; those on the same total look at the same row."""

    def __init__(self, outcome: str, bucket: str, bound: str, comparison: str) -> None:
        what = {"min": "lowest", "best": "best", "max": "highest"}[bound]
        words = {"gte": "at least", "lte": "at most"}[comparison]
        super().__init__(
            whole(0, MAX_PERSONS),
            f"The {what} figure of persons {code_list('outcome')[outcome].label} "
            f"({code_list('count_bucket')[bucket].label}) is {words} this. "
            "A figure that is not known never matches.",
        )
        self.total = (outcome, bucket)
        self.lookup = f"{bound}__{comparison}"


COUNT_FILTERS = {
    f"{outcome}_{bucket}_{bound}__{comparison}": CountFilter(outcome, bucket, bound, comparison)
    for outcome, bucket, bound, comparison in product(
        code_list("outcome"), code_list("count_bucket"), ("min", "best", "max"), ("gte", "lte")
    )
}


class IncidentFilters(StrictFilterSet):
    """Filters of incidents. Those on the date, and those on one total, are applied together."""

    date_from = TogetherFilter(DAY, "Not before this day; date_match says how that is meant.")
    date_to = TogetherFilter(DAY, "Not after this day; date_match says how that is meant.")
    date_match = TogetherFilter(
        listed(("possible", "certain")),
        "How an uncertain date is matched. possible, which is meant without it: it can have been "
        "in the range, and an open end reaches as far as it can. certain: it lies in the range "
        "whatever it was; a date with an open end is never certain. An incident of no known date "
        "matches neither.",
    )
    place = StrictFilter(
        PLACE,
        "P-code or id of a place; everything that lies in it is found too.",
        field_name="place_keys",
        lookup_expr="overlap",
        several=True,
    )
    bbox = BoxFilter(
        BOX,
        "west,south,east,north in degrees (WGS 84), the edges included. With west greater than "
        "east the box crosses the antimeridian.",
    )
    weapon = StrictFilter(
        listed(weapon_codes()),
        "Code of a weapon type of either level; the first level takes in the second.",
        field_name="weapon_keys",
        lookup_expr="overlap",
        several=True,
    )
    actor = StrictFilter(
        UUID,
        "Id of an actor in the assessment; its parts are found too.",
        field_name="actor_keys",
        lookup_expr="overlap",
        several=True,
    )
    grading = StrictFilter(
        listed(code_list("grading")),
        "How well the harm is established.",
        lookup_expr="in",
        several=True,
    )
    record_type = StrictFilter(
        listed(code_list("record_type")),
        "Single incidents, or counts over several.",
        lookup_expr="in",
        several=True,
    )
    harm_reported = StrictFilter(
        listed(code_list("harm_reported")),
        "Whether any source reports harm to civilians.",
        lookup_expr="in",
        several=True,
    )
    q = WordsFilter(
        WORDS,
        f"Words of title, summary or place names, at most {MAX_TERMS}: all of them, in any "
        'spelling of case and accents. "two words" stand together, or and - are read as usual.',
    )

    @classmethod
    def get_filters(cls) -> OrderedDict[str, Any]:
        return OrderedDict([*super().get_filters().items(), *COUNT_FILTERS.items()])

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        self._check_dates()
        return self._with_totals(super().filter_queryset(queryset).filter(self._dates()))

    def _check_dates(self) -> None:
        start, end = self.given.get("date_from"), self.given.get("date_to")
        if "date_match" in self.given and not (start or end):
            raise_for([("date_match", Unacceptable("It needs date_from or date_to."))])
        if start and end and start > end:
            raise_for([("date_to", Unacceptable("It lies before date_from."))])

    @property
    def is_certain(self) -> bool:
        return self.given.get("date_match") == "certain"

    def _dates(self) -> Q:
        start, end = self.given.get("date_from"), self.given.get("date_to")
        if not (start or end):
            return Q()
        if self.is_certain:
            condition = Q(date_earliest__isnull=False, date_latest__isnull=False)
            if start:
                condition &= Q(date_earliest__gte=start)
            return condition & Q(date_latest__lte=end) if end else condition
        condition = Q(date_earliest__isnull=False) | Q(date_latest__isnull=False)
        if start:
            condition &= Q(date_latest__gte=start) | Q(date_latest__isnull=True)
        if end:
            condition &= Q(date_earliest__lte=end) | Q(date_earliest__isnull=True)
        return condition

    def dated(self) -> Q:
        """What the date filters say of the first day alone, where there is one.

        It follows from the filters and finds nothing else; with it a list by date starts and
        stops in the index where the range does.
        """
        start, end = self.given.get("date_from"), self.given.get("date_to")
        condition = Q(date_earliest__isnull=False)
        if start and self.is_certain:
            condition &= Q(date_earliest__gte=start)
        if end:
            condition &= Q(date_earliest__lte=end)
        return condition

    def _with_totals(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        conditions: dict[tuple[str, str], Q] = {}
        for name, value in self.given.items():
            item = self.filters[name]
            if isinstance(item, CountFilter):
                conditions[item.total] = conditions.get(item.total, Q()) & Q((item.lookup, value))
        for (outcome, bucket), condition in conditions.items():
            rows = PublishedTotal.objects.using("published").filter(
                condition, incident=OuterRef("pk"), outcome=outcome, bucket=bucket
            )
            queryset = queryset.filter(Exists(rows))
        return queryset


class ParentFilter(StrictFilter):
    """Places right below a place, given by its id or its P-code."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if "-" in value:
            return qs.filter(content__path__0__id=value)
        return qs.filter(content__path__0__pcode=value)


class ReferenceFilters(StrictFilterSet):
    """Filters of what published documents refer to. Its rows have ``content``, parsed."""

    q = WordsFilter(WORDS, f"Words of the name in any spelling, at most {MAX_TERMS}.")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(
            queryset.annotate(content=Cast("document", output_field=JSONField()))
        )


class PlaceFilters(ReferenceFilters):
    level = StrictFilter(
        listed(code_list("place_level")), "What sort of place.", field_name="content__level"
    )
    pcode = StrictFilter(PCODE, "The place of this P-code.", field_name="content__pcode")
    parent = ParentFilter(PLACE, "Places right below this one: its P-code or id.")


class ActorFilters(ReferenceFilters):
    kind = StrictFilter(
        listed(code_list("actor_kind")), "What sort of actor.", field_name="content__kind"
    )


class OutletFilters(ReferenceFilters):
    kind = StrictFilter(
        listed(code_list("outlet_kind")), "What sort of source.", field_name="content__kind"
    )
    country = StrictFilter(COUNTRY, "ISO 3166-1 alpha-3.", field_name="content__country")


class ArticleFilters(ReferenceFilters):
    outlet = StrictFilter(UUID, "Id of the outlet.", field_name="content__outlet__id")
    language = StrictFilter(LANGUAGE, "Language tag (BCP 47).", field_name="content__language")


class WeaponTypeFilters(StrictFilterSet):
    parent = StrictFilter(
        listed([code for code, parent in weapon_codes().items() if parent is None]),
        "Weapon types of this first level.",
        field_name="parent_id",
    )

"""What published incidents, and the things they refer to, are found by."""

from __future__ import annotations

import datetime
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

from django.contrib.postgres.lookups import Overlap
from django.contrib.postgres.search import SearchQueryField
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Cos, Power, Radians, Sin

from harmtracker.api.filters import StrictFilter, StrictFilterSet, TogetherFilter
from harmtracker.api.parameters import (
    DAY,
    FLAG,
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
from incidents.finding import (
    DIMENSIONS_OF_A_COUNT,
    FIGURES,
    Days,
    address_key,
    trait,
    weapon_types,
)
from incidents.models import PublishedCasualty, PublishedTotal
from incidents.search import MAX_TERMS, NotAsked, query_literal

MAX_PERSONS = 2**31 - 1
MAX_ADDRESS_CHARACTERS = 2000
# Mean radius of the Earth.
EARTH_KM = 6371.0088


def weapon_codes() -> dict[str, str | None]:
    """Code -> code of its first level."""
    return {code: row["parent"] for code, row in weapon_types().items()}


def _read_words(text: str) -> str:
    try:
        return query_literal(text)
    except NotAsked as fault:
        raise Unacceptable(str(fault)) from fault


WORDS = Kind(_read_words, {"type": "string", "maxLength": MAX_VALUE_CHARACTERS})


class Box(NamedTuple):
    west: float
    south: float
    east: float
    north: float


_KILOMETRES = re.compile(r"[0-9]{1,5}(\.[0-9]{1,6})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(rf"{_DAY.pattern}T[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,6}})?)?Z")
_CODE = re.compile(r"[A-Z]{2,3}-[0-9]{4}-[0-9]{4,9}")
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


class Point(NamedTuple):
    latitude: float
    longitude: float
    km: float


MAX_KM = 20_000


def _read_near(text: str) -> Point:
    parts = text.split(",")
    if (
        len(parts) != 3
        or not all(_DEGREES.fullmatch(part) for part in parts[:2])
        or not _KILOMETRES.fullmatch(parts[2])
    ):
        raise Unacceptable("Three numbers by commas: latitude,longitude in degrees, kilometres.")
    point = Point(*map(float, parts))
    if not -90 <= point.latitude <= 90:
        raise Unacceptable("Latitudes go from -90 to 90, and come first.")
    if not -180 <= point.longitude <= 180:
        raise Unacceptable("Longitudes go from -180 to 180.")
    if not 0 < point.km <= MAX_KM:
        raise Unacceptable(f"Kilometres: above 0, at most {MAX_KM}.")
    return point


NEAR = Kind(_read_near, {"type": "string", "example": "24.767,97.559,10"})


def _read_moment(text: str) -> datetime.datetime:
    try:
        if _DAY.fullmatch(text) or _MOMENT.fullmatch(text):
            moment = datetime.datetime.fromisoformat(text)
            return moment.replace(tzinfo=datetime.UTC)
    except ValueError:
        pass
    raise Unacceptable("A day, YYYY-MM-DD, or a moment in UTC, such as 2024-03-07T10:00:00Z.")


MOMENT = Kind(_read_moment, {"type": "string", "example": "2024-03-07T10:00:00Z"})


def _read_codes(text: str) -> list[str]:
    codes = text.split(",")
    if not all(_CODE.fullmatch(code) for code in codes):
        raise Unacceptable("Codes such as MMR-2023-0001, by commas.")
    return codes


CODES = Kind(_read_codes, {"type": "string", "example": "MMR-2023-0001,MMR-2024-0001"})

DATASET = Kind(str, {"type": "string", "maxLength": MAX_VALUE_CHARACTERS})
ADDRESS = Kind(str, {"type": "string", "maxLength": MAX_ADDRESS_CHARACTERS})


class WordsFilter(StrictFilter):
    """Rows whose words are as the query says."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return qs.filter(_has_words(value))


def _has_words(literal: str) -> Func:
    """The condition on the column ``search``, with the words as they are: nothing is parsed."""
    return Func(
        F("search"),
        Cast(Value(literal), SearchQueryField()),
        template="(%(expressions)s)",
        arg_joiner=" @@ ",
        output_field=BooleanField(),
    )


class KeysFilter(StrictFilter):
    """Rows that have any of some keys in an array; with ``drops``, rows that have none of them."""

    def __init__(
        self,
        kind: Kind,
        description: str,
        *,
        column: str,
        key: Callable[[str], str] = str,
        drops: bool = False,
        **rest: Any,
    ) -> None:
        super().__init__(kind, description, several=True, **rest)
        self.has = f"{column}__overlap"
        self.key = key
        self.drops = drops

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        condition = Q((self.has, [self.key(each) for each in value]))
        return qs.filter(~condition if self.drops else condition)


class TraitFilter(KeysFilter):
    """Rows of any of some values of a dimension."""

    def __init__(self, dimension: str, kind: Kind, description: str, *, drops: bool = False):
        super().__init__(
            kind, description, column="traits", key=partial(trait, dimension), drops=drops
        )


class FlagFilter(StrictFilter):
    """Rows of which something is so, or is not."""

    def __init__(self, dimension: str, description: str) -> None:
        super().__init__(FLAG, description)
        self.dimension = dimension

    def filter(self, qs: QuerySet[Any], value: bool) -> QuerySet[Any]:
        return qs.filter(traits__overlap=[trait(self.dimension, "true" if value else "false")])


class AfterFilter(StrictFilter):
    """Rows whose moment lies after one."""

    def __init__(self, column: str, description: str) -> None:
        super().__init__(MOMENT, description)
        self.condition = f"{column}__gt"

    def filter(self, qs: QuerySet[Any], value: datetime.datetime) -> QuerySet[Any]:
        return qs.filter(Q((self.condition, value)))


class CodesFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: list[list[str]]) -> QuerySet[Any]:
        return qs.filter(code__in=sorted({code for codes in value for code in codes}))


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


class NearFilter(StrictFilter):
    """Rows within a distance, along the surface of a sphere of the Earth's mean radius."""

    def filter(self, qs: QuerySet[Any], value: Point) -> QuerySet[Any]:
        box = around(value)
        if box is not None:
            qs = BoxFilter(BOX, "").filter(qs, box)
        # Haversines are compared as they are: they grow with the distance up to half the globe.
        apart = Power(Sin(Radians(F("latitude") - Value(value.latitude)) / 2.0), 2) + Cos(
            Radians(F("latitude"))
        ) * Value(math.cos(math.radians(value.latitude))) * Power(
            Sin(Radians(F("longitude") - Value(value.longitude)) / 2.0), 2
        )
        furthest = math.sin(value.km / EARTH_KM / 2) ** 2
        return qs.alias(apart=apart).filter(apart__lte=furthest)


def around(point: Point) -> Box | None:
    """A box that holds every point within the distance; None for all of the globe."""
    # A little wider than it is, since the box only helps to find.
    angle = math.degrees(point.km / EARTH_KM) * (1 + 1e-9) + 1e-9
    south, north = point.latitude - angle, point.latitude + angle
    if south <= -90 and north >= 90:
        return None
    if south <= -90 or north >= 90:  # round a pole, all longitudes lie within
        return Box(-180, max(south, -90), 180, min(north, 90))
    sine = math.sin(math.radians(angle)) / math.cos(math.radians(point.latitude))
    across = math.degrees(math.asin(min(sine, 1))) * (1 + 1e-9) + 1e-9
    if across >= 180:
        return Box(-180, south, 180, north)
    west, east = point.longitude - across, point.longitude + across
    return Box(
        west + 360 if west < -180 else west, south, east - 360 if east > 180 else east, north
    )


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
        column = f"{outcome}_{bucket}_{bound}"
        self.column_lookup = f"{column}__{comparison}" if column in FIGURES else None


COUNT_FILTERS = {
    f"{outcome}_{bucket}_{bound}__{comparison}": CountFilter(outcome, bucket, bound, comparison)
    for outcome, bucket, bound, comparison in product(
        code_list("outcome"), code_list("count_bucket"), ("min", "best", "max"), ("gte", "lte")
    )
}


_ONE_ROW = (
    "Asked together, outcome, status, role, sex, age_group and affiliation are of one count row."
)


def _dropped(name: str, but: str = "") -> str:
    """What the twin of a filter says of itself."""
    by_itself = " by itself" if but == "alone" else ""
    return f"Without the records that {name} would find{by_itself} by any of these values."


def involvements(roles: list[str] | None, certainties: list[str] | None) -> list[str]:
    """Keys of involvements of any of these roles and any of these certainties; None: of all."""
    if roles and not certainties:
        return roles
    return [
        f"{role} {certainty}"
        for role in roles or code_list("involvement_role")
        for certainty in certainties or code_list("certainty")
    ]


class InvolvementDropped(StrictFilter):
    """Rows without an involvement of such a role, or of such a certainty."""

    def __init__(self, kind: Kind, description: str, *, of_role: bool) -> None:
        super().__init__(kind, description, several=True)
        self.of_role = of_role

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        keys = involvements(value, None) if self.of_role else involvements(None, value)
        return qs.exclude(actor_keys__overlap=keys)


def _within(name: str, code: str) -> list[str]:
    """A code and those that are within it: of child, infant too."""
    found = []
    for narrow in code_list(name):
        step: str | None = narrow
        while step is not None and step != code:
            step = code_list(name)[step].parent
        if step == code:
            found.append(narrow)
    return found


def _row_condition(name: str, listed_as: str) -> Callable[[list[str]], Q]:
    lookup = f"{name}__in"

    def condition(codes: list[str]) -> Q:
        return Q((lookup, sorted({each for code in codes for each in _within(listed_as, code)})))

    return condition


# Condition on one count row, by what is asked of it.
ROW_CONDITIONS: dict[str, Callable[[list[str]], Q]] = {
    **{name: _row_condition(name, codes) for name, codes in DIMENSIONS_OF_A_COUNT.items()},
    "affiliation": lambda ids: Q(affiliation_keys__overlap=ids),
}
ROW_MEANINGS = {
    "outcome": "What happened to the persons of an assessed count row.",
    "status": "Status of the persons of an assessed count row.",
    "role": "Role of the persons of an assessed count row.",
    "sex": "Sex of the persons of an assessed count row; all is a row of every sex.",
    "age_group": "Age of the persons of an assessed count row: child takes in infant, adult "
    "elderly; all is a row of every age.",
}
ROW_FILTERS = {
    name: item
    for dimension, codes in DIMENSIONS_OF_A_COUNT.items()
    for name, item in (
        (
            dimension,
            TogetherFilter(
                listed(code_list(codes)), f"{ROW_MEANINGS[dimension]} {_ONE_ROW}", several=True
            ),
        ),
        (
            f"not_{dimension}",
            TraitFilter(
                dimension, listed(code_list(codes)), _dropped(dimension, "alone"), drops=True
            ),
        ),
    )
}


GRADING = listed(code_list("grading"))
RECORD_TYPE = listed(code_list("record_type"))
HARM_REPORTED = listed(code_list("harm_reported"))
ABOUT_GRADING = "How well the harm is established."
ABOUT_RECORD_TYPE = "Single incidents, or counts over several."
ABOUT_HARM_REPORTED = "Whether any source reports harm to civilians."


class AssessmentFilters(StrictFilterSet):
    """What is asked of our assessment in casework and in public alike.

    Filters on the date, and those on one total, are applied together.
    """

    date_from = TogetherFilter(DAY, "Not before this day; date_match says how that is meant.")
    date_to = TogetherFilter(DAY, "Not after this day; date_match says how that is meant.")
    date_match = TogetherFilter(
        listed(("possible", "certain")),
        "How an uncertain date is matched. possible, which is meant without it: it can have been "
        "in the range, and an open end reaches as far as it can. certain: it lies in the range "
        "whatever it was; a date with an open end is never certain. An incident of no known date "
        "matches neither.",
    )
    bbox = BoxFilter(
        BOX,
        "west,south,east,north in degrees (WGS 84), the edges included: of the main place's "
        "point. With west greater than east the box crosses the antimeridian.",
    )
    grading = StrictFilter(GRADING, ABOUT_GRADING, lookup_expr="in", several=True)
    record_type = StrictFilter(RECORD_TYPE, ABOUT_RECORD_TYPE, lookup_expr="in", several=True)
    harm_reported = StrictFilter(HARM_REPORTED, ABOUT_HARM_REPORTED, lookup_expr="in", several=True)

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
            if isinstance(item, CountFilter) and item.column_lookup:
                queryset = queryset.filter(Q((item.column_lookup, value)))
            elif isinstance(item, CountFilter):
                conditions[item.total] = conditions.get(item.total, Q()) & Q((item.lookup, value))
        for (outcome, bucket), condition in conditions.items():
            rows = PublishedTotal.objects.using("published").filter(
                condition, incident=OuterRef("pk"), outcome=outcome, bucket=bucket
            )
            queryset = queryset.filter(Exists(rows))
        return queryset


class IncidentFilters(AssessmentFilters):
    """Filters of incidents, the same for every list and export of what belongs to incidents.

    Those on one weapon, one involvement and one count row are applied together.
    """

    place = KeysFilter(
        PLACE,
        "P-code or id of a place, the main one or a further one; whatever lies in it is found too.",
        column="place_keys",
    )
    not_place = KeysFilter(PLACE, _dropped("place"), column="place_keys", drops=True)
    further_place = KeysFilter(
        PLACE,
        "P-code or id of a place, as place has it, but one of the further places alone.",
        column="place_keys",
        key="+{}".format,
    )
    country = KeysFilter(
        COUNTRY,
        "ISO 3166-1 alpha-3 code of the country of the main place or of a further one.",
        column="place_keys",
    )
    not_country = KeysFilter(COUNTRY, _dropped("country"), column="place_keys", drops=True)
    near = NearFilter(
        NEAR,
        "latitude,longitude,kilometres: the main place's point lies at most so far from this one, "
        f"along a great circle. At most {MAX_KM} km.",
    )
    weapon = TogetherFilter(
        listed(weapon_codes()),
        "Code of an assessed weapon type of either level; the first level takes in the second. "
        "With platform, of one and the same weapon.",
        several=True,
    )
    not_weapon = TraitFilter("weapon", weapon.kind, _dropped("weapon"), drops=True)
    platform = TogetherFilter(
        listed(code_list("platform")),
        "What an assessed weapon was used from.",
        several=True,
    )
    not_platform = TraitFilter("platform", platform.kind, _dropped("platform"), drops=True)
    contested_weapon = FlagFilter(
        "contested_weapon",
        "Whether the assessment names weapons as either this one or that one.",
    )
    circumstance = TraitFilter(
        "circumstance", listed(code_list("circumstance")), "In what circumstances it happened."
    )
    not_circumstance = TraitFilter(
        "circumstance", circumstance.kind, _dropped("circumstance"), drops=True
    )
    actor = TogetherFilter(
        UUID,
        "Id of an actor in the assessment, one involved or one whose members were harmed; its "
        "parts are found too. With actor_role or actor_certainty: one involved in that way.",
        several=True,
    )
    actor_role = TogetherFilter(
        listed(code_list("involvement_role")),
        "As what an actor is involved. With actor and actor_certainty, of one involvement.",
        several=True,
    )
    actor_certainty = TogetherFilter(
        listed(code_list("certainty")),
        "How sure an involvement is. With actor and actor_role, of one involvement.",
        several=True,
    )
    not_actor = KeysFilter(UUID, _dropped("actor", "alone"), column="actor_keys", drops=True)
    not_actor_role = InvolvementDropped(
        actor_role.kind, _dropped("actor_role", "alone"), of_role=True
    )
    not_actor_certainty = InvolvementDropped(
        actor_certainty.kind, _dropped("actor_certainty", "alone"), of_role=False
    )
    grading = TraitFilter("grading", GRADING, ABOUT_GRADING)
    not_grading = TraitFilter("grading", GRADING, _dropped("grading"), drops=True)
    record_type = TraitFilter("record_type", RECORD_TYPE, ABOUT_RECORD_TYPE)
    not_record_type = TraitFilter("record_type", RECORD_TYPE, _dropped("record_type"), drops=True)
    harm_reported = TraitFilter(
        "harm_reported",
        HARM_REPORTED,
        ABOUT_HARM_REPORTED,
    )
    not_harm_reported = TraitFilter(
        "harm_reported", HARM_REPORTED, _dropped("harm_reported"), drops=True
    )
    dataset = TraitFilter(
        "dataset",
        DATASET,
        "Name of another dataset that has the incident too, as external_ids has it.",
    )
    not_dataset = TraitFilter("dataset", DATASET, _dropped("dataset"), drops=True)
    affiliation = TogetherFilter(
        UUID,
        "Id of an actor that persons of an assessed count row belonged to; its parts are found "
        f"too. {_ONE_ROW}",
        several=True,
    )
    not_affiliation = TraitFilter("affiliation", UUID, _dropped("affiliation", "alone"), drops=True)
    has_victims = FlagFilter("has_victims", "Whether persons are listed one by one, named or not.")
    has_denial = FlagFilter("has_denial", "Whether any claim is a denial.")
    independent_sources__gte = StrictFilter(
        whole(0, 10_000),
        "How many independent voices report the harm, at least.",
        field_name="independent_sources",
        lookup_expr="gte",
    )
    outlet = KeysFilter(
        UUID,
        "Id of an outlet that carried a claim's article, or that speaks in a claim.",
        column="reference_keys",
    )
    not_outlet = KeysFilter(UUID, _dropped("outlet"), column="reference_keys", drops=True)
    article_url = KeysFilter(
        ADDRESS,
        "Address of an article that a claim is from, of a copy or of an archived one: byte for "
        "byte as it is recorded.",
        column="address_keys",
        key=address_key,
        max_characters=MAX_ADDRESS_CHARACTERS,
    )
    published_after = AfterFilter(
        "first_published_at",
        "First published after this moment in UTC. A day stands for its beginning: what was "
        "published on it is found.",
    )
    changed_after = AfterFilter(
        "published_at",
        "The current version was published after this moment in UTC, the first one or a later. A "
        "day stands for its beginning: what was published on it is found.",
    )
    code = CodesFilter(
        CODES, "Codes of records, by commas.", several=True, max_characters=MAX_ADDRESS_CHARACTERS
    )
    q = WordsFilter(
        WORDS,
        f"At most {MAX_TERMS} words: of title, summary, and the names of places, actors, weapons "
        "and persons that the record names in public, in any spelling that it has of them. All of "
        'them are there; "two words" stand together; -word is not there; or has either side. '
        "Neither case nor accents count. Burmese is looked for by syllables.",
    )

    @classmethod
    def get_filters(cls) -> OrderedDict[str, Any]:
        return OrderedDict([*super().get_filters().items(), *ROW_FILTERS.items()])

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self._with_one_row(super().filter_queryset(queryset).filter(*self._keys()))

    def _keys(self) -> Iterator[Q]:
        """What filters that are applied together look for in arrays."""
        weapons, platforms = self.given.get("weapon"), self.given.get("platform")
        if weapons and platforms:
            both = [f"{weapon} {platform}" for weapon in weapons for platform in platforms]
            yield Q(traits__overlap=[trait("weapon_platform", value) for value in both])
        elif weapons or platforms:
            name = "weapon" if weapons else "platform"
            yield Q(traits__overlap=[trait(name, value) for value in weapons or platforms or ()])
        actors = self.given.get("actor")
        roles, certainties = self.given.get("actor_role"), self.given.get("actor_certainty")
        if roles or certainties:
            parts = involvements(roles, certainties)
            if actors:
                parts = [f"{actor} {part}" for actor in actors for part in parts]
            yield Q(actor_keys__overlap=parts)
        elif actors:
            yield Q(actor_keys__overlap=actors)

    def _with_one_row(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """One count row on which all that is asked of one holds.

        Traits say so of one thing, and of two where neither is ``all``. Of more they tell
        PostgreSQL how rare such records are: each has the traits of every two.
        """
        asked = {name: self.given[name] for name in ROW_CONDITIONS if name in self.given}
        narrow = [
            name for name, values in asked.items() if name != "affiliation" and "all" not in values
        ]
        pairs = list(combinations(narrow, 2))
        if pairs:
            for one, other in pairs:
                both = [" ".join(values) for values in product(asked[one], asked[other])]
                queryset = queryset.filter(
                    traits__overlap=[trait(f"{one} {other}", values) for values in both]
                )
        else:
            for name, values in asked.items():
                queryset = queryset.filter(traits__overlap=[trait(name, each) for each in values])
        if len(asked) < 2 or len(asked) == len(narrow) == 2:
            return queryset
        condition = Q()
        for name, values in asked.items():
            condition &= ROW_CONDITIONS[name](values)
        rows = PublishedCasualty.objects.using("published").filter(
            condition, incident=OuterRef("pk")
        )
        return queryset.filter(Exists(rows))


class CountedFilters(IncidentFilters):
    """The same for what counts all that is found, in whatever order it comes."""

    def _dates(self) -> Q:
        """Said again of both ends at once, as the index of days has it: of one country's records
        those of a year are found without reading the others."""
        start, end = self.given.get("date_from"), self.given.get("date_to")
        if not (start or end):
            return Q()
        days = Overlap(Days("date_earliest", "date_latest"), DateRange(start, end, "[]"))
        return super()._dates() & Q(days)


class ReferenceFilters(StrictFilterSet):
    """Filters of what published documents refer to."""

    q = WordsFilter(WORDS, f"Words of the name in any spelling, at most {MAX_TERMS}.")


class PlaceFilters(ReferenceFilters):
    level = StrictFilter(
        listed(code_list("place_level")), "What sort of place.", field_name="subkind"
    )
    pcode = StrictFilter(PCODE, "The place of this P-code.")
    parent = StrictFilter(
        PLACE,
        "Places right below this one: its P-code or id.",
        field_name="parent_keys",
        lookup_expr="overlap",
        several=True,
    )


class ActorFilters(ReferenceFilters):
    kind = StrictFilter(
        listed(code_list("actor_kind")), "What sort of actor.", field_name="subkind"
    )


class OutletFilters(ReferenceFilters):
    kind = StrictFilter(
        listed(code_list("outlet_kind")), "What sort of source.", field_name="subkind"
    )
    country = StrictFilter(COUNTRY, "ISO 3166-1 alpha-3.")


class ArticleFilters(ReferenceFilters):
    outlet = StrictFilter(UUID, "Id of the outlet.")
    language = StrictFilter(LANGUAGE, "Language tag (BCP 47).")


class WeaponTypeFilters(StrictFilterSet):
    parent = StrictFilter(
        listed([code for code, parent in weapon_codes().items() if parent is None]),
        "Weapon types of this first level.",
        field_name="parent_id",
    )

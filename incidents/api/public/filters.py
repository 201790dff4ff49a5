"""What published incidents, and the things they refer to, are found by."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from django.contrib.postgres.lookups import Overlap
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Exists, OuterRef, Q, QuerySet

from harmtracker.api.filters import StrictFilter, StrictFilterSet, TogetherFilter
from harmtracker.api.parameters import (
    ADDRESS,
    COUNTRY,
    DAY,
    LANGUAGE,
    MAX_ADDRESS_CHARACTERS,
    PCODE,
    PLACE,
    UUID,
    Unacceptable,
    listed,
    raise_for,
    whole,
)
from harmtracker.codes import code_list
from incidents.finding import (
    Days,
    address_key,
    trait,
    weapon_types,
)
from incidents.models import PublishedCasualty, PublishedTotal
from incidents.search import MAX_TERMS

from .conditions import (
    COUNT_FILTERS,
    ONE_ROW,
    ROW_CONDITIONS,
    ROW_FILTERS,
    AfterFilter,
    BoxFilter,
    CodesFilter,
    CountFilter,
    FlagFilter,
    InvolvementDropped,
    KeysFilter,
    NearFilter,
    TraitFilter,
    WordsFilter,
    dropped,
    involvements,
)
from .values import (
    BOX,
    CODES,
    DATASET,
    MAX_KM,
    NEAR,
    WORDS,
)


def weapon_codes() -> dict[str, str | None]:
    """Code -> code of its first level."""
    return {code: row["parent"] for code, row in weapon_types().items()}


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
    not_place = KeysFilter(PLACE, dropped("place"), column="place_keys", drops=True)
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
    not_country = KeysFilter(COUNTRY, dropped("country"), column="place_keys", drops=True)
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
    not_weapon = TraitFilter("weapon", weapon.kind, dropped("weapon"), drops=True)
    platform = TogetherFilter(
        listed(code_list("platform")),
        "What an assessed weapon was used from.",
        several=True,
    )
    not_platform = TraitFilter("platform", platform.kind, dropped("platform"), drops=True)
    contested_weapon = FlagFilter(
        "contested_weapon",
        "Whether the assessment names weapons as either this one or that one.",
    )
    circumstance = TraitFilter(
        "circumstance", listed(code_list("circumstance")), "In what circumstances it happened."
    )
    not_circumstance = TraitFilter(
        "circumstance", circumstance.kind, dropped("circumstance"), drops=True
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
    not_actor = KeysFilter(UUID, dropped("actor", "alone"), column="actor_keys", drops=True)
    not_actor_role = InvolvementDropped(
        actor_role.kind, dropped("actor_role", "alone"), of_role=True
    )
    not_actor_certainty = InvolvementDropped(
        actor_certainty.kind, dropped("actor_certainty", "alone"), of_role=False
    )
    grading = TraitFilter("grading", GRADING, ABOUT_GRADING)
    not_grading = TraitFilter("grading", GRADING, dropped("grading"), drops=True)
    record_type = TraitFilter("record_type", RECORD_TYPE, ABOUT_RECORD_TYPE)
    not_record_type = TraitFilter("record_type", RECORD_TYPE, dropped("record_type"), drops=True)
    harm_reported = TraitFilter(
        "harm_reported",
        HARM_REPORTED,
        ABOUT_HARM_REPORTED,
    )
    not_harm_reported = TraitFilter(
        "harm_reported", HARM_REPORTED, dropped("harm_reported"), drops=True
    )
    dataset = TraitFilter(
        "dataset",
        DATASET,
        "Name of another dataset that has the incident too, as external_ids has it.",
    )
    not_dataset = TraitFilter("dataset", DATASET, dropped("dataset"), drops=True)
    affiliation = TogetherFilter(
        UUID,
        "Id of an actor that persons of an assessed count row belonged to; its parts are found "
        f"too. {ONE_ROW}",
        several=True,
    )
    not_affiliation = TraitFilter("affiliation", UUID, dropped("affiliation", "alone"), drops=True)
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
    not_outlet = KeysFilter(UUID, dropped("outlet"), column="reference_keys", drops=True)
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

"""What records are found by: as on the public side, and by where they stand in the work."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL

from harmtracker.api.filters import StrictFilter, StrictFilterSet
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
)
from harmtracker.codes import code_list
from harmtracker.searching import Folded
from incidents import warnings
from incidents.api.public.conditions import CountFilter
from incidents.api.public.filters import AssessmentFilters, weapon_codes
from incidents.choices import State
from incidents.models import Actor, CasualtyCount, Involvement, Place, WeaponUse
from incidents.search import MAX_TERMS, fold

NOBODY = "nobody"


def _read_words(text: str) -> list[str]:
    words = text.split()
    if len(words) > MAX_TERMS:
        raise Unacceptable(f"At most {MAX_TERMS} words.")
    return [fold(word) for word in words]


WORDS = Kind(_read_words, {"type": "string", "maxLength": MAX_VALUE_CHARACTERS})
# People are named as they log in. Whether there is one of that name is not said: none is found.
PERSON = Kind(str, {"type": "string", "maxLength": 150})


def with_descendants(model: type[Place] | type[Actor], roots: QuerySet[Any]) -> set[int]:
    """Keys of some rows of a tree and of all below them, one query for each level."""
    found: set[int] = set()
    level = set(roots.values_list("pk", flat=True))
    while level:
        found |= level
        below = model._default_manager.filter(parent_id__in=level).values_list("pk", flat=True)
        level = set(below) - found
    return found


class PlaceFilter(StrictFilter):
    """The place or one that lies in it, main or further."""

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        ids = [v for v in value if "-" in v]
        roots = Place.objects.filter(Q(uuid__in=ids) | Q(pcode__in=set(value) - set(ids)))
        places = with_descendants(Place, roots)
        return qs.filter(
            Q(place_id__in=places)
            | Q(pk__in=_incidents(qs.model, further_places__place__in=places))
        )


def _incidents(model: type[models.Model], **conditions: Any) -> QuerySet[Any]:
    return model._default_manager.filter(**conditions).values("pk")


class WeaponFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        rows = WeaponUse.objects.filter(
            Q(weapon__in=value) | Q(weapon__parent__in=value), claim=None, incident=OuterRef("pk")
        )
        return qs.filter(Exists(rows))


class ActorFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        actors = with_descendants(Actor, Actor.objects.filter(uuid__in=value))
        involved = Involvement.objects.filter(actor__in=actors, claim=None, incident=OuterRef("pk"))
        counted = CasualtyCount.objects.filter(
            affiliation__in=actors, claim=None, incident=OuterRef("pk")
        )
        return qs.filter(Exists(involved) | Exists(counted))


class WordsFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        qs = qs.alias(
            searched=Folded(
                Func(
                    Value(" \n "),
                    F("title"),
                    F("summary"),
                    F("place__name"),
                    F("code"),
                    Func(F("place__other_names"), Value(" "), function="array_to_string"),
                    function="concat_ws",
                    output_field=models.TextField(),
                )
            )
        )
        for word in value:
            qs = qs.filter(searched__contains=word)
        return qs


class AssigneeFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        found = Q(assignment__person__username__in=value)
        return qs.filter(found | Q(assignment=None) if NOBODY in value else found)


class WaitingFilter(StrictFilter):
    """Of those that wait for a verifier, by the day since when they do."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        waits = qs.filter(state__in=[State.SUBMITTED, State.VERIFIED])
        return waits.filter((f"submitted_at__date__{self.lookup_expr}", value))


class WarningFilter(StrictFilter):
    """Records that a warning stands on, of those that the reader may be told of. The rules are the
    database's."""

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return qs.filter(_warned(self, "w.rule = ANY(%s)", value))


class OpenWarningFilter(StrictFilter):
    """Records on which a warning is open, or none is, of those that the reader may be told of."""

    def filter(self, qs: QuerySet[Any], value: bool) -> QuerySet[Any]:
        return qs.alias(is_warned=_warned(self, "w.is_open")).filter(is_warned=value)


def _warned(asked: Any, condition: str, *values: Any) -> RawSQL:
    reader = asked.parent.request.user
    known, person = "true", []
    if not reader.has_perm("incidents.verify_incident"):
        known, person = warnings.MAY_KNOW, [reader.pk]
    return RawSQL(  # noqa: S611  (of constants; values are parameters)
        f"EXISTS (SELECT FROM incidents_warnings(incidents_incident.id) w "
        f"WHERE {condition} AND {known})",
        [*values, *person],
        output_field=models.BooleanField(),
    )


class CompleteFilter(StrictFilter):
    """Records that lack nothing before they can be submitted, or those that do."""

    def filter(self, qs: QuerySet[Any], value: bool) -> QuerySet[Any]:
        lacks = RawSQL(
            "EXISTS (SELECT FROM incidents_warnings(incidents_incident.id) w WHERE w.blocks)",
            [],
            output_field=models.BooleanField(),
        )
        return qs.alias(lacks=lacks).filter(lacks=not value)


class CaseworkFilters(AssessmentFilters):
    """As on the public side, over our assessment as it stands; and by the state of the work.

    A condition on counts looks at one assessed row of the outcome and of a status in the bucket.
    """

    state = StrictFilter(
        listed(State.values), "State of the record.", lookup_expr="in", several=True
    )
    author = StrictFilter(
        PERSON,
        "User name of who entered it.",
        field_name="author__username",
        lookup_expr="in",
        several=True,
    )
    assignee = AssigneeFilter(
        PERSON, f"User name of who has taken it; {NOBODY} for none.", several=True
    )
    waiting_since__lte = WaitingFilter(
        DAY, "It has waited for a verifier since this day or longer.", lookup_expr="lte"
    )
    waiting_since__gte = WaitingFilter(
        DAY, "It has waited for a verifier since this day or less.", lookup_expr="gte"
    )
    has_open_warning = OpenWarningFilter(
        FLAG, "A warning is open: neither mended nor answered.", field_name="id"
    )
    warning = WarningFilter(
        listed(code_list("record_warning")),
        "A warning stands on it, such as grading_without_sources.",
        several=True,
    )
    is_complete = CompleteFilter(FLAG, "Whether it lacks nothing before it can be submitted.")
    place = PlaceFilter(
        PLACE, "P-code or id of a place; all that lies in it is found too.", several=True
    )
    weapon = WeaponFilter(
        listed(weapon_codes()),
        "Code of a weapon type of either level; the first level takes in the second.",
        several=True,
    )
    actor = ActorFilter(
        UUID, "Id of an actor in the assessment; its parts are found too.", several=True
    )
    q = WordsFilter(
        WORDS,
        f"Words of title, summary, code or place names, at most {MAX_TERMS}: all of them, "
        "anywhere, in any spelling of case and accents.",
    )

    def _with_totals(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        conditions: dict[tuple[str, str], Q] = {}
        for name, value in self.given.items():
            item = self.filters[name]
            if isinstance(item, CountFilter):
                conditions[item.total] = conditions.get(item.total, Q()) & Q((item.lookup, value))
        for (outcome, bucket), condition in conditions.items():
            statuses = [
                entry.code
                for entry in code_list("person_status").values()
                if bucket == "all" or entry.mappings["bucket"] == bucket
            ]
            rows = CasualtyCount.objects.filter(
                condition,
                incident=OuterRef("pk"),
                claim=None,
                outcome=outcome,
                status__in=statuses,
            )
            queryset = queryset.filter(Exists(rows))
        return queryset


class NamesFilter(StrictFilter):
    """Rows of which all the words stand in a name, in any spelling of case and accents."""

    def __init__(self, *columns: str) -> None:
        super().__init__(WORDS, f"Words of its names, at most {MAX_TERMS}, in any spelling.")
        self.columns = columns

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        names = Func(F("other_names"), Value(" "), function="array_to_string")
        text = Func(
            Value(" "), *self.columns, names, function="concat_ws", output_field=models.TextField()
        )
        qs = qs.alias(searched=Folded(text))
        for word in value:
            qs = qs.filter(searched__contains=word)
        return qs


class WithinFilter(StrictFilter):
    """Rows below one in a tree, however deep."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        model: Any = qs.model
        roots = model.objects.filter(uuid=value)
        return qs.filter(pk__in=with_descendants(model, roots)).exclude(uuid=value)


class PlaceFilters(StrictFilterSet):
    """Filters of places."""

    q = NamesFilter("name", "slug", "pcode")
    level = StrictFilter(
        listed(code_list("place_level")), "What sort of place.", lookup_expr="in", several=True
    )
    pcode = StrictFilter(PCODE, "The place of this P-code.")
    within = WithinFilter(UUID, "Places that lie in this one, however deep.")
    protected = StrictFilter(FLAG, "Whether its points leave on a grid.")


class ActorFilters(StrictFilterSet):
    """Filters of actors."""

    q = NamesFilter("name", "slug")
    kind = StrictFilter(
        listed(code_list("actor_kind")), "What sort of actor.", lookup_expr="in", several=True
    )
    within = WithinFilter(UUID, "Units of this actor, however deep.")


class DatasetFilters(StrictFilterSet):
    """Filters of datasets."""

    redistributable = StrictFilter(FLAG, "Whether its rows may leave in public output.")

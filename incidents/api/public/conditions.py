"""How one parameter narrows what published rows are found."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

from django.contrib.postgres.search import SearchQueryField
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Cast, Cos, Power, Radians, Sin

from harmtracker.api.filters import StrictFilter, TogetherFilter
from harmtracker.api.parameters import FLAG, Kind, listed, whole
from harmtracker.codes import code_list
from incidents.finding import DIMENSIONS_OF_A_COUNT, FIGURES, trait

from .values import BOX, EARTH_KM, MOMENT, Box, Point, around

MAX_PERSONS = 2**31 - 1


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


ONE_ROW = (
    "Asked together, outcome, status, role, sex, age_group and affiliation are of one count row."
)


def dropped(name: str, but: str = "") -> str:
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
                listed(code_list(codes)), f"{ROW_MEANINGS[dimension]} {ONE_ROW}", several=True
            ),
        ),
        (
            f"not_{dimension}",
            TraitFilter(
                dimension, listed(code_list(codes)), dropped(dimension, "alone"), drops=True
            ),
        ),
    )
}

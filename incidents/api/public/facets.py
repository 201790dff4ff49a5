"""How many incidents there are of each value of a dimension, under the filters of the list."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import BooleanField, CharField, Count, F, Func, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

import harmtracker
from harmtracker.api import conditional
from harmtracker.api.parameters import Kind, Parameter, Unacceptable, nearest
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import describe
from harmtracker.codes import code_list
from incidents.finding import DIMENSIONS_OF_A_COUNT, weapon_types

from . import as_of, reading
from .filters import CountedFilters
from .lists import PublicView

# Values of one dimension, the most frequent ones.
MAX_VALUES = 200


@dataclass(frozen=True)
class Dimension:
    """What is counted: keys of an array column that begin with ``prefix`` (or have this role)."""

    column: str
    # Filters that pick among its values: left out when it is counted, so that the others show.
    own: tuple[str, ...] = ()
    code_list: str | None = None
    role: str | None = None


def _trait(own: str | None, codes: str | None = None) -> Dimension:
    return Dimension("traits", (own,) if own else (), codes)


DIMENSIONS: dict[str, Dimension] = {
    "year": _trait(None),
    "country": _trait("country"),
    "adm1": _trait("place"),
    "weapon": _trait("weapon"),
    "platform": _trait("platform", "platform"),
    "contested_weapon": _trait("contested_weapon"),
    "circumstance": _trait("circumstance", "circumstance"),
    "grading": _trait("grading", "grading"),
    "record_type": _trait("record_type", "record_type"),
    "harm_reported": _trait("harm_reported", "harm_reported"),
    "dataset": _trait("dataset"),
    "has_victims": _trait("has_victims"),
    "has_denial": _trait("has_denial"),
    **{name: _trait(name, codes) for name, codes in DIMENSIONS_OF_A_COUNT.items()},
    **{
        f"actor_{role}": Dimension("actor_keys", ("actor",), role=role)
        for role in code_list("involvement_role")
    },
}
USUAL = [name for name, dimension in DIMENSIONS.items() if dimension.role is None]


def _read_names(text: str) -> list[str]:
    asked = list(dict.fromkeys(text.split(",")))
    for name in asked:
        if name not in DIMENSIONS:
            raise Unacceptable("No such dimension.", nearest(name, DIMENSIONS))
    return asked


FACET = Parameter(
    "facet",
    Kind(_read_names, {"type": "array", "items": {"type": "string", "enum": [*DIMENSIONS]}}),
    "Dimensions to count, by commas. Without it: all but the actors.",
    max_characters=1000,
    by_commas=True,
)


class FacetValueSerializer(serializers.Serializer):
    code = serializers.CharField(
        allow_null=True, help_text="What the filter takes; null: not known, or none."
    )
    label = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="In words, or its name."
    )
    count = serializers.IntegerField(help_text="How many incidents.")


class FacetSerializer(serializers.Serializer):
    values = FacetValueSerializer(many=True, help_text="The most frequent first, equals by code.")
    more = serializers.IntegerField(
        help_text=f"How many further values there are beyond {MAX_VALUES}."
    )


class FacetsSerializer(serializers.Serializer):
    position = serializers.IntegerField(help_text="Ledger position that all of it is as of.")
    facets = serializers.DictField(child=FacetSerializer(), help_text="By dimension.")


class _Each(Func):
    """The keys of an array, and once more the empty one, which counts the rows."""

    function = "unnest"
    template = "unnest(array_append(%(expressions)s, ''))"
    set_returning = True

    def __init__(self, column: str) -> None:
        super().__init__(F(column), output_field=CharField())


class _IsNot(Func):
    """Rows for which a condition on their own table is false, or not known."""

    template = "(%(expressions)s) IS NOT TRUE"
    output_field = BooleanField()


def _keys(found: QuerySet[Any], column: str) -> dict[str, int]:
    """Key -> how many rows have it; the empty key -> how many rows there are."""
    counted = found.order_by().annotate(key=_Each(column)).values("key").annotate(n=Count("pk"))
    return dict(counted.values_list("key", "n"))


# Counts and the position that they are of, in one statement: of one moment.
_AT_HEAD = """
    SELECT c.key, c.n, (SELECT size FROM incidents_ledgerhead WHERE id = 1)
    FROM incidents_publishedkeycount c WHERE c.kind = %s
"""


def _keys_of_all(column: str, at: int) -> dict[str, int] | None:
    """The same of all incidents, without counting them; None where the ledger has gone on."""
    with connections["published"].cursor() as cursor:
        cursor.execute(_AT_HEAD, [column])
        rows = cursor.fetchall()
    if not rows or rows[0][2] != at:
        return None
    return {key: n for key, n, _position in rows}


def _counts(name: str, dimension: Dimension, keys: dict[str, int]) -> dict[str | None, int]:
    if dimension.role is None:
        prefix = f"{name}:"
        return {
            key.removeprefix(prefix) or None: n for key, n in keys.items() if key.startswith(prefix)
        }
    counts: dict[str | None, int] = {}
    for key, n in keys.items():
        actor, _, role = key.partition(" ")
        if role == dimension.role:
            counts[actor] = n
    without = keys.get("", 0) - keys.get(dimension.role, 0)
    return {**counts, None: without} if without else counts


def names_of(codes: Collection[str], at: int) -> dict[str, str]:
    """Names of places by id or P-code, and of actors by id, at a ledger position."""
    rows = reading.references(at, "place", "actor").filter(
        Q(kind="place", pcode__in=codes) | Q(key__in=codes)
    )
    names = {}
    # Documents of different days may give one P-code to two places: it is the newest one's.
    for key, pcode, name in rows.order_by("valid_from", "key").values_list("key", "pcode", "name"):
        names[key] = name
        names[pcode or key] = name
    return names


def _label(name: str, code: str | None, names: dict[str, str]) -> str | None:
    if code is None:
        return None
    listed = DIMENSIONS[name].code_list
    if listed:
        return code_list(listed)[code].label
    if name == "weapon":
        return str(weapon_types()[code]["label"])
    return names.get(code, code)


def _facet(name: str, counts: dict[str | None, int], names: dict[str, str]) -> dict[str, Any]:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0] is None, row[0]))
    return {
        "values": [
            {"code": code, "label": _label(name, code, names), "count": n}
            for code, n in rows[:MAX_VALUES]
        ],
        "more": max(len(rows) - MAX_VALUES, 0),
    }


@describe(
    "getFacets",
    summary="Incidents by each dimension",
    tag="Incidents",
    parameters=[FACET.documented(), as_of.AS_OF.documented(), *CountedFilters.documented()],
    ok=FacetsSerializer,
)
class FacetsView(PublicView):
    """How many incidents there are of each value of a dimension, under the filters of incidents/.

    Of each dimension under all filters but the one that picks among its own values, so that the
    values beside those picked show too: grading=fair does not narrow the facet grading. Its twin
    not_grading does, and so do the date filters for years. The own filter of adm1 is place, of
    the actors actor. An incident counts once for each value it has, and for each wider one: for
    EXG as for EXG-ART. All is as of one ledger position.
    """

    parameters = {FACET.name, as_of.AS_OF.name, *CountedFilters.base_filters}
    several = CountedFilters.several()

    def get(self, request: Request) -> Any:
        asked = self.query.read(FACET) or USUAL
        head = reading.position()
        at = as_of.position(self.query, head)
        # All of it is read, and refused if need be, with every filter in force.
        CountedFilters.of(self.query, reading.incidents(at)).qs  # noqa: B018
        address = request.build_absolute_uri(request.path)
        etag = conditional.etag_of(
            harmtracker.__version__, as_of.state(at, head), address, self.query.normal()
        )
        if conditional.is_current(request, etag):
            return conditional.not_modified(etag)
        counts = dict(self._counted(asked, at))
        codes = {
            code
            for name in asked
            if name in ("country", "adm1") or DIMENSIONS[name].role
            for code in counts[name]
            if code is not None
        }
        names = names_of(codes, at) if codes else {}
        facets = {name: _facet(name, counts[name], names) for name in asked}
        body = StoredJSONRenderer().render({"position": at, "facets": facets})
        return self.answer(body, etag)

    def _counted(
        self, asked: Iterable[str], at: int
    ) -> Iterator[tuple[str, dict[str | None, int]]]:
        """In one count for all dimensions of one column that the same filters are in force for."""
        filters = self.query.values.keys() & CountedFilters.base_filters.keys()
        of_all: dict[str, dict[str, int] | None] = {}
        known: dict[tuple[str, frozenset[str]], dict[str, int]] = {}
        for name in asked:
            dimension = DIMENSIONS[name]
            column = dimension.column
            if column not in of_all:
                of_all[column] = _keys_of_all(column, at)
            left_out = frozenset(filters & set(dimension.own))
            if (column, left_out) not in known:
                keys = of_all[column]
                if keys is None or filters - left_out:
                    keys = self._keys(column, left_out, at, of_all[column])
                known[column, left_out] = keys
            yield name, _counts(name, dimension, known[column, left_out])

    def _keys(
        self, column: str, left_out: frozenset[str], at: int, of_all: dict[str, int] | None
    ) -> dict[str, int]:
        found = CountedFilters.of(self.query, reading.incidents(at), without=left_out).qs
        is_of_one_table = len(found.query.alias_map) == 1
        if of_all is None or not is_of_one_table or 2 * found.count() <= of_all.get("", 0):
            return _keys(found, column)
        # Where most are left in, the keys of the others take less time to count.
        of_others = _keys(reading.incidents(at).filter(_IsNot(found.query.where)), column)
        kept = {key: n - of_others.get(key, 0) for key, n in of_all.items()}
        return {key: n for key, n in kept.items() if n}

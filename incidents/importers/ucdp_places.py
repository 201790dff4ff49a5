"""Which of our places the names of UCDP GED stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from incidents.models import Place

# What the levels are called in the dataset, and in the P-code list.
_LEVEL = re.compile(
    r" (state|region|division|province|union territory|district|self-administered (zone|division))$"
)
_PART = re.compile(r" \((north|south|east|west)\)$")


def plain(name: str) -> str:
    """A name without the word for its level, in one spelling of spaces and capitals."""
    words = " ".join(name.casefold().split())
    return _LEVEL.sub("", words)


@dataclass(frozen=True)
class Found:
    """The narrowest place that the names lead to; a column and a message for each name left."""

    place_id: int | None
    messages: tuple[tuple[str, str], ...] = ()


class Places:
    """Countries, adm1 and adm2 as the database has them, with the spellings of the dataset.

    ``aliases`` gives further spellings by slug.
    """

    def __init__(self, rows: Iterable[Place], aliases: Mapping[str, Iterable[str]]) -> None:
        self._named: dict[tuple[int | None, str], set[int]] = {}
        for place in rows:
            names = [place.name, *place.other_names, *aliases.get(place.slug, ())]
            for name in names:
                self._add(place, plain(name))
            if place.level == "adm1":
                # One state of the dataset may be several of the list: Shan (North), Shan (South).
                self._add(place, _PART.sub("", plain(place.name)))

    @classmethod
    def of_database(cls, aliases: Mapping[str, Iterable[str]]) -> Places:
        return cls(Place.objects.filter(level__in=["country", "adm1", "adm2"]), aliases)

    def _add(self, place: Place, name: str) -> None:
        self._named.setdefault((place.parent_id, name), set()).add(place.pk)

    def _within(self, parents: Iterable[int | None], name: str) -> set[int]:
        return {pk for parent in parents for pk in self._named.get((parent, plain(name)), ())}

    def find(self, country: str, adm1: str, adm2: str) -> Found:
        """The narrowest place that is named for certain: the country where nothing else is."""
        # "Myanmar (Burma)" is one country by two names.
        names = [country, *re.split(r"[()]", country)]
        countries = {pk for name in names if name.strip() for pk in self._within([None], name)}
        if len(countries) != 1:
            return Found(None, (("country", f"“{country[:80]}” is no country among the places."),))
        (country_id,) = countries
        if not adm1:
            return Found(country_id, (("adm_1", "No adm_1 is given: it stays at the country."),))
        states = self._within([country_id], adm1)
        districts = self._within(states, adm2) if adm2 else set()
        if len(districts) == 1:
            return Found(next(iter(districts)))
        unmatched = () if not adm2 else (("adm_2", f"“{adm2[:80]}” is no one district of it."),)
        if len(states) == 1:
            return Found(next(iter(states)), unmatched)
        why = "no state or region of the list" if not states else f"{len(states)} of the list"
        return Found(
            country_id, (("adm_1", f"“{adm1[:80]}” is {why}: it stays at the country."), *unmatched)
        )

"""What outlets, articles and confidential sources are found by."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat

from harmtracker.api.filters import StrictFilter, StrictFilterSet
from harmtracker.api.parameters import (
    ADDRESS,
    COUNTRY,
    FLAG,
    LANGUAGE,
    MAX_ADDRESS_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    Kind,
    Unacceptable,
    listed,
)
from harmtracker.codes import code_list
from harmtracker.searching import Folded

MAX_WORDS = 8
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,80}")


def _read_words(text: str) -> list[str]:
    words = text.split()
    if len(words) > MAX_WORDS:
        raise Unacceptable(f"At most {MAX_WORDS} words.")
    return words


def _read_outlet(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise Unacceptable("An outlet is given by its short name or its UUID.")
    return text


WORDS = Kind(_read_words, {"type": "string", "maxLength": MAX_VALUE_CHARACTERS})
OUTLET = Kind(_read_outlet, {"type": "string"})


def as_text(name: str) -> Func:
    return Func(F(name), Value("\n"), function="array_to_string", output_field=TextField())


class WordsFilter(StrictFilter):
    """Rows that hold every word, in some of their texts, in any case and with any accents."""

    def __init__(self, *columns: str, arrays: tuple[str, ...] = ()) -> None:
        super().__init__(
            WORDS, f"Words of its names and titles in any spelling, at most {MAX_WORDS}."
        )
        self.columns = columns
        self.arrays = arrays

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        parts: list[Any] = []
        for text in [*map(F, self.columns), *map(as_text, self.arrays)]:
            parts += [Coalesce(text, Value(""), output_field=TextField()), Value("\n")]
        qs = qs.alias(searched=Folded(Concat(*parts, output_field=TextField())))
        for word in value:
            qs = qs.filter(searched__contains=Folded(Value(word, output_field=TextField())))
        return qs


class OfOutletFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        ids = [text.lower() for text in value if _UUID.fullmatch(text.lower())]
        return qs.filter(Q(outlet__uuid__in=ids) | Q(outlet__slug__in=value))


class LanguagesFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return qs.filter(languages__overlap=value)


class AddressFilter(StrictFilter):
    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return qs.filter(Q(url=value) | Q(copy_url=value))


class OutletFilters(StrictFilterSet):
    q = WordsFilter("name", "slug", arrays=("other_names",))
    kind = StrictFilter(
        listed(code_list("outlet_kind")), "What sort of source.", lookup_expr="in", several=True
    )
    country = StrictFilter(COUNTRY, "ISO 3166-1 alpha-3.", lookup_expr="in", several=True)
    language = LanguagesFilter(LANGUAGE, "A language it publishes in (BCP 47).", several=True)
    confidential = StrictFilter(
        FLAG,
        "Whether it stands for a source that must not be named.",
        field_name="is_confidential",
    )


class ArticleFilters(StrictFilterSet):
    q = WordsFilter("title", "outlet__name", "summary", arrays=("authors",))
    outlet = OfOutletFilter(OUTLET, "Its outlet, by short name or id.", several=True)
    kind = StrictFilter(
        listed(code_list("outlet_kind")),
        "What sort of source its outlet is.",
        field_name="outlet__kind",
        lookup_expr="in",
        several=True,
    )
    country = StrictFilter(
        COUNTRY,
        "Where its outlet has its seat, ISO 3166-1 alpha-3.",
        field_name="outlet__country",
        lookup_expr="in",
        several=True,
    )
    language = StrictFilter(LANGUAGE, "Its language (BCP 47).", lookup_expr="in", several=True)
    url = AddressFilter(
        ADDRESS,
        "The article with exactly this address, of the original or of the copy that was read.",
        max_characters=MAX_ADDRESS_CHARACTERS,
    )
    has_capture = StrictFilter(FLAG, "Whether a copy of it is stored.")
    confidential = StrictFilter(
        FLAG,
        "Whether its outlet stands for a source that must not be named.",
        field_name="is_confidential",
    )


class CaptureFilters(StrictFilterSet):
    kind = StrictFilter(listed(code_list("capture_kind")), "What was stored.")


class CustodyFilters(StrictFilterSet):
    action = StrictFilter(listed(["stored", "read", "handed_over"]), "What was done.")


class ConfidentialSourceFilters(StrictFilterSet):
    q = WordsFilter("outlet__name", "outlet__slug", arrays=("outlet__other_names",))

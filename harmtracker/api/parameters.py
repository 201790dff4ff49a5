"""Query parameters: read strictly, refused with the nearest valid name or value, documented.

A view says which parameters it takes; nothing else reaches a query of the database, neither as
a name nor as a value.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from drf_spectacular.utils import OpenApiParameter
from rapidfuzz import fuzz, process

from harmtracker.api.problems import Problem, field_error

MAX_URL_BYTES = 4096
MAX_VALUE_CHARACTERS = 200
# Below this likeness, of 100, a guess would confuse.
LIKE = 60

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE = re.compile(r"[0-9]{1,10}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PCODE = re.compile(r"[A-Z]{2,3}[A-Z0-9]{0,17}")
_COUNTRY = re.compile(r"[A-Z]{3}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
MAX_ADDRESS_CHARACTERS = 2000


class Unacceptable(Exception):
    """A value that its parameter cannot have: a sentence, and the valid value nearest to it."""

    def __init__(self, message: str, nearest: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.nearest = nearest


def nearest(text: str, candidates: Collection[str]) -> str | None:
    found = process.extractOne(
        text[:MAX_VALUE_CHARACTERS],
        list(candidates),
        scorer=fuzz.ratio,
        processor=str.casefold,
        score_cutoff=LIKE,
    )
    return None if found is None else str(found[0])


@dataclass(frozen=True)
class Kind:
    """What values a parameter takes: how one is read, and how OpenAPI describes it."""

    read: Callable[[str], Any]
    schema: Mapping[str, Any]


def listed(known: Iterable[str]) -> Kind:
    """One of some codes."""
    codes = tuple(known)

    def read(text: str) -> str:
        if text not in codes:
            raise Unacceptable("No such code.", nearest(text, codes))
        return text

    return Kind(read, {"type": "string", "enum": [*codes]})


def _read_day(text: str) -> datetime.date:
    try:
        if _DAY.fullmatch(text):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise Unacceptable("A day is written YYYY-MM-DD.")


DAY = Kind(_read_day, {"type": "string", "format": "date"})


def whole(lowest: int, highest: int) -> Kind:
    """A whole number from ``lowest`` to ``highest``."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not lowest <= int(text) <= highest:
            raise Unacceptable(f"A whole number from {lowest} to {highest}.")
        return int(text)

    return Kind(read, {"type": "integer", "minimum": lowest, "maximum": highest})


def _read_uuid(text: str) -> str:
    if not _UUID.fullmatch(text.lower()):
        raise Unacceptable("An id is a UUID.")
    return text.lower()


UUID = Kind(_read_uuid, {"type": "string", "format": "uuid"})


def _read_pcode(text: str) -> str:
    if not _PCODE.fullmatch(text):
        raise Unacceptable("A P-code is capital letters and digits, such as MMR001.")
    return text


PCODE = Kind(_read_pcode, {"type": "string", "pattern": f"^{_PCODE.pattern}$"})


def _read_place(text: str) -> str:
    if _UUID.fullmatch(text.lower()):
        return text.lower()
    if not _PCODE.fullmatch(text):
        raise Unacceptable("A place is given by its P-code, such as MMR001, or by its UUID.")
    return text


PLACE = Kind(_read_place, {"type": "string"})


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
ADDRESS = Kind(str, {"type": "string", "maxLength": MAX_ADDRESS_CHARACTERS})

FLAG = Kind(lambda text: listed(("true", "false")).read(text) == "true", {"type": "boolean"})


@dataclass(frozen=True)
class Parameter:
    """A query parameter that is no filter: its name, its values, and what it does."""

    name: str
    kind: Kind
    description: str
    default: Any = None
    max_characters: int = MAX_VALUE_CHARACTERS
    by_commas: bool = False

    def documented(self) -> OpenApiParameter:
        schema = dict(self.kind.schema)
        if self.default is not None:
            schema["default"] = self.default
        explode = False if self.by_commas else None
        return OpenApiParameter(self.name, schema, description=self.description, explode=explode)


def check_length(path_and_query: str) -> None:
    if len(path_and_query) > MAX_URL_BYTES:
        raise Problem("uri-too-long")


def _split(raw: str) -> list[tuple[str, str]]:
    try:
        # WSGI hands bytes as Latin-1.
        pairs = parse_qsl(
            raw.encode("latin-1").decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=1000,
        )
    except ValueError as error:
        raise Problem("malformed-query") from error
    if any(_CONTROL.search(text) for pair in pairs for text in pair):
        raise Problem("malformed-query")
    return pairs


class Query:
    """The parameters of one request: all known, none empty, repeated only where that means OR."""

    def __init__(
        self, raw: str, *, known: Collection[str], several: Collection[str] = frozenset()
    ) -> None:
        pairs = _split(raw)
        unknown = [name for name, _ in pairs if name not in known]
        if unknown:
            raise Problem(
                "unknown-parameter",
                "Nothing was looked up, since not all of the query is understood.",
                errors=[
                    field_error(name, "No such parameter here.", nearest(name, known))
                    for name in dict.fromkeys(unknown)
                ],
            )
        self.values: dict[str, list[str]] = {}
        for name, value in pairs:
            self.values.setdefault(name, []).append(value)
        raise_for(
            (name, fault)
            for name, given in self.values.items()
            for fault in self._faults(given, repeatable=name in several)
        )

    @staticmethod
    def _faults(given: list[str], *, repeatable: bool) -> Iterable[Unacceptable]:
        if "" in given:
            yield Unacceptable("Empty: leave it out or give a value.")
        if len(given) > 1 and not repeatable:
            yield Unacceptable("Given more than once.")

    def read(self, parameter: Parameter) -> Any:
        """The value of one parameter, or its default."""
        if parameter.name not in self.values:
            return parameter.default
        text = self.values[parameter.name][0]
        try:
            if len(text) > parameter.max_characters:
                raise Unacceptable(f"At most {parameter.max_characters} characters.")
            return parameter.kind.read(text)
        except Unacceptable as fault:
            raise_for([(parameter.name, fault)])

    def normal(self, *, without: Collection[str] = ()) -> str:
        """The query in one spelling, however it was written: for ETags and cursors."""
        return urlencode(
            sorted(
                (name, value)
                for name, values in self.values.items()
                if name not in without
                for value in set(values)
            )
        )

    def with_value(self, name: str, value: str) -> str:
        """The same query with one parameter set."""
        return urlencode({**self.values, name: [value]}, doseq=True)


def raise_for(faults: Iterable[tuple[str, Unacceptable]]) -> None:
    """Refuse the request if there are faults: (parameter, what is wrong with it)."""
    found = [field_error(name, fault.message, fault.nearest) for name, fault in faults]
    if found:
        raise Problem("invalid-parameter", errors=found)

"""Fields of bodies that take a value as it is or refuse it: nothing is cast, trimmed or rounded."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from harmtracker.api.bodies import check_text
from harmtracker.api.parameters import UUID, Unacceptable, nearest
from harmtracker.api.problems import Meant
from harmtracker.codes import code_list
from harmtracker.dates import parse_edtf
from harmtracker.errors import Invalid

MAX_ITEMS = 200
MAX_URL_CHARACTERS = 2000
MAX_REFERENCE_CHARACTERS = 200

_MINUTE = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def detail_of(fault: Unacceptable) -> ErrorDetail:
    """A fault as the framework carries it, with the valid value that was meant as its code."""
    code = None if fault.nearest is None else Meant(fault.nearest)
    return ErrorDetail(fault.message, code=code)


def refuse(fault: Unacceptable) -> NoReturn:
    raise serializers.ValidationError([detail_of(fault)]) from fault


class Strict(serializers.Field):
    """Base of the fields. A kind of field says how it reads a value, and how OpenAPI names it."""

    default_error_messages = {"required": "It is needed.", "null": "It cannot be null."}

    def read(self, data: Any) -> Any:
        """The value, or :class:`Unacceptable`. Never called with None."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """The values that it takes, as JSON Schema."""
        raise NotImplementedError

    def to_internal_value(self, data: Any) -> Any:
        try:
            return self.read(data)
        except Unacceptable as fault:
            refuse(fault)

    def to_representation(self, value: Any) -> Any:
        return value


class StrictSchema(OpenApiSerializerFieldExtension):
    """How strict fields are described."""

    target_class = Strict
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        described: dict[str, Any] = self.target.schema()
        return described


class Text(Strict):
    """A text, kept character by character. ``max_length`` counts characters."""

    def __init__(
        self, *, max_length: int | None = None, allow_blank: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length
        self.allow_blank = allow_blank

    def read(self, data: Any) -> str:
        if not isinstance(data, str):
            raise Unacceptable("It is a text, in quotation marks.")
        check_text(data)
        if not data and not self.allow_blank:
            raise Unacceptable(
                "It is empty: give null where it is not known."
                if self.allow_null
                else "It cannot be empty."
            )
        if self.max_length is not None and len(data) > self.max_length:
            raise Unacceptable(f"It has at most {self.max_length} characters.")
        return data

    def schema(self) -> dict[str, Any]:
        described: dict[str, Any] = {"type": "string"}
        if not self.allow_blank:
            described["minLength"] = 1
        if self.max_length is not None:
            described["maxLength"] = self.max_length
        return described


class Url(Text):
    """An address on the web, kept byte for byte and never fetched."""

    def __init__(self, *, max_length: int | None = MAX_URL_CHARACTERS, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def read(self, data: Any) -> str:
        text = super().read(data)
        if not text:
            return text
        if any(character.isspace() for character in text):
            raise Unacceptable("An address has no spaces and no line breaks.")
        refusal = Unacceptable("An address begins with http:// or https:// and names a host.")
        try:
            parts = urlsplit(text)
            host, _port = parts.hostname, parts.port
        except ValueError as error:
            raise refusal from error
        if parts.scheme not in ("http", "https") or not host or "\\" in parts.netloc:
            raise refusal
        if "@" in parts.netloc:
            raise Unacceptable("An address carries no name or password of a person.")
        return text

    def schema(self) -> dict[str, Any]:
        return {**super().schema(), "format": "uri"}


class Edtf(Text):
    """An uncertain date in EDTF."""

    def __init__(self, *, max_length: int | None = 120, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def read(self, data: Any) -> str:
        text = super().read(data)
        try:
            return parse_edtf(text).text
        except Invalid as refusal:
            raise Unacceptable(refusal.message) from refusal


class Code(Strict):
    """A code of one list."""

    def __init__(self, list_name: str, *, help_text: str = "", **kwargs: Any) -> None:
        super().__init__(help_text=f"{help_text} Code list {list_name}.".strip(), **kwargs)
        self.list_name = list_name

    def read(self, data: Any) -> str:
        codes = code_list(self.list_name)
        if not isinstance(data, str):
            raise Unacceptable("A code is a text, in quotation marks.")
        if data not in codes:
            raise Unacceptable(f"No such code in the list {self.list_name}.", nearest(data, codes))
        return data

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


class _Items(Strict):
    """Several values of one kind, in their order."""

    max_items = MAX_ITEMS

    def item(self) -> Strict:
        """What reads one of them."""
        raise NotImplementedError

    def read(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise Unacceptable("It is a list, in square brackets.")
        if len(data) > self.max_items:
            raise Unacceptable(f"It has at most {self.max_items} items.")
        item, read = self.item(), []
        faults: dict[Any, Any] = {}
        for i, value in enumerate(data):
            try:
                if value is None:
                    raise Unacceptable("It cannot be null.")
                read.append(item.read(value))
            except Unacceptable as fault:
                faults[i] = [detail_of(fault)]
        if faults:
            raise serializers.ValidationError(faults)
        return read

    def to_representation(self, value: Any) -> Any:
        return list(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item().schema(), "maxItems": self.max_items}


class Codes(_Items):
    """Several codes of one list, none of them twice."""

    def __init__(self, list_name: str, *, help_text: str = "", **kwargs: Any) -> None:
        super().__init__(help_text=f"{help_text} Code list {list_name}.".strip(), **kwargs)
        self.list_name = list_name

    def item(self) -> Strict:
        return Code(self.list_name)

    def read(self, data: Any) -> list[str]:
        codes = super().read(data)
        if len(set(codes)) < len(codes):
            raise Unacceptable("It names a code twice.")
        return codes

    def schema(self) -> dict[str, Any]:
        return {**super().schema(), "uniqueItems": True}


class Texts(_Items):
    """Several texts. ``max_length`` counts the characters of each."""

    def __init__(self, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length

    def item(self) -> Strict:
        return Text(max_length=self.max_length)


class Several(serializers.ListField):
    """Several values, each read by ``child``. How many there are is looked at before any of them.

    ``max_length`` counts them.
    """

    max_length: int | None

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            refuse(Unacceptable("It is a list, in square brackets."))
        if self.max_length is not None and len(data) > self.max_length:
            refuse(Unacceptable(f"It has at most {self.max_length} items."))
        read: list[Any] = super().to_internal_value(data)
        return read


class Whole(Strict):
    """A whole number: 3, and neither 3.0 nor "3" nor true."""

    def __init__(self, *, min_value: int = 0, max_value: int = 2**31 - 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.min_value = min_value
        self.max_value = max_value

    def read(self, data: Any) -> int:
        if type(data) is not int or not self.min_value <= data <= self.max_value:
            raise Unacceptable(f"It is a whole number from {self.min_value} to {self.max_value}.")
        return data

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.min_value, "maximum": self.max_value}


class Number(Strict):
    """A number with so many digits, of which so many are behind the point."""

    def __init__(self, *, max_digits: int, decimal_places: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_digits = max_digits
        self.decimal_places = decimal_places

    def read(self, data: Any) -> Decimal:
        if type(data) not in (int, Decimal):
            raise Unacceptable("It is a number, without quotation marks.")
        number = Decimal(data)
        _sign, digits, exponent = number.as_tuple()
        if not isinstance(exponent, int):
            raise Unacceptable("It is a number.")
        if -exponent > self.decimal_places:
            raise Unacceptable(f"It has at most {self.decimal_places} decimals; none is rounded.")
        before = self.max_digits - self.decimal_places
        if number and len(digits) + exponent > before:
            raise Unacceptable(f"It has at most {before} digits before the point.")
        return number

    def to_representation(self, value: Any) -> Any:
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "multipleOf": float(Decimal(1).scaleb(-self.decimal_places))}


class Flag(Strict):
    """true or false; null, where it is allowed, says that it is not known."""

    def read(self, data: Any) -> bool:
        if type(data) is not bool:
            raise Unacceptable("It is true or false, without quotation marks.")
        return data

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Time(Strict):
    """A time of day on the 24-hour clock: 14:30."""

    def read(self, data: Any) -> datetime.time:
        if not isinstance(data, str) or not _MINUTE.fullmatch(data):
            raise Unacceptable("A time of day is written HH:MM, such as 14:30.")
        return datetime.time.fromisoformat(data)

    def to_representation(self, value: Any) -> str:
        exact: datetime.time = value
        return exact.isoformat("minutes" if not (exact.second or exact.microsecond) else "auto")

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_MINUTE.pattern}$"}


class Moment(Strict):
    """A moment with its offset, as RFC 3339 writes it; given back in UTC."""

    def read(self, data: Any) -> datetime.datetime:
        try:
            if isinstance(data, str) and _MOMENT.fullmatch(data):
                # The year 1 in one offset may lie before the first year in another.
                return datetime.datetime.fromisoformat(data).astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            pass
        raise Unacceptable(
            "A moment is written with its offset, such as 2024-03-07T14:30:00+06:30."
        )

    def to_representation(self, value: Any) -> str:
        moment: datetime.datetime = value
        return moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


class Reference(Strict):
    """Another record, named by one of some columns, out of those that the person may see.

    ``queryset`` gives these for a user. A record that is hidden is refused in the same words as
    one that is not there, and never named as the nearest.
    """

    def __init__(
        self,
        *,
        queryset: Callable[[Any], models.QuerySet[Any]],
        by: Sequence[str] = ("uuid",),
        what: str,
        out: str = "uuid",
        help_text: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            help_text=help_text or f"The {what}, by its {' or '.join(by)}.",
            **kwargs,
        )
        self.queryset = queryset
        self.by = tuple(by)
        self.what = what
        self.out = out
        # One row of a list after another names the same few records.
        self._found: dict[str, models.Model] = {}

    def _visible(self) -> models.QuerySet[Any]:
        user: AbstractBaseUser = self.context["request"].user
        return self.queryset(user)

    def _find(self, text: str) -> models.Model | None:
        for column in self.by:
            value = text
            if column == "uuid":
                try:
                    value = UUID.read(text)
                except Unacceptable:
                    continue
            found: models.Model | None = self._visible().filter((column, value)).first()
            if found is not None:
                return found
        return None

    def _nearest(self, text: str) -> str | None:
        names = [column for column in self.by if column != "uuid"]
        if not names:
            return None
        known = self._visible().filter((f"{names[0]}__isnull", False))
        return nearest(text, list(known.values_list(names[0], flat=True)))

    def read(self, data: Any) -> models.Model:
        if not isinstance(data, str):
            raise Unacceptable(f"The {self.what} is named by a text, in quotation marks.")
        check_text(data)
        if data not in self._found:
            found = self._find(data) if len(data) <= MAX_REFERENCE_CHARACTERS else None
            if found is None:
                raise Unacceptable(f"No such {self.what}.", self._nearest(data))
            self._found[data] = found
        return self._found[data]

    def to_representation(self, value: Any) -> str | None:
        shown = getattr(value, self.out)
        return None if shown is None else str(shown)

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}

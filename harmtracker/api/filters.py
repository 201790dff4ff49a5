"""Filters of lists, on django-filter: strict in what they read, cheap where there are many."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from functools import lru_cache
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import OpenApiParameter

from harmtracker.api.parameters import (
    MAX_VALUE_CHARACTERS,
    Kind,
    Query,
    Unacceptable,
    raise_for,
)


class StrictField(forms.Field):
    """One parameter. Its value is what the kind reads, a list of such where it may be repeated."""

    def __init__(
        self,
        *,
        kind: Kind,
        several: bool = False,
        max_characters: int = MAX_VALUE_CHARACTERS,
        **kwargs: Any,
    ) -> None:
        widget = forms.MultipleHiddenInput if several else forms.HiddenInput
        super().__init__(widget=widget, **kwargs)
        self.kind = kind
        self.several = several
        self.max_characters = max_characters

    def _read(self, text: str) -> Any:
        try:
            if len(text) > self.max_characters:
                raise Unacceptable(f"At most {self.max_characters} characters.")
            return self.kind.read(text)
        except Unacceptable as fault:
            raise forms.ValidationError(fault.message, params={"nearest": fault.nearest}) from fault

    def clean(self, value: Any) -> Any:
        if self.several:
            return [self._read(text) for text in dict.fromkeys(value)]
        return self._read(value)


class StrictFilter(django_filters.Filter):
    """A filter whose values are of one kind. ``description`` is written for the API's users."""

    field_class = StrictField

    def __init__(
        self,
        kind: Kind,
        description: str,
        *,
        field_name: str | None = None,
        lookup_expr: str | None = None,
        several: bool = False,
        max_characters: int = MAX_VALUE_CHARACTERS,
    ) -> None:
        super().__init__(
            field_name,
            lookup_expr,
            label="",
            kind=kind,
            several=several,
            max_characters=max_characters,
        )
        self.kind = kind
        self.description = description
        self.several = several

    def documented(self, name: str) -> OpenApiParameter:
        schema: dict[str, Any] = dict(self.kind.schema)
        description = self.description
        if self.several:
            schema = {"type": "array", "items": schema}
            description += " May be repeated: any of the values."
        return OpenApiParameter(name, schema, description=description, explode=self.several or None)


class TogetherFilter(StrictFilter):
    """A filter that its filter set applies, together with others."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs


class StrictFilterSet(django_filters.FilterSet):
    """Filters that refuse a bad value. All of its filters hold (AND)."""

    base_filters: OrderedDict[str, Any]
    form_class: ClassVar[type[forms.Form]]

    @classmethod
    def several(cls) -> frozenset[str]:
        """Names that may be repeated."""
        return frozenset(name for name, item in cls.base_filters.items() if item.several)

    @classmethod
    def documented(cls) -> list[OpenApiParameter]:
        return [item.documented(name) for name, item in cls.base_filters.items()]

    @classmethod
    def of(
        cls,
        query: Query,
        queryset: QuerySet[Any],
        *,
        without: Collection[str] = (),
        request: Any = None,
    ) -> StrictFilterSet:
        """The filter set of one request, or a refusal naming what is wrong with which value.

        What is given of the filters ``without`` does not count. ``request`` is for filters that
        answer each reader according to what they may know of.
        """
        names = cls.base_filters.keys() - set(without)
        given = {name: query.values[name] for name in query.values if name in names}
        filterset = _narrowed(cls, frozenset(given))(
            MultiValueDict(given), queryset, request=request
        )
        raise_for(
            (name, Unacceptable(str(error.message), (error.params or {}).get("nearest")))
            for name, faults in filterset.form.errors.as_data().items()
            for error in faults
        )
        return filterset

    def get_form_class(self) -> type[forms.Form]:
        """Made once for each class: no field follows from who asks."""
        own = type(self)
        if "form_class" not in vars(own):
            own.form_class = super().get_form_class()
        return own.form_class

    @property
    def given(self) -> dict[str, Any]:
        """What was asked for, read: parameter -> value."""
        given: dict[str, Any] = self.form.cleaned_data
        return given


# One class per set of parameters that clients use together: a filter set copies all its filters
# for every request, which costs milliseconds where it has two hundred.
@lru_cache(maxsize=256)
def _narrowed(filterset: type[StrictFilterSet], names: Collection[str]) -> type[StrictFilterSet]:
    narrow: type[StrictFilterSet] = type(filterset.__name__, (filterset,), {})
    narrow.base_filters = OrderedDict(
        (name, item) for name, item in filterset.base_filters.items() if name in names
    )
    return narrow

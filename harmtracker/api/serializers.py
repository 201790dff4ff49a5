"""Serializers of casework: the shape of a body, field by field. What is true of a record is said
by the services and the database alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from rest_framework import serializers
from rest_framework.settings import api_settings

from harmtracker.api import bodies, fields
from harmtracker.api.parameters import Unacceptable, nearest
from harmtracker.api.problems import MAX_ERRORS
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.codes import CodeArrayField, CodeField
from harmtracker.fields import EdtfField

MAX_ROWS = 500


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are equal: 1 is 1.0, and neither is true or "1"."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    numbers = (int, Decimal)
    if type(one) in numbers and type(other) in numbers:
        return bool(one == other)
    return type(one) is type(other) and bool(one == other)


class StrictListSerializer(serializers.ListSerializer):
    """Several rows in one body. Stops reading after a few that are wrong."""

    max_length: int | None

    def to_internal_value(self, data: Any) -> list[Any]:
        most = MAX_ROWS if self.max_length is None else self.max_length
        if not isinstance(data, list):
            fields.refuse(Unacceptable("It is a list, in square brackets."))
        if len(data) > most:
            fields.refuse(Unacceptable(f"It has at most {most} rows."))
        if not data and not self.allow_empty:
            fields.refuse(Unacceptable("It cannot be empty."))
        read = []
        errors: dict[Any, Any] = {}
        for i, row in enumerate(data):
            try:
                read.append(self.run_child_validation(row))
            except serializers.ValidationError as refusal:
                errors[i] = refusal.detail
                if len(errors) == MAX_ERRORS:
                    break
        if errors:
            raise serializers.ValidationError(errors)
        return read


class StrictSerializer(serializers.Serializer):
    """A body with the keys that are named and no others.

    A key that is only read may be sent back as it was read; anything else in it is refused.
    """

    default_error_messages = {"required": "It is needed.", "null": "It cannot be null."}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        meta: Any = getattr(cls, "Meta", None)
        if meta is not None and not hasattr(meta, "list_serializer_class"):
            meta.list_serializer_class = StrictListSerializer

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        known = list(self.fields)
        return {
            key: [fields.detail_of(Unacceptable("No such field here.", nearest(key, known)))]
            for key in [key for key in data if key not in self.fields][:MAX_ERRORS]
        }

    def _set_by_hand(self, data: Mapping[str, Any]) -> dict[str, Any]:
        sent = [key for key in data if key in self.fields and self.fields[key].read_only]
        if not sent:
            return {}
        current: dict[str, Any] = {}
        if self.instance is not None:
            shown = self.to_representation(self.instance)
            current = bodies.parse(StoredJSONRenderer().render(shown))
        return {
            key: [fields.detail_of(Unacceptable("This is not set by hand."))]
            for key in sent
            if key not in current or not _is_same(data[key], current[key])
        }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: ["It is an object, in braces."]}
            )
        errors: dict[Any, Any] = {**self._unknown(data), **self._set_by_hand(data)}
        read: dict[str, Any] = {}
        try:
            read = super().to_internal_value(data)
        except serializers.ValidationError as refusal:
            errors |= dict(cast("dict[Any, Any]", refusal.detail))
        if errors:
            raise serializers.ValidationError(errors)
        return read


def _limits(model_field: models.IntegerField) -> dict[str, int]:
    """The least and the greatest number that the column holds and its validators take."""
    lowest, highest = connection.ops.integer_field_range(model_field.get_internal_type())
    for validator in model_field.validators:
        limit = getattr(validator, "limit_value", None)
        if isinstance(validator, MinValueValidator) and isinstance(limit, int):
            lowest = max(lowest, limit)
        if isinstance(validator, MaxValueValidator) and isinstance(limit, int):
            highest = min(highest, limit)
    return {"min_value": lowest, "max_value": highest}


def _kind(model_field: models.Field) -> tuple[type[serializers.Field], dict[str, Any]]:
    """The kind of field that a column is read by, and what it is told of the column."""
    match model_field:
        case CodeArrayField():
            return fields.Codes, {"list_name": model_field.code_list}
        case ArrayField():
            return fields.Texts, {"max_length": model_field.base_field.max_length}
        case CodeField():
            return fields.Code, {"list_name": model_field.code_list}
        case EdtfField():
            return fields.Edtf, {"max_length": model_field.max_length}
        case models.CharField() | models.TextField():
            kind = fields.Url if isinstance(model_field, models.URLField) else fields.Text
            # Where NULL says "not known", an empty text would be a second way to say so.
            blank = model_field.blank and not model_field.null
            return kind, {"max_length": model_field.max_length, "allow_blank": blank}
        case models.BooleanField():
            return fields.Flag, {}
        case models.IntegerField():
            return fields.Whole, _limits(model_field)
        case models.DecimalField():
            return fields.Number, {
                "max_digits": model_field.max_digits,
                "decimal_places": model_field.decimal_places,
            }
        case models.TimeField():
            return fields.Time, {}
        case models.DateTimeField():
            return fields.Moment, {}
        case models.DateField():
            return serializers.DateField, {}
        case models.UUIDField():
            return serializers.UUIDField, {}
        case models.JSONField():
            return serializers.JSONField, {}
    raise TypeError(f"Declare {model_field.name}: no strict field is known for its kind.")


class EvidenceSerializer(StrictSerializer, serializers.ModelSerializer):
    """A record as a body. ``validated_data`` holds attributes of the model, for the services.

    POST: what is left out gets the model's default. PATCH: what is left out stays. PUT: what is
    left out gets the model's default, and is refused where there is none. A field that names
    another record is declared as a :class:`harmtracker.api.fields.Reference`.
    """

    def build_standard_field(
        self, field_name: str, model_field: models.Field
    ) -> tuple[type[serializers.Field], dict[str, Any]]:
        is_generated = isinstance(model_field, models.GeneratedField)
        column = cast(Any, model_field).output_field if is_generated else model_field
        kind, kwargs = _kind(column)
        kwargs["help_text"] = str(model_field.help_text)
        if column.null:
            kwargs["allow_null"] = True
        if is_generated or model_field.primary_key or not model_field.editable:
            return kind, kwargs | {"read_only": True}
        may_be_left_out = model_field.has_default() or model_field.blank or model_field.null
        return kind, kwargs | {"required": not may_be_left_out}

    def build_relational_field(
        self, field_name: str, relation_info: Any
    ) -> tuple[type[serializers.Field], dict[str, Any]]:
        raise TypeError(f"Declare {field_name} of {type(self).__name__} as a Reference.")

    def get_validators(self) -> list[Any]:
        """None: what is unique or bound to another field, the database knows."""
        return []

    def get_uniqueness_extra_kwargs(
        self, field_names: Any, declared_fields: Any, extra_kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return extra_kwargs, {}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        read = super().to_internal_value(data)
        if self.instance is None or self.partial:
            return read
        model: type[models.Model] = cast(Any, self).Meta.model
        columns = {column.name: column for column in model._meta.concrete_fields}
        for field in self.fields.values():
            source = str(field.source)
            if not field.read_only and source not in read and source in columns:
                read[source] = columns[source].get_default()
        return read

    def create(self, validated_data: Any) -> Any:
        raise NotImplementedError("A service stores the record.")

    def update(self, instance: Any, validated_data: Any) -> Any:
        raise NotImplementedError("A service stores the record.")


class ReasonSerializer(StrictSerializer):
    """Why. A change of a record that was published before says so; it stays in its history."""

    change_reason = fields.Text(required=False, allow_blank=True, max_length=1000, help_text="Why.")

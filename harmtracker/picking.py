"""Choosing one of many named records by any of its names: a text and a list of what it fits.

Without JavaScript the list comes with the page that answers; with it, while one types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import (
    BooleanField,
    Case,
    F,
    Func,
    Model,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat
from django.http import HttpRequest
from django.urls import reverse

from harmtracker.accounts.models import User
from harmtracker.searching import Folded

MOST_FOUND = 15
# What is written in several ways between the parts of a name.
_BETWEEN = re.compile(r"[\s\-‐‑–—'’`.,/()]+")


@dataclass(frozen=True)
class Kind:
    """What can be picked. ``label`` tells a record from others of its name.

    Of what not everybody may know of, ``visible`` gives the rows of one person: until that person
    is named by :meth:`seen_by`, there are none.
    """

    name: str
    model: type[Model]
    names: tuple[str, ...]
    label: Callable[[Any], str]
    related: tuple[str, ...] = ()
    visible: Callable[[User], QuerySet] | None = None
    person: User | None = None

    def seen_by(self, person: Any) -> Kind:
        """The same for one person: what they may not know of is not there."""
        return replace(self, person=person if isinstance(person, User) else None)

    def among(self) -> QuerySet:
        """All that can be picked."""
        if self.visible is None:
            return self.model._default_manager.all()
        if self.person is None:
            return self.model._default_manager.none()
        return self.visible(self.person)

    def rows(self) -> QuerySet:
        """The same, with what their labels say."""
        return self.among().select_related(*self.related)

    @property
    def may_view(self) -> str:
        return f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"


def found(kind: Kind, text: str, most: int = MOST_FOUND) -> list[Any]:
    """Records of which one name, or several together, hold all words; that very name first.

    Each has ``is_exact``: whether one of its names is the text, but for case, accents and marks
    between the words.
    """
    words = [word for word in _BETWEEN.split(text.replace("\x00", "")) if word]
    if not words:
        return []
    names: list[Any] = [_text("\n")]
    for name in kind.names:
        names += [Coalesce(_column(kind.model, name), _text("")), _text("\n")]
    folded = Folded(Concat(*names, output_field=TextField()))
    # Mung-Lai, Mung Lai and Munglai are one name.
    together = Func(
        folded,
        _text(" -‐‑–—'’`.,/()"),
        _text(""),
        function="translate",
        output_field=TextField(),
    )
    squeezed = "".join(words)
    rows = kind.rows().alias(folded=folded, together=together)
    every = Q()
    for word in words:
        every &= Q(folded__contains=Folded(_text(word)))
    whole = Concat(_text("\n"), Folded(_text(squeezed)), _text("\n"), output_field=TextField())
    rows = rows.filter(every | Q(together__contains=Folded(_text(squeezed)))).annotate(
        is_exact=Case(
            When(together__contains=whole, then=True), default=False, output_field=BooleanField()
        )
    )
    order = kind.model._meta.ordering or ()
    return list(rows.order_by(F("is_exact").desc(), *order, "pk")[:most])


def _column(model: type[Model], name: str) -> Any:
    if isinstance(model._meta.get_field(name), ArrayField):
        return Func(F(name), Value("\n"), function="array_to_string", output_field=TextField())
    return Func(F(name), function="text", output_field=TextField())


def _text(text: str) -> Value:
    return Value(text, output_field=TextField())


class Picked(NamedTuple):
    """What a form sends: the id that was chosen, the words that stand there now, and those that
    stood there when the page was opened, which ask for nothing."""

    choice: str
    words: str = ""
    shown: str = ""

    @property
    def number(self) -> int | None:
        """What was chosen, if that can be an id at all."""
        is_id = self.choice.isascii() and self.choice.isdecimal() and len(self.choice) < 19
        return int(self.choice) if is_id else None

    @property
    def asked(self) -> str:
        """The words, where a person typed them."""
        words = self.words.strip()
        return "" if self.choice and words == self.shown.strip() else words


class PickWidget(forms.Select):
    """A text to find by, and the list of what was found."""

    template_name = "admin/entering/pick.html"
    # Endings of the names of what it sends beside the id.
    beside = ("_words", "_shown")

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["desk/entering.css"]}
        js: ClassVar[list[forms.Script]] = [forms.Script("desk/entering.js", defer=True)]

    def __init__(self, kind: Kind, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.kind = kind
        # Rows by id that were asked for together with those of other widgets.
        self.known: Mapping[int, Any] = {}

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return f"{id_}_words" if id_ else id_

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Picked:
        sent = (data.get(f"{name}{part}") or "" for part in ("", *self.beside))
        return Picked(*sent)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}_words" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        picked = value if isinstance(value, Picked) else Picked(str(value or ""))
        asked = picked.asked
        chosen = None
        if picked.number is not None:
            chosen = self.known.get(picked.number)
            chosen = chosen or self.kind.rows().filter(pk=picked.number).first()
        fit = found(self.kind, asked) if asked else []
        label = "" if chosen is None else self.kind.label(chosen)
        options = {row.pk: self.kind.label(row) for row in ([chosen] if chosen else []) + fit}
        context = super().get_context(name, None, attrs)
        described = {
            key: text for key, text in context["widget"]["attrs"].items() if key.startswith("aria-")
        }
        context["widget"] |= {
            "described": described,
            "words": picked.words if asked else label,
            "shown": label if not asked or asked == label else "",
            "options": [
                (pk, text, chosen is not None and pk == chosen.pk) for pk, text in options.items()
            ],
            "is_searched": bool(asked) and asked != label,
            "address": reverse("admin:incidents_incident_hints", args=[self.kind.name]),
        }
        return context

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> list[Any]:
        return []


class PickField(forms.ModelChoiceField):
    """One of many named records. Words that are the name of one choose it, others are asked of."""

    def __init__(self, *, kind: Kind, **kwargs: Any) -> None:
        kwargs |= {"widget": PickWidget(kind), "queryset": kind.among()}
        for name in ("limit_choices_to", "to_field_name", "blank"):
            kwargs.pop(name, None)
        super().__init__(**kwargs)
        self.kind = kind

    def _split(self, value: Any) -> Picked:
        return value if isinstance(value, Picked) else Picked(str(value or ""))

    def to_python(self, value: Any) -> Any:
        return super().to_python(self._split(value).choice if value else value)

    def label_from_instance(self, obj: Any) -> str:
        return self.kind.label(obj)

    def clean(self, value: Any) -> Any:
        picked = self._split(value)
        words = picked.asked
        chosen = super().clean(picked.choice) if picked.choice else None
        if not words:
            return chosen if chosen is not None else super().clean("")
        if chosen is not None:
            labelled = self.kind.rows().get(pk=chosen.pk)
            if words == self.kind.label(labelled).strip():
                return chosen
        fit = found(self.kind, words)
        if chosen is not None and chosen in fit:
            return chosen
        exact = [row for row in fit if row.is_exact]
        if len(exact) == 1:
            return self.kind.among().get(pk=exact[0].pk)
        if not fit:
            raise ValidationError(
                f"Nothing is called “{words[:100]}”, in any spelling that is known here.",
                code="not_found",
            )
        raise ValidationError(
            f"“{words[:100]}” fits {len(fit)}{' or more' if len(fit) == MOST_FOUND else ''}: "
            "choose one of the list.",
            code="several",
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        picked = self._split(data)
        initial_id = "" if initial is None else str(getattr(initial, "pk", initial))
        if picked.choice != initial_id:
            return True
        if not picked.asked:
            return False
        if not initial_id:
            return True
        row = self.kind.rows().filter(pk=initial_id).first()
        return row is None or picked.asked != self.kind.label(row).strip()


class Picks(BaseModelAdmin):
    """Of an admin: relations that are picked by name, each with the kind of its record."""

    picks: Mapping[str, Kind] = {}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kind = self.picks.get(db_field.name)
        if kind is not None:
            return db_field.formfield(form_class=PickField, kind=kind.seen_by(request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, PickField) and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # Its buttons open windows, and need JavaScript.
            field.widget = field.widget.widget
        return field

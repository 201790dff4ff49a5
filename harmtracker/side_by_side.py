"""Two people edited the same page: what it was, what it is now, and what was typed, by field.

The form that comes back holds all of it: what was typed where something was typed, what is now
where nothing was. What a page looked like when it was opened is read from the history, by the
number of the last entry at that time, which the form carries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import QueryDict

from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import in_short
from harmtracker.picking import Picked, PickField

# Hidden inputs of the form that came back: what it showed, and prefixes of the choices in it.
SHOWN, CHOICE = "shown", "choose:"
# What a cell of the table shows of a longer text; the form itself has all of it.
LONGEST_CELL = 5000
_SALT = "harmtracker.side_by_side"
_NOT_COMPARED = {"change_reason", "revision", "seen", DELETION_FIELD_NAME}


@dataclass
class Line:
    """One field. ``kind``: mine, theirs, both (to be chosen), same.

    ``name`` is the field's in the form; ``theirs`` what the form would send for it as it is now.
    """

    name: str
    row: str
    label: str
    was: str
    now: str
    mine: str
    kind: str
    who: str = ""
    at: str = ""
    theirs: list[str] = field(default_factory=list)
    # What was chosen already: mine, theirs.
    chosen: str = ""
    # Endings of the names of further inputs of the field, which say nothing beside ``theirs``.
    beside: list[str] = field(default_factory=list)

    @property
    def choice(self) -> str:
        return f"{CHOICE}{self.name}"


@dataclass
class Laid:
    """The form's data, put together, with what the page says of it."""

    data: QueryDict
    lines: list[Line]
    elsewhere: list[str]
    # What the names of a row's fields began with -> what they begin with now.
    renamed: dict[str, str]

    def name_now(self, name: str) -> str:
        row, dash, of_row = name.rpartition("-")
        return f"{self.renamed.get(row + dash, row + dash)}{of_row}"


@dataclass
class _Edits:
    """What became of one row since the page was opened."""

    before: dict[str, Any] | None
    # Column -> the last entry that moved it.
    moved: dict[str, HistoryEntry]
    last: HistoryEntry


class Since:
    """The entries of the history after the page was opened, by table and row."""

    def __init__(self, entries: Iterable[HistoryEntry]) -> None:
        self.entries = list(entries)
        self.used: set[tuple[str, int]] = set()
        self._rows: dict[tuple[str, int], _Edits] = {}
        for entry in self.entries:
            key = (entry.table_name, entry.row_id)
            edits = self._rows.setdefault(key, _Edits(entry.before, {}, entry))
            edits.last = entry
            edits.moved |= dict.fromkeys(entry.changed_fields(), entry)

    def of(self, model: type[models.Model], pk: Any) -> _Edits | None:
        key = (model._meta.db_table, pk)
        self.used.add(key)
        return self._rows.get(key)

    def elsewhere(self) -> list[str]:
        """In words, without values, what was done to rows that the form does not have."""
        said = [
            f"{entry.actor} at {entry.at:%Y-%m-%d %H:%M} UTC {words}"
            for entry in self.entries
            if (entry.table_name, entry.row_id) not in self.used and (words := in_short(entry))
        ]
        return list(dict.fromkeys(said))[-20:]


def _as_it_was(model: type[models.Model], before: dict[str, Any]) -> models.Model:
    row = model()
    for column in model._meta.concrete_fields:
        if column.column in before and not isinstance(column, models.GeneratedField):
            value = before[column.column]
            # JSON gives a float; its shortest digits are those that were stored.
            text = str(value) if isinstance(value, float) else value
            setattr(row, column.attname, column.to_python(text))
    return row


def _values(form: forms.ModelForm, row: models.Model | None) -> dict[str, Any]:
    """What the fields of the form hold for a row, as Python has it."""
    columns = {f.name: f for f in form._meta.model._meta.concrete_fields}
    return {
        name: columns[name].value_from_object(row)
        if row is not None and name in columns
        else form.get_initial_for_field(form.fields[name], name)
        for name in form.fields
    }


def _widget(form_field: forms.Field) -> forms.Widget:
    widget = form_field.widget
    return widget.widget if isinstance(widget, RelatedFieldWidgetWrapper) else widget


def sent(form_field: forms.Field, value: Any) -> list[str]:
    """What a browser sends for a field that holds this."""
    widget = _widget(form_field)
    value = form_field.prepare_value(value)
    if isinstance(widget, forms.CheckboxInput):
        return ["on"] if widget.check_test(value) else []
    if getattr(widget, "allow_multiple_selected", False):
        return [str(form_field.prepare_value(item)) for item in value or []]
    shown = widget.format_value(value)
    if isinstance(shown, list | tuple):
        return [str(item) for item in shown]
    return ["" if shown is None else str(shown)]


def _typed(form: forms.BaseForm, name: str, data: QueryDict, prefixed: str) -> Any:
    return form.fields[name].widget.value_from_datadict(data, {}, prefixed)


def _as_data(form: forms.BaseForm, name: str, values: list[str]) -> Any:
    data = QueryDict(mutable=True)
    if values:
        data.setlist("x", values)
    return form.fields[name].widget.value_from_datadict(data, {}, "x")


def in_words(form_field: forms.Field, value: Any) -> str:
    """For a reader; of a relation only what this form could choose."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(form_field, PickField) and isinstance(value, Picked):
        # Words that nobody chose by yet are what a person typed as well.
        asked, value = value.asked, value.choice
        if asked or not value:
            return asked
    if isinstance(form_field, forms.ModelMultipleChoiceField):
        rows: Any = form_field.queryset
        found = rows.filter(pk__in=[v for v in value if str(v).isdecimal()])
        return "\n".join(form_field.label_from_instance(row) for row in found)
    if isinstance(form_field, forms.ModelChoiceField):
        try:
            return form_field.label_from_instance(form_field.to_python(value))
        except ValidationError:
            return "(not there, or not open to you)"
    if isinstance(form_field, forms.BooleanField):
        return "yes" if value not in (False, "False") else "no"
    labels = {str(key): str(label) for key, label in getattr(form_field, "choices", [])}
    values = value if isinstance(value, list | tuple) else [value]
    return "\n".join(labels.get(str(item), str(item)) for item in values)[:LONGEST_CELL]


class SideBySide:
    """Lays what was typed beside what was and what is.

    ``form`` and ``formsets`` are those of the page as it is now, unbound. What was typed into the
    fields ``never`` is on no page.
    """

    def __init__(
        self,
        form: forms.ModelForm,
        formsets: list[Any],
        mine: QueryDict,
        since: Since,
        never: Iterable[str] = (),
    ) -> None:
        self.form, self.formsets, self.mine, self.since = form, formsets, mine, since
        self.never = {*_NOT_COMPARED, *never}
        self.data = mine.copy()
        self.lines: list[Line] = []
        self.renamed: dict[str, str] = {}

    def lay(self) -> Laid:
        if self.form.instance.pk is not None:
            self._fields(self.form, "", "", self.form.prefix or "")
        for formset in self.formsets:
            self._rows(formset)
        return Laid(self.data, self.lines, self.since.elsewhere(), self.renamed)

    def _fields(self, form: forms.ModelForm, row: str, here: str, typed: str) -> bool:
        """Compare one row; ``here`` and ``typed`` begin the names of its fields, now and as they
        were sent. Says whether something was typed."""
        model: Any = form._meta.model
        edits = self.since.of(model, form.instance.pk)
        now = _values(form, None)
        was = now
        if edits is not None and edits.before is not None:
            was = _values(form, _as_it_was(model, edits.before))
        columns = {f.name: f.column for f in model._meta.concrete_fields}
        hanging = form.as_it_was(self.since) if hasattr(form, "as_it_was") else {}
        any_typed = False
        for name, form_field in form.fields.items():
            if name in self.never or form_field.widget.is_hidden:
                continue
            theirs = sent(form_field, now[name])
            typed_name, here_name = f"{typed}{name}", f"{here}{name}"
            before, entry = hanging.get(name, (was[name], None))
            if form_field.widget.value_omitted_from_data(self.mine, {}, typed_name):
                continue
            mine = _typed(form, name, self.mine, typed_name)
            is_mine = form_field.has_changed(before, mine)
            is_theirs = form_field.has_changed(before, _as_data(form, name, theirs))
            any_typed |= is_mine
            if not is_mine and not is_theirs:
                continue
            beside = list(getattr(_widget(form_field), "beside", ()))
            if not is_mine:
                take(self.data, here_name, theirs, beside)
            is_same = not form_field.has_changed(now[name], mine)
            if entry is None and edits is not None:
                entry = edits.moved.get(columns.get(name, ""), edits.last)
            self.lines.append(
                Line(
                    here_name,
                    row,
                    str(form_field.label or name),
                    in_words(form_field, before),
                    in_words(form_field, now[name]),
                    in_words(form_field, mine) if is_mine else "",
                    ("same" if is_same else "both" if is_theirs else "mine")
                    if is_mine
                    else "theirs",
                    *(_by(entry) if is_theirs and entry is not None else ("", "")),
                    theirs=theirs,
                    beside=beside,
                )
            )
        return any_typed

    def _take(self, name: str, form_field: forms.Field, value: Any) -> None:
        beside = getattr(_widget(form_field), "beside", ())
        take(self.data, name, sent(form_field, value), beside)

    def _rows(self, formset: Any) -> None:
        """The rows of one kind: those that are there now first, as the page counts them."""
        prefix, key = formset.prefix, formset.model._meta.pk.name
        pattern = re.compile(rf"^{re.escape(prefix)}-(\d+)-(.+)$")
        posted: dict[int, dict[str, list[str]]] = {}
        for name, values in self.mine.lists():
            if found := pattern.match(name):
                posted.setdefault(int(found[1]), {})[found[2]] = values
                self.data.pop(name, None)
        by_pk: dict[str, int] = {
            row[key][0]: i for i, row in posted.items() if row.get(key, [""])[0]
        }
        kind = str(formset.model._meta.verbose_name)
        number = 0
        for form in formset.initial_forms:
            here = f"{prefix}-{number}-"
            i = by_pk.pop(str(form.instance.pk), None)
            title = f"{kind} {number + 1}: {form.instance}"
            if i is None:
                self._added(form, here, title)
            else:
                self._put(here, f"{prefix}-{i}-", posted.pop(i))
                self._kept(form, here, f"{prefix}-{i}-", title)
            number += 1
        self.data[f"{prefix}-INITIAL_FORMS"] = str(number)
        for i, row in sorted(posted.items()):
            here = f"{prefix}-{number}-"
            pk = row.get(key, [""])[0]
            if pk and not self._removed(formset, pk, row, here, f"{prefix}-{i}-", kind):
                continue
            self._put(here, f"{prefix}-{i}-", {**row, key: [""]})
            number += 1
        self.data[f"{prefix}-TOTAL_FORMS"] = str(number)

    def _put(self, here: str, before: str, row: dict[str, list[str]]) -> None:
        self.renamed[before] = here
        for name, values in row.items():
            self.data.setlist(f"{here}{name}", values)

    def _kept(self, form: Any, here: str, typed: str, title: str) -> None:
        """A row that was on the page and is there still."""
        edits = self.since.of(form._meta.model, form.instance.pk)
        name = f"{here}{DELETION_FIELD_NAME}"
        if not self.mine.get(f"{typed}{DELETION_FIELD_NAME}"):
            self._fields(form, title, here, typed)
            return
        for field_name, form_field in form.fields.items():
            if field_name not in self.never and not form_field.widget.is_hidden:
                value = form.get_initial_for_field(form_field, field_name)
                self._take(f"{here}{field_name}", form_field, value)
        if edits is not None:
            self.lines.append(
                Line(
                    name,
                    title,
                    "Remove this row",
                    "",
                    f"changed: {in_short(edits.last)}",
                    "removed",
                    "both",
                    *_by(edits.last),
                )
            )

    def _added(self, form: Any, here: str, title: str) -> None:
        """A row that was not on the page."""
        said = []
        for name, form_field in form.fields.items():
            if name == DELETION_FIELD_NAME:
                continue
            value = form.get_initial_for_field(form_field, name)
            self._take(f"{here}{name}", form_field, value)
            words = "" if form_field.widget.is_hidden else in_words(form_field, value)
            if words:
                said.append(f"{form_field.label or name}: {words}")
        edits = self.since.of(form._meta.model, form.instance.pk)
        by = _by(edits.last) if edits is not None else ("", "")
        what = "\n".join(said)
        self.lines.append(Line(f"{here}row", title, "New row", "", what, "", "theirs", *by))

    def _removed(
        self, formset: Any, pk: str, row: dict[str, list[str]], here: str, typed: str, kind: str
    ) -> bool:
        """A row that somebody removed. Whether it comes back as a new one, to be chosen."""
        number = int(pk) if pk.isdecimal() else -1
        edits = self.since.of(formset.model, number)
        if self.mine.get(f"{typed}{DELETION_FIELD_NAME}"):
            return False
        form = formset.empty_form
        was: dict[str, Any] | None = None
        if edits is not None and edits.before is not None:
            was = _values(form, _as_it_was(formset.model, edits.before))
        said, before, any_typed = [], [], was is None
        for name, form_field in form.fields.items():
            if name in self.never or form_field.widget.is_hidden:
                continue
            mine = _typed(form, name, self.mine, f"{typed}{name}")
            known = was is not None and name in {f.name for f in formset.model._meta.fields}
            if known and was is not None:
                any_typed |= form_field.has_changed(was[name], mine)
                if words := in_words(form_field, was[name]):
                    before.append(f"{form_field.label or name}: {words}")
            if words := in_words(form_field, mine):
                said.append(f"{form_field.label or name}: {words}")
        by = _by(edits.last) if edits is not None else ("", "")
        kind_of = "both" if any_typed else "theirs"
        self.lines.append(
            Line(
                f"{here}{DELETION_FIELD_NAME}",
                f"{kind} (removed)",
                "The whole row",
                "\n".join(before),
                "removed",
                "\n".join(said) if any_typed else "",
                kind_of,
                *by,
                theirs=["on"],
            )
        )
        return any_typed


def _by(entry: HistoryEntry) -> tuple[str, str]:
    return entry.actor.get_username(), f"{entry.at:%Y-%m-%d %H:%M} UTC"


def carried(lines: list[Line]) -> str:
    """The lines for a hidden input, so that the page can show them again."""
    return signing.dumps([asdict(line) for line in lines], salt=_SALT, compress=True)


def shown_before(data: QueryDict) -> list[Line]:
    """The lines that the form came with, and what was chosen in it."""
    try:
        lines = [Line(**line) for line in signing.loads(data.get(SHOWN, ""), salt=_SALT)]
    except (signing.BadSignature, TypeError):
        return []
    for line in lines:
        if line.kind == "both" and data.get(line.choice) in ("mine", "theirs"):
            line.chosen = str(data[line.choice])
    return lines


def undecided(lines: list[Line]) -> bool:
    return any(line.kind == "both" and not line.chosen for line in lines)


def apply(lines: list[Line], data: QueryDict) -> QueryDict:
    """The form's data, with theirs where theirs was chosen."""
    chosen = data.copy()
    for line in lines:
        if line.chosen == "theirs":
            take(chosen, line.name, line.theirs, line.beside)
    return chosen


def take(data: QueryDict, name: str, values: list[str], beside: Iterable[str]) -> None:
    """Let a field of a form be sent as ``values``, and nothing else of it."""
    for of_field in (name, *(f"{name}{ending}" for ending in beside)):
        data.pop(of_field, None)
    if values:
        data.setlist(name, values)

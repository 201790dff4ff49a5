"""What all pages of the admin share: who acts, how refusals come back, and that nothing is deleted.

An admin of evidence derives from :class:`RecordAdmin`, a list that nobody edits from
:class:`ViewOnlyAdmin`, rows below a record from :class:`RowsInline`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import (
    AdminTextareaWidget,
    AdminURLFieldWidget,
    RelatedFieldWidgetWrapper,
)
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections, models
from django.db.models import F, Func, Value
from django.db.models.functions import Coalesce, Concat
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from harmtracker.accounts.models import User
from harmtracker.admin_fields import Codes, ExactText, Lines
from harmtracker.admin_keeping import NothingLost
from harmtracker.asking_once import ask_once
from harmtracker.codes import CodeArrayField, choices
from harmtracker.errors import Conflict, DomainError
from harmtracker.history.models import HistoryEntry
from harmtracker.history.reading import changes_in_words
from harmtracker.searching import Folded


def person(request: HttpRequest) -> User:
    """Who acts. The admin has let nobody in who is not a person of the team."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def in_words(refusal: DomainError) -> str:
    """A refusal for the person who asked, with where it differs."""
    if isinstance(refusal, Conflict) and refusal.differences:
        return f"{refusal.message} It differs in: {', '.join(refusal.differences[:10])}."
    return refusal.message


class ExactFields(BaseModelAdmin):
    """Form fields for evidence: exact texts, lists by lines, codes by boxes, searched relations."""

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        described: dict[str, Any] = {
            "required": not db_field.blank,
            "label": db_field.verbose_name.capitalize(),
            "help_text": db_field.help_text,
        }
        if isinstance(db_field, CodeArrayField):
            return Codes(choices=partial(choices, db_field.code_list), **described)
        if isinstance(db_field, ArrayField):
            return Lines(
                item_length=db_field.base_field.max_length,
                widget=AdminTextareaWidget(attrs={"rows": 3}),
                **{**described, "help_text": f"{db_field.help_text} One on each line."},
            )
        if isinstance(db_field, models.URLField):
            # The form's own field for addresses would complete and rewrite them.
            kwargs |= {"form_class": ExactText, "widget": AdminURLFieldWidget}
        elif isinstance(db_field, models.CharField | models.TextField) and not db_field.choices:
            if not isinstance(db_field, models.SlugField):
                kwargs["form_class"] = ExactText
            if isinstance(db_field, models.TextField):
                kwargs["widget"] = AdminTextareaWidget(attrs={"rows": 4})
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class RecordForm(forms.ModelForm):
    """A form that says why, and that can be refused after its own checks have passed."""

    change_reason = ExactText(
        required=False,
        max_length=1000,
        label="Reason for this change",
        help_text="Kept in the history of the record, for the team.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    # All are set on the class that the admin makes for one request.
    refusal: DomainError | None = None
    reason_is_due = False
    marks: dict[str, str] = {}
    # What came back, where the form is only compared with it.
    sent: Mapping[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "change_reason" in self.fields:
            self.fields["change_reason"].required = self.reason_is_due
        for name, value in self.marks.items():
            if name in self.fields:
                self.fields[name].initial = value

    def clean(self) -> dict[str, Any]:
        super().clean()
        keep_what_was_not_changed(self)
        if self.refusal is not None:
            raise ValidationError(in_words(self.refusal))
        return self.cleaned_data


def keep_what_was_not_changed(form: forms.BaseModelForm) -> None:
    """Newlines that the browser rewrote and ticks in another order are no edit of a stored row."""
    if form.instance.pk is None:
        return
    for name in form.cleaned_data.keys() - set(form.changed_data):
        if isinstance(form.fields[name], ExactText | Codes) and name in form.initial:
            form.cleaned_data[name] = form.initial[name]


def _text_value(text: str) -> Value:
    return Value(text, output_field=models.TextField())


class FoundBySpelling(admin.ModelAdmin):
    """Search over ``search_fields``, lists of names included, in any case and with any accents.

    Every word has to be found, anywhere in the fields.
    """

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet, search_term: str
    ) -> tuple[models.QuerySet, bool]:
        words = search_term.replace("\x00", "").split()
        if not words:
            return queryset, False
        parts: list[Any] = []
        for name in self.search_fields:
            parts += [Coalesce(self._text(name), _text_value("")), _text_value("\n")]
        queryset = queryset.alias(searched=Folded(Concat(*parts, output_field=models.TextField())))
        for word in words:
            queryset = queryset.filter(searched__contains=Folded(_text_value(word)))
        return queryset, False

    def _text(self, name: str) -> Any:
        column = F(name)
        if "__" not in name and isinstance(self.opts.get_field(name), ArrayField):
            return Func(
                column, Value("\n"), function="array_to_string", output_field=models.TextField()
            )
        return Func(column, function="text", output_field=models.TextField())


class DeskAdmin(FoundBySpelling):
    """Hidden is 404, lists answer to their declared filters alone, and nothing is deleted."""

    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    # What lookups the filters of the lists use.
    filter_lookups = ("", "__exact", "__isnull")

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only declared filters: any other field would answer questions about what is hidden."""
        return lookup in {
            f"{name}{suffix}"
            for name in self.list_filter
            if isinstance(name, str)
            for suffix in self.filter_lookups
        }

    def _get_obj_does_not_exist_redirect(self, *args: Any) -> HttpResponse:
        raise Http404

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "POST":
            # Django goes by the data alone, and a form that is shown once more brings data.
            request.POST = QueryDict()
        return super().delete_view(request, object_id, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who changed what, when and why, as the database's triggers wrote it down."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        entries = self.history_of(row).select_related("actor").order_by("-id")
        paginator = self.get_paginator(request, entries, 50)
        page = paginator.get_page(request.GET.get("p", 1))
        return TemplateResponse(
            request,
            "admin/row_history.html",
            {
                **self.admin_site.each_context(request),
                "title": f"History: {row}",
                "opts": self.opts,
                "object": row,
                "page": page,
                "entries": changes_in_words(page.object_list, request, self.admin_site),
                **(extra_context or {}),
            },
        )

    def history_of(self, row: models.Model) -> models.QuerySet[HistoryEntry]:
        return HistoryEntry.objects.filter(table_name=self.opts.db_table, row_id=row.pk)


class ViewOnlyAdmin(ExactFields, DeskAdmin):
    """Rows that are read here and written elsewhere; they only grow, and have no history page."""

    change_form_template = "admin/view_only.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise Http404


class RecordAdmin(NothingLost, ExactFields, DeskAdmin):
    """A record that people change: in their own name, all or nothing, refusals on the form."""

    form = RecordForm

    def reason_is_due(self, row: models.Model | None) -> bool:
        """A new row explains itself; a change of one that others rely on does not."""
        return row is not None

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        form.marks = getattr(request, "marks", {})
        form.reason_is_due = self.reason_is_due(obj)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets: list[Any] = list(super().get_fieldsets(request, obj))
        if self.may_save(request, obj):
            fieldsets.append(("This change", {"fields": self.fields_of_change(obj)}))
        return fieldsets

    def fields_of_change(self, obj: Any) -> list[str]:
        return ["change_reason", "seen"]

    def may_save(self, request: HttpRequest, obj: Any) -> bool:
        return (
            self.has_add_permission(request)
            if obj is None
            else (self.has_change_permission(request, obj))
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # Before anybody is told of a success: the rules that span rows.
        connections["default"].check_constraints()


class SharedAdmin(RecordAdmin):
    """Places, actors, outlets and the like, named by many records. The short name is for ever."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = ["slug"] if obj is not None and _has_slug(self.model) else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {"slug": ["name"]} if obj is None and _has_slug(self.model) else {}


def _has_slug(model: type[models.Model]) -> bool:
    return any(field.name == "slug" for field in model._meta.fields)


class RowForm(forms.ModelForm):
    """A row below a record."""

    def clean(self) -> dict[str, Any]:
        super().clean()
        keep_what_was_not_changed(self)
        return self.cleaned_data


class RowsFormSet(forms.BaseInlineFormSet):
    """Rows below a record. A removed row takes along what only hangs on it."""

    removed_along: tuple[str, ...] = ()

    @cached_property
    def forms(self) -> list[Any]:
        rows: list[Any] = super().forms
        ask_once(rows)
        return rows

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if DELETION_FIELD_NAME in form.fields:
            form.fields[DELETION_FIELD_NAME].widget.attrs["aria-label"] = "Remove this row"

    def delete_existing(self, obj: Any, commit: bool = True) -> None:
        if commit:
            for relation in self.removed_along:
                getattr(obj, relation).all().delete()
        super().delete_existing(obj, commit)


class RowsInline(ExactFields, admin.StackedInline):
    """Rows below a record, each widget with a name that a screen reader can say."""

    form = RowForm
    formset = RowsFormSet
    extra = 0
    # Relations whose rows go with a removed one; anything else that refers to it keeps it.
    removed_along: tuple[str, ...] = ()

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and self.template == TABLE:
            widget = field.widget
            inner = widget.widget if isinstance(widget, RelatedFieldWidgetWrapper) else widget
            inner.attrs["aria-label"] = field.label or db_field.verbose_name
        return field

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.removed_along = self.removed_along
        if self.removed_along:
            # Django refuses to remove a row that protected rows refer to. Where those go with
            # it, the database still has the last word on all the others.
            formset.form.hand_clean_DELETE = lambda form: None
        return formset


TABLE = "admin/edit_inline/tabular.html"


def admin_url(name: str, *args: Any, **query: Any) -> str:
    """Address of an admin page, such as ``incidents_claim_add``."""
    url = reverse(f"admin:{name}", args=args)
    return f"{url}?{urlencode(query)}" if query else url

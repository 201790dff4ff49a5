"""Sources that must not be named: entering who they are, and the one page that shows it.

No page but that one holds an identity, not even the form that it was just typed into.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from harmtracker.accounts import lockout, second_factor
from harmtracker.admin_base import RecordAdmin, RecordForm, ViewOnlyAdmin, in_words, person
from harmtracker.admin_fields import ExactText
from harmtracker.errors import DomainError
from harmtracker.picking import Picks
from sources import confidential
from sources.models import ConfidentialSource, Reveal
from sources.picking import OUTLET
from sources.sealing import Identity


class _NotRepeated(forms.TextInput):
    """An input that comes back empty, whatever was wrong with the form."""

    def format_value(self, value: Any) -> None:
        return None


class _AreaNotRepeated(forms.Textarea):
    def format_value(self, value: Any) -> None:
        return None


_QUIET = {"autocomplete": "off", "spellcheck": "false"}


class ConfidentialSourceForm(RecordForm):
    who = ExactText(
        max_length=500,
        label="Name",
        widget=_NotRepeated(attrs={"class": "vTextField", **_QUIET}),
        help_text="Encrypted before it is stored. To replace an identity, type all of it anew.",
    )
    contact = ExactText(
        max_length=2000,
        required=False,
        label="How they are reached",
        widget=_AreaNotRepeated(attrs={"rows": 2, "class": "vLargeTextField", **_QUIET}),
    )
    about = ExactText(
        max_length=10_000,
        required=False,
        label="Anything else about them",
        widget=_AreaNotRepeated(attrs={"rows": 3, "class": "vLargeTextField", **_QUIET}),
    )

    class Meta:
        model = ConfidentialSource
        fields = ["outlet"]

    def identity(self) -> Identity:
        said = self.cleaned_data
        return Identity(said["who"], said["contact"], said["about"])


class RevealForm(forms.Form):
    reason = ExactText(
        max_length=1000,
        label="Why you have to know",
        help_text="Kept for ever, with your name and the time.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )
    code = forms.CharField(
        max_length=40,
        label="A new code of your second factor",
        widget=_NotRepeated(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@admin.register(ConfidentialSource)
class ConfidentialSourceAdmin(Picks, RecordAdmin):
    form = ConfidentialSourceForm
    # Not even sealed, in a page that is open on somebody's desk.
    never_kept = ("who", "contact", "about")
    list_display = ["outlet", "kind"]
    list_select_related = ["outlet"]
    search_fields = ["outlet__name", "outlet__slug"]
    picks = {"outlet": OUTLET}

    @admin.display(description="kind", ordering="outlet__kind")
    def kind(self, source: ConfidentialSource) -> str:
        return str(source.outlet.get_kind_display())

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets: list[Any] = [(None, {"fields": ["outlet"]})]
        if self.may_save(request, obj):
            who = {"fields": ["who", "contact", "about"]}
            fieldsets += [
                ("Who it is", who),
                ("This change", {"fields": self.fields_of_change(obj)}),
            ]
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["outlet"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by, identity = person(request), form.identity()
        if change:
            confidential.replace(obj, identity, by=by, reason=form.cleaned_data["change_reason"])
            return
        stored = confidential.create(obj.outlet, identity, by=by)
        obj.pk, obj.uuid = stored.pk, stored.uuid

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:source_id>/reveal/",
                self.admin_site.admin_view(reveal_view),
                name="sources_confidentialsource_reveal",
            ),
            *super().get_urls(),
        ]


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def reveal_view(request: HttpRequest, source_id: int) -> HttpResponse:
    """GET: what will be written down. POST: who the source is, once it has been."""
    by = person(request)
    if not by.has_perm("sources.reveal_confidentialsource"):
        raise PermissionDenied
    source = get_object_or_404(
        ConfidentialSource.objects.select_related("outlet").defer("sealed"), pk=source_id
    )
    form = RevealForm(request.POST if request.method == "POST" else None)
    identity = None
    if request.method == "POST" and form.is_valid():
        check_code = partial(second_factor.check, network=lockout.network_of(request))
        try:
            identity = confidential.reveal(
                source, by=by, check_code=check_code, **form.cleaned_data
            )
        except DomainError as refusal:
            form.add_error(None, in_words(refusal))
    return TemplateResponse(
        request,
        "admin/sources/reveal.html",
        {
            **admin.site.each_context(request),
            "title": "See who this is",
            "opts": ConfidentialSource._meta,
            "source": source,
            "form": form,
            "identity": identity,
        },
    )


@admin.register(Reveal)
class RevealAdmin(ViewOnlyAdmin):
    """Who was shown which source, when and why."""

    list_display = ["source", "by", "at", "reason"]
    list_select_related = ["source__outlet", "by"]
    search_fields = ["source__outlet__name", "by__username", "reason"]
    fields = ["source", "by", "at", "reason"]

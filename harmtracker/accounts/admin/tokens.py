from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone

from harmtracker.accounts import tokens
from harmtracker.accounts.entrance import acting_person, fresh, page
from harmtracker.accounts.models import Token
from harmtracker.accounts.scopes import Scope
from harmtracker.admin_base import ViewOnlyAdmin
from harmtracker.errors import DomainError

ENDS = {
    "1h": ("An hour", datetime.timedelta(hours=1)),
    "12h": ("12 hours", datetime.timedelta(hours=12)),
    "7d": ("7 days", datetime.timedelta(days=7)),
    "90d": ("90 days", datetime.timedelta(days=90)),
    "365d": ("365 days", datetime.timedelta(days=365)),
}
USUAL = "As usual"


class TokenForm(forms.Form):
    """What a token is for, and how long."""

    name = forms.CharField(
        max_length=100,
        help_text="What it is for, such as: import script on the office computer.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="What it may do",
        help_text="As little as it needs. It never may more than you.",
    )
    ends = forms.ChoiceField(
        label="Ends after",
        required=False,
        choices=[("", USUAL), *((value, label) for value, (label, _) in ENDS.items())],
        help_text="To verify: 12 hours, and no longer. Casework: usually 90 days, at most 365. "
        "What is public: usually no end.",
    )

    def __init__(self, *args: Any, scopes: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  (declared above)
        field.choices = [(s.value, f"{s.value}: {s.label}") for s in Scope if s in scopes]


@admin.register(Token)
class TokenAdmin(ViewOnlyAdmin):
    """Tokens: one's own; for administrators, everybody's. Made and revoked, never changed."""

    list_display = ["name", "person", "what_for", "state", "expires_at", "last_used_on"]
    search_fields = ["name", "person__username", "key_id"]
    change_form_template = "admin/accounts/token.html"
    fields = [
        "name",
        "person",
        "key_id",
        "what_for",
        "state",
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
        "revoked_by",
        "last_used_on",
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request).select_related("person", "created_by", "revoked_by")
        if request.user.has_perm("accounts.change_user"):
            return found
        return found.filter(person=request.user.pk)

    @admin.display(description="what it may do")
    def what_for(self, token: Token) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="state")
    def state(self, token: Token) -> str:
        if token.revoked_at is not None:
            return "revoked"
        if token.expires_at is not None and token.expires_at <= timezone.now():
            return "ended"
        return "in use" if token.last_used_on else "not used yet"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.add_token"))

    def get_urls(self) -> list[Any]:
        revoke = self.admin_site.admin_view(self.revoke)
        return [
            path("<int:token_id>/revoke/", revoke, name="accounts_token_revoke"),
            *super().get_urls(),
        ]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._make(request)

    @fresh
    def _make(self, request: HttpRequest) -> HttpResponse:
        person = acting_person(request)
        back: dict[str, Any] = {
            "back": reverse("admin:accounts_token_changelist"),
            "back_name": "Tokens",
        }
        form = TokenForm(request.POST or None, scopes=tokens.scopes_of(person))
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            length = ENDS[given["ends"]][1] if given["ends"] else None
            try:
                token, plain = tokens.issue(
                    person,
                    given["name"],
                    given["scopes"],
                    timezone.now() + length if length else None,
                    person,
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                return page(
                    request,
                    "shown_once",
                    f"Your token: {token.name}",
                    secret=plain,
                    text="Your program sends it in the header Authorization: Bearer ...",
                    advice="Whoever has it acts in your name. Keep it where only the program "
                    "reads it, and revoke it when it may have been seen.",
                    **back,
                )
        return page(
            request,
            "act",
            "Make a token",
            form=form,
            text="A program that has it acts in your name, with no more than your rights.",
            submit="Make the token",
            **back,
        )

    def revoke(self, request: HttpRequest, token_id: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        token = self.get_queryset(request).filter(pk=token_id).first()
        if token is None:
            raise Http404
        back = reverse("admin:accounts_token_change", args=[token.pk])
        form = forms.Form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                tokens.revoke(token, acting_person(request))
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, "The token is revoked.")
                return HttpResponseRedirect(back)
        return page(
            request,
            "act",
            f"Revoke {token.name}",
            form=form,
            text=f"The next request with this token of {token.person.username} is refused, for "
            "good.",
            submit="Revoke the token",
            back=back,
            back_name=token.name,
        )

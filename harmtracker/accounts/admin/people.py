from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, ManyToManyField, Model, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.http import urlencode

from harmtracker.accounts import links, second_factor
from harmtracker.accounts.entrance import acting_person, fresh, page
from harmtracker.accounts.groups import GROUPS
from harmtracker.accounts.models import Authenticator, User
from harmtracker.accounts.services import SETUP_USERNAME
from harmtracker.admin_base import DeskAdmin
from harmtracker.errors import DomainError
from harmtracker.history.acting import acting

HAND_IT_OVER = (
    "Hand it over in person, or by a channel that nobody else reads. It works once, within seven "
    "days; a newer link for the same person ends it."
)


class InvitationForm(forms.Form):
    """Who joins the team, and what they do."""

    username = forms.CharField(
        max_length=150,
        help_text="The name to log in with, in lower case. It stands in the history of all that "
        "this person does, for ever, and is never published.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "class": "vTextField"}),
    )
    groups = forms.MultipleChoiceField(
        choices=[(name, name) for name in GROUPS], widget=forms.CheckboxSelectMultiple
    )


@admin.register(User)
class PersonAdmin(DeskAdmin):
    """People of the team: invited, switched off and put into groups, never removed.

    No page shows or sets another person's password, grants the rights of a superuser or single
    permissions.
    """

    list_display = ["username", "is_active", "in_groups", "has_second_factor", "last_login"]
    list_filter = ["is_active"]
    search_fields = ["username", "email"]
    ordering = ["username"]
    change_form_template = "admin/accounts/person.html"
    fieldsets = [
        (None, {"fields": ["username", "email", "has_second_factor"]}),
        ("What this person does", {"fields": ["is_active", "groups"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["username", "has_second_factor", "last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> Any:
        confirmed = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
        people = super().get_queryset(request).prefetch_related("groups")
        return people.annotate(has_factor=Exists(confirmed))

    @admin.display(description="groups")
    def in_groups(self, person: User) -> str:
        return ", ".join(sorted(group.name for group in person.groups.all()))

    @admin.display(description="second factor", boolean=True)
    def has_second_factor(self, person: Any) -> bool:
        return bool(person.has_factor)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Nobody gives rights to themselves, or switches themselves off."""
        own = ["is_active", "groups"] if obj is not None and obj.pk == request.user.pk else []
        return [*super().get_readonly_fields(request, obj), *own]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The setup account is nobody's; a superuser is changed by a superuser."""
        if isinstance(obj, User) and (
            obj.username == SETUP_USERNAME or (obj.is_superuser and not request.user.is_superuser)
        ):
            return False
        return super().has_change_permission(request, obj)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelMultipleChoiceField | None:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.widget = forms.CheckboxSelectMultiple()
            field.widget.choices = field.choices
            field.help_text = ""
        return field

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<int:person_id>/link/", view(self.make_link), name="accounts_user_link"),
            path(
                "<int:person_id>/second-factor/",
                view(self.reset_second_factor),
                name="accounts_user_second_factor",
            ),
            *super().get_urls(),
        ]

    def _person(self, request: HttpRequest, person_id: int) -> User:
        if not self.has_change_permission(request):
            raise PermissionDenied
        person = self.get_object(request, str(person_id))
        if person is None:
            raise Http404
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        return person

    def _back(self, person: User) -> dict[str, Any]:
        back = reverse("admin:accounts_user_change", args=[person.pk])
        return {"back": back, "back_name": person.username}

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._invite(request)

    @fresh
    def _invite(self, request: HttpRequest) -> HttpResponse:
        form = InvitationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                person, secret = links.invite(by=acting_person(request), **form.cleaned_data)
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                return self._link_page(request, person, secret)
        return page(
            request,
            "act",
            "Invite a person",
            form=form,
            text="They get a link from you, by which they choose their own password and set up "
            "their second factor.",
            submit="Make the link",
            back=reverse("admin:accounts_user_changelist"),
            back_name="Users",
        )

    def _link_page(self, request: HttpRequest, person: User, secret: str) -> HttpResponse:
        address = reverse("admin:open_password_link", args=[secret])
        return page(
            request,
            "shown_once",
            f"A link for {person.username}",
            secret=request.build_absolute_uri(address),
            text=f"With this link {person.username} chooses a password.",
            advice=HAND_IT_OVER,
            **self._back(person),
        )

    def make_link(self, request: HttpRequest, person_id: int) -> HttpResponse:
        return self._make_link(request, self._person(request, person_id))

    @fresh
    def _make_link(self, request: HttpRequest, person: User) -> HttpResponse:
        form = forms.Form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                secret = links.make_reset_link(person, acting_person(request))
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                return self._link_page(request, person, secret)
        return page(
            request,
            "act",
            f"A link for {person.username}",
            form=form,
            text="With it they choose a new password. Nothing changes before they use it; then all "
            "their sessions and tokens end, and their second factor stays. Be sure that it is "
            "they who ask.",
            submit="Make the link",
            **self._back(person),
        )

    def reset_second_factor(self, request: HttpRequest, person_id: int) -> HttpResponse:
        return self._reset_second_factor(request, self._person(request, person_id))

    @fresh
    def _reset_second_factor(self, request: HttpRequest, person: User) -> HttpResponse:
        form = forms.Form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                second_factor.reset(person, acting_person(request))
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{person.username} sets up another one at next login.")
                return HttpResponseRedirect(self._back(person)["back"])
        return page(
            request,
            "act",
            f"Reset the second factor of {person.username}",
            form=form,
            text="For a lost phone. Their authenticator and recovery codes stop working, all their "
            "sessions and casework tokens end, and whoever has their password sets up the next "
            "one: be sure that it is they who ask, and make them a link for a new password too "
            "where anybody else may know the old one.",
            submit="Reset the second factor",
            **self._back(person),
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return self._act_in_own_name(request, object_id, form_url, extra_context)

    @fresh
    def _act_in_own_name(self, request: HttpRequest, *args: Any) -> HttpResponse:
        with acting(acting_person(request), "In the admin"):
            return super().changeform_view(request, *args)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What happened to this person's access."""
        person = self.get_object(request, object_id)
        if person is None or not self.has_view_permission(request, person):
            raise Http404
        query = urlencode({"q": person.username})
        return HttpResponseRedirect(f"{reverse('admin:accounts_securityevent_changelist')}?{query}")

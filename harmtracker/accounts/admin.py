from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import ManyToManyField, Model
from django.http import HttpRequest
from django_otp.plugins.otp_static.admin import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDevice

from harmtracker.accounts.models import User
from harmtracker.accounts.services import SETUP_USERNAME

# The groups are those of `accounts.groups`, written by migrate.
admin.site.unregister(Group)
# A second factor is enrolled and reset; nobody reads or writes its secrets.
admin.site.unregister([TOTPDevice, StaticDevice])


class NewPersonForm(AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("username", "groups")


@admin.register(User)
class PersonAdmin(UserAdmin):
    """People of the team: added, switched off and put into groups, never removed.

    No form grants the rights of a superuser, or single permissions.
    """

    add_form = NewPersonForm
    list_display = ["username", "is_active", "in_groups", "last_login"]
    list_filter = ["is_active"]
    search_fields = ["username", "email"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "email"]}),
        ("What this person does", {"fields": ["is_active", "groups"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "password1", "password2", "groups"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="groups")
    def in_groups(self, person: User) -> str:
        return ", ".join(sorted(group.name for group in person.groups.all()))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The setup account is nobody's; a superuser is changed by a superuser."""
        if isinstance(obj, User) and (
            obj.username == SETUP_USERNAME or (obj.is_superuser and not request.user.is_superuser)
        ):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in {"is_active__exact"}

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelMultipleChoiceField | None:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.widget = forms.CheckboxSelectMultiple()
            field.widget.choices = field.choices
            field.help_text = ""
        return field

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        # Whoever is of the team works here, in the admin.
        obj.is_staff = True
        super().save_model(request, obj, form, change)

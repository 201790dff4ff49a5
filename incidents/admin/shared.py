"""Records that many incidents name."""

from __future__ import annotations

from django.contrib import admin

from harmtracker.admin_base import SharedAdmin, ViewOnlyAdmin
from incidents.models import Actor, Dataset, Place, WeaponType


@admin.register(Place)
class PlaceAdmin(SharedAdmin):
    list_display = ["name", "level", "parent", "pcode", "country", "protected"]
    list_select_related = ["parent"]
    list_filter = ["level", "protected"]
    search_fields = ["name", "other_names", "pcode", "slug"]
    autocomplete_fields = ["parent"]
    fieldsets = [
        (None, {"fields": ["name", "other_names", "slug"]}),
        ("Where it lies", {"fields": [("level", "country"), "parent", "pcode"]}),
        ("Point", {"fields": [("latitude", "longitude")]}),
        ("Protection", {"fields": ["protected", "protected_reason"]}),
    ]


@admin.register(Actor)
class ActorAdmin(SharedAdmin):
    list_display = ["name", "kind", "parent", "country"]
    list_select_related = ["parent"]
    list_filter = ["kind"]
    search_fields = ["name", "other_names", "slug"]
    autocomplete_fields = ["parent"]
    fieldsets = [
        (None, {"fields": ["name", "other_names", "slug"]}),
        ("What it is", {"fields": [("kind", "country"), "parent", "independence_group"]}),
    ]


@admin.register(Dataset)
class DatasetAdmin(SharedAdmin):
    list_display = ["name", "licence", "redistributable"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "licence", "citation", "url", "redistributable"]


@admin.register(WeaponType)
class WeaponTypeAdmin(ViewOnlyAdmin):
    list_display = ["code", "label", "parent", "definition"]
    list_select_related = ["parent"]
    search_fields = ["code", "label"]

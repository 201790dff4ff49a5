"""Records that many incidents name."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from harmtracker.admin_base import SharedAdmin, ViewOnlyAdmin
from harmtracker.picking import Picks
from incidents.models import Actor, Dataset, Place, WeaponType
from incidents.picking import ACTOR, PLACE
from incidents.weapon_words import offers_for


@admin.register(Place)
class PlaceAdmin(Picks, SharedAdmin):
    list_display = ["name", "level", "parent", "pcode", "country", "protected"]
    list_select_related = ["parent"]
    list_filter = ["level", "protected"]
    search_fields = ["name", "other_names", "pcode", "slug"]
    picks = {"parent": PLACE}
    fieldsets = [
        (None, {"fields": ["name", "other_names", "slug"]}),
        ("Where it lies", {"fields": [("level", "country"), "parent", "pcode"]}),
        ("Point", {"fields": [("latitude", "longitude")]}),
        ("Protection", {"fields": ["protected", "protected_reason"]}),
    ]


@admin.register(Actor)
class ActorAdmin(Picks, SharedAdmin):
    list_display = ["name", "kind", "parent", "country"]
    list_select_related = ["parent"]
    list_filter = ["kind"]
    search_fields = ["name", "other_names", "slug"]
    picks = {"parent": ACTOR}
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """By code and label, and by the words that sources use."""
        found, _ = super().get_search_results(request, queryset, search_term)
        fit = queryset.filter(code__in=[offer.code for offer in offers_for(search_term)])
        return found | fit, False

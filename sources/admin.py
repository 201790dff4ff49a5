from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from harmtracker.admin_base import TABLE, RowsInline, SharedAdmin, ViewOnlyAdmin
from sources.models import Article, Capture, Outlet


@admin.register(Outlet)
class OutletAdmin(SharedAdmin):
    list_display = ["name", "kind", "country", "reliability", "party_to_conflict"]
    list_filter = ["kind", "reliability", "party_to_conflict"]
    search_fields = ["name", "other_names", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "other_names", "slug"]}),
        ("What it is", {"fields": [("kind", "country"), "languages", "party_to_conflict"]}),
        ("Standing", {"fields": ["reliability", "independence_group"]}),
    ]


class CaptureRows(RowsInline):
    """The stored copies, to be read."""

    model = Capture
    template = TABLE
    fields = ("kind", "sha256", "media_type", "captured_at", "captured_by")
    readonly_fields = fields
    verbose_name_plural = "stored copies"
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        return False


@admin.register(Article)
class ArticleAdmin(SharedAdmin):
    list_display = ["title", "outlet", "published", "language"]
    list_select_related = ["outlet"]
    list_filter = ["language"]
    search_fields = ["title", "outlet__name", "authors", "url", "copy_url"]
    autocomplete_fields = ["outlet"]
    inlines = [CaptureRows]
    fieldsets = [
        (None, {"fields": ["outlet", "title", "authors", ("published", "language"), "summary"]}),
        ("Where it is found", {"fields": ["url", "copy_url", "archive_url"]}),
    ]


@admin.register(Capture)
class CaptureAdmin(ViewOnlyAdmin):
    list_display = ["article", "kind", "sha256", "size", "captured_at", "captured_by"]
    list_select_related = ["article", "captured_by"]
    list_filter = ["kind"]
    search_fields = ["article__title", "sha256"]

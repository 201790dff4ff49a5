"""Outlets and articles, with the copies that are stored of an article."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt

from harmtracker.admin_base import TABLE, RowsInline, SharedAdmin, admin_url
from harmtracker.picking import Picks
from sources.models import Article, Capture, Outlet
from sources.picking import OUTLET

from .attaching import attach_view


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
    """The stored copies, each with the way to its bytes and its custody."""

    model = Capture
    template = TABLE
    fields = ("kind", "media_type", "size", "captured_at", "captured_by", "tool", "to_read")
    readonly_fields = fields
    verbose_name_plural = "stored copies"
    can_delete = False
    show_change_link = True

    @admin.display(description="bytes")
    def to_read(self, capture: Capture) -> SafeString:
        url = admin_url("sources_capture_content", capture.pk)
        return format_html('<a href="{}">Read (is written down)</a>', url)

    def has_add_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        return False


@admin.register(Article)
class ArticleAdmin(Picks, SharedAdmin):
    list_display = ["title", "outlet", "published", "language"]
    list_select_related = ["outlet"]
    list_filter = ["language"]
    search_fields = ["title", "outlet__name", "authors", "url", "copy_url"]
    picks = {"outlet": OUTLET}
    inlines = [CaptureRows]
    fieldsets = [
        (None, {"fields": ["outlet", "title", "authors", ("published", "language"), "summary"]}),
        ("Where it is found", {"fields": ["url", "copy_url", "archive_url"]}),
    ]

    def get_urls(self) -> list[URLPattern]:
        # The check of the form's token reads the form: it waits until the page has said where
        # the form's file goes, and does it then.
        attach = csrf_exempt(attach_view)
        return [
            path(
                "<int:article_id>/attach/",
                self.admin_site.admin_view(attach),
                name="sources_article_attach",
            ),
            *super().get_urls(),
        ]

"""Stored copies, to be read, with all that was done with them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from harmtracker.admin_base import TABLE, RowsInline, ViewOnlyAdmin, admin_url, person
from harmtracker.errors import DomainError
from sources import delivery, services
from sources.models import Capture, CustodyEntry


@require_GET
def content_view(request: HttpRequest, capture_id: int) -> Any:
    """The bytes of a copy. That this person reads it is written down before they leave."""
    by = person(request)
    if not by.has_perm("sources.view_capture"):
        raise PermissionDenied
    capture = get_object_or_404(Capture, pk=capture_id)
    try:
        return delivery.response(capture, services.read(capture, by=by))
    except DomainError as refusal:
        return HttpResponse(refusal.message, status=409, content_type="text/plain; charset=utf-8")


class CustodyRows(RowsInline):
    model = CustodyEntry
    template = TABLE
    fields = ("action", "by", "at", "to", "purpose")
    readonly_fields = fields
    verbose_name_plural = "custody: what was done with it"
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Capture)
class CaptureAdmin(ViewOnlyAdmin):
    list_display = ["article", "kind", "sha256", "size", "captured_at", "captured_by"]
    list_select_related = ["article", "captured_by"]
    list_filter = ["kind"]
    search_fields = ["article__title", "sha256"]
    inlines = [CustodyRows]
    fields = [
        "article",
        "kind",
        "media_type",
        "size",
        "sha256",
        "to_read",
        "captured_at",
        "captured_by",
        "tool",
        "requested_url",
        "final_url",
        "http_status",
        "http_headers",
    ]
    readonly_fields = ["to_read"]

    @admin.display(description="bytes")
    def to_read(self, capture: Capture) -> SafeString:
        url = admin_url("sources_capture_content", capture.pk)
        return format_html('<a href="{}">Read (is written down)</a>', url)

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:capture_id>/content/",
                self.admin_site.admin_view(content_view),
                name="sources_capture_content",
            ),
            *super().get_urls(),
        ]

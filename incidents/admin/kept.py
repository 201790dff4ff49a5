"""Lists of what was written elsewhere and only grows: reviews, the history, what was published."""

from __future__ import annotations

import json

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from harmtracker.admin_base import ViewOnlyAdmin, person
from harmtracker.history.models import HistoryEntry
from incidents.models import Incident, LedgerEntry, PublishedVersion, Review

from .record import PartQuerySet

# Encrypted identities, and why somebody was shown one: their own pages say of them what is for
# whom.
NOT_HERE = ("sources_confidentialsource", "sources_reveal")


@admin.register(Review)
class ReviewAdmin(PartQuerySet, ViewOnlyAdmin):
    list_display = ["at", "verb", "incident", "actor", "revision", "reason"]
    list_select_related = ["incident", "actor"]
    list_filter = ["verb"]
    search_fields = ["incident__title", "incident__code", "reason"]
    ordering = ["-pk"]
    fields = ["incident", "verb", "actor", "at", "revision", "reason", "content_sha256"]


@admin.register(HistoryEntry)
class HistoryEntryAdmin(ViewOnlyAdmin):
    """Every change, of visible records and of shared ones. A record's own page has it in words."""

    list_display = ["at", "actor", "operation", "table_name", "row_id", "incident_id", "reason"]
    list_select_related = ["actor"]
    list_filter = ["operation", "table_name"]
    search_fields = ["reason", "table_name"]
    ordering = ["-id"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        visible = Incident.objects.visible_to(person(request)).values("pk")
        return (
            super()
            .get_queryset(request)
            .filter(Q(incident_id__isnull=True) | Q(incident_id__in=visible))
            .exclude(table_name__in=NOT_HERE)
        )


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ViewOnlyAdmin):
    list_display = ["seq", "at", "kind", "code", "version"]
    list_filter = ["kind"]
    search_fields = ["code"]
    ordering = ["-seq"]


@admin.register(PublishedVersion)
class PublishedVersionAdmin(ViewOnlyAdmin):
    list_display = ["code", "number", "kind", "published_at", "note"]
    list_filter = ["kind"]
    search_fields = ["code"]
    ordering = ["-published_at"]
    fields = ["code", "number", "kind", "published_at", "note", "sha256", "as_it_left"]
    readonly_fields = ["as_it_left"]

    @admin.display(description="Document")
    def as_it_left(self, version: PublishedVersion) -> SafeString:
        text = json.dumps(json.loads(version.document), ensure_ascii=False, indent=2)
        return format_html('<pre class="document" tabindex="0">{}</pre>', text)

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from harmtracker.accounts.models import SecurityEvent
from harmtracker.admin_base import ViewOnlyAdmin


@admin.register(SecurityEvent)
class SecurityEventAdmin(ViewOnlyAdmin):
    """What happened to people's access, for administrators."""

    list_display = ["at", "kind", "person", "by", "detail"]
    list_filter = ["kind"]
    search_fields = ["person__username", "by__username", "detail"]
    fields = ["at", "kind", "person", "by", "detail"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("person", "by")

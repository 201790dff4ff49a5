"""The product itself with one list more, whose filters are written by hand: what the full set of
filters costs is the difference. Same server, middleware, throttle, cursor and ETag."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "harmtracker.settings")

import django

django.setup()

import datetime  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db.models import Q, QuerySet  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import path  # noqa: E402

from harmtracker.api.parameters import Query  # noqa: E402
from harmtracker.urls import urlpatterns as theirs  # noqa: E402
from incidents.api.public.views import IncidentListView  # noqa: E402


class ByHand:
    """Two conditions in the place of a filter set."""

    @staticmethod
    def of(query: Query, rows: QuerySet[Any]) -> Any:
        day = datetime.date.fromisoformat(query.values["date_to"][0])
        found = rows.filter(
            Q(date_earliest__isnull=False) | Q(date_latest__isnull=False),
            Q(date_earliest__lte=day) | Q(date_earliest__isnull=True),
            grading__in=query.values["grading"],
        )
        dated = Q(date_earliest__isnull=False, date_earliest__lte=day)
        return SimpleNamespace(qs=found, dated=lambda: dated)


class ByHandView(IncidentListView):
    parameters = frozenset({"date_to", "grading", "limit", "ordering", "cursor", "detail"})
    several = frozenset({"grading"})
    filterset: Any = ByHand


urlpatterns = [path("api/v1/by-hand/", ByHandView.as_view()), *theirs]
override_settings(ROOT_URLCONF=__name__).enable()
application = WSGIHandler()

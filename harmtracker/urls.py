"""The only module that joins both apps."""

from django.contrib import admin
from django.urls import include, path

from harmtracker import pages
from harmtracker.api.schema import DocsView, SchemaView

urlpatterns = [
    path("", pages.home, name="home"),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
    path("problems/", pages.problem_kinds, name="problem-kinds"),
    path("problems/<slug:slug>", pages.problem_kind, name="problem-kind"),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SchemaView.as_view(), name="schema"),
    path("api/v1/docs/", DocsView.as_view(), name="docs"),
    path("api/v1/casework/", include("incidents.api.casework.urls")),
    path("api/v1/casework/", include("sources.api.casework.urls")),
    path("api/v1/", include("incidents.api.public.urls")),
]

handler400 = pages.bad_request
handler403 = pages.not_allowed
handler404 = pages.not_found
handler500 = pages.server_error

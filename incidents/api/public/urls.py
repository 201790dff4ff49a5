"""Addresses of what anyone may read. They are for ever: read them twice."""

from __future__ import annotations

from django.urls import path

from . import backlog, changes, facets, long_lists, releases, totals, views

urlpatterns = [
    path("", views.RootView.as_view(), name="api"),
    path("incidents/", views.IncidentListView.as_view(), name="incidents"),
    path("incidents/facets/", facets.FacetsView.as_view(), name="facets"),
    path("totals/", totals.TotalsView.as_view(), name="totals"),
    path("incidents/<str:code>/", views.IncidentView.as_view(), name="incident"),
    path("incidents/<str:code>/versions/", views.VersionListView.as_view(), name="versions"),
    path(
        "incidents/<str:code>/versions/<str:number>/", views.VersionView.as_view(), name="version"
    ),
    path("incidents/<str:code>/diff/", changes.DifferenceView.as_view(), name="difference"),
    path("changes/", changes.ChangesView.as_view(), name="changes"),
    path("changes/atom/", changes.ChangesFeedView.as_view(), name="changes-feed"),
    path("backlog/", backlog.BacklogView.as_view(), name="backlog"),
    path("casualties/", long_lists.CasualtyListView.as_view(), name="casualties"),
    path("claims/", long_lists.ClaimListView.as_view(), name="claims"),
    path("victims/", long_lists.VictimListView.as_view(), name="victims"),
    path("releases/", releases.ReleaseListView.as_view(), name="releases"),
    path("releases/<str:name>/", releases.ReleaseView.as_view(), name="release"),
    path(
        "releases/<str:name>/builds/<str:number>/<path:path>",
        releases.ReleaseFileView.as_view(),
        name="release-file",
    ),
    path("columns/", views.ColumnListView.as_view(), name="columns"),
    path("places/", views.PlaceListView.as_view(), name="places"),
    path("places/<str:id>/", views.PlaceView.as_view(), name="place"),
    path("actors/", views.ActorListView.as_view(), name="actors"),
    path("actors/<str:id>/", views.ActorView.as_view(), name="actor"),
    path("outlets/", views.OutletListView.as_view(), name="outlets"),
    path("outlets/<str:id>/", views.OutletView.as_view(), name="outlet"),
    path("articles/", views.ArticleListView.as_view(), name="articles"),
    path("articles/<str:id>/", views.ArticleView.as_view(), name="article"),
    path("weapon-types/", views.WeaponTypeListView.as_view(), name="weapon-types"),
    path("weapon-types/<str:code>/", views.WeaponTypeView.as_view(), name="weapon-type"),
    path("codelists/", views.CodeListsView.as_view(), name="codelists"),
    path("codelists/<str:list>/", views.CodeListView.as_view(), name="codelist"),
]

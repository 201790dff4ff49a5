"""Addresses of outlets, articles, copies and confidential sources. They are for ever."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("outlets/", views.OutletListView.as_view(), name="casework-outlets"),
    path("outlets/<uuid:id>/", views.OutletView.as_view(), name="casework-outlet"),
    path("articles/", views.ArticleListView.as_view(), name="casework-articles"),
    path("articles/<uuid:id>/", views.ArticleView.as_view(), name="casework-article"),
    path("articles/<uuid:id>/captures/", views.CaptureListView.as_view(), name="casework-captures"),
    path("captures/<uuid:id>/", views.CaptureView.as_view(), name="casework-capture"),
    path("captures/<uuid:id>/content/", views.ContentView.as_view(), name="casework-content-of"),
    path("captures/<uuid:id>/custody/", views.CustodyView.as_view(), name="casework-custody"),
    path(
        "confidential-sources/",
        views.ConfidentialSourceListView.as_view(),
        name="casework-confidential-sources",
    ),
    path(
        "confidential-sources/<uuid:id>/",
        views.ConfidentialSourceView.as_view(),
        name="casework-confidential-source",
    ),
    path(
        "confidential-sources/<uuid:id>/reveal/",
        views.RevealView.as_view(),
        name="casework-reveal",
    ),
]

"""Addresses of outlets, articles, copies and confidential sources. They are for ever."""

from __future__ import annotations

from django.urls import path

from . import confidential, copies, views

urlpatterns = [
    path("outlets/", views.OutletListView.as_view(), name="casework-outlets"),
    path("outlets/<uuid:id>/", views.OutletView.as_view(), name="casework-outlet"),
    path("articles/", views.ArticleListView.as_view(), name="casework-articles"),
    path("articles/<uuid:id>/", views.ArticleView.as_view(), name="casework-article"),
    path(
        "articles/<uuid:id>/captures/", copies.CaptureListView.as_view(), name="casework-captures"
    ),
    path("captures/<uuid:id>/", copies.CaptureView.as_view(), name="casework-capture"),
    path("captures/<uuid:id>/content/", copies.ContentView.as_view(), name="casework-content-of"),
    path("captures/<uuid:id>/custody/", copies.CustodyView.as_view(), name="casework-custody"),
    path(
        "confidential-sources/",
        confidential.ConfidentialSourceListView.as_view(),
        name="casework-confidential-sources",
    ),
    path(
        "confidential-sources/<uuid:id>/",
        confidential.ConfidentialSourceView.as_view(),
        name="casework-confidential-source",
    ),
    path(
        "confidential-sources/<uuid:id>/reveal/",
        confidential.RevealView.as_view(),
        name="casework-reveal",
    ),
]

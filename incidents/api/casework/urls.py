"""Addresses of casework. They are for ever: read them twice."""

from __future__ import annotations

from django.urls import path

from . import (
    comments,
    history_views,
    imports,
    merges,
    part_views,
    records,
    redaction,
    shared,
    steps,
    taking,
    warned,
)

ONE = "incidents/<uuid:incident>/"

urlpatterns = [
    path("places/", shared.PlaceListView.as_view(), name="casework-places"),
    path("places/<uuid:id>/", shared.PlaceView.as_view(), name="casework-place"),
    path("actors/", shared.ActorListView.as_view(), name="casework-actors"),
    path("actors/<uuid:id>/", shared.ActorView.as_view(), name="casework-actor"),
    path("datasets/", shared.DatasetListView.as_view(), name="casework-datasets"),
    path("imports/", imports.ImportListView.as_view(), name="casework-imports"),
    path("imports/<uuid:id>/", imports.OneImportView.as_view(), name="casework-import"),
    path("imports/<uuid:id>/rows/", imports.RowListView.as_view(), name="casework-import-rows"),
    path("imports/<uuid:id>/sample/", imports.SampleView.as_view(), name="casework-import-sample"),
    *(
        path(f"imports/<uuid:id>/{name}/", view.as_view(), name=f"casework-import-{name}")
        for name, view in imports.STEP_VIEWS.items()
    ),
    path("incidents/", records.IncidentListView.as_view(), name="casework-incidents"),
    path(ONE, records.IncidentView.as_view(), name="casework-incident"),
    path(f"{ONE}content/", steps.ContentView.as_view(), name="casework-content"),
    path(f"{ONE}history/", history_views.HistoryView.as_view(), name="casework-history"),
    path(
        f"{ONE}history/<uuid:entry>/restore/",
        history_views.RestoreView.as_view(),
        name="casework-restore",
    ),
    path(f"{ONE}comments/", comments.CommentListView.as_view(), name="casework-comments"),
    path(f"{ONE}comments/<uuid:comment>/", comments.CommentView.as_view(), name="casework-comment"),
    path(f"{ONE}warnings/", warned.WarningListView.as_view(), name="casework-warnings"),
    path(
        f"{ONE}warnings/<slug:warning>/answer/",
        warned.AnswerView.as_view(),
        name="casework-answer",
    ),
    path(f"{ONE}take/", taking.TakeView.as_view(), name="casework-take"),
    path(f"{ONE}release/", taking.ReleaseView.as_view(), name="casework-release"),
    path(f"{ONE}merges/", merges.MergeListView.as_view(), name="casework-merges"),
    path(f"{ONE}merges/<uuid:merge>/undo/", merges.UndoView.as_view(), name="casework-undo"),
    path(f"{ONE}redact/", redaction.RedactView.as_view(), name="casework-redact"),
    path(f"{ONE}steps/", steps.StepListView.as_view(), name="casework-steps"),
    *(
        path(f"{ONE}{step.value.replace('_', '-')}/", view.as_view(), name=f"casework-{step.value}")
        for step, view in steps.STEP_VIEWS.items()
    ),
    *(
        path(f"{ONE}{name}/", many.as_view(), name=f"casework-{name}")
        for name, (many, _one) in part_views.PART_VIEWS.items()
    ),
    *(
        path(f"{ONE}{name}/<uuid:row>/", one.as_view(), name=f"casework-{name}-one")
        for name, (_many, one) in part_views.PART_VIEWS.items()
    ),
]

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

from harmtracker.codes import CodeArrayField, CodeField
from harmtracker.fields import EdtfField
from incidents.choices import State
from incidents.querysets import IncidentQuerySet

from .parts import part_id
from .places import Place
from .points import coordinate, point_constraints


class Dataset(models.Model):
    """A collection that records come from, with the terms it is offered under."""

    slug = models.SlugField(max_length=80, unique=True, help_text="Short name; never changes.")
    name = models.CharField(max_length=200, help_text="Its own name, with its version.")
    licence = models.CharField(max_length=200, blank=True, help_text="Its licence; empty: unknown.")
    citation = models.TextField(blank=True, help_text="How its makers ask to be cited.")
    url = models.URLField(max_length=2000, blank=True, help_text="Where it is published.")
    redistributable = models.BooleanField(
        default=False, help_text="Whether its rows may leave in public output."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Incident(models.Model):
    """One event in which people were harmed: our own words and judgement about it.

    What the sources say of it are its claims. Numbers of those harmed are casualty counts.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(
        max_length=20,
        null=True,
        blank=True,
        unique=True,
        editable=False,
        help_text="Public name such as MMR-2023-0001, given at first publication, for ever.",
    )
    state = CodeField("incident_state", default=State.DRAFT, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="incidents",
        editable=False,
        help_text="Who entered the record. Never verifies it.",
    )
    title = models.CharField(max_length=300, help_text="What happened, where, when, in a line.")
    summary = models.TextField(blank=True, help_text="What happened, in our words. Public.")
    record_type = CodeField(
        "record_type", default="incident", help_text="One incident, or a count over several."
    )
    dataset = models.ForeignKey(
        Dataset,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text="Where an imported record comes from; none for our own.",
    )

    date_edtf = EdtfField(
        null=True,
        blank=True,
        verbose_name="date",
        help_text="Local date in EDTF (ISO 8601-2), such as 2014-11-19, 2014-11 or "
        "2014-11-19/2014-11-21. NULL while not known.",
    )
    date_earliest = models.GeneratedField(
        expression=Func(F("date_edtf"), function="edtf_earliest", output_field=models.DateField()),
        output_field=models.DateField(null=True),
        db_persist=True,
        help_text="First day it can have been. Derived from the date.",
    )
    date_latest = models.GeneratedField(
        expression=Func(F("date_edtf"), function="edtf_latest", output_field=models.DateField()),
        output_field=models.DateField(null=True),
        db_persist=True,
        help_text="Last day it can have been. Derived from the date.",
    )
    date_precision = models.GeneratedField(
        expression=Func(F("date_edtf"), function="edtf_precision", output_field=models.TextField()),
        output_field=models.CharField(max_length=10, null=True),
        db_persist=True,
        help_text="How far the two lie apart (code list date_precision). Derived.",
    )
    local_time = models.TimeField(null=True, blank=True, help_text="Local time of day, if known.")
    local_time_end = models.TimeField(
        null=True, blank=True, help_text="End of the window, where the time is a window."
    )
    time_kind = CodeField("time_kind", default="unknown", help_text="How the time is known.")
    utc_offset = models.CharField(
        max_length=6, null=True, blank=True, help_text="Of the local time, such as +06:30."
    )

    place = models.ForeignKey(
        Place,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
        help_text="The main place; totals count this one.",
    )
    latitude = coordinate("Of the incident, WGS 84; NULL where not known.")
    longitude = coordinate("Of the same point.")
    point_basis = CodeField("point_basis", default="unknown", help_text="Where the point is from.")
    point_note = models.CharField(
        max_length=300, blank=True, help_text="How the point was found. Public."
    )
    place_precision = CodeField(
        "place_precision", null=True, blank=True, help_text="How exact the place is."
    )
    radius_m = models.PositiveIntegerField(
        null=True, blank=True, help_text="Metres around the point in which it lies."
    )
    point_already_public = models.BooleanField(
        default=False,
        help_text="The exact point of this protected place is public elsewhere already; "
        "the note on the point says where.",
    )

    circumstances = CodeArrayField(
        "circumstance", default=list, blank=True, help_text="How it came about, if known."
    )
    harm_reported = CodeField(
        "harm_reported", default="unknown", help_text="Whether harm to civilians is reported."
    )
    grading = CodeField(
        "grading", default="unassessed", help_text="How sure the civilian harm is (after Airwars)."
    )
    grading_rationale = models.TextField(blank=True, help_text="Why this grading. Public.")
    internal_note = models.TextField(blank=True, help_text="For the team alone; never published.")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("submit_incident", "Can submit an incident for review"),
            ("return_incident", "Can return an incident to its author"),
            ("verify_incident", "Can verify an incident"),
            ("publish_incident", "Can publish a verified incident"),
            ("reopen_incident", "Can reopen a published incident"),
            ("retract_incident", "Can retract a published incident"),
            ("redact_incident", "Can take a text out of what was published"),
            ("merge_incident", "Can merge a record into another"),
        ]
        constraints = [
            *point_constraints("incidents_incident"),
            models.CheckConstraint(
                name="incidents_incident_title_not_empty",
                condition=~Q(title=""),
                violation_error_message="An incident needs a title.",
            ),
            models.CheckConstraint(
                name="incidents_incident_time_has_a_kind",
                condition=Q(local_time__isnull=False) | Q(time_kind__in=["unknown", "part_of_day"]),
                violation_error_message="Without a time, its kind is unknown or part of day.",
            ),
            models.CheckConstraint(
                name="incidents_incident_time_end_only_of_a_window",
                condition=Q(local_time_end__isnull=True) | Q(time_kind="window"),
                violation_error_message="Only a window of time has an end.",
            ),
            models.CheckConstraint(
                name="incidents_incident_utc_offset_is_one",
                condition=Q(utc_offset__isnull=True)
                | Q(utc_offset__regex=r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"),
                violation_error_message="An offset is written like +06:30.",
            ),
            models.CheckConstraint(
                name="incidents_incident_point_has_precision",
                condition=Q(latitude__isnull=True) | Q(place_precision__isnull=False),
                violation_error_message="A point needs its precision.",
            ),
            models.CheckConstraint(
                name="incidents_incident_public_point_is_explained",
                condition=Q(point_already_public=False) | ~Q(point_note=""),
                violation_error_message="Say in the note where the exact point is public already.",
            ),
            models.CheckConstraint(
                name="incidents_incident_discounted_says_why",
                condition=~Q(grading="discounted") | ~Q(grading_rationale=""),
                violation_error_message="A discounted incident needs a rationale.",
            ),
            models.CheckConstraint(
                name="incidents_incident_published_has_code",
                condition=~Q(state__in=[State.PUBLISHED, State.RETRACTED]) | Q(code__isnull=False),
                violation_error_message="A published incident has a code.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.title}" if self.code else self.title


class IncidentRevision(models.Model):
    """How often an incident or anything that hangs on it was edited.

    Kept by triggers, beside the history and not in it. Casework speaks of revisions;
    a version is what was published.
    """

    incident = models.OneToOneField(
        Incident, primary_key=True, on_delete=models.PROTECT, related_name="revision"
    )
    number = models.PositiveBigIntegerField(default=1)
    entered_at = models.DateTimeField(db_default=Now(), help_text="When the record was begun.")
    changed_at = models.DateTimeField(
        db_default=Now(), help_text="When it, or anything that hangs on it, was last edited."
    )

    def __str__(self) -> str:
        return str(self.number)


class Assignment(models.Model):
    """Who is at work on a record now, so that two people do not work on one unawares.

    A notice, no lock: nobody's edit is refused for it. One who lets go leaves no row.
    """

    incident = models.OneToOneField(
        Incident, primary_key=True, on_delete=models.PROTECT, related_name="assignment"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments"
    )
    since = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["since"]

    def __str__(self) -> str:
        return f"{self.person} since {self.since}"


class FurtherPlace(models.Model):
    """Another place that the incident touched. Filters find it, totals do not count it."""

    uuid = part_id()
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="further_places")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_furtherplace_once",
                fields=["incident", "place"],
                violation_error_message="This place is named already.",
            )
        ]

    def __str__(self) -> str:
        return str(self.place)


class ExternalId(models.Model):
    """What another dataset calls this incident.

    Of the published records one carries it. Drafts are not compared: a refusal would tell that
    somebody else's draft is there.
    """

    uuid = part_id()
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="external_ids")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="external_ids")
    value = models.CharField(max_length=100, help_text="The id, as that dataset writes it.")

    class Meta:
        ordering = ["pk"]
        # Every id that is entered or published is looked for among all of its dataset.
        indexes = [models.Index(fields=["dataset", "value"], name="externalid_by_value")]
        constraints = [
            models.UniqueConstraint(
                name="incidents_externalid_once",
                fields=["incident", "dataset", "value"],
                violation_error_message="The incident carries this id already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.value}"


class IncidentLink(models.Model):
    """How one incident stands to another."""

    uuid = part_id()
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="links")
    kind = CodeField("link_kind", help_text="What the incident is to the other one.")
    other = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="linked_from")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="incidents_incidentlink_once",
                fields=["incident", "kind", "other"],
                violation_error_message="This link is there already.",
            ),
            models.CheckConstraint(
                name="incidents_incidentlink_not_to_itself",
                condition=~Q(incident=F("other")),
                violation_error_message="An incident cannot be linked to itself.",
            ),
            models.UniqueConstraint(
                name="incidents_incidentlink_one_original",
                fields=["incident"],
                condition=Q(kind__in=["duplicate_of", "merged_into"]),
                violation_error_message="A duplicate has one original.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.other}"

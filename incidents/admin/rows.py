"""The rows on the pages of an incident, a claim and a count."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from harmtracker.admin_base import TABLE, RowForm, person
from harmtracker.history.models import HistoryEntry
from harmtracker.picking import Picks
from harmtracker.reading_back import ReadBack
from harmtracker.side_by_side import Since
from incidents import services
from incidents.finding import weapon_types
from incidents.models import (
    CasualtyCount,
    Claim,
    CountBasis,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    Involvement,
    Victim,
    VictimClaim,
    WeaponUse,
)
from incidents.picking import ACTOR, DATASET, INCIDENT, PLACE
from incidents.weapon_words import offers_for

from .hints import weapon_read
from .record import FOLDED_WHILE_EMPTY, RecordRows


class CountRows(Picks, RecordRows):
    """Figures: of our assessment on the page of an incident, of a source on that of its claim."""

    model = CasualtyCount
    picks = {"affiliation": ACTOR}
    removed_along = ("basis",)
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("outcome", "status", "sex", "age_group"),
                    ("min", "best", "max", "qualifier"),
                    ("role", "affiliation"),
                    "reported_text",
                ]
            },
        )
    ]


class WeaponChoice(forms.ModelChoiceField):
    """All weapon types, by their first level: a list that is short enough to be read."""

    @property
    def choices(self) -> Any:
        groups: dict[str, list[tuple[str, str]]] = {}
        for code, row in weapon_types().items():
            wide = row["parent"] or code
            groups.setdefault(weapon_types()[wide]["label"], []).append(
                (code, f"{code} {row['label']}")
            )
        return [("", "---------"), *groups.items()]

    @choices.setter
    def choices(self, value: Any) -> None:
        pass


class WeaponForm(RowForm):
    """A weapon: the words of the source, and the type that a person chooses for them."""

    def clean(self) -> dict[str, Any]:
        super().clean()
        words = self.cleaned_data.get("reported_text")
        offers = offers_for(words or "")
        if "weapon" in self.errors and offers and not self.data.get(self.add_prefix("weapon")):
            fit = "; ".join(f"{offer.code} {offer.label}" for offer in offers)
            self.errors["weapon"] = self.error_class(
                [f"Choose which it is. The words fit {fit}."], renderer=self.renderer
            )
        return self.cleaned_data


class WeaponRows(RecordRows):
    model = WeaponUse
    form = WeaponForm
    fieldsets = [
        (
            None,
            {
                "classes": ["weapon-words"],
                "fields": [
                    "reported_text",
                    ("weapon", "certainty", "platform"),
                    ("calibre_mm", "alternative_group"),
                    ("is_cluster", "is_thermobaric", "is_incendiary"),
                ],
            },
        )
    ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "reported_text":
            field.widget = ReadBack("weapon", weapon_read, {"class": "vTextField"})
            field.label = "In the words of the source"
            field.help_text = "Such as 105 mm howitzer, airstrike, လက်နက်ကြီး."
        elif db_field.name == "weapon":
            field = WeaponChoice(queryset=field.queryset, label="Weapon")
        return field


class InvolvementRows(Picks, RecordRows):
    model = Involvement
    picks = {"actor": ACTOR}
    fieldsets = [
        (
            None,
            {"fields": [("actor", "role"), ("certainty", "alternative_group"), "reported_text"]},
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("actor")


class Assessed:
    """Of an incident's rows those that are our assessment; the others are on their claims."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(claim=None)  # type: ignore[misc]


class WithoutCell:
    """Of figures those that the grid on the same page cannot show: of a role, or a party."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).exclude(role="all", affiliation=None)  # type: ignore[misc]


class AssessedCounts(WithoutCell, Assessed, CountRows):
    verbose_name = "our count by role or party"
    verbose_name_plural = "our assessment: casualty counts by role or party"
    classes = FOLDED_WHILE_EMPTY
    show_change_link = True


class AssessedWeapons(Assessed, WeaponRows):
    verbose_name = "weapon"
    verbose_name_plural = "our assessment: weapons"


class AssessedInvolvements(Assessed, InvolvementRows):
    verbose_name = "involvement"
    verbose_name_plural = "our assessment: who was involved"


class ClaimedCounts(CountRows):
    fk_name = "claim"
    verbose_name = "count"
    verbose_name_plural = "casualty counts that it gives"


class ClaimedCountsWithoutCell(WithoutCell, ClaimedCounts):
    verbose_name = "count by role or party"
    verbose_name_plural = "casualty counts by role or party that it gives"
    classes = FOLDED_WHILE_EMPTY


class ClaimedWeapons(WeaponRows):
    fk_name = "claim"
    verbose_name = "weapon"
    verbose_name_plural = "weapons that it names"


class ClaimedInvolvements(InvolvementRows):
    fk_name = "claim"
    verbose_name = "involvement"
    verbose_name_plural = "actors that it names"


class FurtherPlaceRows(Picks, RecordRows):
    model = FurtherPlace
    template = TABLE
    picks = {"place": PLACE}
    fields = ["place"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("place")


class ExternalIdRows(Picks, RecordRows):
    model = ExternalId
    template = TABLE
    picks = {"dataset": DATASET}
    fields = ["dataset", "value"]
    verbose_name = "id in another dataset"
    verbose_name_plural = "ids in other datasets"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("dataset")


class LinkRows(Picks, RecordRows):
    """Links to other records. One to a record that this person may not see is not shown."""

    model = IncidentLink
    fk_name = "incident"
    template = TABLE
    picks = {"other": INCIDENT}
    fields = ["kind", "other"]
    verbose_name = "link to another incident"
    verbose_name_plural = "links to other incidents"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        visible = Incident.objects.visible_to(person(request))
        return super().get_queryset(request).filter(other__in=visible).select_related("other")


class ClaimChoice(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple


class VictimForm(RowForm):
    """A person, and which of the record's claims speak of them."""

    named_by = ClaimChoice(
        queryset=Claim.objects.none(),
        required=False,
        label="Claims that speak of this person",
        help_text="Claims are added first, each on its own page.",
    )
    # Set on the class that the admin makes for one page.
    incident: Incident | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.incident is not None:
            named_by: Any = self.fields["named_by"]
            named_by.queryset = _claims_of(self.incident)
        if self.instance.pk is not None:
            self.initial["named_by"] = [link.claim_id for link in self.instance.claim_links.all()]

    def as_it_was(self, since: Since) -> dict[str, tuple[Any, HistoryEntry]]:
        """Which claims named this person when the page was opened, and who changed that last."""
        links = [e for e in since.entries if e.table_name == VictimClaim._meta.db_table]
        own = [e for e in links if (e.after or e.before or {})["victim_id"] == self.instance.pk]
        claims = set(self.initial.get("named_by", []))
        for entry in reversed(own):
            since.used.add((entry.table_name, entry.row_id))
            if entry.before is not None:
                claims.add(entry.before["claim_id"])
            if entry.after is not None:
                claims.discard(entry.after["claim_id"])
        return {"named_by": (sorted(claims), own[-1])} if own else {}

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        services.name_claims(self.instance, self.cleaned_data["named_by"])


def _claims_of(incident: Incident) -> QuerySet[Claim]:
    return incident.claims.select_related("attributed_outlet", "attributed_actor")


class VictimRows(RecordRows):
    model = Victim
    form = VictimForm
    kept_once_published = True
    removed_along = ("claim_links",)
    verbose_name = "person"
    verbose_name_plural = "people harmed"
    classes = FOLDED_WHILE_EMPTY
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("outcome", "status", "role"),
                    ("sex", "age_group", "age"),
                    "names",
                    "consent_basis",
                    "named_by",
                    "note",
                ]
            },
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("claim_links")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.incident = obj
        return formset


class BasisRows(RecordRows):
    """Which claims an assessed count rests on."""

    model = CountBasis
    template = TABLE
    fields = ["bound", "claim", "reason"]
    verbose_name = "basis"
    verbose_name_plural = "basis: which claims set which bound, and which were left out"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # formfield_for_dbfield is not told which count it is for.
        request.count_of_page = obj  # type: ignore[attr-defined]
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "claim" and field is not None:
            count = request.count_of_page  # type: ignore[attr-defined]
            field.queryset = _claims_of(count.incident) if count else Claim.objects.none()
            # A plain list: no buttons to add or change a claim from here.
            field.widget = field.widget.widget
            field.widget.choices = field.choices
        return field


INCIDENT_ROWS: list[type[admin.options.InlineModelAdmin]] = [
    AssessedCounts,
    AssessedWeapons,
    AssessedInvolvements,
    VictimRows,
    FurtherPlaceRows,
    ExternalIdRows,
    LinkRows,
]
# On a page that is edited, whose figures are in the grid, and on one that is only read.
CLAIM_ROWS: list[type[admin.options.InlineModelAdmin]] = [
    ClaimedWeapons,
    ClaimedInvolvements,
    ClaimedCountsWithoutCell,
]
CLAIM_ROWS_TO_READ: list[type[admin.options.InlineModelAdmin]] = [
    ClaimedCounts,
    ClaimedWeapons,
    ClaimedInvolvements,
]

"""Every rule that the database holds about incidents: a row that breaks it, and a near miss.

A rule that none of the tables names fails the tests at the end.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connections, models, transaction
from django.db.models import F
from django.utils import timezone

from harmtracker.accounts.models import User
from harmtracker.errors import DomainError, from_database
from harmtracker.history.acting import acting
from incidents import finding
from incidents.choices import State, Verb
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    CodeCounter,
    Dataset,
    Incident,
    IncidentRevision,
    LedgerEntry,
    LedgerHead,
    Look,
    Place,
    PublishedAdm1Sum,
    PublishedCasualty,
    PublishedChange,
    PublishedClaim,
    PublishedGroupValue,
    PublishedIncident,
    PublishedKeyCount,
    PublishedPart,
    PublishedReference,
    PublishedTally,
    PublishedTallySum,
    PublishedTotal,
    PublishedVersion,
    PublishedVictim,
    Review,
    Victim,
)
from incidents.publishing import ledger
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.codes import next_code
from incidents.publishing.commitments import new_nonce
from incidents.publishing.document import SHAPE, build_content
from incidents.workflow import latest_review, take_step
from sources.models import Article, Outlet
from tests import builders, rules
from tests.accounts import test_constraints as of_people
from tests.harmtracker import test_history
from tests.importers import test_rules as of_imports
from tests.incidents import (
    test_codes,
    test_completeness,
    test_key_counts,
    test_neighbours,
    test_tally_sums,
    test_waiting,
    test_warnings,
)
from tests.incidents import test_merge as of_merge
from tests.incidents import test_redaction as of_redaction
from tests.releases import test_rules as of_releases
from tests.rules import JARGON, raised_by_functions, refusal, rule, run, switch_off
from tests.sources import test_constraints as of_sources

pytestmark = pytest.mark.django_db(databases=["default", "published", "owner"])

PUBLISHED = "MMR-2014-0001"
COUNTRY, STATE = 1, 2  # Myanmar and MMR001, the first places of the template


@pytest.fixture
def world(people: SimpleNamespace) -> SimpleNamespace:
    """A draft of the researcher's with one row of each part, another draft, and the three."""
    with acting(people.researcher, "For a test"):
        incident = builders.incident(author=people.researcher)
        claim = builders.claim(incident)
        count = builders.count(incident)
        other = builders.incident(author=people.researcher)
        return SimpleNamespace(
            people=people,
            incident=incident,
            claim=claim,
            count=count,
            basis=builders.basis(incident, count=count, claim=claim),
            weapon_use=builders.weapon_use(incident),
            involvement=builders.involvement(incident),
            victim=builders.victim(incident),
            victim_claim=builders.victim_claim(incident, claim=claim),
            further_place=builders.further_place(incident),
            external_id=builders.external_id(incident),
            link=builders.link(incident),
            place=builders.place(pcode="MMR-X"),
            actor=builders.actor(),
            dataset=builders.dataset(),
            open_dataset=builders.dataset(redistributable=True),
            other=other,
            other_claim=builders.claim(other),
            other_count=builders.count(other),
            other_victim=builders.victim(other),
        )


World = SimpleNamespace
Values = dict[str, Any] | Callable[[World], dict[str, Any]]


def _values(values: Values, world: World) -> dict[str, Any]:
    return values(world) if callable(values) else values


# --- How a row of each table is made ---


def incident(world: World, **values: Any) -> Incident:
    return builders.incident(author=world.people.researcher, **values)


def part(builder: Callable[..., models.Model]) -> Callable[..., models.Model]:
    return lambda world, **values: builder(world.incident, **values)


def shared(builder: Callable[..., models.Model]) -> Callable[..., models.Model]:
    return lambda world, **values: builder(**values)


claim, count, basis = part(builders.claim), part(builders.count), part(builders.basis)
weapon_use, involvement = part(builders.weapon_use), part(builders.involvement)
victim, victim_claim = part(builders.victim), part(builders.victim_claim)
further_place, external_id = part(builders.further_place), part(builders.external_id)
link, place, actor = part(builders.link), shared(builders.place), shared(builders.actor)
dataset = shared(builders.dataset)


def comment(world: World, **values: Any) -> models.Model:
    return builders.comment(world.incident, author=world.people.researcher, **values)


def look(world: World, *, save: bool = True, **values: Any) -> models.Model:
    """A second one, beside that of the verifier."""
    Look.objects.get_or_create(
        incident=world.incident, person=world.people.verifier, defaults={"entry": 1}
    )
    row = Look(**{"incident": world.incident, "entry": 2, **values})
    if save:
        row.save(force_insert=True)
    return row


def plain(model: type[models.Model], **defaults: Any) -> Callable[..., models.Model]:
    """A row of the published side or the workflow, by hand."""

    def make(world: World, *, save: bool = True, **values: Any) -> models.Model:
        start = {key: v(world) if callable(v) else v for key, v in defaults.items()}
        row = model(**{**start, **values})
        if save:
            row.save(using="default", force_insert=True)
        return row

    return make


def published_incident(world: World) -> PublishedIncident:
    return PublishedIncident.objects.using("default").get(code=PUBLISHED)


review = plain(
    Review,
    incident=lambda world: world.incident,
    verb="submit",
    actor=lambda world: world.people.researcher,
    revision=lambda world: world.incident.revision.number,
)
counter = plain(CodeCounter, country="AAA", year=2024, last=1)
group = {"outcome": "killed", "status": "civilian", "role": "all", "sex": "all", "age_group": "all"}
published_total = plain(
    PublishedTotal, incident=published_incident, outcome="killed", bucket="new", at_least=False
)
published_casualty = plain(
    PublishedCasualty,
    incident=published_incident,
    position=900,
    bucket="civilian",
    is_whole=True,
    **group,
)
published_victim = plain(PublishedVictim, incident=published_incident, position=900, **group)
published_claim = plain(
    PublishedClaim,
    incident=published_incident,
    position=900,
    claim="a",
    article="b",
    outlet="c",
    attributed_to="d",
    kind="report",
)
published_tally = plain(
    PublishedTally,
    incident=published_incident,
    outcome="new",
    first=False,
    valid_from=1,
    grading="weak",
    from_parts=False,
)
published_part = plain(
    PublishedPart,
    incident=published_incident,
    dimensions="sex",
    outcome="killed",
    bucket="civilian",
    sex="new",
)
published_group_value = plain(
    PublishedGroupValue,
    incident=published_incident,
    dimension="weapon",
    value="new",
    is_alternative=False,
)
published_tally_sum, published_adm1_sum = (
    plain(
        model,
        **{
            field.name: None if field.null else 1
            for field in model._meta.concrete_fields
            if not field.primary_key
        },
    )
    for model in (PublishedTallySum, PublishedAdm1Sum)
)
published_key_count = plain(PublishedKeyCount, kind="traits", key="new", n=1)
published_change = plain(
    PublishedChange, seq=901, kind="created", code="MMR-2023-0001", number=1, change="{}"
)
published_reference = plain(
    PublishedReference, kind="place", key="new", name="New", document="{}", valid_from=1, search=""
)


# --- Rows: rule, how the row is made, values that break it, values that nearly do ---

POINT = [
    (f"incidents_{table}_{name}", make, {**extra, **bad}, {**extra, **fine})
    for table, make, extra in (
        ("incident", incident, {"place_precision": "site"}),
        ("place", place, {}),
        ("claim", claim, {}),
    )
    for name, bad, fine in (
        (
            "latitude_on_earth",
            {"latitude": Decimal("90.000001"), "longitude": 0},
            {"latitude": 90, "longitude": 0},
        ),
        (
            "latitude_on_earth",
            {"latitude": Decimal("-90.000001"), "longitude": 0},
            {"latitude": -90, "longitude": 0},
        ),
        (
            "longitude_on_earth",
            {"latitude": 0, "longitude": Decimal("180.000001")},
            {"latitude": 0, "longitude": 180},
        ),
        (
            "longitude_on_earth",
            {"latitude": 0, "longitude": Decimal("-180.000001")},
            {"latitude": 0, "longitude": -180},
        ),
        ("point_is_whole", {"latitude": 1, "longitude": None}, {"latitude": 1, "longitude": 1}),
        ("point_is_whole", {"latitude": None, "longitude": 1}, {"latitude": None}),
    )
]

INCIDENTS = [
    ("incidents_incident_title_not_empty", incident, {"title": ""}, {"title": "?"}),
    ("edtf_is_valid", incident, {"date_edtf": "2014-13"}, {"date_edtf": "2014-12"}),
    ("edtf_is_valid", incident, {"date_edtf": "2014/2013"}, {"date_edtf": "2013/2014"}),
    (
        "incidents_incident_date_not_in_the_future",
        incident,
        lambda world: {"date_edtf": str(timezone.now().date() + datetime.timedelta(days=2))},
        lambda world: {"date_edtf": str(timezone.now().date())},
    ),
    (
        "incidents_incident_date_not_in_the_future",
        incident,
        {"date_edtf": "2999/.."},
        {"date_edtf": "../2999"},
    ),
    (
        "incidents_incident_time_has_a_kind",
        incident,
        {"time_kind": "exact", "local_time": None},
        {"time_kind": "exact", "local_time": datetime.time(6)},
    ),
    ("incidents_incident_time_has_a_kind", incident, {"time_kind": "window"}, {}),
    (
        "incidents_incident_time_has_a_kind",
        incident,
        {"time_kind": "first_reported"},
        {"time_kind": "part_of_day"},
    ),
    (
        "incidents_incident_time_end_only_of_a_window",
        incident,
        {
            "time_kind": "exact",
            "local_time": datetime.time(6),
            "local_time_end": datetime.time(7),
        },
        {
            "time_kind": "window",
            "local_time": datetime.time(6),
            "local_time_end": datetime.time(7),
        },
    ),
    *(
        ("incidents_incident_utc_offset_is_one", incident, {"utc_offset": bad}, {"utc_offset": ok})
        for bad, ok in (
            ("06:30", "+06:30"),
            ("+15:00", "+14:00"),
            ("+06:60", "+06:59"),
            ("", None),
            ("+6:30", "-06:30"),
        )
    ),
    (
        "incidents_incident_point_has_precision",
        incident,
        {"latitude": 1, "longitude": 1, "place_precision": None},
        {"latitude": 1, "longitude": 1, "place_precision": "fuzzy"},
    ),
    (
        "incidents_incident_public_point_is_explained",
        incident,
        {"point_already_public": True, "point_note": ""},
        {"point_already_public": True, "point_note": "On the map of the UN."},
    ),
    (
        "incidents_incident_discounted_says_why",
        incident,
        {"grading": "discounted", "grading_rationale": ""},
        {"grading": "discounted", "grading_rationale": "Told of another village."},
    ),
    ("incidents_incident_radius_m_check", incident, {"radius_m": -1}, {"radius_m": 0}),
    ("incidents_incident_uuid_key", incident, lambda world: {"uuid": world.other.uuid}, {}),
]

SHARED = [
    (
        "incidents_place_country_has_no_parent",
        place,
        {"level": "country", "country": "AAA", "parent_id": COUNTRY},
        {"level": "country", "country": "AAA", "parent_id": None},
    ),
    (
        "incidents_place_country_has_no_parent",
        place,
        {"level": "adm1", "parent_id": None},
        {"level": "adm1", "parent_id": COUNTRY},
    ),
    *(
        ("incidents_place_country_is_iso3", place, {"country": country}, {"country": "THA"})
        for country in ("mmr", "MM", "", "Ⅿ" * 3)
    ),
    ("incidents_place_pcode_not_empty", place, {"country": "THA", "pcode": ""}, {"pcode": None}),
    *(
        (
            "incidents_place_pcode_of_myanmar",
            place,
            {"level": level, "pcode": bad},
            {"level": level, "pcode": fine},
        )
        for level, bad, fine in (
            ("adm1", "MMR99", "MMR998"),
            ("adm1", "MMR၉၉၈", "MMR998"),
            ("adm1", "THA998", "MMR998"),
            ("settlement", "THA998", "MMR998123456"),
        )
    ),
    *(
        (
            "incidents_place_pcode_of_myanmar",
            place,
            {"level": level, "parent_id": STATE, "pcode": bad},
            {"level": level, "parent_id": STATE, "pcode": fine},
        )
        for level, bad, fine in (
            ("adm2", "MMR001X099", "MMR001D099"),
            ("adm2", "MMR001D၀၉၉", "MMR001S099"),
            ("adm3", "MMR00199", "MMR001999"),
            ("adm3", "MMR001D099", "MMR001999"),
            ("adm3", "MMR001၉၉၉", "MMR001999"),
        )
    ),
    (
        "incidents_place_pcode_of_its_state",
        place,
        {"level": "adm3", "parent_id": STATE, "pcode": "MMR002999"},
        {"level": "adm3", "parent_id": STATE, "pcode": "MMR001999"},
    ),
    ("incidents_place_pcode_key", place, lambda world: {"pcode": world.place.pcode}, {}),
    ("incidents_place_slug_key", place, lambda world: {"slug": world.place.slug}, {}),
    ("incidents_place_uuid_key", place, lambda world: {"uuid": world.place.uuid}, {}),
    ("incidents_actor_slug_key", actor, lambda world: {"slug": world.actor.slug}, {}),
    ("incidents_actor_uuid_key", actor, lambda world: {"uuid": world.actor.uuid}, {}),
    ("incidents_dataset_slug_key", dataset, lambda world: {"slug": world.dataset.slug}, {}),
]

RANGE = {"qualifier": "range", "min": 1, "best": None, "max": 3}
ROUGH = {"qualifier": "approximate", "min": None, "best": None, "max": None}
NO_FIGURE = {"min": None, "best": None, "max": None, "status": "unknown"}

PARTS = [
    (
        "incidents_furtherplace_once",
        further_place,
        lambda world: {"place": world.further_place.place},
        {},
    ),
    (
        "incidents_externalid_once",
        external_id,
        lambda world: {
            "dataset": world.external_id.dataset,
            "value": world.external_id.value,
        },
        lambda world: {"dataset": world.external_id.dataset, "value": "another"},
    ),
    (
        "incidents_incidentlink_once",
        link,
        lambda world: {"other": world.link.other, "kind": "related"},
        lambda world: {"other": world.link.other, "kind": "part_of"},
    ),
    (
        "incidents_incidentlink_not_to_itself",
        link,
        lambda world: {"other": world.incident},
        lambda world: {"other": world.other},
    ),
    (
        "incidents_incidentlink_one_original",
        lambda world, **values: (
            builders.link(world.incident, kind="merged_into", other=world.other),
            builders.link(world.incident, **values),
        )[1],
        {"kind": "duplicate_of"},
        {"kind": "part_of"},
    ),
    (
        "incidents_claim_one_speaks",
        claim,
        lambda world: {"attributed_outlet": None, "attributed_actor": None},
        lambda world: {"attributed_outlet": None, "attributed_actor": world.actor},
    ),
    (
        "incidents_claim_one_speaks",
        claim,
        lambda world: {
            "attributed_outlet": world.claim.attributed_outlet,
            "attributed_actor": world.actor,
        },
        {},
    ),
    # The function behind the check says what is wrong, before the check can fail.
    ("edtf_is_valid", claim, {"date_said": "soon"}, {"date_said": "2014-11~"}),
    ("incidents_claim_uuid_key", claim, lambda world: {"uuid": world.claim.uuid}, {}),
    # Counts
    (
        "incidents_casualtycount_one_row_per_group",
        count,
        {"sex": "all"},
        {"sex": "female"},
    ),
    (
        "incidents_casualtycount_one_row_per_group",
        lambda world, **values: (
            builders.count(world.incident, claim=world.claim),
            builders.count(world.incident, **{"claim": world.claim, **values}),
        )[1],
        {"outcome": "killed"},
        {"outcome": "injured"},
    ),
    *(
        (f"incidents_casualtycount_{name}", count, {**bad, **x}, {**fine, **x})
        for x in ({"status": "unknown"},)
        for name, bad, fine in (
            ("min_check", {**ROUGH, "min": -1}, {**ROUGH, "min": 0}),
            ("best_check", {**ROUGH, "best": -1}, {**ROUGH, "best": 0}),
            ("max_check", {**ROUGH, "max": -1}, {**ROUGH, "max": 0}),
            (
                "min_lte_best",
                {**ROUGH, "min": 3, "best": 2},
                {**ROUGH, "min": 2, "best": 2},
            ),
            (
                "best_lte_max",
                {**ROUGH, "best": 3, "max": 2},
                {**ROUGH, "best": 3, "max": 3},
            ),
            ("min_lte_max", {**ROUGH, "min": 3, "max": 2}, {**ROUGH, "min": 3, "max": 3}),
            (
                "exact_is_one_number",
                {"qualifier": "exact", "min": 1, "best": 1, "max": 2},
                {"qualifier": "exact", "min": 2, "best": 2, "max": 2},
            ),
            (
                "exact_is_one_number",
                {"qualifier": "exact", "min": None, "best": 2, "max": 2},
                {"qualifier": "exact", "min": 0, "best": 0, "max": 0},
            ),
            (
                "at_least_has_no_max",
                {"qualifier": "at_least", "min": 1, "best": None, "max": 2},
                {"qualifier": "at_least", "min": 1, "best": 2, "max": None},
            ),
            (
                "at_least_has_no_max",
                {"qualifier": "at_least", "min": None, "best": 1, "max": None},
                {"qualifier": "at_least", "min": 1, "best": None, "max": None},
            ),
            (
                "at_most_has_no_min",
                {"qualifier": "at_most", "min": 1, "best": None, "max": 2},
                {"qualifier": "at_most", "min": None, "best": None, "max": 2},
            ),
            (
                "at_most_has_no_min",
                {"qualifier": "at_most", "min": None, "best": 1, "max": None},
                {"qualifier": "at_most", "min": None, "best": 1, "max": 2},
            ),
            ("range_has_both_ends", {**RANGE, "max": None}, RANGE),
            ("range_has_both_ends", {**RANGE, "min": None}, RANGE),
            ("approximate_has_a_number", ROUGH, {**ROUGH, "best": 1}),
            (
                "unknown_has_no_number",
                {"qualifier": "unknown", "min": None, "best": 1, "max": None},
                {"qualifier": "unknown", "min": None, "best": None, "max": None},
            ),
            (
                "unknown_has_no_number",
                {
                    "qualifier": "unquantified",
                    "min": 1,
                    "best": None,
                    "max": None,
                    "reported_text": "dozens",
                },
                {
                    "qualifier": "unquantified",
                    "min": None,
                    "best": None,
                    "max": None,
                    "reported_text": "dozens",
                },
            ),
            (
                "unquantified_keeps_words",
                {
                    "qualifier": "unquantified",
                    "min": None,
                    "best": None,
                    "max": None,
                    "reported_text": "",
                },
                {"qualifier": "unknown", "min": None, "best": None, "max": None},
            ),
        )
    ),
    (
        "incidents_casualtycount_claim_of_incident",
        count,
        lambda world: {"claim": world.other_claim},
        lambda world: {"claim": world.claim},
    ),
    (
        "incidents_casualtycount_part_within_whole",
        count,
        {"sex": "female", "min": 3, "best": 3, "max": 3},
        {"sex": "female", "min": 2, "best": 2, "max": 2},
    ),
    (
        "incidents_countbasis_once",
        basis,
        lambda world: {"count": world.count, "claim": world.claim, "bound": "best"},
        lambda world: {"count": world.count, "claim": world.claim, "bound": "min"},
    ),
    (
        "incidents_countbasis_left_out_says_why",
        basis,
        lambda world: {"count": world.count, "bound": "left_out", "reason": ""},
        lambda world: {"count": world.count, "bound": "left_out", "reason": "Another day."},
    ),
    (
        "incidents_countbasis_claim_of_incident",
        basis,
        lambda world: {"count": world.count, "claim": world.other_claim},
        lambda world: {"count": world.count},
    ),
    (
        "incidents_countbasis_count_of_incident",
        basis,
        lambda world: {"count": world.other_count},
        lambda world: {"count": world.count},
    ),
    # Weapons and parties
    (
        "incidents_weaponuse_once",
        weapon_use,
        {"weapon_id": "EXG-ART", "platform": "unknown"},
        {"weapon_id": "EXG-ART", "platform": "vehicle"},
    ),
    (
        "incidents_weaponuse_calibre_is_positive",
        weapon_use,
        {"platform": "vehicle", "calibre_mm": 0},
        {"platform": "vehicle", "calibre_mm": Decimal("0.01")},
    ),
    (
        "incidents_weaponuse_alternative_group_check",
        weapon_use,
        {"platform": "vehicle", "alternative_group": -1},
        {"platform": "vehicle", "alternative_group": 0},
    ),
    (
        "incidents_weaponuse_claim_of_incident",
        weapon_use,
        lambda world: {"claim": world.other_claim},
        lambda world: {"claim": world.claim},
    ),
    (
        "incidents_involvement_once",
        involvement,
        lambda world: {"actor": world.involvement.actor, "role": "alleged_perpetrator"},
        lambda world: {"actor": world.involvement.actor, "role": "target"},
    ),
    (
        "incidents_involvement_alternative_group_check",
        involvement,
        {"alternative_group": -1},
        {"alternative_group": 0},
    ),
    (
        "incidents_involvement_claim_of_incident",
        involvement,
        lambda world: {"claim": world.other_claim},
        lambda world: {"claim": world.claim},
    ),
    # Persons
    ("incidents_victim_age_is_human", victim, {"age": Decimal("-0.01")}, {"age": 0}),
    ("incidents_victim_age_is_human", victim, {"age": Decimal("130.01")}, {"age": 130}),
    *(
        ("incidents_victim_is_one_person", victim, {field: "all"}, {field: "unknown"})
        for field in ("age_group", "sex", "status", "role")
    ),
    *(
        (
            "incidents_victim_age_group_fits_age",
            victim,
            {"age": Decimal(bad), "age_group": group},
            {"age": Decimal(fine), "age_group": group},
        )
        for group, bad, fine in (
            ("infant", "1", "0.99"),
            ("child", "18", "17.99"),
            ("adult", "17.99", "18"),
            ("elderly", "59.99", "60"),
        )
    ),
    ("incidents_victim_age_group_fits_age", victim, {"age": 5, "age_group": "adult"}, {"age": 5}),
    ("incidents_victim_consent_not_empty", victim, {"consent_basis": ""}, {}),
    ("incidents_victim_uuid_key", victim, lambda world: {"uuid": world.victim.uuid}, {}),
    (
        "incidents_victimclaim_once",
        victim_claim,
        lambda world: {"victim": world.victim_claim.victim, "claim": world.claim},
        lambda world: {"victim": world.victim, "claim": world.claim},
    ),
    (
        "incidents_victimclaim_claim_of_incident",
        victim_claim,
        lambda world: {"claim": world.other_claim},
        lambda world: {"claim": world.claim},
    ),
    (
        "incidents_victimclaim_victim_of_incident",
        victim_claim,
        lambda world: {"victim": world.other_victim},
        lambda world: {"victim": world.victim},
    ),
    # Review
    (
        "incidents_reviewcomment_resolved_by_someone",
        comment,
        {"resolved_at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "resolved_by": None},
        lambda world: {
            "resolved_at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
            "resolved_by": world.people.verifier,
        },
    ),
    (
        "incidents_reviewcomment_resolved_by_someone",
        comment,
        lambda world: {"resolved_by": world.people.verifier},
        {},
    ),
    (
        "incidents_look_once",
        look,
        lambda world: {"person": world.people.verifier},
        lambda world: {"person": world.people.other_verifier},
    ),
    ("incidents_review_revision_check", review, {"revision": -1}, {"revision": 0}),
    (
        "incidents_review_verification_holds_content",
        review,
        {"content": "x", "content_sha256": sha256("x")},
        {},
    ),
]

INDEX = [
    (
        "incidents_publishedtotal_once",
        published_total,
        {"outcome": "killed", "bucket": "civilian"},
        {},
    ),
    *(
        (f"incidents_published{table}_{column}_check", make, {column: -1}, {column: fine})
        for table, make, columns in (
            ("total", published_total, ("min", "best", "max")),
            ("casualty", published_casualty, ("min", "best", "max", "position")),
            ("victim", published_victim, ("position",)),
            ("claim", published_claim, ("position",)),
            ("reference", published_reference, ("valid_from",)),
        )
        for column, fine in ((column, 901) for column in columns)
    ),
    ("incidents_publishedcasualty_once", published_casualty, {"position": 0}, {}),
    (
        "incidents_publishedcasualty_bucket_of_status",
        published_casualty,
        {"status": "armed_group", "bucket": "civilian"},
        {"status": "armed_group", "bucket": "combatant"},
    ),
    (
        "incidents_publishedvictim_once",
        lambda world, **values: (
            published_victim(world, position=800),
            published_victim(world, **values),
        )[1],
        {"position": 800},
        {},
    ),
    (
        "incidents_publishedvictim_name_has_consent",
        published_victim,
        {"names": ["Ma Khin"], "consent_basis": None},
        {"names": ["Ma Khin"], "consent_basis": "family_consent"},
    ),
    (
        "incidents_publishedvictim_age_has_consent",
        published_victim,
        {"age": 4.5, "consent_basis": None},
        {"age": 4.5, "consent_basis": "family_consent"},
    ),
    ("incidents_publishedclaim_once", published_claim, {"position": 0}, {}),
    ("incidents_publishedtally_once", published_tally, {"outcome": "killed"}, {}),
    (
        "incidents_publishedtally_one_first",
        published_tally,
        {"first": True},
        {"first": False},
    ),
    (
        "incidents_publishedpart_once",
        lambda world, **values: (
            published_part(world, sex="old"),
            published_part(world, **values),
        )[1],
        {"sex": "old"},
        {"sex": "newer"},
    ),
    (
        "incidents_publishedgroupvalue_once",
        lambda world, **values: (
            published_group_value(world, value="old"),
            published_group_value(world, **values),
        )[1],
        {"value": "old"},
        {"value": "newer"},
    ),
    (
        "incidents_publishedtallysum_once",
        lambda world, **values: (
            published_tally_sum(world, country="OLD"),
            published_tally_sum(world, **values),
        )[1],
        {"country": "OLD"},
        {"country": "NEW"},
    ),
    (
        "incidents_publishedadm1sum_once",
        lambda world, **values: (
            published_adm1_sum(world, adm1="old"),
            published_adm1_sum(world, **values),
        )[1],
        {"adm1": "old"},
        {"adm1": "new"},
    ),
    (
        "incidents_publishedkeycount_once",
        lambda world, **values: (
            published_key_count(world, key="old"),
            published_key_count(world, **values),
        )[1],
        {"key": "old"},
        {"key": "new"},
    ),
    ("incidents_publishedchange_seq_check", published_change, {"seq": -1}, {"seq": 902}),
    ("incidents_publishedchange_number_check", published_change, {"number": -1}, {"number": 1}),
    (
        "incidents_publishedreference_one_current",
        lambda world, **values: (
            published_reference(world, key="old"),
            published_reference(world, **{"key": "old", "valid_from": 2, **values}),
        )[1],
        {"valid_until": None},
        {"valid_until": 3},
    ),
    (
        "incidents_publishedreference_once",
        lambda world, **values: (
            published_reference(world, key="old", valid_until=5),
            published_reference(world, **{"key": "old", "valid_until": 7, **values}),
        )[1],
        {"kind": "place"},
        {"kind": "actor"},
    ),
    (
        "incidents_publishedreference_valid_until_check",
        published_reference,
        {"valid_until": -1},
        {"valid_until": 2},
    ),
]

EVIDENCE = [*INCIDENTS, *POINT, *SHARED, *PARTS]
ROWS = [*EVIDENCE, *INDEX]
# Rules that no person can run into: the program computes these columns.
UNSEEN = re.compile(
    "_check$|_content_hash$|_leaf_hash$|_version_once$|_one_per_year$"
    "|^incidents_(publishedincident|ledgerhead)_"
)
# A person who runs into one of these is told so in a sentence.
SPEAKING = {row[0] for row in EVIDENCE if not row[0].endswith("_check")}


def _named(rows: list[Any]) -> list[Any]:
    return [pytest.param(*row, id=row[0]) for row in rows]


@pytest.mark.parametrize(("name", "make", "bad", "fine"), _named(ROWS))
def test_a_row_that_breaks_the_rule_is_refused_whichever_way_it_comes(
    world: World, name: str, make: Any, bad: Values, fine: Values
) -> None:
    bad, fine = _values(bad, world), _values(fine, world)
    by = world.people.researcher
    model = _model_of(make, world, fine, by)
    ways = rules.paths(model)
    refused = {
        way: refusal(partial(write, partial(make, world), bad, fine), by)
        for way, write in ways.items()
    }
    assert {way: found and found.rule for way, found in refused.items()} == dict.fromkeys(
        ways, name
    )
    if name in SPEAKING:
        _assert_is_a_sentence(refused["save"])
    taken = {
        way: refusal(partial(write, partial(make, world), fine, fine), by)
        for way, write in ways.items()
    }
    assert taken == dict.fromkeys(ways)


def _model_of(make: Any, world: World, values: dict[str, Any], by: User) -> type[models.Model]:
    found: list[type[models.Model]] = []
    refusal(lambda: found.append(type(make(world, **values))), by)
    return found[0]


# --- Writes that are not a row's insertion: who, what is refused, what is nearly so ---

Write = Callable[[World], object]


def change(row: str, **values: Any) -> Write:
    """Update one row of the world."""

    def write(world: World) -> None:
        target = getattr(world, row)
        updated = type(target).objects.using("default").filter(pk=target.pk)
        assert updated.update(**{k: v(world) if callable(v) else v for k, v in values.items()})

    return write


def alter(model: type[models.Model], where: dict[str, Any] | None = None, **values: Any) -> Write:
    """Update rows of the published side."""

    def write(world: World) -> None:
        rows = model._default_manager.using("default").filter(**(where or {}))
        assert rows.update(**values)

    return write


def taken_to(state: State, then: Write, **fields: Any) -> Write:
    """Take the world's record to a state, and go on."""

    def write(world: World) -> None:
        if fields:
            with acting(world.people.researcher, "For a test"):
                Incident.objects.filter(pk=world.incident.pk).update(**fields)
        world.incident.refresh_from_db()
        builders.take_to(world.incident, state, world.people)
        world.incident.refresh_from_db()
        then(world)

    return write


def step(verb: Verb, name: str, then: Write) -> Write:
    def write(world: World) -> None:
        person = getattr(world.people, name)
        take_step(verb, incident_id=world.incident.pk, actor=person, reason="Why", note="What")
        then(world)

    return write


def say(verb: Verb, **values: Any) -> Write:
    """Write a review by hand, in the name of whoever acts."""

    def write(world: World) -> None:
        start: dict[str, Any] = {
            "incident": world.incident,
            "verb": verb,
            "actor_id": run("SELECT current_setting('harmtracker.actor')::bigint")[0][0],
            "revision": IncidentRevision.objects.get(incident=world.incident).number,
            "reason": "Why",
        }
        if verb == Verb.VERIFY:
            content = canonical(build_content(world.incident.pk))
            start |= {"content": content, "content_sha256": sha256(content)}
        row = {k: v(world) if callable(v) else v for k, v in values.items()}
        Review.objects.create(**{**start, **row})

    return write


def give_code(world: World) -> str:
    """The code that is due, counted as publishing does."""
    incident = Incident.objects.select_related("place").get(pk=world.incident.pk)
    if incident.code is None:
        incident.code = next_code(incident)
        Incident.objects.filter(pk=incident.pk).update(code=incident.code)
    assert incident.code is not None
    return incident.code


def add_entry(**changes: Any) -> Write:
    """Put down a ledger entry by hand, as an attacker with the app's role would."""

    def write(world: World) -> None:
        head = ledger.lock_head()
        facts = {
            "seq": head.size + 1,
            "at": ledger.now(),
            "kind": "published",
            "code": "MMR-1999-0001",
            "version": 1,
            "committed_sha256": "0" * 64,
            **{k: v for k, v in changes.items() if k not in ("entry", "leaf_hash")},
        }
        text = canonical({**facts, "at": ledger.timestamp(facts["at"])})
        text = changes.get("entry", text)
        row = LedgerEntry(**facts, entry=text, leaf_hash=sha256("\x00" + text), root_hash="0" * 64)
        row.leaf_hash = changes.get("leaf_hash", row.leaf_hash)
        row.save(using="default", force_insert=True)

    return write


def let_out(*, kind: str = "published", **changes: Any) -> Write:
    """Put a version and its ledger entry down by hand, as an attacker with the app's role would."""

    def write(world: World) -> None:
        code = give_code(world)
        seen = latest_review(world.incident)
        if kind == "retracted":
            content = {"shape": SHAPE, "record_type": "incident", "retracted": True}
        else:
            content = json.loads(seen.content) if seen and seen.content else {"title": None}
        number = 1 + PublishedVersion.objects.using("default").filter(code=code).count()
        note = seen.reason if seen and kind == "retracted" else ""
        at = ledger.now()
        title = f"{content['title']}. " if content.get("title") else ""
        document = {
            **content,
            "code": code,
            "version": number,
            "published_at": ledger.timestamp(at),
            "previous_version": number - 1 or None,
            "note": note,
            "cite": f"harmtracker, {code}, version {number}: {title}Published {at.date()}.",
            "nonce": new_nonce(),
            **changes.get("document", {}),
        }
        text = canonical(document)
        version = {"number": number, "kind": kind, "note": note}
        version |= {"document": text, "sha256": sha256(text)}
        version |= {k: v for k, v in changes.items() if k != "document"}
        entry = ledger.append(
            ledger.lock_head(),
            at=at,
            kind=kind,
            code=code,
            version=number,
            committed_sha256="0" * 64,
        )
        PublishedVersion.objects.using("default").create(
            entry=entry, code=code, disclosures="[]", published_at=at, **version
        )

    return write


def as_person(name: str, then: Write) -> Write:
    def write(world: World) -> None:
        with acting(getattr(world.people, name), "For a test"):
            then(world)

    return write


def with_claims_of_victims(then: Write, *, consent: bool) -> Write:
    """Verified with the claims that speak of a person."""

    def write(world: World) -> None:
        with acting(world.people.researcher, "For a test"):
            basis = "family_consent" if consent else None
            Victim.objects.filter(incident=world.incident).update(consent_basis=basis)
        persons = build_content(world.incident.pk)["victims"]
        verified_as(then, victims=[{**p, "claims": [str(world.claim.uuid)]} for p in persons])(
            world
        )

    return write


def verified_as(then: Write, **content: Any) -> Write:
    """The record verified with other content than its own: what a careless verifier could do."""

    def write(world: World) -> None:
        text = canonical({**build_content(world.incident.pk), **content})
        say(Verb.VERIFY, content=text, content_sha256=sha256(text))(world)
        change("incident", state="verified")(world)
        then(world)

    return taken_to(State.SUBMITTED, write)


def retire(name: str, then: Write) -> Write:
    def write(world: World) -> None:
        User.objects.filter(username=name).update(is_active=False)
        then(world)

    return write


def nothing(world: World) -> None:
    pass


def named_as(row: str, target: str) -> Callable[[World], Any]:
    return lambda world: getattr(getattr(world, row), target)


def in_camp(then: Write) -> Write:
    """The record lies in a protected place, at an exact point."""

    def move(world: World) -> None:
        camp = Place.objects.get(slug="mung-lai-hkyet-camp")
        assert camp.protected
        change(
            "incident",
            place=camp,
            latitude=Decimal("24.812345"),
            longitude=Decimal("97.512345"),
            place_precision="site",
        )(world)

    def write(world: World) -> None:
        with acting(world.people.researcher, "For a test"):
            move(world)
        then(world)

    return write


def saying_the_point(latitude: float, longitude: float, then: Write) -> Write:
    def write(world: World) -> None:
        content = build_content(world.incident.pk)
        content["place"]["point"] = {"latitude": latitude, "longitude": longitude}
        verified_as(then, place=content["place"])(world)

    return write


def nested_place(world: World) -> None:
    inner = builders.place(parent=world.place)
    Place.objects.filter(pk=world.place.pk).update(parent=inner)


def nested_actor(world: World) -> None:
    inner = builders.actor(parent=world.actor)
    Actor.objects.filter(pk=world.actor.pk).update(parent=inner)


def move_district(state: str) -> Write:
    """Move a district, whose township has a code of the first state, below a state."""

    def write(world: World) -> None:
        state_one = Place.objects.get(slug="mmr001")
        district = builders.place(level="adm2", parent=state_one)
        builders.place(level="adm3", parent=district, pcode="MMR001999")
        Place.objects.filter(pk=district.pk).update(parent=Place.objects.get(slug=state))

    return write


R, V, V2 = "researcher", "verifier", "other_verifier"
AS_STATE = {state: change("incident", state=str(state)) for state in State}

STEPS: list[tuple[str, str, Write, Write]] = [
    # Trees
    ("incidents_place_is_a_tree", R, nested_place, lambda w: builders.place(parent=w.place)),
    ("incidents_place_is_a_tree", R, change("place", parent=named_as("place", "pk")), nothing),
    ("incidents_actor_is_a_tree", R, nested_actor, lambda w: builders.actor(parent=w.actor)),
    ("incidents_actor_is_a_tree", R, change("actor", parent=named_as("actor", "pk")), nothing),
    ("incidents_place_pcode_of_its_state", R, move_district("mmr002"), move_district("mmr001")),
    # A part and its whole can be raised in either order within one transaction.
    (
        "incidents_casualtycount_part_within_whole",
        R,
        lambda w: (
            builders.count(w.incident, sex="female"),
            change("count", min=1, best=1, max=1)(w),
        ),
        lambda w: (
            builders.count(w.incident, sex="female", min=9, best=9, max=9),
            change("count", min=9, best=9, max=9)(w),
        ),
    ),
    (
        "incidents_casualtycount_part_within_whole",
        R,
        lambda w: (
            builders.count(w.incident, age_group="child"),
            builders.count(w.incident, age_group="infant", min=3, best=3, max=3),
            change("count", min=9, best=9, max=9)(w),
        ),
        lambda w: (
            builders.count(w.incident, age_group="adult"),
            builders.count(w.incident, age_group="infant", min=3, best=3, max=3),
            change("count", min=9, best=9, max=9)(w),
        ),
    ),
    # How a record begins and moves
    (
        "incidents_incident_begins_as_draft",
        R,
        lambda w: incident(w, state="submitted"),
        lambda w: incident(w, state="draft"),
    ),
    (
        "incidents_incident_begins_as_draft",
        R,
        lambda w: incident(w, code="MMR-1999-0001"),
        incident,
    ),
    (
        "incidents_incident_author_stays",
        R,
        change("incident", author=named_as("people", V)),
        change("incident", author=named_as("people", R)),
    ),
    (
        "incidents_incident_code_is_for_ever",
        R,
        change("incident", code="MMR-1999-0001"),
        taken_to(State.VERIFIED, give_code),
    ),
    (
        "incidents_incident_code_is_for_ever",
        R,
        taken_to(State.PUBLISHED, change("incident", code="MMR-1999-0001")),
        taken_to(State.PUBLISHED, nothing),
    ),
    (
        "incidents_incident_code_is_counted",
        R,
        taken_to(State.VERIFIED, change("incident", code="MMR-2024-9999")),
        taken_to(State.VERIFIED, give_code),
    ),
    # The counter is where the last code of that year left it.
    (
        "incidents_incident_code_key",
        R,
        taken_to(State.VERIFIED, change("incident", code=PUBLISHED), date_edtf="2014-05-06"),
        taken_to(State.VERIFIED, give_code, date_edtf="2014-05-06"),
    ),
    (
        "incidents_incident_state_by_workflow",
        R,
        AS_STATE[State.SUBMITTED],
        lambda w: (say(Verb.SUBMIT)(w), AS_STATE[State.SUBMITTED](w)),
    ),
    (
        "incidents_incident_state_by_workflow",
        V,
        lambda w: (as_person(R, say(Verb.SUBMIT))(w), AS_STATE[State.VERIFIED](w)),
        taken_to(State.SUBMITTED, lambda w: (say(Verb.VERIFY)(w), AS_STATE[State.VERIFIED](w))),
    ),
    (
        "incidents_incident_state_by_workflow",
        R,
        # Edited after the step: the step's word is about another revision.
        lambda w: (
            say(Verb.SUBMIT)(w),
            change("incident", title="Another")(w),
            AS_STATE[State.SUBMITTED](w),
        ),
        lambda w: (
            change("incident", title="Another")(w),
            say(Verb.SUBMIT)(w),
            AS_STATE[State.SUBMITTED](w),
        ),
    ),
    (
        "incidents_incident_published_by_version",
        V,
        taken_to(
            State.VERIFIED,
            lambda w: (give_code(w), say(Verb.PUBLISH)(w), AS_STATE[State.PUBLISHED](w)),
        ),
        taken_to(
            State.VERIFIED,
            lambda w: (let_out()(w), say(Verb.PUBLISH)(w), AS_STATE[State.PUBLISHED](w)),
        ),
    ),
    # Reviews
    (
        "incidents_review_in_own_name",
        R,
        say(Verb.SUBMIT, actor_id=lambda w: w.people.verifier.pk),
        say(Verb.SUBMIT),
    ),
    (
        "incidents_review_of_submitted",
        V,
        say(Verb.VERIFY),
        taken_to(State.SUBMITTED, say(Verb.VERIFY)),
    ),
    (
        "incidents_review_of_current_revision",
        V,
        taken_to(State.SUBMITTED, say(Verb.VERIFY, revision=1)),
        taken_to(State.SUBMITTED, say(Verb.VERIFY)),
    ),
    (
        "incidents_review_four_eyes",
        V,
        lambda w: (
            change("incident", title="Another")(w),
            taken_to(State.SUBMITTED, say(Verb.VERIFY))(w),
        ),
        taken_to(State.SUBMITTED, say(Verb.VERIFY)),
    ),
    # Whoever changed what the record names has edited it.
    *(
        (
            "incidents_review_four_eyes",
            V,
            lambda w, edit=edit: (edit(w), taken_to(State.SUBMITTED, say(Verb.VERIFY))(w)),
            taken_to(State.SUBMITTED, say(Verb.VERIFY)),
        )
        for edit in (
            lambda w: Place.objects.filter(pk=w.incident.place_id).update(name="Another"),
            lambda w: Place.objects.filter(slug="mmr").update(name="Another"),
            lambda w: Actor.objects.filter(pk=w.involvement.actor_id).update(name="Another"),
            lambda w: Article.objects.filter(pk=w.claim.article_id).update(title="Another"),
            lambda w: Outlet.objects.filter(pk=w.claim.attributed_outlet_id).update(name="Another"),
            lambda w: Dataset.objects.filter(pk=w.external_id.dataset_id).update(name="Another"),
        )
    ),
    ("incidents_review_by_who_may", R, say(Verb.RETURN), say(Verb.SUBMIT)),
    ("incidents_review_by_who_may", V, say(Verb.SUBMIT), say(Verb.RETURN)),
    *(
        ("incidents_review_says_why", V, say(verb, reason=""), say(verb, reason="x"))
        for verb in (Verb.RETURN, Verb.REOPEN, Verb.PROPOSE_RETRACTION)
    ),
    (
        "incidents_review_of_the_record",
        V,
        verified_as(nothing, title="Another"),
        verified_as(nothing, circumstances=[]),
    ),
    (
        "incidents_review_of_the_record",
        V,
        verified_as(nothing, victims=[{"names": ["Ma Khin"], "consent_basis": "own_consent"}] * 3),
        verified_as(nothing),
    ),
    (
        "incidents_review_content_hash",
        V,
        taken_to(State.SUBMITTED, say(Verb.VERIFY, content_sha256="0" * 64)),
        taken_to(State.SUBMITTED, say(Verb.VERIFY)),
    ),
    # The door
    (
        "incidents_publishedversion_has_live_review",
        V,
        taken_to(State.PUBLISHED, let_out()),
        taken_to(State.VERIFIED, let_out()),
    ),
    (
        "incidents_publishedversion_has_live_review",
        V,
        taken_to(State.PUBLISHED, let_out(kind="retracted")),
        taken_to(State.PUBLISHED, nothing),
    ),
    (
        "incidents_publishedversion_follows",
        V,
        taken_to(State.VERIFIED, let_out(number=2)),
        taken_to(State.VERIFIED, let_out(number=1)),
    ),
    (
        "incidents_publishedversion_follows",
        V,
        taken_to(State.VERIFIED, let_out(document={"version": 2})),
        taken_to(State.VERIFIED, let_out(document={"version": 1})),
    ),
    (
        "incidents_publishedversion_retraction_four_eyes",
        V,
        taken_to(State.PUBLISHED, step(Verb.PROPOSE_RETRACTION, V, let_out(kind="retracted"))),
        taken_to(State.PUBLISHED, step(Verb.PROPOSE_RETRACTION, V2, let_out(kind="retracted"))),
    ),
    (
        "incidents_publishedversion_is_what_was_verified",
        V,
        taken_to(State.VERIFIED, let_out(document={"summary": "Another"})),
        taken_to(State.VERIFIED, let_out(document={"note": "x"}, note="x")),
    ),
    (
        "incidents_publishedversion_not_by_author",
        R,
        taken_to(State.VERIFIED, let_out()),
        taken_to(State.VERIFIED, nothing),
    ),
    (
        "incidents_publishedversion_four_eyes",
        V2,
        taken_to(State.VERIFIED, retire(V, let_out())),
        taken_to(State.VERIFIED, let_out()),
    ),
    (
        "incidents_publishedversion_redistributable",
        V,
        lambda w: taken_to(State.VERIFIED, let_out(), dataset=w.dataset)(w),
        lambda w: taken_to(State.VERIFIED, let_out(), dataset=w.open_dataset)(w),
    ),
    (
        "incidents_publishedversion_names_have_consent",
        V,
        with_claims_of_victims(let_out(), consent=False),
        with_claims_of_victims(let_out(), consent=True),
    ),
    (
        "incidents_publishedversion_has_actor",
        V,
        taken_to(State.VERIFIED, retire(V, let_out())),
        taken_to(State.VERIFIED, let_out()),
    ),
    *(
        (
            "incidents_publishedversion_tombstone_is_bare",
            V,
            taken_to(
                State.PUBLISHED,
                step(Verb.PROPOSE_RETRACTION, V2, let_out(kind="retracted", **bad)),
            ),
            taken_to(State.PUBLISHED, step(Verb.PROPOSE_RETRACTION, V2, let_out(kind="retracted"))),
        )
        for bad in ({"document": {"why": "x"}}, {"note": "x", "document": {"note": "x"}})
    ),
    (
        "incidents_publishedversion_protected_on_grid",
        V,
        in_camp(saying_the_point(24.8, 97.512345, let_out())),
        in_camp(saying_the_point(24.8, 97.5, let_out())),
    ),
    # The ledger
    (
        "incidents_ledgerentry_without_gaps",
        V,
        add_entry(seq=5),
        taken_to(State.VERIFIED, let_out()),
    ),
    *(
        (
            "incidents_ledgerentry_is_true",
            V,
            add_entry(**bad),
            taken_to(State.VERIFIED, let_out()),
        )
        for bad in (
            {"at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)},
            {"at": datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC)},
            {"entry": "{}"},
        )
    ),
    (
        "incidents_ledgerentry_is_whole",
        V,
        add_entry(),
        taken_to(State.VERIFIED, let_out()),
    ),
    (
        "incidents_ledgerentry_leaf_hash",
        V,
        add_entry(leaf_hash="0" * 64),
        taken_to(State.VERIFIED, let_out()),
    ),
    (
        "incidents_ledgerentry_version_once",
        V,
        add_entry(code=PUBLISHED, version=1),
        taken_to(State.VERIFIED, let_out()),
    ),
    *(
        (
            "incidents_ledgerhead_follows",
            V,
            alter(LedgerHead, **bad),
            taken_to(State.VERIFIED, let_out()),
        )
        for bad in ({"size": 4}, {"size": 2}, {"edge": ["0" * 64]})
    ),
    # Counters
    (
        "incidents_codecounter_one_per_year",
        V,
        lambda w: counter(w, country="MMR", year=2014),
        lambda w: counter(w, country="MMR", year=1914),
    ),
    (
        "incidents_codecounter_year_check",
        V,
        lambda w: counter(w, year=-1),
        lambda w: counter(w, year=0),
    ),
    ("incidents_codecounter_counts", V, lambda w: counter(w, last=2), lambda w: counter(w, last=1)),
    (
        "incidents_codecounter_counts",
        V,
        alter(CodeCounter, {"year": 2014}, last=3),
        alter(CodeCounter, {"year": 2014}, last=2),
    ),
    (
        "incidents_incidentrevision_counts_edits",
        V,
        lambda w: IncidentRevision.objects.filter(incident=w.incident).update(number=1),
        lambda w: IncidentRevision.objects.filter(incident=w.other).update(number=F("number") + 1),
    ),
    # In one's own name
    *(
        (f"{table}_in_own_name", R, partial(make, name=V), partial(make, name=R))
        for table, make in (
            (
                "incidents_incident",
                lambda w, name: builders.incident(author=getattr(w.people, name)),
            ),
            (
                "incidents_reviewcomment",
                lambda w, name: builders.comment(w.incident, author=getattr(w.people, name)),
            ),
        )
    ),
    # What hangs together
    (
        "incidents_incidentlink_not_in_a_circle",
        R,
        lambda w: (
            builders.link(w.incident, kind="duplicate_of", other=w.other),
            builders.link(w.other, kind="merged_into", other=w.incident),
        ),
        lambda w: (
            builders.link(w.incident, kind="duplicate_of", other=w.other),
            builders.link(w.other, kind="related", other=w.incident),
        ),
    ),
    (
        "incidents_countbasis_basis_of_assessment",
        R,
        lambda w: basis(w, count=count(w, claim=w.claim)),
        lambda w: basis(w, count=w.count),
    ),
    (
        "incidents_casualtycount_basis_of_assessment",
        R,
        lambda w: change("count", claim=w.claim)(w),
        lambda w: CasualtyCount.objects.filter(pk=count(w, sex="male").pk).update(claim=w.claim),
    ),
    # What stays after publication
    *(
        (
            f"incidents_{row}_kept_once_published",
            R,
            taken_to(
                State.PUBLISHED,
                step(Verb.REOPEN, R, lambda w, model=model: remove_last(model)(w)),
            ),
            lambda w, model=model: remove_last(model)(w),
        )
        for row, model in (("claim", Claim), ("victim", Victim))
    ),
    # The index
    (
        "incidents_publishedincident_one_current",
        V,
        alter(PublishedIncident, {"code": "MMR-2023-0001"}, code=PUBLISHED),
        alter(PublishedIncident, {"code": "MMR-2023-0001"}, code=PUBLISHED, valid_until=9),
    ),
    (
        "incidents_publishedincident_aggregate_not_in_totals",
        V,
        alter(PublishedIncident, record_type="aggregate_count"),
        alter(PublishedIncident, record_type="aggregate_count", in_totals=False),
    ),
    *(
        (
            f"incidents_publishedincident_{column}_check",
            V,
            alter(PublishedIncident, **{column: -1}),
            alter(PublishedIncident, **{column: 0}),
        )
        for column in (
            "number",
            "valid_from",
            "valid_until",
            "index_shape",
            "independent_sources",
            *finding.FIGURES,
        )
    ),
]


def remove_last(model: type[models.Model]) -> Write:
    """Delete a row that nothing hangs on."""

    def write(world: World) -> None:
        row = builders.claim(world.incident) if model is Claim else builders.victim(world.incident)
        model._default_manager.filter(pk=row.pk).delete()

    return write


@pytest.mark.parametrize(("name", "by", "bad", "fine"), _named(STEPS))
def test_a_write_that_breaks_the_rule_is_refused_and_its_near_miss_taken(
    world: World, name: str, by: str, bad: Write, fine: Write
) -> None:
    person = getattr(world.people, by)
    refused = refusal(partial(bad, world), person)
    assert refused is not None
    assert refused.rule == name
    if not UNSEEN.search(name):
        _assert_is_a_sentence(refused)
    assert refusal(partial(fine, world), person) is None


# --- Rules behind other rules: met when the first one is switched off ---

ENTRY = ("incidents_ledgerentry_guard", "incidents_ledgerentry_is_whole")
VERSION = ("incidents_publishedversion_guard",)
# Rule, its table, the triggers that refuse first, what breaks it, what nearly does: columns of a
# row of the template, of which a copy is added.
BEHIND = [
    ("incidents_ledgerentry_seq_check", ENTRY, {"code": "X", "seq": -1}, {"code": "X", "seq": 99}),
    (
        "incidents_ledgerentry_version_check",
        ENTRY,
        {"seq": 99, "version": -1},
        {"seq": 99, "version": 0},
    ),
    (
        "incidents_publishedversion_once",
        VERSION,
        {"seq": 99},
        {"seq": 99, "number": 9},
    ),
    (
        "incidents_publishedversion_number_check",
        VERSION,
        {"seq": 99, "number": -1},
        {"seq": 99, "number": 0},
    ),
    (
        "incidents_publishedversion_hash",
        VERSION,
        {"seq": 99, "number": 9, "sha256": "0" * 64},
        {"seq": 99, "number": 9},
    ),
    (
        "incidents_codecounter_last_check",
        ("incidents_codecounter_counts",),
        {"id": 999, "year": 1999, "last": -1},
        {"id": 999, "year": 1999, "last": 0},
    ),
    (
        "incidents_ledgerhead_is_one_row",
        ("incidents_ledgerhead_follows",),
        {"id": 2},
        None,
    ),
    (
        "incidents_ledgerhead_size_check",
        ("incidents_ledgerhead_follows",),
        {"id": 1, "size": -1},
        None,
    ),
    (
        "incidents_incidentrevision_number_check",
        ("incidents_incidentrevision_counts_edits",),
        {"incident_id": 999, "number": -1},
        {"incident_id": 999, "number": 0},
    ),
]


@pytest.mark.parametrize(("name", "first", "bad", "fine"), _named(BEHIND))
def test_a_rule_holds_even_without_the_trigger_before_it(
    people: SimpleNamespace,
    name: str,
    first: tuple[str, ...],
    bad: dict[str, Any],
    fine: dict[str, Any] | None,
) -> None:
    table = re.match("incidents_[a-z]+", name)[0]  # type: ignore[index]

    def copy(changes: dict[str, Any]) -> None:
        for trigger in first:
            switch_off(table, trigger)
        run(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(r, %s::jsonb)).* "
            f"FROM {table} r ORDER BY 1 LIMIT 1",
            [json.dumps(changes)],
            using="owner",
        )

    assert _rule_of_owner(partial(copy, bad)) == name
    if fine is not None:
        assert _rule_of_owner(partial(copy, fine)) is None


def _rule_of_owner(write: Callable[[], object]) -> str | None:
    """As :func:`rule`, without a person and without the keys that are checked at the end."""
    try:
        with transaction.atomic(using="owner"):
            write()
            transaction.set_rollback(True, using="owner")
    except IntegrityError as error:
        refused = from_database(error)
        assert refused is not None
        return refused.rule
    return None


_ANSWER = (
    "INSERT INTO harmtracker_idempotentrequest "
    "(user_id, key, request, fingerprint, status, headers, body) "
    "SELECT min(u.id), 'k' || {key}, 'POST /', 'f', {status}, '{{}}', '' "
    "FROM accounts_user u, generate_series(1, 2) i GROUP BY i"
)
# What the program writes in one way alone: shown by a statement of the owner.
LISTS = [
    (
        "harmtracker_idempotentrequest_once",
        _ANSWER.format(key=1, status=201),
        _ANSWER.format(key="i", status=201),
    ),
    *(
        (
            "harmtracker_idempotentrequest_succeeded",
            _ANSWER.format(key="i", status=bad),
            _ANSWER.format(key="i", status=fine),
        )
        for bad, fine in ((199, 200), (300, 299))
    ),
    (
        "harmtracker_code_once_per_list",
        "UPDATE harmtracker_code SET code = 'all' WHERE list = 'sex' AND code = 'female'",
        "UPDATE harmtracker_code SET code = 'f' WHERE list = 'sex' AND code = 'female'",
    ),
    (
        "harmtracker_code_position_check",
        "UPDATE harmtracker_code SET position = -1 WHERE list = 'sex'",
        "UPDATE harmtracker_code SET position = 0 WHERE list = 'sex'",
    ),
    (
        "incidents_weapontype_sdg_cause_check",
        "UPDATE incidents_weapontype SET sdg_cause = -1",
        "UPDATE incidents_weapontype SET sdg_cause = 0",
    ),
]


@pytest.mark.parametrize(("name", "bad", "fine"), _named(LISTS))
def test_lists_and_answers_keep_their_rules(
    people: SimpleNamespace, name: str, bad: str, fine: str
) -> None:
    assert rule(partial(run, bad, using="owner"), people.verifier, using="owner") == name
    assert refusal(partial(run, fine, using="owner"), people.verifier, using="owner") is None


def test_a_published_record_has_a_code_even_without_the_guard_of_states(
    people: SimpleNamespace,
) -> None:
    def set_code(code: str | None) -> None:
        switch_off("incidents_incident", "incidents_incident_state_guard")
        run(
            "UPDATE incidents_incident SET code = %s WHERE code = %s",
            [code, PUBLISHED],
            using="owner",
        )

    assert rule(partial(set_code, None), people.verifier, using="owner") == (
        "incidents_incident_published_has_code"
    )
    assert refusal(partial(set_code, "MMR-1999-0001"), people.verifier, using="owner") is None


# --- What is never removed ---

GROWS = ("UPDATE", "DELETE", "TRUNCATE")
KEPT = {
    **{
        (table, operation): f"{table}_never_deleted"
        for table in (
            "incidents_incident",
            "incidents_place",
            "incidents_actor",
            "incidents_dataset",
            "incidents_merge",
        )
        for operation in ("DELETE", "TRUNCATE")
    },
    **{
        (table, "TRUNCATE"): f"{table}_never_emptied"
        for table in [*test_history.PARTS, "incidents_reviewcomment"]
    },
    **{
        (table, operation): f"{table}_only_grows"
        for table in (
            "incidents_review",
            "incidents_ledgerentry",
            "incidents_publishedversion",
            "incidents_redaction",
            "incidents_redactedtext",
            "incidents_warninganswer",
        )
        for operation in GROWS
    },
}


def _statement(table: str, operation: str) -> str:
    return {
        "UPDATE": f"UPDATE {table} SET {{}} = {{}}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[operation]


@pytest.mark.parametrize(
    ("table", "operation", "name"),
    [pytest.param(*key, name, id=f"{name}_{key[1].lower()}") for key, name in KEPT.items()],
)
def test_what_stays_is_not_removed_even_by_the_owner(
    people: SimpleNamespace, table: str, operation: str, name: str
) -> None:
    columns = {
        "incidents_review": "verb",
        "incidents_redactedtext": "text",
        "incidents_warninganswer": "reason",
    }
    column = columns.get(table, "seq")
    sql = _statement(table, operation).format(column, column)
    refused = refusal(partial(run, sql, using="owner"), people.verifier, using="owner")
    assert refused is not None
    assert refused.rule == name
    assert not JARGON.search(refused.message)
    # To the application the very statement is out of reach, or as much refused.
    assert _fails_as_application(sql)


def _fails_as_application(sql: str) -> bool:
    try:
        with transaction.atomic():
            run(sql)
            transaction.set_rollback(True)
    except DatabaseError:
        return True
    return False


# --- Nothing evidential goes with what it refers to ---


@pytest.mark.parametrize("table", ["accounts_user", "incidents_weapontype"])
def test_what_evidence_names_is_not_deleted_even_by_the_owner(
    people: SimpleNamespace, table: str
) -> None:
    before = run(f"SELECT count(*) FROM {table}", using="owner")
    delete = partial(run, f"DELETE FROM {table}", using="owner")
    assert rule(delete, people.verifier, using="owner")
    assert run(f"SELECT count(*) FROM {table}", using="owner") == before


def test_every_key_of_evidence_protects_what_it_points_to() -> None:
    rows = run(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a' "
        "AND conrelid::regclass::text ~ %s",
        [rules.OURS],
    )
    assert rows == []


# --- Every refusal is a sentence for a researcher ---

# The answer where a rule has no message of its own: true, and no help.
GENERAL = "The database refused it."


def _assert_is_a_sentence(refused: DomainError | None) -> None:
    assert refused is not None
    message = refused.message
    assert message != GENERAL
    assert message.endswith(".")
    assert not JARGON.search(message), message


# --- No rule without a test ---

# Rules that cannot be broken by any row, and what they are there for.
TARGETS = {
    "incidents_claim_of_incident": "what keys over two columns refer to",
    "incidents_casualtycount_of_incident": "what keys over two columns refer to",
    "incidents_victim_of_incident": "what keys over two columns refer to",
}
# Checks that speak through the function they call.
SPOKEN_FOR = {"incidents_claim_date_is_edtf": "edtf_is_valid"}
TESTED = (
    {row[0] for row in [*ROWS, *STEPS, *BEHIND, *LISTS]}
    | set(KEPT.values())
    | {"incidents_incident_published_has_code"}
    | of_redaction.TESTED
    | {"history_text_is_text"}  # with the other rules of the history
    | of_merge.TESTED
    | of_imports.TESTED
    | of_releases.TESTED
)


@pytest.mark.enumeration
def test_every_constraint_is_in_a_table_of_tests() -> None:
    with connections["default"].cursor() as cursor:
        found = set(rules.constraints(cursor))
    tested = TESTED | set(SPOKEN_FOR) | set(TARGETS) | of_sources.TESTED | of_people.TESTED
    tested |= test_completeness.TESTED | test_warnings.TESTED
    assert found - tested == set()
    held = {name for name in tested if name in found}
    assert set(TARGETS) | set(SPOKEN_FOR) <= held


@pytest.mark.enumeration
def test_every_trigger_is_in_a_table_of_tests() -> None:
    with connections["default"].cursor() as cursor:
        found = rules.triggers(cursor)
    refusing = {
        f"{name}_{operation.lower()}"
        for (_, operation), name in [
            *KEPT.items(),
            *of_sources.KEPT.items(),
            *of_people.KEPT.items(),
        ]
    }
    guards = {
        "incidents_incident_state_guard",
        "incidents_review_guard",
        "incidents_publishedversion_guard",
        "incidents_ledgerentry_guard",
        *of_redaction.TRIGGERS,
        *of_merge.TRIGGERS,
        *of_imports.TRIGGERS,
        *of_releases.TRIGGERS,
    }
    tested = (
        refusing
        | guards
        | TESTED
        | of_sources.TESTED
        | of_people.TESTED
        | test_history.TRIGGERS
        | test_codes.TRIGGERS
        | test_key_counts.TRIGGERS
        | test_neighbours.TRIGGERS
        | test_tally_sums.TRIGGERS
        | test_waiting.TRIGGERS
        | test_warnings.TRIGGERS
        | test_warnings.TESTED
        | test_completeness.TESTED
    )
    assert set(found) - tested == set()


@pytest.mark.enumeration
def test_every_rule_that_a_function_names_is_in_a_table_of_tests() -> None:
    with connections["default"].cursor() as cursor:
        raised = raised_by_functions(cursor)
    tested = TESTED | of_people.TESTED | of_sources.TESTED | test_completeness.TESTED
    tested |= test_warnings.TESTED
    assert raised - tested == {
        "history_actor_is_set",
        "history_key_never_changes",
        "incidents_incident_edited_as_draft",
    }

"""Attacks that an adversary with the application's role could try: one test for each."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import connection

from harmtracker.errors import Invalid, NotAllowed
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import services, workflow
from incidents.choices import State, Verb
from incidents.models import (
    CasualtyCount,
    Claim,
    CountBasis,
    Dataset,
    ExternalId,
    Incident,
    IncidentLink,
    IncidentRevision,
    Place,
    Review,
    ReviewComment,
)

pytestmark = pytest.mark.django_db

Draft = Callable[..., Incident]


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.VERIFIED, State.PUBLISHED])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incidents_incident SET id = -1, title = 'UNSEEN' WHERE id = %s",
        "UPDATE incidents_claim SET id = -id WHERE incident_id = %s",
    ],
)
def test_no_key_is_changed_to_part_a_row_from_its_history(
    draft: Draft, people: SimpleNamespace, state: State, statement: str
) -> None:
    incident = draft(state)
    with pytest.raises(Invalid) as refusal, acting(people.verifier):
        sql(statement, incident.pk)
    assert refusal.value.rule in {"history_key_never_changes", "incidents_incident_edited_as_draft"}


def test_a_retraction_in_between_does_not_make_an_editor_a_second_person(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.PUBLISHED)
    with acting(people.verifier, "Renamed"):
        Place.objects.filter(slug="laiza").update(name="Lai Zar")
    for verb, actor in (
        (Verb.PROPOSE_RETRACTION, people.verifier),
        (Verb.RETRACT, people.other_verifier),
        (Verb.REOPEN, people.researcher),
        (Verb.SUBMIT, people.researcher),
    ):
        workflow.take_step(verb, incident_id=incident.pk, actor=actor, reason="Why")
    with pytest.raises(NotAllowed):
        workflow.take_step(Verb.VERIFY, incident_id=incident.pk, actor=people.verifier)


@pytest.mark.parametrize("number", [1, 99])
def test_the_revision_is_not_for_anybody_to_set(
    draft: Draft, people: SimpleNamespace, number: int
) -> None:
    incident = draft(State.SUBMITTED)
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        IncidentRevision.objects.filter(incident=incident).update(number=number)
    assert refusal.value.rule == "incidents_incidentrevision_counts_edits"


def test_the_next_revision_needs_somebody_who_edits(draft: Draft) -> None:
    incident = draft()
    sql("SELECT set_config('harmtracker.actor', '', true)")
    with pytest.raises(Exception, match="revision is the next one"):
        sql(
            "UPDATE incidents_incidentrevision SET number = number + 1 WHERE incident_id = %s",
            incident.pk,
        )


def test_a_part_is_not_moved_out_of_a_record(draft: Draft, people: SimpleNamespace) -> None:
    source, target = draft(State.SUBMITTED), draft()
    with pytest.raises(Invalid) as refusal, acting(people.verifier):
        Claim.objects.filter(incident=source).update(incident=target)
    assert refusal.value.rule == "incidents_claim_stays_with_its_record"


def test_the_last_review_is_the_last_one_written(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    with (
        pytest.raises(Exception, match="cannot insert a non-DEFAULT value"),
        acting(people.verifier),
    ):
        Review.objects.create(
            pk=9 * 10**17, incident=incident, verb=Verb.RETURN, actor=people.verifier, revision=1
        )


def test_a_review_is_dated_by_the_database(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft()
    with acting(people.researcher):
        review = Review.objects.create(
            incident=incident,
            verb=Verb.SUBMIT,
            actor=people.researcher,
            revision=incident.revision.number,
            at="2001-01-01T00:00Z",
        )
    review.refresh_from_db()
    assert review.at.year > 2020


def test_who_changed_a_dataset_that_an_external_id_names_does_not_verify(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    dataset = Dataset.objects.get(slug="ucdp-ged")
    with acting(people.researcher):
        services.add_part(ExternalId, incident=incident, dataset=dataset, value="1")
    workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
    with acting(people.verifier):
        Dataset.objects.filter(pk=dataset.pk).update(redistributable=False)
    with pytest.raises(NotAllowed):
        workflow.take_step(Verb.VERIFY, incident_id=incident.pk, actor=people.verifier)


def test_a_remark_on_a_record_is_no_edit_of_it(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.SUBMITTED)
    with acting(people.verifier):
        ReviewComment.objects.create(
            incident=incident, field="title", text="Too long", author=people.verifier
        )
    workflow.take_step(Verb.VERIFY, incident_id=incident.pk, actor=people.verifier)


@pytest.mark.parametrize("group", ["administrator", "researcher", "verifier"])
def test_a_step_needs_the_groups_right_in_the_database_too(
    draft: Draft, people: SimpleNamespace, group: str
) -> None:
    incident = draft()
    actor = getattr(people, group)
    verbs = {"administrator": "submit", "researcher": "return", "verifier": "submit"}
    with pytest.raises(Invalid) as refusal, acting(actor):
        Review.objects.create(
            incident=incident,
            verb=verbs[group],
            actor=actor,
            revision=incident.revision.number,
            reason="Why",
        )
    assert refusal.value.rule == "incidents_review_by_who_may"


def test_nobody_enters_a_record_or_a_remark_in_another_name(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        Incident.objects.create(author=people.verifier, title="x")
    assert refusal.value.rule == "incidents_incident_in_own_name"
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        ReviewComment.objects.create(incident=incident, field="x", text="x", author=people.verifier)
    assert refusal.value.rule == "incidents_reviewcomment_in_own_name"


def test_two_records_are_not_each_the_duplicate_of_the_other(
    draft: Draft, people: SimpleNamespace
) -> None:
    one, other, third = draft(), draft(), draft()
    with acting(people.researcher):
        services.add_part(IncidentLink, incident=one, kind="duplicate_of", other=other)
        services.add_part(IncidentLink, incident=other, kind="merged_into", other=third)
        services.add_part(IncidentLink, incident=third, kind="related", other=one)
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        services.add_part(IncidentLink, incident=third, kind="duplicate_of", other=one)
    assert refusal.value.rule == "incidents_incidentlink_not_in_a_circle"


def test_a_township_right_below_its_country_has_no_state_to_be_of(people: SimpleNamespace) -> None:
    country = Place.objects.get(slug="mmr")
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        Place.objects.create(
            slug="x", level="adm3", name="X", pcode="MMR099001", parent=country, country="MMR"
        )
    assert refusal.value.rule == "incidents_place_pcode_of_its_state"


def test_a_sources_own_count_has_no_basis(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft()
    claim = Claim.objects.get(incident=incident)
    said = CasualtyCount.objects.get(incident=incident, claim=claim)
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        CountBasis.objects.create(incident=incident, count=said, claim=claim, bound="min")
    assert refusal.value.rule == "incidents_countbasis_basis_of_assessment"
    assessed = CasualtyCount.objects.get(incident=incident, claim=None)
    with acting(people.researcher):
        said.delete()
    with pytest.raises(Invalid) as refusal, acting(people.researcher):
        CasualtyCount.objects.filter(pk=assessed.pk).update(claim=claim)
    assert refusal.value.rule == "incidents_casualtycount_basis_of_assessment"


def test_one_change_is_one_entry_however_it_is_written(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    before = HistoryEntry.objects.count()
    with acting(people.researcher, "Why"):
        sql("UPDATE incidents_claim SET note = 'x' WHERE incident_id = %s", incident.pk)
    assert HistoryEntry.objects.count() == before + 1

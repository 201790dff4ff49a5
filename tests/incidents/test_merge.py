"""Two records that are one: what moves, what comes back, and what the database lets through."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import merging, redaction, services, workflow
from incidents.choices import State, Verb
from incidents.models import (
    CasualtyCount,
    Claim,
    CountBasis,
    ExternalId,
    Incident,
    IncidentLink,
    IncidentRevision,
    Merge,
    PublishedIncident,
    PublishedVersion,
    Review,
    Victim,
    VictimClaim,
)
from incidents.publishing.document import build_content
from tests import builders
from tests.drafts import merge_into, revisions
from tests.incidents.test_publishing import _index
from tests.incidents.test_publishing import _let_out as let_out
from tests.incidents.test_redaction import NAME, assert_the_ledger_checks, take, told
from tests.rules import JARGON, refusal, rule, run, switch_off
from tests.telling import tells

pytestmark = pytest.mark.django_db

Draft = Callable[..., Incident]
WHY = "Entered twice"
PARTS = (
    Claim,
    CasualtyCount,
    CountBasis,
    Victim,
    VictimClaim,
    ExternalId,
    IncidentLink,
)


def full(draft: Draft, people: SimpleNamespace, state: State = State.DRAFT) -> Incident:
    """A record with one of every part that a merge moves."""
    incident = draft()
    with acting(people.researcher):
        claim = Claim.objects.get(incident=incident)
        builders.weapon_use(incident, claim=claim)
        builders.involvement(incident, claim=claim)
        builders.involvement(incident)
        services.add_victim(incident=incident, claims=[claim], outcome="killed")
        builders.external_id(incident)
        builders.link(incident)
    return builders.take_to(incident, state, people)


def merged(source: Incident, target: Incident, people: SimpleNamespace, **more: Any) -> Merge:
    given: dict[str, Any] = {"actor": people.researcher, "reason": WHY, **more}
    given.setdefault("revisions", revisions(source, target))
    return merging.merge(source.pk, target.pk, **given)


def rows_of(*records: Incident) -> dict[str, list[dict[str, Any]]]:
    """Every part of the records, column by column."""
    tables = [model._meta.db_table for model in PARTS]
    tables += ["incidents_weaponuse", "incidents_involvement", "incidents_furtherplace"]
    return {
        table: [
            json.loads(row)
            for (row,) in run(
                f"SELECT to_jsonb(t)::text FROM {table} t WHERE incident_id = ANY (%s) ORDER BY id",
                [[record.pk for record in records]],
            )
        ]
        for table in tables
    }


def of(model: Any, incident: Incident) -> set[int]:
    return set(model.objects.filter(incident=incident).values_list("pk", flat=True))


def versions(code: str | None) -> list[PublishedVersion]:
    found = PublishedVersion.objects.using("default").filter(code=code)
    return list(found.order_by("number"))


def fresh(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


def publish(incident: Incident, people: SimpleNamespace) -> Incident:
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
    ):
        incident = builders.take_a_step(
            verb, incident_id=incident.pk, actor=actor, note="With its duplicate"
        )
    return incident


def reopen(incident: Incident, people: SimpleNamespace) -> Incident:
    return workflow.take_step(
        Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="Why"
    )


# --- What moves ---


@pytest.mark.parametrize("state", [State.DRAFT, State.PUBLISHED, State.RETRACTED])
def test_claims_victims_ids_and_links_move_and_the_assessment_stays(
    draft: Draft, people: SimpleNamespace, state: State
) -> None:
    source, target = full(draft, people, state), full(draft, people)
    with acting(people.researcher):
        builders.claim(target)
    before = {model: (of(model, source), of(model, target)) for model in PARTS}
    said = set(
        CasualtyCount.objects.filter(incident=source, claim=None).values_list("pk", flat=True)
    )
    seen = revisions(source, target)
    since = HistoryEntry.objects.order_by("-pk")[0].pk
    row = merged(source, target, people)
    for model in (Claim, Victim, VictimClaim, ExternalId):
        assert of(model, source) == set()
        assert of(model, target) == before[model][0] | before[model][1]
    assert of(CasualtyCount, source) == said
    assert of(CountBasis, source) == set()
    assert of(CountBasis, target) == before[CountBasis][1]
    # Both were related to the same record: one link is enough.
    assert of(IncidentLink, target) == before[IncidentLink][1]
    (link,) = IncidentLink.objects.filter(incident=source)
    assert (link.kind, link.other) == ("merged_into", target)
    assert fresh(source).state == State.DRAFT
    now = revisions(source, target)
    assert now[0] > seen[0]
    assert now[1] > seen[1]
    assert row.moved["incidents_claim"] == sorted(before[Claim][0])
    assert len(row.removed["incidents_countbasis"]) == 1
    entries = HistoryEntry.objects.filter(pk__gt=since)
    assert set(entries.values_list("reason", "actor")) == {(WHY, people.researcher.pk)}
    touched = [(e.table_name, e.row_id) for e in entries.exclude(table_name="incidents_incident")]
    assert len(touched) == len(set(touched))
    assert ("incidents_merge", row.pk) in touched


def test_links_between_the_two_and_a_second_original_are_dropped_and_come_back(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target, other, third = draft(), draft(), draft(), draft()
    with acting(people.researcher):
        builders.link(source, kind="duplicate_of", other=other)
        builders.link(source, kind="part_of", other=other)
        builders.link(source, other=target)
        builders.link(target, other=source)
        builders.link(target, kind="duplicate_of", other=third)
    before = rows_of(source, target)["incidents_incidentlink"]
    row = merged(source, target, people)
    links = IncidentLink.objects.filter(incident=target).order_by("pk")
    assert [(link.kind, link.other_id) for link in links] == [
        ("part_of", other.pk),
        ("duplicate_of", third.pk),
    ]
    merging.undo(row.uuid, people.researcher, "They are two")
    assert rows_of(source, target)["incidents_incidentlink"] == before


# --- Undone ---


@pytest.mark.parametrize("state", [State.DRAFT, State.PUBLISHED])
def test_undone_it_is_as_it_was_row_by_row(
    draft: Draft, people: SimpleNamespace, state: State
) -> None:
    source, target = full(draft, people, state), full(draft, people)
    before = rows_of(source), rows_of(target)
    row = merged(source, target, people)
    assert (rows_of(source), rows_of(target)) != before
    row = merging.undo(row.uuid, people.researcher, "They are two")
    assert (rows_of(source), rows_of(target)) == before
    assert (row.undone_by, row.undone_reason, row.is_open) == (
        people.researcher,
        "They are two",
        False,
    )
    assert row.undone_at > row.at
    assert build_content(target.pk)["merged_from"] == []
    # It can be merged again.
    assert merged(source, target, people).is_open


def test_what_was_added_between_the_two_since_goes_with_the_undoing(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target = full(draft, people), full(draft, people)
    row = merged(source, target, people)
    with acting(people.researcher):
        claim = Claim.objects.get(pk=row.moved["incidents_claim"][0])
        count = CasualtyCount.objects.get(incident=target, claim=None)
        builders.basis(target, count=count, claim=claim, bound="min")
        own = Victim.objects.filter(incident=target).exclude(pk__in=row.moved["incidents_victim"])[
            0
        ]
        builders.victim_claim(target, victim=own, claim=claim)
        moved = Victim.objects.get(pk=row.moved["incidents_victim"][0])
        ours = Claim.objects.filter(incident=target).exclude(pk=claim.pk)[0]
        builders.victim_claim(target, victim=moved, claim=ours)
        builders.count(target, claim=claim, outcome="injured")
        added = builders.claim(target)
    merging.undo(row.uuid, people.researcher, "They are two")
    assert of(Claim, target) == {ours.pk, added.pk}
    assert CasualtyCount.objects.filter(incident=source, claim=claim).count() == 2
    assert CountBasis.objects.filter(incident=target, claim=claim).count() == 0
    assert VictimClaim.objects.filter(incident=target).count() == 1


def test_what_was_removed_since_does_not_come_back(draft: Draft, people: SimpleNamespace) -> None:
    source, target = draft(), draft()
    row = merged(source, target, people)
    (claim,) = row.moved["incidents_claim"]
    with acting(people.researcher):
        CasualtyCount.objects.filter(claim=claim).delete()
        Claim.objects.filter(pk=claim).delete()
    merging.undo(row.uuid, people.researcher, "They are two")
    assert of(Claim, source) == set()
    assert of(CountBasis, source) == set()
    assert IncidentLink.objects.filter(incident=source).count() == 0


@pytest.mark.parametrize("state", [State.SUBMITTED, State.VERIFIED, State.PUBLISHED])
def test_it_is_undone_only_while_the_other_is_a_draft(
    draft: Draft, people: SimpleNamespace, state: State
) -> None:
    source, target = draft(State.PUBLISHED), draft()
    row = merged(source, target, people)
    builders.take_to(fresh(target), state, people)
    with pytest.raises(Conflict, match="correct" if state == State.PUBLISHED else "return it"):
        merging.undo(row.uuid, people.researcher, "They are two")


# --- Who and when ---


def test_a_merge_is_for_researchers_who_see_both(draft: Draft, people: SimpleNamespace) -> None:
    source, target = draft(), draft()
    row = merged(source, target, people)
    for name, expected in (
        ("verifier", NotAllowed),
        ("other_researcher", NotFound),
        ("administrator", NotFound),
    ):
        person = getattr(people, name)
        with pytest.raises(expected):
            merging.undo(row.uuid, person, "They are two")
        with pytest.raises(expected):
            merged(draft(), draft(), people, actor=person)
    with pytest.raises(NotFound):
        merging.merge(10**9, target.pk, people.researcher, WHY, (1, 1))


@pytest.mark.parametrize(
    ("of_source", "of_target"),
    [
        (State.SUBMITTED, State.DRAFT),
        (State.VERIFIED, State.DRAFT),
        (State.MERGED, State.DRAFT),
        (State.DRAFT, State.SUBMITTED),
        (State.DRAFT, State.VERIFIED),
        (State.DRAFT, State.PUBLISHED),
        (State.DRAFT, State.RETRACTED),
        (State.DRAFT, State.MERGED),
    ],
)
def test_a_merge_takes_a_draft_and_a_draft_or_a_published_record(
    draft: Draft, people: SimpleNamespace, of_source: State, of_target: State
) -> None:
    source, target = draft(of_source), draft(of_target)
    with pytest.raises(Conflict):
        merged(source, target, people)


def test_neither_is_in_another_open_merge(draft: Draft, people: SimpleNamespace) -> None:
    one, two, three = draft(), draft(), draft()
    merged(one, two, people)
    for source, target in ((one, three), (three, one), (two, three), (three, two), (one, two)):
        with pytest.raises(Conflict, match="merged already"):
            merged(source, target, people)


def test_what_is_asked_badly_is_refused(draft: Draft, people: SimpleNamespace) -> None:
    source, target = draft(), draft()
    with pytest.raises(Invalid, match="why"):
        merged(source, target, people, reason=" ")
    with pytest.raises(Invalid, match="itself"):
        merged(source, source, people)
    seen = revisions(source, target)
    for stale in ((seen[0] - 1, seen[1]), (seen[0], seen[1] - 1)):
        with pytest.raises(Stale, match="Look again"):
            merged(source, target, people, revisions=stale)
    row = merged(source, target, people)
    with pytest.raises(Invalid, match="why"):
        merging.undo(row.uuid, people.researcher, "")
    merging.undo(row.uuid, people.researcher, "They are two")
    with pytest.raises(Conflict, match="already"):
        merging.undo(row.uuid, people.researcher, "They are two")


def test_what_is_being_merged_is_neither_edited_nor_submitted(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target = draft(State.PUBLISHED), draft()
    merged(source, target, people)
    steps = workflow.possible_steps(fresh(source), people.researcher)
    assert "undo the merge" in steps[Verb.SUBMIT]
    with pytest.raises(Conflict, match="undo the merge"):
        workflow.take_step(Verb.SUBMIT, incident_id=source.pk, actor=people.researcher)


# --- Four eyes ---


def test_whoever_edited_either_record_verifies_neither(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target = draft(), draft()
    with acting(people.verifier):
        Incident.objects.filter(pk=source.pk).update(summary="More.")
    assert people.verifier.pk not in workflow.editors(target)
    row = merged(source, target, people)
    assert people.verifier.pk in workflow.editors(target)
    workflow.take_step(Verb.SUBMIT, incident_id=target.pk, actor=people.researcher)
    with pytest.raises(NotAllowed, match="second person"):
        workflow.take_step(Verb.VERIFY, incident_id=target.pk, actor=people.verifier)
    builders.take_a_step(Verb.VERIFY, incident_id=target.pk, actor=people.other_verifier)
    workflow.take_step(
        Verb.RETURN, incident_id=target.pk, actor=people.other_verifier, reason="Why"
    )
    merging.undo(row.uuid, people.researcher, "They are two")
    assert people.verifier.pk not in workflow.editors(target)


def test_whoever_edited_a_part_while_it_was_elsewhere_has_edited_it(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target = draft(), draft()
    row = merged(source, target, people)
    with acting(people.verifier):
        Claim.objects.filter(pk__in=row.moved["incidents_claim"]).update(note="Mended")
    merging.undo(row.uuid, people.researcher, "They are two")
    assert people.verifier.pk in workflow.editors(source)


# --- Published ---


def test_the_duplicate_is_served_until_the_other_is_published_and_then_leads_there(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target = full(draft, people, State.PUBLISHED), full(draft, people)
    row = merged(source, target, people)
    current = PublishedIncident.objects.using("default").filter(valid_until=None)
    assert current.filter(code=source.code).exists()
    assert build_content(target.pk)["merged_from"] == [source.code]
    target = publish(target, people)
    first, last = versions(source.code)
    assert (first.kind, last.kind, last.note) == (
        "published",
        "merged",
        f"Merged into {target.code}.",
    )
    left = json.loads(last.document)
    assert left["merged_into"] == target.code
    assert set(left) == {
        "shape",
        "record_type",
        "merged_into",
        "code",
        "version",
        "previous_version",
        "published_at",
        "note",
        "cite",
        "nonce",
    }
    assert not current.filter(code=source.code).exists()
    assert fresh(source).state == State.MERGED
    (version,) = versions(target.code)
    assert json.loads(version.document)["merged_from"] == [source.code]
    row.refresh_from_db()
    assert row.completed_seq == version.pk
    review = workflow.latest_review(source)
    assert review is not None
    assert (review.verb, review.actor) == (Verb.MERGE, people.verifier)
    before = _index()
    call_command("rebuild_published", verbosity=0)
    assert _index() == before
    assert_the_ledger_checks()


def test_a_draft_ends_without_a_word_in_the_ledger(draft: Draft, people: SimpleNamespace) -> None:
    source, target = draft(), draft()
    entries = PublishedVersion.objects.using("default").count()
    row = merge_into(source, target, people)
    assert PublishedVersion.objects.using("default").count() == entries + 1
    assert fresh(source).state == State.MERGED
    assert row.completed_seq is not None
    (version,) = versions(fresh(target).code)
    assert json.loads(version.document)["merged_from"] == []
    assert str(source.uuid) not in version.document


def test_what_was_merged_stays_named_in_every_later_version(
    draft: Draft, people: SimpleNamespace
) -> None:
    target = draft()
    codes = []
    for _ in range(2):
        source = draft(State.PUBLISHED)
        codes.append(source.code)
        merge_into(source, target, people)
        target = reopen(fresh(target), people)
    assert build_content(target.pk)["merged_from"] == sorted(codes)  # type: ignore[type-var]
    summary = PublishedIncident.objects.using("default").get(code=target.code, valid_until=None)
    assert json.loads(summary.summary)["merged_from"] == codes


def test_no_step_leads_out_of_a_merged_record(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.MERGED)
    for person in (people.researcher, people.verifier):
        assert workflow.possible_steps(incident, person) == {}


def test_what_came_from_a_published_record_is_kept(draft: Draft, people: SimpleNamespace) -> None:
    source, target = full(draft, people, State.PUBLISHED), draft()
    row = merged(source, target, people)
    (claim,) = row.moved["incidents_claim"]
    (victim,) = row.moved["incidents_victim"]
    with acting(people.researcher):
        for model in (CasualtyCount, VictimClaim):
            model.objects.filter(claim=claim).delete()
        for table in ("weaponuse", "involvement"):
            run(f"DELETE FROM incidents_{table} WHERE claim_id = %s", [claim])
    for table, key in (("incidents_claim", claim), ("incidents_victim", victim)):
        delete = partial(run, f"DELETE FROM {table} WHERE id = %s", [key])
        assert rule(delete, people.researcher) == f"{table}_kept_once_published"
    own = Claim.objects.exclude(pk=claim).get(incident=target)
    CountBasis.objects.filter(incident=target)
    with acting(people.researcher):
        CountBasis.objects.filter(claim=own).delete()
        CasualtyCount.objects.filter(claim=own).delete()
        own.delete()


def test_texts_taken_out_of_the_duplicate_leave_in_no_version_of_the_other(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target = told(draft, people), draft()
    take(source, people)
    merged(source, target, people)
    workflow.take_step(Verb.SUBMIT, incident_id=target.pk, actor=people.researcher)
    with pytest.raises(Conflict, match="taken out") as refused:
        workflow.take_step(Verb.VERIFY, incident_id=target.pk, actor=people.verifier)
    assert "victims[0].names[0]" in refused.value.differences


def test_a_redaction_reaches_the_versions_of_a_merged_record(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target = told(draft, people), draft()
    merge_into(source, target, people)
    shown = redaction.redact(source.pk, NAME, people.verifier, "", None, dry_run=True)
    assert shown.elsewhere == {fresh(target).code: 2}
    take(source, people, everywhere=True)
    for version in (*versions(source.code), *versions(fresh(target).code)):
        assert not tells(version.document, "htwe")
    assert_the_ledger_checks()


# --- Bypasses: as the application's role ---


def by_hand(source: Incident, target: Incident, actor: User, **more: Any) -> Merge:
    given = {"reason": WHY, "moved": {}, "removed": {}, **more}
    row: Merge = Merge.objects.create(source=source, target=target, actor=actor, **given)
    return row


def linked(source: Incident, target: Incident, actor: User, **more: Any) -> Merge:
    row = by_hand(source, target, actor, **more)
    builders.link(source, kind="merged_into", other=target)
    return row


def alter(row: Merge, **values: Any) -> None:
    Merge.objects.filter(pk=row.pk).update(**values)


def _undone(people: SimpleNamespace, **more: Any) -> dict[str, Any]:
    return {
        "undone_at": "2026-01-01T00:00Z",
        "undone_by": people.researcher,
        "undone_reason": "x",
        **more,
    }


World = SimpleNamespace
Write = Callable[[World], object]
R, V = "researcher", "verifier"
STEPS: list[tuple[str, str, Write]] = [
    ("incidents_merge_by_who_may", V, lambda w: linked(w.one, w.two, w.people.verifier)),
    ("incidents_merge_in_own_name", R, lambda w: linked(w.one, w.two, w.people.other_researcher)),
    ("incidents_merge_uuid_key", R, lambda w: linked(w.one, w.two, w.r, uuid=w.open.uuid)),
    ("incidents_merge_not_into_itself", R, lambda w: by_hand(w.one, w.one, w.r)),
    ("incidents_merge_says_why", R, lambda w: linked(w.one, w.two, w.r, reason="")),
    ("incidents_merge_says_why", R, lambda w: alter(w.open, **_undone(w.people, undone_reason=""))),
    ("incidents_merge_of_drafts", R, lambda w: by_hand(w.public, w.two, w.r)),
    ("incidents_merge_of_drafts", R, lambda w: by_hand(w.one, w.public, w.r)),
    ("incidents_merge_of_drafts", R, lambda w: linked(w.one, w.two, w.r, completed_seq=3)),
    ("incidents_merge_of_drafts", R, lambda w: linked(w.one, w.two, w.r, **_undone(w.people))),
    *(
        ("incidents_merge_one_at_a_time", R, lambda w, a=a, b=b: by_hand(a(w), b(w), w.r))
        for a, b in (
            (lambda w: w.source, lambda w: w.one),
            (lambda w: w.one, lambda w: w.source),
            (lambda w: w.target, lambda w: w.one),
            (lambda w: w.one, lambda w: w.target),
        )
    ),
    ("incidents_merge_stays", R, lambda w: alter(w.open, reason="Another")),
    ("incidents_merge_stays", R, lambda w: alter(w.open, target=w.one)),
    ("incidents_merge_stays", R, lambda w: alter(w.open, moved={})),
    ("incidents_merge_stays", R, lambda w: alter(w.open, begun_in=1)),
    ("incidents_merge_stays", R, lambda w: alter(w.open, undone_reason="x")),
    ("incidents_merge_stays", R, lambda w: alter(w.open, undone_in=1)),
    ("incidents_merge_stays", R, lambda w: alter(w.open, completed_seq=3, **_undone(w.people))),
    ("incidents_merge_undone_by_who_may", V, lambda w: alter(w.open, **_undone(w.people))),
    (
        "incidents_merge_undone_by_who_may",
        R,
        lambda w: alter(w.open, **_undone(w.people, undone_by=w.people.other_researcher)),
    ),
    ("incidents_merge_completed_by_version", V, lambda w: alter(w.open, completed_seq=3)),
    ("incidents_merge_completed_by_version", V, lambda w: alter(w.open, completed_seq=999)),
    ("incidents_merge_carried_out", R, lambda w: by_hand(w.one, w.two, w.r)),
    ("incidents_merge_carried_out", R, lambda w: alter(w.open, **_undone(w.people))),
    # Moving a part back without undoing, or past the two records
    *(
        ("incidents_claim_stays_with_its_record", R, lambda w, a=a, b=b: move(a(w), b(w)))
        for a, b in (
            (lambda w: w.target, lambda w: w.one),
            (lambda w: w.one, lambda w: w.target),
            (lambda w: w.one, lambda w: w.source),
        )
    ),
    (
        "incidents_claim_stays_with_its_record",
        R,
        lambda w: (linked(w.one, w.two, w.r), move(w.two, w.one)),
    ),
]


def move(origin: Incident, destination: Incident) -> None:
    Claim.objects.filter(incident=origin).update(incident=destination)


@pytest.fixture
def world(draft: Draft, people: SimpleNamespace) -> World:
    """A published record that is being merged into a draft, two drafts, and a published one."""
    source = draft(State.PUBLISHED)
    with acting(people.researcher):
        target, one, two = (builders.incident(author=people.researcher) for _ in range(3))
        for record in (target, one, two):
            builders.claim(record)
    return SimpleNamespace(
        people=people,
        r=people.researcher,
        source=source,
        target=target,
        open=merged(source, target, people),
        one=one,
        two=two,
        public=Incident.objects.get(code="MMR-2014-0001"),
    )


@pytest.mark.parametrize(
    ("name", "by", "bad"), [pytest.param(*s, id=f"{s[0]}-{n}") for n, s in enumerate(STEPS)]
)
def test_no_merge_is_made_moved_or_ended_otherwise(
    world: World, name: str, by: str, bad: Write
) -> None:
    refused = refusal(partial(bad, world), getattr(world.people, by))
    assert refused is not None
    assert refused.rule == name
    assert refused.message.endswith(".")
    assert not JARGON.search(refused.message)


def test_a_whole_merge_by_hand_passes_so_that_the_refusals_above_mean_something(
    world: World,
) -> None:
    def write() -> None:
        linked(world.one, world.two, world.r)
        move(world.one, world.two)

    assert refusal(write, world.r) is None


def test_incidents_merge_undone_as_draft(world: World) -> None:
    workflow.take_step(Verb.SUBMIT, incident_id=world.target.pk, actor=world.r)
    assert rule(partial(alter, world.open, **_undone(world.people)), world.r) == (
        "incidents_merge_undone_as_draft"
    )


def test_incidents_incident_being_merged_does_not_end_by_hand(world: World) -> None:
    def write() -> None:
        Review.objects.create(
            incident=world.source,
            verb=Verb.MERGE,
            actor=world.people.verifier,
            revision=IncidentRevision.objects.get(incident=world.source).number,
        )
        Incident.objects.filter(pk=world.source.pk).update(state=State.MERGED)

    assert rule(write, world.people.verifier) == "incidents_incident_being_merged"


def _end(incident: Incident, actor: User) -> None:
    Review.objects.create(
        incident=incident,
        verb=Verb.MERGE,
        actor=actor,
        revision=IncidentRevision.objects.get(incident=incident).number,
    )
    Incident.objects.filter(pk=incident.pk).update(state=State.MERGED)


def test_incidents_incident_merged_by_merge(world: World) -> None:
    assert rule(partial(_end, world.one, world.people.verifier), world.people.verifier) == (
        "incidents_incident_merged_by_merge"
    )


def test_incidents_publishedversion_completes_merges(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "_complete_merges", lambda *_: None)
    with pytest.raises(Invalid) as refused:
        publish(world.target, world.people)
    assert refused.value.rule == "incidents_publishedversion_completes_merges"


def test_a_merge_that_is_completed_ends_its_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(incident: Incident, actor: User, version: PublishedVersion) -> None:
        alter(world.open, completed_seq=version.pk)

    monkeypatch.setattr(workflow, "_complete_merges", half)
    with pytest.raises(Invalid) as refused:
        publish(world.target, world.people)
    assert refused.value.rule == "incidents_merge_carried_out"


def test_a_published_record_ends_with_a_version_that_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(incident: Incident, actor: User, version: PublishedVersion) -> None:
        alter(world.open, completed_seq=version.pk)
        _end(world.source, actor)

    monkeypatch.setattr(workflow, "_complete_merges", silent)
    with pytest.raises(Invalid) as refused:
        publish(world.target, world.people)
    assert refused.value.rule == "incidents_incident_published_by_version"


def _content(target: Incident, **more: Any) -> dict[str, Any]:
    return {"shape": 1, "record_type": "incident", "merged_into": target.code, **more}


def test_incidents_publishedversion_merged_with_original(world: World) -> None:
    """Neither before the other is published, nor of a record that no merge ends."""
    write = partial(
        let_out,
        world.source,
        world.people.verifier,
        kind="merged",
        content=_content(world.public),
        note=f"Merged into {world.public.code}.",
    )
    assert rule(write, world.people.verifier) == "incidents_publishedversion_merged_with_original"
    write = partial(
        let_out,
        world.public,
        world.people.verifier,
        kind="merged",
        content=_content(world.public),
        note=f"Merged into {world.public.code}.",
    )
    assert rule(write, world.people.verifier) == "incidents_publishedversion_merged_with_original"


@pytest.mark.parametrize("bad", [{"why": "x"}, {"merged_into": "MMR-2014-0001"}, {"note": "x"}])
def test_incidents_publishedversion_merged_is_bare(
    world: World, monkeypatch: pytest.MonkeyPatch, bad: dict[str, Any]
) -> None:
    def forged(incident: Incident, actor: User, version: PublishedVersion) -> None:
        more = dict(bad)
        note = more.pop("note", f"Merged into {incident.code}.")
        let_out(
            world.source,
            actor,
            kind="merged",
            content=_content(incident, **more),
            note=note,
        )

    monkeypatch.setattr(workflow, "_complete_merges", forged)
    with pytest.raises(Invalid) as refused:
        publish(world.target, world.people)
    assert refused.value.rule == "incidents_publishedversion_merged_is_bare"


def test_what_was_verified_names_what_was_merged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow.take_step(Verb.SUBMIT, incident_id=world.target.pk, actor=world.r)
    builders.answer_warnings(world.target, by=world.people.verifier)
    forged = {**build_content(world.target.pk), "merged_from": []}
    monkeypatch.setattr(workflow, "build_content", lambda _: forged)
    with pytest.raises(Invalid) as refused:
        workflow.take_step(Verb.VERIFY, incident_id=world.target.pk, actor=world.people.verifier)
    assert refused.value.rule == "incidents_review_of_the_record"


TESTED = {step[0] for step in STEPS} | {
    "incidents_merge_undone_as_draft",
    "incidents_incident_being_merged",
    "incidents_incident_merged_by_merge",
    "incidents_publishedversion_completes_merges",
    "incidents_publishedversion_merged_with_original",
    "incidents_publishedversion_merged_is_bare",
}
HISTORY = {f"incidents_merge_history_{event}": event for event in ("insert", "update", "delete")}
TRIGGERS = {"incidents_merge_guard", *HISTORY}


@pytest.mark.parametrize("name", [n for n, event in HISTORY.items() if event != "delete"])
def test_every_change_of_a_merge_leaves_one_entry(world: World, name: str) -> None:
    event = HISTORY[name]
    if event == "update":
        merging.undo(world.open.uuid, world.r, "They are two")
    (entry,) = HistoryEntry.objects.filter(
        table_name="incidents_merge", row_id=world.open.pk, operation=event.upper()
    )
    assert entry.actor == world.r


@pytest.mark.django_db(databases=["default", "published", "owner"])
def test_incidents_merge_history_delete(people: SimpleNamespace) -> None:
    """Even where the owner has switched off what refuses it."""
    with acting(people.researcher, "For a test", using="owner"):
        switch_off("incidents_merge", "incidents_merge_never_deleted_delete")
        switch_off("incidents_merge", "incidents_merge_carried_out")
        one, two = (
            Incident.objects.using("owner").create(author=people.researcher, title=title)
            for title in ("One", "Two")
        )
        row = Merge(
            source=one, target=two, actor=people.researcher, reason=WHY, moved={}, removed={}
        )
        row.save(using="owner")
        Merge.objects.using("owner").filter(pk=row.pk).delete()
        entries = HistoryEntry.objects.using("owner").filter(table_name="incidents_merge")
        assert [entry.operation for entry in entries.order_by("pk")] == ["INSERT", "DELETE"]

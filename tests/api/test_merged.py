"""What the public sees of a merge, and what is refused while one is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest
from django.test import Client

from incidents import merging
from incidents.choices import State, Verb
from incidents.models import CasualtyCount, Claim, Incident, IncidentLink, Merge
from incidents.workflow import take_step
from tests import builders
from tests.builders import take_a_step
from tests.drafts import merge_into, revisions
from tests.incidents.test_merge import fresh, merged
from tests.incidents.test_races import at_once
from tests.rules import rule

pytestmark = pytest.mark.usefixtures("committed")

Draft = Callable[..., Incident]
ROOT = "/api/v1/incidents/"


def test_a_merged_record_leads_on_for_ever(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    source, target = draft(State.PUBLISHED), draft()
    row = merged(source, target, people)
    assert client.get(f"{ROOT}{source.code}/").status_code == 200
    before = client.get(f"{ROOT}{source.code}/versions/1/").content
    merging.undo(row.uuid, people.researcher, "They are two")
    merge_into(fresh(source), target, people)
    target = fresh(target)

    address = f"{ROOT}{source.code}/"
    where = f"http://testserver{ROOT}{target.code}/"
    for answer in (client.get(address), client.get(address, headers={"If-None-Match": "*"})):
        assert (answer.status_code, answer["Location"]) == (301, where)
        assert answer["Content-Type"] == "application/json"
        assert answer.json() == {
            "code": source.code,
            "merged_into": target.code,
            "url": where,
            "versions": f"http://testserver{address}versions/",
        }
    head = client.head(address)
    assert (head.status_code, head["Location"], head.content) == (301, where, b"")
    assert client.get(f"{address}?nothing=1").status_code == 400
    assert client.get(where).json()["merged_from"] == [source.code]
    listed = client.get(ROOT).json()["results"]
    assert source.code not in [row["code"] for row in listed]
    assert [row["merged_from"] for row in listed if row["code"] == target.code] == [[source.code]]

    versions = client.get(f"{address}versions/").json()["results"]
    assert [version["kind"] for version in versions] == ["published", "merged"]
    assert client.get(versions[0]["url"]).content == before
    last = client.get(versions[1]["url"])
    assert last["ETag"] == f'"{versions[1]["sha256"]}"'
    assert last.json()["merged_into"] == target.code

    # The other one is merged in its turn, and then what holds them all is retracted.
    final = draft()
    merge_into(target, final, people)
    assert client.get(address)["Location"] == where
    assert client.get(where)["Location"] == f"http://testserver{ROOT}{fresh(final).code}/"
    take_step(Verb.PROPOSE_RETRACTION, incident_id=final.pk, actor=people.verifier, reason="A hoax")
    take_step(Verb.RETRACT, incident_id=final.pk, actor=people.other_verifier)
    assert client.get(address)["Location"] == where
    assert client.get(client.get(where)["Location"]).status_code == 410
    assert client.get(f"{address}versions/1/").content == before


EDITS: list[Callable[[Incident], object]] = [
    lambda source: Incident.objects.filter(pk=source.pk).update(title="Another"),
    lambda source: builders.claim(source),
    lambda source: CasualtyCount.objects.filter(incident=source).delete(),
    lambda source: IncidentLink.objects.filter(incident=source).delete(),
]


def test_what_is_being_merged_is_edited_by_nobody(draft: Draft, people: SimpleNamespace) -> None:
    source, target = draft(State.PUBLISHED), draft()
    row = merged(source, target, people)
    for edit in EDITS:
        assert rule(partial(edit, source), people.researcher) == "incidents_incident_being_merged"

    def take_back() -> None:
        Claim.objects.filter(pk__in=row.moved["incidents_claim"]).update(incident=source)

    assert rule(take_back, people.researcher) == "incidents_claim_stays_with_its_record"
    # Once undone, in another transaction, nothing moves any more either way.
    merging.undo(row.uuid, people.researcher, "They are two")
    for origin, destination in ((source, target), (target, source)):
        move = partial(Claim.objects.filter(incident=origin).update, incident=destination)
        assert rule(move, people.researcher) == "incidents_claim_stays_with_its_record"


def test_of_two_merges_at_once_one_is_made(draft: Draft, people: SimpleNamespace) -> None:
    for _ in range(4):
        one, two = draft(), draft()
        seen = revisions(one, two)
        outcomes = at_once(
            lambda one=one, two=two, seen=seen: merging.merge(
                one.pk, two.pk, people.researcher, "Twice", seen
            ),
            lambda one=one, two=two, seen=seen: merging.merge(
                two.pk, one.pk, people.researcher, "Twice", seen[::-1]
            ),
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Merge"]
        assert Merge.objects.filter(source__in=[one, two]).count() == 1


def test_undoing_and_publishing_at_once_end_in_no_deadlock(
    draft: Draft, people: SimpleNamespace
) -> None:
    for source, target in ((draft(), draft()), reversed((draft(), draft()))):
        row = merged(source, target, people)
        for verb, actor in ((Verb.SUBMIT, people.researcher), (Verb.VERIFY, people.verifier)):
            take_a_step(verb, incident_id=target.pk, actor=actor)
        outcomes = at_once(
            lambda target=target: take_step(
                Verb.PUBLISH, incident_id=target.pk, actor=people.verifier
            ),
            lambda row=row: merging.undo(row.uuid, people.researcher, "They are two"),
        )
        assert [type(outcome).__name__ for outcome in outcomes] == ["Incident", "Conflict"]
        assert fresh(source).state == State.MERGED

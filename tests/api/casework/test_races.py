"""Two people at once, on real threads and committed data: one is served, the other is told.

Each pair is sent at the same moment with the same ETag, over and over. Nothing of the winner is
lost, nothing of the loser is stored, and nobody waits for ever.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.choices import State, Verb
from incidents.models import Assignment, Claim, ExternalId, Incident, IncidentRevision, Victim
from tests import builders
from tests.clients import Api

from .bodies import BASE

pytestmark = pytest.mark.usefixtures("committed")

Action = Callable[[], HttpResponse]
AtOnce = Callable[..., list[HttpResponse]]


def rounds(usual: int) -> range:
    """``HARMTRACKER_TEST_ROUNDS=200`` asks for so many of each pair, and takes minutes.

    Of the others few are enough: where the locks of edits are taken out, the first or second round
    goes wrong.
    """
    return range(max(usual, int(os.environ.get("HARMTRACKER_TEST_ROUNDS", "0"))))


@pytest.fixture
def at_once(committed: None) -> Iterator[AtOnce]:
    """What two actions give that begin at the same moment, on threads that stay."""
    barrier = threading.Barrier(2, timeout=60)

    def run(action: Callable[[], Any]) -> Any:
        barrier.wait()
        return action()

    with ThreadPoolExecutor(2) as pool:
        yield lambda *actions: list(pool.map(run, actions))
        list(pool.map(run, [connections.close_all] * 2))


@pytest.fixture
def reopened(people: SimpleNamespace, draft: Callable[..., Incident]) -> SimpleNamespace:
    """A record that was published and is worked on again, so that both researchers edit it."""
    incident = draft(State.PUBLISHED)
    workflow.take_step(
        Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="A better source"
    )
    with acting(people.researcher, "For a test"):
        victim = builders.victim(incident)
        name = builders.external_id(incident)
    return SimpleNamespace(incident=incident, victim=victim, claim=incident.claims.get(), name=name)


@dataclass(frozen=True)
class Edit:
    """One way to edit: where to, in which field, and what is stored there now."""

    part: str
    field: str
    stored: Callable[[SimpleNamespace], Any]

    def address(self, record: SimpleNamespace) -> str:
        row = {
            "victims": record.victim,
            "claims": record.claim,
            "external-ids": record.name,
        }.get(self.part)
        part = f"{self.part}/{row.uuid}/" if row is not None else ""
        return f"{BASE}{record.incident.uuid}/{part}"

    def body(self, n: int) -> dict[str, Any]:
        return {self.field: f"{self.part}{n}", "change_reason": "A race"}


def _column(model: Any, name: str, row: str) -> Callable[[SimpleNamespace], Any]:
    return lambda record: model.objects.values_list(name, flat=True).get(pk=getattr(record, row).pk)


TITLE = Edit("", "title", _column(Incident, "title", "incident"))
NOTE = Edit("record", "internal_note", _column(Incident, "internal_note", "incident"))
VICTIM = Edit("victims", "note", _column(Victim, "note", "victim"))
CLAIM = Edit("claims", "note", _column(Claim, "note", "claim"))
NAME = Edit("external-ids", "value", _column(ExternalId, "value", "name"))


def revision_of(incident: Incident) -> int:
    return IncidentRevision.objects.values_list("number", flat=True).get(pk=incident.pk)


def etag_of(incident: Incident) -> str:
    return f'"{incident.uuid.hex[:8]}-{revision_of(incident)}"'


PAIRS = {
    "two fields of a record": (TITLE, NOTE, 200),
    "a part against its record": (VICTIM, TITLE, 20),
    "two parts of a record": (VICTIM, CLAIM, 20),
    "two kinds of part": (NAME, VICTIM, 20),
}


@pytest.mark.parametrize(("one", "other", "usual"), PAIRS.values(), ids=PAIRS.keys())
def test_of_two_edits_at_once_one_is_stored_and_one_is_told(
    reopened: SimpleNamespace,
    at_once: AtOnce,
    api: Callable[..., Api],
    one: Edit,
    other: Edit,
    usual: int,
) -> None:
    programs = api("researcher"), api("other_researcher")
    edits = one, other
    for n in rounds(usual):
        before, etag = revision_of(reopened.incident), etag_of(reopened.incident)
        stored = [edit.stored(reopened) for edit in edits]
        answers = at_once(
            *(
                lambda program=program, edit=edit, n=n, etag=etag: program.patch(
                    edit.address(reopened), edit.body(n), headers={"If-Match": etag}
                )
                for program, edit in zip(programs, edits, strict=True)
            )
        )
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [200, 412], [answer.content for answer in answers]
        winner = statuses.index(200)
        stored[winner] = edits[winner].body(n)[edits[winner].field]
        assert [edit.stored(reopened) for edit in edits] == stored
        assert revision_of(reopened.incident) == before + 1
        assert answers[winner]["ETag"] == etag_of(reopened.incident)


def test_a_part_is_added_or_its_record_is_edited(
    people: SimpleNamespace, reopened: SimpleNamespace, at_once: AtOnce, api: Callable[..., Api]
) -> None:
    mine, theirs = api("researcher"), api("other_researcher")
    place = f"{BASE}{reopened.incident.uuid}/external-ids/"
    for n in rounds(20):
        before, etag = revision_of(reopened.incident), etag_of(reopened.incident)
        note = NOTE.stored(reopened)
        body = {"dataset": "ucdp-ged", "value": f"v{n}", "change_reason": "A race"}
        headers = {"If-Match": etag}
        added, changed = at_once(
            lambda body=body, headers=headers: mine.post(place, body, headers=headers),
            lambda n=n, headers=headers: theirs.patch(
                NOTE.address(reopened), NOTE.body(n), headers=headers
            ),
        )
        statuses = added.status_code, changed.status_code
        assert statuses in ((201, 412), (412, 200)), (added.content, changed.content)
        row = ExternalId.objects.filter(incident=reopened.incident, value=f"v{n}").first()
        assert (row is not None) == (added.status_code == 201)
        won = changed.status_code == 200
        assert NOTE.stored(reopened) == (NOTE.body(n)[NOTE.field] if won else note)
        assert revision_of(reopened.incident) == before + 1
        if row is not None:
            with acting(people.researcher, "For a test"):
                services.remove(row)


def test_api_and_admin_form_at_once(
    reopened: SimpleNamespace,
    at_once: AtOnce,
    api: Callable[..., Api],
    signed_in: Callable[[str], Client],
    filled: Callable[[HttpResponse, str], dict[str, list[str]]],
) -> None:
    """The form of a claim against the API, on the claim itself and on its record in turn."""
    program, browser = api("other_researcher"), signed_in("researcher")
    page = reverse("admin:incidents_claim_change", args=[reopened.claim.pk])
    form = filled(browser.get(page), "claim_form") | {"change_reason": ["A race"]}
    form_field = _column(Claim, "locator", "claim")
    for n in rounds(12):
        edit = (CLAIM, NOTE)[n % 2]
        before, etag = revision_of(reopened.incident), etag_of(reopened.incident)
        stored = form_field(reopened), edit.stored(reopened)
        # What another browser would have read: the page is the same but for what was changed.
        sent = form | {
            "revision": [str(before)],
            "locator": [f"page {n}"],
            "note": [CLAIM.stored(reopened)],
        }
        saved, changed = at_once(
            lambda sent=sent: browser.post(page, sent),
            lambda n=n, edit=edit, etag=etag: program.patch(
                edit.address(reopened), edit.body(n), headers={"If-Match": etag}
            ),
        )
        assert (saved.status_code, changed.status_code) in ((302, 412), (200, 200))
        if saved.status_code == 302:
            assert (form_field(reopened), edit.stored(reopened)) == (f"page {n}", stored[1])
        else:
            assert "was edited after" in saved.content.decode()
            now = edit.body(n)[edit.field]
            assert (form_field(reopened), edit.stored(reopened)) == (stored[0], now)
        assert revision_of(reopened.incident) == before + 1


@pytest.mark.parametrize("verb", [Verb.SUBMIT, Verb.VERIFY, Verb.RETURN])
def test_a_record_is_edited_or_moved_on(
    people: SimpleNamespace,
    draft: Callable[..., Incident],
    at_once: AtOnce,
    api: Callable[..., Api],
    verb: Verb,
) -> None:
    """What was verified or submitted is what was read: an edit comes before, and it is told."""
    incident = draft()
    mine, verifier = api("researcher"), api("verifier")
    one = f"{BASE}{incident.uuid}/"

    def step(name: Verb, actor: Any) -> None:
        workflow.take_step(name, incident_id=incident.pk, actor=actor, reason="For a test")

    for n in rounds(10):
        if verb != Verb.SUBMIT:
            step(Verb.SUBMIT, people.researcher)
        before, etag = revision_of(incident), etag_of(incident)
        headers = {"If-Match": etag}
        mover = mine if verb == Verb.SUBMIT else verifier
        moved, changed = at_once(
            lambda mover=mover, headers=headers: mover.post(
                f"{one}{verb.value}/", {"reason": "A race"}, headers=headers
            ),
            lambda n=n, headers=headers: mine.patch(one, {"title": f"Title {n}"}, headers=headers),
        )
        statuses = moved.status_code, changed.status_code
        now = Incident.objects.get(pk=incident.pk)
        edited = changed.status_code == 200
        if verb == Verb.RETURN:
            # A returned record is a draft of the same revision: the edit may follow.
            assert moved.status_code == 200
            assert changed.status_code in (200, 409), changed.content
        else:
            assert sorted(statuses) in ([200, 409], [200, 412]), statuses
        assert (now.title == f"Title {n}") == edited
        assert revision_of(incident) == before + edited
        if now.state != State.DRAFT:
            step(Verb.RETURN, people.verifier)


def test_a_record_is_verified_or_returned(
    people: SimpleNamespace,
    draft: Callable[..., Incident],
    at_once: AtOnce,
    api: Callable[..., Api],
) -> None:
    incident = draft(State.SUBMITTED)
    one = f"{BASE}{incident.uuid}/"
    ours, theirs = api("verifier"), api("other_verifier")
    for _ in rounds(10):
        headers = {"If-Match": etag_of(incident)}
        verified, returned = at_once(
            lambda headers=headers: ours.post(f"{one}verify/", {}, headers=headers),
            lambda headers=headers: theirs.post(
                f"{one}return/", {"reason": "A race"}, headers=headers
            ),
        )
        # Returning is a step from a verified record too: then both are done, in this order.
        assert (verified.status_code, returned.status_code) in ((200, 200), (409, 200))
        workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)


def test_of_two_who_take_a_record_one_has_it(
    draft: Callable[..., Incident], at_once: AtOnce, api: Callable[..., Api]
) -> None:
    incident = draft()
    names = ["verifier", "other_verifier"]
    programs = [api(name) for name in names]
    one = f"{BASE}{incident.uuid}/"
    for _ in rounds(30):
        answers = at_once(
            *(lambda program=program: program.post(f"{one}take/") for program in programs)
        )
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [200, 409], [answer.content for answer in answers]
        winner = statuses.index(200)
        taken = Assignment.objects.select_related("person").get(incident=incident)
        assert taken.person.username == names[winner] == answers[winner].json()["person"]
        assert names[winner] in answers[1 - winner].json()["detail"]
        assert programs[winner].post(f"{one}release/").status_code == 204

"""What a step shows before it is taken, and that what was typed is never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from harmtracker.accounts import sessions
from harmtracker.errors import Invalid, NotAllowed
from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.choices import State
from incidents.desk import document
from incidents.models import Incident, IncidentRevision, Place, PublishedVersion, Review, Victim
from incidents.workflow import Remark
from tests.clients import code_of
from tests.drafts import publish_again

pytestmark = pytest.mark.django_db(databases=["default", "published"])

SignedIn = Callable[[str], Client]
Draft = Callable[..., Incident]
ROWS = {"remarks-TOTAL_FORMS": "3", "remarks-INITIAL_FORMS": "0"}


def url(incident: Incident, verb: str) -> str:
    return reverse("admin:incidents_incident_step", args=[incident.pk, verb])


def sent(page: Any, **more: str) -> dict[str, Any]:
    """What a browser sends back: what the page holds, with what was typed."""
    form = page.context["form"]
    held = {field.name: field.value() for field in form if field.value() is not None}
    return {**held, **more}


def words(response: Any) -> str:
    form = response.context["form"]
    return " ".join([str(form.errors.as_text()), response.context["why_not"]])


@pytest.fixture
def stale_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody's last code is more than ten minutes ago."""
    monkeypatch.setattr(sessions, "FRESH_AGE", 0)


class TestWhatLeaves:
    @pytest.mark.parametrize("verb", ["verify", "publish"])
    def test_the_very_bytes_that_are_stored(
        self, verb: str, draft: Draft, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED if verb == "verify" else State.VERIFIED)
        client = signed_in("verifier")
        page = client.get(url(incident, verb))
        shown = page.context["leaving"]
        assert client.post(url(incident, verb), sent(page)).status_code == 302
        stored = Review.objects.get(incident=incident, verb="verify").content
        assert shown.text == stored
        assert json.loads(shown.json) == json.loads(str(stored))
        body = page.content.decode()
        assert "gets its code when it is published" in body
        assert "Killed, civilians" in body
        assert "not known" in body

    def test_what_differs_from_the_last_version_in_figures_first(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.PUBLISHED)
        workflow.take_step(
            "reopen", incident_id=incident.pk, actor=people.researcher, reason="A better source"
        )
        with acting(people.researcher, "Corrected"):
            count = incident.casualtycounts.get(claim=None)
            said = incident.casualtycounts.get(claim__isnull=False)
            for one in (said, count):
                services.change(one, max=5, qualifier="range")
            services.add_basis(count=count, claim=said.claim, bound="max")
        workflow.take_step("submit", incident_id=incident.pk, actor=people.researcher)
        page = signed_in("verifier").get(url(incident, "verify"))
        leaving = page.context["leaving"]
        assert ("killed, civilians", "2", "2 to 5, best 2") in leaving.figures
        assert leaving.version == 2
        body = page.content.decode()
        assert body.index("figures-heading") < body.index("values-heading")

    def test_a_retraction_shows_the_tombstone_and_no_more(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.PUBLISHED)
        client = signed_in("verifier")
        first = client.get(url(incident, "propose_retraction"))
        second = client.post(url(incident, "propose_retraction"), sent(first, reason="Not so."))
        incident.refresh_from_db()
        assert second.status_code == 200
        assert not Review.objects.filter(incident=incident, verb="propose_retraction").exists()
        read = second.context["leaving"].read
        assert (read["code"], read["note"], read["is_withdrawn"]) == (
            incident.code,
            "Not so.",
            True,
        )
        assert "title" not in read
        # Another reason than the one that was shown is shown first.
        third = client.post(
            url(incident, "propose_retraction"), sent(second, reason="Not so at all.")
        )
        assert third.context["leaving"].read["note"] == "Not so at all."
        done = client.post(url(incident, "propose_retraction"), sent(third))
        assert done.status_code == 302
        other = signed_in("other_verifier")
        page = other.get(url(incident, "retract"))
        shown = json.loads(page.context["leaving"].text)
        assert other.post(url(incident, "retract"), sent(page)).status_code == 302
        version = PublishedVersion.objects.using("default").get(code=incident.code, number=2)
        stored = json.loads(version.document)
        assert shown.items() <= stored.items()
        assert stored["note"] == page.context["leaving"].note == "Not so at all."

    def test_who_reopens_reads_what_stays_public(self, draft: Draft, signed_in: SignedIn) -> None:
        incident = draft(State.PUBLISHED)
        page = signed_in("verifier").get(url(incident, "reopen"))
        version = PublishedVersion.objects.using("default").get(code=incident.code)
        assert page.context["leaving"].text == version.document
        assert "stays served to everyone" in page.content.decode()

    def test_a_return_says_that_nothing_leaves(self, draft: Draft, signed_in: SignedIn) -> None:
        page = signed_in("verifier").get(url(draft(State.SUBMITTED), "return"))
        assert "Nothing leaves the building" in page.content.decode()

    def test_a_name_without_consent_is_not_on_the_page(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft()
        with acting(people.researcher):
            services.add_victim(
                incident=incident, claims=[], outcome="killed", names=["SENTINEL-NAME"]
            )
            services.add_victim(
                incident=incident,
                claims=[],
                outcome="killed",
                names=["Open Name"],
                consent_basis="public_record",
            )
        workflow.take_step("submit", incident_id=incident.pk, actor=people.researcher)
        body = signed_in("verifier").get(url(incident, "verify")).content.decode()
        assert "SENTINEL-NAME" not in body
        assert "Named:" in body
        assert "Open Name" in body
        assert Victim.objects.filter(incident=incident).count() == 2


def test_null_is_not_known_and_nought_is_nought(three: None) -> None:
    version = PublishedVersion.objects.using("default").get(code__startswith="MMR-2014-")
    read = document.in_words(json.loads(version.document))
    rows = {(row["outcome"], row["bucket"]): row for row in read["totals"]}
    civilians = rows["killed", "civilians"]
    assert [civilians[bound] for bound in ("min", "best", "max")] == ["0", "0", "1"]
    assert rows["killed", "status uncertain"]["best"] == "not known"


def test_every_published_document_is_read(three: None) -> None:
    for version in PublishedVersion.objects.using("default").all():
        read = document.in_words(json.loads(version.document))
        assert read["code"] == version.code
        assert len(read["claims"]) == len(json.loads(version.document)["claims"])


class TestReturning:
    def test_reason_and_remarks_are_stored_together(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        page = client.get(url(incident, "return"))
        typed = {
            **ROWS,
            "reason": "Two things.",
            "remarks-0-field": "place.point",
            "remarks-0-text": "Which market?",
            "remarks-2-field": "claim 1, killed",
            "remarks-2-text": "The article says three.",
        }
        assert client.post(url(incident, "return"), sent(page, **typed)).status_code == 302
        incident.refresh_from_db()
        assert incident.state == State.DRAFT
        assert [(c.field, c.text, c.author) for c in incident.comments.all()] == [
            ("place.point", "Which market?", people.verifier),
            ("claim 1, killed", "The article says three.", people.verifier),
        ]

    def test_more_rows_keep_what_was_typed_and_do_nothing(
        self, draft: Draft, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        page = client.get(url(incident, "return"))
        typed = {**ROWS, "another": "yes", "remarks-0-field": "title", "remarks-0-text": "Longer."}
        more = client.post(url(incident, "return"), sent(page, **typed))
        assert more.status_code == 200
        assert len(more.context["remarks"].forms) == 6
        body = more.content.decode()
        assert "Longer." in body
        assert "This field is required" not in body
        incident.refresh_from_db()
        assert incident.state == State.SUBMITTED

    def test_half_a_remark_returns_nothing(self, draft: Draft, signed_in: SignedIn) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        page = client.get(url(incident, "return"))
        typed = {**ROWS, "reason": "KEPT-REASON", "remarks-0-field": "title"}
        again = client.post(url(incident, "return"), sent(page, **typed))
        assert again.status_code == 200
        assert "KEPT-REASON" in again.content.decode()
        incident.refresh_from_db()
        assert (incident.state, incident.comments.count()) == (State.SUBMITTED, 0)

    def test_all_or_none(self, draft: Draft, people: SimpleNamespace) -> None:
        incident = draft(State.SUBMITTED)
        with pytest.raises(Invalid):
            workflow.take_step(
                "return",
                incident_id=incident.pk,
                actor=people.verifier,
                reason="Look",
                remarks=[Remark("title", "Longer."), Remark("x" * 201, "Too long a name.")],
            )
        incident.refresh_from_db()
        assert (incident.state, incident.comments.count()) == (State.SUBMITTED, 0)

    def test_remarks_go_with_no_other_step(self, draft: Draft, people: SimpleNamespace) -> None:
        incident = draft(State.SUBMITTED)
        with pytest.raises((Invalid, NotAllowed)):
            workflow.take_step(
                "verify",
                incident_id=incident.pk,
                actor=people.verifier,
                remarks=[Remark("title", "Longer.")],
            )

    def test_by_the_api_as_well(self, draft: Draft, api: Any) -> None:
        incident = draft(State.SUBMITTED)
        client = api("verifier")
        path = f"/api/v1/casework/incidents/{incident.uuid}/"
        answer = client.post(
            f"{path}return/",
            {"reason": "Look", "comments": [{"field": "title", "text": "Longer."}]},
            headers={"If-Match": client.get(path)["ETag"]},
        )
        assert answer.status_code == 200
        (remark,) = answer.json()["comments"]
        assert (remark["field"], remark["text"], remark["author"]) == (
            "title",
            "Longer.",
            "verifier",
        )


class TestStale:
    def test_an_edit_meanwhile_is_shown_and_what_was_typed_stays(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        page = client.get(url(incident, "return"))
        with acting(people.researcher, "A better title"):
            Incident.objects.filter(pk=incident.pk).update(title="Shelling of Laiza")
        typed = {
            **ROWS,
            "reason": "KEPT-REASON",
            "remarks-0-field": "title",
            "remarks-0-text": "KEPT-TEXT",
        }
        again = client.post(url(incident, "return"), sent(page, **typed))
        assert again.status_code == 409
        body = again.content.decode()
        assert "KEPT-REASON" in body
        assert "KEPT-TEXT" in body
        assert "Changed since you opened this page" in body
        assert [change.why for change in again.context["moved"]] == ["A better title"]
        # Sent again as it is, it holds for what was just shown.
        assert client.post(url(incident, "return"), sent(again, **typed)).status_code == 302

    def test_a_place_renamed_meanwhile(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        page = client.get(url(incident, "verify"))
        with acting(people.administrator, "Spelling"):
            Place.objects.filter(slug="laiza").update(name="Laiza town")
        again = client.post(url(incident, "verify"), sent(page))
        assert again.status_code == 409
        (change,) = again.context["moved"]
        assert ("name", "Laiza", "Laiza town") in [field[:3] for field in change.fields]
        assert client.post(url(incident, "verify"), sent(again)).status_code == 302

    def test_another_was_faster(self, draft: Draft, people: Any, signed_in: SignedIn) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        page = client.get(url(incident, "return"))
        workflow.take_step(
            "return", incident_id=incident.pk, actor=people.other_verifier, reason="Look"
        )
        again = client.post(url(incident, "return"), sent(page, **ROWS, reason="KEPT-REASON"))
        assert again.status_code == 409
        assert "KEPT-REASON" in again.content.decode()
        assert "The record is draft" in words(again)


class TestFreshCode:
    @pytest.mark.parametrize("verb", ["publish", "retract"])
    def test_it_is_asked_for_and_what_was_typed_stays(
        self,
        verb: str,
        draft: Draft,
        people: SimpleNamespace,
        signed_in: SignedIn,
        stale_code: None,
    ) -> None:
        incident = draft(State.PUBLISHED)
        if verb == "publish":
            workflow.take_step(
                "reopen", incident_id=incident.pk, actor=people.researcher, reason="Again"
            )
            workflow.take_step("submit", incident_id=incident.pk, actor=people.researcher)
            workflow.take_step("verify", incident_id=incident.pk, actor=people.verifier)
        else:
            workflow.take_step(
                "propose_retraction", incident_id=incident.pk, actor=people.verifier, reason="No"
            )
        before = State(Incident.objects.get(pk=incident.pk).state)
        client = signed_in("other_verifier")
        page = client.get(url(incident, verb))
        assert "code" in page.context["form"].fields
        typed = {"note": "KEPT-NOTE"} if verb == "publish" else {}
        for code in ("", "000000"):
            again = client.post(url(incident, verb), sent(page, **typed, code=code))
            assert again.status_code == 200
            assert again.context["form"].errors["code"]
            assert "KEPT-NOTE" in again.content.decode() or not typed
            incident.refresh_from_db()
            assert incident.state == before
        done = client.post(
            url(incident, verb), sent(page, **typed, code=code_of(people.other_verifier))
        )
        assert done.status_code == 302
        incident.refresh_from_db()
        assert incident.state != before

    def test_not_for_a_verification(
        self, draft: Draft, signed_in: SignedIn, stale_code: None
    ) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        page = client.get(url(incident, "verify"))
        assert client.post(url(incident, "verify"), sent(page)).status_code == 302

    def test_not_after_a_code_just_now(self, draft: Draft, signed_in: SignedIn) -> None:
        page = signed_in("verifier").get(url(draft(State.VERIFIED), "publish"))
        assert "code" not in page.context["form"].fields

    def test_many_at_once_are_published_with_one(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn, stale_code: None
    ) -> None:
        incident = draft(State.VERIFIED)
        client = signed_in("verifier")
        revision = IncidentRevision.objects.get(incident=incident).number
        ticked = {"step": "publish", "ticked": incident.pk, f"seen-{incident.pk}": revision}
        queue = reverse("admin:incidents_incident_queue")
        asked = client.post(queue, {**ticked, "sure": "yes"})
        assert asked.status_code == 200
        incident.refresh_from_db()
        assert incident.state == State.VERIFIED
        client.post(queue, {**ticked, "sure": "yes", "code": code_of(people.verifier)})
        incident.refresh_from_db()
        assert incident.state == State.PUBLISHED


def test_why_the_button_is_missing_on_ones_own_record(
    draft: Draft, people: SimpleNamespace, signed_in: SignedIn
) -> None:
    incident = draft(State.SUBMITTED)
    people.researcher.groups.add(*people.verifier.groups.all())
    client = signed_in("researcher")
    for address in ("change", "record"):
        page = client.get(reverse(f"admin:incidents_incident_{address}", args=[incident.pk]))
        assert "a second person verifies it" in page.content.decode()
    page = client.get(url(incident, "verify"))
    assert "a second person verifies it" in words(page)
    assert b'id="step_form"' not in page.content


def test_a_step_that_nobody_takes_alone_has_no_page(draft: Draft, signed_in: SignedIn) -> None:
    assert signed_in("verifier").get(url(draft(), "merge")).status_code == 404


def test_the_second_version_says_which_it_is(
    draft: Draft, people: SimpleNamespace, signed_in: SignedIn
) -> None:
    incident = publish_again(draft(State.PUBLISHED), people, title="Shelling of a town")
    page = signed_in("verifier").get(url(incident, "reopen"))
    assert page.context["leaving"].read["version"] == 2

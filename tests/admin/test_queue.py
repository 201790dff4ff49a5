"""The queue: who finds what in it, in which order, and what can be done from there."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents import assignments, services, workflow
from incidents.choices import State, Verb
from incidents.desk import queue
from incidents.models import Assignment, CasualtyCount, Incident, Place, Waiting
from tests.drafts import publish_again

pytestmark = pytest.mark.django_db(databases=["default", "published"])

SignedIn = Callable[[str], Client]
Draft = Callable[..., Incident]
URL = "/admin/incidents/incident/queue/"


def listed(response: Any) -> list[int]:
    """Ids of the records of a page, in their order."""
    assert response.status_code == 200, response.content[:500]
    return [row["incident"].pk for row in response.context["rows"]]


def words(response: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def tab(response: Any) -> dict[str, str]:
    return {row["name"]: row["number"] for row in response.context["tabs"]}


def values(response: Any, heading: str) -> dict[str, int]:
    (found,) = [f for f in response.context["filters"] if f["heading"] == heading]
    return {value["label"]: value["n"] for value in found["values"]}


def killed(incident: Incident, actor: Any, low: int, high: int) -> None:
    with acting(actor, "Counted anew"):
        count = CasualtyCount.objects.get(incident=incident, claim=None)
        count.min, count.best, count.max, count.qualifier = low, None, high, "range"
        count.basis.all().delete()
        services.save(count)


class TestOrder:
    def test_oldest_first_and_of_one_day_the_gravest(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        draft()
        small, large, sure = (draft(State.SUBMITTED) for _ in range(3))
        killed(large, people.researcher, 1, 40)
        killed(sure, people.researcher, 9, 11)
        client = signed_in("verifier")
        assert listed(client.get(URL)) == [large.pk, sure.pk, small.pk]
        assert listed(client.get(URL, {"order": "killed"})) == [sure.pk, small.pk, large.pk]
        assert listed(client.get(URL, {"order": "gravest"})) == [large.pk, sure.pk, small.pk]
        assert "of one day the highest figure killed first" in words(client.get(URL))

    @pytest.mark.parametrize("order", sorted(queue.ORDERS))
    def test_pages_hold_each_record_once_there_and_back(
        self,
        order: str,
        draft: Draft,
        people: SimpleNamespace,
        signed_in: SignedIn,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        records = [draft(State.SUBMITTED) for _ in range(5)]
        killed(records[3], people.researcher, 0, 12)
        monkeypatch.setattr(queue, "PAGE", 2)
        client = signed_in("verifier")
        pages = [client.get(URL, {"order": order})]
        while pages[-1].context["has_following"]:
            pages.append(client.get(URL + pages[-1].context["following"]))
        seen = [listed(page) for page in pages]
        assert [len(page) for page in seen] == [2, 2, 1]
        assert sorted(pk for page in seen for pk in page) == sorted(r.pk for r in records)
        back = client.get(URL + pages[2].context["preceding"])
        assert listed(back) == seen[1]
        first = client.get(URL + back.context["preceding"])
        assert listed(first) == seen[0]
        assert not first.context["has_preceding"]


class TestWhatIsShown:
    def test_of_a_record(self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn) -> None:
        incident = draft(State.SUBMITTED)
        assignments.take(people.other_verifier, incident.uuid)
        response = signed_in("verifier").get(URL)
        (row,) = response.context["rows"]
        assert (row["killed"], row["civilians"]) == ("2", "2")
        assert (row["row"].sources, row["row"].days) == (1, 0)
        # That no copy of the article is kept asks for nothing.
        assert row["row"].warnings == 0
        assert row["row"].assignment.person == people.other_verifier
        text = words(response)
        assert "looked at for the first time" in text
        assert "Laiza" in text
        assert "Kachin" in text
        assert reverse("admin:incidents_incident_record", args=[incident.pk]) in str(
            response.content
        )

    def test_what_changed_since_it_was_verified(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.PUBLISHED)
        publish_again(incident, people, title="Shelling of a hamlet")
        workflow.take_step(
            Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="A source"
        )
        with acting(people.researcher, "A source"):
            Incident.objects.filter(pk=incident.pk).update(summary="Two were killed.")
        killed(incident, people.researcher, 2, 3)
        workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
        (row,) = signed_in("verifier").get(URL).context["rows"]
        assert row["row"].changed.since == "verify"
        said = "; ".join(row["row"].changed.words)
        assert "changed summary (incident)" in said
        assert "changed best, max" in said
        assert "title" not in said

    def test_of_one_that_was_returned_what_changed_since(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        workflow.take_step(
            Verb.RETURN, incident_id=incident.pk, actor=people.verifier, reason="The date."
        )
        workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
        response = signed_in("verifier").get(URL)
        assert re.search(
            r"since it was returned, \d{4}-\d\d-\d\d : what changed in .{1,80} nothing",
            words(response),
        )

    def test_words_in_other_scripts_and_markup_stay_what_they_are(
        self, draft: Draft, signed_in: SignedIn
    ) -> None:
        draft(State.SUBMITTED, title="<b>မုန်းလိုင်ခက်</b> هجوم")
        content = signed_in("verifier").get(URL).content.decode()
        assert "&lt;b&gt;မုန်းလိုင်ခက်&lt;/b&gt; هجوم" in content
        assert "<b>မ" not in content

    def test_it_costs_the_same_for_one_record_as_for_four(
        self,
        draft: Draft,
        people: SimpleNamespace,
        signed_in: SignedIn,
        django_assert_max_num_queries: Any,
    ) -> None:
        client = signed_in("verifier")
        for number in (1, 3):
            for _ in range(number):
                assignments.take(people.verifier, draft(State.SUBMITTED).uuid)
            publish_and_reopen = draft(State.PUBLISHED)
            publish_again(publish_and_reopen, people, title="Another")
            for name in ("waiting", "free", "mine"):
                with django_assert_max_num_queries(20):
                    client.get(URL, {"tab": name})


class TestFilters:
    def test_each_with_its_counts(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        one, other = draft(State.SUBMITTED), draft(State.VERIFIED, grading="discounted",
            grading_rationale="Nothing happened.")  # fmt: skip
        country = draft(place=Place.objects.get(level="country", country="MMR"))
        # No claim is named for its min nor for its max.
        killed(country, people.researcher, 1, 4)
        workflow.take_step(Verb.SUBMIT, incident_id=country.pk, actor=people.researcher)
        assignments.take(people.verifier, one.uuid)
        client = signed_in("verifier")
        response = client.get(URL)
        assert values(response, "State") == {"submitted": 2, "verified": 1}
        assert values(response, "Grading") == {"weak": 2, "discounted": 1}
        assert values(response, "State or region") == {"Kachin": 2, "Myanmar": 1}
        assert values(response, "Taken") == {"free": 2, "taken": 1}
        assert values(response, "Source") == {"entered by hand": 3}
        assert tab(response) == {"All that waits": "3", "Free": "2", "My work": "1"}
        for asked, found in (
            ({"state": "verified"}, {other}),
            ({"grading": "weak"}, {one, country}),
            ({"place": str(Place.objects.get(pcode="MMR001").pk)}, {one, other}),
            ({"taken": "taken"}, {one}),
            ({"taken": "free", "state": "submitted"}, {country}),
            ({"warnings": "yes"}, {country}),
            ({"warnings": "no"}, {one, other}),
            ({"source": "import"}, set()),
            ({"tab": "free"}, {other, country}),
            ({"tab": "mine"}, {one}),
        ):
            page = client.get(URL, asked)
            assert set(listed(page)) == {incident.pk for incident in found}, asked
            assert page.context["found"] == len(found), asked
        (shown,) = client.get(URL, {"warnings": "yes"}).context["rows"]
        assert shown["row"].warnings == 2
        narrowed = client.get(URL, {"state": "submitted"})
        # Under the other filters, and of its own every value.
        assert values(narrowed, "State") == {"submitted": 2, "verified": 1}
        assert values(narrowed, "Grading") == {"weak": 2}

    @pytest.mark.parametrize(
        ("asked", "is_found"),
        [
            ("shelling village", True),
            ("SHÉLLING", True),
            ("laiza", True),
            ("laiza shelling", True),
            ("laiza bombing", False),
            ("100%", False),
            ("\x00", True),
        ],
    )
    def test_search(self, asked: str, is_found: bool, draft: Draft, signed_in: SignedIn) -> None:
        draft(State.SUBMITTED)
        response = signed_in("verifier").get(URL, {"q": asked})
        assert bool(listed(response)) is is_found
        assert response.context["found"] == int(is_found)

    @pytest.mark.parametrize(
        "asked",
        [
            {"tab": "none"},
            {"order": "title"},
            {"state": "published"},
            {"grading": "x"},
            {"place": "x"},
            {"place": "9" * 30},
            {"place": "\u0663"},
            {"taken": "1"},
            {"after": "x"},
            {"after": "2024-01-01~1~99999999999999999999"},
            {"before": "2024-02-31~1~1"},
            {"after": "1~1~1"},
        ],
    )
    def test_an_address_that_no_page_of_ours_has(
        self, asked: dict[str, str], signed_in: SignedIn
    ) -> None:
        assert signed_in("verifier").get(URL, asked).status_code == 400

    def test_unknown_places_and_other_parameters_find_what_they_find(
        self, draft: Draft, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        assert listed(client.get(URL, {"place": "987654321"})) == []
        # No field of a record is filtered by its name.
        assert listed(client.get(URL, {"incident__internal_note": "x"})) == [incident.pk]


class TestWhoseTabs:
    def test_a_researcher_finds_what_came_back_first(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        returned, waiting = draft(State.SUBMITTED), draft(State.SUBMITTED)
        workflow.take_step(
            Verb.RETURN, incident_id=returned.pk, actor=people.verifier, reason="The date."
        )
        client = signed_in("researcher")
        response = client.get(URL)
        assert list(tab(response)) == ["Returned to me", "Submitted by me", "My work"]
        assert listed(response) == [returned.pk]
        assert values(response, "State") == {"returned": 1}
        assert listed(client.get(URL, {"tab": "submitted"})) == [waiting.pk]
        assert client.get(URL, {"tab": "waiting"}).status_code == 403
        assert b'name="step"' not in response.content
        assert client.post(URL, {"step": "publish", "ticked": "1"}).status_code == 403
        other = signed_in("other_researcher")
        assert listed(other.get(URL)) == listed(other.get(URL, {"tab": "submitted"})) == []

    def test_my_work_is_what_i_may_still_see(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        hidden = draft(State.SUBMITTED)
        # Nobody takes what they may not see; one whose rights went has it still.
        with acting(people.researcher, "For a test"):
            Assignment.objects.create(incident=hidden, person=people.other_researcher)
        client = signed_in("other_researcher")
        response = client.get(URL, {"tab": "mine"})
        assert listed(response) == []
        assert tab(response)["My work"] == "0"
        assert hidden.title not in words(response)

    def test_what_waits_for_nobody_can_be_released(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft()
        assignments.take(people.researcher, incident.uuid)
        client = signed_in("researcher")
        response = client.get(URL, {"tab": "mine"})
        assert "Also taken by you" in words(response)
        client.post(reverse("admin:incidents_incident_release", args=[incident.pk]))
        assert not Assignment.objects.filter(incident=incident).exists()

    def test_an_administrator_has_none(self, signed_in: SignedIn) -> None:
        assert signed_in("administrator").get(URL).status_code == 403


class TestTaking:
    def url(self, incident: Incident, name: str = "take") -> str:
        return reverse(f"admin:incidents_incident_{name}", args=[incident.pk])

    def test_taken_and_released(self, draft: Draft, signed_in: SignedIn) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        response = client.post(self.url(incident), {"next": f"{URL}?tab=free"})
        assert response.url == f"{URL}?tab=free"
        assert Assignment.objects.get(incident=incident).person.username == "verifier"
        response = client.post(self.url(incident, "release"))
        assert response.url == reverse("admin:incidents_incident_record", args=[incident.pk])
        assert not Assignment.objects.exists()

    def test_taking_over_is_asked_about(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        assignments.take(people.other_verifier, incident.uuid)
        client = signed_in("verifier")
        response = client.post(self.url(incident), {"next": URL})
        assert response.status_code == 409
        assert "other_verifier has been at work" in words(response)
        assert Assignment.objects.get().person == people.other_verifier
        response = client.post(self.url(incident, "release"), {"next": URL}, follow=True)
        assert "not you" in words(response)
        client.post(self.url(incident), {"next": URL, "over": "yes"})
        assert Assignment.objects.get().person == people.verifier

    def test_hidden_is_not_there_and_a_link_takes_nothing(
        self, draft: Draft, signed_in: SignedIn
    ) -> None:
        incident = draft()
        for name in ("take", "release"):
            url = self.url(incident, name)
            assert signed_in("other_researcher").post(url).status_code == 404
            assert signed_in("verifier").get(url).status_code == 405
            assert signed_in("administrator").post(url).status_code == 404

    @pytest.mark.parametrize(
        "address", ["https://evil.example/", "//evil.example/", "javascript:x", "/\\evil.example"]
    )
    def test_nobody_is_sent_elsewhere(
        self, address: str, draft: Draft, signed_in: SignedIn
    ) -> None:
        incident = draft()
        response = signed_in("verifier").post(self.url(incident), {"next": address})
        assert response.url == reverse("admin:incidents_incident_record", args=[incident.pk])


class TestStepsForMany:
    def ticked(self, step: str, *incidents: Incident, **said: str) -> dict[str, Any]:
        seen = {f"seen-{i.pk}": str(i.revision.number) for i in incidents}
        return {"step": step, "ticked": [str(i.pk) for i in incidents], **seen, **said}

    def test_publishing_is_asked_once_more_and_then_done_one_by_one(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        ready, other = draft(State.VERIFIED), draft(State.VERIFIED)
        unready = draft(State.SUBMITTED)
        client = signed_in("verifier")
        form = self.ticked("publish", ready, other, unready, next=f"{URL}?tab=free")
        page = client.post(URL, form)
        assert "Publish them" in words(page)
        assert not Incident.objects.filter(state=State.PUBLISHED, pk=ready.pk).exists()
        response = client.post(URL, {**form, "sure": "yes"})
        assert response.status_code == 409
        said = [str(message) for message in response.context["messages"]]
        assert [text.endswith("done (publish).") for text in said] == [True, True]
        ((left, _, refusal),) = response.context["rows"]
        assert left == unready
        assert "The record is submitted" in refusal

    def test_all_done_leads_back_to_the_queue(self, draft: Draft, signed_in: SignedIn) -> None:
        form = self.ticked("publish", draft(State.VERIFIED), sure="yes", next=f"{URL}?tab=free")
        response = signed_in("verifier").post(URL, form)
        assert response["Location"] == f"{URL}?tab=free"

    def test_what_was_said_is_there_still_for_those_that_were_refused(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn, filled: Any
    ) -> None:
        done, refused = draft(State.SUBMITTED), draft(State.SUBMITTED)
        form = self.ticked("return", done, refused, sure="yes", reason="The date, မုန့်.")
        with acting(people.researcher):
            Incident.objects.filter(pk=refused.pk).update(title="Edited")
        client = signed_in("verifier")
        response = client.post(URL, form)
        assert "edited since you looked at it" in words(response)
        again = filled(response, "steps")
        assert again["reason"] == ["The date, မုန့်."]
        assert "ticked" not in again
        # Nothing is ticked: what was typed is there still.
        response = client.post(URL, again)
        assert filled(response, "steps") == again | {
            "csrfmiddlewaretoken": filled(response, "steps")["csrfmiddlewaretoken"]
        }
        assert client.post(URL, again | {"ticked": [str(refused.pk)]}).status_code == 302
        states = Incident.objects.filter(pk__in=[done.pk, refused.pk]).values_list("state")
        assert set(states) == {(State.DRAFT,)}

    def test_what_was_edited_since_is_left_as_it_is(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        form = self.ticked("return", incident, sure="yes", reason="The date.")
        with acting(people.researcher):
            Incident.objects.filter(pk=incident.pk).update(title="Edited")
        client = signed_in("verifier")
        response = client.post(URL, form, follow=True)
        assert "edited since you looked at it" in words(response)
        incident = Incident.objects.get(pk=incident.pk)
        assert incident.state == State.SUBMITTED
        again = self.ticked("return", incident, sure="yes")
        assert "Say why." in words(client.post(URL, again, follow=True))
        client.post(URL, {**again, "reason": "The date."})
        incident.refresh_from_db()
        assert incident.state == State.DRAFT

    def test_a_correction_needs_its_note(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.PUBLISHED)
        workflow.take_step(
            Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="A source"
        )
        for verb, actor in ((Verb.SUBMIT, people.researcher), (Verb.VERIFY, people.verifier)):
            workflow.take_step(verb, incident_id=incident.pk, actor=actor)
        client = signed_in("verifier")
        form = self.ticked("publish", Incident.objects.get(pk=incident.pk))
        assert b'name="note"' in client.post(URL, form).content
        response = client.post(URL, {**form, "sure": "yes", "note": "A source."}, follow=True)
        assert "done (publish)" in words(response)

    def test_nobody_verifies_many_without_looking(self, draft: Draft, signed_in: SignedIn) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        form = self.ticked("verify", incident, sure="yes")
        assert client.post(URL, form).status_code == 400
        assert b'value="verify"' not in client.get(URL).content
        incident.refresh_from_db()
        assert incident.state == State.SUBMITTED

    @pytest.mark.parametrize(
        ("form", "status"),
        [
            ({"step": "publish"}, 302),
            ({"step": "publish", "ticked": "x"}, 400),
            ({"step": "publish", "ticked": "1"}, 400),
            ({"step": "publish", "ticked": "987654", "seen-987654": "1", "sure": "1"}, 302),
            ({}, 400),
        ],
    )
    def test_what_a_browser_would_not_send(
        self, form: dict[str, str], status: int, signed_in: SignedIn
    ) -> None:
        response = signed_in("verifier").post(URL, {**form, "next": "https://evil.example/?a"})
        assert response.status_code == status
        if status == 302:
            assert response.url == f"{URL}?a"


def test_counts_under_filters_come_from_the_same_cells() -> None:
    counted = [
        queue.Cell("submitted", "weak", 1, False, True, False, 3),
        queue.Cell("submitted", "fair", 2, True, False, False, 2),
        queue.Cell("verified", "weak", 1, False, False, True, 4),
    ]
    found, left = queue.facets(counted, {"grading": "weak", "state": "submitted"})
    assert left == 3
    assert found["state"] == {"submitted": 3, "verified": 4}
    assert found["grading"] == {"weak": 3, "fair": 2}
    assert found["place"] == {1: 3}
    chosen, none = queue.facets(counted, {"place": 7})
    assert (chosen["place"], none) == ({1: 7, 2: 2, 7: 0}, 0)


def test_rows_of_the_queue_say_what_they_are(draft: Draft) -> None:
    waiting = Waiting.objects.get(incident=draft(State.SUBMITTED))
    assert str(waiting).startswith(f"{waiting.incident_id} submitted since")

"""The steps of the workflow through the pages, by the people who may take them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents.choices import State
from incidents.models import Incident, IncidentRevision, Place

pytestmark = pytest.mark.django_db

# Of a return: three rows for remarks, all empty.
ROWS = {"remarks-TOTAL_FORMS": "3", "remarks-INITIAL_FORMS": "0"}

SignedIn = Callable[[str], Client]
Draft = Callable[..., Incident]


def step_url(incident: Incident, verb: str) -> str:
    return reverse("admin:incidents_incident_step", args=[incident.pk, verb])


def said(response: Any) -> str:
    return " ".join(
        [
            *(str(error) for error in response.context["form"].non_field_errors()),
            response.context["why_not"],
        ]
    )


@pytest.fixture
def take(signed_in: SignedIn) -> Callable[..., Any]:
    """Open a step's page and send its form."""

    def go(name: str, incident: Incident, verb: str, **fields: str) -> Any:
        client = signed_in(name)
        page = client.get(step_url(incident, verb))
        revision = page.context["form"].initial["revision"]
        sent = {"revision": revision, **ROWS, **fields}
        response = client.post(step_url(incident, verb), sent)
        if verb == "propose_retraction":
            # What the public would read is shown first, with the reason as it was typed.
            shown = response.context["form"]["shown"].value()
            response = client.post(step_url(incident, verb), {**sent, "shown": shown})
        return response

    return go


class TestAllTheWay:
    def test_a_record_goes_from_draft_to_retraction(
        self, draft: Draft, take: Callable[..., Any]
    ) -> None:
        incident = draft()
        for name, verb, fields, state in (
            ("researcher", "submit", {}, State.SUBMITTED),
            ("verifier", "return", {"reason": "The date."}, State.DRAFT),
            ("researcher", "submit", {"reason": "Corrected."}, State.SUBMITTED),
            ("verifier", "verify", {}, State.VERIFIED),
            ("verifier", "publish", {}, State.PUBLISHED),
            ("verifier", "propose_retraction", {"reason": "Twice."}, State.PUBLISHED),
            ("other_verifier", "retract", {}, State.RETRACTED),
        ):
            response = take(name, incident, verb, **fields)
            assert response.status_code == 302, (verb, said(response))
            incident.refresh_from_db()
            assert incident.state == state

    def test_verifying_shows_what_leaves(self, draft: Draft, signed_in: SignedIn) -> None:
        incident = draft(State.SUBMITTED)
        page = signed_in("verifier").get(step_url(incident, "verify"))
        read = page.context["leaving"].read
        totals = {(total["outcome"], total["bucket"]): total for total in read["totals"]}
        assert totals["killed", "civilians"]["min"] == "2"
        assert totals["killed", "persons of every status"]["min"] == "2"
        assert dict(read["about"])["Where"] == "Laiza, Waingmaw, Myitkyina, Kachin, Myanmar"


class TestRefused:
    def test_an_author_who_verifies(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        # One person with both roles does not become a second person.
        people.researcher.groups.set(
            [*people.researcher.groups.all(), *people.verifier.groups.all()]
        )
        client = signed_in("researcher")
        record = client.get(reverse("admin:incidents_incident_change", args=[incident.pk]))
        steps = {step["name"]: step for step in record.context["steps"]}
        assert steps["Verify"]["url"] == ""
        assert "a second person" in steps["Verify"]["why_not"]
        revision = IncidentRevision.objects.get(incident=incident).number
        response = client.post(step_url(incident, "verify"), {"revision": revision})
        assert "second person" in said(response)
        incident.refresh_from_db()
        assert incident.state == State.SUBMITTED

    def test_a_researcher(self, draft: Draft, take: Callable[..., Any]) -> None:
        incident = draft(State.SUBMITTED)
        assert "You may not verify" in said(take("researcher", incident, "verify"))

    def test_a_step_that_the_state_does_not_allow(
        self, draft: Draft, take: Callable[..., Any]
    ) -> None:
        incident = draft()
        response = take("verifier", incident, "publish")
        assert response.status_code == 409
        assert "The record is draft" in said(response)

    def test_a_record_edited_since_the_page_was_opened(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        client = signed_in("verifier")
        page = client.get(step_url(incident, "verify"))
        with acting(people.researcher):
            Incident.objects.filter(pk=incident.pk).update(title="Edited")
        response = client.post(
            step_url(incident, "verify"), {"revision": page.context["form"].initial["revision"]}
        )
        assert response.status_code == 409
        assert "edited since you looked at it" in said(response)

    def test_a_place_renamed_since_it_was_verified(
        self, draft: Draft, people: SimpleNamespace, take: Callable[..., Any]
    ) -> None:
        incident = draft(State.VERIFIED)
        with acting(people.administrator, "Spelling"):
            Place.objects.filter(slug="laiza").update(name="Laiza town")
        response = take("verifier", incident, "publish")
        assert response.status_code == 409
        assert "place.name" in said(response)

    def test_no_reason(self, draft: Draft, take: Callable[..., Any]) -> None:
        incident = draft(State.SUBMITTED)
        response = take("verifier", incident, "return", reason=" ")
        assert response.context["form"].errors["reason"]

    def test_a_hidden_record_and_an_unknown_step(self, draft: Draft, signed_in: SignedIn) -> None:
        incident = draft()
        assert signed_in("other_researcher").get(step_url(incident, "submit")).status_code == 404
        assert signed_in("researcher").get(step_url(incident, "delete")).status_code == 404


class TestRemarks:
    def test_a_verifier_remarks_and_the_author_settles_it(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        incident = draft(State.SUBMITTED)
        revision = IncidentRevision.objects.get(incident=incident).number
        url = reverse("admin:incidents_incident_comment", args=[incident.pk])
        signed_in("verifier").post(url, {"field": "place.point", "text": " Check <b>it</b> "})
        comment = incident.comments.get()
        assert (comment.author, comment.text) == (people.verifier, " Check <b>it</b> ")
        researcher = signed_in("researcher")
        page = researcher.get(reverse("admin:incidents_incident_change", args=[incident.pk]))
        assert b"Check &lt;b&gt;it&lt;/b&gt;" in page.content
        researcher.post(reverse("admin:incidents_incident_resolve", args=[incident.pk, comment.pk]))
        comment.refresh_from_db()
        assert comment.resolved_by == people.researcher
        # A remark is no edit: who remarks may still verify.
        assert IncidentRevision.objects.get(incident=incident).number == revision

    def test_nobody_remarks_on_what_they_may_not_see(
        self, draft: Draft, signed_in: SignedIn
    ) -> None:
        url = reverse("admin:incidents_incident_comment", args=[draft().pk])
        assert signed_in("other_researcher").post(url, {}).status_code == 404
        assert signed_in("verifier").get(url).status_code == 405

"""The record, whole on one page."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents import services
from incidents.models import CasualtyCount, Claim, Incident, Victim

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]


def page(client: Client, incident: Incident) -> str:
    response = client.get(reverse("admin:incidents_incident_record", args=[incident.pk]))
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def airstrike(three: Any) -> Incident:
    return Incident.objects.get(code__startswith="MMR-2023-")


class TestWhatItShows:
    def test_every_claim_beside_ours(self, signed_in: SignIn, airstrike: Incident) -> None:
        text = page(signed_in("verifier"), airstrike)
        claims = list(airstrike.claims.all())
        assert len(claims) > 3
        for claim in claims:
            assert f'id="claim-{claim.pk}"' in text
        assert "Our assessment" in text
        assert "One voice:" in text

    def test_a_disagreement_is_said_in_words(self, signed_in: SignIn, airstrike: Incident) -> None:
        text = page(signed_in("verifier"), airstrike)
        assert re.search("≠ (above|below|another|denies)", text)

    def test_which_claim_sets_a_bound(self, signed_in: SignIn, airstrike: Incident) -> None:
        assert 'class="mark sets"' in page(signed_in("verifier"), airstrike)

    def test_a_claim_left_out_says_why(self, signed_in: SignIn, airstrike: Incident) -> None:
        assert "left out:" in page(signed_in("verifier"), airstrike)

    def test_the_plot_says_its_figures_in_words(
        self, signed_in: SignIn, airstrike: Incident
    ) -> None:
        text = page(signed_in("verifier"), airstrike)
        assert 'class="figures"' in text
        assert "our assessment: " in text

    def test_points_stand_in_a_table_too(self, signed_in: SignIn, airstrike: Incident) -> None:
        text = page(signed_in("verifier"), airstrike)
        assert 'id="map-data"' in text
        assert "our point" in text

    def test_text_is_escaped(
        self, signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
    ) -> None:
        incident = draft(title="<script>alert(1)</script>")
        with acting(people.researcher, "Again"):
            Claim.objects.filter(incident=incident).update(quotation="</script><img src=x>")
        text = page(signed_in("verifier"), incident)
        assert "<script>alert" not in text
        assert "<img src=x>" not in text


@pytest.mark.parametrize(
    ("name", "status"), [("researcher", 200), ("verifier", 200), ("administrator", 404)]
)
def test_who_may_see_it(
    signed_in: SignIn, draft: Callable[..., Incident], name: str, status: int
) -> None:
    address = reverse("admin:incidents_incident_record", args=[draft().pk])
    assert signed_in(name).get(address).status_code == status


def grow(incident: Incident, people: SimpleNamespace, claims: int, victims: int) -> None:
    first = incident.claims.first()
    assert first is not None
    with acting(people.researcher, "More of them"):
        for number in range(claims):
            claim = services.add_part(
                Claim,
                incident=incident,
                article=first.article,
                attributed_outlet=first.attributed_outlet,
                attributed_actor=first.attributed_actor,
                paraphrase=f"Says {number}.",
            )
            services.add_part(
                CasualtyCount,
                incident=incident,
                claim=claim,
                outcome="killed",
                status="all",
                qualifier="exact",
                min=number,
                best=number,
                max=number,
            )
        for number in range(victims):
            services.add_part(
                Victim, incident=incident, names=[f"Person {number}"], outcome="killed",
                status="civilian", role="unknown", sex="unknown", age_group="unknown",
            )  # fmt: skip


def queries(client: Client, incident: Incident) -> int:
    with CaptureQueriesContext(connections["default"]) as asked:
        page(client, incident)
    return len(asked)


def test_as_many_queries_for_a_large_record_as_for_a_small_one(
    signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
) -> None:
    client = signed_in("verifier")
    incident = draft()
    grow(incident, people, 4, 4)
    page(client, incident)
    small = queries(client, incident)
    grow(incident, people, 20, 60)
    assert queries(client, incident) == small
    assert small <= 25


class TestSinceLastLooked:
    def test_what_others_changed_since(
        self, signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
    ) -> None:
        incident, client = draft(), signed_in("verifier")
        assert "You last looked" not in page(client, incident)
        assert "Nobody else has changed anything" in page(client, incident)
        with acting(people.researcher, "A better title"):
            services.change(incident, title="Another title")
        text = page(client, incident)
        found = re.search(r"timeline/\?since=(\d+)\">1 change by others", text)
        assert found is not None
        since = client.get(
            reverse("admin:incidents_incident_timeline", args=[incident.pk]), {"since": found[1]}
        ).content.decode()
        assert "+ Another title" in since
        assert since.count("<del>") == 1

    def test_each_person_by_themselves(
        self, signed_in: SignIn, draft: Callable[..., Incident]
    ) -> None:
        incident = draft()
        page(signed_in("verifier"), incident)
        assert "You last looked" not in page(signed_in("other_verifier"), incident)


def test_taken_and_released(signed_in: SignIn, draft: Callable[..., Incident]) -> None:
    incident = draft()
    one, other = signed_in("verifier"), signed_in("other_verifier")
    take = reverse("admin:incidents_incident_take", args=[incident.pk])
    release = reverse("admin:incidents_incident_release", args=[incident.pk])
    assert one.get(take).status_code == 405
    one.post(take)
    assert "verifier is at work on it" in page(other, incident)
    other.post(take)
    assert "Take it over" in page(other, incident)
    other.post(take, {"over": "1"})
    assert "other_verifier is at work on it" in page(one, incident)
    one.post(release)
    assert "other_verifier is at work on it" in page(one, incident)
    other.post(release)
    assert "Nobody is at work on it" in page(one, incident)

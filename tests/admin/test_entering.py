"""Entering evidence in the admin: to the letter, refusals on the form, nobody overwritten."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import services
from incidents.choices import State
from incidents.models import CasualtyCount, Claim, Incident, Place, WeaponType, WeaponUse
from sources.models import Article, Outlet

pytestmark = pytest.mark.django_db

Filled = Callable[[HttpResponse, str], dict[str, list[str]]]
FORMS = {
    Incident: "incident_form",
    Claim: "claim_form",
    CasualtyCount: "casualtycount_form",
    Place: "place_form",
    Article: "article_form",
}


def change_url(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def opened(signed_in: Callable[[str], Client], filled: Filled) -> Callable[..., Any]:
    """The page of a row, opened by somebody: its client and the data of its form."""

    def open_page(row: Any, name: str = "researcher") -> tuple[Client, dict[str, list[str]]]:
        client = signed_in(name)
        response = client.get(change_url(row))
        assert response.status_code == 200
        return client, filled(response, FORMS[type(row)])

    return open_page


def new_row(data: dict[str, Any], prefix: str, **fields: Any) -> None:
    """Add a row to a group of rows, below the one that waits empty, as the button does."""
    number = int(data[f"{prefix}-TOTAL_FORMS"][0])
    data[f"{prefix}-TOTAL_FORMS"] = [str(number + 1)]
    for name, value in fields.items():
        data[f"{prefix}-{number}-{name}"] = value if isinstance(value, list) else [str(value)]


def refusals(response: HttpResponse) -> str:
    """What the form says is wrong, in one string; the page came back, nothing was stored."""
    assert response.status_code == 200
    assert response.context["errors"]
    return " ".join(str(error) for error in response.context["errors"])


KILLED = {
    "outcome": "killed",
    "status": "civilian",
    "role": "all",
    "sex": "female",
    "age_group": "all",
    "qualifier": "exact",
    "reported_text": "",
}


class TestUntouched:
    def test_a_page_saved_as_it_was_opened_changes_nothing(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft(
            summary="Two lines\nwith  spaces ",
            circumstances=["unknown", "raid"],
            internal_note="\n leading newline",
            local_time="10:00",
            time_kind="approximate",
        )
        before = HistoryEntry.objects.count()
        client, data = opened(incident)
        response = client.post(change_url(incident), data)
        assert response.status_code == 302
        assert HistoryEntry.objects.count() == before

    def test_so_does_the_page_of_a_claim_and_of_a_count(
        self,
        people: SimpleNamespace,
        draft: Callable[..., Incident],
        opened: Callable[..., Any],
    ) -> None:
        incident = draft()
        with acting(people.researcher):
            services.add_part(
                WeaponUse,
                incident=incident,
                claim=incident.claims.get(),
                weapon=WeaponType.objects.get(code="EXG-ART"),
                certainty="alleged",
            )
        before = HistoryEntry.objects.count()
        for row in (incident.claims.get(), incident.casualtycounts.get(claim=None)):
            client, data = opened(row)
            assert client.post(change_url(row), data).status_code == 302
        assert HistoryEntry.objects.count() == before


class TestToTheLetter:
    def test_spaces_commas_and_newlines_of_evidence_are_kept(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        claim = draft().claims.get()
        client, data = opened(claim)
        said = {
            "quotation": "  “two\u00a0killed”\r\n\r\n ",
            "paraphrase": " Two killed, it says.\t",
            "place_said": " near  the bridge ",
            "note": "\r\nA remark.",
        }
        data |= {name: [text] for name, text in said.items()}
        assert client.post(change_url(claim), data).status_code == 302
        claim.refresh_from_db()
        assert {name: getattr(claim, name) for name in said} == said

    def test_a_list_has_one_text_on_each_line(
        self, people: SimpleNamespace, opened: Callable[..., Any]
    ) -> None:
        place = Place.objects.get(slug="laiza")
        client, data = opened(place)
        data["other_names"] = ["Laiza, Kachin\r\n  လိုင်ဇာ \r\n\r\nLa Iza"]
        data["change_reason"] = ["Spellings"]
        assert client.post(change_url(place), data).status_code == 302
        place.refresh_from_db()
        assert place.other_names == ["Laiza, Kachin", "  လိုင်ဇာ ", "La Iza"]

    def test_an_empty_number_is_not_known_and_zero_is_none(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft()
        client, data = opened(incident)
        rest = {**KILLED, "qualifier": "at_most", "reported_text": " nobody "}
        new_row(data, "casualtycounts", **rest, min="", best="", max="0")
        assert client.post(change_url(incident), data).status_code == 302
        count = incident.casualtycounts.get(claim=None, sex="female")
        assert (count.min, count.best, count.max) == (None, None, 0)
        assert count.reported_text == " nobody "

    def test_a_code_that_is_not_given_is_null(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft(place_precision="settlement")
        client, data = opened(incident)
        data["place_precision"] = [""]
        assert client.post(change_url(incident), data).status_code == 302
        incident.refresh_from_db()
        assert incident.place_precision is None

    def test_an_address_is_not_completed(
        self, people: SimpleNamespace, opened: Callable[..., Any]
    ) -> None:
        article = Article.objects.exclude(url=None).first()
        client, data = opened(article)
        data |= {"url": ["example.org/story"], "change_reason": ["Moved"]}
        assert "begins with http" in refusals(client.post(change_url(article), data))

    def test_required_text_is_more_than_spaces(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        claim = draft().claims.get()
        client, data = opened(claim)
        data["paraphrase"] = ["  \t"]
        assert "required" in refusals(client.post(change_url(claim), data))


class TestRefusals:
    """What the database or a service refuses comes back on the form, with what was typed."""

    def test_a_part_larger_than_its_whole(
        self, draft: Callable[..., Incident], opened: Callable[..., Any], filled: Filled
    ) -> None:
        incident = draft()
        client, data = opened(incident)
        data["title"] = ["A better title"]
        new_row(data, "casualtycounts", **KILLED, min="5", best="5", max="5")
        response = client.post(change_url(incident), data)
        assert "A part has at least 5 persons, its whole at most 2." in refusals(response)
        kept = filled(response, "incident_form")
        assert kept["title"] == ["A better title"]
        assert kept["casualtycounts-1-min"] == ["5"]
        assert "was changed successfully" not in response.content.decode()
        incident.refresh_from_db()
        assert incident.title == "Shelling of a village"
        assert incident.casualtycounts.filter(claim=None).count() == 1

    def test_a_group_counted_twice(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft()
        client, data = opened(incident)
        new_row(data, "casualtycounts", **{**KILLED, "sex": "all"}, min="2", best="2", max="2")
        response = client.post(change_url(incident), data)
        assert "This group has a count already." in refusals(response)

    @pytest.mark.parametrize(
        ("date", "message"),
        [
            ("7.3.2024", "may be 3 July 2024 (2024-07-03) or 7 March 2024 (2024-03-07)"),
            ("2024-02-30", "no calendar has"),
            ("2999-01-01", "future"),
        ],
    )
    def test_a_date_that_cannot_be(
        self,
        draft: Callable[..., Incident],
        opened: Callable[..., Any],
        filled: Filled,
        date: str,
        message: str,
    ) -> None:
        incident = draft()
        client, data = opened(incident)
        data["date_edtf"] = [date]
        response = client.post(change_url(incident), data)
        assert message in refusals(response)
        assert filled(response, "incident_form")["date_edtf"] == [date]

    def test_a_basis_of_another_incident(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        count = draft().casualtycounts.get(claim=None)
        other = draft().claims.get()
        client, data = opened(count)
        new_row(data, "basis", bound="min", claim=other.pk, reason="")
        response = client.post(change_url(count), data)
        assert "not one of the available choices" in refusals(response)

    def test_a_figure_left_out_says_why(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        count = draft().casualtycounts.get(claim=None)
        client, data = opened(count)
        claim = count.incident.claims.get()
        new_row(data, "basis", bound="left_out", claim=claim.pk, reason="")
        assert "Say why" in refusals(client.post(change_url(count), data))


class TestTwoSessions:
    def test_the_second_save_is_told_who_came_first(
        self, draft: Callable[..., Incident], opened: Callable[..., Any], filled: Filled
    ) -> None:
        incident = draft()
        client, data = opened(incident)
        other, other_data = opened(incident)
        data["title"] = ["First"]
        assert client.post(change_url(incident), data).status_code == 302
        other_data["summary"] = ["Second"]
        response = other.post(change_url(incident), other_data)
        message = refusals(response)
        assert "edited after you opened this page" in message
        assert "researcher at" in message
        assert "changed title" in message
        assert filled(response, "incident_form")["summary"] == ["Second"]
        incident.refresh_from_db()
        assert (incident.title, incident.summary) == ("First", "")

    def test_an_edit_of_a_part_is_an_edit_of_the_record(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft()
        claim, count = incident.claims.get(), incident.casualtycounts.get(claim=None)
        client, data = opened(claim)
        other, other_data = opened(count)
        data["note"] = ["A remark."]
        assert client.post(change_url(claim), data).status_code == 302
        assert "edited after" in refusals(other.post(change_url(count), other_data))

    def test_a_form_without_the_revision_is_refused(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft()
        client, data = opened(incident)
        del data["revision"]
        assert "edited after" in refusals(client.post(change_url(incident), data))


class TestWhoAndWhy:
    def test_the_history_names_person_and_reason(
        self,
        people: SimpleNamespace,
        draft: Callable[..., Incident],
        opened: Callable[..., Any],
    ) -> None:
        incident = draft()
        client, data = opened(incident)
        data |= {"title": ["Other title"], "change_reason": ["It was misspelt"]}
        client.post(change_url(incident), data)
        entry = HistoryEntry.objects.latest("id")
        assert (entry.actor, entry.reason) == (people.researcher, "It was misspelt")
        history = reverse("admin:incidents_incident_history", args=[incident.pk])
        page = client.get(history, follow=True)
        text = page.content.decode()
        assert "It was misspelt" in text
        assert "Shelling of a village" in text
        assert "Other title" in text

    def test_a_shared_record_is_changed_with_a_reason(
        self, people: SimpleNamespace, opened: Callable[..., Any]
    ) -> None:
        place = Place.objects.get(slug="laiza")
        client, data = opened(place)
        data["name"] = ["Laiza town"]
        assert "required" in refusals(client.post(change_url(place), data))

    def test_who_enters_a_record_is_its_author(
        self, people: SimpleNamespace, signed_in: Callable[[str], Client], filled: Filled
    ) -> None:
        client = signed_in("researcher")
        add = reverse("admin:incidents_incident_add")
        data = filled(client.get(add), "incident_form")
        data |= {"title": ["New"], "author": [str(people.verifier.pk)], "state": ["verified"]}
        assert client.post(add, data).status_code == 302
        incident = Incident.objects.get(title="New")
        assert (incident.author, incident.state) == (people.researcher, State.DRAFT)


class TestParts:
    def test_a_claim_is_added_to_its_record_with_what_it_says(
        self,
        draft: Callable[..., Incident],
        signed_in: Callable[[str], Client],
        filled: Filled,
    ) -> None:
        incident, other = draft(), draft()
        client = signed_in("researcher")
        add = f"{reverse('admin:incidents_claim_add')}?incident={incident.pk}"
        data = filled(client.get(add), "claim_form")
        data |= {
            "article": [str(Article.objects.first().pk)],
            "attributed_outlet": [str(Outlet.objects.first().pk)],
            "paraphrase": ["Three were hurt."],
            "incident": [str(other.pk)],
        }
        new_row(data, "casualtycounts", **KILLED, min="3", best="3", max="3")
        response = client.post(add, data)
        assert response.status_code == 302
        assert response["Location"] == change_url(incident)
        claim = incident.claims.get(paraphrase="Three were hurt.")
        assert claim.casualtycounts.get().incident == incident
        assert other.claims.count() == 1

    def test_a_person_is_entered_with_the_claims_that_speak_of_them(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft()
        claim = incident.claims.get()
        client, data = opened(incident)
        person = {"outcome": "killed", "status": "civilian", "role": "unknown", "sex": "male"}
        new_row(
            data,
            "victims",
            **person,
            age_group="adult",
            age="",
            names="A  B",
            consent_basis="",
            named_by=[str(claim.pk)],
            note="",
        )
        assert client.post(change_url(incident), data).status_code == 302
        victim = incident.victims.get()
        assert victim.names == ["A  B"]
        assert [link.claim for link in victim.claim_links.all()] == [claim]

        client, data = opened(incident)
        data["victims-0-DELETE"] = ["on"]
        assert client.post(change_url(incident), data).status_code == 302
        assert not incident.victims.exists()

    def test_our_count_is_removed_with_its_bases(
        self, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft()
        client, data = opened(incident)
        data["figure-killed-civilian-all-all"] = [""]
        assert client.post(change_url(incident), data).status_code == 302
        assert not incident.casualtycounts.filter(claim=None).exists()
        assert incident.casualtycounts.exists()

    def test_a_claim_without_figures_can_be_removed_from_a_first_draft(
        self, people: SimpleNamespace, draft: Callable[..., Incident], opened: Callable[..., Any]
    ) -> None:
        incident = draft()
        with acting(people.researcher):
            claim = services.add_part(
                Claim,
                incident=incident,
                article=Article.objects.first(),
                attributed_outlet=Outlet.objects.first(),
                paraphrase="Entered by mistake.",
            )
        client, _ = opened(claim)
        page = client.get(reverse("admin:incidents_claim_delete", args=[claim.pk]), follow=True)
        here = page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"]
        assert client.post(here.split("?")[0], {"post": "yes"}).status_code == 302
        assert Claim.objects.filter(pk=claim.pk).exists()
        assert client.post(here, {"post": "yes"}).status_code == 302
        assert not Claim.objects.filter(pk=claim.pk).exists()


@pytest.mark.parametrize("words", ["LAIZA", "mong lai khet", "Möng Lai Khet", "hkyet MUNG"])
def test_a_place_is_found_by_any_of_its_spellings(
    people: SimpleNamespace, signed_in: Callable[[str], Client], words: str
) -> None:
    response = signed_in("researcher").get(
        reverse("admin:incidents_place_changelist"), {"q": words}
    )
    assert response.context["cl"].result_count

"""Who may open and do what in the admin: hidden is 404, and nobody deletes evidence."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from harmtracker.accounts.models import User
from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.choices import State
from incidents.models import CasualtyCount, Claim, Incident, IncidentLink, Place, Victim
from sources.models import Article, Outlet

pytestmark = pytest.mark.django_db(databases=["default", "published"])

SignedIn = Callable[[str], Client]
Draft = Callable[..., Incident]


def url(model: Any, page: str, *args: Any) -> str:
    name = f"{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(f"admin:{name}", args=args)


ACCESS = [  # page, anonymous, researcher, the other researcher, verifier, administrator
    ("incident list", 302, 200, 200, 200, 403),
    ("add incident", 302, 200, 200, 403, 403),
    ("draft", 302, 200, 404, 200, 403),
    ("history of draft", 302, 302, 404, 302, 404),
    ("timeline of draft", 302, 200, 404, 200, 404),
    ("claim of draft", 302, 200, 404, 200, 403),
    ("count of draft", 302, 200, 404, 200, 403),
    ("add claim to draft", 302, 200, 404, 403, 404),
    ("submit draft", 302, 200, 404, 200, 404),
    ("queue", 302, 200, 200, 200, 403),
    ("place", 302, 200, 200, 200, 200),
    ("article", 302, 200, 200, 200, 200),
    ("weapon types", 302, 200, 200, 200, 200),
    ("codes", 302, 200, 200, 200, 200),
    ("history", 302, 200, 200, 200, 403),
    ("ledger", 302, 200, 200, 200, 403),
    ("people", 302, 403, 403, 403, 200),
    ("add person", 302, 403, 403, 403, 200),
]


@pytest.mark.parametrize("row", ACCESS, ids=[row[0] for row in ACCESS])
def test_access(
    row: tuple[Any, ...], draft: Draft, signed_in: SignedIn, people: SimpleNamespace
) -> None:
    incident = draft()
    claim, count = incident.claims.get(), incident.casualtycounts.get(claim=None)
    pages = {
        "incident list": url(Incident, "changelist"),
        "add incident": url(Incident, "add"),
        "draft": url(Incident, "change", incident.pk),
        "history of draft": url(Incident, "history", incident.pk),
        "timeline of draft": url(Incident, "timeline", incident.pk),
        "claim of draft": url(Claim, "change", claim.pk),
        "count of draft": url(CasualtyCount, "change", count.pk),
        "add claim to draft": f"{url(Claim, 'add')}?incident={incident.pk}",
        "submit draft": url(Incident, "step", incident.pk, "submit"),
        "queue": url(Incident, "queue"),
        "place": url(Place, "change", Place.objects.first().pk),
        "article": url(Article, "change", Article.objects.first().pk),
        "weapon types": reverse("admin:incidents_weapontype_changelist"),
        "codes": reverse("admin:harmtracker_code_changelist"),
        "history": reverse("admin:history_historyentry_changelist"),
        "ledger": reverse("admin:incidents_ledgerentry_changelist"),
        "people": url(User, "changelist"),
        "add person": url(User, "add"),
    }
    names = ["researcher", "other_researcher", "verifier", "administrator"]
    clients = [Client(), *(signed_in(name) for name in names)]
    assert [client.get(pages[row[0]]).status_code for client in clients] == list(row[1:])


class TestHidden:
    """A draft of somebody else leaves no trace: not in lists, searches, links or the history."""

    def test_lists_and_searches(self, draft: Draft, signed_in: SignedIn) -> None:
        draft(title="SENTINEL-TITLE")
        client = signed_in("other_researcher")
        pages = [
            url(Incident, "changelist"),
            url(Incident, "changelist") + "?q=SENTINEL",
            url(Claim, "changelist"),
            url(CasualtyCount, "changelist"),
            reverse("admin:history_historyentry_changelist"),
            reverse("admin:incidents_review_changelist"),
            url(Incident, "hints", "incident") + "?text=SENTINEL",
        ]
        for page in pages:
            body = client.get(page).content.decode()
            assert "SENTINEL-TITLE" not in body, page

    def test_a_link_to_it(self, draft: Draft, signed_in: SignedIn, people: SimpleNamespace) -> None:
        hidden = draft(title="SENTINEL-TITLE")
        own = own_record(people.other_researcher)
        with acting(people.researcher):
            services.add_part(IncidentLink, incident=own, kind="related", other=hidden)
        client = signed_in("other_researcher")
        for page in ("change", "record", "timeline", "differences"):
            response = client.get(url(Incident, page, own.pk))
            assert response.status_code == 200
            assert "SENTINEL" not in response.content.decode(), page

    def test_no_other_field_answers_a_query_string(self, draft: Draft, signed_in: SignedIn) -> None:
        client = signed_in("verifier")
        for lookup in ("internal_note__startswith", "victims__names__contains", "author__password"):
            response = client.get(url(Incident, "changelist"), {lookup: "x"})
            assert response.status_code == 400, lookup

    def test_every_field_of_every_model_is_closed_but_the_filters(
        self, signed_in: SignedIn
    ) -> None:
        client = signed_in("verifier")
        client.raise_request_exception = False
        for model, model_admin in admin.site._registry.items():
            if model._meta.app_label not in ("incidents", "sources", "history"):
                continue
            for field in model._meta.get_fields():
                if field.name in model_admin.list_filter or not hasattr(field, "column"):
                    continue
                response = client.get(url(model, "changelist"), {f"{field.name}__gt": "0"})
                assert response.status_code == 400, (model, field.name)


def own_record(author: User) -> Incident:
    with acting(author):
        return services.create_incident(author=author, title="Another record")


@pytest.mark.parametrize("state", [State.SUBMITTED, State.VERIFIED, State.PUBLISHED])
def test_only_a_draft_is_edited(state: State, draft: Draft, signed_in: SignedIn) -> None:
    incident = draft(state)
    client = signed_in("researcher")
    claim, count = incident.claims.get(), incident.casualtycounts.get(claim=None)
    for row in (incident, claim, count):
        page = url(type(row), "change", row.pk)
        response = client.get(page)
        assert response.status_code == 200
        assert b'name="_save"' not in response.content
        assert client.post(page, {"title": "x", "revision": "1"}).status_code == 403
    assert client.get(f"{url(Claim, 'add')}?incident={incident.pk}").status_code == 403
    incident.refresh_from_db()
    assert incident.title == "Shelling of a village"


class TestNothingIsDeleted:
    @pytest.mark.parametrize("name", ["researcher", "verifier", "administrator"])
    def test_no_page_deletes(self, name: str, draft: Draft, signed_in: SignedIn) -> None:
        incident = draft()
        client = signed_in(name)
        rows = [
            incident,
            incident.casualtycounts.first(),
            Place.objects.first(),
            Article.objects.first(),
            Outlet.objects.first(),
            User.objects.get(username="other_verifier"),
        ]
        for row in rows:
            for send in (client.get, client.post):
                response = send(url(type(row), "delete", row.pk), {"post": "yes"})
                assert response.status_code in (403, 404), row

    def test_no_list_offers_it(self, signed_in: SignedIn) -> None:
        for name in ("researcher", "verifier", "administrator"):
            client = signed_in(name)
            for model in admin.site._registry:
                page = client.get(url(model, "changelist"))
                assert b"delete_selected" not in page.content

    def test_claims_and_people_of_a_published_record_stay(
        self, draft: Draft, signed_in: SignedIn, people: SimpleNamespace, filled: Any
    ) -> None:
        incident = draft(State.PUBLISHED)
        workflow.take_step(
            "reopen", incident_id=incident.pk, actor=people.researcher, reason="To correct it"
        )
        with acting(people.researcher):
            victim = services.add_victim(incident=incident, claims=[], outcome="killed")
        client = signed_in("researcher")
        page = url(Incident, "change", incident.pk)
        data = filled(client.get(page), "incident_form")
        data |= {"victims-0-DELETE": ["on"], "change_reason": ["To correct it"]}
        client.post(page, data)
        assert Victim.objects.filter(pk=victim.pk).exists()
        claim = incident.claims.get()
        assert client.get(url(Claim, "delete", claim.pk)).status_code == 403


class TestPeople:
    def test_an_administrator_switches_one_off(
        self, signed_in: SignedIn, people: SimpleNamespace
    ) -> None:
        client = signed_in("administrator")
        person = people.other_researcher
        data = {"username": person.username, "email": "", "is_superuser": "on"}
        assert client.post(url(User, "change", person.pk), data).status_code == 302
        person.refresh_from_db()
        assert (person.is_active, person.is_superuser) == (False, False)

    def test_but_touches_no_superuser_and_not_the_setup_account(
        self, signed_in: SignedIn, people: SimpleNamespace
    ) -> None:
        root = User.objects.create_superuser("root", password="x")
        setup = User.objects.get(username="harmtracker-setup")
        client = signed_in("administrator")
        for person in (root, setup):
            for page in (
                url(User, "change", person.pk),
                url(User, "link", person.pk),
                url(User, "second_factor", person.pk),
            ):
                assert client.post(page, {"username": "mine"}).status_code == 403

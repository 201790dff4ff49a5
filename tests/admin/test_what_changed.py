"""States of a record side by side, its timeline, and values brought back from it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin import site
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import services
from incidents.models import Incident

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:incidents_incident_{name}", args=args)


def page(client: Client, name: str, incident: Incident, **query: Any) -> str:
    response = client.get(url(name, incident.pk), query)
    assert response.status_code == 200
    return response.content.decode()


def retitle(incident: Incident, people: SimpleNamespace, title: str) -> HistoryEntry:
    with acting(people.researcher, f"It is {title}"):
        incident.refresh_from_db()
        services.change(incident, title=title)
    entry = HistoryEntry.objects.filter(incident_id=incident.pk).order_by("-id").first()
    assert entry is not None
    return entry


@pytest.fixture
def published(django_db_setup: None) -> Incident:
    return Incident.objects.get(code__startswith="MMR-2023-")


class TestSides:
    def test_a_published_record_does_not_differ_from_itself(
        self, signed_in: SignIn, published: Incident
    ) -> None:
        text = page(signed_in("verifier"), "differences", published)
        assert "version 1, published" in text
        assert "Nothing differs" in text

    def test_what_differs_is_named_and_nothing_else(
        self, signed_in: SignIn, published: Incident, people: SimpleNamespace
    ) -> None:
        client = signed_in("researcher")
        client.post(
            url("step", published.pk, "reopen"),
            {"revision": published.revision.number, "reason": "A better title"},
        )
        retitle(published, people, "Another title")
        text = page(client, "differences", published)
        assert re.findall(r'class="path">([^<]*)<', text) == ["title"]
        assert "+ Another title" in text

    @pytest.mark.parametrize("side", ["v99", "r0", "e1", "nonsense", "v" + "9" * 40, "\x00"])
    def test_a_state_that_is_not_there(
        self, signed_in: SignIn, published: Incident, side: str
    ) -> None:
        text = page(signed_in("verifier"), "differences", published, **{"from": side})
        assert "no such state" in text or "Nothing differs" in text

    def test_of_a_draft_its_edits_are_compared(
        self, signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
    ) -> None:
        incident = draft(title="First")
        retitle(incident, people, "Second")
        text = page(signed_in("verifier"), "differences", incident)
        assert "− First" in text
        assert "+ Second" in text


class TestTimeline:
    def test_steps_and_edits_with_their_reasons(
        self, signed_in: SignIn, published: Incident
    ) -> None:
        text = page(signed_in("verifier"), "timeline", published)
        steps = re.findall(
            r"</time> *(\w*) (?:<a [^>]*>)?(version 1 published|verify|submit)", text
        )
        assert steps == [
            ("", "version 1 published"),
            ("verifier", "verify"),
            ("researcher", "submit"),
        ]
        more = re.search(r"\?before=(\d+)", text)
        assert more is not None
        rest = page(signed_in("verifier"), "timeline", published, before=more[1])
        assert "Entered from the sources" in rest
        assert "submit" not in re.findall(r"</time> *\w* (\w+)", rest)

    def test_pages_hold_every_entry_once(
        self, signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
    ) -> None:
        incident, client = draft(), signed_in("verifier")
        titles = [f"Title {n:03}" for n in range(230)]
        for title in titles:
            retitle(incident, people, title)
        seen: list[str] = []
        query: dict[str, str] = {}
        for _ in range(5):
            text = page(client, "timeline", incident, **query)
            seen += re.findall(r"<ins>\+ (Title \d+)", text)
            more = re.search(r"\?before=(\d+)", text)
            if more is None:
                break
            query = {"before": more[1]}
        assert seen == titles[::-1]

    def test_as_many_queries_for_many_entries(
        self, signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
    ) -> None:
        incident, client = draft(), signed_in("verifier")
        page(client, "timeline", incident)
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connections["default"]) as asked:
                page(client, "timeline", incident)
            counts.append(len(asked))
            for n in range(30):
                retitle(incident, people, f"Title {n}")
        assert counts[0] == counts[1]


class TestBringingBack:
    def test_a_value_comes_back_as_an_edit(
        self, signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
    ) -> None:
        incident, client = draft(title="First"), signed_in("researcher")
        entry = retitle(incident, people, "Second")
        address = url("restore", incident.pk, entry.pk)
        assert address in page(client, "timeline", incident)
        shown = client.get(address).content.decode()
        found = re.search(r'name="revision" value="(\d+)"', shown)
        assert found is not None
        marked = re.search(r'name="mark" value="(\d+)"', shown)
        assert marked is not None
        sent = {
            "revision": found[1],
            "mark": marked[1],
            "back": ["title"],
            "reason": "It was right",
        }
        answer = client.post(address, sent)
        assert answer.status_code == 302
        incident.refresh_from_db()
        assert incident.title == "First"
        # The revision is over: nothing is brought back unawares.
        answer = client.post(address, {**sent, "reason": "Again"})
        assert answer.status_code == 409
        text = answer.content.decode()
        assert "read revision" in text
        # What was typed stays, what was changed is told, and a second press is of what is there.
        assert 'value="Again"' in text
        assert "Changed since you opened this page" in text
        found = re.search(r'name="revision" value="(\d+)"', text)
        assert found is not None
        assert int(found[1]) == incident.revision.number
        answer = client.post(address, {**sent, "reason": "Again", "revision": found[1]})
        assert answer.status_code == 302

    def test_only_who_may_edit(
        self, signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
    ) -> None:
        incident = draft(title="First")
        entry = retitle(incident, people, "Second")
        address = url("restore", incident.pk, entry.pk)
        assert signed_in("verifier").get(address).status_code == 404
        assert signed_in("other_researcher").get(address).status_code == 404
        assert signed_in("researcher").get(url("restore", incident.pk, 1)).status_code == 404


# Addresses of one record, with something for what else they name.
NAMED = {"verb": "verify", "merge": uuid.UUID(int=1)}
OF_ONE = [
    (pattern.name, {name: NAMED.get(name, 1) for name in converters})
    for pattern in site.get_model_admin(Incident).get_urls()
    if "incident_id" in (converters := pattern.pattern.converters)
]


@pytest.mark.parametrize("send", ["get", "post"])
def test_another_s_draft_is_not_there(
    signed_in: SignIn, draft: Callable[..., Incident], send: str
) -> None:
    """Every page of a hidden record answers as of one that never was, byte for byte."""
    incident, client = draft(), signed_in("other_researcher")
    assert len(OF_ONE) > 8
    for name, kwargs in OF_ONE:
        one, other = (
            getattr(client, send)(reverse(f"admin:{name}", kwargs={**kwargs, "incident_id": pk}))
            for pk in (incident.pk, 999_999)
        )
        assert one.status_code in (404, 405), name
        assert (one.status_code, one.content) == (other.status_code, other.content), name


class TestBeforeItLeaves:
    def test_what_differs_from_what_is_public(
        self, signed_in: SignIn, published: Incident, people: SimpleNamespace
    ) -> None:
        client = signed_in("researcher")
        revision = published.revision.number
        client.post(
            url("step", published.pk, "reopen"), {"revision": revision, "reason": "A better title"}
        )
        retitle(published, people, "Another title")
        published.revision.refresh_from_db()
        client.post(url("step", published.pk, "submit"), {"revision": published.revision.number})
        shown = signed_in("other_verifier").get(url("step", published.pk, "verify"))
        text = shown.content.decode()
        assert re.findall(r'class="path">([^<]*)<', text) == ["title"]

    def test_a_first_version_is_all_new(
        self, signed_in: SignIn, draft: Callable[..., Incident]
    ) -> None:
        incident = draft(state="submitted")
        text = signed_in("verifier").get(url("step", incident.pk, "verify")).content.decode()
        assert "all of it is new" in text

    def test_what_was_not_seen_is_not_verified(
        self, signed_in: SignIn, draft: Callable[..., Incident], people: SimpleNamespace
    ) -> None:
        """A place that is renamed meanwhile moves no revision of the record."""
        incident, client = draft(state="submitted"), signed_in("verifier")
        address = url("step", incident.pk, "verify")
        text = client.get(address).content.decode()
        seen = re.search(r'name="seen" value="([0-9a-f]{64})"', text)
        assert seen is not None
        with acting(people.researcher, "Its name in full"):
            incident.refresh_from_db()
            services.change(incident.place, name="Another name")
        incident.revision.refresh_from_db()
        sent = {"revision": incident.revision.number, "seen": seen[1]}
        answer = client.post(address, sent)
        assert answer.status_code == 409
        assert "does not say any more what you looked at" in answer.content.decode()

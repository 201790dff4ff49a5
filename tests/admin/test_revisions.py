"""Any two edits of a record side by side, and single values brought back from there."""

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
from harmtracker.history.models import HistoryEntry
from incidents import merging, services
from incidents.models import CasualtyCount, Claim, Incident, IncidentLink, IncidentRevision

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
Draft = Callable[..., Incident]


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:incidents_incident_{name}", args=args)


def last_entry(incident: Incident) -> int:
    return HistoryEntry.objects.filter(incident_id=incident.pk).latest("id").pk


def differences(client: Client, incident: Incident, one: Any, other: Any = "now") -> str:
    response = client.get(url("differences", incident.pk), {"from": one, "to": other})
    assert response.status_code == 200
    return response.content.decode()


def told(text: str) -> list[tuple[str, str, str]]:
    """Of each row that differs: what became of it, and each value before and after."""
    found = []
    for body in re.findall(r"<tbody>\s*<tr><th scope=\"rowgroup\".*?</tbody>", text, re.DOTALL):
        what = re.sub(r"<[^>]+>", "", re.findall(r'<th scope="rowgroup".*?</span>', body)[0])
        for row in re.findall(r"<tr>.*?</tr>", body, re.DOTALL):
            was = re.search(r"<del>− (.*?)</del>", row)
            now = re.search(r"<ins>\+ (.*?)</ins>", row)
            found.append((what, was[1] if was else "", now[1] if now else ""))
    return found


def edit(person: Any, why: str, row: Any, **fields: Any) -> None:
    with acting(person, why):
        row.refresh_from_db()
        services.change(row, **fields)


def ours(incident: Incident) -> CasualtyCount:
    return incident.casualtycounts.get(claim=None)


class TestTwoEdits:
    def test_what_moved_between_them_by_whom_and_why(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident = draft(title="First")
        edit(people.researcher, "Before it", incident, title="Second")
        one = last_entry(incident)
        edit(people.researcher, "A third was named", ours(incident), best=3, max=3, min=3)
        claim = incident.claims.get()
        edit(people.other_researcher, "As it is written", claim, quotation="Two died.")
        other = last_entry(incident)
        edit(people.researcher, "After it", incident, title="Third")
        text = differences(signed_in("verifier"), incident, f"e{one}", f"e{other}")
        assert told(text) == [
            ("Changed: count of killed, civilian (our assessment)", "2", "3"),
            ("Changed: count of killed, civilian (our assessment)", "2", "3"),
            ("Changed: count of killed, civilian (our assessment)", "2", "3"),
            ("Changed: claim 1", "", "Two died."),
        ]
        assert "A third was named" in text
        assert "other_researcher" in text
        assert "Before it" not in text.split('id="rows"')[1]
        figures = text.split('id="figures-heading"')[1]
        assert re.search(r"Killed, civilians</th><td><del>− 2</del></td><td><ins>\+ 3", figures)

    def test_what_was_changed_back_is_no_difference(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident = draft(title="First")
        one = last_entry(incident)
        for title in ("Second", "First"):
            edit(people.researcher, "To and fro", incident, title=title)
        assert "Nothing differs" in differences(signed_in("verifier"), incident, f"e{one}")

    def test_the_earlier_one_stands_left(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident = draft(title="First")
        one = last_entry(incident)
        edit(people.researcher, "Better", incident, title="Second")
        assert told(differences(signed_in("verifier"), incident, "now", f"e{one}")) == [
            ("Changed: the record", "First", "Second")
        ]

    def test_parts_that_came_and_went(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident, related = draft(), draft(title="Another of that day")
        one = last_entry(incident)
        with acting(people.researcher, "They belong together"):
            services.add_part(IncidentLink, incident=incident, kind="related", other=related)
            services.remove(incident.casualtycounts.exclude(claim=None).get())
        text = differences(signed_in("verifier"), incident, f"e{one}")
        assert {what for what, _, _ in told(text)} == {
            "Added: link, related",
            "Removed: count of killed, civilian (claim 1)",
        }
        assert "Another of that day" in text

    def test_a_state_of_another_record_is_none(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident, other = draft(), draft(title="SENTINEL")
        text = differences(signed_in("verifier"), incident, f"e{last_entry(other)}")
        assert "no such state" in text

    def test_a_merge_is_told_on_both_sides(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        # Claims are numbered in the order in which they were entered.
        target, source = draft(title="Once"), draft(title="Twice")
        ends = [last_entry(source), last_entry(target)]
        revisions = [
            IncidentRevision.objects.get(incident=incident).number for incident in (source, target)
        ]
        merging.merge(
            source.pk, target.pk, people.researcher, "One event", (revisions[0], revisions[1])
        )
        went = differences(signed_in("researcher"), source, f"e{ends[0]}")
        came = differences(signed_in("researcher"), target, f"e{ends[1]}")
        assert "Removed: a claim that is not there any more" in {what for what, _, _ in told(went)}
        assert "Added: claim 2" in {what for what, _, _ in told(came)}

    def test_as_many_queries_for_many_rows(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident, client = draft(title="First"), signed_in("verifier")
        one = last_entry(incident)
        edit(people.researcher, "One", ours(incident), min=1, qualifier="range")
        numbers = []
        # The first round is not counted: of each kind of row that is named one query is asked.
        for _ in range(3):
            with CaptureQueriesContext(connections["default"]) as asked:
                differences(client, incident, f"e{one}")
            numbers.append(len(asked))
            claim = incident.claims.earliest("pk")
            with acting(people.researcher, "Many"):
                for number in range(12):
                    services.add_part(
                        Claim,
                        incident=incident,
                        article=claim.article,
                        attributed_outlet=claim.attributed_outlet,
                        paraphrase=f"Says {number}.",
                    )
        assert numbers[1] == numbers[2] <= 25

    def test_a_record_that_the_reader_may_not_know_of_is_not_named(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        hidden = draft(title="SENTINEL-TITLE")
        with acting(people.other_researcher):
            own = services.create_incident(author=people.other_researcher, title="Own")
        one = last_entry(own)
        with acting(people.researcher):
            services.add_part(IncidentLink, incident=own, kind="related", other=hidden)
        text = differences(signed_in("other_researcher"), own, f"e{one}")
        assert "SENTINEL" not in text
        assert "not open to you" in text


def bring_back(client: Client, address: str, **data: Any) -> Any:
    shown = client.get(address).content.decode()
    found = re.search(r'name="revision" value="(\d+)"', shown)
    assert found is not None
    ticked = re.findall(r'name="back" value="(\w+)"[^>]* checked', shown)
    sent = {"revision": found[1], "back": ticked, "reason": "It was right", **data}
    return client.post(address, sent)


def addresses(text: str) -> list[str]:
    return re.findall(r'href="(/admin/[^"]*/restore[^"]*)"', text)


class TestValuesBroughtBack:
    def test_one_value_of_a_count_and_no_other(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident, client = draft(), signed_in("researcher")
        one = last_entry(incident)
        edit(people.researcher, "One", ours(incident), max=9, qualifier="range")
        edit(people.researcher, "Two", ours(incident), max=8, reported_text="two to nine")
        found = [a for a in addresses(differences(client, incident, f"e{one}")) if "=max" in a]
        assert bring_back(client, found[0]).status_code == 302
        count = ours(incident)
        assert (count.max, count.qualifier, count.reported_text) == (2, "range", "two to nine")

    @pytest.mark.parametrize("field", ["quotation", "speaker"])
    def test_a_text_of_a_claim(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace, field: str
    ) -> None:
        incident, client = draft(), signed_in("researcher")
        claim = incident.claims.get()
        one = last_entry(incident)
        edit(people.researcher, "Both", claim, quotation="“Two.”", speaker="a nurse")
        found = [a for a in addresses(differences(client, incident, f"e{one}")) if field in a]
        assert bring_back(client, found[0]).status_code == 302
        claim.refresh_from_db()
        assert {"quotation": claim.quotation, "speaker": claim.speaker} == {
            "quotation": "“Two.”",
            "speaker": "a nurse",
            field: "",
        }

    def test_a_removed_link(self, signed_in: SignIn, draft: Draft, people: SimpleNamespace) -> None:
        incident, related, client = draft(), draft(title="Another"), signed_in("researcher")
        with acting(people.researcher, "Together"):
            link = services.add_part(IncidentLink, incident=incident, kind="related", other=related)
        one = last_entry(incident)
        with acting(people.researcher, "Or not"):
            services.remove(link)
        (address,) = addresses(differences(client, incident, f"e{one}"))
        assert bring_back(client, address).status_code == 302
        assert incident.links.get().other == related

    def test_a_removed_claim_with_what_it_said(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        """It has another key now: what hung on the old one comes back onto the new one."""
        incident, client = draft(), signed_in("researcher")
        with acting(people.researcher, "It sets the bound"):
            services.add_basis(count=ours(incident), claim=incident.claims.get(), bound="min")
        claim = incident.claims.get()
        one = last_entry(incident)
        with acting(people.researcher, "Not of this event"):
            services.remove(claim)
        found = addresses(differences(client, incident, f"e{one}"))
        entries = HistoryEntry.objects.filter(incident_id=incident.pk, operation="DELETE")
        by_table = {entry.table_name: entry.pk for entry in entries}
        order = ("incidents_claim", "incidents_casualtycount", "incidents_countbasis")
        assert {url("restore", incident.pk, by_table[table]) for table in order} <= set(found)
        for table in order:
            address = url("restore", incident.pk, by_table[table])
            assert bring_back(client, address).status_code == 302, table
        again = incident.claims.get()
        assert again.pk != claim.pk
        assert again.uuid == claim.uuid
        assert again.casualtycounts.get().best == 2
        assert ours(incident).basis.get().claim == again

    def test_nothing_is_offered_to_who_may_not_edit(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident = draft(title="First")
        one = last_entry(incident)
        edit(people.researcher, "Better", incident, title="Second")
        assert addresses(differences(signed_in("verifier"), incident, f"e{one}")) == []

    def test_nothing_ticked_is_said(
        self, signed_in: SignIn, draft: Draft, people: SimpleNamespace
    ) -> None:
        incident, client = draft(title="First"), signed_in("researcher")
        edit(people.researcher, "Better", incident, title="Second")
        address = url("restore", incident.pk, last_entry(incident))
        answer = bring_back(client, address, back=[])
        assert "Tick what is to come back" in answer.content.decode()
        assert (
            "Select a valid choice" in bring_back(client, address, back=["state"]).content.decode()
        )


def test_the_history_of_a_part_is_in_the_timeline(
    signed_in: SignIn, draft: Draft, people: SimpleNamespace
) -> None:
    incident, client = draft(title="Not of the claim"), signed_in("verifier")
    claim = incident.claims.get()
    edit(people.researcher, "As it is written", claim, quotation="Two died.")
    answer = client.get(reverse("admin:incidents_claim_history", args=[claim.pk]), follow=True)
    assert answer.redirect_chain == [(f"{url('timeline', incident.pk)}?row=claim-{claim.pk}", 302)]
    text = answer.content.decode()
    assert "Of claim 1 alone" in text
    assert "Two died." in text
    assert "count of killed" not in text

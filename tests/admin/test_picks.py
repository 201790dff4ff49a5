"""Every relation is chosen by a name in any spelling, and every row added, without scripts.

What a person may not know of is never found, and asked for it is as what is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.contrib.admin.options import BaseModelAdmin
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from harmtracker.history.acting import acting
from harmtracker.picking import found
from incidents import services
from incidents.models import Actor, Incident, Place
from incidents.picking import INCIDENT
from sources.models import Article, ConfidentialSource
from tests import builders
from tests.admin.test_entering import change_url, refusals

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
Draft = Callable[..., Incident]
Filled = Callable[[HttpResponse, str], dict[str, list[str]]]
# What differs from one answer to the next, whatever was asked.
VARIES = re.compile(r'name="(csrfmiddlewaretoken|session-left)" (value|content)="\w+"')
SECRET = "zqsentinel Shelling of a ward"


@pytest.fixture
def named(people: SimpleNamespace) -> SimpleNamespace:
    """One record of each kind, called in two scripts."""
    with acting(people.researcher):
        return SimpleNamespace(
            actor=builders.actor(name="Möng Guard-Force", other_names=["မိုင်းတပ်"]),
            place=builders.place(name="Mong Zhai", other_names=["မိုင်းဇယ်"], level="adm3"),
            dataset=builders.dataset(name="Evénements Armés"),
            outlet=builders.outlet(name="Gazeta Kaçin", other_names=["ကချင်ဂေဇက်"]),
        )


def other_draft(people: SimpleNamespace, title: str) -> Incident:
    with acting(people.other_researcher):
        return services.create_incident(author=people.other_researcher, title=title)


def folded(page: HttpResponse) -> set[str]:
    """Groups of rows that a heading stands for until it is clicked."""
    return set(re.findall(r'<summary>\s*<h2 id="(\w+)-heading"', page.content.decode()))


def test_what_was_typed_and_is_not_saved_is_not_folded(
    draft: Draft, signed_in: SignIn, filled: Filled
) -> None:
    incident = draft()
    client = signed_in("researcher")
    data = filled(client.get(change_url(incident)), "incident_form")
    data |= {"_read": ["x"], "victims-0-outcome": ["killed"], "victims-0-names": ["A name"]}
    page = client.post(change_url(incident), data)
    assert folded(page) == {"casualtycounts"}
    assert filled(page, "incident_form")["victims-0-names"] == ["A name"]
    assert not incident.victims.exists()


class TestByWords:
    """A plain form with the words, in another spelling than the record's own name."""

    def test_the_page_of_a_record_and_a_row_of_each_kind(
        self,
        people: SimpleNamespace,
        draft: Draft,
        signed_in: SignIn,
        filled: Filled,
        named: SimpleNamespace,
    ) -> None:
        incident, other = draft(), draft(title="Shelling of Möng-Zhai, second day")
        client = signed_in("researcher")
        opened = client.get(change_url(incident))
        assert folded(opened) == {"casualtycounts", "victims"}
        data = filled(opened, "incident_form")
        # Each group of rows has one to fill in.
        data |= {
            name: [value]
            for name, value in {
                "dataset_words": "evenements armes",
                "casualtycounts-0-outcome": "injured",
                "casualtycounts-0-status": "armed_group",
                "casualtycounts-0-qualifier": "unknown",
                "casualtycounts-0-affiliation_words": "mong guard force",
                "weaponuses-0-reported_text": "shells",
                "weaponuses-0-weapon": "EXG-ART",
                "weaponuses-0-certainty": "alleged",
                "involvements-0-actor_words": "မိုင်းတပ်",
                "involvements-0-role": "alleged_perpetrator",
                "involvements-0-certainty": "alleged",
                "victims-0-outcome": "killed",
                "further_places-0-place_words": "MONGZHAI",
                "external_ids-0-dataset_words": "Evenements-Armes",
                "external_ids-0-value": "E1",
                "links-0-kind": "related",
                "links-0-other_words": f"{other}".upper().replace("Ö", "o"),
            }.items()
        }
        answer = client.post(change_url(incident), data)
        assert answer.status_code == 302, answer.context["errors"]
        incident.refresh_from_db()
        assert incident.dataset == named.dataset
        assert incident.casualtycounts.get(outcome="injured").affiliation == named.actor
        assert incident.weaponuses.get(claim=None).weapon_id == "EXG-ART"
        assert incident.involvements.get(claim=None).actor == named.actor
        assert incident.victims.get().outcome == "killed"
        assert incident.further_places.get().place == named.place
        assert incident.external_ids.get().dataset == named.dataset
        assert incident.links.get().other == other
        opened = client.get(change_url(incident))
        assert folded(opened) == set()
        again = filled(opened, "incident_form")
        assert {name: value for name, value in again.items() if "TOTAL" in name} == {
            f"{rows}-TOTAL_FORMS": ["2"]
            for rows in (
                "casualtycounts",
                "weaponuses",
                "involvements",
                "victims",
                "further_places",
                "external_ids",
                "links",
            )
        }

    def test_a_figure_and_what_it_rests_on(
        self, draft: Draft, signed_in: SignIn, filled: Filled, named: SimpleNamespace
    ) -> None:
        incident = draft()
        count, claim = incident.casualtycounts.get(claim=None), incident.claims.get()
        client = signed_in("researcher")
        data = filled(client.get(change_url(count)), "casualtycount_form")
        data |= {
            "affiliation_words": ["mong guardforce"],
            "basis-0-bound": ["min"],
            "basis-0-claim": [str(claim.pk)],
        }
        assert client.post(change_url(count), data).status_code == 302
        count.refresh_from_db()
        assert count.affiliation == named.actor
        assert count.basis.get().claim == claim

    @pytest.mark.parametrize(
        ("model", "field", "of", "words"),
        [
            (Place, "parent", "place", "မိုင်းဇယ်"),
            (Actor, "parent", "actor", "mong guard force"),
            (Article, "outlet", "outlet", "gazeta kacin"),
        ],
    )
    def test_a_shared_record(
        self,
        model: type[models.Model],
        field: str,
        of: str,
        words: str,
        people: SimpleNamespace,
        signed_in: SignIn,
        filled: Filled,
        named: SimpleNamespace,
    ) -> None:
        with acting(people.researcher):
            row = getattr(builders, model.__name__.lower())()
        client = signed_in("researcher")
        data = filled(client.get(change_url(row)), f"{model.__name__.lower()}_form")
        data |= {field: [""], f"{field}_words": [words], "change_reason": ["Looked up"]}
        answer = client.post(change_url(row), data)
        assert answer.status_code == 302, answer.context["errors"]
        row.refresh_from_db()
        assert getattr(row, field) == getattr(named, of)

    def test_the_outlet_of_a_source_that_must_not_be_named(
        self, signed_in: SignIn, named: SimpleNamespace
    ) -> None:
        add = reverse("admin:sources_confidentialsource_add")
        said = {"outlet": "", "outlet_words": "ကချင်ဂေဇက်", "who": "A nurse"}
        client = signed_in("researcher")
        assert client.get(add).status_code == 200
        assert client.post(add, said).status_code == 302
        assert ConfidentialSource.objects.get().outlet == named.outlet

    def test_what_fits_several_is_listed_and_nothing_is_stored(
        self, draft: Draft, signed_in: SignIn, filled: Filled
    ) -> None:
        incident = draft()
        others = [draft(title="Raid on a market"), draft(title="Raid on a market")]
        client = signed_in("researcher")
        data = filled(client.get(change_url(incident)), "incident_form")
        data |= {"links-0-kind": ["related"], "links-0-other_words": ["market raid"]}
        answer = client.post(change_url(incident), data)
        refusals(answer)
        page = answer.content.decode()
        assert "fits 2: choose one of the list." in page
        for other in others:
            # Their dates tell one from the other.
            assert f'<option value="{other.pk}">{other} ({other.date_edtf})</option>' in page
        assert not incident.links.exists()
        sent = filled(answer, "incident_form") | {"links-0-other": [str(others[1].pk)]}
        assert client.post(change_url(incident), sent).status_code == 302
        assert incident.links.get().other == others[1]


class TestHidden:
    """A record that a person may not know of, asked for in every way that there is."""

    @pytest.mark.parametrize("role", ["other_researcher", "administrator"])
    def test_hints_do_not_find_it(
        self, role: str, people: SimpleNamespace, draft: Draft, signed_in: SignIn
    ) -> None:
        draft(title=SECRET)
        hints = reverse("admin:incidents_incident_hints", args=["incident"])
        mine = signed_in("researcher").get(hints, {"text": "ZQSENTINEL"}).json()
        assert [row["label"].split(" (")[0] for row in mine["found"]] == [SECRET]
        client = signed_in(role)
        for there, not_there in ((SECRET, "zqnothing"), ("zqsentinel", "zqnothing")):
            one = client.get(hints, {"text": there})
            other = client.get(hints, {"text": not_there})
            assert (one.status_code, one.content) == (other.status_code, other.content)

    @pytest.mark.parametrize("way", ["id", "id and words", "words", "a word", "id of a stored row"])
    def test_a_form_answers_as_if_it_were_not_there(
        self, way: str, people: SimpleNamespace, draft: Draft, signed_in: SignIn, filled: Filled
    ) -> None:
        hidden = draft(title=SECRET)
        own, linked = other_draft(people, "Own"), other_draft(people, "Linked")
        client = signed_in("other_researcher")
        if way == "id of a stored row":
            with acting(people.other_researcher):
                builders.link(own, other=linked)
        fresh = filled(client.get(change_url(own)), "incident_form")
        answers = []
        for pk, title in ((hidden.pk, SECRET), (hidden.pk + 100_000, "zqnothing Raid on a town")):
            word = title.split()[0]
            sent = {
                "id": (str(pk), ""),
                "id and words": (str(pk), title),
                "words": ("", title),
                "a word": ("", word),
                "id of a stored row": (str(pk), ""),
            }[way]
            data = fresh | {
                "links-0-kind": ["related"],
                "links-0-other": [sent[0]],
                "links-0-other_words": [sent[1]],
            }
            answer = client.post(change_url(own), data)
            refusals(answer)
            body = VARIES.sub("", answer.content.decode())
            answers.append(body.replace(title, "TITLE").replace(word, "WORD"))
        assert answers[0] == answers[1]
        assert str(hidden.pk) not in re.findall(r'<option value="(\d+)"', answers[0])
        assert set(own.links.values_list("other", flat=True)) <= {linked.pk}

    def test_nobody_is_shown_any_before_it_is_known_who_asks(self, draft: Draft) -> None:
        draft(title=SECRET)
        assert found(INCIDENT, SECRET) == []
        assert found(INCIDENT.seen_by(None), SECRET) == []
        assert not INCIDENT.rows().exists()


def test_no_form_needs_a_searched_list_of_django() -> None:
    """It draws nothing without scripts."""
    kinds = [BaseModelAdmin]
    for kind in kinds:
        kinds += kind.__subclasses__()
        assert not kind.autocomplete_fields, kind
    assert len(kinds) > 30

"""A record from an article, and claims one after the other: by plain forms, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents import services
from incidents.models import Claim, Incident, Place
from incidents.picking import KINDS
from sources.addresses import canonical
from sources.models import Article, Outlet

pytestmark = pytest.mark.django_db

Filled = Callable[[HttpResponse, str], dict[str, list[str]]]
ENTER = "/admin/incidents/incident/enter/"
ADDRESS = "https://www.example.org/2023/10/09/shelling/"


@pytest.fixture
def outlet(people: SimpleNamespace) -> Outlet:
    with acting(people.researcher):
        return services.save(
            Outlet(
                slug="news",
                name="Kachin Gazette",
                other_names=["ကချင်ဂေဇက်", "Gazeta Kaçin"],
                kind="local_media",
                independence_group="news",
            )
        )


@pytest.fixture
def article(people: SimpleNamespace, outlet: Outlet) -> Article:
    with acting(people.researcher):
        return services.save(
            Article(outlet=outlet, title="Shelling of a camp", language="en", url=ADDRESS)
        )


def page_of(client: Client, address: str, **asked: Any) -> str:
    response = client.get(address, asked)
    assert response.status_code == 200
    return response.content.decode()


NEW = {
    "title": "Shelling of a camp",
    "outlet_words": "kachin gazette",
    "outlet": "",
    "outlet_kind": "",
    "published": "10 Oct 2023",
    "language": "en",
    "url": ADDRESS,
    "incident_title": "Shelling of Laiza",
    "date_edtf": "9 October 2023",
    "place_words": "",
    "place": "",
}


class TestTheArticle:
    def test_a_known_address_is_used_however_it_was_copied(
        self, article: Article, signed_in: Callable[[str], Client]
    ) -> None:
        client = signed_in("researcher")
        response = client.get(
            ENTER, {"find": "http://example.org/2023/10/09/shelling?utm_source=x#top"}
        )
        assert response["Location"] == f"{ENTER}?article={article.pk}"

    @pytest.mark.parametrize(
        ("one", "other", "is_same"),
        [
            ("https://www.example.org/a/", "http://example.org/a", True),
            ("https://example.org/a?b=1&utm_medium=x", "https://EXAMPLE.org/a?b=1", True),
            ("https://m.example.org/a?c=2&b=1", "https://example.org/a?b=1&c=2", True),
            ("https://example.org/a?b=1", "https://example.org/a?b=2", False),
            ("https://example.org/A", "https://example.org/a", False),
            ("https://example.org/a", "https://example.com/a", False),
            ("https://[broken", "https://[broken", True),
        ],
    )
    def test_what_is_one_address(self, one: str, other: str, is_same: bool) -> None:
        assert (canonical(one) == canonical(other)) is is_same

    def test_a_title_finds_those_that_are_known(
        self, article: Article, signed_in: Callable[[str], Client]
    ) -> None:
        page = page_of(signed_in("researcher"), ENTER, find="SHELLING camp")
        assert f"?article={article.pk}" in page

    def test_a_new_one_is_entered_with_its_record(
        self, outlet: Outlet, signed_in: Callable[[str], Client], people: SimpleNamespace
    ) -> None:
        response = signed_in("researcher").post(f"{ENTER}?find={ADDRESS}", NEW)
        made = Article.objects.get(url=ADDRESS)
        incident = Incident.objects.get(title="Shelling of Laiza")
        assert (made.outlet, made.published, made.language) == (outlet, "2023-10-10", "en")
        assert (incident.author, incident.date_edtf) == (people.researcher, "2023-10-09")
        assert (incident.place, incident.latitude) == (None, None)
        assert response["Location"] == (
            f"{reverse('admin:incidents_claim_add')}?incident={incident.pk}&article={made.pk}"
        )

    @pytest.mark.parametrize("words", ["ကချင်ဂေဇက်", "gazeta kacin", "KACHIN-GAZETTE"])
    def test_its_outlet_is_found_by_any_spelling(
        self, outlet: Outlet, signed_in: Callable[[str], Client], words: str
    ) -> None:
        signed_in("researcher").post(f"{ENTER}?find=x", NEW | {"outlet_words": words})
        assert Article.objects.get(url=ADDRESS).outlet == outlet

    def test_a_new_outlet_is_made_once_its_kind_is_said(
        self, signed_in: Callable[[str], Client]
    ) -> None:
        client = signed_in("researcher")
        new = NEW | {"outlet_words": "Radio Never Heard"}
        page = client.post(f"{ENTER}?find=x", new).content.decode()
        assert "Say what kind of outlet it is" in page
        assert not Incident.objects.filter(title="Shelling of Laiza").exists()
        client.post(f"{ENTER}?find=x", new | {"outlet_kind": "local_media"})
        made = Article.objects.get(url=ADDRESS).outlet
        assert (made.name, made.kind) == ("Radio Never Heard", "local_media")

    def test_it_is_used_again_for_another_incident(
        self, article: Article, signed_in: Callable[[str], Client]
    ) -> None:
        client = signed_in("researcher")
        number = Article.objects.count()
        for title in ("First", "Second"):
            said = {"incident_title": title, "date_edtf": "2023"}
            assert client.post(f"{ENTER}?article={article.pk}", said).status_code == 302
        assert Article.objects.count() == number
        assert set(Incident.objects.filter(title__in=["First", "Second"])) == set(
            Incident.objects.filter(date_edtf="2023", title__in=["First", "Second"])
        )

    def test_records_that_rest_on_it_are_shown_to_who_may_see_them(
        self, draft: Callable[..., Incident], signed_in: Callable[[str], Client]
    ) -> None:
        incident = draft(title="SENTINEL-TITLE")
        asked = {"article": incident.claims.get().article_id}
        assert "SENTINEL-TITLE" in page_of(signed_in("researcher"), ENTER, **asked)
        assert "SENTINEL-TITLE" not in page_of(signed_in("other_researcher"), ENTER, **asked)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"incident_title": ""}, "required"),
            ({"date_edtf": "9.10.2023"}, "10 September 2023 (2023-09-10)"),
            ({"date_edtf": "2999"}, "future"),
            ({"published": "early March 2020"}, "nobody gave the days"),
            ({"url": "example.org"}, "begins with http"),
            ({"outlet_words": ""}, "Say whose article it is"),
            ({"place_words": "Nowhere at all"}, "Nothing is called"),
        ],
    )
    def test_what_is_refused_stores_nothing_and_loses_nothing(
        self,
        outlet: Outlet,
        signed_in: Callable[[str], Client],
        change: dict[str, str],
        said: str,
    ) -> None:
        client = signed_in("researcher")
        response = client.post(f"{ENTER}?find=x", NEW | change)
        page = response.content.decode()
        assert said in page
        for name, text in (NEW | change).items():
            if text and name not in ("outlet", "place"):
                assert f'value="{text}"' in page, name
        assert not Article.objects.filter(url=ADDRESS).exists()
        assert not Incident.objects.filter(title="Shelling of Laiza").exists()

    def test_who_may_not_enter_records_has_no_page(
        self, signed_in: Callable[[str], Client]
    ) -> None:
        assert signed_in("verifier").get(ENTER).status_code == 403
        assert Client().get(ENTER).status_code == 302

    @pytest.mark.parametrize("asked", [{"article": "x"}, {"article": "9" * 30}, {"article": "0"}])
    def test_an_article_that_is_not_there(
        self, signed_in: Callable[[str], Client], asked: dict[str, str]
    ) -> None:
        assert signed_in("researcher").get(ENTER, asked).status_code == 404

    @pytest.mark.parametrize("asked", ["\x00", "a" * 5000, "https://", "%", "_", "http://[", "<b>"])
    def test_any_text_may_be_looked_for(
        self, signed_in: Callable[[str], Client], asked: str
    ) -> None:
        page_of(signed_in("researcher"), ENTER, find=asked)


class TestClaimsOneAfterTheOther:
    def test_the_next_one_keeps_record_and_article(
        self,
        people: SimpleNamespace,
        article: Article,
        outlet: Outlet,
        signed_in: Callable[[str], Client],
        filled: Filled,
    ) -> None:
        with acting(people.researcher):
            incident = services.create_incident(author=people.researcher, title="Shelling")
        client = signed_in("researcher")
        add = f"{reverse('admin:incidents_claim_add')}?incident={incident.pk}&article={article.pk}"
        for number, killed in enumerate(("29", "28-33", "dozens")):
            response = client.get(add)
            page = response.content.decode()
            assert f"Claim {number + 1}" in page
            assert page.count("autofocus") == 1
            data = filled(response, "claim_form")
            data |= {
                "attributed_outlet_words": ["Kachin Gazette"],
                "paraphrase": [f"It says {killed}."],
                "date_said": ["9 Oct 2023"],
                "figure-killed-civilian-all-all": [killed],
                "weaponuses-0-reported_text": ["105 mm howitzer"],
                "weaponuses-0-weapon": ["EXG-ART"],
                "weaponuses-0-certainty": ["alleged"],
                "_next": ["Save and next claim"],
            }
            answer = client.post(add, data)
            assert answer.status_code == 302, answer.context["errors"]
            assert answer["Location"] == add
        claims = incident.claims.order_by("pk")
        assert [claim.article for claim in claims] == [article] * 3
        assert [claim.date_said for claim in claims] == ["2023-10-09"] * 3
        assert [claim.casualtycounts.get().qualifier for claim in claims] == [
            "exact",
            "range",
            "unquantified",
        ]
        use = claims[0].weaponuses.get()
        assert (use.weapon_id, use.reported_text, use.calibre_mm) == (
            "EXG-ART",
            "105 mm howitzer",
            None,
        )
        assert not any(claim.involvements.exists() for claim in claims)

    def test_enter_in_a_field_shows_how_it_is_read_and_loses_nothing(
        self, draft: Callable[..., Incident], signed_in: Callable[[str], Client], filled: Filled
    ) -> None:
        claim = draft().claims.get()
        client = signed_in("researcher")
        page = reverse("admin:incidents_claim_change", args=[claim.pk])
        response = client.get(page)
        # The first button of a form is the one that Enter presses.
        content = response.content.decode()
        assert content.index('name="_read"') < content.index('name="_save"')
        data = filled(response, "claim_form") | {
            "date_said": ["between 3 and 5 May 2021"],
            "note": ["Typed just now."],
            "figure-injured-civilian-all-all": ["at least 10"],
            "weaponuses-0-reported_text": ["105 mm howitzer"],
            "_read": ["Show how it is read"],
        }
        response = client.post(page, data)
        content = response.content.decode()
        assert response.status_code == 200
        assert "Nothing is saved yet." in content
        assert "[2021-05-03..2021-05-05]: between 3 May 2021 and 5 May 2021" in content
        assert "at least: 10 / – / –" in content
        assert "EXG-ART" in content
        assert "names a calibre of 105 mm" in content
        kept = filled(response, "claim_form")
        assert kept["note"] == ["Typed just now."]
        assert kept["figure-injured-civilian-all-all"] == ["at least 10"]
        claim.refresh_from_db()
        assert (claim.note, claim.date_said) == ("", None)
        assert claim.casualtycounts.count() == 1

    def test_words_without_a_type_are_answered_with_the_types_that_they_fit(
        self, draft: Callable[..., Incident], signed_in: Callable[[str], Client], filled: Filled
    ) -> None:
        claim = draft().claims.get()
        client = signed_in("researcher")
        page = reverse("admin:incidents_claim_change", args=[claim.pk])
        data = filled(client.get(page), "claim_form")
        data |= {"weaponuses-0-reported_text": ["လက်နက်ကြီး"], "weaponuses-0-certainty": ["alleged"]}
        content = client.post(page, data).content.decode()
        assert "Choose which it is. The words fit EXG-ART" in content
        assert claim.weaponuses.count() == 0


class TestPlacesByAnySpelling:
    @pytest.fixture
    def twins(self, people: SimpleNamespace) -> list[Place]:
        with acting(people.researcher):
            return [
                services.save(
                    Place(
                        slug=f"nam-ya-{number}",
                        name="Nam Ya",
                        other_names=names,
                        level="settlement",
                        country="MMR",
                        parent=Place.objects.get(slug=parent),
                    )
                )
                for number, (parent, names) in enumerate(
                    [("mmr001", ["နမ့်ယား", "Namya"]), ("mmr002", [])]
                )
            ]

    def page(self, draft: Callable[..., Incident], client: Client, filled: Filled) -> Any:
        incident = draft(place=None)
        page = reverse("admin:incidents_incident_change", args=[incident.pk])
        return incident, page, filled(client.get(page), "incident_form")

    @pytest.mark.parametrize("words", ["နမ့်ယား", "Laiza", "laiza", "LAI-ZA"])
    def test_one_name_chooses_its_place(
        self,
        twins: list[Place],
        draft: Callable[..., Incident],
        signed_in: Callable[[str], Client],
        filled: Filled,
        words: str,
    ) -> None:
        client = signed_in("researcher")
        incident, page, data = self.page(draft, client, filled)
        client.post(page, data | {"place_words": [words]})
        incident.refresh_from_db()
        assert incident.place is not None
        assert incident.place.slug == ("nam-ya-0" if words == "နမ့်ယား" else "laiza")

    def test_two_of_one_name_are_told_apart_by_what_they_lie_in(
        self,
        twins: list[Place],
        draft: Callable[..., Incident],
        signed_in: Callable[[str], Client],
        filled: Filled,
    ) -> None:
        client = signed_in("researcher")
        incident, page, data = self.page(draft, client, filled)
        response = client.post(page, data | {"place_words": ["nam ya"]})
        content = response.content.decode()
        assert "choose one of the list" in content
        for place in twins:
            assert place.parent is not None
            assert f"Nam Ya ({place.get_level_display()}), {place.parent.name}, Myanmar" in content
        # The list came with the page: the second is chosen of it.
        again = filled(response, "incident_form") | {"place": [str(twins[1].pk)]}
        assert client.post(page, again).status_code == 302
        incident.refresh_from_db()
        assert incident.place == twins[1]

    def test_what_was_chosen_before_stays_until_other_words_choose(
        self, draft: Callable[..., Incident], signed_in: Callable[[str], Client], filled: Filled
    ) -> None:
        client = signed_in("researcher")
        incident = draft()
        page = reverse("admin:incidents_incident_change", args=[incident.pk])
        data = filled(client.get(page), "incident_form")
        response = client.post(page, data | {"place_words": ["Nowhere at all"]})
        assert "Nothing is called" in response.content.decode()
        incident.refresh_from_db()
        assert incident.place is not None
        assert incident.place.slug == "laiza"
        data = filled(client.get(page), "incident_form")
        client.post(page, data | {"place": [""], "place_words": [""]})
        incident.refresh_from_db()
        assert incident.place is None

    def test_the_hints_are_for_who_may_see(self, signed_in: Callable[[str], Client]) -> None:
        hints = "/admin/incidents/incident/hints/"
        client = signed_in("researcher")
        found = client.get(f"{hints}place/", {"text": "lai za"}).json()["found"]
        assert any(row["label"].startswith("Laiza (") for row in found)
        read = client.get(f"{hints}date/", {"text": "9.10.2023"}).json()
        assert read["refused"]
        assert "2023-09-10" in read["reading"]
        offers = client.get(f"{hints}weapon/", {"text": "105 mm howitzer"}).json()
        assert offers["offers"][0]["id"] == "EXG-ART"
        assert offers["calibre"] == "105"
        assert client.get(f"{hints}victim/").status_code == 404
        assert Client().get(f"{hints}place/").status_code == 302
        for text in ("\x00", "%", "x" * 5000, "'", "\\"):
            for kind in (*KINDS, "date", "figure", "weapon"):
                assert client.get(f"{hints}{kind}/", {"text": text}).status_code == 200


def test_nothing_of_a_claim_is_entered_by_who_may_not(
    draft: Callable[..., Incident], signed_in: Callable[[str], Client]
) -> None:
    claim = draft().claims.get()
    page = reverse("admin:incidents_claim_change", args=[claim.pk])
    said = {"figure-killed-all-all-all": "5", "revision": "1"}
    assert signed_in("other_researcher").post(page, said).status_code == 404
    assert signed_in("verifier").post(page, said).status_code == 403
    assert Claim.objects.get(pk=claim.pk).casualtycounts.count() == 1

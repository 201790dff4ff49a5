"""The grid of figures on the pages of a claim and of an incident."""

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
from incidents.models import Actor, CasualtyCount, Claim, Incident

pytestmark = pytest.mark.django_db

Filled = Callable[[HttpResponse, str], dict[str, list[str]]]
# The whole that every draft of the tests has, on the claim and in our assessment: two killed.
WHOLE = "figure-killed-civilian-all-all"


@pytest.fixture(params=["claim", "incident"])
def page(
    request: pytest.FixtureRequest,
    draft: Callable[..., Incident],
    signed_in: Callable[[str], Client],
    filled: Filled,
) -> Any:
    """Both pages that have a grid."""
    return opened(request.param, draft(), signed_in("researcher"), filled)


def opened(kind: str, incident: Incident, client: Client, filled: Filled) -> SimpleNamespace:
    row: Any = incident.claims.get() if kind == "claim" else incident
    address = reverse(f"admin:incidents_{kind}_change", args=[row.pk])

    def data() -> dict[str, list[str]]:
        return filled(client.get(address), f"{kind}_form")

    def save(**cells: str) -> HttpResponse:
        changed = {name.replace("__", "-"): [text] for name, text in cells.items()}
        return client.post(address, data() | changed)

    def rows() -> Any:
        return incident.casualtycounts.filter(claim=row if kind == "claim" else None)

    return SimpleNamespace(
        incident=incident, row=row, client=client, address=address, data=data, save=save, rows=rows
    )


CELL = "figure__killed__civilian__{}__{}".format


class TestCells:
    def test_a_row_stands_in_its_cell_as_it_would_be_written(self, page: Any) -> None:
        assert page.data()[WHOLE] == ["2"]

    def test_a_page_saved_as_it_was_opened_changes_nothing(self, page: Any) -> None:
        with acting(page.incident.author):
            services.add_part(
                CasualtyCount,
                incident=page.incident,
                claim=page.row if isinstance(page.row, Claim) else None,
                outcome="injured",
                status="unknown",
                sex="unknown",
                age_group="infant",
                min=1,
                qualifier="at_least",
                reported_text="  a “few”\nbabies ",
            )
        before = HistoryEntry.objects.count()
        assert page.save().status_code == 302
        assert HistoryEntry.objects.count() == before

    def test_each_cell_is_a_row_of_its_own_and_nothing_is_added_up(self, page: Any) -> None:
        answer = page.save(
            **{
                "figure__killed__civilian__all__all": "28-33, best 29",
                CELL("female", "all"): "15",
                CELL("all", "child"): 'at least 11 "11 under 16"',
                CELL("male", "adult"): "none",
                CELL("female", "adult"): "dozens",
                "figure__injured__all__all__all": "about 20",
            }
        )
        assert answer.status_code == 302
        said = {
            (row.outcome, row.status, row.sex, row.age_group): (
                row.min,
                row.best,
                row.max,
                row.qualifier,
                row.reported_text,
            )
            for row in page.rows()
        }
        assert said == {
            ("killed", "civilian", "all", "all"): (28, 29, 33, "range", ""),
            ("killed", "civilian", "female", "all"): (15, 15, 15, "exact", ""),
            ("killed", "civilian", "all", "child"): (11, None, None, "at_least", "11 under 16"),
            ("killed", "civilian", "male", "adult"): (0, 0, 0, "exact", ""),
            ("killed", "civilian", "female", "adult"): (None, None, None, "unquantified", "dozens"),
            ("injured", "all", "all", "all"): (None, 20, None, "approximate", ""),
        }

    def test_an_emptied_cell_says_nothing_and_zero_says_none(self, page: Any) -> None:
        assert page.save(figure__killed__civilian__all__all="0").status_code == 302
        assert page.rows().get().max == 0
        assert page.save(figure__killed__civilian__all__all="").status_code == 302
        assert page.rows().count() == 0

    def test_a_changed_cell_changes_its_row(self, page: Any) -> None:
        row = page.rows().get()
        assert page.save(figure__killed__civilian__all__all="up to 5").status_code == 302
        changed = page.rows().get()
        assert (changed.pk, changed.uuid) == (row.pk, row.uuid)
        assert (changed.min, changed.best, changed.max) == (None, None, 5)

    def test_another_group_has_its_cell_afterwards(self, page: Any) -> None:
        answer = page.save(
            figure_outcome="displaced", figure_status="civilian", figure_of_group="1,200"
        )
        assert answer.status_code == 302
        assert page.rows().get(outcome="displaced").best == 1200
        assert page.data()["figure-displaced-civilian-all-all"] == ["1200"]

    def test_rows_of_a_role_or_a_party_stay_below(self, page: Any) -> None:
        owner = page.row if isinstance(page.row, Claim) else None
        with acting(page.incident.author):
            for about in ({"role": "cadet"}, {"affiliation": Actor.objects.first()}):
                services.add_part(
                    CasualtyCount,
                    incident=page.incident,
                    claim=owner,
                    outcome="killed",
                    status="armed_group",
                    qualifier="unknown",
                    **about,
                )
        data = page.data()
        assert data["casualtycounts-INITIAL_FORMS"] == ["2"]
        assert not [name for name in data if "armed_group" in name]


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("33-28", "do not rise"),
            ("2O", "is not a number of persons"),
            ("a dozen", "is not a number of persons"),
            ("9999999999", "at most"),
        ],
    )
    def test_what_is_no_figure_is_said_at_its_cell(
        self, page: Any, text: str, message: str
    ) -> None:
        response = page.save(figure__killed__civilian__all__all=text)
        form = response.context["adminform"].form
        assert message in str(form.errors[WHOLE])
        assert f'value="{text}"' in response.content.decode()
        assert page.rows().get().best == 2

    def test_a_part_larger_than_its_whole_is_said_at_its_cell(self, page: Any) -> None:
        response = page.save(**{CELL("female", "child"): "5", "figure__killed__all__all__all": "3"})
        form = response.context["adminform"].form
        assert [*form.errors] == ["figure-killed-civilian-female-child"]
        said = str(form.errors["figure-killed-civilian-female-child"])
        assert "A part has at least 5 persons, its whole at most" in said
        assert 'value="5"' in response.content.decode()
        assert page.rows().get().best == 2

    def test_part_and_whole_may_be_raised_together(self, page: Any) -> None:
        raised = {"figure__killed__civilian__all__all": "7", CELL("female", "all"): "6"}
        assert page.save(**raised).status_code == 302
        assert sorted(page.rows().values_list("best", flat=True)) == [6, 7]

    def test_a_figure_of_another_group_says_of_whom(self, page: Any) -> None:
        response = page.save(figure_of_group="5")
        assert "Say of whom the figure is." in response.content.decode()
        assert page.rows().count() == 1

    def test_a_figure_of_a_group_that_stands_in_the_grid(self, page: Any) -> None:
        response = page.save(figure_outcome="killed", figure_status="civilian", figure_of_group="5")
        assert "The grid has a figure of it" in response.content.decode()
        assert page.rows().get().best == 2

    def test_who_saved_first_is_not_overwritten(self, page: Any) -> None:
        data = page.data()
        assert page.save(figure__killed__civilian__all__all="3").status_code == 302
        response = page.client.post(page.address, data | {WHOLE: ["4"]})
        assert "edited after you opened this page" in str(response.context["errors"])
        assert 'value="4"' in response.content.decode()
        assert page.rows().get().best == 3


def test_bases_go_with_an_emptied_cell_of_ours_and_the_page_of_each_is_linked(
    draft: Callable[..., Incident], signed_in: Callable[[str], Client], filled: Filled
) -> None:
    page = opened("incident", draft(), signed_in("researcher"), filled)
    count = page.rows().get()
    assert count.basis.count() == 1
    address = reverse("admin:incidents_casualtycount_change", args=[count.pk])
    assert address in page.client.get(page.address).content.decode()
    assert page.save(figure__killed__civilian__all__all="").status_code == 302
    assert page.incident.bases.count() == 0


def test_a_claim_that_is_only_read_has_all_its_figures(
    draft: Callable[..., Incident], signed_in: Callable[[str], Client]
) -> None:
    claim = draft().claims.get()
    page = reverse("admin:incidents_claim_change", args=[claim.pk])
    content = signed_in("verifier").get(page).content.decode()
    assert 'id="casualtycounts-group"' in content
    assert "figure-killed" not in content
    assert 'name="_save"' not in content


def test_the_page_of_a_claim_costs_the_same_for_more_figures(
    draft: Callable[..., Incident],
    signed_in: Callable[[str], Client],
    filled: Filled,
    django_assert_max_num_queries: Any,
) -> None:
    incident = draft()
    page = opened("claim", incident, signed_in("researcher"), filled)
    with django_assert_max_num_queries(60) as first:
        page.client.get(page.address)
    with acting(incident.author):
        for sex in ("female", "male"):
            for age in ("all", "child", "adult"):
                services.add_part(
                    CasualtyCount,
                    incident=incident,
                    claim=page.row,
                    outcome="killed",
                    status="civilian",
                    sex=sex,
                    age_group=age,
                    qualifier="unknown",
                )
    with django_assert_max_num_queries(60) as then:
        page.client.get(page.address)
    assert len(then) == len(first)

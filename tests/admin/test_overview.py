"""The overview: whose records it counts, and what its figures are of."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents import assignments, workflow
from incidents.choices import State, Verb
from incidents.desk import backlog, charts
from incidents.models import Incident

pytestmark = pytest.mark.django_db(databases=["default", "published"])

SignedIn = Callable[[str], Client]
Draft = Callable[..., Incident]
URL = "/admin/incidents/incident/overview/"


def later(days: float) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(days=days)


@pytest.fixture
def some(draft: Draft, people: SimpleNamespace) -> None:
    """One of each, beside the three that the researcher entered and that are published."""
    for state in (State.DRAFT, State.SUBMITTED, State.VERIFIED, State.PUBLISHED):
        draft(state)
    returned = draft(State.SUBMITTED)
    workflow.take_step(
        Verb.RETURN, incident_id=returned.pk, actor=people.verifier, reason="The date."
    )
    workflow.take_step(Verb.SUBMIT, incident_id=returned.pk, actor=people.researcher)
    assignments.take(people.verifier, returned.uuid)


@pytest.mark.usefixtures("some")
class TestFigures:
    def test_weeks(self) -> None:
        weeks = backlog.weeks(timezone.now())
        assert len(weeks) == backlog.WEEKS
        assert all(week.begins.weekday() == 0 for week in weeks)
        # A record that was returned and submitted again came in once.
        assert (weeks[-1].came_in, weeks[-1].verified, weeks[-1].published) == (7, 5, 4)
        assert sum(week.came_in for week in weeks[:-1]) == 0
        moved = backlog.weeks(later(7))
        assert (moved[-2].came_in, moved[-1].came_in) == (7, 0)

    def test_ages_and_the_oldest(self) -> None:
        for days, place in ((0, 0), (6.9, 0), (7.1, 1), (30.1, 2), (90.1, 3)):
            found = [(age.submitted, age.verified) for age in backlog.ages(later(days))]
            assert found[place] == (2, 1), days
            assert sum(map(sum, found)) == 3, days
        assert backlog.oldest(later(8.5)) == 8

    def test_how_long_they_waited(self) -> None:
        verified, published = backlog.waits(timezone.now())
        assert (verified.records, published.records) == (5, 4)
        assert verified.median == verified.ninth_decile == 0.0
        none = backlog.waits(later(100))[0]
        assert (none.records, none.median, none.ninth_decile) == (0, None, None)

    def test_by_person(self, people: SimpleNamespace) -> None:
        found = {row.name: row for row in backlog.people(timezone.now())}
        # Three from the start, and five, of which one twice.
        assert found["researcher"].submitted == 8
        assert (found["researcher"].waiting, found["verifier"].waiting) == (3, 0)
        assert (found["verifier"].returned, found["verifier"].taken) == (1, 1)
        assert (found["verifier"].verified, found["verifier"].published) == (5, 4)
        assert "administrator" not in found

    def test_by_place(self) -> None:
        found = {row.name: row for row in backlog.places(later(3.5))}
        assert (found["Kachin"].waiting, found["Kachin"].oldest_days) == (3, 3)
        assert sum(row.came_in for row in found.values()) == 7

    def test_of_one_author(self, people: SimpleNamespace) -> None:
        whose = people.other_researcher
        assert backlog.oldest(timezone.now(), whose) is None
        assert sum(age.number for age in backlog.ages(timezone.now(), whose)) == 0
        assert all(not week.came_in for week in backlog.weeks(timezone.now(), whose))
        assert backlog.places(timezone.now(), whose) == []
        assert sum(age.number for age in backlog.ages(timezone.now(), people.researcher)) == 3


@pytest.mark.usefixtures("some")
class TestPage:
    def test_a_verifier_sees_all(self, signed_in: SignedIn) -> None:
        response = signed_in("verifier").get(URL)
        assert response.status_code == 200
        assert response.context["waiting"] == 3
        content = response.content.decode()
        assert "By person" in content
        drawn = re.findall(r'<svg class="chart".*?</svg>', content, re.DOTALL)
        assert len(drawn) == 2
        for chart in drawn:
            assert "<title" in chart
            assert "<desc" in chart
            assert "style=" not in chart

    def test_a_researcher_sees_their_own(self, signed_in: SignedIn) -> None:
        own = signed_in("researcher").get(URL)
        assert own.context["waiting"] == 3
        assert b"By person" not in own.content
        assert signed_in("other_researcher").get(URL).context["waiting"] == 0

    def test_nobody_else_does_and_it_takes_no_post(self, signed_in: SignedIn) -> None:
        assert signed_in("administrator").get(URL).status_code == 403
        assert signed_in("verifier").post(URL).status_code == 405

    def test_it_costs_the_same_for_more(
        self, draft: Draft, signed_in: SignedIn, django_assert_max_num_queries: Any
    ) -> None:
        client = signed_in("verifier")
        for _ in range(2):
            with django_assert_max_num_queries(12):
                client.get(URL)
            for _ in range(3):
                draft(State.SUBMITTED)


class TestFirstPage:
    @pytest.mark.parametrize(
        ("name", "links"),
        [
            ("verifier", ["My work 1", "Queue 3", "Overview"]),
            (
                "researcher",
                [
                    "New incident from an article",
                    "My work 0",
                    "Returned to me 0",
                    "Submitted by me 3",
                    "Overview",
                ],
            ),
            ("administrator", []),
        ],
    )
    def test_it_begins_with_the_work(
        self, name: str, links: list[str], some: None, signed_in: SignedIn
    ) -> None:
        response = signed_in(name).get("/admin/")
        found = re.findall(r'<a class="button" href="[^"]+">(.*?)</a>', response.content.decode())
        assert [re.sub(r"<[^>]+>", "", link) for link in found] == links


class TestCharts:
    @pytest.mark.parametrize(
        ("largest", "axis"),
        [
            (0, [0, 1]),
            (3, [0, 1, 2, 3]),
            (5, [0, 2, 4, 6]),
            (7, [0, 2, 4, 6, 8]),
            (18, [0, 5, 10, 15, 20]),
            (100_000, [0, 50_000, 100_000]),
        ],
    )
    def test_the_axis_ends_at_or_above_the_largest(self, largest: int, axis: list[int]) -> None:
        assert charts.steps(largest) == axis

    def test_bars_stand_on_the_foot(self) -> None:
        chart = charts.grouped(["a", "b"], [("x", [0, 4]), ("y", [2, 1])])
        assert len(chart.bars) == 4
        for bar in chart.bars:
            assert bar.y + bar.height == pytest.approx(chart.foot, abs=0.2)
        highest = max(chart.bars, key=lambda bar: bar.height)
        assert (highest.said, highest.height) == ("b: 4 x", charts.HEIGHT)

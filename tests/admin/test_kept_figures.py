"""Two people at the same grid of figures and the same picked names: nothing is lost.

To show a page takes a second: it is read once for both, and each choice on it is undone before the
next one is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from harmtracker.history.acting import acting
from incidents import services
from incidents.models import Actor, CasualtyCount, Claim, Incident, Involvement, Place
from tests.admin.test_entering import change_url
from tests.admin.test_kept_login import form_of

pytestmark = pytest.mark.django_db

WHOLE = "figure-killed-civilian-all-all"
WOMEN = "figure-killed-civilian-female-all"


@contextmanager
def tried() -> Iterator[None]:
    """What is done in it is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Two:
    """Two browsers of one person in which the page of one row was opened at the same time."""

    def __init__(self, row: Any, sign_in: Callable[[str], Client]) -> None:
        self.row = row
        self.address = change_url(row)
        self.form_id = f"{row._meta.model_name}_form"
        self.clients = [sign_in("researcher"), sign_in("researcher")]
        self.pages = [form_of(self.clients[0].get(self.address), self.form_id)] * 2

    def they_save(self, **typed: str) -> None:
        assert self._send(1, self.pages[1], typed).status_code == 302

    def i_save(self, form: dict[str, list[str]] | None = None, **typed: str) -> HttpResponse:
        return self._send(0, self.pages[0] if form is None else form, typed)

    def _send(self, n: int, form: dict[str, list[str]], typed: dict[str, str]) -> HttpResponse:
        return self.clients[n].post(self.address, form | {k: [v] for k, v in typed.items()})

    def form(self, page: HttpResponse) -> dict[str, list[str]]:
        assert page.status_code == 200
        return form_of(page, self.form_id)

    def figures(self) -> dict[str, tuple[Any, Any]]:
        rows = CasualtyCount.objects.filter(
            **{"claim": self.row}
            if isinstance(self.row, Claim)
            else {"claim": None, "incident": self.row}
        )
        return {f"{row.outcome} {row.sex}": (row.min, row.max) for row in rows}


@pytest.fixture(params=["claim", "incident"])
def two(
    request: pytest.FixtureRequest,
    draft: Callable[..., Incident],
    signed_in: Callable[[str], Client],
) -> Two:
    incident = draft()
    return Two(incident.claims.get() if request.param == "claim" else incident, signed_in)


def lines(page: HttpResponse) -> dict[str, tuple[str, str, str, str]]:
    """Of the table on a page: a field's name, what it was, is, what was typed, and the kind."""
    return {line.name: (line.was, line.now, line.mine, line.kind) for line in page.context["lines"]}


class TestCells:
    def test_different_cells_are_put_together(self, two: Two) -> None:
        two.they_save(**{WOMEN: "1"})
        page = two.i_save(**{WHOLE: "3-4"})
        assert lines(page) == {WHOLE: ("2", "2", "3-4", "mine"), WOMEN: ("", "1", "", "theirs")}
        assert two.i_save(two.form(page)).status_code == 302
        assert two.figures() == {"killed all": (3, 4), "killed female": (1, 1)}

    def test_one_cell_is_chosen(self, two: Two) -> None:
        two.they_save(**{WHOLE: "5"})
        page = two.i_save(**{WHOLE: "3-4"})
        assert lines(page) == {WHOLE: ("2", "5", "3-4", "both")}
        again = two.i_save(two.form(page))
        assert lines(again) == lines(page)
        assert two.figures() == {"killed all": (5, 5)}
        for choice, stands in (("mine", (3, 4)), ("theirs", (5, 5))):
            with tried():
                answer = two.i_save(two.form(again), **{f"choose:{WHOLE}": choice})
                assert answer.status_code == 302
                assert two.figures() == {"killed all": stands}

    def test_a_cell_that_one_empties_and_the_other_changes(self, two: Two) -> None:
        two.they_save(**{WHOLE: ""})
        page = two.i_save(**{WHOLE: "3"})
        assert lines(page) == {WHOLE: ("2", "", "3", "both")}
        choices: dict[str, Any] = {"mine": {"killed all": (3, 3)}, "theirs": {}}
        for choice, stands in choices.items():
            with tried():
                answer = two.i_save(two.form(page), **{f"choose:{WHOLE}": choice})
                assert answer.status_code == 302
                assert two.figures() == stands

    @pytest.mark.parametrize("two", ["claim"], indirect=True)
    def test_what_cannot_be_read_is_kept_as_it_was_typed(self, two: Two) -> None:
        two.they_save(**{WOMEN: "1"})
        page = two.i_save(**{WHOLE: "2O"})
        assert two.form(page)[WHOLE] == ["2O"]
        assert lines(page)[WHOLE] == ("2", "2", "2O", "mine")

    def test_a_cell_of_another_group_that_they_removed_does_not_come_back_by_itself(
        self, draft: Callable[..., Incident], signed_in: Callable[[str], Client]
    ) -> None:
        incident = draft()
        missing = "figure-missing-unknown-all-infant"
        with acting(incident.author):
            services.add_part(
                CasualtyCount,
                incident=incident,
                outcome="missing",
                status="unknown",
                age_group="infant",
                min=1,
                best=1,
                max=1,
                qualifier="exact",
            )
        two = Two(incident, signed_in)
        assert two.pages[0][missing] == ["1"]
        two.they_save(**{missing: ""})
        page = two.i_save(**{WOMEN: "1"})
        assert lines(page) == {WOMEN: ("", "", "1", "mine"), missing: ("1", "", "", "theirs")}
        assert two.i_save(two.form(page)).status_code == 302
        assert two.figures() == {"killed all": (2, 2), "killed female": (1, 1)}

    @pytest.mark.parametrize("two", ["claim"], indirect=True)
    def test_a_choice_that_was_not_made_is_not_forgotten_when_a_third_comes(self, two: Two) -> None:
        two.they_save(**{WHOLE: "5"})
        page = two.i_save(**{WHOLE: "3"})
        two.pages[1] = form_of(two.clients[1].get(two.address), two.form_id)
        two.they_save(**{WOMEN: "1"})
        page = two.i_save(two.form(page))
        assert lines(page)[WHOLE] == ("2", "5", "3", "both")
        page = two.i_save(two.form(page))
        assert "Choose, for each field" in page.content.decode()
        assert two.i_save(two.form(page), **{f"choose:{WHOLE}": "theirs"}).status_code == 302
        assert two.figures() == {"killed all": (5, 5), "killed female": (1, 1)}


class TestPicks:
    """A place that is picked: an id, the words that stand there, the words that stood there."""

    @pytest.fixture
    def two(self, draft: Callable[..., Incident], signed_in: Callable[[str], Client]) -> Two:
        return Two(draft(), signed_in)

    @pytest.fixture
    def other(self) -> Place:
        return Place.objects.exclude(slug="laiza").filter(name__startswith="Man").first() or (
            Place.objects.exclude(slug="laiza").latest("pk")
        )

    def test_theirs_where_i_changed_nothing(self, two: Two, other: Place) -> None:
        two.they_save(place=str(other.pk), place_words=other.name)
        page = two.i_save(summary="Mine")
        assert lines(page)["place"][3] == "theirs"
        assert two.i_save(two.form(page)).status_code == 302
        two.row.refresh_from_db()
        assert (two.row.place, two.row.summary) == (other, "Mine")

    @pytest.mark.parametrize("theirs_is_none", [False, True])
    def test_words_that_i_typed_and_chose_nothing_by(
        self, theirs_is_none: bool, two: Two, other: Place
    ) -> None:
        third = Place.objects.exclude(pk__in=[other.pk, two.row.place_id]).earliest("pk")
        if theirs_is_none:
            two.they_save(place="", place_words="")
        else:
            two.they_save(place=str(other.pk), place_words=other.name)
        page = two.i_save(place="", place_words=third.slug.upper() + " no such name")
        assert lines(page)["place"][2:] == (third.slug.upper() + " no such name", "both")
        form = two.form(page)
        assert form["place_words"] == [third.slug.upper() + " no such name"]
        sent = {
            "mine": {"place": str(third.pk), "place_words": ""},
            # The words stand there still, and ask for nothing.
            "theirs": {"place": "", "place_words": third.name},
        }
        stands = {"mine": third, "theirs": None if theirs_is_none else other}
        for choice, typed in sent.items():
            with tried():
                answer = two.i_save(form, **typed, **{"choose:place": choice})
                assert answer.status_code == 302
                two.row.refresh_from_db()
                assert two.row.place == stands[choice]


class TestRows:
    """Weapons and actors below a record: one removes a row that the other edits."""

    @pytest.fixture
    def two(
        self,
        people: SimpleNamespace,
        draft: Callable[..., Incident],
        signed_in: Callable[[str], Client],
    ) -> Two:
        incident = draft()
        first, second = Actor.objects.order_by("pk")[:2]
        with acting(people.researcher):
            for actor in (first, second):
                services.add_part(
                    Involvement,
                    incident=incident,
                    actor=actor,
                    role="alleged_perpetrator",
                    certainty="alleged",
                )
        return Two(incident, signed_in)

    def test_they_remove_what_i_edit(self, two: Two) -> None:
        two.they_save(**{"involvements-0-DELETE": "on"})
        page = two.i_save(
            **{"involvements-0-reported_text": "Mine", "involvements-1-reported_text": "Also mine"}
        )
        (removed,) = [name for name in lines(page) if name.endswith("DELETE")]
        assert two.i_save(two.form(page)).status_code == 200
        for choice, stands in (("mine", ["Also mine", "Mine"]), ("theirs", ["Also mine"])):
            with tried():
                answer = two.i_save(two.form(page), **{f"choose:{removed}": choice})
                assert answer.status_code == 302
                notes = two.row.involvements.filter(claim=None).order_by("reported_text")
                assert [row.reported_text for row in notes] == stands

    def test_i_remove_what_they_edit(self, two: Two) -> None:
        two.they_save(**{"involvements-0-reported_text": "Theirs"})
        page = two.i_save(**{"involvements-0-DELETE": "on"})
        assert two.i_save(two.form(page)).status_code == 200
        for choice, stands in (("mine", [""]), ("theirs", ["", "Theirs"])):
            with tried():
                answer = two.i_save(two.form(page), **{"choose:involvements-0-DELETE": choice})
                assert answer.status_code == 302
                notes = two.row.involvements.filter(claim=None).order_by("reported_text")
                assert [row.reported_text for row in notes] == stands

    def test_a_choice_follows_its_row_when_rows_are_counted_anew(self, two: Two) -> None:
        two.they_save(**{"involvements-0-DELETE": "on"})
        page = two.i_save(**{"involvements-0-reported_text": "Mine"})
        third = Actor.objects.order_by("pk")[2]
        with acting(two.row.author):
            services.add_part(
                Involvement,
                incident=two.row,
                actor=third,
                role="alleged_perpetrator",
                certainty="alleged",
            )
        page = two.i_save(two.form(page))
        (removed,) = [name for name in lines(page) if name.endswith("DELETE")]
        assert removed == "involvements-2-DELETE"
        assert two.form(page)["involvements-2-reported_text"] == ["Mine"]
        assert two.i_save(two.form(page), **{f"choose:{removed}": "theirs"}).status_code == 302
        actors = {row.actor_id for row in two.row.involvements.filter(claim=None)}
        assert actors == {row.pk for row in Actor.objects.order_by("pk")[1:3]}

"""A page that somebody else edited meanwhile: both are kept, side by side, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from harmtracker.history.acting import acting
from incidents import workflow
from incidents.choices import Verb
from incidents.models import Incident, Place
from tests.admin.test_entering import (  # noqa: F401  (a fixture)
    KILLED,
    change_url,
    new_row,
    opened,
)
from tests.admin.test_kept_login import form_of

pytestmark = pytest.mark.django_db
Opened = Callable[..., tuple[Client, dict[str, Any]]]


def test_other_fields_are_put_together_and_one_more_press_saves(
    draft: Callable[..., Incident],
    opened: Opened,  # noqa: F811
) -> None:
    incident = draft()
    mine, data = opened(incident)
    theirs, other = opened(incident)
    other["title"] = ["Their title"]
    new_row(other, "casualtycounts", **KILLED, min="1", best="1", max="1")
    assert theirs.post(change_url(incident), other).status_code == 302
    data["summary"] = ["My summary"]
    page = mine.post(change_url(incident), data)
    text = page.content.decode()
    assert all(words in text for words in ("Shelling of a village", "Their title", "My summary"))
    form = form_of(page, "incident_form")
    assert (form["title"], form["summary"]) == (["Their title"], ["My summary"])
    assert form["revision"] != data["revision"]
    assert mine.post(change_url(incident), form).status_code == 302
    incident.refresh_from_db()
    assert (incident.title, incident.summary) == ("Their title", "My summary")
    assert incident.casualtycounts.filter(claim=None).count() == 2


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_the_same_field_is_chosen(
    choice: str,
    draft: Callable[..., Incident],
    opened: Opened,  # noqa: F811
) -> None:
    incident = draft()
    mine, data = opened(incident)
    theirs, other = opened(incident)
    other["title"] = ["Their title"]
    assert theirs.post(change_url(incident), other).status_code == 302
    data["title"] = ["My title"]
    form = form_of(mine.post(change_url(incident), data), "incident_form")
    page = mine.post(change_url(incident), form)
    assert page.status_code == 200
    assert "Choose, for each field" in page.content.decode()
    form = form_of(page, "incident_form") | {"choose:title": [choice]}
    assert mine.post(change_url(incident), form).status_code == 302
    incident.refresh_from_db()
    assert incident.title == {"mine": "My title", "theirs": "Their title"}[choice]


def test_a_shared_record_is_not_overwritten(
    people: SimpleNamespace,
    opened: Opened,  # noqa: F811
) -> None:
    place = Place.objects.get(slug="laiza")
    mine, data = opened(place)
    with acting(people.other_researcher, "Spelling"):
        place.name = "Laiza town"
        place.save()
    data |= {"other_names": ["La Iza"], "change_reason": ["A spelling"]}
    page = mine.post(change_url(place), data)
    assert "other_researcher" in page.content.decode()
    form = form_of(page, "place_form")
    assert (form["name"], form["other_names"]) == (["Laiza town"], ["La Iza"])
    assert mine.post(change_url(place), form).status_code == 302


def test_a_record_that_was_submitted_shows_the_text_to_be_copied(
    people: SimpleNamespace,
    draft: Callable[..., Incident],
    opened: Opened,  # noqa: F811
) -> None:
    incident = draft()
    mine, data = opened(incident)
    data["summary"] = ["My long summary"]
    workflow.take_step(
        Verb.SUBMIT,
        incident_id=incident.pk,
        actor=people.researcher,
        revision=incident.revision.number,
    )
    page = mine.post(change_url(incident), data)
    assert page.status_code == 403
    assert "My long summary" in page.content.decode()
    assert "Have it returned first" in page.content.decode()

"""A record with warnings in a real browser: open ones, answered ones, and the form of an answer."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from django.db import connections
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents import answering, services, warnings
from incidents.choices import State, Verb
from incidents.models import Incident
from incidents.workflow import take_step
from tests import builders
from tests.browser.chromium import (
    LAPTOP,
    PHONE,
    Watched,
    chromium,
    in_chromium,
    screenshots,
    session_of,
    signed_in_context,
)
from tests.browser.pages import ARABIC_AND_BURMESE

WAYS = ((LAPTOP, "light"), (PHONE, "dark"))


def warned(draft: Callable[..., Incident], people: SimpleNamespace) -> Incident:
    """A submitted record with three warnings that are open and one that its author answered."""
    incident = draft()
    with acting(people.researcher, "For a test"):
        services.change(incident.claims.get().article, published="2024-05-02")
        children = builders.count(
            incident,
            outcome="killed",
            status="civilian",
            age_group="child",
            min=1,
            best=3,
            max=3,
            qualifier="range",
        )
        builders.basis(incident, count=children, claim=incident.claims.get())
        twin = builders.incident(
            author=people.researcher, title=ARABIC_AND_BURMESE, date_edtf=incident.date_edtf
        )
        builders.count(twin)
    found = warnings.open_in(incident)
    (answered,) = (one for one in found if one.rule == "article_before_event")
    answering.answer(
        people.researcher,
        incident.uuid,
        answered.fingerprint,
        f"Its date is wrong. {ARABIC_AND_BURMESE}",
    )
    return take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)


@in_chromium
def test_warnings_read_well(
    committed: None, people: SimpleNamespace, draft: Callable[..., Incident], server: str
) -> None:
    incident = warned(draft, people)
    assert incident.state == State.SUBMITTED
    assert len(warnings.open_in(incident)) == 3
    address = reverse("admin:incidents_incident_record", args=[incident.pk])
    session = session_of(people.verifier)
    connections.close_all()
    folder = screenshots()
    with chromium() as browser:
        shown = Watched(signed_in_context(browser, server, session, LAPTOP), server)
        for size, scheme in WAYS:
            shown.turn(size, scheme)
            assert shown.open(address) == 200
            assert shown.page.get_by_text("Warnings: 3 open, 1 answered").is_visible()
            for summary in shown.page.locator("#warnings summary").all():
                summary.click()
            assert shown.faults() == [], (size, scheme)
            if folder is not None:
                box = shown.page.locator("#warnings")
                box.screenshot(path=folder / f"warnings-{size[0]}-{scheme}.png")
                shown.page.screenshot(path=folder / f"warned-{size[0]}-{scheme}.png")

"""Entering in a real browser: by keyboard alone, with readings while one types."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.db import connections
from django.urls import reverse

from incidents.models import Incident
from sources.models import Article
from tests.browser.chromium import (
    LAPTOP,
    PHONE,
    ZOOMED,
    Watched,
    chromium,
    in_chromium,
    screenshots,
    session_of,
    signed_in_context,
)
from tests.browser.pages import rules_after

BURMESE_AND_ARABIC = "မုန့်လိုင်ခက် စခန်း — قصف على مخيم"


@in_chromium
def test_a_record_is_entered_by_keyboard_alone(
    committed: None, people: SimpleNamespace, server: str
) -> None:
    key = session_of(people.researcher)
    connections.close_all()
    with chromium() as browser:
        watched = Watched(signed_in_context(browser, server, key, LAPTOP), server)
        page = watched.page
        page.set_default_timeout(20_000)
        keys = page.keyboard
        page.goto(f"{server}/admin/incidents/incident/enter/")
        page.locator("input:focus").wait_for()
        keys.type("https://example.org/a-new-story")
        keys.press("Enter")
        page.locator("#id_title:focus").wait_for()
        keys.type("Shelling of a camp")
        keys.press("Tab")
        page.locator("#id_outlet_words:focus").wait_for()
        keys.type("kachin news")
        page.locator("li[role=option][aria-selected=true]").wait_for()
        keys.press("Enter")
        keys.press("Tab")
        keys.press("Tab")
        keys.type("10 Oct 2023")
        page.get_by_text("2023-10-10: 10 October 2023").wait_for()
        keys.press("Tab")
        keys.type("en")
        keys.press("Tab")
        keys.press("Tab")
        keys.type("Shelling of Laiza")
        keys.press("Tab")
        keys.type("9 Oct 2023")
        keys.press("Tab")
        page.locator("#id_place_words:focus").wait_for()
        keys.type("laiza")
        page.locator("li[role=option][aria-selected=true]").wait_for()
        keys.press("Enter")
        # Its point is on the map at once.
        page.locator("#map .leaflet-interactive").wait_for(state="attached")
        keys.press("Enter")
        page.locator("#claim_form").wait_for()
        for number, figure in enumerate(("29", "at least 30"), 1):
            page.get_by_text(f"Claim {number}").first.wait_for()
            page.locator("#id_attributed_outlet_words:focus").wait_for()
            keys.type("kachin news")
            page.locator("li[role=option][aria-selected=true]").wait_for()
            keys.press("Enter")
            page.locator("#id_paraphrase").focus()
            keys.type(f"{figure} killed.")
            page.locator("#id_figure-killed-civilian-all-all").focus()
            keys.type(figure)
            # Enter goes on to the next cell, and saves nothing.
            keys.press("Enter")
            page.locator("#id_figure-killed-civilian-female-all:focus").wait_for()
            page.locator("#id_weaponuses-0-reported_text").focus()
            keys.type("105 mm howitzer")
            page.get_by_role("button", name="EXG-ART").click()
            page.get_by_role("button", name="calibre 105 mm").click()
            page.locator("#id_weaponuses-0-certainty").select_option("alleged")
            keys.press("Control+Enter")
        page.get_by_text("Claim 3").first.wait_for()
    assert watched.complaints == []
    incident = Incident.objects.using("default").get(title="Shelling of Laiza")
    assert incident.place is not None
    assert (incident.date_edtf, incident.place.slug) == ("2023-10-09", "laiza")
    first, second = incident.claims.order_by("pk")
    assert first.article == second.article == Article.objects.get(url__endswith="a-new-story")
    assert (first.casualtycounts.get().best, second.casualtycounts.get().min) == (29, 30)
    assert first.weaponuses.get().calibre_mm == 105


@in_chromium
def test_a_point_is_clicked_on_the_map(
    committed: None, people: SimpleNamespace, draft: Any, server: str
) -> None:
    incident = draft()
    address = reverse("admin:incidents_incident_change", args=[incident.pk])
    key = session_of(people.researcher)
    connections.close_all()
    with chromium() as browser:
        watched = Watched(signed_in_context(browser, server, key, LAPTOP), server)
        page = watched.page
        page.set_default_timeout(20_000)
        page.goto(server + address)
        page.locator("#map path").first.wait_for(state="attached")
        page.locator("#map").click(position={"x": 200, "y": 100})
        assert float(page.locator("#id_latitude").input_value()) != 0
        assert float(page.locator("#id_longitude").input_value()) > 60
        page.locator("#id_place_precision").select_option("settlement")
        page.locator("#id_point_basis").select_option("gazetteer")
        page.get_by_role("button", name="Save", exact=True).click()
        page.locator(".messagelist .success").wait_for()
    incident.refresh_from_db()
    assert incident.longitude is not None
    assert watched.complaints == []


# A page is loaded once in each size: its scripts look at it.
WAYS = ((LAPTOP, "light"), (LAPTOP, "dark"), (PHONE, "light"), (ZOOMED, "light"))


@in_chromium
def test_every_page_for_entering_reads_well(
    committed: None,
    people: SimpleNamespace,
    draft: Callable[..., Incident],
    server: str,
) -> None:
    incident = draft(title=BURMESE_AND_ARABIC, summary=BURMESE_AND_ARABIC)
    claim, count = incident.claims.get(), incident.casualtycounts.get(claim=None)
    enter = reverse("admin:incidents_incident_enter")
    add = reverse("admin:incidents_claim_add")
    pages = {
        "enter": enter,
        "enter_find": f"{enter}?find=shelling",
        "enter_article": f"{enter}?article={claim.article_id}",
        "claim_add": f"{add}?incident={incident.pk}&article={claim.article_id}",
        "claim_change": reverse("admin:incidents_claim_change", args=[claim.pk]),
        "incident_change": reverse("admin:incidents_incident_change", args=[incident.pk]),
        "incident_unfolded": reverse("admin:incidents_incident_change", args=[incident.pk]),
        "count_change": reverse("admin:incidents_casualtycount_change", args=[count.pk]),
        "place_change": reverse("admin:incidents_place_change", args=[incident.place_id]),
    }
    key = session_of(people.researcher)
    connections.close_all()
    folder = screenshots()
    wrong: dict[str, Any] = {}
    with chromium() as browser:
        watched = Watched(signed_in_context(browser, server, key, LAPTOP), server)
        for name, address in pages.items():
            before = None
            for size, scheme in WAYS:
                watched.turn(size, scheme)
                called = f"{name}-{size[0]}-{scheme}"
                if before != size:
                    if (status := watched.open(address)) != 200:
                        wrong[f"{called} answers"] = status
                    if name == "claim_change":
                        _write(watched.page)
                    if name == "incident_unfolded":
                        _unfold(watched.page)
                if folder is not None:
                    watched.page.screenshot(path=folder / f"{called}.png", full_page=True)
                if faults := watched.faults(rules_after(before, size)):
                    wrong[called] = faults
                before = size
    assert not wrong, wrong


def _unfold(page: Any) -> None:
    """Rows that are long, and the list of records that a link can be made to."""
    for heading in page.locator("fieldset > details > summary").all():
        heading.click()
    page.locator("#id_links-0-other_words").fill("MMR")
    page.locator("#links-group li[role=option][aria-selected=true]").wait_for()


def _write(page: Any) -> None:
    """What is read back while it is typed: good, bad, and with offers."""
    page.locator("#id_date_said").fill("between 3 and 5 May 2021")
    page.locator("#id_weaponuses-0-reported_text").fill("105 mm howitzer")
    page.locator("#id_figure-killed-civilian-female-all").fill("at least 1")
    page.locator("#id_figure-killed-civilian-all-child").fill("2O")
    page.get_by_role("button", name="calibre 105 mm").wait_for()
    page.locator("#id_figure-killed-civilian-all-child_reading.refused").wait_for()

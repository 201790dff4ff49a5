"""Entering in a real browser: by keyboard alone, with readings while one types."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright

from incidents.models import Incident, Place
from sources.models import Article
from tests.admin.test_browser_desk import ARABIC_AND_BURMESE, AXE, GRAVE, SIZES
from tests.admin.test_browser_first_incident import CHROMIUM, FLAGS
from tests.clients import logged_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ, reason="needs Chromium (apt install chromium)"
    ),
]


@contextmanager
def browser(people: SimpleNamespace, server: str) -> Iterator[Any]:
    """Pages of the researcher in Chromium, and what they complained of.

    Inside of it this thread asks no database.
    """
    key = logged_in(people.researcher).cookies[settings.SESSION_COOKIE_NAME].value
    connections.close_all()
    complaints: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def open_page(width: int = 1280, height: int = 900, **more: Any) -> Page:
            context = chromium.new_context(viewport={"width": width, "height": height}, **more)
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": server}]
            )
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.on("console", lambda said: complaints.append(said.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield SimpleNamespace(page=open_page, complaints=complaints)
        chromium.close()


def test_a_record_is_entered_by_keyboard_alone(
    committed: None, people: SimpleNamespace, server: str
) -> None:
    with browser(people, server) as opened:
        page = opened.page()
        keys = page.keyboard
        page.goto(f"{server}/admin/incidents/incident/enter/")
        keys.type("https://example.org/a-new-story")
        keys.press("Enter")
        page.locator("#id_title").wait_for()
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
            keys.press("Alt+n")
        page.get_by_text("Claim 3").first.wait_for()
    assert opened.complaints == []
    incident = Incident.objects.using("default").get(title="Shelling of Laiza")
    assert incident.place is not None
    assert (incident.date_edtf, incident.place.slug) == ("2023-10-09", "laiza")
    first, second = incident.claims.order_by("pk")
    assert first.article == second.article == Article.objects.get(url__endswith="a-new-story")
    assert (first.casualtycounts.get().best, second.casualtycounts.get().min) == (29, 30)
    assert first.weaponuses.get().calibre_mm == 105


def test_a_point_is_clicked_on_the_map(
    committed: None, people: SimpleNamespace, draft: Any, server: str
) -> None:
    incident = draft()
    address = reverse("admin:incidents_incident_change", args=[incident.pk])
    with browser(people, server) as opened:
        page = opened.page()
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
    assert opened.complaints == []


def test_every_page_for_entering_reads_well(
    committed: None, people: SimpleNamespace, draft: Any, server: str, tmp_path: Path
) -> None:
    incident = draft(title=ARABIC_AND_BURMESE, summary=ARABIC_AND_BURMESE)
    claim = incident.claims.get()
    assert Place.objects.filter(slug="laiza").exists()
    enter = "/admin/incidents/incident/enter/"
    add = reverse("admin:incidents_claim_add")
    addresses = {
        "enter": enter,
        "enter-find": f"{enter}?find=shelling",
        "enter-article": f"{enter}?article={claim.article_id}",
        "claim-add": f"{add}?incident={incident.pk}&article={claim.article_id}",
        "claim": reverse("admin:incidents_claim_change", args=[claim.pk]),
        "incident": reverse("admin:incidents_incident_change", args=[incident.pk]),
    }
    folder = Path(os.environ.get("HARMTRACKER_TEST_SCREENSHOTS", tmp_path))
    with browser(people, server) as opened:
        for scheme in ("light", "dark"):
            for width, height in SIZES:
                page = opened.page(width, height, color_scheme=scheme)
                for name, address in addresses.items():
                    answer = page.goto(f"{server}{address}")
                    assert answer is not None
                    assert answer.status == 200, address
                    if name == "claim":
                        page.locator("#id_date_said").fill("between 3 and 5 May 2021")
                        page.locator("#id_weaponuses-0-reported_text").fill("105 mm howitzer")
                        page.locator("#id_figure-killed-civilian-female-all").fill("at least 1")
                        page.locator("#id_figure-killed-civilian-all-child").fill("2O")
                        page.get_by_role("button", name="calibre 105 mm").wait_for()
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                    assert opened.complaints == [], address
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, address
                    page.evaluate(AXE)
                    assert page.evaluate(GRAVE) == [], (address, scheme, width)
                    opened.complaints.clear()
                page.context.close()

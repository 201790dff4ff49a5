"""The desk in a real browser: nothing that axe calls serious, nothing from another host."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import axe_playwright_python
import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import sync_playwright

from incidents.models import Incident
from tests.admin.test_browser_first_incident import CHROMIUM, FLAGS
from tests.clients import logged_in

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
GRAVE = """async () => (await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
})).violations.filter(v => ["serious", "critical"].includes(v.impact))
   .map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))])"""
SIZES = [(1280, 900), (390, 800)]
ARABIC_AND_BURMESE = "قصف على مخيم — မုန့်လိုင်ခက် စခန်း"


@pytest.mark.browser
@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="needs Chromium (apt install chromium)"
)
def test_every_page_reads_well(
    committed: None, people: SimpleNamespace, draft: Any, server: str, tmp_path: Path
) -> None:
    key = logged_in(people.verifier).cookies[settings.SESSION_COOKIE_NAME].value
    airstrike = Incident.objects.get(code__startswith="MMR-2023-")
    burmese = draft(title=ARABIC_AND_BURMESE, summary=ARABIC_AND_BURMESE)
    records = "/admin/incidents/incident/"
    addresses = [
        "/admin/",
        f"{records}queue/",
        *(f"{records}{airstrike.pk}/{name}/" for name in ("record", "timeline", "differences")),
        f"{records}{burmese.pk}/record/",
        f"{records}{airstrike.pk}/step/propose_retraction/",
    ]
    connections.close_all()
    folder = Path(os.environ.get("HARMTRACKER_TEST_SCREENSHOTS", tmp_path))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for scheme in ("light", "dark"):
            for width, height in SIZES:
                context = chromium.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,  # type: ignore[arg-type]
                )
                context.add_cookies(
                    [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": server}]
                )
                page = context.new_page()
                complaints: list[str] = []
                hosts: set[str] = set()
                page.on("console", lambda said: complaints.append(said.text))  # noqa: B023
                page.on("pageerror", lambda error: complaints.append(str(error)))  # noqa: B023
                page.on("request", lambda asked: hosts.add(asked.url.split("/")[2]))  # noqa: B023
                for number, address in enumerate(addresses):
                    answer = page.goto(f"{server}{address}")
                    assert answer is not None
                    assert answer.status == 200, address
                    page.screenshot(path=folder / f"{number}-{width}-{scheme}.png", full_page=True)
                    assert complaints == [], address
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, address
                    page.evaluate(AXE)
                    assert page.evaluate(GRAVE) == [], (address, scheme, width)
                    # What axe's own style sheets and probes complain of is not the page's.
                    complaints.clear()
                assert hosts <= {server.split("/")[2]}
                context.close()
        chromium.close()

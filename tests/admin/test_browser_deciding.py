"""The pages of decisions in a real browser: nothing that axe calls serious, wide or narrow."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Page, sync_playwright

from incidents import workflow
from incidents.choices import State
from incidents.importers.ucdp_import import import_file
from incidents.models import Incident
from tests.admin.test_browser_desk import ARABIC_AND_BURMESE, AXE, GRAVE, SIZES
from tests.admin.test_browser_first_incident import CHROMIUM, FLAGS
from tests.clients import logged_in
from tests.importers.files import one_sided, row, write

RECORDS = "/admin/incidents/incident/"


def reads_well(page: Page, name: str, folder: Path, width: int, scheme: str) -> None:
    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.evaluate(AXE)
    assert page.evaluate(GRAVE) == [], (name, width, scheme)


@pytest.mark.browser
@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="needs Chromium (apt install chromium)"
)
def test_every_page_of_a_decision_reads_well(
    committed: None, people: SimpleNamespace, draft: Any, server: str, tmp_path: Path
) -> None:
    people.verifier.groups.add(*people.researcher.groups.all())
    key = logged_in(people.verifier).cookies[settings.SESSION_COOKIE_NAME].value
    airstrike = Incident.objects.get(code__startswith="MMR-2023-")
    submitted = draft(State.SUBMITTED, title=ARABIC_AND_BURMESE, summary=ARABIC_AND_BURMESE)
    one, other = draft(), draft()
    rows = [row(id="1"), one_sided(id="2", low="9"), row(id="3", best="x")]
    batch = import_file(write(tmp_path, *rows), people.researcher).batch
    assert batch is not None
    workflow.take_step(
        "propose_retraction", incident_id=airstrike.pk, actor=people.other_verifier, reason="Twice."
    )
    pages = {
        "verify": f"{RECORDS}{submitted.pk}/step/verify/",
        "return": f"{RECORDS}{submitted.pk}/step/return/",
        "reopen": f"{RECORDS}{airstrike.pk}/step/reopen/",
        "retract": f"{RECORDS}{airstrike.pk}/step/retract/",
        "merge": f"{RECORDS}{one.pk}/merge/?with={other.pk}",
        "import": f"/admin/incidents/importbatch/{batch.pk}/change/?seed=1",
        "rows": f"/admin/incidents/importbatch/{batch.pk}/rows/",
        "decide": f"/admin/incidents/importbatch/{batch.pk}/decide/verify/",
    }
    connections.close_all()
    folder = Path(os.environ.get("HARMTRACKER_TEST_SCREENSHOTS", tmp_path))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for scheme, (width, height) in zip(("light", "dark"), SIZES, strict=True):
            context = chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": server}]
            )
            page = context.new_page()
            for name, address in pages.items():
                answer = page.goto(f"{server}{address}")
                assert answer is not None
                assert answer.status == 200, address
                reads_well(page, name, folder, width, scheme)
            page.goto(f"{server}{RECORDS}{airstrike.pk}/redact/")
            page.get_by_label("Name or text").fill("Mung Lai Hkyet")
            page.get_by_role("button", name="Show what holds it").click()
            page.locator("#take_out_form").wait_for()
            assert "Mung" not in page.url
            reads_well(page, "redact", folder, width, scheme)
            context.close()
        chromium.close()

"""The pages on which something is decided, in a real browser, on a laptop and a phone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.db import connections
from django.urls import reverse

from incidents import workflow
from incidents.choices import State
from incidents.importers.ucdp_import import import_file
from incidents.models import Incident
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
from tests.browser.pages import ARABIC_AND_BURMESE, rules_after
from tests.importers.files import one_sided, row, write

WAYS = ((LAPTOP, "light"), (PHONE, "dark"))


@in_chromium
def test_every_page_of_a_decision_reads_well(
    committed: None,
    people: SimpleNamespace,
    draft: Callable[..., Incident],
    server: str,
    tmp_path: Path,
) -> None:
    people.verifier.groups.add(*people.researcher.groups.all())
    airstrike = Incident.objects.get(code__startswith="MMR-2023-")
    submitted = draft(State.SUBMITTED, title=ARABIC_AND_BURMESE, summary=ARABIC_AND_BURMESE)
    one, other = draft(), draft()
    rows = [row(id="1"), one_sided(id="2", low="9"), row(id="3", best="x")]
    batch = import_file(write(tmp_path, *rows), people.researcher).batch
    assert batch is not None
    workflow.take_step(
        "propose_retraction", incident_id=airstrike.pk, actor=people.other_verifier, reason="Twice."
    )

    def of(name: str, *args: Any) -> str:
        return reverse(f"admin:incidents_{name}", args=args)

    pages = {
        "verify": of("incident_step", submitted.pk, "verify"),
        "return": of("incident_step", submitted.pk, "return"),
        "reopen": of("incident_step", airstrike.pk, "reopen"),
        "retract": of("incident_step", airstrike.pk, "retract"),
        "merge": of("incident_merge", one.pk) + f"?with={other.pk}",
        "import": of("importbatch_change", batch.pk) + "?seed=1",
        "rows": of("importbatch_rows", batch.pk),
        "decide": of("importbatch_decide", batch.pk, "verify"),
    }
    session = session_of(people.verifier)
    connections.close_all()
    folder = screenshots()
    wrong: dict[str, Any] = {}
    with chromium() as browser:
        watched = Watched(signed_in_context(browser, server, session, LAPTOP), server)

        def look(name: str, size: tuple[int, int], scheme: str) -> None:
            called = f"decide-{name}-{size[0]}-{scheme}"
            if folder is not None:
                watched.page.screenshot(path=folder / f"{called}.png", full_page=True)
            before = None if (size, scheme) == WAYS[0] else WAYS[0][0]
            if faults := watched.faults(rules_after(before, size)):
                wrong[called] = faults

        for way in WAYS:
            watched.turn(*way)
            for name, address in pages.items():
                assert watched.open(address) == 200, address
                look(name, *way)
            watched.open(of("incident_redact", airstrike.pk))
            watched.page.get_by_label("Name or text").fill("Mung Lai Hkyet")
            watched.page.get_by_role("button", name="Show what holds it").click()
            watched.page.locator("#take_out_form").wait_for()
            assert "Mung" not in watched.page.url
            look("redact", *way)
    assert not wrong, json.dumps(wrong, indent=1)

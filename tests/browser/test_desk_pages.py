"""The desk's own pages, on which people spend their day, in every way: on a laptop and a phone, in
light and dark, zoomed."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.urls import reverse

from incidents.choices import State, Verb
from incidents.models import Incident
from tests.browser.chromium import LAPTOP, PHONE, in_chromium
from tests.browser.pages import ARABIC_AND_BURMESE, EVERY_WAY, readers_of, wrong_in
from tests.patience import EVERY

WALKED_IN = ((LAPTOP, "light"), (PHONE, "dark")) if EVERY else ((LAPTOP, "light"),)
# Of 42 claims and 480 things to press: in CI the record of five is gone through by keyboard.
LONG = "record"


def desk_pages(
    airstrike: Incident, five_claims: Incident, burmese: Incident, waiting: Incident
) -> dict[str, str]:
    """Name -> address of the desk's own pages."""

    def of(incident: Incident, page: str, *more: Any) -> str:
        return reverse(f"admin:incidents_incident_{page}", args=[incident.pk, *more])

    return {
        "queue": reverse("admin:incidents_incident_queue"),
        "overview": reverse("admin:incidents_incident_overview"),
        LONG: of(airstrike, "record"),
        "record_five_claims": of(five_claims, "record"),
        "record_burmese": of(burmese, "record"),
        "timeline": of(airstrike, "timeline"),
        "differences": of(airstrike, "differences"),
        "return": of(waiting, "step", Verb.RETURN.value),
        "verify": of(waiting, "step", Verb.VERIFY.value),
        "retract": of(airstrike, "step", Verb.PROPOSE_RETRACTION.value),
        "edit": of(burmese, "change"),
        "claim": reverse("admin:incidents_claim_add") + f"?incident={burmese.pk}",
    }


@in_chromium
def test_every_page_of_the_desk_reads_well(
    committed: None, people: SimpleNamespace, draft: Callable[..., Incident], server: str
) -> None:
    burmese = draft(title=ARABIC_AND_BURMESE, summary=ARABIC_AND_BURMESE)
    airstrike = Incident.objects.get(code__startswith="MMR-2023-")
    five_claims = Incident.objects.get(code__startswith="MMR-2024-")
    pages = desk_pages(airstrike, five_claims, burmese, draft(State.SUBMITTED))
    readers = readers_of(pages, [people.verifier, people.researcher])
    assert set(pages) == set(readers), "a page of the desk is shown to nobody"
    # Its pages have maps, which look at the window when they are loaded.
    wrong = wrong_in(
        pages,
        readers,
        server,
        EVERY_WAY,
        load_each_size=True,
        walked_in=WALKED_IN,
        walked=None if EVERY else pages.keys() - {LONG},
    )
    assert not wrong, json.dumps(wrong, indent=1)

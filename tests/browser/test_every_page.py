"""Every page of the admin in a real browser: nothing that axe calls serious, nothing from another
host, nothing wider than the window; on a laptop and a phone, in light and dark, zoomed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from django.contrib import admin
from django.db import connections
from django.test import Client
from django.urls import NoReverseMatch, reverse

from harmtracker.accounts import tokens
from harmtracker.accounts.models import User
from incidents.choices import State, Verb
from incidents.models import Claim, Incident
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
from tests.clients import logged_in

ARABIC_AND_BURMESE = "قصف على مخيم — မုန့်လိုင်ခက် စခန်း"
EVERY = ((LAPTOP, "light"), (PHONE, "dark"))
# The pages on which people spend their day are looked at in every way.
DESK = (
    (LAPTOP, "light"),
    (LAPTOP, "dark"),
    (PHONE, "dark"),
    (PHONE, "light"),
    (ZOOMED, "light"),
)


def _of_models() -> Iterator[tuple[str, str]]:
    """(name, address) of the stock pages of each model: its list, adding, and of its last row the
    page, its history, its removal."""
    yield "index", reverse("admin:index")
    yield "password_change", reverse("admin:password_change")
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield f"{name}_list", reverse(f"admin:{name}_changelist")
        yield f"{name}_add", reverse(f"admin:{name}_add")
        last = model._default_manager.order_by("-pk").first()
        if last is None:
            continue
        for page in ("change", "history", "delete"):
            try:
                yield f"{name}_{page}", reverse(f"admin:{name}_{page}", args=[last.pk])
            except NoReverseMatch:
                continue


def desk_pages(airstrike: Incident, burmese: Incident, waiting: Incident) -> dict[str, str]:
    """Name -> address of the desk's own pages."""

    def of(incident: Incident, page: str, *more: Any) -> str:
        return reverse(f"admin:incidents_incident_{page}", args=[incident.pk, *more])

    return {
        "queue": reverse("admin:incidents_incident_queue"),
        "overview": reverse("admin:incidents_incident_overview"),
        "record": of(airstrike, "record"),
        "record_burmese": of(burmese, "record"),
        "timeline": of(airstrike, "timeline"),
        "differences": of(airstrike, "differences"),
        "return": of(waiting, "step", Verb.RETURN.value),
        "verify": of(waiting, "step", Verb.VERIFY.value),
        "retract": of(airstrike, "step", Verb.PROPOSE_RETRACTION.value),
        "edit": of(burmese, "change"),
        "claim": reverse("admin:incidents_claim_add") + f"?incident={burmese.pk}",
    }


def readers_of(pages: dict[str, str], people: list[User]) -> dict[str, User]:
    """Of each page the first of some people to whom it is shown; a page for nobody is left out."""
    readers: dict[str, User] = {}
    for person in people:
        client: Client = logged_in(person)
        for name, address in pages.items():
            if name not in readers and client.get(address).status_code == 200:
                readers[name] = person
    return readers


@in_chromium
def test_every_page_reads_well(
    committed: None,
    people: SimpleNamespace,
    draft: Callable[..., Incident],
    server: str,
) -> None:
    tokens.issue(people.verifier, "A script", ["casework:read"], None, people.verifier)
    burmese = draft(title=ARABIC_AND_BURMESE, summary=ARABIC_AND_BURMESE)
    Claim.objects.get(incident=burmese)
    desk = desk_pages(
        Incident.objects.get(code__startswith="MMR-2023-"), burmese, draft(State.SUBMITTED)
    )
    stock = {name: address for name, address in _of_models() if address not in desk.values()}
    order = [people.verifier, people.researcher, people.administrator]
    readers = readers_of({**desk, **stock}, order)
    assert set(desk) <= set(readers), "a page of the desk is shown to nobody"
    sessions = {person.pk: session_of(person) for person in order}
    connections.close_all()

    folder = screenshots()
    wrong: dict[str, Any] = {}
    with chromium() as browser:
        for person in order:
            context = signed_in_context(browser, server, sessions[person.pk], LAPTOP)
            watched = Watched(context, server)
            for name, address in {**desk, **stock}.items():
                if readers.get(name) != person:
                    continue
                before = None
                for size, scheme in DESK if name in desk else EVERY:
                    watched.turn(size, scheme)
                    called = f"{name}-{size[0]}-{scheme}"
                    # A page is loaded once, and of the desk's, with its maps, once in each size.
                    if before is None or (name in desk and before != size):
                        if (status := watched.open(address)) != 200:
                            wrong[f"{called} answers"] = status
                    if folder is not None:
                        watched.page.screenshot(path=folder / f"{called}.png", full_page=True)
                    if faults := watched.faults(only_colours=before == size):
                        wrong[called] = faults
                    before = size
            context.close()
    assert not wrong, json.dumps(wrong, indent=1)

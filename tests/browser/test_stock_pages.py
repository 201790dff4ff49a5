"""Every stock page of the admin: on a laptop by day or on a phone in the dark by turns, or with
``HARMTRACKER_TEST_EVERY=1`` each in every way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace

from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from harmtracker.accounts import tokens
from incidents.choices import State
from incidents.models import Incident
from tests.browser.chromium import LAPTOP, PHONE, in_chromium
from tests.browser.pages import ARABIC_AND_BURMESE, EVERY_WAY, Way, readers_of, wrong_in
from tests.patience import EVERY

TWO_WAYS = ((LAPTOP, "light"), (PHONE, "dark"))
# Gone through by keyboard in CI too: wide lists, and rows of several fields.
WIDE = ("incidents_incident_list", "history_historyentry_list", "incidents_incident_add")


def of_models() -> Iterator[tuple[str, str]]:
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


@in_chromium
def test_every_stock_page_reads_well(
    committed: None, people: SimpleNamespace, draft: Callable[..., Incident], server: str
) -> None:
    tokens.issue(people.verifier, "A script", ["casework:read"], None, people.verifier)
    draft(State.SUBMITTED, title=ARABIC_AND_BURMESE, summary=ARABIC_AND_BURMESE)
    pages = dict(of_models())
    readers = readers_of(pages, [people.verifier, people.researcher, people.administrator])
    shares = [(EVERY_WAY, pages)] if EVERY else [*_shared(pages)]
    for ways, share in shares:
        wrong = wrong_in(
            share,
            readers,
            server,
            ways,
            load_each_size=False,
            walked_in=TWO_WAYS,
            walked=None if EVERY else WIDE,
        )
        assert not wrong, json.dumps(wrong, indent=1)


def _shared(pages: dict[str, str]) -> Iterator[tuple[tuple[Way, ...], dict[str, str]]]:
    """Each page in one of the two ways, by turns, and the wide ones in both."""
    for number, way in enumerate(TWO_WAYS):
        share = {
            name: address
            for place, (name, address) in enumerate(pages.items())
            if place % len(TWO_WAYS) == number or name in WIDE
        }
        yield (way,), share

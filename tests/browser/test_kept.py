"""What was typed is there still, in a real browser: a colleague was faster, a session ended."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db import connections
from django.urls import reverse
from playwright.sync_api import Page

from harmtracker.accounts.models import Authenticator
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
from tests.browser.pages import rules_after
from tests.clients import code_by
from tests.database import PASSWORD

MINE = "Mine — မုန့်လိုင်ခက် قصف"
CELL = "#id_figure-killed-civilian-female-all"


def looks(watched: Watched, name: str) -> dict[str, Any]:
    """What is wrong with the page as it stands, on a laptop by day and a phone in the dark."""
    wrong: dict[str, Any] = {}
    folder = screenshots()
    before = None
    for size, scheme in ((PHONE, "dark"), (LAPTOP, "light")):
        watched.turn(size, scheme)
        if folder is not None:
            watched.page.screenshot(path=folder / f"kept-{name}-{scheme}.png", full_page=True)
        if faults := watched.faults(rules_after(before, size)):
            wrong[f"{name} {scheme}"] = faults
        before = size
    return wrong


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


@in_chromium
def test_text_is_kept(
    committed: None, people: SimpleNamespace, draft: Callable[..., Incident], server: str
) -> None:
    incident = draft()
    address = server + reverse("admin:incidents_incident_change", args=[incident.pk])
    mine, theirs = session_of(people.researcher), session_of(people.researcher)
    app = Authenticator.objects.get(user=people.researcher, confirmed=True)
    connections.close_all()
    wrong: dict[str, Any] = {}
    with chromium() as browser:
        watched = Watched(signed_in_context(browser, server, mine, LAPTOP), server)
        colleague = signed_in_context(browser, server, theirs, LAPTOP).new_page()
        page = watched.page
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        for each in (page, colleague):
            each.set_default_timeout(30_000)
            each.goto(address)

        # A colleague is faster. Both edit one field, and each of us another one.
        colleague.locator("#id_title").fill("Their title")
        colleague.locator("#id_internal_note").fill("Their note")
        save(colleague)
        colleague.locator(".messagelist .success").wait_for()
        page.locator("#id_title").fill(MINE)
        page.locator(CELL).fill("1")
        # Whoever leaves the page is asked, and stays.
        page.locator("#site-name a").click(no_wait_after=True)
        page.wait_for_timeout(500)
        assert asked == ["beforeunload"]
        save(page)
        page.locator("#side-by-side").wait_for()
        assert page.locator("#id_title").input_value() == MINE
        assert page.locator(CELL).input_value() == "1"
        assert page.locator("#id_internal_note").input_value() == "Their note"
        table = page.locator("#side-by-side").inner_text()
        assert all(text in table for text in ("Shelling of a village", "Their title", MINE))
        wrong |= looks(watched, "difference")
        page.get_by_role("radio", name="Mine").check()
        save(page)
        page.locator(".messagelist .success").wait_for()

        # The session is over.
        page.goto(address)
        page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
        page.locator("#id_summary").fill(MINE)
        save(page)
        page.locator("#login-form").wait_for()
        assert MINE not in page.content()
        # The browser itself says of the answer that it was no success.
        watched.complaints = [said for said in watched.complaints if "403" not in said]
        wrong |= looks(watched, "login")
        page.locator("#id_username").fill(people.researcher.username)
        page.locator("#id_password").fill(PASSWORD)
        page.locator("#id_code").fill(code_by(app))
        page.get_by_role("button", name="Log in").click()
        page.locator("#typed_form").wait_for()
        assert MINE in page.locator("#content").inner_text()
        wrong |= looks(watched, "typed")
        page.get_by_role("button", name="Show it in its form").click()
        page.locator("#incident_form").wait_for()
        assert page.locator("#id_summary").input_value() == MINE
        wrong |= looks(watched, "shown")
        save(page)
        page.locator(".messagelist .success").wait_for()
        assert asked == ["beforeunload"]

        # Five minutes before the session ends it is said, and nothing is asked of the server.
        page.clock.install()
        page.goto(address)
        page.locator(".session-ends").wait_for(state="attached")
        assert not page.locator(".session-ends").is_visible()
        page.clock.fast_forward(26 * 60 * 1000)
        page.get_by_text("Your session ends at").wait_for()
        wrong |= looks(watched, "ending")
        page.clock.fast_forward(5 * 60 * 1000)
        page.get_by_text("Your session has ended at").wait_for()
        page.get_by_role("button", name="Hide").click()
        assert not page.locator(".session-ends").is_visible()
        assert watched.complaints == []
    incident.refresh_from_db()
    assert (incident.title, incident.internal_note) == (MINE, "Their note")
    assert incident.summary == MINE
    assert incident.casualtycounts.get(claim=None, sex="female").best == 1
    assert not wrong, wrong

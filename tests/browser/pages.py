"""Pages of the admin looked at in a real browser: nothing that axe calls serious, nothing from
another host, nothing wider than the window, in each of some sizes and colour schemes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connections
from django.test import Client

from harmtracker.accounts.models import User
from tests.browser.chromium import (
    EVERY_RULE,
    LAPTOP,
    OF_COLOURS,
    OF_SIZE,
    PHONE,
    ZOOMED,
    Watched,
    chromium,
    screenshots,
    session_of,
    signed_in_context,
)
from tests.clients import logged_in
from tests.patience import EVERY

ARABIC_AND_BURMESE = "قصف على مخيم — မုန့်လိုင်ခက် စခန်း"
Way = tuple[tuple[int, int], str]


EVERY_WAY = (
    (LAPTOP, "light"),
    (LAPTOP, "dark"),
    (PHONE, "dark"),
    (PHONE, "light"),
    (ZOOMED, "light"),
)


def readers_of(pages: dict[str, str], people: list[User]) -> dict[str, User]:
    """Of each page the first of some people to whom it is shown; a page for nobody is left out."""
    readers: dict[str, User] = {}
    for person in people:
        client: Client = logged_in(person)
        for name, address in pages.items():
            if name not in readers and client.get(address).status_code == 200:
                readers[name] = person
    return readers


def rules_after(before: tuple[int, int] | None, size: tuple[int, int]) -> list[str]:
    """What a page is judged by in a window of this size, where it was judged in another before:
    what a window's size or a colour scheme alters. By every rule where it was not looked at yet."""
    if before == size:
        return OF_COLOURS
    return EVERY_RULE if before is None or EVERY else OF_SIZE


def wrong_in(
    pages: dict[str, str],
    readers: dict[str, User],
    server: str,
    ways: tuple[Way, ...],
    *,
    load_each_size: bool,
    walked_in: tuple[Way, ...],
    walked: Collection[str] | None = None,
) -> dict[str, Any]:
    """What is wrong with which page in which way. A page is loaded once, or once in each size.

    In the ways ``walked_in`` it is gone through by keyboard too, where it is one of ``walked``, if
    these are named.
    """
    sessions = {person.pk: (person, session_of(person)) for person in readers.values()}
    connections.close_all()
    folder = screenshots()
    wrong: dict[str, Any] = {}
    with chromium() as browser:
        for person, session in sessions.values():
            context = signed_in_context(browser, server, session, LAPTOP)
            watched = Watched(context, server)
            for name, address in pages.items():
                if readers.get(name) != person:
                    continue
                before = None
                for size, scheme in ways:
                    watched.turn(size, scheme)
                    called = f"{name}-{size[0]}-{scheme}"
                    is_new = before is None or (load_each_size and before != size)
                    if is_new and (status := watched.open(address)) != 200:
                        wrong[f"{called} answers"] = status
                    if folder is not None:
                        watched.page.screenshot(path=folder / f"{called}.png", full_page=True)
                    if faults := watched.faults(rules_after(before, size)):
                        wrong[called] = faults
                    is_walked = (size, scheme) in walked_in and (walked is None or name in walked)
                    if is_walked and (faults := watched.walk()):
                        wrong[f"{called} by keyboard"] = faults
                    before = size
            context.close()
    return wrong

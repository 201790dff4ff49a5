"""Debian's Chromium, started for a test, and what is to be true of every page that it shows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from harmtracker.accounts.models import Authenticator, User
from tests import database
from tests.browser.screenshots import SCREENSHOTS
from tests.clients import code_by, logged_in

# The one without windows starts sooner and takes less of the processors.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-dev-shm-usage",
]

# Widths and heights in CSS pixels: a small laptop, a phone, the laptop at a zoom of 200 %.
LAPTOP, PHONE, ZOOMED = (1280, 900), (390, 800), (640, 450)

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# A page has a thousand words of the same look, and axe takes milliseconds for the colours of each.
_AXE += """;axe.configure({rules: [
    {id: "color-contrast", selector: "[data-judged]"},
    {id: "link-in-text-block", selector: "a[href][data-judged]"},
]});"""
# Of axe: tags, or rules by name. A window's size changes what is seen, not what it is called.
EVERY_RULE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
OF_SIZE = [*OF_COLOURS, "target-size", "scrollable-region-focusable", "meta-viewport"]
# Of everything that is read, by how it and all that it stands in look: the first two and the last.
_JUDGED = """() => {
    const looks = new Map(), every = new Map();
    const look = one => {
        if (!one) return "";
        if (!looks.has(one)) {
            const style = getComputedStyle(one);
            looks.set(one, [one.tagName, style.color, style.backgroundColor, style.backgroundImage,
                style.opacity, style.filter, style.fontSize, style.fontWeight, style.position,
                style.textDecorationLine, style.textShadow, look(one.parentElement)].join());
        }
        return looks.get(one);
    };
    const isRead = one => one.matches("a[href], input, select, textarea, button")
        || [...one.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    for (const one of document.body.querySelectorAll("*")) {
        delete one.dataset.judged;
        if (!one.checkVisibility({visibilityProperty: true}) || !isRead(one)) continue;
        every.set(look(one), [...(every.get(look(one)) || []), one]);
    }
    for (const alike of every.values())
        for (const one of [...alike.slice(0, 2), alike.at(-1)]) one.dataset.judged = "";
}"""
# Style sheets are not loaded again: no rule of these reads them.
_GRAVE = """async (rules) => (await axe.run(document, {
    runOnly: rules,
    resultTypes: ["violations"],
    selectors: false,
    preload: {assets: ["media"]},
})).violations.filter(v => ["serious", "critical"].includes(v.impact))
   .map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))])"""
# After the frame in which the page hears of a new size and scheme.
_AT_REST = """() => new Promise(requestAnimationFrame).then(
    () => Promise.all(document.getAnimations().map(one => one.finished.catch(() => null))))"""

# What can be filled in or pressed, and goes on beyond the window or a box that hides the rest.
_CUT = """() => {
    const isCut = (box, one) => {
        if (one === document.documentElement) return box.right > innerWidth + 1;
        const overflow = getComputedStyle(one).overflowX;
        const scrolls = ["auto", "scroll"].includes(overflow);
        if (scrolls && one.scrollWidth > one.clientWidth) return false;
        const hides = ["hidden", "clip"].includes(overflow);
        if (hides && box.right > one.getBoundingClientRect().right + 1) return true;
        return isCut(box, one.parentElement);
    };
    const size = one => one.getBoundingClientRect();
    return [...document.querySelectorAll("input, select, textarea, button, summary")].filter(one =>
        one.checkVisibility({visibilityProperty: true}) && size(one).width > 1
        && isCut(size(one), one.parentElement)
    ).map(one => ["is cut at the edge", one.outerHTML.slice(0, 200)]);
}"""
# What Tab is to reach: of a group of radio buttons one, and nothing that is hidden or switched off.
_WALK = """() => {
    const shown = one => one.checkVisibility({visibilityProperty: true, opacityProperty: false});
    const radios = new Set();
    const isStop = one => {
        if (one.disabled || one.tabIndex < 0 || one.type === "hidden" || !shown(one)) return false;
        if (one.type !== "radio") return true;
        const group = document.querySelector(`input[name="${one.name}"]:checked`);
        if (radios.has(one.name) || (group && group !== one)) return false;
        radios.add(one.name);
        return true;
    };
    const all = "a[href], button, input, select, textarea, summary, iframe, [tabindex]";
    window.walk = {left: new Set([...document.querySelectorAll(all)].filter(isStop)), found: []};
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    return window.walk.left.size;
}"""
# Whether there is one more stop. Of each: is it in the window, is something in front of it, does it
# look otherwise than without the focus.
_STEP = """() => {
    const walk = window.walk, one = document.activeElement;
    const look = () => {
        const style = getComputedStyle(walk.last);
        return [style.outline, style.boxShadow, style.border, style.backgroundColor, style.color,
                style.textDecoration].join();
    };
    const say = (what, of) => walk.found.push([what, of.outerHTML.slice(0, 200)]);
    if (walk.last && walk.last.isConnected) {
        if (walk.last === one) { say("keeps the focus", one); return false; }
        if (walk.look === look()) say("does not show the focus", walk.last);
    }
    if (one === document.body || one === document.documentElement) return false;
    walk.left.delete(one);
    walk.last = one;
    walk.look = look();
    const seen = one.labels && one.labels.length && one.getBoundingClientRect().width < 2
        ? one.labels[0] : one;
    const box = seen.getClientRects()[0] || seen.getBoundingClientRect();
    const x = box.left + Math.min(box.width, 40) / 2, y = box.top + Math.min(box.height, 40) / 2;
    const front = document.elementFromPoint(x, y);
    if (!front) say("has the focus outside of the window", one);
    else if (!seen.contains(front) && !front.contains(seen)) say("has the focus behind", one);
    return true;
}"""
_WALKED = """() => [...window.walk.found,
    ...[...window.walk.left].map(one => ["is not reached by Tab", one.outerHTML.slice(0, 200)])]"""


def in_chromium(test: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a test as one for the browser: left out where there is none, never in CI."""
    needs = pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ,
        reason="needs Chromium (apt install chromium-headless-shell)",
    )
    return pytest.mark.browser(needs(test))


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def session_of(person: User) -> str:
    """The key of a session in which this person has given password and code just now."""
    return logged_in(person).cookies[settings.SESSION_COOKIE_NAME].value


def log_in(page: Page, server: str, name: str, app: Authenticator) -> None:
    """By the page for it, with password and the code that the app shows now."""
    page.goto(f"{server}/admin/")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("Password:").fill(database.PASSWORD)
    page.get_by_label("Code:").fill(code_by(app))
    page.get_by_role("button", name="Log in").click()


class Watched:
    """A page of which every complaint and every host that it asks is written down."""

    def __init__(self, context: BrowserContext, server: str) -> None:
        self.server = server
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda asked: self.hosts.add(asked.url.split("/")[2]))

    def _hear(self, said: ConsoleMessage) -> None:
        """Errors and warnings; what the browser would merely advise is not one."""
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def open(self, address: str) -> int:
        """Go to an address on the server; the status of its answer."""
        answer = self.page.goto(f"{self.server}{address}")
        assert answer is not None
        return answer.status

    def turn(self, size: tuple[int, int], scheme: str) -> None:
        """The page that is open, in a window so large and of that colour scheme."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    def faults(self, rules: list[str] = EVERY_RULE) -> list[Any]:
        """What is wrong with the page as it stands: complaints, other hosts, a page wider than
        the window, fields cut at its edge, and whatever axe calls serious or critical.

        Of axe's rules so many as the page was not judged by yet: ``OF_COLOURS`` after it was looked
        at in a window of this size, ``OF_SIZE`` after another one. Colours are judged of three of
        those words that look alike and stand in what looks alike.
        """
        # A colour on its way from one scheme to the other is none of the page's.
        self.page.evaluate(_AT_REST)
        found: list[Any] = [*self.complaints]
        found += sorted(self.hosts - {self.server.split("/")[2]})
        width, is_there = self.page.evaluate(
            "[document.documentElement.scrollWidth - innerWidth, typeof axe !== 'undefined']"
        )
        if width > 0:
            found.append(f"wider than the window by {width} pixels")
        found += self.page.evaluate(_CUT)
        if not is_there:
            self.page.evaluate(_AXE)
            # The pages to come find it there.
            self.page.add_init_script(_AXE)
        self.page.evaluate(_JUDGED)
        found += self.page.evaluate(_GRAVE, rules)
        # What axe's own style sheets and probes complain of is not the page's.
        self.complaints.clear()
        return found

    def walk(self) -> list[Any]:
        """What is wrong for who has a keyboard alone: what Tab does not reach, or does not leave;
        where the focus does not show, or is behind something or outside of the window."""
        stops = self.page.evaluate(_WALK)
        for _ in range(stops + 10):
            self.page.keyboard.press("Tab")
            if not self.page.evaluate(_STEP):
                break
        found: list[Any] = self.page.evaluate(_WALKED)
        return found


def signed_in_context(
    browser: Browser, server: str, session: str, size: tuple[int, int], scheme: str = "light"
) -> BrowserContext:
    """A window of one person, so large and of that colour scheme."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}])
    return context


def screenshots() -> Path | None:
    """The folder that screenshots are asked for in, if any: taking them is slow."""
    if SCREENSHOTS not in os.environ:
        return None
    folder = Path(os.environ[SCREENSHOTS])
    folder.mkdir(parents=True, exist_ok=True)
    return folder

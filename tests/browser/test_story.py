"""The way of a record through the desk, by several people in several browsers, as they would go.

Two sources contradict each other; a second person sees it and returns the record; it is mended, a
warning is answered, it is verified, published, corrected, nearly overwritten, and retracted. With
``HARMTRACKER_TEST_SCREENSHOTS`` it leaves the screenshots that stand in docs/.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from types import SimpleNamespace
from typing import Any

from django.db import connections
from playwright.sync_api import Browser, Locator, expect

from harmtracker.accounts.models import Authenticator
from tests.browser.chromium import LAPTOP, Watched, chromium, in_chromium, log_in, screenshots

TITLE = "Second shell on Laiza, 7 March 2024"
RECORDS = "/admin/incidents/incident/"
TOLD_APART = "Another shell, an hour later: both outlets tell the two apart."
KILLED = "figure-killed-civilian-all-all"


class Person:
    """Somebody at a browser of their own, who knows the pages by what stands on them."""

    def __init__(self, browser: Browser, server: str, name: str, app: Authenticator) -> None:
        context = browser.new_context(viewport={"width": LAPTOP[0], "height": LAPTOP[1]})
        self.watched = Watched(context, server)
        self.page = self.watched.page
        self.page.set_default_timeout(30_000)
        self.server = server
        log_in(self.page, server, name, app)
        self.page.locator("#user-tools").wait_for()

    def open(self, address: str) -> None:
        assert self.watched.open(address) == 200, address

    def shot(self, name: str, *, of: str | None = None) -> None:
        """A screenshot of what stands in the window, from the top or from an element on."""
        folder = screenshots()
        if folder is None:
            return
        if of is None:
            self.page.evaluate("window.scrollTo(0, 0)")
        else:
            self.page.locator(of).first.evaluate("e => e.scrollIntoView({block: 'start'})")
        self.page.screenshot(path=folder / f"{name}.png")

    def pick(self, name: str, words: str) -> None:
        """Find by any spelling and take what the list has first."""
        field = self.page.locator(f"#id_{name}_words")
        field.click()
        field.fill(words)
        self.page.locator("li[role=option][aria-selected=true]").first.wait_for()
        field.press("Enter")

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).first.click()

    def said(self, text: str) -> Locator:
        found = self.page.locator(".messagelist .success", has_text=text)
        found.wait_for()
        return found

    def take_step(self, record: str, step: str, **typed: str) -> None:
        """From the record's page: what the step asks for, and the step."""
        self.open(record)
        self.follow(step)
        for field, text in typed.items():
            self.page.locator(f"#id_{field}").fill(text)
        self.press(step)
        self.said(step)


def public(server: str, address: str) -> tuple[int, Any]:
    """What anybody gets of the API: status and body."""
    try:
        with urllib.request.urlopen(f"{server}/api/v1/{address}") as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def enter(writer: Person) -> None:
    """From an article to two claims that contradict each other."""
    page = writer.page
    writer.open("/admin/")
    writer.follow("New incident from an article")
    page.locator("#id_find").fill("https://example.org/second-shell")
    page.keyboard.press("Enter")
    page.locator("#id_title").fill("Second shell hits Laiza, accounts differ")
    writer.pick("outlet", "irrawaddy")
    page.locator("#id_published").fill("8 March 2024")
    page.locator("#id_language").fill("en")
    page.locator("#id_incident_title").fill(TITLE)
    page.locator("#id_date_edtf").fill("7 Mar 2024")
    writer.pick("place", "lai zar")
    page.get_by_text("2024-03-07: 7 March 2024").wait_for()
    writer.shot("entering-from-an-article")
    writer.press("Begin the record")
    for number, (speaker, words, figure) in enumerate(
        (("kachin news", "2 people died.", "2"), ("irrawaddy", "4 people died.", "4")), 1
    ):
        page.get_by_text(f"Claim {number}").first.wait_for()
        writer.pick("attributed_outlet", speaker)
        page.locator("#id_paraphrase").fill(words)
        page.locator("#id_date_said").fill("7 March 2024")
        page.locator(f"#id_{KILLED}").fill(figure)
        page.locator("#id_weaponuses-0-reported_text").fill("105 mm howitzer")
        page.get_by_role("button", name="EXG-ART").click()
        page.locator("#id_weaponuses-0-certainty").select_option("alleged")
        if number == 1:
            writer.shot("entering-a-claim")
            writer.shot("entering-figures", of=".figures.module")
            writer.press("Save and next claim")
        else:
            writer.press("Save")


def assess(writer: Person, record: str, figure: str, bounds: dict[str, int]) -> None:
    """Our own figure, and which claim (by its place in the list) sets which bound."""
    page = writer.page
    writer.open(record.replace("record", "change"))
    page.locator("#id_grading").select_option("fair")
    page.locator("#id_grading_rationale").fill("Two independent outlets.")
    page.locator(f"#id_{KILLED}").fill(figure)
    writer.press("Save and continue editing")
    writer.said("")
    page.locator(f"td:has(#id_{KILLED}) a.basis").click()
    for bound, claim in bounds.items():
        page.locator("#basis-group .add-row a").click()
        row = page.locator("#id_basis-TOTAL_FORMS").input_value()
        line = int(row) - 1
        page.locator(f"#id_basis-{line}-bound").select_option(bound)
        page.locator(f"#id_basis-{line}-claim").select_option(index=claim)
    writer.press("Save")
    writer.said("")


@in_chromium
def test_the_way_of_a_record(committed: None, people: SimpleNamespace, server: str) -> None:
    apps = {app.user.username: app for app in Authenticator.objects.select_related("user")}
    connections.close_all()
    with chromium() as browser:

        def come(name: str) -> Person:
            return Person(browser, server, name, apps[name])

        writer = come("researcher")
        enter(writer)
        # Saving the last claim leads to the record's own page.
        record = re.sub(r"^.*?(/admin/.*/)change/.*$", r"\1record/", writer.page.url)
        assess(writer, record, "2", {"best": 1})
        writer.open(record)
        writer.shot("entering-what-is-lacking")
        writer.take_step(record, "Submit")

        # Another person finds it, sees the contradiction, and returns it.
        second = come("verifier")
        second.open("/admin/")
        second.page.locator(".desk-links").get_by_role("link", name="Queue").click()
        second.shot("queue")
        second.follow(TITLE)
        second.press("Take it")
        expect(second.page.get_by_text("above ours").first).to_be_visible()
        expect(second.page.locator("#warnings")).to_contain_text("outside")
        second.shot("record")
        second.shot("record-warnings", of="#warnings")
        second.shot("record-beside", of=".beside, .matrix")
        second.open(record)
        second.follow("Return")
        second.page.locator("#id_reason").fill("The Irrawaddy says four: no reason is given.")
        second.page.locator("#id_remarks-0-field").fill("count: killed civilian")
        second.page.locator("#id_remarks-0-text").fill("Let the most be four, or say why not.")
        second.shot("return")
        second.press("Return")
        second.said("Return")

        # The author mends it.
        writer.open(f"{RECORDS}queue/")
        writer.follow(TITLE)
        expect(writer.page.get_by_text("Let the most be four, or say why not.")).to_be_visible()
        writer.shot("returned", of="#comments")
        assess(writer, record, "2-4, best 2", {"max": 2})
        writer.take_step(record, "Submit")

        # A warning is answered: until then it is not verified.
        second.open(record)
        expect(second.page.locator("#warnings")).to_contain_text("duplicate")
        expect(second.page.locator(".steps .why-not", has_text="Verify")).to_be_visible()
        second.page.locator("#warnings summary", has_text="Answer it").first.click()
        second.page.locator("#warnings textarea").first.fill(TOLD_APART)
        second.shot("warning", of="#warnings")
        second.press("Answer")
        expect(second.page.locator("#warnings")).to_contain_text("0 open, 1 answered")

        # What will leave is shown, and that is verified and published.
        second.open(record)
        second.follow("Verify")
        expect(second.page.locator(".as-public")).to_contain_text(TITLE)
        second.shot("verify")
        second.press("Verify")
        second.said("Verify")
        second.follow("Publish")
        second.shot("publish")
        second.press("Publish")
        second.said("Publish")
        code = second.page.get_by_text(re.compile(r"^MMR-2024-\d{4}")).first.inner_text()[:13]
        status, document = public(server, f"incidents/{code}/")
        assert (status, document["title"], document["version"]) == (200, TITLE, 1)

        # It is corrected; two people work on it at once, and neither loses a word.
        writer.take_step(record, "Reopen", reason="A source has said more.")
        colleague = come("other_researcher")
        change = record.replace("record", "change")
        writer.open(change)
        colleague.open(change)
        colleague.page.locator("#id_title").fill(f"{TITLE}, near the market")
        colleague.page.locator("#id_change_reason").fill("Where it fell.")
        colleague.press("Save")
        colleague.said("")
        writer.page.locator("#id_summary").fill("Two outlets speak of a second shell.")
        writer.page.locator("#id_change_reason").fill("A summary.")
        writer.press("Save")
        expect(writer.page.locator("#side-by-side")).to_contain_text("near the market")
        summary = writer.page.locator("#id_summary")
        expect(summary).to_have_value("Two outlets speak of a second shell.")
        writer.shot("changed-meanwhile", of="#side-by-side")
        writer.press("Save")
        writer.said("")
        writer.take_step(record, "Submit")
        second.open(record.replace("record", "differences"))
        second.shot("what-changed")
        second.open(record.replace("record", "timeline"))
        second.shot("timeline")
        # The title is what the answer was about, so it is asked for again.
        second.open(record)
        second.page.locator("#warnings summary", has_text="Answer it").first.click()
        second.page.locator("#warnings textarea").first.fill(TOLD_APART)
        second.press("Answer")
        second.take_step(record, "Verify")
        second.take_step(record, "Publish", note="Where the shell fell, and a summary.")
        document = public(server, f"incidents/{code}/")[1]
        assert document["version"] == 2
        assert document["title"] == f"{TITLE}, near the market"
        assert document["summary"] == "Two outlets speak of a second shell."

        # Two people withdraw it.
        second.open(record)
        second.follow("Propose to retract")
        second.page.locator("#id_reason").fill("Both accounts were of the first shell.")
        second.press("See what would be served")
        expect(second.page.locator(".as-public")).to_contain_text("This record was withdrawn.")
        second.shot("retract")
        second.press("Propose to retract")
        second.said("Propose to retract")
        third = come("other_verifier")
        third.take_step(record, "Retract")
        status, problem = public(server, f"incidents/{code}/")
        assert status == 410
        assert "first shell" in json.dumps(problem)

        third.open(f"{RECORDS}overview/")
        third.shot("overview")
        for person in (writer, second, colleague, third):
            assert person.watched.complaints == []

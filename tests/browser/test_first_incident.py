"""The first incident entered by the admin alone, in a real browser, up to its publication."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Locator, Page
from pytest_django.plugin import DjangoDbBlocker

from harmtracker.accounts import second_factor
from harmtracker.accounts.models import Authenticator
from harmtracker.accounts.services import create_person, setup_actor
from incidents import fixtures_loading
from incidents.models import PublishedVersion
from tests import database
from tests.browser.chromium import chromium, in_chromium, log_in

DATA = fixtures_loading.read("incidents/woichai-2024.json")
INCIDENT = {key: value for key, value in DATA["incident"].items() if key != "uuid"}
ARTICLES = {row["key"]: row for row in fixtures_loading.read("articles.json")}


def _names(*files: str) -> dict[str, str]:
    return {row["slug"]: row["name"] for file in files for row in fixtures_loading.read(file)}


# Field that finds while one types -> what a slug or code of the data file is called there.
CALLED: dict[str, dict[str, str]] = {
    "place": _names("places_mmr.json", "places_incidents.json"),
    "outlet": _names("outlets.json"),
    "attributed_outlet": _names("outlets.json"),
    "actor": _names("actors.json"),
    "attributed_actor": _names("actors.json"),
    "affiliation": _names("actors.json"),
    "article": {row["key"]: row["title"] for row in ARTICLES.values()},
}

# What kind of field stands below each id, and what it holds.
FIELDS = """ids => ids.map(id => {
    const field = document.getElementById(id);
    return [field.tagName, field.value === undefined ? "" : field.value];
})"""


@pytest.fixture
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Any]]:
    """The document that the data file's loader gave; then a database that holds no report yet.

    It has people, places, actors, outlets and weapon types.
    """
    with django_db_blocker.unblock():
        usual = str(connections.settings["default"]["NAME"])
        version = PublishedVersion.objects.using("default").get(code__startswith="MMR-2024-")
        document = json.loads(version.document)
        bare = f"{usual}_bare"
        database.clone(database.BARE, bare)
        database.use(bare)
        for name in ("researcher", "verifier"):
            person = create_person(username=name, password=database.PASSWORD, group=name)
            second_factor.new_authenticator(person, is_confirmed=True)
        fixtures_loading.load_places_and_parties(setup_actor())
        connections.close_all()
        yield document
        database.use(usual)
        database.drop(bare)


class Desk:
    """One person at the admin, who sees nothing but its pages."""

    def __init__(self, page: Page, server: str, name: str, app: Authenticator) -> None:
        self.page = page
        log_in(page, server, name, app)

    def pick(self, field: Locator, text: str) -> None:
        """Choose what is called so, by typing the name: what is called exactly so comes first."""
        words = field.locator("xpath=preceding-sibling::input[@type='text']")
        words.fill(text)
        field.locator("xpath=following-sibling::ul/li[@aria-selected='true']").wait_for()
        words.press("Enter")

    def fill(self, row: dict[str, Any], prefix: str = "") -> None:
        """Enter what the fields do not say already."""
        wanted = {name: value for name, value in row.items() if value is not None}
        self.page.locator(f"#id_{prefix}{next(iter(wanted))}").wait_for(state="attached")
        stands = self.page.evaluate(FIELDS, [f"id_{prefix}{name}" for name in wanted])
        for (name, value), (tag, now) in zip(wanted.items(), stands, strict=True):
            field = self.page.locator(f"#id_{prefix}{name}")
            if name == "circumstances":
                for code in value:
                    self.page.locator(f"input[name={name}][value={code}]").check()
            elif isinstance(value, bool):
                field.set_checked(value)
            elif name in CALLED:
                self.pick(field, CALLED[name][value])
            elif tag == "SELECT" and value != now:
                field.select_option(value)
            elif tag != "SELECT":
                text = "\n".join(value) if isinstance(value, list) else str(value)
                if text != now:
                    field.fill(text)

    def add_rows(self, group: str, rows: list[dict[str, Any]]) -> None:
        """The first into the row that waits empty, below a heading that may be folded."""
        folded = self.page.locator(f"#{group}-group details:not([open]) > summary")
        if rows and folded.count():
            folded.click()
        for number, row in enumerate(rows):
            if number:
                self.page.locator(f"#{group}-group .add-row a").click()
            self.fill(row, f"{group}-{number}-")

    def save(self, button: str = "Save") -> None:
        self.page.get_by_role("button", name=button, exact=True).click()
        assert self.page.locator(".errornote, .errorlist").all_inner_texts() == []
        self.page.locator(".messagelist .success").wait_for()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).first.click()

    def open_queue(self) -> None:
        """By the link of the first page, which says how many records wait."""
        self.page.locator(".desk-links").get_by_role("link", name="Queue").click()

    def take_step(self, name: str) -> None:
        self.follow(name)
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.locator(".messagelist .success", has_text=name).wait_for()


def enter_article(desk: Desk, key: str) -> None:
    desk.page.locator("#nav-sidebar .model-article .addlink").click()
    desk.fill({name: value for name, value in ARTICLES[key].items() if name != "key"})
    desk.save()


def findings(row: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Group of rows on a page -> the rows of the data file."""
    counts = [
        {name: value for name, value in count.items() if name != "basis"} for count in row["counts"]
    ]
    return {
        "casualtycounts": counts,
        "weaponuses": row["weapons"],
        "involvements": row["involvements"],
    }


def enter_incident(desk: Desk) -> None:
    desk.page.locator("#nav-sidebar .model-incident .addlink").click()
    assert INCIDENT["further_places"] == []
    desk.fill({key: value for key, value in INCIDENT.items() if key != "further_places"})
    for group, rows in findings(DATA["assessment"]).items():
        desk.add_rows(group, rows)
    desk.save("Save and continue editing")


def enter_claim(desk: Desk, row: dict[str, Any]) -> None:
    desk.follow("Add a claim")
    left_out = {"key", "attributed_to", "counts", "weapons", "involvements"}
    ((kind, slug),) = row["attributed_to"].items()
    fields = {name: value for name, value in row.items() if name not in left_out}
    desk.fill({**fields, f"attributed_{kind}": slug})
    for group, rows in findings(row).items():
        desk.add_rows(group, rows)
    desk.save()


def enter_people(desk: Desk, order: dict[str, int]) -> None:
    """Once the claims are there, so that each person has those that speak of them."""
    people = [
        {name: value for name, value in person.items() if name != "claims"}
        for person in DATA["victims"]
    ]
    desk.add_rows("victims", people)
    for number, person in enumerate(DATA["victims"]):
        for key in person["claims"]:
            desk.page.locator(f"#id_victims-{number}-named_by_{order[key]}").check()
    desk.save("Save and continue editing")


def enter_bases(desk: Desk, order: dict[str, int]) -> None:
    for count in DATA["assessment"]["counts"]:
        of = "-".join(count[name] for name in ("outcome", "status", "sex", "age_group"))
        desk.page.locator(f"td:has(#id_figure-{of}) a.basis").click()
        rows = [{"bound": basis["bound"], "reason": basis["reason"]} for basis in count["basis"]]
        desk.add_rows("basis", rows)
        for line, basis in enumerate(count["basis"]):
            # The first option of the list is none.
            claims = desk.page.locator(f"#id_basis-{line}-claim")
            claims.select_option(index=order[basis["claim"]] + 1)
        desk.save()


def comparable(document: dict[str, Any]) -> Any:
    """Without what two databases cannot share: ids, and when it was published."""
    order = {claim["id"]: f"claim {n}" for n, claim in enumerate(document["claims"])}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: walk(inner)
                for key, inner in value.items()
                if key not in ("id", "published_at", "cite", "nonce")
            }
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        return order.get(value, value) if isinstance(value, str) else value

    return walk(document)


@in_chromium
def test_the_admin_alone_gives_the_same_document(loaded: dict[str, Any], server: str) -> None:
    order = {claim["key"]: number for number, claim in enumerate(DATA["claims"])}
    apps = {app.user.username: app for app in Authenticator.objects.select_related("user")}
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(15_000)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))

        desk = Desk(page, server, "researcher", apps["researcher"])
        desk.page.locator(".model-incident th a").click()
        for key in dict.fromkeys(claim["article"] for claim in DATA["claims"]):
            enter_article(desk, key)
        enter_incident(desk)
        for claim in DATA["claims"]:
            enter_claim(desk, claim)
        enter_people(desk, order)
        enter_bases(desk, order)
        desk.take_step("Submit")
        desk.page.get_by_role("button", name="Log out").click()

        desk = Desk(page, server, "verifier", apps["verifier"])
        desk.open_queue()
        desk.follow(INCIDENT["title"])
        desk.take_step("Verify")
        desk.take_step("Publish")

    version = PublishedVersion.objects.using("default").get()
    assert comparable(json.loads(version.document)) == comparable(loaded)
    assert complaints == []

"""What `Watched.faults` finds, on pages made to be wrong in one thing each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Route

from tests.browser.chromium import (
    EVERY_RULE,
    LAPTOP,
    OF_COLOURS,
    OF_SIZE,
    PHONE,
    Watched,
    chromium,
    in_chromium,
)

SERVER = "http://desk.test"
Show = Callable[[str], Watched]

PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>A page</title><style>
body {{ background: white; color: black; margin: 0 }}
.dim {{ color: #767676 }}
.shaded {{ background: #bbb }}
.tall {{ height: 50px; overflow: auto }}
@media (prefers-color-scheme: dark) {{ .by-day {{ background: #222 }} }}
@media (max-width: 500px) {{ .on-laptop {{ display: none }} .small {{ color: #aaa }} }}
@media (min-width: 501px) {{ .on-phone {{ display: none }} }}
</style><main><h1>A page</h1>{}</main></html>"""

GOOD = """<p>Words</p><p class="dim"><b>Bold</b></p><label>Name <input></label>
<p><button type="button">Do it</button></p>"""
WRONG = {
    "label": "<input>",
    "color-contrast": '<p class="shaded"><b class="dim">Dim on grey</b></p>',
    "image-alt": '<img src="/here.png">',
    "target-size": "<button type=button style='width: 9px; height: 9px; padding: 0'>a</button>" * 2,
    "scrollable-region-focusable": '<div class="tall">' + "<p>Words</p>" * 9 + "</div>",
    "elsewhere.test": '<img alt="A map" src="http://elsewhere.test/tile.png">',
    "wider than the window": '<p style="width: 2000px">Wide</p>',
    "cut at the edge": '<div style="overflow: hidden; width: 200px"><label>Name <select '
    'style="width: 300px"><option>One</option></select></label></div>',
    "is cut at the edge": '<div style="overflow: hidden"><label>Name <select style="width: 2000px">'
    "<option>One</option></select></label></div>",
    "A complaint": "<script>console.warn('A complaint')</script>",
}

BUTTONS = "<button type=button>First</button> <button type=button>Second</button>"
BY_KEYBOARD = {
    "is not reached by Tab": BUTTONS
    + """<script>document.querySelector("button").onkeydown = event => {
        event.preventDefault(); document.querySelector("input").focus(); }</script>""",
    "keeps the focus": BUTTONS
    + """<script>document.querySelector("button:last-of-type").onkeydown = event => {
        event.preventDefault(); }</script>""",
    "does not show the focus": "<button type=button style='outline: 0'>First</button>",
    "has the focus behind": "<div style='position: relative'><button type=button>First</button>"
    "<div style='position: absolute; inset: 0; background: white'></div></div>",
    "has the focus outside": "<button style='position: fixed; top: -9em'>First</button>",
}


@pytest.fixture(scope="module")
def show() -> Iterator[Show]:
    """Opens a page of a main part, all in one window."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": LAPTOP[0], "height": LAPTOP[1]})
        watched = Watched(context, SERVER)
        main = GOOD

        def answer(route: Route) -> None:
            if route.request.resource_type == "document":
                route.fulfill(body=PAGE.format(main), content_type="text/html")
            else:
                route.fulfill(body="", content_type="image/png")

        context.route("**/*", answer)

        def opened(body: str) -> Watched:
            nonlocal main
            main = body
            watched.hosts.clear()
            watched.turn(LAPTOP, "light")
            assert watched.open("/") == 200
            return watched

        assert opened(GOOD).faults() == []
        yield opened


@in_chromium
@pytest.mark.parametrize("fault", WRONG)
def test_one_thing_wrong_is_found(show: Show, fault: str) -> None:
    found = show(GOOD + WRONG[fault]).faults()
    assert len(found) == 1, found
    assert fault in str(found[0])
    assert show(GOOD).faults() == []


@in_chromium
@pytest.mark.parametrize("rules", [OF_COLOURS, OF_SIZE, EVERY_RULE])
def test_a_colour_wrong_in_the_dark_alone(show: Show, rules: list[str]) -> None:
    watched = show('<p class="by-day">Words</p>')
    assert watched.faults() == []
    watched.turn(LAPTOP, "dark")
    assert [fault[0] for fault in watched.faults(rules)] == ["color-contrast"]


@in_chromium
def test_what_is_wrong_on_a_phone_alone(show: Show) -> None:
    body = '<p class="small">Words</p><p class="on-phone">More <input></p>'
    watched = show(body + '<p class="on-laptop">Fewer <label>Name <input></label></p>')
    assert watched.faults() == []
    watched.turn(PHONE, "light")
    assert {fault[0] for fault in watched.faults()} == {"color-contrast", "label"}


@in_chromium
def test_each_page_with_a_fault_is_told(show: Show) -> None:
    """No page is judged by the one before it."""
    for _ in range(2):
        found = show(WRONG["color-contrast"]).faults()
        assert [fault[0] for fault in found] == ["color-contrast"]


@in_chromium
@pytest.mark.parametrize(
    "one",
    [
        '<p style="color: #aaa">Words</p>',
        '<div style="background: #333"><p>Words</p></div>',
        '<p>Words <b style="opacity: 0.3">in bold</b></p>',
        '<p><label>Name <input value="Dim" style="color: #aaa"></label></p>',
        '<p>Words and <a href="/" style="color: #111; text-decoration: none">a link</a></p>',
    ],
)
def test_one_among_many_that_looks_otherwise(show: Show, one: str) -> None:
    """Of what looks alike three are judged."""
    alike = '<p>Words <b>in bold</b> and <a href="/">a link</a> <label>Name <input></label></p>' * 9
    assert show(alike).faults() == []
    found = show(alike + one + alike).faults()
    assert [fault[0] for fault in found] in (["color-contrast"], ["link-in-text-block"]), one


@in_chromium
def test_what_lies_over_something_else(show: Show) -> None:
    """Its own styles do not say what it lies on."""
    over = '<p style="position: absolute; top: {}px; left: 0">Words</p>'
    block = '<div style="position: absolute; top: 300px; width: 900px; height: 90px; {}"></div>'
    assert show(block.format("background: #fff") + over.format(310)).faults() == []
    found = show(block.format("background: #222") + over.format(310)).faults()
    assert [fault[0] for fault in found] == ["color-contrast"]


@in_chromium
def test_a_page_is_gone_through_by_keyboard(show: Show) -> None:
    choice = "<p>" + "<label><input type=radio name=way>This way</label>" * 2 + "</p>"
    hidden = "<details><summary>More</summary><a href='/'>Link</a></details>"
    off = "<button type=button disabled>Off</button><p hidden><button>Not here</button></p>"
    assert show(GOOD + choice + hidden + off + BUTTONS).walk() == []


@in_chromium
@pytest.mark.parametrize("fault", BY_KEYBOARD)
def test_what_a_keyboard_does_not_do_is_found(show: Show, fault: str) -> None:
    (found,) = show("<p><label>Name <input></label></p>" + BY_KEYBOARD[fault]).walk()
    assert fault in found[0]

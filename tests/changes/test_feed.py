"""The Atom feed: valid by RFC 4287, in words, escaped."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from incidents.api.public import atom
from tests.changes.conftest import Draft, head
from tests.incidents.test_redaction import NAME, take, told

PATH = "/api/v1/changes/atom/"
ATOM = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def read(client: Client, **asked: Any) -> ElementTree.Element:
    answer = client.get(PATH, asked)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)


def text(element: ElementTree.Element, name: str) -> str:
    (found,) = element.findall(ATOM + name)
    return found.text or ""


def assert_valid(feed: ElementTree.Element) -> None:
    """What RFC 4287 asks of a feed and its entries."""
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", text(element, "id"))
        assert text(element, "title")
        assert MOMENT.fullmatch(text(element, "updated"))
        links = element.findall(f"{ATOM}link")
        assert all(link.get("href", "").startswith("http://") for link in links)
        typed = [(link.get("rel"), link.get("type")) for link in links]
        assert len(typed) == len(set(typed))
    relations = [link.get("rel") for link in feed.findall(f"{ATOM}link")]
    assert relations[:2] == ["self", "alternate"]
    assert relations[2:] in ([], ["next"])
    assert text(feed.find(f"{ATOM}author"), "name")
    entries = feed.findall(f"{ATOM}entry")
    ids = [text(entry, "id") for entry in entries]
    assert len(ids) == len(set(ids))
    assert {child.tag for entry in entries for child in entry} <= {
        ATOM + name
        for name in (
            "id", "title", "updated", "published", "link", "category", "content",
        )
    }  # fmt: skip


def test_the_feed_is_valid_and_newest_first(history: SimpleNamespace, client: Client) -> None:
    feed = read(client)
    assert_valid(feed)
    published = [text(entry, "published") for entry in feed.findall(f"{ATOM}entry")]
    assert published == sorted(published, reverse=True)
    assert len(published) == head()
    assert text(feed, "updated") == published[0]
    titles = [text(entry, "title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles[0] == f"{history.gone.code} retracted: Shelling of a bridge"
    assert f"{history.other.code} merged into {history.target.code}: Shelling of a hamlet" in titles
    (corrected,) = [
        entry
        for entry in feed.findall(f"{ATOM}entry")
        if text(entry, "title").startswith(f"{history.one.code} corrected")
    ]
    assert "min 2, best 2, max 2 → min 5, best 5, max 5" in text(corrected, "content")
    (related,) = [x for x in corrected.findall(f"{ATOM}link") if x.get("rel") == "related"]
    assert client.get(related.get("href")).json()["figures"]


def test_filters_and_limit(history: SimpleNamespace, client: Client) -> None:
    feed = read(client, kind="corrected", code=history.one.code)
    assert_valid(feed)
    assert len(feed.findall(f"{ATOM}entry")) == 1
    (alternate,) = [x for x in feed.findall(f"{ATOM}link") if x.get("rel") == "alternate"]
    assert len(client.get(alternate.get("href")).json()["results"]) == 1
    assert len(read(client, limit=2).findall(f"{ATOM}entry")) == 2
    assert len(read(client, grading="weak", limit=3).findall(f"{ATOM}entry")) == 3
    assert_valid(empty := read(client, country="THA"))
    assert empty.findall(f"{ATOM}entry") == []


def test_older_pages_follow_and_stay(
    history: SimpleNamespace, draft: Draft, client: Client
) -> None:
    whole = [text(e, "id") for e in read(client).findall(f"{ATOM}entry")]
    for asked in ({}, {"country": "MMR"}):
        found: list[str] = []
        address: str | None = f"{PATH}?limit=4" + "".join(f"&{k}={v}" for k, v in asked.items())
        while address is not None:
            feed = ElementTree.fromstring(client.get(address).content)
            assert_valid(feed)
            found += [text(e, "id") for e in feed.findall(f"{ATOM}entry")]
            links = {x.get("rel"): x.get("href") for x in feed.findall(f"{ATOM}link")}
            address = links.get("next")
        assert found == whole
    again = f"{PATH}?limit=4&as_of=6"
    before = client.get(again)
    draft("published")
    assert client.get(again).content == before.content
    assert client.get(again)["ETag"] == before["ETag"]


def test_ids_stay(history: SimpleNamespace, draft: Draft, client: Client) -> None:
    before = {text(e, "id") for e in read(client).findall(f"{ATOM}entry")}
    feed_id = text(read(client), "id")
    draft("published")
    after = {text(e, "id") for e in read(client).findall(f"{ATOM}entry")}
    assert before < after
    assert text(read(client, limit=7), "id") == feed_id
    assert text(read(client, country="MMR"), "id") != feed_id


def test_the_list_names_the_feed(three: None, client: Client) -> None:
    answer = client.get("/api/v1/changes/", {"country": "MMR", "after": 1})
    assert (
        f'<http://testserver{PATH}?country=MMR>; rel="alternate"; type="application/atom+xml"'
        in answer["Link"]
    )
    assert client.get("/api/v1/").json()["links"]["changes_feed"].endswith(PATH)


@pytest.mark.parametrize("title", ["<script>alert(1)</script> & ]]>", "a\x0bb\ufffe", "“ကချင်”"])
def test_words_are_escaped(title: str) -> None:
    content = {
        "seq": 1, "at": "2026-01-01T00:00:00.000000Z", "kind": "corrected", "code": "MMR-2024-0001",
        "version": 2, "title": title, "note": title, "figures": [], "values": [],
    }  # fmt: skip
    address = "http://testserver/?a=1&b=<"
    body = atom.feed(
        [atom.Entry(content, "0" * 64, None)],
        name=address,
        address=address,
        alternate=address,
        incidents=address,
    )
    feed = ElementTree.fromstring(body)
    assert_valid(feed)
    (entry,) = feed.findall(f"{ATOM}entry")
    clean = title.replace("\x0b", "\ufffd").replace("\ufffe", "\ufffd")
    assert text(entry, "title") == f"MMR-2024-0001 corrected: {clean}"
    assert "<script>" not in text(entry, "content")


def test_a_redaction_renews_the_entries_it_touched(
    committed: None, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = told(draft, people)
    (before,) = [
        entry
        for entry in read(client, code=incident.code).findall(f"{ATOM}entry")
        if NAME in text(entry, "title")
    ]
    take(incident, people)
    feed = read(client, code=incident.code)
    assert_valid(feed)
    redacted, after = feed.findall(f"{ATOM}entry")
    assert text(after, "id") == text(before, "id")
    assert text(after, "title") == f"{incident.code} published"
    assert text(after, "updated") == text(redacted, "updated") > text(before, "updated")


def test_nothing_new_is_304(three: None, client: Client) -> None:
    etag = client.get(PATH)["ETag"]
    assert client.get(PATH, headers={"if-none-match": etag}).status_code == 304
    assert client.get(PATH, headers={"accept": "application/atom+xml"}).status_code == 200
    assert client.get(PATH, headers={"accept": "image/png"}).status_code == 406

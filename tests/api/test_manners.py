"""What every public address does alike: validators, HEAD, 304, links between pages."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

import pytest
from django.test import Client

from tests.api import routes

pytestmark = pytest.mark.usefixtures("three")
LIST = "/api/v1/incidents/"
# Pages for people, which change with the program alone.
WITHOUT_ETAG = {"/api/v1/docs/"}
ENCODINGS = ["identity", "gzip"]


@pytest.fixture
def paths(three: None) -> list[str]:
    return [path for path in routes.examples() if path not in WITHOUT_ETAG]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_address_has_an_etag_that_gets_304(
    client: Client, paths: list[str], encoding: str
) -> None:
    for path in paths:
        asked = {"Accept-Encoding": encoding}
        answer = client.get(path, headers=asked)
        assert re.fullmatch(r'"[0-9a-f]{40,64}(-gzip)?"', answer["ETag"]), path
        assert answer["Cache-Control"] == "public, max-age=0, must-revalidate", path
        unchanged = client.get(path, headers=asked | {"If-None-Match": answer["ETag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b""), path
        for name in ("ETag", "Cache-Control", "Vary"):
            assert unchanged[name] == answer[name], (path, name)
        other = client.get(path, headers=asked | {"If-None-Match": '"0"'})
        assert other.status_code == 200, path


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_head_says_what_get_gives(client: Client, paths: list[str], encoding: str) -> None:
    for path in paths:
        asked = {"Accept-Encoding": encoding}
        got, head = client.get(path, headers=asked), client.head(path, headers=asked)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers == got.headers, path
        assert int(head["Content-Length"]) == len(got.content), path
        known = asked | {"If-None-Match": got["ETag"]}
        assert client.head(path, headers=known).status_code == 304, path


def links(answer: Any) -> dict[str, str]:
    """The Link header as any client reads it (RFC 8288): relation -> address."""
    return {
        relation: address
        for address, relation in re.findall(r'<([^>]+)>; rel="([a-z]+)"', answer.get("Link", ""))
    }


@pytest.mark.parametrize("name", ["incidents", "places", "actors", "outlets", "articles"])
def test_lists_are_walked_by_link_alone_there_and_back(client: Client, name: str) -> None:
    whole = client.get(f"/api/v1/{name}/?limit=100").json()["results"]
    answer = client.get(f"/api/v1/{name}/?limit=1")
    forth = [answer.json()["results"]]
    assert "prev" not in links(answer)
    while "next" in (found := links(answer)):
        assert urllib.parse.urlsplit(found["next"]).netloc == "testserver"
        answer = client.get(found["next"])
        forth.append(answer.json()["results"])
    assert [row for page in forth for row in page] == whole
    back = [answer.json()["results"]]
    while "prev" in (found := links(answer)):
        answer = client.get(found["prev"])
        back.insert(0, answer.json()["results"])
    assert back == forth


def test_errors_have_no_validator_and_are_not_kept(client: Client) -> None:
    for path in (f"{LIST}?wepon=x", f"{LIST}MMR-1999-0001/", "/api/v1/nothing/"):
        answer = client.get(path, headers={"If-None-Match": "*"})
        assert answer.status_code in (400, 404)
        assert "ETag" not in answer
        assert answer["Cache-Control"] == "no-store"


class TestLimits:
    """bar N4: nothing that one request asks for is without an end."""

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("q=" + "a" * 4096, 414),
            ("q=" + "a" * 201, 400),
            ("q=" + "a" * 200, 200),
            ("q=" + "%20".join("abcdefgh"), 200),
            ("q=" + "%20".join("abcdefghi"), 400),
            ("limit=0", 400),
            ("limit=1001", 400),
            ("limit=100", 200),
            ("limit=99999999999999999999", 400),
            ("offset=10", 400),
            ("page=2", 400),
            ("q__regex=a", 400),
            ("cursor=" + "A" * 3001, 400),
        ],
    )
    def test_too_much_is_refused(self, client: Client, query: str, status: int) -> None:
        assert client.get(f"{LIST}?{query}").status_code == status

"""Outlets, articles, copies and confidential sources over the API of casework."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse

from harmtracker.accounts import second_factor
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from harmtracker.models import IdempotentRequest
from sources.models import Article, Capture, ConfidentialSource, Outlet, Reveal
from tests import builders
from tests.clients import Api
from tests.sources.files import HOSTILE_NAMES, PDF, REFUSED, TAKEN, png
from tests.sources.witness import WHO, WORDS

pytestmark = pytest.mark.django_db

Programs = Callable[..., Api]
CASEWORK = "/api/v1/casework"
OUTLETS = f"{CASEWORK}/outlets/"
ARTICLES = f"{CASEWORK}/articles/"
SOURCES = f"{CASEWORK}/confidential-sources/"
EXACT = "  café cafe\u0301\u200b\r\nမြန်မာ \u202bשלום\u202c\t "


@pytest.fixture
def researcher(api: Programs) -> Api:
    return api("researcher")


@pytest.fixture
def verifier(api: Programs) -> Api:
    return api("verifier")


@pytest.fixture
def outlet(people: SimpleNamespace) -> Outlet:
    with acting(people.researcher):
        return builders.outlet(slug="gazette", name="The Gazette")


@pytest.fixture
def article(people: SimpleNamespace, outlet: Outlet) -> Article:
    with acting(people.researcher):
        return builders.article(outlet=outlet, published="2024-05-06", title="Shelling")


def one(record: Any) -> str:
    kind = {Outlet: "outlets", Article: "articles", Capture: "captures"}[type(record)]
    return f"{CASEWORK}/{kind}/{record.uuid}/"


def problem(response: HttpResponse, status: int, slug: str = "") -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "private, no-store"
    assert len(response.content) < 2048
    body: dict[str, Any] = response.json()
    if slug:
        assert body["type"] == f"/problems/{slug}"
    return body


class TestEntering:
    def test_an_outlet_with_the_least(self, researcher: Api) -> None:
        answer = researcher.post(OUTLETS, {"name": "A resident of the ward", "kind": "witness"})
        assert answer.status_code == 201
        body = answer.json()
        assert body["slug"] == body["independence_group"] == "a-resident-of-the-ward"
        assert (body["country"], body["languages"], body["is_confidential"]) == (None, [], False)
        assert answer["Location"] == f"{OUTLETS}{body['id']}/"
        again = researcher.get(answer["Location"])
        assert again.json() == body
        assert again["ETag"] == answer["ETag"]

    def test_an_article_is_kept_to_the_letter(self, researcher: Api, outlet: Outlet) -> None:
        sent = {
            "outlet": "gazette",
            "title": EXACT,
            "authors": [EXACT, "U Ba, Daw Mya"],
            "language": "my",
            "published": "2024-05-06~",
            "summary": EXACT,
            "url": "HTTPS://Example.ORG:443/%7Ea/../b?x=%e1&y=က#Z",
            "change_reason": "Found today",
        }
        answer = researcher.post(ARTICLES, sent)
        assert answer.status_code == 201, answer.content
        body = answer.json()
        for name in ("title", "authors", "published", "summary", "url"):
            assert body[name] == sent[name]
        assert body["outlet"] == str(outlet.uuid)
        assert [w["code"] for w in body["warnings"]] == ["not_archived"]
        entry = HistoryEntry.objects.filter(table_name="sources_article").latest("pk")
        assert (entry.actor.username, entry.reason) == ("researcher", "Found today")
        assert entry.after["title"] == EXACT
        assert entry.request_id is not None

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"title": ""}, "title"),
            ({"title": "x" * 501}, "title"),
            ({"title": 3}, "title"),
            ({"titel": "x"}, "titel"),
            ({"outlet": "gazete"}, "outlet"),
            ({"outlet": "00000000-0000-4000-8000-000000000000"}, "outlet"),
            ({"outlet": None}, "outlet"),
            ({"published": "yesterday"}, "published"),
            ({"published": "0000"}, "published"),
            ({"url": "ftp://example.org/"}, "url"),
            ({"url": "https://a:b@example.org/"}, "url"),
            ({"url": "https://example.org/a b"}, "url"),
            ({"url": "https://example.org/\u202f"}, "url"),
            ({"url": ""}, "url"),
            ({"authors": "U Ba"}, "authors"),
            ({"authors": ["x" * 201]}, "authors[0]"),
            ({"title": "\ud800"}, "title"),
            ({"title": "a\x00"}, "title"),
            ({"has_capture": True}, "has_capture"),
            ({"id": "00000000-0000-4000-8000-000000000000"}, "id"),
            ({"language": None}, "language"),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_is_stored(
        self, researcher: Api, outlet: Outlet, fields: dict[str, Any], field: str
    ) -> None:
        before = Article.objects.count()
        sent = {"outlet": "gazette", "title": "T", "language": "en", **fields}
        body = problem(researcher.post(ARTICLES, sent), 400, "invalid")
        assert field in {error["field"] for error in body["errors"]}
        assert Article.objects.count() == before

    @pytest.mark.parametrize("published", ["9999", "2014/9999", "2999-01-01"])
    def test_no_article_appeared_in_the_future(
        self, researcher: Api, outlet: Outlet, published: str
    ) -> None:
        sent = {"outlet": "gazette", "title": "T", "language": "en", "published": published}
        body = problem(researcher.post(ARTICLES, sent), 400, "invalid")
        assert "future" in body["detail"]

    def test_what_is_taken_names_who_has_it(
        self, researcher: Api, outlet: Outlet, people: SimpleNamespace
    ) -> None:
        with acting(people.researcher):
            first = builders.article(outlet=outlet, url="https://example.org/a")
        sent = {"outlet": "gazette", "title": "T", "language": "en", "url": first.url}
        body = problem(researcher.post(ARTICLES, sent), 400, "invalid")
        assert str(first.uuid) in body["errors"][0]["message"]
        sent = {"name": "N", "kind": "ngo", "slug": "gazette"}
        body = problem(researcher.post(OUTLETS, sent), 400, "invalid")
        assert "The Gazette" in body["errors"][0]["message"]

    @pytest.mark.parametrize("slug", ["Über", "a b", "a/b", "", "x" * 81])
    def test_a_short_name_is_plain(self, researcher: Api, slug: str) -> None:
        sent = {"name": "N", "kind": "ngo", "slug": slug}
        body = problem(researcher.post(OUTLETS, sent), 400, "invalid")
        assert body["errors"][0]["field"] == "slug"


class TestChanging:
    @pytest.mark.parametrize("kind", ["outlet", "article"])
    def test_what_was_read_can_be_put_back(
        self, researcher: Api, outlet: Outlet, article: Article, kind: str
    ) -> None:
        address = one({"outlet": outlet, "article": article}[kind])
        read = researcher.get(address)
        before = HistoryEntry.objects.count()
        answer = researcher.put(address, read.json(), headers={"If-Match": read["ETag"]})
        assert answer.status_code == 200, answer.content
        assert answer.json() == read.json()
        assert answer["ETag"] == read["ETag"]
        assert HistoryEntry.objects.count() == before

    def test_patch_leaves_the_rest_and_put_resets_it(
        self, researcher: Api, article: Article
    ) -> None:
        address = one(article)
        etag = researcher.get(address)["ETag"]
        answer = researcher.patch(
            address,
            {"summary": EXACT, "change_reason": "Read it"},
            headers={"If-Match": etag},
        )
        assert answer.status_code == 200, answer.content
        assert (answer.json()["summary"], answer.json()["title"]) == (EXACT, "Shelling")
        assert answer["ETag"] != etag
        sent = {"outlet": "gazette", "title": "T", "language": "en"}
        answer = researcher.put(address, sent, headers={"If-Match": answer["ETag"]})
        body = answer.json()
        assert (body["summary"], body["published"], body["title"]) == ("", None, "T")

    @pytest.mark.parametrize("method", ["put", "patch"])
    @pytest.mark.parametrize("kind", ["outlet", "article"])
    @pytest.mark.parametrize(
        ("given", "status", "slug"),
        [
            (None, 428, "precondition-required"),
            ("*", 412, "precondition-failed"),
            ('"00"', 412, "precondition-failed"),
            ("W/", 412, "precondition-failed"),
        ],
    )
    def test_a_change_names_what_was_read(
        self,
        researcher: Api,
        outlet: Outlet,
        article: Article,
        kind: str,
        method: str,
        given: str | None,
        status: int,
        slug: str,
    ) -> None:
        address = one({"outlet": outlet, "article": article}[kind])
        read = researcher.get(address)
        if given == "W/":
            given = "W/" + read["ETag"]
        headers = {} if given is None else {"If-Match": given}
        body = {"change_reason": "x", **(read.json() if method == "put" else {})}
        answer = getattr(researcher, method)(address, body, headers=headers)
        problem(answer, status, slug)
        if given == '"00"':
            assert answer["ETag"] == read["ETag"]

    def test_a_short_name_stays(self, researcher: Api, outlet: Outlet) -> None:
        etag = researcher.get(one(outlet))["ETag"]
        answer = researcher.patch(one(outlet), {"slug": "other"}, headers={"If-Match": etag})
        assert problem(answer, 400, "invalid")["errors"][0]["field"] == "slug"

    @pytest.mark.parametrize("kind", ["outlets", "articles", "captures", "confidential-sources"])
    def test_nothing_is_deleted(self, researcher: Api, kind: str) -> None:
        unknown = "00000000-0000-4000-8000-000000000000"
        problem(researcher.delete(f"{CASEWORK}/{kind}/{unknown}/"), 405, "method-not-allowed")
        problem(researcher.get(f"{CASEWORK}/{kind}/{unknown}/"), 404, "not-found")


class TestRepeated:
    def test_an_outlet_is_entered_once(self, researcher: Api) -> None:
        sent = {"name": "Zq once", "kind": "ngo"}
        first = researcher.post(OUTLETS, sent, headers={"Idempotency-Key": "k1"})
        again = researcher.post(OUTLETS, sent, headers={"Idempotency-Key": "k1"})
        assert (again.status_code, again.content) == (201, first.content)
        assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
        assert Outlet.objects.filter(name="Zq once").count() == 1
        other = researcher.post(OUTLETS, {**sent, "name": "x"}, headers={"Idempotency-Key": "k1"})
        problem(other, 422, "key-used-otherwise")

    def test_a_file_is_attached_once(
        self, researcher: Api, article: Article, captures: Path
    ) -> None:
        def send(content: bytes) -> HttpResponse:
            body, headers = form(content)
            headers["Idempotency-Key"] = "k2"
            return researcher.post(f"{one(article)}captures/", raw=body, headers=headers)

        first, again = send(PDF), send(PDF)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        problem(send(png()), 422, "key-used-otherwise")
        assert Capture.objects.count() == 1
        assert len([path for path in captures.rglob("*") if path.is_file()]) == 1

    def test_what_is_kept_for_a_repetition_lets_no_name_be_guessed(
        self, researcher: Api, outlet: Outlet
    ) -> None:
        sent = {"outlet": "gazette", "identity": {"name": "zqsecretname"}}
        headers = {"Idempotency-Key": "k3"}
        first = researcher.post(SOURCES, sent, headers=headers)
        assert researcher.post(SOURCES, sent, headers=headers).content == first.content
        kept = IdempotentRequest.objects.get(key="k3")
        assert b"zqsecretname" not in bytes(kept.body)
        plain = hashlib.sha256(json.dumps(sent).encode()).hexdigest()
        parts = ["POST", SOURCES, "", None, plain]
        guess = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        assert kept.fingerprint != guess


class TestLists:
    @pytest.fixture
    def many(self, people: SimpleNamespace) -> None:
        with acting(people.researcher):
            for n in range(7):
                outlet = builders.outlet(
                    slug=f"zq-{n}",
                    name=f"Zq {n % 3}",
                    other_names=[f"Café no {n}", "မြို့"],
                    country="THA" if n % 2 else None,
                    languages=["my", "en"] if n else ["shn"],
                    kind="witness" if n == 6 else "ngo",
                )
                for day in (None, "2024-05-0" + str(n + 1)):
                    builders.article(outlet=outlet, title=f"Zq {n}", published=day)
            builders.confidential_source(outlet=outlet)

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"q": "zq"}, 7),
            ({"q": "ZQ CAFE"}, 7),
            ({"q": "zq မြို့"}, 7),
            ({"q": "cafe 3"}, 1),
            ({"q": "zq%"}, 0),
            ({"q": "zq", "kind": "witness"}, 1),
            ({"q": "zq", "kind": ["witness", "ngo"]}, 7),
            ({"q": "zq", "country": "THA"}, 3),
            ({"q": "zq", "language": "shn"}, 1),
            ({"q": "zq", "confidential": "true"}, 1),
            ({"q": "zq", "confidential": "false"}, 6),
        ],
    )
    def test_outlets_are_found(
        self, researcher: Api, many: None, query: dict[str, Any], count: int
    ) -> None:
        answer = researcher.get(OUTLETS, {**query, "count": "true"})
        assert answer.status_code == 200, answer.content
        assert answer.json()["count"] == len(answer.json()["results"]) == count

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"q": "zq"}, 14),
            ({"outlet": "zq-1"}, 2),
            ({"outlet": ["zq-1", "zq-2"]}, 4),
            ({"q": "zq", "kind": "witness"}, 2),
            ({"q": "zq", "country": "THA"}, 6),
            ({"q": "zq", "confidential": "true"}, 2),
            ({"q": "zq", "has_capture": "true"}, 0),
            ({"q": "zq", "has_capture": "false"}, 14),
            ({"q": "zq", "language": "my"}, 0),
            ({"url": "https://example.org/none"}, 0),
        ],
    )
    def test_articles_are_found(
        self, researcher: Api, many: None, query: dict[str, Any], count: int
    ) -> None:
        answer = researcher.get(ARTICLES, {**query, "count": "true"})
        assert answer.status_code == 200, answer.content
        assert answer.json()["count"] == len(answer.json()["results"]) == count

    def test_an_article_is_found_by_its_exact_address(
        self, researcher: Api, people: SimpleNamespace
    ) -> None:
        long = "https://example.org/" + "x" * 500
        with acting(people.researcher):
            found = builders.article(url=long)
        (row,) = researcher.get(ARTICLES, {"url": long}).json()["results"]
        assert row["id"] == str(found.uuid)

    @pytest.mark.parametrize(
        ("address", "ordering"),
        [
            (OUTLETS, "name"),
            (OUTLETS, "-name"),
            (ARTICLES, "-published"),
            (ARTICLES, "published"),
            (ARTICLES, "title"),
            (ARTICLES, "-title"),
        ],
    )
    def test_pages_hold_each_row_once_in_both_directions(
        self, researcher: Api, many: None, address: str, ordering: str
    ) -> None:
        whole = researcher.get(address, {"ordering": ordering, "limit": 100}).json()["results"]
        seen, url = [], f"{address}?ordering={ordering}&limit=3"
        pages = []
        while url:
            page = researcher.get(url).json()
            pages.append(page)
            seen += page["results"]
            url = page["next"]
        assert [row["id"] for row in seen] == [row["id"] for row in whole]
        back = researcher.get(pages[-1]["previous"]).json()["results"]
        assert back == pages[-2]["results"]

    @pytest.mark.parametrize(
        ("query", "slug"),
        [
            ({"knd": "ngo"}, "unknown-parameter"),
            ({"kind": "nog"}, "invalid-parameter"),
            ({"country": "Thailand"}, "invalid-parameter"),
            ({"q": ""}, "invalid-parameter"),
            ({"q": "a b c d e f g h i"}, "invalid-parameter"),
            ({"limit": "101"}, "invalid-parameter"),
            ({"cursor": "xyz"}, "invalid-cursor"),
            ({"ordering": "slug"}, "invalid-parameter"),
            ({"confidential": "1"}, "invalid-parameter"),
        ],
    )
    def test_what_is_not_understood_is_refused(
        self, researcher: Api, query: dict[str, Any], slug: str
    ) -> None:
        problem(researcher.get(OUTLETS, query), 400, slug)

    def test_a_list_takes_a_fixed_number_of_queries(
        self, researcher: Api, many: None, django_assert_max_num_queries: Any
    ) -> None:
        for address in (OUTLETS, ARTICLES, SOURCES):
            with django_assert_max_num_queries(8):
                researcher.get(address, {"limit": 100})


BOUNDARY = "zqboundary"


def form(
    content: bytes,
    name: str = "x.pdf",
    kind: str = "application/pdf",
    part: str = "file",
    **fields: str,
) -> tuple[bytes, dict[str, str]]:
    """A body of multipart/form-data, and its headers."""
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    )
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    body += (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part}"; filename="{quoted}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode("utf-8", "surrogatepass")
    body += content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.mark.usefixtures("captures")
class TestCopies:
    def upload(self, client: Api, article: Article, content: bytes, **about: Any) -> HttpResponse:
        body, headers = form(content, **about)
        return client.post(f"{one(article)}captures/", raw=body, headers=headers)

    def raw(self, client: Api, article: Article, content: bytes, **more: Any) -> HttpResponse:
        headers = {"Content-Type": "application/octet-stream", **more.pop("headers", {})}
        return client.post(f"{one(article)}captures/", raw=content, headers=headers, **more)

    @pytest.mark.parametrize("way", ["upload", "raw"])
    @pytest.mark.parametrize("name", TAKEN)
    def test_bytes_go_in_and_come_out_as_they_were(
        self, researcher: Api, verifier: Api, article: Article, name: str, way: str
    ) -> None:
        content, kind, media_type = TAKEN[name]
        answer = getattr(self, way)(researcher, article, content)
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert body["sha256"] == hashlib.sha256(content).hexdigest()
        assert (body["kind"], body["media_type"], body["size"]) == (kind, media_type, len(content))
        address = answer["Location"]
        assert verifier.get(address).json() == body
        read = verifier.get(f"{address}content/", {"purpose": "To check"})
        assert b"".join(read) == content
        assert read["Content-Type"] == media_type
        assert read["Content-Disposition"].startswith("attachment; filename=")
        assert read["X-Content-Type-Options"] == "nosniff"
        assert read["Content-Security-Policy"] == "sandbox"
        assert read["Cache-Control"] == "private, no-store"
        assert read["Content-Length"] == str(len(content))
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        assert read["Repr-Digest"] == f"sha-256=:{digest}:"

    def test_each_reading_is_in_the_record_of_custody(
        self, researcher: Api, verifier: Api, article: Article
    ) -> None:
        address = self.upload(researcher, article, PDF)["Location"]
        assert b"".join(verifier.get(f"{address}content/", {"purpose": "To check"})) == PDF
        head = verifier.request("HEAD", f"{address}content/")
        assert (head.status_code, head.content) == (200, b"")
        assert head["Content-Length"] == str(len(PDF))
        ranged = researcher.get(f"{address}content/", headers={"Range": "bytes=0-1"})
        assert b"".join(ranged) == PDF
        handed = verifier.post(f"{address}custody/", {"to": "The court", "purpose": "Case 12"})
        assert handed.status_code == 201, handed.content
        found = researcher.get(f"{address}custody/").json()["results"]
        assert [(e["action"], e["by"], e["to"], e["purpose"]) for e in found] == [
            ("stored", "researcher", "", ""),
            ("read", "verifier", "", "To check"),
            ("read", "verifier", "", ""),
            ("read", "researcher", "", ""),
            ("handed_over", "verifier", "The court", "Case 12"),
        ]
        assert found[-1] == handed.json()
        problem(researcher.post(f"{address}custody/", {"to": "x"}), 403, "not-allowed")
        problem(verifier.post(f"{address}custody/", {"to": " "}), 400, "invalid")

    @pytest.mark.parametrize("way", ["upload", "raw"])
    @pytest.mark.parametrize("name", REFUSED)
    def test_what_is_refused_says_what_is_taken_and_leaves_nothing(
        self, researcher: Api, article: Article, captures: Path, name: str, way: str
    ) -> None:
        answer = getattr(self, way)(researcher, article, REFUSED[name])
        body = problem(answer, 400, "invalid")
        assert body["errors"][0]["field"] == "file"
        assert "Taken are PDF" in body["detail"]
        assert not [path for path in captures.rglob("*") if path.is_file()]
        assert not Capture.objects.exists()

    @pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: repr(name)[:30])
    def test_a_name_decides_nothing(
        self, researcher: Api, article: Article, captures: Path, tmp_path: Path, name: str
    ) -> None:
        answer = self.upload(researcher, article, PDF, name=name, kind="text/x-shellscript")
        if len(name) > 1000:
            problem(answer, 400, "malformed-request")
            assert not [path for path in tmp_path.rglob("*") if path.is_file()]
            return
        assert answer.status_code == 201, answer.content
        assert answer.json()["media_type"] == "application/pdf"
        (kept,) = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert kept.name == hashlib.sha256(PDF).hexdigest()
        assert captures in kept.parents
        shown = json.dumps([answer.json(), *HistoryEntry.objects.values_list("after", flat=True)])
        assert len(name) < 4 or name not in shown

    def test_what_the_client_says_of_the_kind_decides_nothing(
        self, researcher: Api, article: Article
    ) -> None:
        for kind in ("text/html", "image/svg+xml", "application/x-msdownload", "nonsense"):
            answer = self.raw(researcher, article, png(), headers={"Content-Type": kind})
            assert answer.json()["media_type"] == "image/png"

    def test_the_same_bytes_again_give_the_copy_that_is_there(
        self, researcher: Api, article: Article, people: SimpleNamespace
    ) -> None:
        first = self.upload(researcher, article, PDF)
        again = self.raw(researcher, article, PDF)
        assert (again.status_code, again.json()) == (200, first.json())
        with acting(people.researcher):
            other = builders.article()
        assert self.upload(researcher, other, PDF).json()["id"] != first.json()["id"]

    def test_pasted_text_is_kept_byte_for_byte(self, researcher: Api, article: Article) -> None:
        answer = researcher.post(f"{one(article)}captures/", {"text": EXACT})
        assert answer.status_code == 201, answer.content
        assert answer.json()["sha256"] == hashlib.sha256(EXACT.encode()).hexdigest()
        read = researcher.get(f"{answer['Location']}content/")
        assert b"".join(read) == EXACT.encode()

    def test_what_is_known_of_its_taking_goes_along(
        self, researcher: Api, article: Article
    ) -> None:
        answer = self.upload(
            researcher,
            article,
            PDF,
            captured_at="2024-05-06T10:00:00+06:30",
            tool="monolith 2.8",
            requested_url="https://example.org/a",
        )
        body = answer.json()
        assert body["captured_at"] == "2024-05-06T03:30:00Z"
        assert (body["tool"], body["requested_url"]) == ("monolith 2.8", "https://example.org/a")

    @pytest.mark.parametrize(
        ("about", "field"),
        [
            ({"captured_at": "yesterday"}, "captured_at"),
            ({"captured_at": "2999-01-01T00:00:00Z"}, None),
            ({"requested_url": "file:///etc/passwd"}, "requested_url"),
            ({"tool": "x" * 101}, "tool"),
            ({"colour": "red"}, "colour"),
            ({"part": "upload"}, "upload"),
        ],
    )
    def test_what_is_wrong_with_a_form_is_named(
        self,
        researcher: Api,
        article: Article,
        captures: Path,
        about: dict[str, str],
        field: str | None,
    ) -> None:
        body = problem(self.upload(researcher, article, PDF, **about), 400, "invalid")
        if field:
            assert body["errors"][0]["field"] == field
        assert not Capture.objects.exists()
        assert not list(captures.rglob("incoming/*"))

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b"--zqboundary--\r\n", 400),
            (form(PDF)[0][:-30], 400),
            (b"nonsense", 400),
            (form(PDF)[0].replace(b"--zqboundary--\r\n", b"") + form(PDF)[0], 400),
        ],
        ids=["empty", "no part", "cut off", "no form", "two files"],
    )
    def test_a_broken_form_is_refused(
        self, researcher: Api, article: Article, captures: Path, body: bytes, status: int
    ) -> None:
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        answer = researcher.post(f"{one(article)}captures/", raw=body, headers=headers)
        problem(answer, status)
        assert not Capture.objects.exists()
        assert not [path for path in captures.rglob("*") if path.is_file()]

    def test_too_large_by_its_own_word_is_not_read(self, researcher: Api, article: Article) -> None:
        answer = self.raw(researcher, article, b"x", headers={"Content-Length": "209715200"})
        problem(answer, 413, "too-large")

    def test_who_may_not(
        self, api: Programs, researcher: Api, verifier: Api, article: Article
    ) -> None:
        problem(self.upload(verifier, article, PDF), 403, "not-allowed")
        address = self.upload(researcher, article, PDF)["Location"]
        for client, status in [
            (api(None), 401),
            (api("researcher", ["public"]), 403),
            (api("administrator"), 403),
        ]:
            for path in (address, f"{address}content/", f"{address}custody/"):
                problem(client.get(path), status)
        problem(self.upload(api("researcher", ["casework:read"]), article, PDF), 403)
        assert Capture.objects.get().custody.count() == 1


class TestConfidentialSources:
    IDENTITY = {"name": WHO.name, "contact": WHO.contact, "note": WHO.note}

    @pytest.fixture
    def entered(self, researcher: Api, outlet: Outlet) -> HttpResponse:
        answer = researcher.post(SOURCES, {"outlet": "gazette", "identity": self.IDENTITY})
        assert answer.status_code == 201, answer.content
        return answer

    @pytest.fixture
    def codes(self, monkeypatch: Any) -> list[str]:
        """Codes that the second factor will take, each once."""
        good = [f"{n:06}" for n in range(30)]

        def check(person: Any, code: str, *, network: str) -> bool:
            if code not in good:
                return False
            good.remove(code)
            return True

        monkeypatch.setattr(second_factor, "check", check)
        return good.copy()

    def test_no_answer_but_one_holds_the_identity(
        self,
        researcher: Api,
        verifier: Api,
        entered: HttpResponse,
        codes: list[str],
        outlet: Outlet,
    ) -> None:
        address = entered["Location"]
        answers = [
            entered,
            researcher.get(address),
            researcher.get(SOURCES),
            researcher.get(SOURCES, {"q": "gazette"}),
            researcher.get(one(outlet)),
            researcher.put(
                address,
                {"identity": self.IDENTITY, "change_reason": "Again"},
                headers={"If-Match": entered["ETag"]},
            ),
        ]
        assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200]
        for answer in answers:
            text = answer.content.decode() + str(answer.headers)
            assert not any(word in text for word in WORDS)
        assert researcher.get(one(outlet)).json()["is_confidential"] is True
        assert answers[1].json() == entered.json()
        assert entered.json()["description"] == "The Gazette"
        shown = verifier.post(f"{address}reveal/", {"reason": "The court asks.", "code": codes[0]})
        assert shown.status_code == 200, shown.content
        assert shown.json() == self.IDENTITY
        assert shown["Cache-Control"] == "private, no-store"
        (row,) = Reveal.objects.all()
        assert (row.by.username, row.reason) == ("verifier", "The court asks.")

    def test_the_twenty_first_is_refused(
        self, verifier: Api, entered: HttpResponse, codes: list[str]
    ) -> None:
        address = f"{entered['Location']}reveal/"
        for code in codes[:20]:
            assert verifier.post(address, {"reason": "r", "code": code}).status_code == 200
        answer = verifier.post(address, {"reason": "r", "code": codes[20]})
        assert "20" in problem(answer, 429, "throttled")["detail"]
        assert answer["Retry-After"] == "86400"
        assert Reveal.objects.count() == 20

    @pytest.mark.parametrize(
        ("who", "scopes", "body", "headers", "status"),
        [
            (None, None, {"reason": "r", "code": "000000"}, {}, 401),
            ("researcher", None, {"reason": "r", "code": "000000"}, {}, 403),
            ("verifier", ["casework:read"], {"reason": "r", "code": "000000"}, {}, 403),
            ("verifier", None, {"reason": " ", "code": "000000"}, {}, 400),
            ("verifier", None, {"reason": "r", "code": "999999"}, {}, 400),
            ("verifier", None, {"reason": "r"}, {}, 400),
            ("verifier", None, {"code": "000000"}, {}, 400),
            ("verifier", None, {"reason": "r", "code": 0}, {}, 400),
            ("verifier", None, {"reason": "r", "code": "000000"}, {"Idempotency-Key": "k"}, 400),
        ],
    )
    def test_nobody_else_sees_it(
        self,
        api: Programs,
        entered: HttpResponse,
        codes: list[str],
        who: str | None,
        scopes: list[str] | None,
        body: dict[str, Any],
        headers: dict[str, str],
        status: int,
    ) -> None:
        client = api(who, scopes) if scopes else api(who)
        answer = client.post(f"{entered['Location']}reveal/", body, headers=headers)
        problem(answer, status)
        assert not any(word in answer.content.decode() for word in WORDS)
        assert not Reveal.objects.exists()

    def test_a_code_works_once(
        self, verifier: Api, entered: HttpResponse, codes: list[str]
    ) -> None:
        address = f"{entered['Location']}reveal/"
        body = {"reason": "r", "code": codes[0]}
        assert verifier.post(address, body).status_code == 200
        problem(verifier.post(address, body), 400, "invalid")

    @pytest.mark.parametrize(
        "identity",
        [
            {"name": ""},
            {"name": " "},
            {"name": "zqsecretname", "contact": 3},
            {"name": "zqsecretname" * 100},
            {"name": "zqsecretname\x00"},
            {"name": "ok", "zzz": "zqsecretname"},
            {"contact": "zqsecretphone"},
            "zqsecretname",
            ["zqsecretname"],
        ],
    )
    def test_a_refusal_repeats_nothing(
        self, researcher: Api, outlet: Outlet, identity: Any
    ) -> None:
        answer = researcher.post(SOURCES, {"outlet": "gazette", "identity": identity})
        problem(answer, 400, "invalid")
        assert not any(word in answer.content.decode() for word in WORDS)
        assert not ConfidentialSource.objects.exists()

    def test_there_is_one_for_each_outlet(self, researcher: Api, entered: HttpResponse) -> None:
        body = {"outlet": "gazette", "identity": {"name": "Another"}}
        problem(researcher.post(SOURCES, body), 409, "conflict")

    def test_a_replacement_names_what_was_read_and_says_why(
        self, researcher: Api, entered: HttpResponse
    ) -> None:
        address = entered["Location"]
        body = {"identity": {"name": "Another"}, "change_reason": "It was her sister."}
        problem(researcher.put(address, body), 428)
        problem(researcher.put(address, body, headers={"If-Match": '"0"'}), 412)
        problem(
            researcher.put(
                address, {"identity": {"name": "A"}}, headers={"If-Match": entered["ETag"]}
            ),
            400,
        )
        answer = researcher.put(address, body, headers={"If-Match": entered["ETag"]})
        assert answer.status_code == 200
        assert answer["ETag"] != entered["ETag"]
        problem(researcher.put(address, body, headers={"If-Match": entered["ETag"]}), 412)


@pytest.mark.parametrize(
    "path",
    ["outlets/", "articles/", "confidential-sources/", "outlets/x/", "captures/x/content/"],
)
def test_strangers_are_asked_who_they_are_or_find_nothing(api: Programs, path: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = api(None).request(method, f"{CASEWORK}/{path}")
        assert answer.status_code == (404 if "x/" in path else 401)

"""Errors: one shape, whatever goes wrong, and never a 500 for what a client sends."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions

from harmtracker import errors, pages
from harmtracker.api import problems
from incidents.api.public import reading

LIST = "/api/v1/incidents/"
SECURITY = {
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
}


def assert_is_problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert len(response.content) < 2000
    return body


@pytest.mark.usefixtures("three")
class TestRequests:
    @pytest.mark.parametrize(
        ("path", "headers", "status", "slug"),
        [
            ("/api/", {}, 404, "not-found"),
            ("/api/v2/", {}, 404, "not-found"),
            ("/api/v1/nothing/", {}, 404, "not-found"),
            ("/api/v1/incidents/MMR-2000-0001/", {}, 404, "not-found"),
            (f"{LIST}?wepon=EXG", {}, 400, "unknown-parameter"),
            (f"{LIST}?weapon=EXX", {}, 400, "invalid-parameter"),
            (f"{LIST}?q=%FF", {}, 400, "malformed-query"),
            (f"{LIST}?cursor=x", {}, 400, "invalid-cursor"),
            (f"{LIST}?q={'a' * 4096}", {}, 414, "uri-too-long"),
            (LIST, {"Accept": "text/html"}, 406, "not-acceptable"),
            (LIST, {"Accept": "application/xml;q=0.9, text/plain"}, 406, "not-acceptable"),
            ("/api/v1/places/", {"Accept": "text/csv"}, 406, "not-acceptable"),
            (LIST, {"Host": "elsewhere.example"}, 400, "malformed-request"),
        ],
    )
    def test_refusal_is_a_problem(
        self, client: Client, path: str, headers: dict[str, str], status: int, slug: str
    ) -> None:
        assert_is_problem(client.get(path, headers=headers), status, slug)

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
    @pytest.mark.parametrize("path", ["", "incidents/", "incidents/MMR-2023-0001/", "docs/"])
    def test_nothing_but_reading_is_allowed(self, client: Client, method: str, path: str) -> None:
        response = getattr(client, method)(f"/api/v1/{path}")
        assert_is_problem(response, 405, "method-not-allowed")
        assert response["Allow"] == "GET, HEAD"

    @pytest.mark.parametrize(
        "accept",
        [
            "*/*",
            "application/*",
            "application/json",
            "text/html, */*;q=0.1",
            "application/json; x=1",
        ],
    )
    def test_json_is_given_to_whoever_takes_it(self, client: Client, accept: str) -> None:
        response = client.get(LIST, headers={"Accept": accept})
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"

    def test_several_faults_are_named_at_once(self, client: Client) -> None:
        body = client.get(f"{LIST}?wepon=EXG&plaec=MMR").json()
        assert [(e["field"], e["nearest"]) for e in body["errors"]] == [
            ("wepon", "weapon"),
            ("plaec", "place"),
        ]

    def test_answer_stays_small_however_much_is_wrong(self, client: Client) -> None:
        query = "&".join(f"{chr(97 + i) * 150}=1" for i in range(25))
        assert_is_problem(client.get(f"{LIST}?{query}"), 400, "unknown-parameter")

    def test_security_headers_are_on_every_answer(self, client: Client) -> None:
        for path in ("/", "/nothing", "/healthz", "/problems/", LIST, "/api/v1/nothing/",
                     f"{LIST}?x=1", "/api/v1/docs/", "/api/v1/schema/"):  # fmt: skip
            assert set(client.get(path).headers) >= SECURITY, path
        assert set(client.get(LIST, headers={"Host": "x.example"}).headers) >= SECURITY

    def test_cookie_makes_no_difference(self, client: Client) -> None:
        plain = client.get(LIST)
        client.cookies["session"] = "x" * 100
        other = client.get(LIST)
        assert other.content == plain.content
        assert other.headers == plain.headers

    @pytest.mark.parametrize(
        "error", [OperationalError("canceling statement"), InterfaceError("closed")]
    )
    def test_database_that_does_not_answer_is_503(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        monkeypatch.setattr(reading, "position", lambda: _raise(error))
        response = client.get(LIST)
        assert_is_problem(response, 503, "unavailable")
        assert int(response["Retry-After"]) > 0

    def test_fault_of_ours_is_500_with_an_id_that_is_logged_without_its_message(
        self,
        client: Client,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        error = DataError("SENTINEL-NAME")
        monkeypatch.setattr(reading, "position", lambda: _raise(error))
        response = client.get(LIST)
        body = assert_is_problem(response, 500, "internal-error")
        assert body["request_id"] in caplog.text
        assert "DataError" in caplog.text
        assert "SENTINEL" not in caplog.text + response.content.decode()


HOSTILE_VALUES = [
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%FF%FE",
    "%C0%80",
    "%",
    "%zz",
    "%0D%0AX-Injected:1",
    "%E2%80%AE",
    "%F0%9F%92%A9",
    "'",
    "%27%20OR%201=1--",
    "%22",
    "%5C",
    "%3B",
    "(((((((((((",
    "!%20%26%20|",
    "*:*",
    "a:*",
    "%3C-%3E",
    "-" * 200,
    "-!" * 100,
    "-(" * 100,
    "%EF%BC%8D" * 200,
    "-%22" * 100,
    "%20" * 100,
    "o%20" * 60,
    "a-" * 100,
    "9" * 300,
    "-1",
    "1e999",
    "NaN",
    "Infinity",
    "null",
    "true",
    "[]",
    "{}",
    "%EF%B7%BA" * 60,
    "a%CC%81" * 60,
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "٢٠٢٣-٠١-٠١",
    "..%2F..%2Fetc",
    "{{7*7}}",
    "%25s",
    "%25(x)s",
    "a" * 5000,
]
HOSTILE_QUERIES = [
    "=",
    "&&&&",
    "=x",
    "%00=x",
    "q[]=x",
    "q%5B%24ne%5D=x",
    "a%22%20OR%201=1",
    "q__regex=(a%2B)%2B%24",
    "_connector=OR",
    "__class__=x",
    "limit=5;q=x",
    "&".join(["weapon=EXG"] * 350),
    "&".join(f"p{i}=1" for i in range(500)),
    "a&" * 2000,
    "%F0%28%8C%28=x",
]
HOSTILE_HEADERS = [
    "Accept",
    "Accept-Language",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
    "X-HTTP-Method-Override",
]
HOSTILE_HEADER_VALUES = [
    ";;;=,,",
    "*/*;q=x",
    "a/b/c",
    '"' * 4000,
    "," * 4000,
    "W/" * 2000,
    "é\x00",
    '*/*; a="b\r\nX-Injected: 1"',
    "*/*;" * 900,
    "bytes=0-1",
    "DELETE",
]


@pytest.mark.usefixtures("three")
class TestHostile:
    """Whatever is sent: no 500, no work without end, and a small answer."""

    def ask(self, client: Client, path: str, **headers: str) -> Any:
        # Of the processor: by the clock, other programs would count.
        started = time.thread_time()
        response = client.get(path, headers=headers or None)
        assert time.thread_time() - started < 5, path
        assert response.status_code < 500, path
        return response

    @pytest.mark.parametrize("parameter", ["q", "date_from", "place", "bbox", "weapon", "actor",
                                           "killed_civilian_min__gte", "cursor", "ordering",
                                           "limit", "fields", "count", "x"])  # fmt: skip
    def test_values(self, client: Client, parameter: str) -> None:
        for value in HOSTILE_VALUES:
            response = self.ask(client, f"{LIST}?{parameter}={value}")
            assert response.status_code in (200, 400, 414), value
            if response.status_code == 200:
                assert parameter in ("q", "date_from") or value == "true", value
            assert "X-Injected" not in response.headers

    @pytest.mark.parametrize("path", ["places/", "actors/", "outlets/", "articles/"])
    def test_values_of_reference_lists(self, client: Client, path: str) -> None:
        for value in HOSTILE_VALUES:
            for parameter in ("q", "parent", "kind", "country", "language", "outlet", "cursor"):
                self.ask(client, f"/api/v1/{path}?{parameter}={value}")

    def test_queries(self, client: Client) -> None:
        for query in HOSTILE_QUERIES:
            response = self.ask(client, f"{LIST}?{query}")
            expected = (200,) if query == "&&&&" or query.startswith("weapon") else (400, 414)
            assert response.status_code in expected, query[:50]

    @pytest.mark.parametrize("header", HOSTILE_HEADERS)
    def test_headers(self, client: Client, header: str) -> None:
        for value in HOSTILE_HEADER_VALUES:
            response = self.ask(client, LIST, **{header: value})
            assert "X-Injected" not in response.headers
            assert response["Content-Type"] in ("application/json", problems.MEDIA_TYPE)


def _raise(error: Exception) -> Any:
    raise error


class TestMapping:
    """What each exception becomes; the casework API relies on the same table."""

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (errors.Invalid("No.", fields={"min": ["Too high."]}), 400),
            (errors.Conflict("Changed.", differences=["place.name"]), 409),
            (errors.NotAllowed("Not you."), 403),
            (errors.NotFound("SENTINEL-NAME"), 404),
            (Http404("SENTINEL-NAME"), 404),
            (PermissionDenied("x"), 403),
            (SuspiciousOperation("x"), 400),
            (DjangoValidationError({"min": ["Too high."]}), 400),
            (DjangoValidationError("No."), 400),
            (exceptions.ValidationError({"a": [{}, {"b": ["No."]}]}), 400),
            (exceptions.ParseError(), 400),
            (exceptions.NotAuthenticated(), 401),
            (exceptions.PermissionDenied(), 403),
            (exceptions.NotFound("SENTINEL-NAME"), 404),
            (exceptions.UnsupportedMediaType("x/y"), 415),
            (exceptions.Throttled(wait=3), 429),
            (OperationalError("x"), 503),
            (ZeroDivisionError("SENTINEL-NAME"), 500),
        ],
    )
    def test_exception_becomes_a_problem(self, error: Exception, status: int) -> None:
        try:
            raise error
        except Exception as caught:
            response = problems.handle(caught, {})
        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"
        assert b"SENTINEL" not in response.content

    def test_conflict_says_where_the_record_differs(self) -> None:
        problem = problems.of(errors.Conflict("Changed.", differences=["place.name"]))
        assert problem.members == {"differences": ["place.name"]}

    def test_field_errors_have_paths(self) -> None:
        problem = problems.of(exceptions.ValidationError({"a": [{}, {"b": ["No."]}], "c": "Bad."}))
        assert [(e["field"], e["message"]) for e in problem.errors] == [
            ("a[1].b", "No."),
            ("c", "Bad."),
        ]

    def test_every_status_of_the_framework_has_a_kind(self) -> None:
        statuses = {kind.status for kind in problems.KINDS.values()}
        for name in exceptions.__dict__.values():
            if isinstance(name, type) and issubclass(name, exceptions.APIException):
                assert name.status_code in statuses


class TestPages:
    def test_errors_outside_the_api_are_a_line_of_text(self) -> None:
        request = RequestFactory().get("/nothing")
        response = pages.not_found(request, Http404())
        assert response.content == b"404 Not found\n"
        assert response["Content-Type"].startswith("text/plain")

    def test_server_error_says_under_which_id_it_is_logged(self) -> None:
        request = RequestFactory().get("/admin/")
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            response = pages.server_error(request)
        assert response.status_code == 500
        assert b"request " in response.content

    def test_type_of_a_problem_leads_to_its_meaning(self, client: Client) -> None:
        for slug, kind in problems.KINDS.items():
            response = client.get(f"/problems/{slug}")
            assert response.status_code == 200
            assert kind.meaning.split(":")[0] in response.content.decode()
        assert client.get("/problems/nothing").status_code == 404

    def test_home_page_leads_to_everything(self, client: Client) -> None:
        text = client.get("/").content.decode()
        for path in ("/api/v1/", "/api/v1/docs/", "/api/v1/schema/", "/problems/", "/admin/"):
            assert f'href="{path}"' in text
        assert "<script" not in text

    def test_process_answers_without_a_database(self, client: Client) -> None:
        assert client.get("/healthz").content == b"ok\n"
        assert client.post("/healthz").status_code == 405

    @pytest.mark.usefixtures("three")
    def test_ready_means_that_both_databases_answer(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert client.get("/readyz").content == b"ok\n"
        monkeypatch.setattr(pages, "_answers", lambda alias: alias != "published")
        response = client.get("/readyz")
        assert (response.status_code, response.content) == (503, b"no answer from: published\n")

"""gzip of public answers: who gets it, what it is called, and what is never compressed."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable, Iterator

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from harmtracker import compression
from harmtracker.compression import Compression, accepts_gzip
from tests.api import routes
from tests.api.routes import CODE
from tests.clients import Api

DOCUMENT = f"/api/v1/incidents/{CODE}/"
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0.001", True),
        ("gzip ; q=0.5", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("identity;q=1, *;q=0", False),
        ("identity;q=0.5, gzip;q=0.4", False),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("identity;q=0, gzip;q=0.1", True),
        ("br", False),
        ("gzipped", False),
        ("gzip;q=2", False),
        ("gzip;q=x", False),
        ("gzip;q=0.1234", False),
        ("gzip;level=9", False),
        (",,;;q=,gzip", True),
        ("," * 50_000 + "gzip", False),
    ],
)
def test_who_takes_gzip(header: str, taken: bool) -> None:
    assert accepts_gzip(header) is taken


@pytest.mark.parametrize("piece", [",", ";", "gzip;", "q=0.", "gzip;q=0.0000", " ", "\t,", "*;"])
def test_reading_the_header_is_linear(piece: str) -> None:
    started = time.thread_time()
    accepts_gzip(piece * (50_000 // len(piece)))
    assert time.thread_time() - started < 0.1


@pytest.mark.usefixtures("three")
class TestPublicAnswers:
    def test_the_bytes_are_the_same_and_fewer_pass(self, client: Client) -> None:
        plain, packed = client.get(DOCUMENT), client.get(DOCUMENT, headers=GZIP)
        assert packed["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.content) == plain.content
        assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 2
        assert packed["Content-Type"] == plain["Content-Type"]
        assert "Content-Encoding" not in plain

    def test_each_representation_has_an_etag_of_its_own(self, client: Client) -> None:
        plain, packed = client.get(DOCUMENT), client.get(DOCUMENT, headers=GZIP)
        assert packed["ETag"] == plain["ETag"][:-1] + '-gzip"'
        assert "Accept-Encoding" in plain["Vary"]
        assert "Accept-Encoding" in packed["Vary"]

    @pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"x-gzip", {}'])
    def test_both_etags_are_taken_back(self, client: Client, form: str) -> None:
        plain = client.get(DOCUMENT)["ETag"]
        packed = client.get(DOCUMENT, headers=GZIP)["ETag"]
        for etag in (plain, packed):
            known = {"If-None-Match": form.format(etag)}
            unchanged = client.get(DOCUMENT, headers=GZIP | known)
            assert (unchanged.status_code, unchanged["ETag"]) == (304, etag)
            assert "Accept-Encoding" in unchanged["Vary"]
            assert "Content-Encoding" not in unchanged

    def test_whoever_takes_plain_bytes_alone_has_not_the_compressed_ones(
        self, client: Client
    ) -> None:
        packed = client.get(DOCUMENT, headers=GZIP)["ETag"]
        answer = client.get(DOCUMENT, headers={"If-None-Match": packed})
        assert answer.status_code == 200
        assert answer.content

    def test_head_is_as_get(self, client: Client) -> None:
        got, head = client.get(DOCUMENT, headers=GZIP), client.head(DOCUMENT, headers=GZIP)
        assert head.headers == got.headers
        assert head.content == b""

    def test_every_public_address_can_be_had_compressed_or_is_small(self, client: Client) -> None:
        for path in routes.examples():
            plain, packed = client.get(path), client.get(path, headers=GZIP)
            assert "Accept-Encoding" in packed["Vary"], path
            if len(plain.content) < compression.MIN_BYTES:
                assert packed.content == plain.content, path
                assert packed["ETag"] == plain["ETag"], path
            else:
                assert gzip.decompress(packed.content) == plain.content, path

    def test_compressing_twice_gives_the_same_bytes(self, client: Client) -> None:
        one, other = (client.get(DOCUMENT, headers=GZIP).content for _ in range(2))
        assert one == other


@pytest.mark.django_db(databases=["default", "published"])
class TestWhatIsNeverCompressed:
    def test_casework(self, api: Callable[..., Api]) -> None:
        answer = api("verifier").get("/api/v1/casework/incidents/", headers=GZIP)
        assert answer.status_code == 200
        assert len(answer.content) > compression.MIN_BYTES
        assert "Content-Encoding" not in answer

    @pytest.mark.parametrize("path", ["/admin/", "/admin/incidents/incident/"])
    def test_the_admin(self, signed_in: Callable[[str], Client], path: str) -> None:
        answer = signed_in("verifier").get(path, headers=GZIP)
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer


def answered(response: HttpResponse | StreamingHttpResponse, **headers: str) -> HttpResponse:
    request = RequestFactory().get("/api/v1/x/", headers=GZIP | headers)
    return Compression(lambda _: response)(request)


class TestStreams:
    def test_a_stream_is_compressed_as_it_comes(self) -> None:
        given: list[int] = []

        def chunks() -> Iterator[bytes]:
            for n in range(50):
                given.append(n)
                yield random.Random(n).randbytes(50_000)

        answer = answered(
            StreamingHttpResponse(chunks(), content_type="text/csv", headers={"ETag": '"a"'})
        )
        assert answer["Content-Encoding"] == "gzip"
        assert answer["ETag"] == '"a-gzip"'
        assert "Content-Length" not in answer
        stream = iter(answer.streaming_content)
        first = next(stream)
        assert len(given) < 50
        whole = b"".join([first, *stream])
        assert gzip.decompress(whole) == b"".join(
            random.Random(n).randbytes(50_000) for n in range(50)
        )

    # Django looks at its connections when an answer is closed.
    @pytest.mark.django_db
    def test_what_is_streamed_is_closed_with_the_answer(self) -> None:
        closed: list[bool] = []

        def chunks() -> Iterator[bytes]:
            try:
                yield b"x" * 1000
                yield b"y" * 1000
            finally:
                closed.append(True)

        answer = answered(StreamingHttpResponse(chunks(), content_type="application/x-ndjson"))
        next(iter(answer.streaming_content))
        answer.close()
        assert closed == [True]

    @pytest.mark.parametrize(
        ("media_type", "is_compressed"),
        [
            ("application/json", True),
            ("application/geo+json", True),
            ("application/problem+json", True),
            ("application/x-ndjson", True),
            ("application/yaml", True),
            ("application/vnd.oai.openapi", True),
            ("text/csv; charset=utf-8", True),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", False),
            ("application/vnd.apache.parquet", False),
            ("application/octet-stream", False),
            ("image/png", False),
            ("", False),
        ],
    )
    def test_only_texts_are_compressed(self, media_type: str, is_compressed: bool) -> None:
        answer = answered(HttpResponse(b"x" * 5000, content_type=media_type))
        assert answer.has_header("Content-Encoding") is is_compressed

    def test_what_is_encoded_already_stays(self) -> None:
        response = HttpResponse(b"x" * 5000, "text/csv", headers={"Content-Encoding": "br"})
        assert answered(response).content == b"x" * 5000

    def test_a_request_for_nothing_else_is_left_alone(self) -> None:
        request = HttpRequest()
        request.path = "/problems/"
        request.META["HTTP_ACCEPT_ENCODING"] = "gzip"
        answer = Compression(lambda _: HttpResponse(b"x" * 5000))(request)
        assert "Content-Encoding" not in answer

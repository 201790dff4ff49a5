"""Parts of files, and what is no file."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from incidents.models import ReleaseBuild
from tests.releases.conftest import ROOT, address, body, folder

WHOLE = object()
BEYOND = object()


RANGES: list[tuple[str, Any]] = [
    ("bytes=0-0", (0, 1)),
    ("bytes=0-99", (0, 100)),
    ("bytes=100-", (100, None)),
    ("bytes=-5", (-5, None)),
    ("bytes=-999999999", (0, None)),
    ("bytes=5-999999999", (5, None)),
    ("BYTES=1-2", (1, 3)),
    ("bytes=999999999-", BEYOND),
    ("bytes=999999999-9999999999", BEYOND),
    ("bytes=-0", BEYOND),
    ("bytes=0-1,4-5", WHOLE),
    ("bytes=5-1", WHOLE),
    ("bytes=-", WHOLE),
    ("bytes=a-b", WHOLE),
    ("bytes=٠-١", WHOLE),
    ("bytes=--1", WHOLE),
    ("bytes=9999999999999999999999-", WHOLE),
    ("lines=0-1", WHOLE),
    ("", WHOLE),
]


def test_ranges(released: ReleaseBuild) -> None:
    for header, expected in RANGES:
        _assert_range(released, header, expected)


def _assert_range(released: ReleaseBuild, header: str, expected: Any) -> None:
    path = "csv/incidents.csv"
    data = (folder(released) / path).read_bytes()
    response = Client().get(address(released, path), headers={"Range": header})
    if expected is WHOLE:
        assert (response.status_code, body(response)) == (200, data)
        assert "Content-Range" not in response
    elif expected is BEYOND:
        assert response.status_code == 416
        assert response["Content-Range"] == f"bytes */{len(data)}"
        assert response.json()["type"] == "/problems/range-not-satisfiable"
    else:
        part = data[slice(*expected)]
        first = data.index(part) if expected != (0, 1) else 0
        assert (response.status_code, body(response)) == (206, part)
        assert response["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(data)}"
        assert response["Content-Length"] == str(len(part))


def test_a_range_that_depends_on_what_one_has(released: ReleaseBuild) -> None:
    url = address(released, "csv/claims.csv")
    etag = Client().head(url)["ETag"]
    for tag, status in ((etag, 206), ('"other"', 200), (f"W/{etag}", 200), ("Tue, 1 Jan", 200)):
        headers = {"Range": "bytes=0-9", "If-Range": tag}
        response = Client().get(url, headers=headers)
        assert response.status_code == status, tag
        body(response)


def test_head_and_what_one_has_already(released: ReleaseBuild) -> None:
    url = address(released, "csv/claims.csv")
    head = Client().head(url, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.content) == (200, b"")
    size = (folder(released) / "csv/claims.csv").stat().st_size
    assert head["Content-Length"] == str(size)
    assert head["Accept-Ranges"] == "bytes"
    # A redaction may end the file: no cache gives it without asking.
    assert head["Cache-Control"] == "public, max-age=0, must-revalidate"
    again = Client().get(url, headers={"If-None-Match": head["ETag"], "Range": "bytes=0-9"})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == head["ETag"]


def test_what_can_be_had_in_ranges_is_not_compressed(released: ReleaseBuild) -> None:
    headers = {"Accept-Encoding": "gzip"}
    response = Client().get(address(released, "csv/claims.csv"), headers=headers)
    assert "Content-Encoding" not in response
    assert body(response) == (folder(released) / "csv/claims.csv").read_bytes()


PATHS = [
    "../1/csv/claims.csv",
    "csv/../csv/claims.csv",
    "../../../../etc/passwd",
    "%2e%2e/%2e%2e/.lock",
    "..%2f..%2f.lock",
    "/etc/passwd",
    "csv//claims.csv",
    "csv",
    "csv/",
    "csv/claims.csv/",
    "csv/claims.csv%00",
    "csv%5cclaims.csv",
    "CSV/claims.csv",
    "csv/claims.csv ",
    "a" * 3000,
    "\u202ecsv/claims.csv",
]


def test_names_never_decide_a_path(released: ReleaseBuild) -> None:
    for path in PATHS:
        assert Client().get(address(released, path)).status_code == 404, path


NOT_THERE = [
    "2026.2/",
    "2026/",
    "x/",
    "2026.1%00/",
    "../",
    "٢٠٢٦.1/",
    "2026.1/builds/2/SHA256SUMS",
    "2026.1/builds/01/SHA256SUMS",
    "2026.1/builds/0/SHA256SUMS",
    "2026.1/builds/99999999999999999999/SHA256SUMS",
    "2026.1/builds/x/SHA256SUMS",
    "2026.9/builds/1/SHA256SUMS",
]


def test_what_is_not_there(released: ReleaseBuild) -> None:
    for path in NOT_THERE:
        assert Client().get(ROOT + path).status_code == 404, path


def test_nothing_is_asked_of_a_file_but_the_file(released: ReleaseBuild) -> None:
    assert Client().get(address(released, "SHA256SUMS"), {"x": "1"}).status_code == 400
    assert Client().post(address(released, "SHA256SUMS")).status_code == 405


@pytest.mark.parametrize("loss", ["gone", "shorter"])
def test_lost_files_are_not_given(released: ReleaseBuild, loss: str) -> None:
    path = folder(released) / "SHA256SUMS"
    path.unlink() if loss == "gone" else path.write_bytes(b"x")
    for ask in (Client().get, Client().head):
        response = ask(address(released, "SHA256SUMS"))
        assert response.status_code == 503
        assert "Retry-After" in response

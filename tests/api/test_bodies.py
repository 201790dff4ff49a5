"""Hostile bodies: each is refused in under a second and 2 kB, names its field, and leaves nothing.

Texts that are taken come out as they went in.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from harmtracker.api import bodies, problems
from harmtracker.api.parameters import Unacceptable
from sources.models import Outlet
from tests.clients import Api

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.example_views")]

MIB = 1024 * 1024
GOOD = {"slug": "new", "name": "New", "kind": "local_media", "independence_group": "new"}
MALFORMED, INVALID, LARGE = "malformed-request", "invalid", "too-large"


def _with(name: str, value: str) -> bytes:
    """A good outlet, one of whose values is written so."""
    members = {key: json.dumps(v) for key, v in GOOD.items()} | {name: value}
    return ("{" + ",".join(f'"{k}":{v}' for k, v in members.items()) + "}").encode(
        "utf-8", "surrogatepass"
    )


def _text(content: str) -> bytes:
    return _with("name", f'"{content}"')


# Name -> body, kind of the problem, the field that it names (None: none is to be had).
CORPUS: dict[str, tuple[bytes, str, str | None]] = {
    "empty": (b"", MALFORMED, None),
    "white space": (b" \r\n\t", MALFORMED, None),
    "truncated": (_text("x")[:-3], MALFORMED, None),
    "truncated in a name": (b'{"na', MALFORMED, None),
    "truncated escape": (b'{"name":"\\u00', MALFORMED, None),
    "truncated UTF-8": (b'{"name":"\xe1\x80', MALFORMED, None),
    "trailing garbage": (_text("x") + b"x", MALFORMED, None),
    "two objects": (_text("x") + _text("y"), MALFORMED, None),
    "trailing NUL": (_text("x") + b"\x00", MALFORMED, None),
    "trailing comma": (b'{"name":"x",}', MALFORMED, None),
    "comment": (b'{"name":"x"/*y*/}', MALFORMED, None),
    "single quotes": (b"{'name':'x'}", MALFORMED, None),
    "bare name": (b"{name:1}", MALFORMED, None),
    "no JSON": (b"name=x&kind=y", MALFORMED, None),
    "an array": (b"[{}]", MALFORMED, None),
    "a string": (b'"x"', MALFORMED, None),
    "a number": (b"1", MALFORMED, None),
    "null": (b"null", MALFORMED, None),
    "NaN alone": (b"NaN", MALFORMED, None),
    "byte order mark": (b"\xef\xbb\xbf" + _text("x"), MALFORMED, None),
    "UTF-16": (_text("x").decode().encode("utf-16"), MALFORMED, None),
    "UTF-16 without a mark": (_text("x").decode().encode("utf-16-le"), MALFORMED, None),
    "UTF-32": (_text("x").decode().encode("utf-32"), MALFORMED, None),
    "Latin-1": (b'{"name":"caf\xe9"}', MALFORMED, None),
    "overlong UTF-8": (b'{"name":"\xc0\xaf"}', MALFORMED, None),
    "surrogate in UTF-8": (_text("\ud800"), MALFORMED, None),
    "beyond Unicode": (b'{"name":"\xf4\x90\x80\x80"}', MALFORMED, None),
    "raw NUL": (_text("a\x00b"), MALFORMED, None),
    "raw line break": (_text("a\nb"), MALFORMED, None),
    "unknown escape": (_text("\\x41"), MALFORMED, None),
    "hexadecimal": (_with("name", "0x10"), MALFORMED, None),
    "leading zero": (_with("name", "01"), MALFORMED, None),
    "leading plus": (_with("name", "+1"), MALFORMED, None),
    "leading point": (_with("name", ".5"), MALFORMED, None),
    "full-width digits": (_with("name", "１"), MALFORMED, None),
    "brackets": (b'{"name":' + b"[" * 500_000, MALFORMED, None),
    "closed brackets": (b'{"name":' + b"[" * 500_000 + b"]" * 500_000 + b"}", MALFORMED, None),
    "objects in objects": (b'{"a":' * 150_000 + b"1" + b"}" * 150_000, MALFORMED, None),
    "open string of escapes": (b'{"name":"' + b'\\"' * 500_000, MALFORMED, None),
    "escaped NUL": (_text("a\\u0000b"), INVALID, "name"),
    "escaped control": (_text("\\u001b[2J"), INVALID, "name"),
    "backspace": (_text("a\\b"), INVALID, "name"),
    "form feed": (_text("a\\f"), INVALID, "name"),
    "delete": (_text("\\u007f"), INVALID, "name"),
    "raw delete": (_text("\x7f"), INVALID, "name"),
    "next line": (_text("\\u0085"), INVALID, "name"),
    "high control": (_text("\x9f"), INVALID, "name"),
    "U+FFFE": (_text("\\ufffe"), INVALID, "name"),
    "U+FFFF": (_text("\\uffff"), INVALID, "name"),
    "high surrogate": (_text("\\ud800"), INVALID, "name"),
    "low surrogate": (_text("\\udc00"), INVALID, "name"),
    "surrogates in the wrong order": (_text("\\udc00\\ud800"), INVALID, "name"),
    "NUL in a list": (_with("other_names", '["a","\\u0000"]'), INVALID, "other_names[1]"),
    "NUL in what is not known": (_with("x", '{"y":[{"z":"\\u0000"}]}'), INVALID, "x.y[0].z"),
    "NUL in a name": (_with("a\\u0000b", "1"), INVALID, "a\\x00b"),
    "surrogate in a name": (_with("\\ud800", "1"), INVALID, "\\ud800"),
    "surrogate in a name below": (_with("x", '{"\\udfff":1}'), INVALID, "x.\\udfff"),
    "U+FFFF in a long name": (b'{"' + b"k" * (MIB - 50) + b'\\uffff":1}', INVALID, "k" * 80),
    "name twice": (b'{"name":"a","name":"b"}', INVALID, "name"),
    "name twice, once escaped": (b'{"name":"a","n\\u0061me":"a"}', INVALID, "name"),
    "name twice below": (_with("x", '[{"y":1,"y":1}]'), INVALID, "x[0].y"),
    "NaN": (_with("name", "NaN"), INVALID, "name"),
    "Infinity": (_with("name", "Infinity"), INVALID, "name"),
    "minus Infinity": (_with("name", "[-Infinity]"), INVALID, "name[0]"),
    "1e999": (_with("name", "1e999"), INVALID, "name"),
    "-1e999": (_with("name", "-1e999"), INVALID, "name"),
    "1e-999": (_with("name", "1e-999"), INVALID, "name"),
    "an exponent without end": (_with("name", "1e" + "9" * 30), INVALID, "name"),
    "20 digits": (_with("name", "1" * 20), INVALID, "name"),
    "a million digits": (_with("name", "9" * 1_000_000), INVALID, "name"),
    "minus a million digits": (_with("name", "-" + "9" * 1_000_000), INVALID, "name"),
    "a million decimals": (_with("name", "0." + "9" * 1_000_000), INVALID, "name"),
    "33 levels": (_with("x", "[" * 32 + "]" * 32), INVALID, ("x" + "[0]" * 31)[:80]),
    "400 levels": (_with("x", "[" * 400 + "]" * 400), INVALID, ("x" + "[0]" * 31)[:80]),
    "100,000 NULs": (_with("x", "[" + '"\\u0000",' * 100_000 + "0]"), INVALID, "x[0]"),
    "150,000 names twice": (b"{" + b'"a":1,' * 149_000 + b'"a":1}', INVALID, "a"),
    "170,000 names": (
        ("{" + ",".join(f'"{i:x}":1' for i in range(110_000)) + "}").encode(),
        INVALID,
        "0",
    ),
    "500,000 numbers": (_with("name", "[" + "0," * 520_000 + "0]"), INVALID, "name"),
    "350,000 objects": (
        _with("other_names", "[" + "{}," * 340_000 + "{}]"),
        INVALID,
        "other_names",
    ),
    "a text of 1 MiB": (_text("x" * (MIB - 200)), INVALID, "name"),
    "wrong type": (_with("name", "1"), INVALID, "name"),
    "an object for a text": (_with("name", '{"a":1}'), INVALID, "name"),
    "null for a text": (_with("name", "null"), INVALID, "name"),
    "a text for a list": (_with("other_names", '"x"'), INVALID, "other_names"),
    "a text for a flag": (_with("party_to_conflict", '"true"'), INVALID, "party_to_conflict"),
    "1 for a flag": (_with("party_to_conflict", "1"), INVALID, "party_to_conflict"),
    "an unknown field": (_with("nmae", '"x"'), INVALID, "nmae"),
    "a field of the framework": (_with("__class__", '"x"'), INVALID, "__class__"),
    "an unknown field in 4-byte letters": (_with("🕊" * 1000, "1"), INVALID, "🕊" * 20),
    "what is not set by hand": (
        _with("uuid", '"00000000-0000-0000-0000-000000000000"'),
        INVALID,
        "uuid",
    ),
    "more than 1 MiB": (_text("x" * MIB), LARGE, None),
    "more than 1 MiB of space": (b" " * (MIB + 1), LARGE, None),
}


@pytest.mark.parametrize(("body", "slug", "field"), CORPUS.values(), ids=CORPUS)
def test_hostile_body_is_refused(
    api: Callable[..., Api], body: bytes, slug: str, field: str | None
) -> None:
    client = api("researcher", ["casework:write"])
    # The first request of a process loads what all of them need.
    client.get("/outlets/")
    before = Outlet.objects.count()
    start = time.thread_time()  # of this thread's work, however busy the machine is
    response = client.client.generic(
        "POST",
        "/outlets/",
        body,
        headers={"Authorization": f"Bearer {client.bearer}"},
        CONTENT_TYPE="application/json",
    )
    took = time.thread_time() - start
    assert response.status_code == (413 if slug == LARGE else 400)
    assert len(response.content) < 2000
    assert took < 1, f"{took:.2f} s"
    problem = response.json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["detail"]
    assert field is None or field in [error["field"] for error in problem["errors"]]
    assert Outlet.objects.count() == before


def test_the_good_one_is_taken(api: Callable[..., Api]) -> None:
    response = api("researcher").post("/outlets/", GOOD)
    assert response.status_code == 201
    assert Outlet.objects.get(slug="new").name == "New"


class _Counted(io.BytesIO):
    """Says how much was read of it."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0
        return super().read(size)


def _in_chunks(body: bytes) -> dict[str, Any]:
    """What a server hands on that has no length from the client."""
    return {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "wsgi.input": _Counted(body)}


def test_body_in_chunks_is_read_and_counted(api: Callable[..., Api]) -> None:
    token = {"HTTP_AUTHORIZATION": f"Bearer {api('researcher').bearer}"}

    def post(environment: dict[str, Any]) -> Any:
        return Client().post("/echo/", content_type="application/json", **environment, **token)

    assert post(_in_chunks(b'{"text":"x"}')).status_code == 200
    assert post(_in_chunks(b"")).status_code == 400
    endless = _in_chunks(b" " * 10 * MIB)
    assert post(endless).status_code == 413
    assert endless["wsgi.input"].tell() <= MIB + 1


def test_body_that_is_too_long_by_its_own_word_is_not_read(api: Callable[..., Api]) -> None:
    unread = _Counted(b"{}")
    for length in (str(MIB + 1), "9" * 30):
        response = Client().post(
            "/echo/",
            content_type="application/json",
            headers={"Authorization": f"Bearer {api('researcher').bearer}"},
            **{"CONTENT_LENGTH": length, "wsgi.input": unread},
        )
        assert response.status_code == 413
    assert unread.tell() == 0


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("application/json; charset=utf-16", 200),  # JSON is UTF-8, whatever is said of it
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/xml", 415),
        ("application/problem+json", 415),
        ("nonsense", 415),
        ("application/json\xff", 415),
        (";", 415),
        ("/", 415),
        ("x" * 5000, 415),
    ],
)
def test_body_is_json_and_says_so(api: Callable[..., Api], media_type: str, status: int) -> None:
    client = api("researcher")
    response = client.post("/echo/", raw=b'{"text":"x"}', headers={"Content-Type": media_type})
    assert response.status_code == status


def test_body_without_a_media_type_is_refused(api: Callable[..., Api]) -> None:
    client = api("researcher")
    for path in ("/echo/", "/step/"):
        response = client.client.generic(
            "POST",
            path,
            b'{"text":"x"}',
            content_type="",
            headers={"Authorization": f"Bearer {client.bearer}"},
        )
        assert response.status_code == 415


def test_step_that_needs_nothing_said_takes_an_empty_body(api: Callable[..., Api]) -> None:
    client = api("researcher")
    assert client.post("/step/").status_code == 204
    assert client.post("/step/", {}).status_code == 204
    assert client.post("/step/", {"a": 1}).json() == {"a": 1}
    for raw in (b"[]", b"x", b" "):
        response = client.post("/step/", raw=raw, headers={"Content-Type": "application/json"})
        assert response.status_code == 400


TEXTS = [
    " leading and trailing ",
    "line\nline\r\nline\ttab",
    "composed é and decomposed e\u0301",
    "မြန်မာ \u1019\u103c\u1014\u103a zawgyi \u1031\u1019",
    "zero\u200bwidth\u200djoiner\ufeff",
    "\u202eright to left\u202c שלום",
    "\u2028line separator\u2029",
    "\U0001f54a\ufe0f \U00010900 \U0010ffff",
    "'quotes\" \\ back\\nslash \\u0000 %s {} $$ ; --",
    "＝１＋１ fullwidth",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "\ue000 private \ufdd0 \ufffd",
    "",
    "a" * 900_000,
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("as_ascii", [True, False], ids=["escaped", "raw"])
def test_text_is_read_as_it_was_sent(api: Callable[..., Api], text: str, as_ascii: bool) -> None:
    raw = json.dumps({"text": text}, ensure_ascii=as_ascii).encode()
    response = api("researcher").post("/echo/", raw=raw)
    assert response.json() == {"sha256": hashlib.sha256(text.encode()).hexdigest()}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0", 0),
        ("-0", 0),
        ("9" * 19, int("9" * 19)),
        ("-" + "9" * 19, -int("9" * 19)),
        ("1.0", Decimal("1.0")),
        ("0.1", Decimal("0.1")),
        ("97.166667", Decimal("97.166667")),
        ("1e3", Decimal("1E+3")),
        ("0e0", Decimal("0")),
        ("1.7976931348623157e308", Decimal("1.7976931348623157E+308")),
        ("true", True),
        ("null", None),
        ('"\\ud83d\\ude00"', "😀"),
        ("[" * 31 + "]" * 31, json.loads("[" * 31 + "]" * 31)),
    ],
)
def test_value_is_read_exactly(written: str, read: Any) -> None:
    value = bodies.parse(f'{{"a":{written}}}'.encode())["a"]
    assert value == read
    assert type(value) is type(read)
    if isinstance(read, Decimal):
        assert str(value) == str(read)


def test_text_of_forms_is_checked_alike() -> None:
    bodies.check_text("line\r\n\ttab မြန်မာ")
    with pytest.raises(Unacceptable, match=r"U\+0007"):
        bodies.check_text("bell \x07")


def test_body_that_breaks_off_is_the_clients_fault() -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise OSError("gone")

    with pytest.raises(problems.Problem) as caught:
        bodies.read(Broken())
    assert caught.value.slug == MALFORMED

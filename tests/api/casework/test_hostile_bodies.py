"""Bodies that nobody means well with: refused at once, by name, with nothing stored.

Whatever was sent, every reader answers afterwards.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import models
from django.http import HttpResponse
from django.test import Client
from rest_framework import serializers

from harmtracker import urls  # noqa: F401  (loaded before the first request is timed)
from harmtracker.api import fields
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import models as records
from incidents.api.casework import serializers as shapes
from incidents.api.casework.parts import PARTS
from incidents.api.casework.whole import WholeIncidentSerializer
from incidents.models import Incident, IncidentRevision
from incidents.workflow import TRANSITIONS
from tests import builders
from tests import test_casework_access as access
from tests.clients import Api
from tests.patience import EVERY

from .bodies import BASE, whole

MakeApi = Callable[..., Api]
MIB = 1024 * 1024


def nested(depth: int, inner: bytes = b"1") -> bytes:
    return b'{"title":' + b"[" * depth + inner + b"]" * depth + b"}"


# What no route takes, whatever it is for; with the field that the answer names, if there is one.
EVERYWHERE: dict[str, tuple[bytes, str | None]] = {
    "a key twice": (b'{"title":"a","title":"b"}', "title"),
    "a key twice, written otherwise": (b'{"title":"a","t\\u0069tle":"b"}', "title"),
    "a key twice below": (b'{"title":{"a":1,"a":2}}', "title.a"),
    "a key twice in a list": (b'{"claims":[{"note":"a","note":"a"}]}', "claims[0].note"),
    "NUL": (b'{"title":"a\\u0000b"}', "title"),
    "NUL as it is": (b'{"title":"a\x00b"}', None),
    "NUL in a key": (b'{"ti\\u0000tle":"a"}', "ti\\x00tle"),
    "NUL below": (b'{"claims":[{"note":"\\u0000"}]}', "claims[0].note"),
    "half a pair": (b'{"title":"\\ud800"}', "title"),
    "the other half": (b'{"title":"\\udc00 x"}', "title"),
    "halves the wrong way round": (b'{"title":"\\udc00\\ud800"}', "title"),
    "half a pair in a key": (b'{"\\ud800":"a"}', "\\ud800"),
    "half a pair in a key below": (b'{"title":{"\\udfff":1}}', "title.\\udfff"),
    "half a pair in a list": (b'{"circumstances":["\\udbff"]}', "circumstances[0]"),
    "a control character": (b'{"title":"\\u0007"}', "title"),
    "a noncharacter": (b'{"title":"\\uffff"}', "title"),
    "NaN": (b'{"latitude":NaN}', "latitude"),
    "Infinity": (b'{"latitude":Infinity}', "latitude"),
    "-Infinity": (b'{"claims":[{"latitude":-Infinity}]}', "claims[0].latitude"),
    "1e999": (b'{"latitude":1e999}', "latitude"),
    "-1e999": (b'{"latitude":-1e999}', "latitude"),
    "1e-999": (b'{"latitude":1e-999}', "latitude"),
    "an exponent of many digits": (b'{"latitude":1e99999999999999999999}', "latitude"),
    "10^6 digits": (b'{"radius_m":' + b"9" * 1_000_000 + b"}", "radius_m"),
    "10^6 digits below zero": (b'{"radius_m":-' + b"9" * 1_000_000 + b"}", "radius_m"),
    "10^6 decimals": (b'{"latitude":0.' + b"1" * 1_000_000 + b"}", "latitude"),
    "20 digits": (b'{"radius_m":12345678901234567890}', "radius_m"),
    "depth 33": (nested(33), "title" + "[0]" * 24),
    "depth 500": (nested(500), "title" + "[0]" * 24),
    "depth 100,000": (nested(100_000), None),
    "depth 100,000, not closed": (b'{"title":' + b"[" * 100_000, None),
    "objects 100,000 deep": (b'{"a":' * 100_000, None),
    "1 MiB and 1": (b'{"title":"' + b"x" * (MIB + 1 - 12) + b'"}', None),
    "2 MiB of spaces": (b" " * 2 * MIB, None),
    "a byte order mark": (b'\xef\xbb\xbf{"title":"a"}', None),
    "UTF-16": ('{"title":"a"}'.encode("utf-16"), None),
    "UTF-16 without a mark": ('{"title":"a"}'.encode("utf-16-le"), None),
    "UTF-32": ('{"title":"a"}'.encode("utf-32"), None),
    "Latin-1": (b'{"title":"caf\xe9"}', None),
    "half of a letter": (b'{"title":"caf\xc3"}', None),
    "an overlong letter": (b'{"title":"\xc0\x80"}', None),
    "a surrogate as UTF-8": (b'{"title":"\xed\xa0\x80"}', None),
    "cut in a key": (b'{"tit', None),
    "cut in a value": (b'{"title":"a', None),
    "cut before the end": (b'{"title":"a"', None),
    "cut in an escape": (b'{"title":"\\u00', None),
    "two objects": (b'{"title":"a"}{"title":"b"}', None),
    "a comma too many": (b'{"title":"a",}', None),
    "a comment": (b'{"title":"a"/* b */}', None),
    "single quotes": (b"{'title':'a'}", None),
    "a line break in a text": (b'{"title":"a\nb"}', None),
    "a list": (b"[]", None),
    "a list of an object": (b'[{"title":"a"}]', None),
    "a text": (b'"title"', None),
    "a number": (b"1", None),
    "null": (b"null", None),
    "true": (b"true", None),
    "spaces": (b"  \r\n", None),
    "a form": (b"title=a&claims=b", None),
    "an unknown key": (b'{"zzzz":1}', "zzzz"),
    "an empty key": (b'{"":1}', ""),
    "a key of the language": (b'{"__class__":"x"}', "__class__"),
    "a key of JavaScript": (b'{"__proto__":{"title":"x"}}', "__proto__"),
    "many unknown keys": (json.dumps({f"k{n}": n for n in range(5_000)}).encode(), "k0"),
    "a long key": (json.dumps({"k" * 900_000: 1}).encode(), "k" * 80),
}


@pytest.fixture
def world(draft: Callable[..., Incident], people: SimpleNamespace) -> dict[str, Any]:
    """What stands in the addresses of casework."""
    return access.rows_of_all_kinds(draft, people)


@pytest.fixture
def mine(people: SimpleNamespace) -> SimpleNamespace:
    """A draft of the researcher's with one row of each part, and a remark."""
    with acting(people.researcher, "For a test"):
        incident = builders.incident(author=people.researcher)
        claim = builders.claim(incident)
        count = builders.count(incident)
        rows = {
            "claims": claim,
            "counts": count,
            "bases": builders.basis(incident, count=count, claim=claim),
            "weapons": builders.weapon_use(incident),
            "involvements": builders.involvement(incident),
            "victims": builders.victim(incident),
            "further-places": builders.further_place(incident),
            "external-ids": builders.external_id(incident),
            "links": builders.link(incident),
        }
        remark = builders.comment(incident, author=people.researcher)
    etag = f'"{incident.uuid.hex[:8]}-{IncidentRevision.objects.get(pk=incident.pk).number}"'
    return SimpleNamespace(incident=incident, rows=rows, remark=remark, etag=etag)


KINDS = [
    *("a record", "all of a record", "fields of a record", "a part", "all of a part"),
    *("fields of a part", "away with a part", "a step of the author's", "a step of a verifier's"),
    *("a remark", "a remark's end", "taking", "releasing", "restoring"),
]


def routes(mine: SimpleNamespace) -> dict[str, list[tuple[str, str]]]:
    """(method, address) of each write of casework, by what answers it."""
    one = f"{BASE}{mine.incident.uuid}/"
    entry = "00000000-0000-0000-0000-000000000000"
    rows = [f"{one}{part}/{row.uuid}/" for part, row in mine.rows.items()]
    steps = [("POST", f"{one}{step.value.replace('_', '-')}/") for step in TRANSITIONS]
    found = [
        [("POST", BASE)],
        [("PUT", one)],
        [("PATCH", one)],
        [("POST", f"{one}{part}/") for part in mine.rows],
        *([(method, row) for row in rows] for method in ("PUT", "PATCH", "DELETE")),
        [step for step in steps if not _is_verifiers(step[1])],
        [step for step in steps if _is_verifiers(step[1])],
        [("POST", f"{one}comments/")],
        [("PATCH", f"{one}comments/{mine.remark.uuid}/")],
        [("POST", f"{one}take/")],
        [("POST", f"{one}release/")],
        [("POST", f"{one}history/{entry}/restore/")],
    ]
    return dict(zip(KINDS, found, strict=True))


def _is_verifiers(path: str) -> bool:
    return path.split("/")[-2] in {"return", "verify", "publish", "propose-retraction", "retract"}


def stored(mine: SimpleNamespace) -> dict[str, Any]:
    """How many rows of each kind there are, and the revision."""
    kinds = [getattr(records, name) for name in records.__all__]
    rows = {kind.__name__: kind._default_manager.count() for kind in kinds if _is_casework(kind)}
    return {**rows, "revision": IncidentRevision.objects.get(pk=mine.incident.pk).number}


def _is_casework(kind: type[models.Model]) -> bool:
    return not kind.__name__.startswith(("Published", "Ledger", "Code"))


def refused(answer: HttpResponse, began: float) -> dict[str, Any]:
    """The body of a refusal as every one has to be."""
    assert time.thread_time() - began < SLOWEST_S
    assert 400 <= answer.status_code < 500, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert len(answer.content) <= 2048
    return dict(json.loads(answer.content))


# Of the processor: by the clock, other programs would count. Where other tests run beside, one
# second of work may count as two.
SLOWEST_S = 3.0


def test_there_are_sixty_payloads() -> None:
    assert len(EVERYWHERE) >= 60


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_what_no_route_takes(mine: SimpleNamespace, api: MakeApi, kind: str) -> None:
    """Each body goes to one route of each kind, in turn, so that each route gets its share.

    Routes of one kind share their view, which reads the body before it looks for the record.
    ``HARMTRACKER_TEST_EVERY=1`` sends each body to each route, and takes minutes.
    """
    here = routes(mine)[kind]
    program = api("verifier" if _is_verifiers(here[0][1]) else "researcher")
    before = stored(mine)
    for n, (body, (raw, field)) in enumerate(EVERYWHERE.items()):
        for method, path in here if EVERY else [here[n % len(here)]]:
            began = time.thread_time()
            answer = program.request(method, path, raw=raw, headers={"If-Match": mine.etag})
            problem = refused(answer, began)
            named = [error["field"] for error in problem.get("errors", [])]
            is_invalid = answer.status_code == 400 and problem["type"].endswith("invalid")
            if field is not None and is_invalid:
                assert any(name.startswith(field) for name in named), (body, path, problem)
    assert stored(mine) == before


# Refused before a body is looked at.
NOT_READ = {"401", "403", "404", "405"}


def _other_routes() -> list[tuple[str, str, str]]:
    """(route, method, column of who may) of what else the table of access says is written."""
    found = []
    for line in access.TABLE.read_text().splitlines()[1:]:
        route, method, *statuses = line.split("\t")
        given = dict(zip(access.TOKENS, statuses, strict=True))
        may = [who for who in ("author", "verifier") if given[who] not in NOT_READ]
        if may and method not in ("GET", "HEAD", "OPTIONS"):
            found.append((route, method, may[0]))
    return found


@pytest.mark.django_db
def test_what_no_other_route_takes(
    world: dict[str, Any], mine: SimpleNamespace, api: MakeApi
) -> None:
    """As above, of all that casework takes: people's names, copies, imports, merges, redactions."""
    known = {pair for pairs in routes(mine).values() for pair in pairs}
    of_mine = {**world, "incident": mine.incident}
    there = [
        (route, method, who)
        for route, method, who in _other_routes()
        if (method, access.address(route, of_mine)) not in known and "<uuid:row>" not in route
    ]
    assert {"redact", "merges", "answer", "publish", "places", "captures", "reveal"} <= {
        part for route, _method, _who in there for part in route.split("/")
    }
    programs = {who: api(*access.TOKENS[who]) for who in ("author", "verifier")}
    before = stored(mine), HistoryEntry.objects.count()
    for n, (body, (raw, field)) in enumerate(EVERYWHERE.items()):
        # Each route gets its share of the bodies, each body goes to a few routes.
        for m, (route, method, who) in enumerate(there):
            if not EVERY and m % 8 != n % 8:
                continue
            path, etag = access.address(route, world), access.etag(world["incident"])
            if "incidents" not in route:
                etag = access.read(programs[who].get(path)).headers.get("ETag", '"none"')
            began = time.thread_time()
            answer = programs[who].request(method, path, raw=raw, headers={"If-Match": etag})
            problem = refused(answer, began)
            named = [error["field"] for error in problem.get("errors", [])]
            if field is not None and problem["type"].endswith("invalid"):
                assert any(name.startswith(field) for name in named), (body, path, problem)
    assert (stored(mine), HistoryEntry.objects.count()) == before


# --- Values that a field cannot have ---

_TEXT_TOO_LONG = "x" * 400_000
COMMON: list[Any] = [{}, {"a": 1}, [[]], [None], [{}]]


def wrong_values(field: serializers.Field) -> list[Any]:
    """What this field cannot take."""
    wrong: list[Any] = list(COMMON)
    if not field.allow_null:
        wrong.append(None)
    match field:
        case fields.Reference():
            wrong += [1, True, "", "nobody", str(uuid.uuid4()), _TEXT_TOO_LONG, ["x"]]
        case fields.Edtf():
            wrong += [0, True, "", "0000", "0000-01-01", "2024-02-30", "2024-13", "2024-1-1"]
            wrong += ["9999-99-99", "10000-01-01", "tomorrow", "2024-01-01T00:00", _TEXT_TOO_LONG]
            wrong += ["2999-01-01", "Y170000002", "-0001", "2024/2023", "٢٠٢٤"]
        case fields.Code():
            wrong += [1, True, "", "no-such-code", " killed", "KILLED", ["killed"]]
        case fields.Codes():
            wrong += [1, "unknown", ["no-such-code"], [1], ["raid", "raid"], ["raid"] * 10_000]
        case fields.Texts():
            wrong += [1, "x", [1], [""], ["x" * 10_000], ["x"] * 10_000]
        case fields.Text():
            wrong += [1, True, 1.5, ["x"]]
            wrong += [] if field.allow_blank else [""]
            wrong += [] if field.max_length is None else ["x" * (field.max_length + 1)]
        case fields.Whole():
            wrong += [-1, 1.5, 1.0, "1", True, 2**31, 2**63, 10**18, [1]]
        case fields.Number():
            wrong += ["1", True, 1e30, -1e30, 0.12345678901, [1], 10**18]
        case fields.Flag():
            wrong += [0, 1, "true", "", [True]]
        case fields.Time():
            wrong += [12, "", "24:00", "12", "12:60", "noon", "12:00Z", "١٢:٠٠"]
        case serializers.ListField():
            wrong += [1, "x", [1], ["x"] * 100_000]
        case serializers.ListSerializer() | serializers.Serializer():
            wrong = [1, "x", None, [1], [[]], ["x"], [None], True]
            if isinstance(field, serializers.ListSerializer):
                wrong += [{}, [{}] * 400]
            else:
                wrong += [{"zz": 1}]
        case _:
            raise AssertionError(f"What can {field!r} not take?")
    return wrong


def writable(serializer: serializers.BaseSerializer) -> Iterator[tuple[str, serializers.Field]]:
    for name, field in serializer.fields.items():
        if not field.read_only:
            yield name, field


SHAPES: dict[str, type[serializers.Serializer]] = {
    "incident": shapes.IncidentSerializer,
    **{part.name: part.serializer for part in PARTS.values()},
}


@cache
def _wrong_by_field() -> dict[str, dict[str, list[Any]]]:
    """What is sent to each field of each shape.

    All that is wrong goes to the first field of a kind, two of it to each further one, in turn:
    what a kind of field takes is said by its class and by what it allows.
    """
    asked: Counter[tuple[Any, ...]] = Counter()
    found: dict[str, dict[str, list[Any]]] = {shape: {} for shape in SHAPES}
    for shape, serializer in SHAPES.items():
        for name, field in writable(serializer()):
            allows = (field.allow_null, getattr(field, "allow_blank", None))
            kind = (type(field), *allows, getattr(field, "max_length", None) is None)
            wrong, n = wrong_values(field), asked[kind]
            if n and not EVERY:
                wrong = [wrong[(2 * n + one) % len(wrong)] for one in (0, 1)]
            found[shape][name] = wrong
            asked[kind] += 1
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("name", SHAPES)
def test_each_field_refuses_what_it_cannot_have(
    mine: SimpleNamespace, api: MakeApi, people: SimpleNamespace, name: str
) -> None:
    """PATCH with one field that is wrong: refused, and by its name. Every field is asked."""
    program = api("researcher")
    row = mine.rows.get(name)
    part = f"{name}/{row.uuid}/" if row is not None else ""
    path = f"{BASE}{mine.incident.uuid}/{part}"
    before = stored(mine)
    for field_name, values in _wrong_by_field()[name].items():
        for value in values:
            began = time.thread_time()
            answer = program.patch(path, {field_name: value}, headers={"If-Match": mine.etag})
            assert answer.status_code != 200, (field_name, str(value)[:80])
            problem = refused(answer, began)
            named = [error["field"] for error in problem.get("errors", [])]
            assert named, (field_name, str(value)[:80], problem)
            assert all(one.startswith(field_name) for one in named), (field_name, value, named)
    assert stored(mine) == before


def _fields_of_whole() -> Iterator[tuple[tuple[str | int, ...], serializers.Field]]:
    """Each field of a whole record with its path in the body of the tests."""

    def walk(shape: Any, path: tuple[str | int, ...]) -> Iterator[Any]:
        for name, field in writable(shape):
            yield (*path, name), field
            if isinstance(field, serializers.ListSerializer):
                yield from walk(field.child, (*path, name, 0))
            elif isinstance(field, serializers.Serializer):
                yield from walk(field, (*path, name))

    return walk(WholeIncidentSerializer(), ())


def _put(body: Any, path: tuple[str | int, ...], value: Any) -> bool:
    """Set a value of the body; False where the way there is not in it."""
    for step in path[:-1]:
        if isinstance(step, int):
            if len(body) <= step:
                return False
            body = body[step]
        elif step in body:
            body = body[step]
        else:
            return False
    body[path[-1]] = value
    return True


def _named(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]


@pytest.mark.django_db
def test_each_field_of_a_whole_record_refuses_what_it_cannot_have(
    mine: SimpleNamespace, api: MakeApi, articles: tuple[str, str]
) -> None:
    program = api("researcher")
    before = stored(mine)
    for n, (path, field) in enumerate(_fields_of_whole()):
        # The kinds of field are those of the parts: here it is whether the path is named.
        wrong = wrong_values(field)[3:6]
        for value in wrong if EVERY else [wrong[n % len(wrong)]]:
            body = whole(*articles, links=[{"kind": "related", "other": "MMR-2023-0001"}])
            if not _put(body, path, value):
                continue
            raw = json.dumps(body).encode()
            began = time.thread_time()
            problem = refused(program.post(BASE, raw=raw), began)
            if len(raw) < MIB:
                named = [error["field"] for error in problem.get("errors", [])]
                assert any(one.startswith(_named(path)) for one in named), (path, value, problem)
    assert stored(mine) == before


OTHERS: dict[str, tuple[str, str, list[tuple[dict[str, Any], str]]]] = {
    "a remark": (
        "POST",
        "comments/",
        [
            ({}, "field"),
            ({"field": "title"}, "text"),
            ({"field": 1, "text": "x"}, "field"),
            ({"field": "x" * 201, "text": "x"}, "field"),
            ({"field": "title", "text": ["x"]}, "text"),
            ({"field": "title", "text": ""}, "text"),
            ({"field": "title", "text": "x", "author": "verifier"}, "author"),
        ],
    ),
    "taking": (
        "POST",
        "take/",
        [({"over": 1}, "over"), ({"over": None}, "over"), ({"person": "x"}, "person")],
    ),
    "releasing": ("POST", "release/", [({"over": True}, "over")]),
    "a step": (
        "POST",
        "submit/",
        [
            ({"reason": 1}, "reason"),
            ({"reason": None}, "reason"),
            ({"reason": "x" * 10_001}, "reason"),
            ({"note": []}, "note"),
            ({"seen_sha256": "x" * 65}, "seen_sha256"),
            ({"revision": 1}, "revision"),
        ],
    ),
    "a reason": (
        "PATCH",
        "",
        [
            ({"change_reason": 1}, "change_reason"),
            ({"change_reason": None}, "change_reason"),
            ({"change_reason": "x" * 1001}, "change_reason"),
        ],
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "given"), OTHERS.values(), ids=OTHERS.keys())
def test_what_else_is_said_is_read_strictly(
    mine: SimpleNamespace,
    api: MakeApi,
    method: str,
    path: str,
    given: list[tuple[dict[str, Any], str]],
) -> None:
    program = api("researcher")
    before = stored(mine)
    for body, field in given:
        began = time.thread_time()
        answer = program.request(
            method, f"{BASE}{mine.incident.uuid}/{path}", body, headers={"If-Match": mine.etag}
        )
        named = [error["field"] for error in refused(answer, began)["errors"]]
        assert field in named, (body, named)
    assert stored(mine) == before


@pytest.mark.django_db
def test_a_record_of_too_many_rows_is_entered_in_several_requests(
    api: MakeApi, articles: tuple[str, str]
) -> None:
    """One body has no room for what would take minutes to store."""
    before = Incident.objects.count()
    body = whole(*articles)
    row = {"outcome": "killed", "status": "civilian", "qualifier": "unknown"}
    body["claims"] = [
        {**body["claims"][1], "key": f"k{n}", "counts": [row] * 200} for n in range(50)
    ]
    body["assessment"] = {}
    body["victims"] = []
    began = time.thread_time()
    problem = refused(api("researcher").post(BASE, body), began)
    assert "part by part" in problem["detail"]
    assert Incident.objects.count() == before


# --- What is taken breaks no reader ---

EDGES: list[dict[str, Any]] = [
    {"date_edtf": "1000"},
    {"date_edtf": "1900-01-01"},
    {"date_edtf": "../2024-01-01"},
    {"date_edtf": "2024-XX-XX"},
    {"local_time": "00:00", "time_kind": "exact", "utc_offset": "-14:59"},
    {"local_time": "23:59:59", "time_kind": "exact"},
    {"latitude": 90, "longitude": -180, "place_precision": "site"},
    {"latitude": -90, "longitude": 180, "place_precision": "site", "radius_m": 2**31 - 1},
    {"latitude": 1e-6, "longitude": -1e-6, "place_precision": "site"},
    {"latitude": 0, "longitude": -0.0, "place_precision": "site"},
    {"title": "x" * 300, "summary": "𐍈" * 50_000},
    {"title": "\u202e\u2066", "summary": "\u0300" * 10_000},
    {"title": "  ", "internal_note": "=1+1"},
]
READERS = [
    BASE,
    f"{BASE}?count=true&ordering=date",
    f"{BASE}?ordering=-date&q=x",
    f"{BASE}?ordering=waiting&limit=1",
]
OF_ONE = ["", "history/", "content/", "comments/", "steps/", *(f"{name}/" for name in PARTS)]
PUBLIC = [
    "/api/v1/incidents/",
    "/api/v1/places/",
    "/api/v1/actors/",
    "/api/v1/outlets/",
    "/api/v1/articles/",
]


@pytest.mark.usefixtures("committed")
def test_readers_answer_after_whatever_was_taken_or_refused(
    mine: SimpleNamespace, api: MakeApi, articles: tuple[str, str]
) -> None:
    program = api("researcher")
    one = f"{BASE}{mine.incident.uuid}/"
    taken = 0
    for edge in EDGES:
        etag = program.get(one)["ETag"]
        answer = program.patch(one, edge, headers={"If-Match": etag})
        assert answer.status_code in (200, 400), answer.content
        taken += answer.status_code == 200
        entered = program.post(BASE, {"title": "x", **edge})
        assert entered.status_code in (201, 400), entered.content
        for path in ("", "content/"):
            assert program.get(f"{one}{path}").status_code == 200, (edge, path)
    for path in OF_ONE:
        assert program.get(f"{one}{path}").status_code == 200, path
    assert taken >= len(EDGES) - 3
    for path in READERS:
        assert program.get(path).status_code == 200, path
    for path in PUBLIC:
        assert Client().get(path).status_code == 200, path


@pytest.mark.django_db
@pytest.mark.parametrize("value", [5, 1.5, True, [1], {"a": 1}, None, "x", "2024-01-01", "", -1])
@pytest.mark.parametrize("place", [0, 1])
def test_a_forged_cursor_is_refused(api: MakeApi, value: Any, place: int) -> None:
    values: list[Any] = ["2024-01-01T00:00:00+00:00", str(uuid.uuid4())]
    values[place] = value
    content = [0, "0" * 16, 0, values, False]
    token = base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode())
    answer = api("researcher").get(BASE, {"cursor": token.rstrip(b"=").decode()})
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/invalid-cursor"

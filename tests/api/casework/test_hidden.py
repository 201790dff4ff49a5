"""What is hidden is as if it were not there: the same bytes, whatever is asked of it.

Each request is sent for another researcher's draft and for an id that nobody has, in turn. Of the
answers only the id itself may differ.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import get_resolver

from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents.models import Incident
from tests import builders
from tests.clients import Api

from .bodies import BASE, whole

pytestmark = pytest.mark.django_db

MakeApi = Callable[..., Api]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
PAIRS = 100
NIL = "0" * 8 + "-0000-0000-0000-" + "0" * 12


def _routes() -> Iterator[str]:
    """Every route of casework that names a record."""

    def walk(patterns: Any, prefix: str) -> Iterator[str]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            yield from (
                walk(pattern.url_patterns, path) if hasattr(pattern, "url_patterns") else [path]
            )

    for route in walk(get_resolver().url_patterns, "/"):
        if route.startswith(BASE) and "<uuid:incident>" in route:
            yield route


ROUTES = sorted(_routes())


@pytest.fixture
def hidden(people: SimpleNamespace) -> SimpleNamespace:
    """A draft of the researcher's with all that can hang on it."""
    with acting(people.researcher, "A secret reason"):
        incident = builders.incident(author=people.researcher, title="Hidden Zanzibar")
        claim = builders.claim(incident)
        count = builders.count(incident)
        name = builders.external_id(incident, value="hidden-value")
        rows = {
            "claims": claim,
            "counts": count,
            "bases": builders.basis(incident, count=count, claim=claim),
            "weapons": builders.weapon_use(incident),
            "involvements": builders.involvement(incident),
            "victims": builders.victim(incident),
            "further-places": builders.further_place(incident),
            "external-ids": name,
            "links": builders.link(incident),
        }
        remark = builders.comment(incident, author=people.researcher)
    entry = _entry(incident)
    ids = {part: str(row.uuid) for part, row in rows.items()}
    return SimpleNamespace(
        incident=incident, id=str(incident.uuid), rows=ids, comment=str(remark.uuid), entry=entry
    )


def _entry(incident: Incident) -> str:
    return str(HistoryEntry.objects.filter(incident_id=incident.pk).latest("pk").uuid)


def address(route: str, incident: str, hidden: SimpleNamespace) -> str:
    """The route with this record, and with parts that the hidden one has."""
    part = route.removeprefix(f"{BASE}<uuid:incident>/").split("/")[0]
    return (
        route.replace("<uuid:incident>", incident)
        .replace("<uuid:row>", hidden.rows.get(part, NIL))
        .replace("<uuid:comment>", hidden.comment)
        .replace("<uuid:entry>", hidden.entry)
        .replace("<uuid:merge>", NIL)
        .replace("<slug:warning>", "0" * 64)
    )


def seen(answer: HttpResponse, *ids: str) -> tuple[int, bytes, dict[str, str]]:
    """What a client sees of an answer, without the ids that it asked by."""
    body = answer.content
    headers = {name: str(value) for name, value in answer.headers.items()}
    for one in ids:
        for form in (one, one.replace("-", ""), one[:8]):
            body = body.replace(form.encode(), b"*")
            headers = {name: value.replace(form, "*") for name, value in headers.items()}
    return answer.status_code, body, headers


def bodies(method: str, incident: str) -> list[dict[str, Any]]:
    """What goes with a request: nothing, the right ETag, wrong ones, a key, a body that is none."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return [{}]
    etag = f'"{incident[:8]}-1"'
    later = f'"{incident[:8]}-19"'
    return [
        {"body": {}},
        {"body": {}, "headers": {"If-Match": etag}},
        {"body": {"reason": "x", "title": "x"}, "headers": {"If-Match": etag}},
        {"body": {"resolved": True}, "headers": {"If-Match": later}},
        {"body": {}, "headers": {"If-Match": f"W/{etag}"}},
        {"body": {}, "headers": {"If-Match": etag, "Idempotency-Key": f"k{uuid.uuid4()}"}},
        {"raw": b'{"title": ', "headers": {"If-Match": etag}},
        {"body": {"field": "title", "text": "x"}},
    ]


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_tells_a_hidden_record_from_none(
    hidden: SimpleNamespace, api: MakeApi, people: SimpleNamespace, route: str
) -> None:
    theirs = api("other_researcher")
    before = _stored(hidden)
    for method in METHODS:
        for there, nowhere in zip(
            bodies(method, hidden.id), bodies(method, other := str(uuid.uuid4())), strict=True
        ):
            one = theirs.request(method, address(route, hidden.id, hidden), **there)
            none = theirs.request(method, address(route, other, hidden), **nowhere)
            assert seen(one, hidden.id) == seen(none, other), (method, there)
            assert 400 <= one.status_code < 500 or method == "OPTIONS"
            assert b"Zanzibar" not in one.content
            if one.status_code == 405:
                break  # a method that the route has not, whatever comes with it
    assert _stored(hidden) == before


def _stored(hidden: SimpleNamespace) -> tuple[Any, ...]:
    incident = Incident.objects.get(pk=hidden.incident.pk)
    return (
        incident.title,
        incident.revision.number,
        incident.comments.count(),
        hasattr(incident, "assignment"),
    )


def _with_right_etag(method: str, path: str) -> Callable[[Api, str, SimpleNamespace], Any]:
    def ask(program: Api, incident: str, hidden: SimpleNamespace) -> Any:
        headers = {"If-Match": f'"{incident[:8]}-1"'} if method != "GET" else {}
        body = {"title": "Mine"} if method in ("POST", "PATCH", "PUT") else None
        part = path.replace("<row>", hidden.rows["claims"])
        return program.request(method, f"{BASE}{incident}/{part}", body, headers=headers)

    return ask


CLASSES: dict[str, Callable[[Api, str, SimpleNamespace], Any]] = {
    "reading": _with_right_etag("GET", ""),
    "an edit": _with_right_etag("PATCH", ""),
    "an edit of a part": _with_right_etag("PATCH", "claims/<row>/"),
    "a step": _with_right_etag("POST", "submit/"),
}


@pytest.mark.parametrize("ask", CLASSES.values(), ids=CLASSES.keys())
def test_a_hundred_times_in_turn_the_bytes_are_the_same(
    hidden: SimpleNamespace, api: MakeApi, ask: Callable[..., Any]
) -> None:
    theirs = api("other_researcher")
    for _ in range(PAIRS):
        other = str(uuid.uuid4())
        one = seen(ask(theirs, hidden.id, hidden), hidden.id)
        assert one == seen(ask(theirs, other, hidden), other)
        assert one[0] in (400, 404)


def test_a_link_to_a_hidden_record_is_a_link_to_none(hidden: SimpleNamespace, api: MakeApi) -> None:
    theirs = api("other_researcher")
    mine = theirs.post(BASE, {"title": "Mine"})
    links = f"{BASE}{mine.json()['id']}/links/"
    for n in range(30):
        other = str(uuid.uuid4())
        kind = ("related", "duplicate_of", "nonsense")[n % 3]
        one, none = (
            theirs.post(links, {"kind": kind, "other": to}, headers={"If-Match": mine["ETag"]})
            for to in (hidden.id, other)
        )
        assert seen(one, hidden.id) == seen(none, other)
        assert one.status_code == 400
    one, none = (
        theirs.post(BASE, {"title": "x", "links": [{"kind": "related", "other": to}]})
        for to in (hidden.id, other)
    )
    assert seen(one, hidden.id) == seen(none, other)
    assert one.status_code == 400


def test_parts_of_a_hidden_record_are_no_parts(hidden: SimpleNamespace, api: MakeApi) -> None:
    """A claim or a count of it, named in a body about one's own record."""
    theirs = api("other_researcher")
    mine = theirs.post(BASE, {"title": "Mine"})
    one = f"{BASE}{mine.json()['id']}/"
    headers = {"If-Match": mine["ETag"]}
    requests = {
        "counts": lambda claim, count: {
            "outcome": "killed",
            "status": "civilian",
            "qualifier": "unknown",
            "claim": claim,
        },
        "bases": lambda claim, count: {"count": count, "claim": claim, "bound": "best"},
        "victims": lambda claim, count: {"outcome": "killed", "claims": [claim]},
        "weapons": lambda claim, count: {
            "weapon": "EXA-BOM",
            "certainty": "alleged",
            "claim": claim,
        },
    }
    for part, body in requests.items():
        ids = hidden.rows["claims"], hidden.rows["counts"]
        none = str(uuid.uuid4()), str(uuid.uuid4())
        answers = [
            seen(theirs.post(f"{one}{part}/", body(*pair), headers=headers), *pair)
            for pair in (ids, none)
        ]
        assert answers[0] == answers[1], part
        assert answers[0][0] == 400
    for part, row in hidden.rows.items():
        other = str(uuid.uuid4())
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            body = {} if method in ("PATCH", "PUT") else None
            answers = [
                seen(theirs.request(method, f"{one}{part}/{which}/", body, headers=headers), which)
                for which in (row, other)
            ]
            assert answers[0] == answers[1], (method, part)
            assert answers[0][0] == 404


def test_an_external_id_that_a_hidden_record_carries_is_free(
    hidden: SimpleNamespace, api: MakeApi
) -> None:
    theirs = api("other_researcher")
    dataset = hidden.incident.external_ids.get().dataset.slug
    answers = []
    for value in ("hidden-value", "other-value1"):
        mine = theirs.post(BASE, {"title": "Mine"})
        place = f"{BASE}{mine.json()['id']}/external-ids/"
        body = {"dataset": dataset, "value": value}
        added = theirs.post(place, body, headers={"If-Match": mine["ETag"]})
        assert added.status_code == 201, added.content
        fields = added.json() | {"id": None, "value": None}
        answers.append((added.status_code, fields, sorted(added.headers)))
    assert answers[0] == answers[1]


def test_no_list_filter_count_or_order_tells_of_it(hidden: SimpleNamespace, api: MakeApi) -> None:
    theirs = api("other_researcher")
    queries: list[dict[str, Any]] = [
        {},
        {"count": "true"},
        {"q": "zanzibar"},
        {"author": "researcher", "count": "true"},
        {"state": "draft", "count": "true"},
        {"is_complete": "true", "count": "true"},
        {"assignee": "nobody", "count": "true"},
        *({"ordering": name} for name in ("changed", "-entered", "date", "-date", "waiting")),
        {"actor": str(hidden.incident.involvements.get().actor.uuid), "count": "true"},
        {"place": str(hidden.incident.further_places.get().place.uuid), "count": "true"},
        {"limit": "1", "count": "true"},
    ]
    with_it = [theirs.get(BASE, query).content for query in queries]
    assert all(b"Zanzibar" not in content for content in with_it)
    assert all(hidden.id.encode() not in content for content in with_it)
    found = theirs.get(BASE, {"author": "researcher", "state": "draft"}).json()["results"]
    assert found == []


def test_another_persons_cursor_shows_no_more(hidden: SimpleNamespace, api: MakeApi) -> None:
    """A cursor that ends at the hidden record, and one that ends at an id that nobody has."""
    mine, theirs = api("researcher"), api("other_researcher")
    first = mine.get(BASE, {"limit": "1"}).json()
    assert first["results"][0]["id"] == hidden.id
    token = re.search(r"cursor=([^&]+)", first["next"])[1]
    content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    content[3][-1] = NIL
    forged = base64.urlsafe_b64encode(
        json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    )
    answers = [
        theirs.get(BASE, {"limit": "1", "cursor": cursor})
        for cursor in (token, forged.rstrip(b"=").decode())
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    shown = [answer.json()["results"] for answer in answers]
    assert shown[0] == shown[1]
    assert hidden.id not in str(shown)


def test_a_link_that_leads_to_a_hidden_record_is_not_shown(
    people: SimpleNamespace, draft: Callable[..., Incident], api: MakeApi, hidden: SimpleNamespace
) -> None:
    published = draft("published")
    api("researcher").post(
        f"{BASE}{published.uuid}/reopen/",
        {"reason": "A test"},
        headers={"If-Match": api("researcher").get(f"{BASE}{published.uuid}/")["ETag"]},
    )
    with acting(people.researcher, "A test"):
        builders.link(published, other=hidden.incident)
    theirs = api("other_researcher")
    one = f"{BASE}{published.uuid}/"
    for path in ("", "links/", "history/", "content/", "steps/", "comments/"):
        answer = theirs.get(f"{one}{path}")
        assert answer.status_code == 200
        assert hidden.id.encode() not in answer.content, path
        assert b"Zanzibar" not in answer.content, path


ALL_PATHS = [(route, method) for route in ROUTES for method in ("GET", "POST", "PATCH")]


@pytest.mark.parametrize(
    ("name", "scopes"), [("administrator", ["public"]), ("researcher", ["public"])]
)
def test_a_token_that_is_not_for_casework_is_refused_before_anything_is_looked_up(
    hidden: SimpleNamespace, api: MakeApi, name: str, scopes: list[str]
) -> None:
    program = api(name, scopes)
    for route, method in ALL_PATHS:
        other = str(uuid.uuid4())
        one = program.request(method, address(route, hidden.id, hidden))
        none = program.request(method, address(route, other, hidden))
        assert seen(one, hidden.id) == seen(none, other), (route, method)
        assert one.status_code in (403, 405), (route, method)
    for body in (None, {"title": "x"}, whole("x", "y")):
        assert program.post(BASE, body).status_code == 403
    assert program.get(BASE).status_code == 403
    assert api(None).get(BASE).status_code == 401


def test_scopes_are_asked_for_before_the_record(hidden: SimpleNamespace, api: MakeApi) -> None:
    """A token for reading writes nothing, and learns nothing by trying."""
    program = api("other_researcher", ["casework:read"])
    for route, method in ALL_PATHS:
        if method == "GET":
            continue
        one = program.request(method, address(route, hidden.id, hidden))
        assert one.status_code in (403, 405), (route, method)

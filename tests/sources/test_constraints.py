"""Every rule that the database holds about sources: a row that breaks it, and a near miss."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from harmtracker.history.acting import acting
from sources.models import Article, Capture, CustodyEntry, Outlet
from tests import builders, rules
from tests.rules import JARGON, refusal, rule, run

pytestmark = pytest.mark.django_db(databases=["default", "published", "owner"])

World = SimpleNamespace
Values = dict[str, Any] | Callable[[World], dict[str, Any]]


@pytest.fixture
def world(people: SimpleNamespace) -> World:
    with acting(people.researcher, "For a test"):
        article = builders.article(
            url="https://example.org/1", copy_url="https://example.org/2", published="2014"
        )
        return SimpleNamespace(
            people=people,
            outlet=builders.outlet(),
            article=article,
            capture=builders.capture(by=people.researcher, article=article),
        )


def outlet(world: World, **values: Any) -> Outlet:
    return builders.outlet(**values)


def article(world: World, **values: Any) -> Article:
    return builders.article(**values)


def capture(world: World, **values: Any) -> Capture:
    return builders.capture(by=world.people.researcher, **values)


def custody_entry(world: World, **values: Any) -> CustodyEntry:
    return builders.custody_entry(by=world.people.researcher, capture=world.capture, **values)


HEX = "0123456789abcdef" * 4
ROWS: list[tuple[str, Any, Values, Values]] = [
    ("sources_outlet_slug_key", outlet, lambda world: {"slug": world.outlet.slug}, {}),
    ("sources_outlet_uuid_key", outlet, lambda world: {"uuid": world.outlet.uuid}, {}),
    ("sources_article_uuid_key", article, lambda world: {"uuid": world.article.uuid}, {}),
    (
        "sources_article_url_key",
        article,
        lambda world: {"url": world.article.url},
        lambda world: {"url": world.article.copy_url},
    ),
    (
        "sources_article_copy_url_key",
        article,
        lambda world: {"copy_url": world.article.copy_url},
        lambda world: {"copy_url": world.article.url},
    ),
    *(
        (
            "sources_article_url_not_empty",
            article,
            {field: ""},
            {field: None},
        )
        for field in ("url", "copy_url", "archive_url")
    ),
    ("edtf_is_valid", article, {"published": "yesterday"}, {"published": "2014-11-19?"}),
    ("sources_capture_uuid_key", capture, lambda world: {"uuid": world.capture.uuid}, {}),
    (
        "sources_capture_once_per_article",
        capture,
        lambda world: {"article": world.article, "sha256": world.capture.sha256},
        lambda world: {"sha256": world.capture.sha256},
    ),
    *(
        ("sources_capture_sha256_is_hex", capture, {"sha256": bad}, {"sha256": HEX})
        for bad in (HEX.upper(), HEX[1:], "", HEX[1:] + "g", HEX[1:] + "٣")
    ),
    (
        "sources_capture_not_in_the_future",
        capture,
        lambda world: {"captured_at": timezone.now() + datetime.timedelta(minutes=1)},
        lambda world: {"captured_at": timezone.now()},
    ),
    ("sources_capture_size_check", capture, {"size": -1}, {"size": 0}),
    ("sources_capture_http_status_check", capture, {"http_status": -1}, {"http_status": 0}),
]


def _values(values: Values, world: World) -> dict[str, Any]:
    return values(world) if callable(values) else values


@pytest.mark.parametrize(
    ("name", "make", "bad", "fine"), [pytest.param(*row, id=row[0]) for row in ROWS]
)
def test_a_row_that_breaks_the_rule_is_refused_whichever_way_it_comes(
    world: World, name: str, make: Any, bad: Values, fine: Values
) -> None:
    model = {outlet: Outlet, article: Article, capture: Capture}[make]
    bad, fine, by = _values(bad, world), _values(fine, world), world.people.researcher
    ways = rules.paths(model)
    refused = {
        way: rule(partial(write, partial(make, world), bad, fine), by)
        for way, write in ways.items()
    }
    assert refused == dict.fromkeys(ways, name)
    taken = {
        way: refusal(partial(write, partial(make, world), fine, fine), by)
        for way, write in ways.items()
    }
    assert taken == dict.fromkeys(ways)


@pytest.mark.parametrize(
    ("name", "make", "bad"),
    [pytest.param(*row[:3], id=row[0]) for row in ROWS if not row[0].endswith("_check")],
)
def test_a_refused_row_comes_with_a_sentence(
    world: World, name: str, make: Any, bad: Values
) -> None:
    values = _values(bad, world)
    refused = refusal(lambda: make(world, **values), world.people.researcher)
    assert refused is not None
    assert refused.message != "The database refused it."
    assert refused.message.endswith(".")
    assert not JARGON.search(refused.message)


KEPT = {
    **{
        (table, operation): f"{table}_never_deleted"
        for table in ("sources_outlet", "sources_article")
        for operation in ("DELETE", "TRUNCATE")
    },
    **{
        ("sources_capture", operation): "sources_capture_never_altered"
        for operation in ("UPDATE", "DELETE", "TRUNCATE")
    },
    **{
        ("sources_custodyentry", operation): "sources_custodyentry_only_grows"
        for operation in ("UPDATE", "DELETE", "TRUNCATE")
    },
}


@pytest.mark.parametrize(
    ("table", "operation", "name"),
    [pytest.param(*key, name, id=f"{name}_{key[1].lower()}") for key, name in KEPT.items()],
)
def test_what_stays_is_not_changed_even_by_the_owner(
    people: SimpleNamespace, table: str, operation: str, name: str
) -> None:
    sql = {
        "UPDATE": f"UPDATE {table} SET id = id",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[operation]
    refused = refusal(partial(run, sql, using="owner"), people.verifier, using="owner")
    assert refused is not None
    assert refused.rule == name
    assert not JARGON.search(refused.message)


def test_captures_and_custody_are_added(world: World) -> None:
    by = world.people.researcher
    assert refusal(partial(capture, world), by) is None
    assert refusal(partial(custody_entry, world), by) is None


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("sources_capture_in_own_name", builders.capture),
        ("sources_custodyentry_in_own_name", builders.custody_entry),
    ],
)
def test_nobody_keeps_a_copy_or_hands_it_over_in_another_name(
    world: World, name: str, make: Any
) -> None:
    people = world.people
    capture = {} if make is builders.capture else {"capture": world.capture}
    write = partial(make, **capture)
    assert rule(partial(write, by=people.verifier), people.researcher) == name
    assert refusal(partial(write, by=people.researcher), people.researcher) is None


TESTED = (
    {row[0] for row in ROWS}
    | set(KEPT.values())
    | {"sources_capture_in_own_name", "sources_custodyentry_in_own_name"}
)

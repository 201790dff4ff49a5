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
from sources.models import Article, Capture, ConfidentialSource, CustodyEntry, Outlet, Reveal
from tests import builders, rules
from tests.rules import JARGON, insert_by_sql, refusal, rule, run, switch_off

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
            source=builders.confidential_source(),
        )


def outlet(world: World, **values: Any) -> Outlet:
    return builders.outlet(**values)


def article(world: World, **values: Any) -> Article:
    return builders.article(**values)


def capture(world: World, **values: Any) -> Capture:
    return builders.capture(by=world.people.researcher, **values)


def custody_entry(world: World, **values: Any) -> CustodyEntry:
    return builders.custody_entry(by=world.people.researcher, capture=world.capture, **values)


def confidential_source(world: World, **values: Any) -> ConfidentialSource:
    return builders.confidential_source(**values)


def reveal(world: World, **values: Any) -> Reveal:
    return builders.reveal(by=world.people.researcher, source=world.source, **values)


BAD_ADDRESSES = [
    "",
    "ftp://example.org/",
    "javascript:alert(1)",
    "//example.org/",
    "https://",
    "https:///path",
    "https://:80/",
    "https://name:word@example.org/",
    "https://name@example.org/",
    "https://example.org\\@example.com/",
    " https://example.org/",
    "https://example.org/a b",
    "https://example.org/\u00a0",
    "https://example.org/\u2028",
    "https://example.org/\n",
    "https://example.org/\x1f",
    "https://example.org/\x7f",
]
FINE_ADDRESSES = [
    "HTTP://Example.ORG",
    "https://[2001:db8::1]:8443/?q=#x",
    "https://under_score.example.org/a@b:c",
    "https://example.org/%e1%80%80/မြန်မာ?a=1&b=2#က",
    "https://xn--example.org./",
]
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
            "sources_article_addresses_are_of_the_web",
            article,
            {field: bad},
            {field: fine},
        )
        for field in ("url", "copy_url", "archive_url")
        for bad, fine in zip(BAD_ADDRESSES, FINE_ADDRESSES * 4, strict=False)
        if field == "url" or bad == BAD_ADDRESSES[0]
    ),
    *(
        (
            "sources_capture_addresses_are_of_the_web",
            capture,
            {field: BAD_ADDRESSES[0]},
            {field: FINE_ADDRESSES[0]},
        )
        for field in ("requested_url", "final_url")
    ),
    *(
        ("sources_article_not_in_the_future", article, {"published": bad}, {"published": fine})
        for bad, fine in [
            ("9999", "2024"),
            ("99XX", "20XX"),
            ("2014/9999", "2014/.."),
            ("9998-12-31/9999", "[2014,2016]"),
            (
                (datetime.date.today() + datetime.timedelta(days=2)).isoformat(),
                datetime.date.today().isoformat(),
            ),
        ]
    ),
    *(
        (
            "sources_capture_media_type_fits_kind",
            capture,
            {"kind": kind, "media_type": bad},
            {"kind": kind, "media_type": fine},
        )
        for kind, bad, fine in [
            ("html", "image/svg+xml", "text/html"),
            ("pdf", "text/html", "application/pdf"),
            ("image", "application/pdf", "image/png"),
            ("text", "text/plain", "text/plain; charset=utf-8"),
        ]
    ),
    (
        "sources_custodyentry_stored_once",
        custody_entry,
        {"action": "stored"},
        {"action": "read"},
    ),
    (
        "sources_custodyentry_action_is_known",
        custody_entry,
        {"action": "lent"},
        {"action": "read"},
    ),
    *(
        (
            "sources_custodyentry_names_receiver",
            custody_entry,
            bad,
            {"action": "handed_over", "to": "the court"},
        )
        for bad in [
            {"action": "handed_over", "to": ""},
            {"action": "handed_over", "to": " "},
            {"action": "read", "to": "the court"},
        ]
    ),
    (
        "sources_confidentialsource_uuid_key",
        confidential_source,
        lambda world: {"uuid": world.source.uuid},
        {},
    ),
    (
        "sources_confidentialsource_outlet_id_key",
        confidential_source,
        lambda world: {"outlet": world.source.outlet},
        lambda world: {"outlet": world.outlet},
    ),
    (
        "sources_confidentialsource_key_is_named",
        confidential_source,
        {"key_name": "the old one"},
        {"key_name": "00112233aabbccdd"},
    ),
    (
        "sources_confidentialsource_is_sealed",
        confidential_source,
        {"sealed": b"U Ba, 12 Main Road"},
        {"sealed": bytes(540)},
    ),
    ("sources_reveal_has_reason", reveal, {"reason": " \n"}, {"reason": "The court asks."}),
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


MODELS: dict[Any, Any] = {
    outlet: Outlet,
    article: Article,
    capture: Capture,
    custody_entry: CustodyEntry,
    confidential_source: ConfidentialSource,
    reveal: Reveal,
}


def _values(values: Values, world: World) -> dict[str, Any]:
    return values(world) if callable(values) else values


@pytest.mark.parametrize(
    ("name", "make", "bad", "fine"), [pytest.param(*row, id=row[0]) for row in ROWS]
)
def test_a_row_that_breaks_the_rule_is_refused_whichever_way_it_comes(
    world: World, name: str, make: Any, bad: Values, fine: Values
) -> None:
    model = MODELS[make]
    bad, fine, by = _values(bad, world), _values(fine, world), world.people.researcher
    ways = rules.paths(model)
    if name in ("sources_confidentialsource_uuid_key", "sources_confidentialsource_outlet_id_key"):
        del ways["update"]  # sources_confidentialsource_fixed
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
        ("sources_confidentialsource", operation): "sources_confidentialsource_never_deleted"
        for operation in ("DELETE", "TRUNCATE")
    },
    **{
        ("sources_reveal", operation): "sources_reveal_only_grows"
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
        ("sources_reveal_in_own_name", builders.reveal),
    ],
)
def test_nobody_keeps_a_copy_or_hands_it_over_in_another_name(
    world: World, name: str, make: Any
) -> None:
    people = world.people
    about: dict[Any, dict[str, Any]] = {
        builders.custody_entry: {"capture": world.capture},
        builders.reveal: {"source": world.source},
    }
    write = partial(make, **about.get(make, {}))
    assert rule(partial(write, by=people.verifier), people.researcher) == name
    assert refusal(partial(write, by=people.researcher), people.researcher) is None


def test_sources_capture_into_custody(world: World) -> None:
    """However a copy is added, the entry of its storing is there, in the name of who added it."""
    by = world.people.researcher
    ways = {name: way for name, way in rules.paths(Capture).items() if name != "update"}
    for way in ways.values():
        with acting(by):
            way(partial(capture, world), {}, {})
            stored = Capture.objects.latest("pk")
            (entry,) = stored.custody.all()
            assert (entry.action, entry.by, entry.to) == ("stored", by, "")


@pytest.mark.parametrize(
    ("table", "make"),
    [
        pytest.param("custodyentry", custody_entry, id="sources_custodyentry_stamped"),
        pytest.param("reveal", reveal, id="sources_reveal_stamped"),
    ],
)
def test_the_database_says_when(world: World, table: str, make: Any) -> None:
    before = timezone.now()
    with acting(world.people.researcher):
        row = make(world, at=before - datetime.timedelta(days=3))
    row.refresh_from_db()
    assert row.at >= before


def test_sources_reveal_twenty_a_day(world: World) -> None:
    people = world.people
    with acting(people.researcher):
        for _ in range(20):
            reveal(world)
    refused = refusal(partial(reveal, world), people.researcher)
    assert refused is not None
    assert refused.rule == "sources_reveal_twenty_a_day"
    assert not JARGON.search(refused.message)
    as_another = partial(builders.reveal, by=people.verifier, source=world.source)
    assert refusal(as_another, people.verifier) is None


def test_sources_reveal_twenty_a_day_is_over_after_a_day(world: World) -> None:
    switch_off("sources_reveal", "sources_reveal_stamped")
    owner, by = "owner", world.people.researcher
    with acting(by, using=owner):
        source = builders.confidential_source(
            outlet=_stored_by_owner(builders.outlet(save=False)), save=False
        )
        _stored_by_owner(source)
        for _ in range(20):
            past = timezone.now() - datetime.timedelta(hours=24, minutes=1)
            _stored_by_owner(builders.reveal(by=by, source=source, at=past, save=False))
        _stored_by_owner(builders.reveal(by=by, source=source, save=False))


def _stored_by_owner(row: Any) -> Any:
    insert_by_sql(row, using="owner")
    return row


@pytest.mark.parametrize("column", ["uuid", "outlet_id"])
def test_sources_confidentialsource_fixed(world: World, column: str) -> None:
    by = world.people.researcher
    value = {"uuid": "00000000-0000-4000-8000-000000000000", "outlet_id": world.outlet.pk}[column]
    write = partial(
        run,
        f"UPDATE sources_confidentialsource SET {column} = %s WHERE id = %s",
        [value, world.source.pk],
    )
    assert rule(write, by) == "sources_confidentialsource_fixed"


TESTED = (
    {row[0] for row in ROWS}
    | set(KEPT.values())
    | {
        "sources_capture_in_own_name",
        "sources_custodyentry_in_own_name",
        "sources_reveal_in_own_name",
        "sources_capture_into_custody",
        "sources_custodyentry_stamped",
        "sources_reveal_stamped",
        "sources_reveal_twenty_a_day",
        "sources_confidentialsource_fixed",
    }
)

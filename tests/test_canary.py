"""Unique words planted in every hidden field, and sought in every byte that strangers get."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections, models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.plugin import DjangoDbBlocker

from harmtracker.accounts.models import User
from harmtracker.history.acting import acting
from incidents import services
from incidents.choices import State, Verb
from incidents.models import (
    Actor,
    Claim,
    Dataset,
    ExternalId,
    Incident,
    Place,
    PublishedReference,
    PublishedVersion,
    ReviewComment,
    Victim,
)
from sources.models import Article, Capture, Outlet
from tests import database
from tests.builders import take_a_step
from tests.clients import logged_in
from tests.conftest import people_by_name
from tests.laying import renew_database

_numbers = itertools.count(1000)


class Canaries:
    """Planted words, each with where it was planted."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}

    def plant(self, where: str) -> str:
        word = f"zqcanary{next(_numbers)}q"
        self.planted[word] = where
        return word

    def found_in(self, text: str) -> list[str]:
        hits = re.findall(r"zqcanary\d+q", text.casefold())
        return sorted({self.planted[word] for word in hits if word in self.planted})


def _texts(model: type[models.Model], canaries: Canaries, *, skip: set[str]) -> dict[str, Any]:
    """A word for every free text of a model."""
    fields: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        is_text = type(field) in (models.CharField, models.TextField)
        if is_text and field.name not in skip:
            fields[field.name] = canaries.plant(f"{model.__name__}.{field.name}")
    return fields


@pytest.fixture(scope="module")
def canaries(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Canaries]:
    """Drafts full of canaries, and published records with canaries in what stays hidden.

    Planted once for all tests of this file, which read.
    """
    with django_db_blocker.unblock():
        yield _planted(people_by_name())
        renew_database()


def _planted(people: SimpleNamespace) -> Canaries:
    planted = Canaries()
    with acting(people.researcher, planted.plant("reason of a change")):
        plant_draft(planted, people)
        published = _published_record(planted, people)
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.RETURN, people.verifier),
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
        (Verb.REOPEN, people.researcher),
    ):
        take_a_step(
            verb, incident_id=published.pk, actor=actor, reason=planted.plant(f"reason to {verb}")
        )
    with acting(people.researcher):
        # A correction that is being worked on
        Incident.objects.filter(pk=published.pk).update(title=planted.plant("corrected title"))
        ReviewComment.objects.create(
            incident=published,
            field="title",
            text=planted.plant("ReviewComment.text"),
            author=people.researcher,
        )
    for user in User.objects.order_by("pk"):
        user.username = planted.plant("User.username")
        user.email = f"{planted.plant('User.email')}@example.org"
        user.save()
    return planted


def plant_draft(planted: Canaries, people: SimpleNamespace) -> None:
    place = services.save(
        Place(
            slug=planted.plant("Place.slug"),
            name=planted.plant("unpublished Place.name"),
            other_names=[planted.plant("unpublished Place.other_names")],
            level="site",
            parent=Place.objects.get(slug="laiza"),
            country="MMR",
        )
    )
    actor = services.save(
        Actor(
            slug=planted.plant("Actor.slug"),
            name=planted.plant("unpublished Actor.name"),
            kind="rebel_group",
            independence_group=planted.plant("Actor.independence_group"),
        )
    )
    outlet = services.save(
        Outlet(
            slug=planted.plant("Outlet.slug"),
            name=planted.plant("unpublished Outlet.name"),
            kind="witness",
            independence_group=planted.plant("Outlet.independence_group"),
        )
    )
    article = services.save(
        Article(
            outlet=outlet,
            title=planted.plant("unpublished Article.title"),
            language="en",
            url=f"https://{planted.plant('unpublished Article.url')}.example.org/",
        )
    )
    skip = {"code", "utc_offset", "date_edtf"}
    draft = services.create_incident(
        author=people.researcher, place=place, **_texts(Incident, planted, skip=skip)
    )
    services.add_part(
        Claim,
        incident=draft,
        article=article,
        attributed_actor=actor,
        **_texts(Claim, planted, skip={"date_said"}),
    )


def _published_record(planted: Canaries, people: SimpleNamespace) -> Incident:
    camp = Place.objects.get(slug="mung-lai-hkyet-camp")
    camp.protected_reason = planted.plant("Place.protected_reason")
    camp.save()
    closed = services.save(
        Dataset(slug=planted.plant("Dataset.slug"), name=planted.plant("closed Dataset.name"))
    )
    incident = services.create_incident(
        author=people.researcher,
        title="A published record",
        date_edtf="2022-01-02",
        place=camp,
        latitude="24.123456",
        longitude="97.654321",
        place_precision="site",
        point_note=planted.plant("Incident.point_note of a protected place"),
        grading="weak",
        internal_note=planted.plant("Incident.internal_note"),
    )
    planted.planted["24.123456"] = planted.planted["97.654321"] = "exact protected point"
    article = Article.objects.exclude(url=None)[0]
    Capture.objects.create(
        article=article,
        kind="text",
        sha256=f"{next(_numbers):064x}",
        size=1,
        media_type="text/plain; charset=utf-8",
        requested_url=f"https://{planted.plant('Capture.requested_url')}.example.org/",
        captured_at="2024-01-01T00:00Z",
        captured_by=people.researcher,
        tool=planted.plant("Capture.tool"),
        http_headers={"x": planted.plant("Capture.http_headers")},
    )
    claim = services.add_part(
        Claim,
        incident=incident,
        article=article,
        attributed_outlet=article.outlet,
        paraphrase="One killed.",
    )
    services.add_victim(
        incident=incident,
        claims=[claim],
        names=[planted.plant("Victim.names without consent")],
        age="33.33",
        outcome="killed",
        note=planted.plant("Victim.note"),
    )
    planted.planted["33.33"] = "Victim.age without consent"
    services.add_part(
        ExternalId,
        incident=incident,
        dataset=closed,
        value=planted.plant("ExternalId of a closed dataset"),
    )
    return incident


def routes() -> list[str]:
    """Every address of the site that needs no id, admin included."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> list[str]:
        found = []
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                found += walk(pattern.url_patterns, path)
            elif "<" not in path and "(?P" not in path:
                found.append("/" + path.replace("^", "").replace("$", ""))
        return found

    return sorted(set(walk(get_resolver().url_patterns, "")))


def crawl(client: Client, start: list[str], per_shape: int = 1000) -> dict[str, str]:
    """The pages reached by links from ``start``: address -> headers and body.

    Of addresses that differ in their numbers alone, ``per_shape`` are read, the last ones first:
    in the admin those are the records entered last.
    """
    waiting, seen = deque(start), {}
    shapes: Counter[str] = Counter()
    while waiting:
        url = waiting.popleft()
        shape = re.sub(r"\d+", "#", url)
        if url in seen or url.startswith("/admin/logout") or "/static/" in url:
            continue
        shapes[shape] += 1
        if shapes[shape] > per_shape:
            continue
        response = client.get(url)
        body = b"".join(response) if response.streaming else response.content
        text = body.decode(errors="replace")
        seen[url] = "\n".join([*(f"{k}: {v}" for k, v in response.headers.items()), text])
        links = re.findall(r'(?:href="|http://testserver)(/[^"\s#<>]*)', text)
        waiting.extend(link.replace("&amp;", "&") for link in links if link not in seen)
    return seen


def test_no_stranger_ever_gets_a_canary(canaries: Canaries) -> None:
    asked = [
        f"/api/v1/{name}/?q={word}"
        for name in ("incidents", "places", "actors", "outlets", "articles")
        for word in list(canaries.planted)[:5]
    ]
    named = [
        f"/api/v1/{row.kind}s/{row.key}/"
        for row in PublishedReference.objects.using("published").all()
    ]
    versions = [
        f"/api/v1/incidents/{row.code}/versions/{row.number}/"
        for row in PublishedVersion.objects.using("published").all()
    ]
    pages = crawl(Client(), [*routes(), *asked, *named, *versions])
    assert len(pages) > 200
    for url, text in pages.items():
        if "zqcanary" in url:  # what was asked for may come back in the next link
            text = text.replace(url.split("q=")[1], "")
        assert canaries.found_in(text) == [], url
        for number in ("24.123456", "97.654321", "33.33"):
            assert number not in text, url


def test_searching_for_a_canary_finds_nothing(canaries: Canaries) -> None:
    client = Client()
    for word in canaries.planted:
        if word.startswith("zq"):
            found = client.get("/api/v1/incidents/", {"q": word, "count": "true"}).json()
            assert (found["results"], found["count"]) == ([], 0), canaries.planted[word]


def test_no_published_table_holds_a_canary(canaries: Canaries) -> None:
    """The role that answers the public could read all of this and still find none."""
    with connections["published"].cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.role_table_grants "
            "WHERE grantee = current_user AND privilege_type = 'SELECT'"
        )
        tables = [row[0] for row in cursor.fetchall()]
        assert len(tables) >= 10
        for table in tables:
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            for (row,) in cursor.fetchall():
                assert canaries.found_in(row) == [], table
                assert "24.123456" not in row


def _log_in(name: str) -> Client:
    """A session of one of the people, whose usernames are canaries themselves by now."""
    position = list(database.PEOPLE).index(name)
    return logged_in(User.objects.filter(is_staff=True).order_by("pk")[position])


def test_the_canaries_are_there_to_be_found(canaries: Canaries) -> None:
    """A test that cannot fail proves nothing: the author's own pages do show them."""
    client = _log_in("researcher")
    found = {
        where
        for text in crawl(client, ["/admin/incidents/incident/"], per_shape=4).values()
        for where in canaries.found_in(text)
    }
    assert {"Incident.title", "Incident.internal_note"} <= found


@pytest.mark.parametrize("name", ["other_researcher", "administrator"])
def test_who_may_not_see_a_draft_finds_none_of_it_in_the_admin(
    canaries: Canaries, name: str
) -> None:
    client = _log_in(name)
    pages = crawl(client, [r for r in routes() if r.startswith("/admin/")], per_shape=4)
    assert len(pages) > 20
    own = {"User.username", "User.email"}
    for url, text in pages.items():
        hidden = [
            where
            for where in canaries.found_in(text)
            if where.startswith(("Incident.", "Claim.")) and "protected" not in where
        ]
        if name == "other_researcher":
            # The published record is in the admin for researchers, with what it hides.
            hidden = [w for w in hidden if w != "Incident.internal_note"]
        assert not (set(hidden) - own), (url, hidden)


def test_documents_are_what_they_were_before_the_canaries(canaries: Canaries) -> None:
    for version in PublishedVersion.objects.using("published").all():
        assert canaries.found_in(version.document + version.disclosures) == []
        assert json.loads(version.document)["code"] == version.code
    assert Victim.objects.exclude(names=[]).exists()
    assert Incident.objects.filter(state=State.DRAFT).exists()

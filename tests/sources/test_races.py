"""Several people at once, each with a connection of their own."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from django.db import connections

from harmtracker.errors import TooMany
from harmtracker.history.acting import acting
from sources import confidential, services
from sources.models import Capture, Reveal
from tests import builders
from tests.clients import Api
from tests.sources.files import PDF
from tests.sources.witness import WHO, reveal


def test_two_at_once_get_two_numbers(committed: None, people: SimpleNamespace) -> None:
    barrier = threading.Barrier(4)
    slugs: list[str] = []

    def enter() -> None:
        barrier.wait()
        with acting(people.researcher):
            slugs.append(services.create_outlet(name="Radio", kind="ngo").slug)
        connections.close_all()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slugs) == ["radio", "radio-2", "radio-3", "radio-4"]


def test_two_at_once_are_one_copy(committed: None, captures: Path, people: SimpleNamespace) -> None:
    with acting(people.researcher):
        article = builders.article()
    barrier = threading.Barrier(4)
    made: list[tuple[Capture, bool]] = []

    def enter() -> None:
        barrier.wait()
        made.append(services.attach(article, io.BytesIO(PDF), by=people.researcher))
        connections.close_all()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({capture.pk for capture, _ in made}) == 1
    assert sorted(is_new for _, is_new in made) == [False, False, False, True]


def test_many_at_once_are_twenty(committed: None, people: SimpleNamespace) -> None:
    with acting(people.researcher):
        outlet = builders.outlet()
    source = confidential.create(outlet, WHO, by=people.researcher)
    for _ in range(16):
        reveal(source, people.verifier)
    barrier = threading.Barrier(8)
    results: list[object] = []

    def ask() -> None:
        barrier.wait()
        try:
            results.append(reveal(source, people.verifier))
        except TooMany as refusal:
            results.append(refusal)
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result == WHO for result in results) == 4
    assert Reveal.objects.count() == 20


def test_of_two_edits_of_what_was_read_one_is_made(
    committed: None, people: SimpleNamespace, api: Callable[..., Api]
) -> None:
    """Ten rounds: the other is told that it is stale, and nothing is lost."""
    with acting(people.researcher):
        article = builders.article()
    address = f"/api/v1/casework/articles/{article.uuid}/"
    clients = [api("researcher"), api("verifier")]
    for number in range(10):
        etag = clients[0].get(address)["ETag"]
        barrier = threading.Barrier(2)
        statuses: list[int] = []

        def change(client: Api, body: dict[str, str], etag: str = etag) -> None:
            barrier.wait()  # noqa: B023  (the threads of a round end with it)
            answer = client.patch(address, body, headers={"If-Match": etag})
            statuses.append(answer.status_code)  # noqa: B023
            connections.close_all()

        bodies = [{"title": f"T {number}"}, {"summary": f"S {number}"}]
        threads = [
            threading.Thread(target=change, args=pair) for pair in zip(clients, bodies, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200, 412]

"""No entry is missed and none comes twice while several people publish, on real threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client

from incidents import workflow
from incidents.choices import State, Verb
from incidents.models import Incident
from tests.changes.conftest import Draft, head, page
from tests.incidents.test_redaction import take, told

pytestmark = pytest.mark.usefixtures("committed")


def publish(incident: Incident, people: SimpleNamespace) -> None:
    workflow.take_step(Verb.PUBLISH, incident_id=incident.pk, actor=people.verifier)


def in_thread(act: Any) -> Any:
    """So that the thread's connections are closed with it."""

    def run(*args: Any) -> Any:
        try:
            return act(*args)
        finally:
            connections.close_all()

    return run


@pytest.mark.parametrize("asked", [{}, {"country": "MMR"}], ids=["all", "filtered"])
def test_a_reader_sees_each_entry_once_while_others_publish(
    draft: Draft, people: SimpleNamespace, asked: dict[str, str]
) -> None:
    drafts = [draft(State.VERIFIED) for _ in range(16)]
    cut = told(draft, people)
    start = head()
    is_done = threading.Event()

    @in_thread
    def follow(limit: int) -> list[int]:
        client, seen, after = Client(), [], start
        while True:
            was_done = is_done.is_set()
            found = page(client, after=after, limit=limit, **asked)
            assert found["resume"] >= after
            seen += [entry["seq"] for entry in found["results"]]
            after = found["resume"]
            if was_done and found["next"] is None:
                return seen

    @in_thread
    def write(some: list[Incident]) -> None:
        for incident in some:
            publish(incident, people)

    @in_thread
    def redact() -> None:
        take(cut, people)

    with ThreadPoolExecutor(7) as pool:
        readers = [pool.submit(follow, limit) for limit in (1, 3, 1000)]
        writers = [pool.submit(write, drafts[i::3]) for i in range(3)]
        writers.append(pool.submit(redact))
        try:
            for writer in writers:
                writer.result(timeout=60)
        finally:
            is_done.set()
        wanted = list(range(start + 1, head() + 1))
        assert len(wanted) == 17
        for reader in readers:
            assert reader.result(timeout=60) == wanted


def test_what_is_not_committed_holds_back_all_that_comes_after(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    """A later position cannot be seen before an earlier one: the head is locked until then."""
    one, other = draft(State.VERIFIED), draft(State.VERIFIED)
    start = head()
    is_out, may_commit = threading.Event(), threading.Event()

    @in_thread
    def slowly() -> None:
        with transaction.atomic():
            publish(one, people)
            is_out.set()
            assert may_commit.wait(30)

    @in_thread
    def next_one() -> None:
        publish(other, people)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slowly)
        assert is_out.wait(30)
        second = pool.submit(next_one)
        for _ in range(5):
            found = page(client, after=start)
            assert (found["results"], found["resume"]) == ([], start)
            assert not second.done()
        may_commit.set()
        first.result(timeout=30)
        second.result(timeout=30)
    one.refresh_from_db()
    other.refresh_from_db()
    found = page(client, after=start)
    assert [(e["seq"], e["code"]) for e in found["results"]] == [
        (start + 1, one.code),
        (start + 2, other.code),
    ]


def test_a_publication_that_is_given_up_leaves_no_gap(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    one, other = draft(State.VERIFIED), draft(State.VERIFIED)
    start = head()
    with transaction.atomic():
        publish(one, people)
        transaction.set_rollback(True)
    publish(other, people)
    (entry,) = page(client, after=start)["results"]
    assert entry["seq"] == start + 1

"""What is taken and what is not, by content alone."""

from __future__ import annotations

import contextlib
import time

import pytest

from harmtracker.errors import Invalid
from sources import media
from sources.media import Judge
from tests.sources.files import REFUSED, TAKEN


def judged(content: bytes, *, piece: int = 64 * 1024) -> media.Judged:
    judge = Judge()
    for start in range(0, len(content), piece):
        judge.take(content[start : start + piece])
    return judge.verdict()


@pytest.mark.parametrize("piece", [64 * 1024, 7], ids=["in one piece", "in small pieces"])
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken(name: str, piece: int) -> None:
    content, kind, media_type = TAKEN[name]
    assert judged(content, piece=piece) == (kind, media_type)
    assert media_type in media.MEDIA_TYPES[kind]


@pytest.mark.parametrize("piece", [64 * 1024, 4097], ids=["in one piece", "in smaller pieces"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_comes_with_what_is_taken(name: str, piece: int) -> None:
    with pytest.raises(Invalid) as refusal:
        judged(REFUSED[name], piece=piece)
    assert refusal.value.message.endswith(media.TAKEN)
    assert refusal.value.fields == {"file": [refusal.value.message]}


def test_what_cannot_be_taken_is_refused_before_all_of_it_has_come() -> None:
    judge = Judge()
    with pytest.raises(Invalid):
        judge.take(b"PK\x03\x04" + bytes(media.HEAD_BYTES))


@pytest.mark.parametrize(
    "head",
    [
        b"<!--" * 1000,
        b"<!---->" * 580,
        b"<!-- -->" * 500 + b"<x",
        b"<?xml" + b">" * 4000,
        b" " * 4090 + b"<",
        b"<?xml ?>" * 500,
    ],
)
def test_no_beginning_takes_long_to_judge(head: bytes) -> None:
    start = time.thread_time()
    with contextlib.suppress(Invalid):
        judged(head)
    assert time.thread_time() - start < 0.1


def test_pasted_text_is_text_whatever_it_looks_like() -> None:
    for content in (b"<svg>", b"%PDF-1.4", b"#!/bin/sh", b"<html>"):
        judge = Judge(as_text=True)
        judge.take(content)
        assert judge.verdict() == ("text", media.TEXT_UTF_8)

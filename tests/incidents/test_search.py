"""Words of texts and of what is asked: the same on both sides, in every script."""

from __future__ import annotations

import contextlib
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.choices import State
from incidents.models import PublishedIncident
from incidents.redaction import redact
from incidents.search import NotAsked, query_literal, vector_literal, words

WORDS = [
    ("Mung-Lai  Hkyet", ["mung", "lai", "hkyet"]),
    ("People’s", ["people", "s"]),
    ("Ña Đắk café", ["na", "đak", "cafe"]),
    ("105mm, 3.5", ["105mm", "3", "5"]),
    ("မြန်မာ", ["မြန်", "မာ"]),
    ("ကချင်ပြည်နယ်", ["က", "ချင်", "ပြည်", "နယ်"]),
    ("လိုင်ဇာ", ["လိုင်", "ဇာ"]),
    # Stacked letters and kinzi stay with their syllable; a dot below before asat closes one.
    ("မန္တလေး", ["မန္တ", "လေး"]),
    ("အင်္ဂလိပ်", ["အင်္ဂ", "လိပ်"]),
    ("ခွန့်", ["ခွန့်"]),
    # Shan letters, digits of the script, and a zero-width space within a run.
    ("ၵၢင်", ["ၵၢင်"]),
    ("၂၀၂၃", ["2023"]),
    ("လိုင်\u200bဇာ", ["လိုင်", "ဇာ"]),
    ("Laizaလိုင်", ["laiza", "လိုင်"]),
    ("克钦邦", ["克", "钦", "邦"]),
    ("!!! — '\\ :*&|", []),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected


ASKED = [
    ("one two", "('one') & ('two')"),
    ('"one two" three', "('one' <-> 'two') & ('three')"),
    ("one -two", "('one') & !('two')"),
    ('one -"two three"', "('one') & !('two' <-> 'three')"),
    ("one –two", "('one') & !('two')"),
    ("one OR two three", "('one') | ('two') & ('three')"),
    ("or one or", "('one')"),
    ("“one two”", "('one' <-> 'two')"),
    ('"one two', "('one' <-> 'two')"),
    ("one - two", "('one') & ('two')"),
    ("mung-lai", "('mung' <-> 'lai')"),
    ("လိုင်ဇာ", "('လိုင်' <-> 'ဇာ')"),
    ("o'b\\c", "('o' <-> 'b' <-> 'c')"),
]


@pytest.mark.parametrize(("text", "expected"), ASKED)
def test_what_is_asked(text: str, expected: str) -> None:
    assert query_literal(text) == expected


@pytest.mark.parametrize("text", ["", "!!!", "or", "-", '""', "-one", "one or -two", "a " * 9])
def test_what_asks_for_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(NotAsked):
        query_literal(text)


def _matches(texts: list[str], asked: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT %s::tsvector @@ %s::tsquery", [vector_literal(texts), query_literal(asked)]
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db
@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_found_by_itself_and_is_taken_by_postgresql(text: str) -> None:
    assert _matches(["before", text, "after"], "before")
    plain = text.translate(dict.fromkeys(map(ord, '"„“”«»″'), " "))
    if any(words(plain)) and len(plain.split()) <= 8:
        assert _matches(["before", plain, "after"], f'"{plain}"')


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"w{i}" for i in range(60_000)),
        "same " * 60_000,
        "က" * 300_000,
        "ﷺ" * 120_000,
        "x" * 1_000_000,
        " ".join(chr(0x4E00 + i % 20_000) for i in range(100_000)),
    ],
    ids=["many", "one", "Burmese", "ligature", "long", "Chinese"],
)
def test_a_text_of_any_length_is_found_by_its_beginning(text: str) -> None:
    start = next(words(text))
    assert _matches(["title", text], f"title {start}")


@pytest.mark.parametrize("piece", ["-", '"', "' ", "\u1039", "က္", "က့", "a-", '-"', "or ", "\u0301"])
def test_time_grows_with_the_length_alone(piece: str) -> None:
    start = time.thread_time()
    text = (piece * 50_000)[:50_000]
    vector_literal([text])
    with contextlib.suppress(NotAsked):
        query_literal(text)
    assert time.thread_time() - start < 2


@pytest.mark.usefixtures("committed")
def test_a_redaction_takes_words_out_of_the_index(people: SimpleNamespace, draft: Any) -> None:
    incident = draft(State.PUBLISHED, title="Shelling at Khinhtwe's house")
    row = PublishedIncident.objects.filter(code=incident.code)
    assert "khinhtwe" in row.get().search
    shown = redact(incident.pk, "Khinhtwe", people.verifier, "", None, dry_run=True)
    redact(incident.pk, "Khinhtwe", people.verifier, "The family asked.", len(shown.values))
    assert "khinhtwe" not in row.get().search

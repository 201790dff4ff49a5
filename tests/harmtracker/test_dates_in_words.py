"""Dates as people write them: read as EDTF or refused, and EDTF told in words that read back."""

from __future__ import annotations

import pytest
from django.db import connections
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harmtracker.dates import parse_edtf
from harmtracker.dates_in_words import in_words, meaning, read_date
from harmtracker.errors import Invalid
from tests.harmtracker.test_dates import READ as EDTF
from tests.harmtracker.test_dates import _wellformed

READ = [
    # Nothing is not known.
    ("", ""),
    ("  ", ""),
    # EDTF is itself.
    ("2023-10-09", "2023-10-09"),
    (" 2023-10-09 ", "2023-10-09"),
    ("2014-11-19~/2014-11-21?", "2014-11-19~/2014-11-21?"),
    ("2014-xx", "2014-XX"),
    ("201x", "201X"),
    # A day.
    ("9 Oct 2023", "2023-10-09"),
    ("9 October 2023", "2023-10-09"),
    ("9th of October, 2023", "2023-10-09"),
    ("on 9 October 2023", "2023-10-09"),
    ("October 9, 2023", "2023-10-09"),
    ("Oct. 9 2023", "2023-10-09"),
    ("Sept 1st, 2023", "2023-09-01"),
    ("2023 October 9", "2023-10-09"),
    ("Monday, 9 October 2023", "2023-10-09"),
    ("Mon 9 Oct 2023", "2023-10-09"),
    ("၉ အောက်တိုဘာ ၂၀၂၃", "2023-10-09"),
    ("၂၀၂၃ ခုနှစ် အောက်တိုဘာလ ၉ ရက်", "2023-10-09"),
    ("၂၀၂၃ ခုနှစ်၊ အောက်တိုဘာလ ၉ ရက်နေ့။", "2023-10-09"),
    ("၂၀၂၃-၁၀-၀၉", "2023-10-09"),
    ("٩ October ٢٠٢٣", "2023-10-09"),
    # In numbers, where one of the two cannot be a month, or both are the same.
    ("19.10.2023", "2023-10-19"),
    ("10/19/2023", "2023-10-19"),
    ("19-10-2023", "2023-10-19"),
    ("9.9.2023", "2023-09-09"),
    ("2023/10/09", "2023-10-09"),
    ("2023.10.9", "2023-10-09"),
    # A month, a year, more.
    ("October 2023", "2023-10"),
    ("Oct, 2023", "2023-10"),
    ("အောက်တိုဘာ ၂၀၂၃", "2023-10"),
    ("2023", "2023"),
    ("the year 2023", "2023"),
    ("1990s", "199X"),
    ("the 1990s", "199X"),
    ("some day of March 2020", "2020-03-XX"),
    # How sure.
    ("about 1990", "1990~"),
    ("c. 1990", "1990~"),
    ("ca 1990", "1990~"),
    ("circa October 2023", "2023-10~"),
    ("around 9 October 2023", "2023-10-09~"),
    ("perhaps 9 October 2023", "2023-10-09?"),
    ("9 October 2023?", "2023-10-09?"),
    ("perhaps about 1990", "1990%"),
    # From one to another.
    ("from 3 to 5 May 2021", "2021-05-03/2021-05-05"),
    ("3-5 May 2021", "2021-05-03/2021-05-05"),
    ("3 – 5 May 2021", "2021-05-03/2021-05-05"),
    ("May 3-5, 2021", "2021-05-03/2021-05-05"),
    ("30 April to 2 May 2021", "2021-04-30/2021-05-02"),
    ("April-May 2021", "2021-04/2021-05"),
    ("2019-2021", "2019/2021"),
    ("31 December 2020 to 2 January 2021", "2020-12-31/2021-01-02"),
    ("since May 2021", "2021-05/.."),
    ("from May 2021 on", "2021-05/.."),
    ("until 5 May 2021", "../2021-05-05"),
    # One of several, and all of them.
    ("between 3 and 5 May 2021", "[2021-05-03..2021-05-05]"),
    ("between May and July 2021", "[2021-05..2021-07]"),
    ("between 2019 and 2021", "[2019..2021]"),
    ("3 or 5 May 2021", "[2021-05-03,2021-05-05]"),
    ("3 and 5 May 2021", "{2021-05-03,2021-05-05}"),
    ("on or after 3 May 2021", "[2021-05-03..]"),
    ("on or before 3 May 2021", "[..2021-05-03]"),
]


@pytest.mark.parametrize(("text", "edtf"), READ, ids=[row[0] for row in READ])
def test_what_people_write_is_read(text: str, edtf: str) -> None:
    assert read_date(text) == edtf


REFUSED = [
    # Two readings, both told.
    ("9.10.2023", ["9 October 2023 (2023-10-09)", "10 September 2023 (2023-09-10)", "as a word"]),
    ("9/10/2023", ["2023-10-09", "2023-09-10"]),
    ("09-10-2023", ["2023-10-09", "2023-09-10"]),
    ("၉.၁၀.၂၀၂၃", ["2023-10-09", "2023-09-10"]),
    ("about 9.10.2023", ["2023-10-09", "2023-09-10"]),
    ("from 9.10.2023 to 19.10.2023", ["2023-10-09", "2023-09-10"]),
    ("the 2000s", ["200X", "20XX"]),
    # What EDTF cannot say without inventing days.
    ("early March 2020", ["March 2020 (2020-03)", "between 1 and 10 March 2020"]),
    ("mid-March 2020", ["March 2020 (2020-03)"]),
    ("end of 2020", ["2020 (2020)"]),
    ("late", ["not a date"]),
    ("summer 2021", ["season", "from June to August 2021"]),
    ("before 5 May 2021", ["on or before 5 may 2021"]),
    ("after May 2021", ["on or after may 2021"]),
    # What only the day of writing tells.
    ("yesterday", ["the date itself"]),
    ("last Monday", ["the date itself"]),
    # Something is missing or wrong.
    ("9 October", ["lacks the year"]),
    ("October", ["lacks the year"]),
    ("9.10.23", ["four digits"]),
    ("9 Oct 23", ["four digits"]),
    ("Tuesday, 9 October 2023", ["was a Monday"]),
    ("30 February 2023", ["no calendar"]),
    ("31.31.2023", ["not a date"]),
    ("2023-13", ["no calendar"]),
    ("5 to 3 May 2021", ["ends before it begins"]),
    ("2014/2013", ["ends before it begins"]),
    ("soon", ["not a date", "9 October 2023", "2021-05-03/2021-05-05"]),
    ("10:30", ["not a date"]),
    ("<script>", ["not a date"]),
    ("9 Oct 2023 or so", ["not a date"]),
    ("x" * 5000, ["not a date"]),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[row[0][:40] for row in REFUSED])
def test_what_cannot_be_read_is_refused_with_what_can_be_written(
    text: str, said: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        read_date(text)
    for words in said:
        assert words in refused.value.message
    assert len(refused.value.message) < 500


@given(_wellformed)
@settings(max_examples=600, deadline=None, database=None)
def test_edtf_in_words_is_read_back_as_the_same_edtf(edtf: str) -> None:
    try:
        parse_edtf(edtf)
    except Invalid:
        assume(False)
    assert read_date(in_words(edtf)) == edtf
    assert read_date(in_words(edtf).upper()) == edtf


@given(st.text(alphabet="0123456789 -./~?[],{}XxOctober and to from၂၀မေ", max_size=30))
@settings(max_examples=600, deadline=None, database=None)
def test_any_text_gives_edtf_or_a_refusal(text: str) -> None:
    try:
        read = read_date(text)
    except Invalid:
        return
    assert read == "" or parse_edtf(read).text == read


@pytest.mark.parametrize("edtf", [row[0] for row in EDTF])
def test_each_kind_of_edtf_has_its_words(edtf: str) -> None:
    assert read_date(in_words(edtf)) == edtf


@pytest.mark.django_db
@given(st.lists(_wellformed, min_size=20, max_size=40))
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_precision_is_the_one_that_the_database_derives(texts: list[str]) -> None:
    good = []
    for text in texts:
        try:
            parse_edtf(text)
        except Invalid:
            continue
        good.append(text)
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT t, edtf_precision(t) FROM unnest(%s::text[]) t", [good])
        there = dict(cursor.fetchall())
    assert {text: meaning(text).precision for text in good} == there


def test_the_meaning_is_told_in_a_line() -> None:
    assert str(meaning("2023-10-09")) == ("2023-10-09: 9 October 2023 (2023-10-09; precision: day)")
    assert str(meaning("2021-05/..")) == (
        "2021-05/..: from May 2021 on (2021-05-01 to open; precision: year or longer)"
    )

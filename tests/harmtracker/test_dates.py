"""Uncertain dates: what Python and the database each make of an EDTF text must be the same."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

import edtf
import pytest
from django.db import connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harmtracker.dates import parse_edtf
from harmtracker.errors import Invalid, translated

pytestmark = pytest.mark.django_db(databases=["default", "owner"])

Bounds = tuple[str | None, str | None] | None

# Gives NULL where edtf_bounds refuses, so that one statement can ask about many texts.
TRY = """
CREATE FUNCTION try_edtf(value text, OUT taken boolean, OUT earliest date, OUT latest date)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT true, b.earliest, b.latest INTO taken, earliest, latest FROM edtf_bounds(value) b;
EXCEPTION WHEN check_violation THEN
    taken := false;
END $$
"""


def in_python(text: str) -> Bounds:
    """Earliest and latest day; None where the text is refused."""
    try:
        date = parse_edtf(text)
    except Invalid:
        return None
    return (
        None if date.earliest is None else date.earliest.isoformat(),
        None if date.latest is None else date.latest.isoformat(),
    )


@contextmanager
def database_that_tries() -> Iterator[None]:
    with transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:
            cursor.execute(TRY)
        yield
        transaction.set_rollback(True, using="owner")


def in_database(texts: list[str]) -> dict[str, Bounds]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT t.value, b.taken, b.earliest::text, b.latest::text "
            "FROM unnest(%s::text[]) t (value), try_edtf(t.value) b",
            [texts],
        )
        return {
            text: (earliest, latest) if taken else None
            for text, taken, earliest, latest in cursor.fetchall()
        }


def precision(text: str) -> str:
    with translated(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT edtf_precision(%s)", [text])
        row = cursor.fetchone()
        assert row is not None
        return str(row[0])


# --- Any text that looks like a date, good or bad ---

_years = st.one_of(
    st.integers(1990, 2030), st.sampled_from([0, 1, 4, 100, 1900, 2000, 2012, 9999])
).map("{:04d}".format)
_months = st.integers(0, 13).map("{:02d}".format)
_days = st.integers(0, 32).map("{:02d}".format)
_plain = st.one_of(
    _years,
    st.tuples(_years, _months).map("-".join),
    st.tuples(_years, _months, _days).map("-".join),
    st.dates().map(str),
)
_masked = st.one_of(
    _years.map(lambda year: year[:3] + "X"),
    _years.map(lambda year: year[:2] + "XX"),
    _years.map(lambda year: year + "-XX"),
    _years.map(lambda year: year + "-XX-XX"),
    st.tuples(_years, _months).map(lambda pair: "-".join(pair) + "-XX"),
    st.tuples(_years, _days).map(lambda pair: f"{pair[0]}-XX-{pair[1]}"),
)
_dates = st.tuples(
    st.one_of(_plain, _plain, _masked), st.sampled_from(["", "", "", "~", "?", "%"])
).map("".join)
_ends = st.one_of(_dates, _dates, _dates, st.just(".."), st.just(""))
_intervals = st.tuples(_ends, _ends).map("/".join)
_ranges = st.one_of(
    st.tuples(_plain, _plain).map("..".join),
    st.lists(st.dates().map(str), min_size=2, max_size=2).map(sorted).map("..".join),
    _plain.map("..{}".format),
    _plain.map("{}..".format),
)
_sets = st.tuples(
    st.sampled_from(["[]", "[]", "[]", "{}", "{}", "[}", "()"]),
    st.lists(st.one_of(_dates, _dates, _ranges), max_size=4).map(",".join),
).map(lambda pair: f"{pair[0][0]}{pair[1]}{pair[0][1]}")
_wellformed = st.one_of(_dates, _intervals, _sets)


@st.composite
def _mutilated(draw: st.DrawFn) -> str:
    text = draw(_wellformed)
    at = draw(st.integers(0, len(text)))
    noise = draw(st.sampled_from([*"0123456789X-/.,[]{}~?% \n", "２", "๒", "-XX", "..", "T10:00"]))
    return text[:at] + noise + text[at + draw(st.integers(0, 1)) :]


@given(st.lists(st.one_of(_wellformed, _wellformed, _mutilated()), min_size=30, max_size=60))
@settings(
    max_examples=40,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.generate],  # the message names the few texts of many
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_python_and_the_database_read_every_text_alike(texts: list[str]) -> None:
    with database_that_tries():
        there = in_database(texts)
    here = {text: in_python(text) for text in texts}
    assert [(text, here[text], there[text]) for text in texts if here[text] != there[text]] == []


READ = [
    ("2014-11-19", "2014-11-19", "2014-11-19"),
    ("2014-11-19~", "2014-11-19", "2014-11-19"),
    ("2014-11-19?", "2014-11-19", "2014-11-19"),
    ("2014-11-19%", "2014-11-19", "2014-11-19"),
    ("2014-11", "2014-11-01", "2014-11-30"),
    ("2014-02", "2014-02-01", "2014-02-28"),
    ("2012-02", "2012-02-01", "2012-02-29"),
    ("2012-02-29", "2012-02-29", "2012-02-29"),
    ("2014-11-XX", "2014-11-01", "2014-11-30"),
    ("2014-XX", "2014-01-01", "2014-12-31"),
    ("2014-XX-XX", "2014-01-01", "2014-12-31"),
    ("2014", "2014-01-01", "2014-12-31"),
    ("201X", "2010-01-01", "2019-12-31"),
    ("20XX~", "2000-01-01", "2099-12-31"),
    ("0001", "0001-01-01", "0001-12-31"),
    ("9999-12", "9999-12-01", "9999-12-31"),
    ("2014-11-19/2014-11-21", "2014-11-19", "2014-11-21"),
    ("2014-11-19~/2014-11-21?", "2014-11-19", "2014-11-21"),
    # The ends are of unlike precision, and one lies within the other.
    ("2014/2014-03", "2014-01-01", "2014-03-31"),
    ("2014-11/2014", "2014-11-01", "2014-12-31"),
    ("201X/2012", "2010-01-01", "2012-12-31"),
    ("2012/201X", "2012-01-01", "2019-12-31"),
    ("2014-11/..", "2014-11-01", None),
    ("../2014-11", None, "2014-11-30"),
    ("[2014-11-19,2014-11-20]", "2014-11-19", "2014-11-20"),
    ("[2014-11-20,2014-11-19]", "2014-11-19", "2014-11-20"),
    ("{2015,2013-02,2014}", "2013-02-01", "2015-12-31"),
    ("[2014-03..2014-05]", "2014-03-01", "2014-05-31"),
    ("[2016,2012..2013,2011-05]", "2011-05-01", "2016-12-31"),
    ("[2014..]", "2014-01-01", None),
    ("[..2014]", None, "2014-12-31"),
    ("[..2014,2010-01]", None, "2014-12-31"),
    ("[2014-01,2013-05..]", "2013-05-01", None),
    ("[..2010,2014..]", None, None),
    ("[2014]", "2014-01-01", "2014-12-31"),
    ("{..2014,2015}", None, "2015-12-31"),
    ("[2014..2014-03]", "2014-01-01", "2014-03-31"),
    ("[2014~..2015?]", "2014-01-01", "2015-12-31"),
    ("2014~/2014-11-XX", "2014-01-01", "2014-11-30"),
    ("2014-XX/2015-XX", "2014-01-01", "2015-12-31"),
    ("201X/..", "2010-01-01", None),
]
# What the library `edtf` fails on, or reads by other rules than a strict bound.
UNREAD_BY_THE_LIBRARY = {
    "[2014]",
    "{..2014,2015}",
    "[2014..2014-03]",
    "[2014~..2015?]",
    "2014~/2014-11-XX",
    "2014-XX/2015-XX",
    "201X/..",
}


@pytest.mark.parametrize(("text", "earliest", "latest"), READ)
def test_a_text_is_read_by_its_strict_bounds(
    text: str, earliest: str | None, latest: str | None
) -> None:
    with database_that_tries():
        assert in_python(text) == in_database([text])[text] == (earliest, latest)


@pytest.mark.parametrize(
    ("text", "earliest", "latest"), [row for row in READ if row[0] not in UNREAD_BY_THE_LIBRARY]
)
def test_the_library_edtf_reads_it_likewise_where_it_can(
    text: str, earliest: str | None, latest: str | None
) -> None:
    date = edtf.parse_edtf(text)
    bounds = [
        None if isinstance(bound, float) else "{:04d}-{:02d}-{:02d}".format(*bound[:3])
        for bound in (date.lower_strict(), date.upper_strict())
    ]
    assert bounds == [earliest, latest]


REFUSED = [
    "",
    " ",
    "2014 ",
    " 2014",
    "2014\n",
    "2014-11-19\n",
    "[2014,2015]\n",
    "２０１４",
    "2014-၁၁",
    "2014-21",  # spring, which lies at another time in each half of the world
    "2014-13",
    "2014-00",
    "2014-11-00",
    "2014-02-30",
    "2013-02-29",
    "2014-02-30/2014-03-01",
    "0000",
    "000X",
    "0000-01-01",
    "12014",
    "Y12014",
    "-2014",
    "14",
    "2014-1",
    "2014-11-1X",
    "2014-XX-19",
    "2014-11-19T06:00",
    "2014-11-19T06:00Z",
    "19 November 2014",
    "2014/11/19",
    "2014/",
    "/2014",
    "/",
    "../..",
    "..",
    "2014..",
    "2014..2015",
    "2014/2013",
    "2014-11-20/2014-11-19",
    "[]",
    "{}",
    "[..]",
    "[2014,]",
    "[,2014]",
    "[2014,..,2015]",
    "[..2014..]",
    "[2014..2015..2016]",
    "[2015..2013]",
    "[2014,2013..2012]",
    "[2014..,2015]",
    "[2014/2015]",
    # A day that is none, hidden from the bounds between two others.
    "[2010,2014-02-30,2015]",
    "[..2014,0000-10]",
    "[..2014,000X]",
    "[2014,2015",
    "[2014,2015}",
    "2014,2015",
    "null",
    "unknown",
]


@pytest.mark.parametrize("text", REFUSED, ids=repr)
def test_what_is_no_date_is_refused_by_both(text: str) -> None:
    with database_that_tries():
        assert in_python(text) is None
        assert in_database([text])[text] is None


@pytest.mark.parametrize("text", ["2014-13", "2014/2013", "soon"])
def test_the_refusal_of_the_database_repeats_what_was_typed(text: str) -> None:
    with pytest.raises(Invalid, match=text) as refused:
        precision(text)
    assert refused.value.rule == "edtf_is_valid"


PRECISION = [
    ("2014-11-19", "day"),
    ("2014-11-19?", "day"),
    ("2014-11-19/2014-11-19", "day"),
    ("2014-11-19/2014-11-20", "days"),
    ("2014-11-19/2014-11-24", "days"),
    ("[2014-11-24,2014-11-19]", "days"),
    ("2014-11-19/2014-11-25", "week"),
    ("2014-11-19/2014-11-26", "month"),
    ("2014-02", "month"),
    ("2014-12", "month"),
    ("2014-11-19/2014-12-19", "month"),
    ("2014-11-19/2014-12-20", "year"),
    ("2014-11/2014-12", "year"),
    ("2014", "year"),
    ("201X", "year"),
    ("2014-11-19/..", "year"),
    ("../2014-11-19", "year"),
]


@pytest.mark.parametrize(("text", "code"), PRECISION)
def test_the_precision_follows_from_how_far_the_bounds_lie_apart(text: str, code: str) -> None:
    assert precision(text) == code


def test_a_backup_can_derive_the_bounds_without_a_search_path() -> None:
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL search_path = ''")
        cursor.execute(
            "SELECT public.edtf_precision('2014-11/2014-12'), public.edtf_latest('2014')"
        )
        assert cursor.fetchone() == ("year", datetime.date(2014, 12, 31))

"""Numbers of persons as people write them: read or refused, and written so that they read back."""

from __future__ import annotations

import pytest
from django.db import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmtracker.errors import Invalid
from incidents.figures_in_words import MOST, Figure, in_words, read_figure, write_figure
from incidents.models import CasualtyCount

READ = [
    ("", None),
    ("  ", None),
    # One number.
    ("29", Figure(29, 29, 29, "exact")),
    (" 29 ", Figure(29, 29, 29, "exact")),
    ("၂၉", Figure(29, 29, 29, "exact")),
    ("٢٩", Figure(29, 29, 29, "exact")),
    ("exactly 3", Figure(3, 3, 3, "exact")),
    ("1,200", Figure(1200, 1200, 1200, "exact")),
    ("1 200", Figure(1200, 1200, 1200, "exact")),
    ("seven", Figure(7, 7, 7, "exact")),
    ("twenty-nine", Figure(29, 29, 29, "exact")),
    ("Twenty nine", Figure(29, 29, 29, "exact")),
    # None is zero, unknown is not.
    ("0", Figure(0, 0, 0, "exact")),
    ("none", Figure(0, 0, 0, "exact")),
    ("Nobody", Figure(0, 0, 0, "exact")),
    ("unknown", Figure()),
    ("?", Figure()),
    # From the least to the most.
    ("28-33", Figure(28, None, 33, "range")),
    ("28 – 33", Figure(28, None, 33, "range")),
    ("၂၈-၃၃", Figure(28, None, 33, "range")),
    ("between 28 and 33", Figure(28, None, 33, "range")),
    ("28 to 33", Figure(28, None, 33, "range")),
    ("28-33, best 29", Figure(28, 29, 33, "range")),
    ("28-33 best 29", Figure(28, 29, 33, "range")),
    ("28-33 (29)", Figure(28, 29, 33, "range")),
    ("28 / 29 / 33", Figure(28, 29, 33, "range")),
    ("28/?/33", Figure(28, None, 33, "range")),
    ("29/29/29", Figure(29, 29, 29, "exact")),
    ("13/20/?", Figure(13, 20, None, "at_least")),
    ("?/?/?", Figure()),
    ("at least 10 and at most 15", Figure(10, None, 15, "range")),
    # Open at one end: no best figure is made up.
    ("at least 10", Figure(10, None, None, "at_least")),
    ("At least ten", Figure(10, None, None, "at_least")),
    ("10+", Figure(10, None, None, "at_least")),
    ("10 or more", Figure(10, None, None, "at_least")),
    ("≥ 10", Figure(10, None, None, "at_least")),
    ("at least 13, best 20", Figure(13, 20, None, "at_least")),
    ("up to 5", Figure(None, None, 5, "at_most")),
    ("at most 5", Figure(None, None, 5, "at_most")),
    ("no more than 5", Figure(None, None, 5, "at_most")),
    # Whole persons: more than 30 is 31 at least. The words are kept.
    ("more than 30", Figure(31, None, None, "at_least", "more than 30")),
    ("over 20", Figure(21, None, None, "at_least", "over 20")),
    (">20", Figure(21, None, None, "at_least", ">20")),
    ("fewer than 10", Figure(None, None, 9, "at_most", "fewer than 10")),
    # About.
    ("about 20", Figure(None, 20, None, "approximate")),
    ("some 20", Figure(None, 20, None, "approximate")),
    ("~20", Figure(None, 20, None, "approximate")),
    ("about 20-30", Figure(20, None, 30, "approximate")),
    ("nearly 20", Figure(None, 20, None, "approximate", "nearly 20")),
    # No figure: words.
    ("dozens", Figure(qualifier="unquantified", reported_text="dozens")),
    ("Many women", Figure(qualifier="unquantified", reported_text="Many women")),
    ("several", Figure(qualifier="unquantified", reported_text="several")),
    ("“ဒါဇင်များစွာ”", Figure(qualifier="unquantified", reported_text="ဒါဇင်များစွာ")),
    # The words of the source behind a figure.
    ('11 "11 under 16"', Figure(11, 11, 11, "exact", "11 under 16")),
    ("at least 11 “11 under 16”", Figure(11, None, None, "at_least", "11 under 16")),
    ('16 "16 "badly" hurt"', Figure(16, 16, 16, "exact", '16 "badly" hurt')),
    ("unknown “no figure”", Figure(reported_text="no figure")),
]


@pytest.mark.parametrize(("text", "figure"), READ, ids=[row[0] for row in READ])
def test_what_people_write_is_read(text: str, figure: Figure | None) -> None:
    assert read_figure(text) == figure


REFUSED = [
    ("33-28", "do not rise"),
    ("28-33, best 40", "do not rise"),
    ("29?", "not a number"),
    ("2O", "not a number"),
    ("1.200", "not a number"),
    ("2.5", "not a number"),
    ("-5", "not a number"),
    ("1,20", "not a number"),
    ("a dozen", "not a number"),
    ("29 or 30 or so", "not a number"),
    ("10 + 3", "not a number"),
    ("13 children and 19 adults", "not a number"),
    ("dozens, at least 20", "not a number"),
    ("see above", "not a number"),
    ("fewer than 0", "Fewer than none"),
    (str(MOST + 1), "at most"),
    ("9" * 5000, "at most"),
    (f"more than {MOST}", "at most"),
    ("“”", "words of a source"),
    ("29 “  ”", "words of a source"),
    ("“" + "x" * 501 + "”", "words of a source"),
    ("x" * 5000, "not a number"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[row[0][:30] for row in REFUSED])
def test_what_is_no_number_of_persons_is_refused(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message) as refused:
        read_figure(text)
    assert len(refused.value.message) < 300


# --- Any figure that the database takes ---

_numbers = st.integers(0, 60) | st.sampled_from([0, 1, 1000, 1200, MOST])
_some = st.none() | _numbers
_texts = st.text(max_size=40).filter(str.strip) | st.sampled_from(
    ["dozens", "29", "more than 30", "11 under 16", "“quoted”", '"', "none", "a “b” c", "nearly 20"]
)


@st.composite
def figures(draw: st.DrawFn) -> Figure:
    qualifier = draw(
        st.sampled_from(
            ["exact", "at_least", "at_most", "range", "approximate", "unquantified", "unknown"]
        )
    )
    words = draw(_texts) if qualifier == "unquantified" else draw(st.just("") | _texts)
    if qualifier in ("unquantified", "unknown"):
        return Figure(qualifier=qualifier, reported_text=words)
    if qualifier == "exact":
        number = draw(_numbers)
        return Figure(number, number, number, qualifier, words)
    low, middle, high = sorted(draw(st.tuples(_numbers, _numbers, _numbers)))
    best = draw(st.sampled_from([None, middle]))
    ends = {
        "at_least": [(low, None)],
        "at_most": [(None, high)],
        "range": [(low, high)],
        "approximate": [(low, high), (low, None), (None, high), (None, None)],
    }
    least, most = draw(st.sampled_from(ends[qualifier]))
    if least is None and most is None:
        best = middle
    return Figure(least, best, most, qualifier, words)


@given(figures())
@settings(max_examples=800, deadline=None, database=None)
def test_a_figure_is_written_so_that_it_is_read_as_the_same(figure: Figure) -> None:
    assert read_figure(write_figure(figure)) == figure
    assert in_words(figure)


@pytest.mark.django_db
@given(
    st.text(alphabet='0123456789 -–+/?,.“”"abouttleasup>~၂၉', max_size=25)
    | st.text(max_size=20)
    | figures().map(write_figure)
)
@settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_text_gives_a_figure_that_the_database_takes_or_a_refusal(text: str) -> None:
    try:
        figure = read_figure(text)
    except Invalid:
        return
    if figure is None:
        return
    assert read_figure(write_figure(figure)) == figure
    row = CasualtyCount(outcome="killed", status="civilian", **figure.fields)
    for constraint in CasualtyCount._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            constraint.validate(CasualtyCount, row)

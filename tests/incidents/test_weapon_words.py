"""The words of a source: which weapon types they are offered, and the calibre that they name."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from incidents.finding import weapon_types
from incidents.weapon_words import MOST_OFFERED, calibre_in, offers_for

OFFERED = [  # words, what is offered first
    ("105 mm howitzer", "EXG-ART"),
    ("heavy artillery shells", "EXG-ART"),
    ("airstrike", "EXA-UNS"),
    ("Air strikes", "EXA-UNS"),
    ("လေကြောင်းတိုက်ခိုက်မှု", "EXA-UNS"),
    ("လက်နက်ကြီး", "EXG-ART"),
    ("၁၀၅ မမ ဟောင်ဝစ်ဇာ", "EXG-ART"),
    ("mortar", "EXG-MOR"),
    ("barrel bomb", "EXA-IMP"),
    ("large unguided aerial bomb", "EXA-BOM"),
    ("a drone", "EXA-DRD"),
    ("kamikaze drone", "EXA-OWD"),
    ("landmines", "EXP-APM"),
    ("မြေမြှုပ်မိုင်း", "EXP-MUN"),
    ("shot dead", "SAL-UNS"),
    ("burned alive", "INC-ARS"),
    ("40 mm grenades", "EXG-GRL"),
]


@pytest.mark.parametrize(("text", "code"), OFFERED, ids=[row[0] for row in OFFERED])
def test_the_type_that_words_fit_best_is_offered_first(text: str, code: str) -> None:
    offers = offers_for(text)
    assert offers[0].code == code
    assert len(offers) <= MOST_OFFERED


@pytest.mark.parametrize("text", ["", " ", "105 mm", "he was hungry", "the village", "unknown"])
def test_words_of_no_weapon_are_offered_nothing(text: str) -> None:
    assert offers_for(text) == []


@pytest.mark.parametrize(
    ("text", "calibre"),
    [
        ("105 mm howitzer", "105"),
        ("a 105-mm shell", "105"),
        ("7.62mm rounds", "7.62"),
        ("၁၀၅ မမ", "105"),
        ("122 millimetre rockets", "122"),
        ("howitzer", None),
        ("81 mm or 82 mm mortar", None),
        ("0 mm", None),
        ("105 men", None),
        ("1105 mm", None),
    ],
)
def test_a_calibre_is_read_where_the_words_name_one(text: str, calibre: str | None) -> None:
    assert calibre_in(text) == (None if calibre is None else Decimal(calibre))


def test_each_term_finds_its_type() -> None:
    path = settings.FIXTURES / "weapon_words.json"
    listed = json.loads(path.read_text(encoding="utf-8"))
    assert set(listed) <= set(weapon_types())
    for code, terms in listed.items():
        assert len(terms) == len(set(terms)), code
        for term in terms:
            assert code in [offer.code for offer in offers_for(term)], (code, term)


@given(st.text(max_size=60))
@how(max_examples=200, deadline=None, database=None)
def test_any_words_are_answered(text: str) -> None:
    assert len(offers_for(text)) <= MOST_OFFERED
    calibre_in(text)

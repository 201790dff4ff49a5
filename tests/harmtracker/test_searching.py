"""Names in any spelling: what is folded here is what the database's own function folds."""

from __future__ import annotations

import pytest
from django.db import connections
from django.db.models import TextField, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from harmtracker.searching import Folded
from incidents.models import Place

pytestmark = pytest.mark.usefixtures("three")

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


def folded(text: str) -> str:
    asked = Place.objects.annotate(folded=Folded(Value(text, output_field=TextField())))
    return str(asked.values_list("folded", flat=True)[0])


def by_function(text: str) -> str:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT incidents_folded(%s)", [text])
        return str(cursor.fetchone()[0])


@settings(max_examples=150, deadline=None, database=None)
@given(TEXTS | st.text(st.characters(max_codepoint=127, exclude_characters="\0"), max_size=30))
def test_it_is_what_the_function_gives(text: str) -> None:
    assert folded(text) == by_function(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Mung LAI Hkyet", "mung lai hkyet"),
        ("Café Ångström", "cafe angstrom"),
        ("Ｌａｉｚａ", "laiza"),
        ("မုန့်လိုင်ခက်", "မုန့်လိုင်ခက်"),
        ("MMR-2023-0001 မုန့်", "mmr-2023-0001 မုန့်"),
    ],
)
def test_case_and_accents_are_left_out(text: str, expected: str) -> None:
    assert folded(text) == expected

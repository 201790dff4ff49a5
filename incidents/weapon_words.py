"""Weapon types that the words of a source fit: offered to whoever enters them, never chosen.

Words are those of the label, of the definition, and of ``fixtures/weapon_words.json``, which has
the terms that sources use, in several languages.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from django.conf import settings

from incidents.finding import weapon_types
from incidents.search import words

MOST_OFFERED = 6
# Which say nothing of a kind of weapon.
_LITTLE_WORDS = (
    "a an and any are at be but by can for from go goe has in incl is it more no not of off on one "
    "or other say so some source that the them then there they thi to was were which who with "
    "without mm millimetre millimeter unspecified unknown several type kind like made"
)
_EMPTY = frozenset(_LITTLE_WORDS.split())
_MM = re.compile(
    r"(?<![0-9.,])([0-9]{1,3}(?:[.][0-9]{1,2})?)\s*-?\s*"
    r"(?:mm\b|millimet(?:er|re)s?\b|မမ|မီလီမီတာ)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Offer:
    """A weapon type that words fit, and what of them it was known by."""

    code: str
    label: str
    known_by: str


def offers_for(text: str) -> list[Offer]:
    """The types that a text fits, the best first; none where it names no means of harm."""
    said = _stems(text)
    scored = []
    for code, row in weapon_types().items():
        terms = [term for term in _terms()[code] if _holds(said, term[1])]
        longest = max((len(stems) for _, stems in terms), default=0)
        known_by = next((term for term, stems in terms if len(stems) == longest), "")
        score = 100 * longest + 10 * len(terms) + _common(said, code)
        if score:
            scored.append((-score, code, Offer(code, str(row["label"]), known_by)))
    return [offer for _, _, offer in sorted(scored, key=lambda one: one[:2])[:MOST_OFFERED]]


def calibre_in(text: str) -> Decimal | None:
    """The calibre in millimetres that a text names; None where it names none, or two."""
    digits = "".join(
        str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c for c in text
    )
    found = {Decimal(number) for number in _MM.findall(digits)}
    return found.pop() if len(found) == 1 and 0 not in found else None


def _stems(text: str) -> list[str]:
    return [_stem(word) for word in words(text)]


def _stem(word: str) -> str:
    """English plurals as their singular, on both sides alike."""
    is_plural = len(word) > 3 and word.isascii() and word.endswith("s") and word[-2] != "s"
    return word[:-1] if is_plural else word


def _holds(said: Sequence[str], term: Sequence[str]) -> bool:
    """Whether the words of a term stand in a text one after the other."""
    size = len(term)
    return any([*said[at : at + size]] == [*term] for at in range(len(said) - size + 1))


def _common(said: Sequence[str], code: str) -> int:
    """How many words a text has in common with a label and, counted less, with a definition."""
    label, definition = _described()[code]
    spoken = {word for word in said if not word.isdecimal()} - _EMPTY
    return 3 * len(spoken & label) + len(spoken & definition)


@cache
def _terms() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    path = settings.FIXTURES / "weapon_words.json"
    listed = json.loads(path.read_text(encoding="utf-8"))
    return {
        code: [(term, tuple(_stems(term))) for term in listed.get(code, ())]
        for code in weapon_types()
    }


@cache
def _described() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    return {
        code: (
            frozenset(_stems(str(row["label"]))) - _EMPTY,
            frozenset(_stems(str(row["definition"]))) - _EMPTY,
        )
        for code, row in weapon_types().items()
    }

"""How words are found: the same folding and the same words for what is stored and what is asked.

PostgreSQL is given the words as they are to be compared, on both sides, and parses no text itself:
its own parser knows neither Burmese nor that ``Mung-Lai`` and ``Mung Lai`` are one name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

# PostgreSQL refuses a tsvector above 1 MiB and keeps positions up to 16,383: a longer text is
# found by its beginning.
MAX_SEARCHED_CHARACTERS = 100_000
MAX_WORDS = 16_000
MAX_PLACES_OF_A_WORD = 255
# Of a word, so that it fits into an index whatever it is.
MAX_WORD_CHARACTERS = 100
MAX_TERMS = 8


class NotAsked(ValueError):
    """A text that asks for nothing, or for too much: a sentence that says so."""


def fold(text: str) -> str:
    """Without case and accents, so that ``Mong Lai Khet`` and ``mong lai khet`` are one.

    Marks are removed from Latin letters alone: in Burmese they are letters.
    """
    folded = []
    latin = False
    for character in unicodedata.normalize("NFKD", text).casefold():
        if unicodedata.combining(character) and latin:
            continue
        if not unicodedata.combining(character):
            latin = "LATIN" in unicodedata.name(character, "")
        folded.append(character)
    return unicodedata.normalize("NFC", "".join(folded)).replace("\x00", " ")


# Letters of the Myanmar script, Shan, Mon and Karen ones included. A syllable starts with one that
# does not hang below another (U+1039 before it) and does not close a syllable (U+103A or U+1039
# after it, a dot below between them or not).
_MYANMAR = r"\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"
_SYLLABLE = re.compile(
    r"(?<!\u1039)(?=[\u1000-\u102a\u103f\u104e\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066"
    r"\u106e-\u1070\u1075-\u1081\u108e\ua9e0-\ua9e4\ua9e7-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa6f"
    r"\uaa71-\uaa76\uaa7a\uaa7e\uaa7f](?!\u1037?[\u103a\u1039]))"
)
# Scripts without spaces whose letters stand for a syllable or a word: each is a word here.
_LETTERS = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PIECE = re.compile(f"[{_MYANMAR}]+|[{_LETTERS}]|[^{_MYANMAR}{_LETTERS}]+")


def _letters(text: str) -> str:
    """Letters, marks and digits, any digit as one of 0 to 9; a space for anything else."""
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Nd":
            kept.append(str(unicodedata.digit(character)))
        # What joins and what is not seen is no border: U+200B to U+200D stand inside of words.
        elif category == "Cf":
            continue
        else:
            kept.append(character if category[0] in "LMN" else " ")
    return "".join(kept)


def words(text: str) -> Iterator[str]:
    """The words of a text in order. Of a script without spaces, its syllables or letters."""
    for run in _letters(fold(text)).split():
        for piece in _PIECE.findall(run):
            for word in _SYLLABLE.split(piece):
                if word:
                    yield word[:MAX_WORD_CHARACTERS]


def vector_literal(texts: Iterable[str | None]) -> str:
    """The words of texts as a tsvector is written, of which some may have been taken out.

    Two that follow each other across the border of two texts are no phrase.
    """
    places: dict[str, list[int]] = {}
    place, left = 0, MAX_SEARCHED_CHARACTERS
    for text in texts:
        for word in words((text or "")[: max(left, 0)]):
            place += 1
            if place > MAX_WORDS:
                break
            found = places.setdefault(word, [])
            if len(found) < MAX_PLACES_OF_A_WORD:
                found.append(place)
        left -= len(text or "")
        place += 1
    return " ".join(
        f"'{word}':{','.join(map(str, found))}" for word, found in sorted(places.items())
    )


_TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
# Other dashes and quotation marks that people's keyboards and word processors make.
_PLAIN = str.maketrans("‐‑‒–—−“”„«»″", '------""""""')


def query_literal(text: str) -> str:
    """What a person asks for, as a tsquery is written.

    Words must all be there; ``"two words"`` stand together; ``-`` excludes the word or phrase it
    stands at, beside others; ``or`` has either side. Raises :class:`NotAsked` where nothing is
    looked for, or more than MAX_TERMS.
    """
    wanted: list[list[str]] = [[]]
    unwanted: list[list[str]] = [[]]
    count = 0
    for minus, phrase, word in _TERM.findall(text.translate(_PLAIN)):
        if word.casefold() == "or" and not minus:
            wanted.append([])
            unwanted.append([])
            continue
        count += len(phrase.split()) if phrase else 1
        asked = " <-> ".join(f"'{part}'" for part in words(phrase or word))
        if asked:
            (unwanted if minus else wanted)[-1].append(f"({asked})")
    if count > MAX_TERMS:
        raise NotAsked(f"At most {MAX_TERMS} words.")
    sides = [side for side in zip(wanted, unwanted, strict=True) if any(side)]
    if not sides:
        raise NotAsked("It holds no word: letters or digits are looked for.")
    # What excludes alone would have every record read.
    if not all(words_of_it for words_of_it, _ in sides):
        raise NotAsked("Say also what is looked for, beside what is not.")
    return " | ".join(
        " & ".join([*looked_for, *(f"!{each}" for each in excluded)])
        for looked_for, excluded in sides
    )

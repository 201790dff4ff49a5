"""How words are found: the same folding for what is stored and for what is asked."""

from __future__ import annotations

import unicodedata


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

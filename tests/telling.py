"""Whether a text tells a word that is to be nowhere.

Salts, nonces, digests and cursors are random letters: four given letters in a row turn up in one of
some thousand of them now and then, and tell nobody anything.
"""

from __future__ import annotations

import re

_RANDOM = re.compile(
    r"(?<![\w-])(?:[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{43})(?![\w-])|(?<=cursor=)[A-Za-z0-9_-]+"
)
"""A salt of 16 bytes in base64, a nonce or digest of 32 (see `incidents.publishing.commitments`),
or a page's cursor."""


def tells(text: str, word: str) -> bool:
    return word.casefold() in _RANDOM.sub("", text).casefold()

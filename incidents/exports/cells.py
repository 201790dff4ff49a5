"""Texts that a spreadsheet would take for a formula.

They get an apostrophe in front, and so do texts that start with one: whoever takes one leading
apostrophe off each text that has it has the exact text back (:func:`restored`). Numbers are no
texts: -96.17 stays a number.
"""

from __future__ import annotations

APOSTROPHE = "'"
STARTS = "=+-@\t\r\n\0＝＋－＠"
# PostgreSQL holds no NUL, and gives 0 as the first character of an empty text.
_CODE_POINTS = sorted(ord(character) for character in (*STARTS, APOSTROPHE) if character != "\0")


def neutral(expression: str) -> str:
    """The SQL of a text, with an apostrophe before what starts like a formula."""
    points = ", ".join(map(str, _CODE_POINTS))
    return (
        f"CASE WHEN ascii({expression}) IN ({points}) "
        f"THEN '''' || {expression} ELSE {expression} END"
    )


def neutralised(text: str) -> str:
    """The same of a text at hand."""
    return APOSTROPHE + text if text.startswith((*STARTS, APOSTROPHE)) else text


def restored(text: str) -> str:
    """The exact text of a cell of a CSV or XLSX export."""
    return text.removeprefix(APOSTROPHE)

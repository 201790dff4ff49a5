"""Uncertain dates in EDTF (ISO 8601-2): levels 0 and 1, and sets; seasons are refused.

Only the strict bounds are derived: ``2014-11-19~`` is that day. The database derives the same by
its own function ``edtf_bounds``, so that no row can carry others; a property test holds the two
together, and the library ``edtf``, which refuses some good texts and takes some bad, is asked there
for a third opinion.
"""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass

from harmtracker.errors import Invalid

# ``edtf_bounds`` begins with the same pattern. An end that is open is written `..`; one that is
# unknown (`2014/`) is refused, and so are years of more than four digits.
_DATE = (
    r"(?:[0-9]{4}|[0-9]{3}X|[0-9]{2}XX|[0-9]{4}-(?:[01][0-9]|XX)"
    r"|[0-9]{4}-[01][0-9]-(?:[0-3][0-9]|XX)|[0-9]{4}-XX-XX)[~?%]?"
)
_ITEM = rf"{_DATE}(?:\.\.{_DATE})?"
_ITEMS = rf"(?:{_DATE}\.\.|(?:\.\.{_DATE}|{_ITEM})(?:,{_ITEM})*(?:,{_DATE}\.\.)?)"
_EDTF = re.compile(rf"{_DATE}|{_DATE}/(?:{_DATE}|\.\.)|\.\./{_DATE}|\[{_ITEMS}\]|\{{{_ITEMS}\}}")


@dataclass(frozen=True)
class EdtfDate:
    """An uncertain date and its strict bounds; a bound is None where the text leaves it open."""

    text: str
    earliest: datetime.date | None
    latest: datetime.date | None


def _days(text: str) -> tuple[datetime.date, datetime.date]:
    """First and last day of one date. Raises ValueError for a day that no calendar has."""
    year, month, day = [*text.rstrip("~?%").split("-"), "", ""][:3]
    if month in ("", "XX"):
        first = datetime.date(int(year.replace("X", "0")), 1, 1)
        return first, datetime.date(int(year.replace("X", "9")), 12, 31)
    if day in ("", "XX"):
        first = datetime.date(int(year), int(month), 1)
        return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])
    first = datetime.date(int(year), int(month), int(day))
    return first, first


def parse_edtf(text: str) -> EdtfDate:
    """Bounds of an EDTF text. Raises :class:`Invalid` with what was wrong and an example."""
    refusal = Invalid(
        f"{text!r} is not a date as EDTF writes it: for example 2014-11-19, 2014-11, "
        "2014-11-19~, 2014-11-19/2014-11-21 or [2014-11-19,2014-11-20]."
    )
    if _EDTF.fullmatch(text) is None:
        raise refusal
    firsts: list[datetime.date | None] = []
    lasts: list[datetime.date | None] = []
    # An interval is read as a range: 2014/2015 as 2014..2015, 2014/.. as 2014.., ../2014 as ..2014.
    for part in re.sub(r"\.\./|/\.\.|/", "..", text.strip("[]{}")).split(","):
        begin, _, end = part.partition("..") if ".." in part else (part, "", part)
        try:
            first = _days(begin)[0] if begin else None
            last = _days(end)[1] if end else None
        except ValueError as error:
            raise refusal from error
        if first is not None and last is not None and first > last:
            raise Invalid(f"{text!r} ends before it begins.")
        firsts.append(first)
        lasts.append(last)
    return EdtfDate(
        text,
        earliest=None if None in firsts else min(day for day in firsts if day is not None),
        latest=None if None in lasts else max(day for day in lasts if day is not None),
    )

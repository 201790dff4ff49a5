"""Uncertain dates in EDTF (ISO 8601-2): levels 0 and 1, and sets; seasons are refused.

The library ``edtf`` parses. Only its strict bounds are used: its fuzzy bounds of
``2014-11-19~`` run over two years. The database derives the same bounds by its own function
``edtf_bounds``, so that no row can carry others; a property test holds the two together.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from time import struct_time

from edtf import parse_edtf as _parse
from edtf.parser.edtf_exceptions import EDTFParseException

from harmtracker.errors import Invalid

# What we take, before the library sees it. It accepts more (seasons, years of five digits), gives
# an end that is unknown (`2014/`) ten years of length, and fails in its own ways on some of the
# rest. An end that is open is written `..`.
_YEAR = r"(?:[0-9]{4}|[0-9]{3}X|[0-9]{2}XX)"
_MONTH = r"[0-9]{4}-(?:[01][0-9]|XX)"
_DAY = r"(?:[0-9]{4}-[01][0-9]-(?:[0-3][0-9]|XX)|[0-9]{4}-XX-XX)"
_DATE = rf"(?:{_YEAR}|{_MONTH}|{_DAY})[~?%]?"
_ALLOWED = re.compile(
    rf"{_DATE}|{_DATE}/(?:{_DATE}|\.\.)|\.\./{_DATE}|"
    rf"(?P<set>[\[{{](?:\.\.)?{_DATE}(?:(?:,|\.\.){_DATE})*(?:\.\.)?[\]}}])"
)


@dataclass(frozen=True)
class EdtfDate:
    """An uncertain date and its strict bounds; a bound is None where the text leaves it open."""

    text: str
    earliest: datetime.date | None
    latest: datetime.date | None


def _as_date(bound: struct_time | float) -> datetime.date | None:
    # The library gives an open end as a float infinity.
    if isinstance(bound, float):
        return None
    return datetime.date(*bound[:3])


def parse_edtf(text: str) -> EdtfDate:
    """Bounds of an EDTF text. Raises :class:`Invalid` with what was wrong and an example."""
    refusal = Invalid(
        f"{text!r} is not a date as EDTF writes it: for example 2014-11-19, 2014-11, "
        "2014-11-19~, 2014-11-19/2014-11-21 or [2014-11-19,2014-11-20]."
    )
    shape = _ALLOWED.fullmatch(text)
    if shape is None or (shape["set"] and (text[0] == "[") != (text[-1] == "]")):
        raise refusal
    try:
        parsed = _parse(text)
        earliest, latest = _as_date(parsed.lower_strict()), _as_date(parsed.upper_strict())
    except (EDTFParseException, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise refusal from error
    if earliest is not None and latest is not None and earliest > latest:
        raise Invalid(f"{text!r} ends before it begins.")
    return EdtfDate(text, earliest, latest)

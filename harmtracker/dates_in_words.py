"""Dates as people write them, read into EDTF, and EDTF told in words that are read back the same.

Nothing is invented: a text that leaves open what it means is refused with what it may mean, and
what EDTF cannot say without making up days is refused with what can be said instead.
"""

from __future__ import annotations

import calendar
import datetime
import re
import unicodedata
from dataclasses import dataclass

from harmtracker.codes import code_list
from harmtracker.dates import EdtfDate, parse_edtf
from harmtracker.errors import Invalid

MONTHS = [name.casefold() for name in calendar.month_name]
_BURMESE = {
    1: "ဇန်နဝါရီ",
    2: "ဖေဖော်ဝါရီ",
    3: "မတ်",
    4: "ဧပြီ",
    5: "မေ",
    6: "ဇွန်",
    7: "ဇူလိုင်",
    8: "ဩဂုတ် သြဂုတ်",
    9: "စက်တင်ဘာ",
    10: "အောက်တိုဘာ",
    11: "နိုဝင်ဘာ",
    12: "ဒီဇင်ဘာ",
}
# Any way to write a month -> its number.
_MONTH_OF = {
    **{name: number for number, name in enumerate(MONTHS) if number},
    **{name[:3]: number for number, name in enumerate(MONTHS) if number},
    "sept": 9,
    **{
        unicodedata.normalize("NFC", name): number
        for number, names in _BURMESE.items()
        for name in names.split()
    },
}
_WEEKDAYS = {
    short: number
    for number, name in enumerate(name.casefold() for name in calendar.day_name)
    for short in (name, name[:3])
}
_ABOUT = r"(?:about|around|approximately|approx|circa|ca|c|roughly)\b\.?\s*"
_PERHAPS = r"(?:perhaps|possibly|maybe|probably|uncertain:?)\s+"
_MONTH = "(?P<month>" + "|".join(sorted(map(re.escape, _MONTH_OF), key=len, reverse=True)) + r")\.?"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4})"
# Of a date in Burmese: of the year, of the month, of the day.
_AFTER_YEAR, _AFTER_MONTH, _AFTER_DAY = r"(?:\s*ခုနှစ်|\s*ခု)?", r"(?:\s*လ)?", r"(?:\s*ရက်နေ့|\s*ရက်)?"

_WRITTEN = [
    re.compile(pattern)
    for pattern in (
        rf"{_DAY}{_AFTER_DAY}\s*(?:of\s+)?{_MONTH}{_AFTER_MONTH},?\s*{_YEAR}{_AFTER_YEAR}",
        rf"{_MONTH}\s*{_DAY},?\s+{_YEAR}",
        rf"{_YEAR}{_AFTER_YEAR},?\s*{_MONTH}{_AFTER_MONTH},?\s*{_DAY}{_AFTER_DAY}",
        rf"{_MONTH},?\s*(?:of\s+)?{_YEAR}",
        rf"{_YEAR}{_AFTER_YEAR},?\s*{_MONTH}{_AFTER_MONTH}",
        rf"(?:the year\s+)?{_YEAR}{_AFTER_YEAR}",
    )
]
_YEARLESS = re.compile(rf"(?:{_DAY}\s*(?:of\s+)?)?{_MONTH}")
_NUMBERS = re.compile(r"([0-9]{1,2})\s*([./-])\s*([0-9]{1,2})\s*\2\s*([0-9]{4})")
_NUMBERS_YEAR_FIRST = re.compile(r"([0-9]{4})\s*([./-])\s*([0-9]{1,2})\s*\2\s*([0-9]{1,2})")
_DASH = r"\s*[-–—‒−]\s*"
_TO = rf" to | until | till |{_DASH}"
_FORMS = (
    "Write it as 9 October 2023, October 2023, 2023, about 1990, from 3 to 5 May 2021, between 3 "
    "and 5 May 2021, or as EDTF: 2023-10-09, 2023-10, 2021-05-03/2021-05-05."
)


# What is known to be a date but cannot be taken: nothing else in the text is tried.
TWO_READINGS = "date_can_be_taken"


@dataclass(frozen=True)
class Meaning:
    """What an EDTF text says: in words, its first and last day, and how far these lie apart."""

    edtf: str
    words: str
    earliest: datetime.date | None
    latest: datetime.date | None
    precision: str

    def __str__(self) -> str:
        days = (
            f"{self.earliest or 'open'} to {self.latest or 'open'}"
            if self.earliest != self.latest or self.earliest is None
            else f"{self.earliest}"
        )
        label = code_list("date_precision")[self.precision].label
        return f"{self.edtf}: {self.words} ({days}; precision: {label})"


# --- From words to EDTF ---


def read_date(text: str) -> str:
    """The EDTF of what somebody wrote, in words or in EDTF; "" of nothing.

    Raises :class:`Invalid` where it cannot be read, or can be read in two ways.
    """
    plain = _plain(text)
    if not plain:
        return ""
    for candidate in (text.strip(), plain.upper()):
        try:
            return parse_edtf(candidate).text
        except Invalid as refusal:
            if refusal.message.endswith("before it begins."):
                raise
    read = _read(plain, text.strip())
    try:
        return parse_edtf(read).text
    except Invalid as refusal:
        if refusal.message.endswith("before it begins."):
            raise Invalid(f"{_quoted(text)} ends before it begins.") from refusal
        raise Invalid(f"{_quoted(text)} holds a day or month that no calendar has.") from refusal


def _plain(text: str) -> str:
    """In lower case, any script's digits as 0 to 9, one space between words."""
    digits = "".join(
        str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c
        for c in text
        if c not in "\u200b\u200e\u200f\u2060\ufeff"
    )
    folded = re.sub(r"\s+", " ", digits.replace("၊", ",")).strip().casefold().rstrip("။, ")
    # U+1025 U+102E is how some keyboards write U+1026, and so on: one form of each letter.
    return unicodedata.normalize("NFC", folded)


def _quoted(text: str) -> str:
    return f"“{text.strip()[:100]}”"


def _read(plain: str, typed: str) -> str:
    """EDTF of a folded text, bounds unchecked."""
    if listed := re.fullmatch(r"(one|all) of: (.+)", plain):
        items = [_item(part.strip(), typed) for part in listed[2].split(";")]
        return _set("[]" if listed[1] == "one" else "{}", items)
    if between := re.fullmatch(rf"between (.+?)(?: and |{_DASH})(.+)", plain):
        first, last = _two(between[1], between[2], typed)
        return f"[{first}..{last}]"
    if since := re.fullmatch(r"(?:from|since) (.+?)( on| onwards?)?", plain):
        begin, dash, end = "", False, ""
        if since[2] is None:
            begin, dash, end = _halves(since[1], _TO, typed)
        return f"{begin}/{end}" if dash else f"{_one(since[1], typed)}/.."
    if until := re.fullmatch(r"(?:until|till|up to) (.+)", plain):
        return f"../{_one(until[1], typed)}"
    if re.fullmatch(r"on or (?:after|before) .+", plain):
        return _set("[]", [_item(plain, typed)])
    for words, brackets in ((" or ", "[]"), (" and | & ", "{}")):
        first, found, second = _halves(plain, words, typed)
        if found:
            return _set(brackets, [first, second])
    alone = _try(plain, typed)
    if alone is not None:
        return alone
    begin, found, end = _halves(plain, _TO, typed)
    if found:
        return f"{begin}/{end}"
    raise _refusal(plain, typed)


def _set(brackets: str, items: list[str]) -> str:
    return f"{brackets[0]}{','.join(items)}{brackets[1]}"


def _item(plain: str, typed: str) -> str:
    """One of the dates of a set, which may be a range."""
    if between := re.fullmatch(r"between (.+?) and (.+)", plain):
        return "..".join(_two(between[1], between[2], typed))
    if beyond := re.fullmatch(r"on or (after|before) (.+)", plain):
        date = _one(beyond[2], typed)
        return f"{date}.." if beyond[1] == "after" else f"..{date}"
    return _one(plain, typed)


def _halves(plain: str, words: str, typed: str) -> tuple[str, bool, str]:
    """The dates on both sides of such a word, and whether there are two."""
    for at in re.finditer(words, plain):
        try:
            first, last = _two(plain[: at.start()], plain[at.end() :], typed)
        except Invalid as refusal:
            if refusal.rule == TWO_READINGS:
                raise
        else:
            return first, True, last
    return "", False, ""


def _two(left: str, right: str, typed: str) -> tuple[str, str]:
    """Two dates, of which the first may leave to the second what they have in common."""
    left, right = left.strip(" ,"), right.strip(" ,")
    # May 3 to 5, 2021
    if named := re.fullmatch(rf"{_MONTH}\s*{_DAY}", left):
        if days := re.fullmatch(rf"{_DAY},?\s+{_YEAR}", right):
            right = f"{named['month']} {days['day']}, {days['year']}"
        left = f"{left}, {right[-4:]}" if right[-4:].isdecimal() else left
    last = _one(right, typed)
    year, month = last.rstrip("~?%").split("-")[:2] if "-" in last else (last[:4], "")
    if re.fullmatch(_DAY, left) and month.isdecimal():
        left = f"{left} {MONTHS[int(month)]} {year}"
    elif _YEARLESS.fullmatch(left) and year.isdecimal():
        left = f"{left} {year}"
    return _one(left, typed), last


def _one(plain: str, typed: str) -> str:
    read = _try(plain, typed)
    if read is None:
        raise _refusal(plain, typed)
    return read


def _try(plain: str, typed: str) -> str | None:
    """One date with how sure it is; None where it is none that this program knows."""
    plain = re.sub(r"^on (?=[0-9])", "", plain.strip(" ,"))
    mark = ""
    if perhaps := re.match(_PERHAPS, plain):
        mark, plain = "?", plain[perhaps.end() :]
    if about := re.match(rf"{_ABOUT}(?=\S)|~\s*", plain):
        mark, plain = "%" if mark else "~", plain[about.end() :]
    if plain[-1:] in "~?%" and len(plain) > 1 and not mark:
        mark, plain = plain[-1], plain[:-1].strip()
    read = _numbers(plain, typed) or _masked(plain, typed) or _written(plain, typed)
    if read is None:
        return None
    try:
        parse_edtf(f"{read}{mark}")
    except Invalid as refusal:
        raise Invalid(
            f"{_quoted(typed)} holds a day or month that no calendar has.", rule=TWO_READINGS
        ) from refusal
    return f"{read}{mark}"


def _numbers(plain: str, typed: str) -> str | None:
    """Dates in numbers alone. Of 9.10.2023 nobody knows which of the two is the month."""
    if first := _NUMBERS_YEAR_FIRST.fullmatch(plain):
        return f"{first[1]}-{int(first[3]):02d}-{int(first[4]):02d}"
    if re.fullmatch(r"[0-9]{4}-(?:[0-9]{2}|xx)(?:-(?:[0-9]{2}|xx))?|[0-9]{2}(?:[0-9]x|xx)", plain):
        return plain.upper()
    written = _NUMBERS.fullmatch(plain)
    if written is None:
        return None
    one, other, year = int(written[1]), int(written[3]), int(written[4])
    readings = {
        _day(day, month, year)
        for day, month in ((one, other), (other, one))
        if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(max(year, 1), month)[1]
    }
    if len(readings) > 1:
        ways = " or ".join(f"{in_words(way)} ({way})" for way in sorted(readings, reverse=True))
        raise Invalid(
            f"{_quoted(typed)} may be {ways}. Write the month as a word.", rule=TWO_READINGS
        )
    return readings.pop() if readings else None


def _day(day: int, month: int, year: int) -> str:
    return f"{year:04d}-{month:02d}-{day:02d}"


def _masked(plain: str, typed: str) -> str | None:
    """Dates of which a part is not known."""
    if decade := re.fullmatch(r"(?:the )?([0-9]{3})0s", plain):
        if decade[1][2] == "0":
            raise Invalid(
                f"{_quoted(typed)} may be ten years or a hundred: write a year from "
                f"{decade[1]}0 to {decade[1]}9 ({decade[1]}X), or to {decade[1][:2]}99 "
                f"({decade[1][:2]}XX).",
                rule=TWO_READINGS,
            )
        return f"{decade[1]}X"
    if years := re.fullmatch(r"a year from ([0-9]{4}) to ([0-9]{4})", plain):
        for mask in (1, 2):
            begin = years[1][: 4 - mask]
            if years[1] == begin + "0" * mask and years[2] == begin + "9" * mask:
                return begin + "X" * mask
        return None
    if some := re.fullmatch(rf"some (day|month) of (?:{_MONTH} )?{_YEAR}", plain):
        if some["month"]:
            return f"{some['year']}-{_MONTH_OF[some['month']]:02d}-XX" if some[1] == "day" else None
        return f"{some['year']}-XX-XX" if some[1] == "day" else f"{some['year']}-XX"
    return None


def _written(plain: str, typed: str) -> str | None:
    """Dates with the month as a word, or a year alone; a weekday has to be that of the day."""
    weekday = None
    if named := re.match(r"(?:on )?([a-z]{3,9})\.?,?\s+", plain):
        weekday = _WEEKDAYS.get(named[1])
        if weekday is not None:
            plain = plain[named.end() :]
    for pattern in _WRITTEN:
        found = pattern.fullmatch(plain)
        if found is None:
            continue
        parts = found.groupdict()
        read = parts["year"]
        if parts.get("month"):
            read += f"-{_MONTH_OF[parts['month']]:02d}"
        if parts.get("day"):
            read += f"-{int(parts['day']):02d}"
        _refuse_other_weekday(read, weekday, typed)
        return read
    return None


def _refuse_other_weekday(read: str, weekday: int | None, typed: str) -> None:
    if weekday is None:
        return
    try:
        day = datetime.date.fromisoformat(read)
    except ValueError:
        return
    if day.weekday() != weekday:
        raise Invalid(
            f"{_quoted(typed)}: {in_words(read)} was a {calendar.day_name[day.weekday()]}. Say "
            "which of the two is right.",
            rule=TWO_READINGS,
        )


_PART = re.compile(
    r"(?:the )?(?:very )?(early|mid|middle of|late|beginning of|start of|end of|first half of|"
    r"second half of|first week of|last week of)(?: in)?[\s-]+(?:the )?(.+)"
)
_TOLD = re.compile(r"\b(?:today|yesterday|tonight|last|this|ago|recently|now|tomorrow)\b")
_SEASON = re.compile(r"\b(?:spring|summer|autumn|fall|winter|rainy season|monsoon|dry season)\b")


def _refusal(plain: str, typed: str) -> Invalid:
    """Why a text is not read, with what can be written instead."""
    said = _quoted(typed)
    if part := _PART.fullmatch(plain):
        return Invalid(
            f"{said}: EDTF has no {part[1]}, and nobody gave the days. {_wider(part[2])}"
        )
    if beyond := re.fullmatch(r"(before|after) (.+)", plain):
        return Invalid(
            f"{said}: say whether the day itself belongs to it, as “on or {beyond[1]} "
            f"{beyond[2]}”, with the day before or after where it does not."
        )
    if _TOLD.search(plain):
        return Invalid(f"{said} tells it from the day of writing: write the date itself. {_FORMS}")
    if _SEASON.search(plain):
        return Invalid(
            f"{said}: a season lies at another time in each part of the world. Write its months, "
            "such as from June to August 2021, or the year."
        )
    if _YEARLESS.fullmatch(plain) or re.fullmatch(rf"{_MONTH}\s*{_DAY}", plain):
        return Invalid(f"{said} lacks the year. If no source gives one, leave the date out.")
    if re.fullmatch(r"[0-9]{1,2}\s*([./-])\s*[0-9]{1,2}\s*\1\s*[0-9]{2}", plain) or re.search(
        r"[a-z]{3}\.? [0-9]{2}$|['’][0-9]{2}$", plain
    ):
        return Invalid(f"{said}: write the year with four digits, and the month as a word.")
    return Invalid(f"{said} is not a date that can be read. {_FORMS}")


def _wider(plain: str) -> str:
    """What the rest of a text says without its 'early' or 'late'."""
    try:
        read = _try(plain, plain)
    except Invalid:
        read = None
    if read is None:
        return "Write the month, or between two days that a source names."
    words = in_words(read)
    return (
        f"Write {words} ({read}), or, where a source gives the days, between two of them, such as: "
        f"between 1 and 10 {words}."
        if len(read) == 7
        else f"Write {words} ({read}), or, where a source gives them, between two dates."
    )


# --- From EDTF to words ---


def in_words(edtf: str) -> str:
    """An EDTF text in words, which :func:`read_date` reads as the same text."""
    parse_edtf(edtf)
    if edtf.startswith(("[", "{")):
        items = edtf[1:-1].split(",")
        if len(items) == 1 and edtf[0] == "[" and ".." in items[0]:
            return _range(items[0])
        return f"{'one' if edtf[0] == '[' else 'all'} of: {'; '.join(map(_range, items))}"
    begin, slash, end = edtf.partition("/")
    if not slash:
        return _date(begin)
    if begin == "..":
        return f"until {_date(end)}"
    if end == "..":
        return f"from {_date(begin)} on"
    return f"from {_date(begin)} to {_date(end)}"


def _range(item: str) -> str:
    begin, dots, end = item.partition("..")
    if not dots:
        return _date(item)
    if not begin:
        return f"on or before {_date(end)}"
    if not end:
        return f"on or after {_date(begin)}"
    return f"between {_date(begin)} and {_date(end)}"


_SURE = {"~": "about ", "?": "perhaps ", "%": "perhaps about "}


def _date(text: str) -> str:
    mark = _SURE.get(text[-1], "")
    year, month, day = [*text.rstrip("~?%").split("-"), "", ""][:3]
    if "X" in year:
        words = f"a year from {year.replace('X', '0')} to {year.replace('X', '9')}"
    elif month == "XX":
        words = f"some {'day' if day else 'month'} of {year}"
    elif day == "XX":
        words = f"some day of {calendar.month_name[int(month)]} {year}"
    else:
        name = calendar.month_name[int(month)] if month else ""
        words = " ".join(part for part in (day.lstrip("0"), name, year) if part)
    return f"{mark}{words}"


def meaning(edtf: str) -> Meaning:
    """What an EDTF text says. Raises :class:`Invalid` where it is none."""
    date = parse_edtf(edtf)
    return Meaning(edtf, in_words(edtf), date.earliest, date.latest, _precision(date))


def _precision(date: EdtfDate) -> str:
    """As ``edtf_precision`` of the database has it; a test holds the two together."""
    if date.earliest is None or date.latest is None:
        return "year"
    days = (date.latest - date.earliest).days
    steps = ((0, "day"), (5, "days"), (6, "week"), (30, "month"))
    return next((name for most, name in steps if days <= most), "year")

"""Numbers of persons as people write them: read into least, best and most, and written back.

Nothing is added up and nothing is guessed: "dozens" has no figure and stays words, "at least 10"
has no best one, and what can be read in two ways is refused.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

from harmtracker.errors import Invalid

MOST = 2**31 - 1
MOST_WORDS = 500

_UNDER_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_UNITS = _UNDER_TWENTY.split()
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NAMED = {
    **{name: number for number, name in enumerate(_UNITS)},
    **{
        f"{ten}-{unit}" if units else ten: tens * 10 + units
        for tens, ten in enumerate(_TENS, 2)
        for units, unit in enumerate(_UNITS[:10])
    },
}
_NUMBER = (
    r"(?:[0-9]{1,3}(?:[, ][0-9]{3})+|[0-9]+|"
    + "|".join(sorted(map(re.escape, _NAMED), key=len, reverse=True)).replace(r"\-", r"[\s-]")
    + r")(?![0-9]|[.,][0-9])"
)
_DASH = r"\s*[-–—‒−]\s*"
_NONE = re.compile(r"none|nobody|no one|no-one|nil|no (?:persons?|people|civilians|deaths|victims)")
_UNKNOWN = re.compile(r"unknown|not known|\?|n/?k")
# Words that tell of many and give no figure.
_UNQUANTIFIED = re.compile(
    r"(?:(?:many|several|some|dozens|scores|hundreds|thousands|tens|a few|few|numerous|multiple|"
    r"countless|a number|large numbers?|an unknown number|a handful)\b[^0-9]*)"
)
_ABOUT = r"(?:about|around|approximately|approx\.?|some|circa|ca\.?|roughly|~)\s*"
_LEAST = rf"(?:at least|no fewer than|not less than|minimum|min\.?|>=|≥)\s*(?P<least>{_NUMBER})"
_MOST = (
    rf"(?:at most|up to|no more than|not more than|as many as|maximum|max\.?|<=|≤)\s*"
    rf"(?P<most>{_NUMBER})"
)
_FROM_TO = rf"(?:between\s+|from\s+)?(?P<from>{_NUMBER})(?:{_DASH}| to | and )(?P<to>{_NUMBER})"
_BEST = rf"(?:,?\s*best:?\s*(?P<best>{_NUMBER})|\s*\((?P<best_too>{_NUMBER})\))?"
_SHAPES = [
    (re.compile(rf"{shape}{_BEST}"), qualifier)
    for shape, qualifier in (
        (rf"{_LEAST},?\s*(?:and|but|to)?\s*{_MOST}", "range"),
        (_LEAST, "at_least"),
        (rf"(?P<least>{_NUMBER})\s*(?:\+|or more|and more)", "at_least"),
        (_MOST, "at_most"),
        (rf"(?P<most>{_NUMBER}) or (?:fewer|less)", "at_most"),
        (_FROM_TO, "range"),
    )
]
_EXACT = re.compile(rf"(?:exactly\s+)?(?P<exact>{_NUMBER})")
_BEST_ALONE = re.compile(rf"(?:best:?\s*)?(?P<best>{_NUMBER})")
_TRIPLE = re.compile(rf"({_NUMBER}|\?)\s*/\s*({_NUMBER}|\?)\s*/\s*({_NUMBER}|\?)")
_BEYOND = re.compile(
    rf"(?P<more>more than|over|above|>)\s*(?P<above>{_NUMBER})|"
    rf"(?:less than|fewer than|under|below|<)\s*(?P<below>{_NUMBER})"
)
_NEARLY = re.compile(rf"(?:nearly|almost|close to)\s+({_NUMBER})")
_QUOTED = re.compile(r"(.*?)\s*[“\"](.*)[”\"]\s*", re.DOTALL)
_FORMS = "write 29, 28-33, at least 10, up to 5, about 20, none, or words in “quotation marks”"


@dataclass(frozen=True)
class Figure:
    """What a cell says of a group, in the columns of a casualty count. NULL is not known."""

    min: int | None = None
    best: int | None = None
    max: int | None = None
    qualifier: str = "unknown"
    reported_text: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        return dict(vars(self))


def figure_of(count: Any) -> Figure:
    return Figure(count.min, count.best, count.max, count.qualifier, count.reported_text)


# --- From words to figures ---


def read_figure(text: str) -> Figure | None:
    """What somebody wrote, as a figure; None of nothing, which says nothing of the group.

    Words of the source may stand behind it in quotation marks. Raises :class:`Invalid`.
    """
    if not text.strip():
        return None
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return _read(text, text)
    words = quoted[2]
    if len(words) > MOST_WORDS or not words.strip():
        raise Invalid(f"The words of a source are 1 to {MOST_WORDS} characters.")
    if not quoted[1].strip():
        return Figure(qualifier="unquantified", reported_text=words)
    read = _read(quoted[1], text)
    if read.qualifier == "unquantified" and read.reported_text.strip() != words.strip():
        raise Invalid("Either a figure or words before the quotation, not words twice.")
    return replace(read, reported_text=words)


def _read(text: str, typed: str) -> Figure:
    plain = _plain(text)
    refused = Invalid(f"“{typed.strip()[:60]}” is not a number of persons: {_FORMS}.")
    if _NONE.fullmatch(plain):
        return Figure(0, 0, 0, "exact")
    if _UNKNOWN.fullmatch(plain):
        return Figure()
    if triple := _TRIPLE.fullmatch(plain):
        return _of_three(*(None if part == "?" else _number(part) for part in triple.groups()))
    if beyond := _BEYOND.fullmatch(plain):
        return _beyond(beyond, typed)
    if nearly := _NEARLY.fullmatch(plain):
        return Figure(best=_number(nearly[1]), qualifier="approximate", reported_text=typed.strip())
    if exact := _EXACT.fullmatch(plain):
        number = _number(exact["exact"])
        return Figure(number, number, number, "exact")
    read = _shaped(plain)
    if read is not None:
        return _in_order(read)
    if about := re.match(_ABOUT, plain):
        rest = plain[about.end() :]
        read = _shaped(rest)
        if read is None and (best := _BEST_ALONE.fullmatch(rest)):
            read = Figure(best=_number(best["best"]))
        if read is not None:
            return _in_order(replace(read, qualifier="approximate"))
    if _UNQUANTIFIED.fullmatch(plain) and len(typed) <= MOST_WORDS:
        return Figure(qualifier="unquantified", reported_text=text.strip())
    raise refused


def _plain(text: str) -> str:
    digits = "".join(
        str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c for c in text
    )
    return re.sub(r"\s+", " ", digits).strip().casefold()


def _number(text: str) -> int:
    named = _NAMED.get(re.sub(r"[\s-]+", "-", text))
    if named is not None:
        return named
    digits = re.sub(r"[, ]", "", text)
    if len(digits) > 10 or int(digits) > MOST:
        raise Invalid(f"A number of persons is at most {MOST}.")
    return int(digits)


def _shaped(plain: str) -> Figure | None:
    for shape, qualifier in _SHAPES:
        if found := shape.fullmatch(plain):
            parts = found.groupdict()
            least = parts.get("least") or parts.get("from")
            most = parts.get("most") or parts.get("to")
            best = parts["best"] or parts["best_too"]
            return Figure(
                None if least is None else _number(least),
                None if best is None else _number(best),
                None if most is None else _number(most),
                qualifier,
            )
    return None


def _beyond(found: re.Match[str], typed: str) -> Figure:
    """More than 30 persons are 31 at least: whole persons. The words are kept."""
    words = typed.strip()
    if found["above"]:
        least = _number(found["above"]) + 1
        if least > MOST:
            raise Invalid(f"A number of persons is at most {MOST}.")
        return Figure(min=least, qualifier="at_least", reported_text=words)
    most = _number(found["below"]) - 1
    if most < 0:
        raise Invalid("Fewer than none cannot be.")
    return Figure(max=most, qualifier="at_most", reported_text=words)


def _of_three(least: int | None, best: int | None, most: int | None) -> Figure:
    """Least / best / most, as the pages write them."""
    if least is None and best is None and most is None:
        return Figure()
    if least == best == most:
        qualifier = "exact"
    elif least is not None and most is not None:
        qualifier = "range"
    elif least is not None:
        qualifier = "at_least"
    else:
        qualifier = "at_most" if most is not None else "approximate"
    return _in_order(Figure(least, best, most, qualifier))


def _in_order(read: Figure) -> Figure:
    known = [number for number in (read.min, read.best, read.max) if number is not None]
    if known != sorted(known):
        raise Invalid(
            f"From the least to the most, with the best between: {', '.join(map(str, known))} do "
            "not rise."
        )
    return read


# --- From figures to words ---


def write_figure(figure: Figure) -> str:
    """As it stands in a cell: :func:`read_figure` reads it as the same figure."""
    words = figure.reported_text
    if figure.qualifier == "unquantified":
        return words if _reads_as(words, figure) else f"“{words}”"
    said = _written(figure)
    if not words:
        return said
    # What was typed without quotation marks and says the same stands as it was typed.
    return words if _reads_as(words, figure) else f"{said} “{words}”"


def _reads_as(text: str, figure: Figure) -> bool:
    try:
        return read_figure(text) == figure
    except Invalid:
        return False


def _written(figure: Figure) -> str:
    least, best, most = figure.min, figure.best, figure.max
    if figure.qualifier == "unknown":
        return "unknown"
    if figure.qualifier == "exact":
        return str(best)
    about = "about " if figure.qualifier == "approximate" else ""
    if least is not None and most is not None:
        said = f"{least}-{most}"
    elif least is not None:
        said = f"at least {least}"
    elif most is not None:
        said = f"up to {most}"
    else:
        return f"{about}{best}"
    return f"{about}{said}" if best is None else f"{about}{said}, best {best}"


def in_words(figure: Figure | None) -> str:
    """How a cell is read, for whoever wrote it: as what, and least / best / most."""
    if figure is None:
        return "nothing said"
    if figure.qualifier == "unquantified":
        return "no figure, kept as words"
    if figure.qualifier == "unknown":
        return "not known"
    if figure.qualifier == "exact":
        return "none" if figure.best == 0 else f"exactly {figure.best}"
    numbers = (figure.min, figure.best, figure.max)
    said = " / ".join("–" if number is None else str(number) for number in numbers)
    return f"{figure.qualifier.replace('_', ' ')}: {said}"

"""What an answer says of itself in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from incidents.publishing.parts import PERSONS

from .grouping import SEVERAL, Asked
from .periods import MONTHS, WEEK


def listing(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def citation(asked: Asked, software: str, moment: str | None, query: str) -> str:
    """A sentence to cite the figures by, in ASCII."""
    by = f" by {listing([*asked.groupings])}" if asked.groupings else ""
    when = f" ({moment})" if moment else ""
    which = f"query {query}" if query else "without a filter"
    return (
        f"harmtracker {software}, totals over incidents{by} at ledger position {asked.at}{when}, "
        f"{which}"
    )


def rules(asked: Asked) -> list[str]:
    """By which rules these figures were made."""
    return list(_rules(asked))


def _rules(asked: Asked) -> Iterator[str]:
    yield (
        "min adds minima, max maxima. What is not known adds nothing to min; one max that is open "
        "or not known leaves max null, and at_least says so. best is given only where every "
        "incident has one; without_best says how many have none."
    )
    yield (
        "Civilian counts the bucket civilian alone. Uncertain stands beside it and is in no other "
        "bucket."
    )
    yield (
        "A whole is never added to its parts. Where an incident has parts alone, they are a lower "
        "bound: their minima are added where they share nobody, else the largest counts, and best "
        "and max are not known. from_parts counts incidents whose civilian or uncertain figure is "
        "such a bound."
    )
    yield (
        "Duplicates, merged and retracted records and aggregate counts are in no figure; left_out "
        "counts them under the same filters."
    )
    if asked.periods:
        yield _of_periods(asked)
    if any(name in SEVERAL for name in asked.groupings):
        yield (
            "An incident with several of these stands under each, in full, and once in the total. "
            "shared counts those that stand under another one too, either_or those of which it is "
            "this one or another."
        )
    if any(name in PERSONS for name in asked.groupings):
        yield (
            "Persons of a kind are counted by the rows of just that kind, which need not add up "
            "to the whole. null is the rest: what the whole has beyond the parts, by its bounds, "
            "and wholes that nothing divides. child takes in infant, adult elderly."
        )
    if asked.is_of_persons:
        yield "The bucket all is everybody: not to be added to the others."


def _of_periods(asked: Asked) -> str:
    units = (
        "ISO weeks"
        if WEEK in asked.periods
        else "calendar " + listing([f"{unit}s" for unit in MONTHS if unit in asked.periods])
    )
    if asked.is_certain:
        return (
            f"Periods are {units}. An incident stands in the one that its date lies in for "
            "certain; null are those that may lie in several, and those of no known date. "
            "could_move counts the former."
        )
    return (
        f"Periods are {units}. An incident stands in each one that its date can lie in, and once "
        "in the total; null are those of no known date. could_move counts those that need not "
        "lie in the period."
    )

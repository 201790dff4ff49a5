"""The warnings of a record as its page shows them: each with what stands behind it on that page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incidents.models import WarningAnswer
from incidents.warnings import Asks, Warned

from .comparison import figure

# Rows of one warning that are named one by one.
NAMED = 12


@dataclass(frozen=True)
class Row:
    """A row behind a warning, and where on the page it stands; empty where it does not."""

    label: str
    anchor: str = ""


@dataclass(frozen=True)
class Shown:
    """One warning. ``more`` rows stand behind it beside those that are named."""

    warned: Warned
    rows: Sequence[Row]
    more: int


@dataclass(frozen=True)
class Warnings:
    """Those that are open, those that were answered, those that ask for nothing; and what was said
    of warnings that stand no more."""

    open: Sequence[Shown]
    answered: Sequence[Shown]
    to_know: Sequence[Shown]
    past: Sequence[WarningAnswer]

    def __bool__(self) -> bool:
        return bool(self.open or self.answered or self.to_know or self.past)


def shown(
    found: Sequence[Warned], said: Sequence[WarningAnswer], record: Mapping[str, Any]
) -> Warnings:
    """``record`` is what the page has loaded already; nothing more is asked of the database."""
    names = dict(_names(record))
    rows = [
        Shown(
            warned,
            [
                names[row["type"], row["id"]]
                for row in warned.rows[:NAMED]
                if (row["type"], row["id"]) in names
            ],
            max(0, len(warned.rows) - NAMED),
        )
        for warned in found
    ]
    standing = {warned.answer.id for warned in found if warned.answer}
    return Warnings(
        open=[row for row in rows if row.warned.is_open],
        answered=[row for row in rows if row.warned.answer],
        to_know=[row for row in rows if row.warned.asks == Asks.NOTHING],
        past=[row for row in said if row.withdraws_id is None and row.uuid not in standing],
    )


def _names(record: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Row]]:
    for count in record["assessed"].counts:
        yield (
            _key("count", count),
            Row(f"ours: {count.outcome} {figure(count)}", f"count-{count.pk}"),
        )
    for number, claim in enumerate(record["claims"], 1):
        speaker = claim.attributed_outlet or claim.attributed_actor
        yield _key("claim", claim), Row(f"claim {number}: {speaker}", f"claim-{claim.pk}")
        for count in claim.counts:
            label = f"claim {number}: {count.outcome} {figure(count)}"
            yield _key("count", count), Row(label, f"claim-{claim.pk}")
    for number, victim in enumerate(record["victims"], 1):
        yield _key("victim", victim), Row(f"person {number}", f"victim-{victim.pk}")


def _key(kind: str, row: Any) -> tuple[str, str]:
    return kind, str(row.uuid)

"""What an export says of itself, wherever its format has room for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harmtracker.licence import DATA_LICENCE

from .columns import Column


@dataclass(frozen=True)
class About:
    """Which rows these are, as of when, on what terms."""

    list: str
    position: int
    # Time of the ledger's entry at that position; None while the ledger is empty.
    moment: str | None
    # The query in one spelling, without what says the format; empty: everything.
    filters: str
    address: str
    software: str

    @property
    def citation(self) -> str:
        """A sentence to cite the whole export by, in ASCII."""
        which = f"filter {self.filters}" if self.filters else "without a filter"
        return (
            f"harmtracker {self.software}, {self.list} at ledger position {self.position}, {which}"
        )

    def members(self) -> dict[str, Any]:
        return {
            "list": self.list,
            "position": self.position,
            "moment": self.moment,
            "filters": self.filters,
            "address": self.address,
            "licence": DATA_LICENCE,
            "licence_note": "A record that comes from another dataset keeps that one's licence: "
            "see the column licence.",
            "citation": self.citation,
            "software_version": self.software,
        }


def described(columns: tuple[Column, ...]) -> list[dict[str, str]]:
    return [column.described() for column in columns]

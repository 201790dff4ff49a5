"""What a release is made from: a position of the ledger, and what was written down with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Q, QuerySet

from harmtracker.licence import DATA_LICENCE
from incidents.exports.about import About
from incidents.exports.columns import LISTS, Column
from incidents.exports.selecting import USING, Asked
from incidents.models import PublishedIncident


@dataclass(frozen=True)
class Software:
    """Which versions write the files."""

    harmtracker: str
    pyarrow: str


@dataclass(frozen=True)
class Frozen:
    """One build to be: everything that its bytes follow from, besides the ledger."""

    name: str
    position: int
    # Time of the ledger's entry at that position, and none of this machine's.
    moment: str
    previous: str | None
    # Position of the release before; None for the first one.
    since: int | None
    site: str
    texts: dict[str, str]
    build: int
    redacted_at: int
    software: Software

    @property
    def address(self) -> str:
        return f"{self.site}/api/v1/releases/{self.name}/"

    def incidents(self) -> QuerySet[PublishedIncident]:
        """The versions that were the current ones at its position."""
        return PublishedIncident.objects.using(USING).filter(
            Q(valid_until__isnull=True) | Q(valid_until__gt=self.position),
            valid_from__lte=self.position,
        )

    def asked(self, list_name: str, columns: tuple[Column, ...] | None = None) -> Asked:
        return Asked(
            list_name,
            self.incidents(),
            LISTS[list_name] if columns is None else columns,
            f"{self.site}/api/v1/incidents/",
        )

    def about(self, list_name: str) -> ReleaseAbout:
        return ReleaseAbout(
            list_name, self.position, self.moment, "", self.address, "", release=self.name
        )


@dataclass(frozen=True)
class ReleaseAbout(About):
    """What a file of a release says of itself. The software stands in datapackage.json alone."""

    release: str = ""

    @property
    def citation(self) -> str:
        return (
            f"harmtracker, release {self.release}, {self.list} at ledger position {self.position}"
        )

    def members(self) -> dict[str, Any]:
        return {
            "release": self.release,
            "list": self.list,
            "position": self.position,
            "moment": self.moment,
            "address": self.address,
            "licence": DATA_LICENCE,
            "licence_note": "A record that comes from another dataset keeps that one's licence: "
            "see the column licence.",
            "citation": self.citation,
        }


def redacted_at(position: int, since: int | None) -> int:
    """Position of the last redaction of what a release of a position holds, as of now; 0: none."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT incidents_release_redacted(%s, %s)",
            [position, position if since is None else since],
        )
        row = cursor.fetchone()
        assert row is not None  # noqa: S101  (a SELECT of a function gives one row)
        return int(row[0])

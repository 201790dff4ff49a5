"""What a record lacks, or what a verifier should look at, each with the rows behind it.

The rules are the database's own (``incidents_warnings``), and so is what follows from them: with
one to be mended a record is not submitted, with one open it is not verified. What only a program
can tell of a text is added here, and asks for nothing. How one is answered: :mod:`.answering`.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connections
from myanmartools import ZawgyiDetector

from harmtracker.accounts.models import User
from harmtracker.codes import code_list
from harmtracker.errors import Invalid

from .models import Claim, Incident, Victim

# Above it the library's authors take a text for Zawgyi.
_ZAWGYI = 0.95
_BURMESE = re.compile("[\u1000-\u109f]")
_detector = ZawgyiDetector()

RULES = code_list("record_warning")

_OF_RECORDS = """
    SELECT i.id, w.rule, w.field, w.asks, w.message, w.rows, w.fingerprint, w.about, w.is_open,
        a.uuid, a.reason, u.username, a.at, a.revision
    FROM unnest(%s::bigint[]) AS i (id) CROSS JOIN LATERAL incidents_warnings(i.id) w
    LEFT JOIN incidents_warninganswer a ON a.id = w.answer
    LEFT JOIN accounts_user u ON u.id = a.actor_id
"""
# What is shown of a record of which somebody else's hidden draft may be a duplicate.
MAY_KNOW = """
    (w.about IS NULL OR EXISTS (
        SELECT FROM incidents_incident o WHERE o.id = w.about
        AND (o.code IS NOT NULL OR o.author_id = %s)))
"""


class Asks(StrEnum):
    """What a warning asks of people."""

    # The record is not submitted with it.
    MEND = "mend"
    # The record is not verified before it is mended or answered with a reason.
    ANSWER = "answer"
    # To be known.
    NOTHING = "nothing"


@dataclass(frozen=True)
class Answer:
    """Why a warning may stand, as somebody said of the record at one revision."""

    id: uuid.UUID
    reason: str
    who: str
    at: datetime.datetime
    revision: int


@dataclass(frozen=True)
class Warned:
    """One thing to mend, to answer or to know. ``fingerprint`` is of the rows and figures behind
    it: with others it is another warning. ``about`` is the other record that it tells of."""

    rule: str
    field: str
    asks: Asks
    message: str
    rows: list[dict[str, str]] = dataclasses.field(default_factory=list)
    fingerprint: str = ""
    about: int | None = None
    is_open: bool = False
    answer: Answer | None = None

    @property
    def blocks(self) -> bool:
        """The record cannot be submitted with it."""
        return self.asks == Asks.MEND

    @property
    def label(self) -> str:
        return RULES[self.rule].label


def of_records(ids: Collection[int], reader: User) -> dict[int, list[Warned]]:
    """What the database warns of, for each of some records.

    A warning that tells of a record that ``reader`` may not know of is not there for them: neither
    in a list nor in a number.
    """
    found = _all(ids)
    others = {warned.about for of_one in found.values() for warned in of_one if warned.about}
    hidden = set()
    if others:
        visible = Incident.objects.visible_to(reader).filter(pk__in=others)
        hidden = others - set(visible.values_list("pk", flat=True))
    return {
        pk: [warned for warned in of_one if warned.about not in hidden]
        for pk, of_one in found.items()
    }


def _all(ids: Collection[int]) -> dict[int, list[Warned]]:
    """The same for who may know of every record."""
    found: dict[int, list[Warned]] = {pk: [] for pk in ids}
    with connections["default"].cursor() as cursor:
        cursor.execute(_OF_RECORDS, [list(ids)])
        for pk, rule, field, asks, message, rows, mark, about, is_open, *said in cursor.fetchall():
            answer = None if said[0] is None else Answer(*said)
            found[pk].append(
                Warned(
                    rule, field, Asks(asks), message, json.loads(rows), mark, about, is_open, answer
                )
            )
    return found


def lacking_in(incident: Incident) -> list[Warned]:
    """What the record cannot be submitted without."""
    return [warned for warned in _all([incident.pk])[incident.pk] if warned.blocks]


def refuse_incomplete(incident: Incident) -> None:
    """:class:`Invalid`, by field, where the record lacks what it cannot be submitted without."""
    if lacking := lacking_in(incident):
        raise Invalid(
            " ".join(warned.message for warned in lacking),
            fields={warned.field: [warned.message] for warned in lacking},
            rule="incidents_review_of_complete_record",
        )


def open_in(incident: Incident) -> list[Warned]:
    """What is to be mended or answered before the record is verified. For verifiers, who may know
    of every record."""
    return [warned for warned in _all([incident.pk])[incident.pk] if warned.is_open]


def refuse_open(incident: Incident) -> None:
    """:class:`Invalid`, by field, where a warning is neither mended nor answered."""
    if waiting := open_in(incident):
        fields: dict[str, list[str]] = {}
        for warned in waiting:
            fields.setdefault(warned.field, []).append(warned.message)
        raise Invalid(
            f"{to_be_answered(len(waiting))} " + " ".join(warned.message for warned in waiting),
            fields=fields,
            rule="incidents_review_of_answered_record",
        )


def to_be_answered(number: int) -> str:
    """Why a record is not verified yet."""
    if number == 1:
        return "A warning is open: it is to be mended or answered first."
    return f"{number} warnings are open: they are to be mended or answered first."


def of(incident: Incident, reader: User) -> list[Warned]:
    """Every warning of one record that this person may be told of."""
    return [
        *of_records([incident.pk], reader)[incident.pk],
        *in_zawgyi(
            incident,
            incident.claims.all(),
            incident.victims.all(),
            {
                "count": incident.casualtycounts.all(),
                "weapon": incident.weaponuses.all(),
                "involvement": incident.involvements.all(),
            },
        ),
    ]


def is_zawgyi(text: str) -> bool:
    """Whether a text seems to be written in Zawgyi, an older encoding of Burmese.

    It is kept as it came; readers are told, since it reads as nonsense in Unicode fonts.
    """
    if not _BURMESE.search(text):
        return False
    return float(_detector.get_zawgyi_probability(text)) > _ZAWGYI


def _texts(
    incident: Incident,
    claims: Iterable[Claim],
    victims: Iterable[Victim],
    findings: Mapping[str, Iterable[Any]],
) -> Iterator[tuple[str, str, str, str]]:
    """(type of row, its id, field, text) of every text that Burmese may stand in."""
    of_record = str(incident.uuid)
    for name in ("title", "summary", "grading_rationale", "point_note", "internal_note"):
        yield "incident", of_record, name, getattr(incident, name)
    for claim in claims:
        for name in ("paraphrase", "quotation", "place_said", "time_said", "speaker", "note"):
            yield "claim", str(claim.uuid), name, getattr(claim, name)
    for victim in victims:
        yield "victim", str(victim.uuid), "names", " ".join(victim.names)
    for kind, rows in findings.items():
        for row in rows:
            yield kind, str(row.uuid), "reported_text", row.reported_text


def in_zawgyi(
    incident: Incident,
    claims: Iterable[Claim],
    victims: Iterable[Victim],
    findings: Mapping[str, Iterable[Any]],
) -> list[Warned]:
    """Texts of a record, and of rows of it that are loaded already, that seem to be in Zawgyi.

    ``findings``: type of row -> counts, weapons and involvements.
    """
    return [
        Warned(
            "zawgyi",
            name,
            Asks.NOTHING,
            "The text seems to be in Zawgyi: it is kept as it came. Enter it in Unicode beside it.",
            [{"type": kind, "id": row_id}],
        )
        for kind, row_id, name, text in _texts(incident, claims, victims, findings)
        if is_zawgyi(text)
    ]

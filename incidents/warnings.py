"""What a record lacks, or what a verifier should look at, each with the rows behind it.

The rules are the database's own (``incidents_warnings``): those that block also bar a record from
being submitted there. What only a program can tell of a text is added here.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db import connections
from myanmartools import ZawgyiDetector

from harmtracker.codes import code_list
from harmtracker.errors import Invalid

from .models import Incident

# Above it the library's authors take a text for Zawgyi.
_ZAWGYI = 0.95
_BURMESE = re.compile("[\u1000-\u109f]")
_detector = ZawgyiDetector()

RULES = code_list("record_warning")

_OF_RECORDS = """
    SELECT i.id, w.rule, w.field, w.blocks, w.message, w.rows
    FROM unnest(%s::bigint[]) AS i (id), LATERAL incidents_warnings(i.id) w
"""


@dataclass(frozen=True)
class Warned:
    """One thing to mend or to look at. ``blocks``: the record cannot be submitted with it."""

    rule: str
    field: str
    blocks: bool
    message: str
    rows: list[dict[str, str]] = dataclasses.field(default_factory=list)


def of_records(ids: Collection[int]) -> dict[int, list[Warned]]:
    """What the database warns of, for each of some records, in one query."""
    found: dict[int, list[Warned]] = {pk: [] for pk in ids}
    with connections["default"].cursor() as cursor:
        cursor.execute(_OF_RECORDS, [list(ids)])
        for pk, rule, name, blocks, message, rows in cursor.fetchall():
            found[pk].append(Warned(rule, name, blocks, message, json.loads(rows)))
    return found


def lacking_in(incident: Incident) -> list[Warned]:
    """What the record cannot be submitted without."""
    return [warned for warned in of_records([incident.pk])[incident.pk] if warned.blocks]


def refuse_incomplete(incident: Incident) -> None:
    """:class:`Invalid`, by field, where the record lacks what it cannot be submitted without."""
    if lacking := lacking_in(incident):
        raise Invalid(
            " ".join(warned.message for warned in lacking),
            fields={warned.field: [warned.message] for warned in lacking},
            rule="incidents_review_of_complete_record",
        )


def of(incident: Incident) -> list[Warned]:
    """Every warning of one record."""
    return [*of_records([incident.pk])[incident.pk], *_zawgyi(incident)]


def is_zawgyi(text: str) -> bool:
    """Whether a text seems to be written in Zawgyi, an older encoding of Burmese.

    It is kept as it came; readers are told, since it reads as nonsense in Unicode fonts.
    """
    if not _BURMESE.search(text):
        return False
    return float(_detector.get_zawgyi_probability(text)) > _ZAWGYI


def _texts(incident: Incident) -> Iterator[tuple[str, str, str, str]]:
    """(type of row, its id, field, text) of every text that Burmese may stand in."""
    of_record = str(incident.uuid)
    for name in ("title", "summary", "grading_rationale", "point_note", "internal_note"):
        yield "incident", of_record, name, getattr(incident, name)
    for claim in incident.claims.all():
        for name in ("paraphrase", "quotation", "place_said", "time_said", "speaker", "note"):
            yield "claim", str(claim.uuid), name, getattr(claim, name)
    for victim in incident.victims.all():
        yield "victim", str(victim.uuid), "names", " ".join(victim.names)
    for kind, rows in (
        ("count", incident.casualtycounts.all()),
        ("weapon", incident.weaponuses.all()),
        ("involvement", incident.involvements.all()),
    ):
        for row in rows:
            yield kind, str(row.uuid), "reported_text", row.reported_text


def _zawgyi(incident: Incident) -> list[Warned]:
    return [
        Warned(
            "zawgyi",
            name,
            False,
            "The text seems to be in Zawgyi: it is kept as it came. Enter it in Unicode beside it.",
            [{"type": kind, "id": row_id}],
        )
        for kind, row_id, name, text in _texts(incident)
        if is_zawgyi(text)
    ]

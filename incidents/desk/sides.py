"""What can be laid side by side: what was published, what was verified, every edit, and what
stands now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from harmtracker.codes import code_list
from incidents.choices import Verb
from incidents.comparing import Change, changes
from incidents.models import Incident, PublishedVersion, Review
from incidents.publishing.document import build_content
from incidents.publishing.moved import STAMPS, is_whole, moved
from incidents.publishing.totals import Total

from . import revisions
from .comparison import in_figures

NOW = "now"
# A state that does not speak of a total says nothing of it: that is neither unknown nor zero.
NO_SUCH_FIGURE = "not spoken of"
# So many edits can be chosen from the list; any other one from the timeline.
EDITS_LISTED = 60


@dataclass(frozen=True)
class Side:
    """One state of a record: by what it is named in an address, and in words."""

    name: str
    label: str


@dataclass(frozen=True)
class Difference:
    """What moved between two states: figures first, then every value by its path."""

    moved: dict[str, Any]
    changes: list[Change]


def sides_of(incident: Incident) -> list[tuple[str, list[Side]]]:
    """Every state that can be chosen, by its kind, the latest of each first."""
    versions: list[Side] = []
    if incident.code is not None:
        published = PublishedVersion.objects.using("default").filter(code=incident.code)
        versions = [
            Side(f"v{v.number}", f"version {v.number}, {v.kind} {v.published_at:%Y-%m-%d}")
            for v in published.only("number", "kind", "published_at").order_by("-number")
        ]
    looked_at = [
        Side(
            f"r{r.pk}",
            f"{'verified' if r.verb == Verb.VERIFY else 'returned'} by {r.actor} "
            f"{r.at:%Y-%m-%d %H:%M}, revision {r.revision}",
        )
        for r in _looked_at(incident).select_related("actor").defer("content").order_by("-pk")
    ]
    edits = [
        Side(f"e{edit.entry}", _edit_in_words(edit))
        for edit in revisions.edits_of(incident, EDITS_LISTED)
    ]
    kinds = [
        ("Now", [Side(NOW, "as it stands now")]),
        ("Published", versions),
        ("Verified or returned", looked_at),
        ("Edits: as it stood after", edits),
    ]
    return [(kind, sides) for kind, sides in kinds if sides]


def _looked_at(incident: Incident) -> QuerySet[Review]:
    return Review.objects.filter(incident=incident, verb__in=(Verb.VERIFY, Verb.RETURN))


def _edit_in_words(edit: revisions.Edit) -> str:
    why = f": {edit.why[:40]}" if edit.why else ""
    rows = "1 row" if edit.rows == 1 else f"{edit.rows} rows"
    return f"{edit.who} {edit.at:%Y-%m-%d %H:%M:%S}, {rows}{why}"


def position_of(incident: Incident, side: str) -> int | None:
    """The moment in the history that a state stands for; None where the record has no such state.

    What was verified is what is published, and nobody edits in between: the two are one moment.
    """
    if side == NOW:
        return revisions.NOW
    number = int(side[1:])
    if side.startswith("e"):
        return revisions.whole_edit(incident, number)
    if side.startswith("v"):
        versions = PublishedVersion.objects.using("default").filter(code=incident.code)
        at = versions.filter(number=number).values_list("published_at", flat=True).first()
    else:
        at = _looked_at(incident).filter(pk=number).values_list("at", flat=True).first()
    return None if at is None else revisions.moment(incident, at)


def is_document(side: str) -> bool:
    """Whether a state has been, or could be, read outside: an edit by itself never was."""
    return not side.startswith("e")


def content_of(incident: Incident, side: str) -> dict[str, Any] | None:
    """The content of one state; None where the record has no such state."""
    if side == NOW:
        return build_content(incident.pk)
    number = int(side[1:])
    text: str | None
    if side.startswith("v"):
        versions = PublishedVersion.objects.using("default").filter(code=incident.code)
        text = versions.filter(number=number).values_list("document", flat=True).first()
    else:
        verified = Review.objects.filter(incident=incident, pk=number)
        text = verified.values_list("content", flat=True).first()
    return None if text is None else json.loads(text)


def difference(before: dict[str, Any], after: dict[str, Any]) -> Difference:
    """What publishing adds is no content, and no difference."""
    one, other = (
        {key: value for key, value in content.items() if key not in STAMPS}
        for content in (before, after)
    )
    both = is_whole(one) and is_whole(other)
    return Difference(moved(one, other), changes(one, other) if both else [])


def last_published(incident: Incident) -> dict[str, Any] | None:
    """The document that the public has now; None before the first and after a retraction."""
    if incident.code is None:
        return None
    versions = PublishedVersion.objects.using("default").filter(code=incident.code)
    text = versions.order_by("-number").values_list("document", flat=True).first()
    document = None if text is None else json.loads(text)
    return document if is_whole(document) else None


def totals_in_words(
    was: dict[str, dict[str, Total]], now: dict[str, dict[str, Total]]
) -> list[tuple[str, str, str]]:
    """Each total that differs between two moments, as :func:`figures_in_words` has them."""
    outcomes, buckets = code_list("outcome"), code_list("count_bucket")

    def said(total: Total | None) -> str:
        return NO_SUCH_FIGURE if total is None else in_figures(total.min, total.best, total.max)

    pairs = {
        (outcome, bucket): (was.get(outcome, {}).get(bucket), now.get(outcome, {}).get(bucket))
        for outcome in outcomes
        for bucket in {**was.get(outcome, {}), **now.get(outcome, {})}
    }
    return [
        (f"{outcomes[outcome].label}, {buckets[bucket].label}", said(one), said(other))
        for (outcome, bucket), (one, other) in pairs.items()
        if one != other
    ]


def figures_in_words(found: Difference) -> list[tuple[str, str, str]]:
    """Each total that differs: what it is of, what it was and what it is."""
    outcomes, buckets = code_list("outcome"), code_list("count_bucket")

    def said(side: dict[str, Any] | None) -> str:
        return (
            NO_SUCH_FIGURE if side is None else in_figures(side["min"], side["best"], side["max"])
        )

    return [
        (
            f"{outcomes[row['outcome']].label}, {buckets[row['bucket']].label}",
            said(row["from"]),
            said(row["to"]),
        )
        for row in found.moved["figures"]
    ]

"""What can be laid side by side: what was published, what was verified, and what stands now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harmtracker.codes import code_list
from incidents.comparing import Change, changes
from incidents.models import Incident, PublishedVersion, Review
from incidents.publishing.document import build_content
from incidents.publishing.moved import STAMPS, is_whole, moved

from .comparison import in_figures

NOW = "now"


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


def sides_of(incident: Incident) -> list[Side]:
    """Every state that can be chosen, the latest first."""
    sides = [Side(NOW, "as it stands now")]
    if incident.code is not None:
        versions = PublishedVersion.objects.using("default").filter(code=incident.code)
        sides += [
            Side(f"v{v.number}", f"version {v.number}, {v.kind} {v.published_at:%Y-%m-%d}")
            for v in versions.only("number", "kind", "published_at").order_by("-number")
        ]
    verified = Review.objects.filter(incident=incident, content__isnull=False)
    sides += [
        Side(f"r{r.pk}", f"verified by {r.actor} {r.at:%Y-%m-%d %H:%M}, revision {r.revision}")
        for r in verified.select_related("actor").defer("content").order_by("-pk")
    ]
    return sides


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


def figures_in_words(found: Difference) -> list[tuple[str, str, str]]:
    """Each total that differs: what it is of, what it was and what it is."""
    outcomes, buckets = code_list("outcome"), code_list("count_bucket")

    def said(side: dict[str, Any] | None) -> str:
        return "none" if side is None else in_figures(side["min"], side["best"], side["max"])

    return [
        (
            f"{outcomes[row['outcome']].label}, {buckets[row['bucket']].label}",
            said(row["from"]),
            said(row["to"]),
        )
        for row in found.moved["figures"]
    ]

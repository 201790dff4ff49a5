"""What leaves the building with a step, laid out before the step is taken.

Each function builds what would be stored by the very functions that store it, and puts nothing
beside it: the page shows those bytes in words, and the bytes themselves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from incidents import workflow
from incidents.choices import Verb
from incidents.models import Incident, IncidentRevision
from incidents.publishing import door
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.document import build_content

from . import document
from .sides import Difference, difference, figures_in_words, last_published

NOTHING = "Nothing leaves the building by this step."


@dataclass(frozen=True)
class Leaving:
    """What the public will see. ``text`` is canonical JSON; empty where nothing leaves or stays.

    ``former`` is the document that the public has now, where the two are to be compared.
    """

    says: str
    heading: str = ""
    text: str = ""
    code: str | None = None
    version: int | None = None
    note: str = ""
    former: dict[str, Any] | None = None
    # Whether it is the first of a record, or comes after a retraction: all of it is new.
    is_new: bool = False

    @cached_property
    def content(self) -> dict[str, Any]:
        held: dict[str, Any] = json.loads(self.text)
        return held

    @property
    def sha256(self) -> str:
        """Of what is verified: the content without the stamps that publishing adds."""
        return sha256(self.text)

    @cached_property
    def read(self) -> dict[str, Any] | None:
        if not self.text:
            return None
        stamps = {"code": self.code, "version": self.version, "note": self.note}
        return document.in_words({**stamps, **self.content})

    @property
    def json(self) -> str:
        return json.dumps(self.content, ensure_ascii=False, indent=2)

    @cached_property
    def found(self) -> Difference | None:
        """What differs from what the public has now."""
        if self.former is None or not self.text:
            return None
        return difference(self.former, self.content)

    @cached_property
    def figures(self) -> list[tuple[str, str, str]]:
        return [] if self.found is None else figures_in_words(self.found)


def before(verb: Verb, incident: Incident, *, reason: str = "") -> Leaving:
    """What a person reads before a step. ``reason`` is that of a proposal to retract, as typed."""
    match verb:
        case Verb.VERIFY:
            return _next_version(
                incident,
                canonical(build_content(incident.pk)),
                "Nothing leaves yet. What you verify is kept, to the byte, and published as it "
                "stands here: this is what the public will read.",
            )
        case Verb.PUBLISH:
            return _next_version(
                incident,
                _verified(incident),
                "This leaves, and stays: everyone can read, copy and check it from now on.",
            )
        case Verb.PROPOSE_RETRACTION:
            return _tombstone(
                incident,
                reason,
                f"{NOTHING} If a second person confirms it, all that is served under the code "
                "is this:",
            )
        case Verb.RETRACT:
            return _tombstone(
                incident,
                proposed_reason(incident),
                "From now on this is all that is served under the code (as 410, gone). Earlier "
                "versions stay readable by their number.",
            )
        case Verb.REOPEN | Verb.RETURN if incident.code is not None:
            return _stays(incident)
    return Leaving(f"{NOTHING} Nothing of the record is public.")


def proposed_reason(incident: Incident) -> str:
    """The public reason of the proposal that waits for a second person; empty without one."""
    proposal = workflow.latest_review(incident)
    is_one = proposal is not None and proposal.verb == Verb.PROPOSE_RETRACTION
    return proposal.reason if is_one and proposal is not None else ""


def _verified(incident: Incident) -> str:
    """The bytes that were verified; what stands now where there are none, and none is published."""
    revision = IncidentRevision.objects.get(incident=incident).number
    review = workflow.live_verification(incident, revision)
    if review is not None and review.content is not None:
        return review.content
    return canonical(build_content(incident.pk))


def next_version(incident: Incident, content: dict[str, Any], says: str) -> Leaving:
    """What the next version of a record would hold."""
    return _next_version(incident, canonical(content), says)


def _next_version(incident: Incident, text: str, says: str) -> Leaving:
    latest = door.latest_version(incident.code)
    former = last_published(incident)
    return Leaving(
        says,
        heading="What the public will see",
        text=text,
        code=incident.code,
        version=1 if latest is None else latest.number + 1,
        former=former,
        is_new=former is None,
    )


def _tombstone(incident: Incident, reason: str, says: str) -> Leaving:
    latest = door.latest_version(incident.code)
    return Leaving(
        says,
        heading="What will be served in its place",
        text=canonical(door.tombstone(incident)),
        code=incident.code,
        version=1 if latest is None else latest.number + 1,
        note=reason,
        former=last_published(incident),
    )


def _stays(incident: Incident) -> Leaving:
    latest = door.latest_version(incident.code)
    if latest is None:
        return Leaving(NOTHING)
    return Leaving(
        f"{NOTHING} The last version, {latest.number}, stays served to everyone as it is until "
        "the next one is published.",
        heading="What stays public",
        text=latest.document,
        code=latest.code,
        version=latest.number,
        note=latest.note,
    )

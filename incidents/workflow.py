"""The steps of a record: one table, one function, called alike by API, admin and commands.

Who edited a record cannot verify it, and only what was verified is published: the database holds
both as well (``incidents_review_guard``, ``incidents_state_guard``, ``incidents_publish_guard``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.db import connections
from django.db.models import QuerySet

from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from harmtracker.history.acting import acting
from harmtracker.saving import save

from . import warnings
from .choices import State, Verb
from .models import Incident, IncidentRevision, Merge, PublishedVersion, Review, ReviewComment
from .publishing import door
from .publishing.canonical import canonical, sha256
from .publishing.commitments import commit
from .publishing.document import build_content

if TYPE_CHECKING:
    import uuid

    from harmtracker.accounts.models import User


@dataclass(frozen=True)
class Transition:
    """One step: from which states, to which, with what permission, and whether a reason is due."""

    verb: Verb
    sources: frozenset[State]
    target: State
    permission: str
    needs_reason: bool = False


TRANSITIONS: dict[Verb, Transition] = {
    t.verb: t
    for t in (
        Transition(
            Verb.SUBMIT, frozenset({State.DRAFT}), State.SUBMITTED, "incidents.submit_incident"
        ),
        Transition(
            Verb.RETURN,
            frozenset({State.SUBMITTED, State.VERIFIED}),
            State.DRAFT,
            "incidents.return_incident",
            needs_reason=True,
        ),
        Transition(
            Verb.VERIFY, frozenset({State.SUBMITTED}), State.VERIFIED, "incidents.verify_incident"
        ),
        Transition(
            Verb.PUBLISH, frozenset({State.VERIFIED}), State.PUBLISHED, "incidents.publish_incident"
        ),
        Transition(
            Verb.REOPEN,
            frozenset({State.PUBLISHED, State.RETRACTED}),
            State.DRAFT,
            "incidents.reopen_incident",
            needs_reason=True,
        ),
        # Retraction takes two: one proposes it with the public reason, another confirms.
        Transition(
            Verb.PROPOSE_RETRACTION,
            frozenset({State.PUBLISHED}),
            State.PUBLISHED,
            "incidents.retract_incident",
            needs_reason=True,
        ),
        Transition(
            Verb.RETRACT,
            frozenset({State.PUBLISHED}),
            State.RETRACTED,
            "incidents.retract_incident",
        ),
    )
}


class Remark(NamedTuple):
    """What is to be mended, of which field: ``place.point``, or ``claim 2, killed``."""

    field: str
    text: str


def take_step(
    verb: Verb | str,
    *,
    incident_id: int,
    actor: User,
    revision: int | None = None,
    seen_sha256: str | None = None,
    reason: str = "",
    note: str = "",
    remarks: Sequence[Remark] = (),
    request_id: uuid.UUID | None = None,
) -> Incident:
    """Move one record along one edge of the graph and return it.

    ``revision`` is the one the person looked at; where given, a later edit is :class:`Stale`.
    ``seen_sha256``, for a verification, is the SHA-256 of the canonical content that was looked at:
    another content, of a place that was renamed since as well, is :class:`Stale` too. ``reason`` is
    for the team, but for a retraction, whose reason is public; ``note`` goes out with a
    publication; ``remarks`` go with a return, all or none. Raises :class:`NotFound`,
    :class:`NotAllowed`, :class:`Conflict` (wrong state) or :class:`Invalid` (no reason, a rule
    broken).
    """
    transition = TRANSITIONS[Verb(verb)]
    with acting(actor, reason or note, request_id=request_id):
        if transition.verb == Verb.PUBLISH:
            _lock_merged(incident_id)
        incident = (
            # no_key: rows that hang on the record may still refer to it, and are ordered by the
            # lock on its revision; a full lock would wait for them while they wait for it.
            Incident.objects.select_for_update(of=("self",), no_key=True)
            .select_related("place")
            .visible_to(actor)
            .filter(pk=incident_id)
            .first()
        )
        if incident is None:
            raise NotFound("There is no such incident.")
        if not actor.has_perm(transition.permission):
            raise NotAllowed(f"You may not {_words(transition.verb)} incidents.")
        if State(incident.state) not in transition.sources:
            raise Conflict(
                f"The record is {incident.state}: only one that is "
                f"{' or '.join(sorted(transition.sources))} can be taken that step "
                f"({_words(transition.verb)})."
            )
        if open_merge(incident) is not None:
            raise Conflict("The record is being merged into another: undo the merge first.")
        if transition.needs_reason and not reason.strip():
            raise Invalid("Say why.", fields={"reason": ["Say why."]})
        current = IncidentRevision.objects.select_for_update().get(incident=incident)
        if revision is not None and revision != current.number:
            raise Stale(
                f"The record was edited since you looked at it: you saw revision {revision}, "
                f"it is at {current.number}. Look again."
            )
        _hold_shared(incident)
        _carry_out(
            transition,
            incident,
            actor,
            current.number,
            seen_sha256=seen_sha256,
            reason=reason,
            note=note,
        )
        _keep(remarks, transition, incident, actor)
        if transition.target != incident.state:
            incident.state = transition.target
            incident.save(update_fields=["state"])
    return incident


def _keep(
    remarks: Sequence[Remark], transition: Transition, incident: Incident, actor: User
) -> None:
    if not remarks:
        return
    if transition.verb != Verb.RETURN:
        raise Invalid("Remarks go with a record that is returned.")
    if not actor.has_perm("incidents.add_reviewcomment"):
        raise NotAllowed("You may not remark on records.")
    for remark in remarks:
        save(ReviewComment(incident=incident, author=actor, **remark._asdict()))


def open_merge(incident: Incident) -> Merge | None:
    """The merge by which this record is to end, and which may still be undone."""
    return Merge.objects.filter(source=incident, undone_at=None, completed_seq=None).first()


def _merging_into(incident_id: int) -> QuerySet[Merge]:
    return Merge.objects.filter(target=incident_id, undone_at=None, completed_seq=None)


def _lock_merged(incident_id: int) -> None:
    """Lock a record together with those that end with its publication, in the order of ids, in
    which merging and undoing lock them too."""
    ids = [incident_id, *_merging_into(incident_id).values_list("source_id", flat=True)]
    rows = Incident.objects.filter(pk__in=ids).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def _complete_merges(incident: Incident, actor: User, version: PublishedVersion) -> None:
    """End the records whose parts this version holds."""
    for merge in _merging_into(incident.pk).select_related("source").order_by("pk"):
        source = merge.source
        if source.code is not None:
            door.merge(source, incident)
        merge.completed_seq = version.pk
        merge.save(update_fields=["completed_seq"])
        Review.objects.create(
            incident=source,
            verb=Verb.MERGE,
            actor=actor,
            revision=IncidentRevision.objects.get(incident=source).number,
            reason=merge.reason,
        )
        source.state = State.MERGED
        source.save(update_fields=["state"])


def _hold_shared(incident: Incident) -> None:
    """Keep the places, actors, outlets, articles and datasets that it names as they are.

    One that somebody is changing is waited for, so that the change is seen.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT incidents_hold_shared(%s)", [incident.pk])


def _words(verb: Verb) -> str:
    return verb.value.replace("_", " ")


def _carry_out(
    transition: Transition,
    incident: Incident,
    actor: User,
    revision: int,
    *,
    seen_sha256: str | None,
    reason: str,
    note: str,
) -> None:
    """What the step does beside moving the state; writes its review."""
    content: str | None = None
    match transition.verb:
        case Verb.SUBMIT:
            warnings.refuse_incomplete(incident)
        case Verb.VERIFY:
            if actor.pk in editors(incident):
                raise NotAllowed(
                    "A record is verified by a second person: you wrote or edited it, or a place, "
                    "actor, outlet or article that it names, since it was last published."
                )
            warnings.refuse_incomplete(incident)
            warnings.refuse_open(incident)
            built = build_content(incident.pk)
            content = canonical(built)
            if seen_sha256 is not None and seen_sha256 != sha256(content):
                raise Stale(
                    "The record does not say any more what you looked at: something in it, or a "
                    "place, actor, outlet or article that it names, was changed. Look again."
                )
            door.refuse_redacted(incident.pk, commit(built)[1])
        case Verb.PUBLISH:
            if actor.pk == incident.author_id:
                raise NotAllowed("The author of a record does not publish it.")
            verification = live_verification(incident, revision)
            if verification is None:
                raise Conflict("The record was edited after it was verified: return it.")
            is_first = incident.code is None
            if not is_first and not note.strip():
                message = "Say in a public note what this version corrects."
                raise Invalid(message, fields={"note": [message]})
            version = door.publish(incident, verification, note=note)
            _complete_merges(incident, actor, version)
        case Verb.PROPOSE_RETRACTION:
            # The reason is what the tombstone will say.
            door.refuse_redacted(incident.pk, commit({"note": reason})[1])
        case Verb.RETRACT:
            proposal = latest_review(incident)
            if proposal is None or proposal.verb != Verb.PROPOSE_RETRACTION:
                raise Conflict("Nobody has proposed to retract this record.")
            if proposal.actor_id == actor.pk:
                raise NotAllowed("A retraction is confirmed by a second person.")
            door.retract(incident, reason=proposal.reason)
    Review.objects.create(
        incident=incident,
        verb=transition.verb,
        actor=actor,
        revision=revision,
        reason=reason,
        content=content,
        content_sha256=None if content is None else sha256(content),
    )


def latest_review(incident: Incident) -> Review | None:
    return Review.objects.filter(incident=incident).order_by("-pk").first()


def live_verification(incident: Incident, revision: int) -> Review | None:
    """The verification that still holds: the last step taken, at this very revision."""
    review = latest_review(incident)
    if review is None or review.verb != Verb.VERIFY or review.revision != revision:
        return None
    return review


def editors(incident: Incident) -> set[int]:
    """Ids of everyone with a hand in what the next version says; none of them verifies it.

    The database's own answer, so that there is one.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT incidents_editors(%s)", [incident.pk])
        return {row[0] for row in cursor.fetchall()}


def possible_steps(incident: Incident, actor: User) -> dict[Verb, str]:
    """Each step that the record's state allows -> why this person may not take it, or ''."""
    steps: dict[Verb, str] = {}
    is_merged = open_merge(incident) is not None
    for transition in TRANSITIONS.values():
        if State(incident.state) not in transition.sources:
            continue
        why_not = ""
        if not actor.has_perm(transition.permission):
            why_not = f"You may not {_words(transition.verb)} incidents."
        elif is_merged:
            why_not = "The record is being merged into another: undo the merge first."
        elif transition.verb == Verb.SUBMIT and (lacking := warnings.lacking_in(incident)):
            why_not = " ".join(warned.message for warned in lacking)
        elif transition.verb == Verb.VERIFY and actor.pk in editors(incident):
            why_not = (
                "You wrote or edited this record, or something that it names: a second person "
                "verifies it."
            )
        elif transition.verb == Verb.VERIFY and (waiting := warnings.open_in(incident)):
            why_not = warnings.to_be_answered(len(waiting))
        elif transition.verb == Verb.PUBLISH and actor.pk == incident.author_id:
            why_not = "You wrote this record: somebody else publishes it."
        elif transition.verb == Verb.RETRACT:
            proposal = latest_review(incident)
            if proposal is None or proposal.verb != Verb.PROPOSE_RETRACTION:
                continue
            if proposal.actor_id == actor.pk:
                why_not = "You proposed the retraction: a second person confirms it."
        steps[transition.verb] = why_not
    return steps

"""One event that a record is about already: a claim added to it, or what it says corrected.

A published record is reopened first, with the row as the reason, and so goes through review again.
Call these inside :func:`harmtracker.history.acting.acting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict
from incidents import services, workflow
from incidents.choices import State, Verb
from incidents.models import CasualtyCount, Claim, CountBasis, Incident, Involvement

from .storing import (
    Origin,
    Parties,
    articles,
    bases_of,
    claim_of,
    count_of,
    involvement_of,
)
from .ucdp_crosswalk import Count, Event, Remark

LEFT = "It was edited by hand since: it is left as it is."


def open_for(incident: Incident, importer: User, reason: str) -> None:
    """Make the record one that can be edited. Raises :class:`Conflict` where it cannot be.

    A record that waits for a verifier is not pulled out of the verifier's hands, and nobody edits
    a draft that they may not see.
    """
    locked = Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
    if not Incident.objects.visible_to(importer).filter(pk=locked.pk).exists():
        raise Conflict("Somebody else's import of this event is not published: wait until it is.")
    if locked.state == State.PUBLISHED:
        workflow.take_step(Verb.REOPEN, incident_id=locked.pk, actor=importer, reason=reason)
    elif locked.state != State.DRAFT:
        name = locked.code or "The record"
        raise Conflict(
            f"{name} is {locked.state}: have it published or returned first, then import again."
        )
    elif workflow.open_merge(locked) is not None:
        raise Conflict("The record is being merged into another: undo the merge first.")


def known_claim(origin: Origin, event: Event, incident: Incident) -> Claim | None:
    """The claim of the record that says what this event says: by who speaks and which article."""
    return Claim.objects.filter(
        incident=incident,
        attributed_outlet=origin.outlet,
        article__outlet=origin.outlet,
        article__title=event.article["title"],
    ).first()


def add_claim(origin: Origin, parties: Parties, event: Event, incident: Incident) -> Claim:
    """The event as one more claim of a record. Our assessment stays as it is."""
    parties.settle([event])
    article_id = articles(origin, [event])[event.external_id]
    claim = services.save(claim_of(origin, event, incident.pk, article_id))
    _add_findings(parties, event, claim)
    return claim


def _add_findings(parties: Parties, event: Event, claim: Claim) -> None:
    for count in event.counts:
        services.save(count_of(parties, count, claim, claim.incident_id))
    for side, role in event.parties:
        services.save(involvement_of(parties, side, role, claim, claim.incident_id))


def correct(
    parties: Parties, was: Event, now: Event, claim: Claim, *, is_ours: bool
) -> list[Remark]:
    """Make a record say what the row says now; what was edited by hand since is left and told.

    The claim is the source's and follows it. Of our assessment, where ``is_ours`` says that this
    import made it, only what still stands as the earlier row had it.
    """
    parties.settle([was, now])
    remarks = _change(claim, was.claim, now.claim, "claim")
    remarks += _counts(parties, was, now, claim, None if not is_ours else claim)
    if is_ours:
        incident = Incident.objects.get(pk=claim.incident_id)
        remarks += _change(incident, was.incident, now.incident, "record")
    remarks += _involvements(parties, was, now, claim, is_ours=is_ours)
    return remarks


def _change(row: Any, was: dict[str, Any], now: dict[str, Any], what: str) -> list[Remark]:
    moved = {name: value for name, value in now.items() if was.get(name) != value}
    left = [name for name in moved if getattr(row, name) != was.get(name)]
    changed = {name: value for name, value in moved.items() if name not in left}
    if changed:
        # A place is compared by its key, and must be read anew by it.
        services.save(_with(row, changed))
    return [Remark("", "noted", f"{name} of the {what}: {LEFT}") for name in left]


def _with(row: Any, values: dict[str, Any]) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _key(parties: Parties, count: Count) -> tuple[str, int | None]:
    return count.status, None if count.side is None else parties.id_of(count.side)


def _figures(count: Count | CasualtyCount) -> tuple[Any, ...]:
    return count.min, count.best, count.max, count.qualifier, count.reported_text


def _counts(
    parties: Parties, was: Event, now: Event, claim: Claim, assessed_for: Claim | None
) -> list[Remark]:
    before = {_key(parties, count): count for count in was.counts}
    after = {_key(parties, count): count for count in now.counts}
    owners: Sequence[Claim | None] = [claim] if assessed_for is None else [claim, None]
    remarks = []
    for owner in owners:
        stored = {
            (row.status, row.affiliation_id): row
            for row in CasualtyCount.objects.filter(
                incident_id=claim.incident_id, claim=owner, outcome="killed",
                role="all", sex="all", age_group="all",
            )
        }  # fmt: skip
        for key in [*before, *(key for key in after if key not in before)]:
            row, old, new = stored.get(key), before.get(key), after.get(key)
            if old is not None and new is not None and _figures(old) == _figures(new):
                continue
            if (row is None) != (old is None) or (
                row is not None and old is not None and _figures(row) != _figures(old)
            ):
                remarks.append(Remark("", "noted", f"Count of {key[0]}: {LEFT}"))
                continue
            _replace(parties, row, new, owner, claim)
    return remarks


def _replace(
    parties: Parties,
    row: CasualtyCount | None,
    new: Count | None,
    owner: Claim | None,
    claim: Claim,
) -> None:
    if new is None:
        if row is not None:
            services.remove(row)
        return
    if row is None:
        row = count_of(parties, new, owner, claim.incident_id)
    for name in ("min", "best", "max", "qualifier", "reported_text"):
        setattr(row, name, getattr(new, name))
    services.save(row)
    if owner is None:
        wanted = {basis.bound: basis for basis in bases_of(row, claim)}
        kept = CountBasis.objects.filter(count=row, claim=claim)
        for basis in kept.exclude(bound__in=wanted):
            services.remove(basis)
        for bound in wanted.keys() - set(kept.values_list("bound", flat=True)):
            services.save(wanted[bound])


def _involvements(
    parties: Parties, was: Event, now: Event, claim: Claim, *, is_ours: bool
) -> list[Remark]:
    before = {(parties.id_of(side), role): side for side, role in was.parties}
    after = {(parties.id_of(side), role): side for side, role in now.parties}
    for owner in [claim, None] if is_ours else [claim]:
        rows = Involvement.objects.filter(incident_id=claim.incident_id, claim=owner)
        stored = {(row.actor_id, row.role): row for row in rows}
        for key in before.keys() - after.keys():
            if key in stored:
                services.remove(stored[key])
        for key in after.keys() - before.keys() - stored.keys():
            services.save(involvement_of(parties, after[key], key[1], owner, claim.incident_id))
    return []

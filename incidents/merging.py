"""One incident that was entered twice: what hangs on the one record is moved to the other.

The duplicate stays served until the other's version that holds its parts is published, and ends
with that (:mod:`incidents.workflow`). Until then the merge can be undone; afterwards it is
corrected.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction
from django.db.models import Model, Q

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from harmtracker.history.acting import acting

from .choices import State, Verb
from .editing import refuse_if_stale
from .models import (
    CasualtyCount,
    Claim,
    CountBasis,
    ExternalId,
    Incident,
    IncidentLink,
    IncidentRevision,
    Involvement,
    Merge,
    Victim,
    VictimClaim,
    WeaponUse,
)
from .publishing.document import build_content
from .workflow import take_step

PERMISSION = "incidents.merge_incident"
# What is moved by itself; what hangs on these goes along by its keys.
MOVED: tuple[type[Model], ...] = (Claim, Victim, ExternalId, IncidentLink)
_ALONG: tuple[type[Model], ...] = (CasualtyCount, WeaponUse, Involvement)
ORIGINALS = ("duplicate_of", "merged_into")


def merge(
    source_id: int,
    into_id: int,
    actor: User,
    reason: str,
    revisions: tuple[int, int],
    *,
    request_id: uuid.UUID | None = None,
) -> Merge:
    """Move claims, victims, external ids and links of a record into a draft of the same incident.

    ``revisions`` are those of the two that the person looked at, the duplicate's first. A duplicate
    that was published is reopened by the same act; it keeps its own assessment, without what
    claims say of it. Raises :class:`NotFound`, :class:`NotAllowed`, :class:`Stale`,
    :class:`Conflict` (not a draft, merged already) or :class:`Invalid`.
    """
    with acting(actor, reason, request_id=request_id):
        source, target = _locked(actor, source_id, into_id)
        _check_permission(actor)
        if not reason.strip():
            raise Invalid("Say why.", fields={"reason": ["Say why."]})
        if source == target:
            message = "A record cannot be merged into itself."
            raise Invalid(message, fields={"into": [message]})
        _check_states(source, target)
        _check_revisions([source, target], revisions)
        if source.state != State.DRAFT:
            take_step(Verb.REOPEN, incident_id=source.pk, actor=actor, reason=reason)
        removed = _in_the_way(source, target)
        moved = _to_move(source, removed)
        row = Merge.objects.create(
            source=source,
            target=target,
            actor=actor,
            reason=reason,
            moved={model._meta.db_table: ids for model, ids in moved.items()},
            removed={
                model._meta.db_table: _as_stored(model, ids) for model, ids in removed.items()
            },
        )
        for model, ids in removed.items():
            model._default_manager.filter(pk__in=ids).delete()
        for model in MOVED:
            model._default_manager.filter(pk__in=moved[model]).update(incident=target)
        IncidentLink.objects.create(incident=source, kind="merged_into", other=target)
        row.refresh_from_db()
    return row


def undo(
    merge: uuid.UUID,
    actor: User,
    reason: str,
    *,
    of: uuid.UUID | None = None,
    revision: int | None = None,
    request_id: uuid.UUID | None = None,
) -> Merge:
    """Move back what is still there of what was moved, and restore what was removed.

    Where given, ``of`` is the record that the duplicate was merged into, and ``revision`` the one
    of it that was looked at: a later edit is :class:`Stale`. A duplicate that was published stays
    reopened. Raises :class:`NotFound`, :class:`NotAllowed`, :class:`Invalid` (no reason) or
    :class:`Conflict`: once the other record is on its way to publication it has to be returned
    first, and after it the merge is corrected.
    """
    with acting(actor, reason, request_id=request_id):
        row = Merge.objects.filter(uuid=merge).select_related("target").first()
        if row is None or of not in (None, row.target.uuid):
            raise NotFound("There is no such merge.")
        source, target = _locked(actor, row.source_id, row.target_id)
        row.refresh_from_db()
        _check_permission(actor)
        if revision is not None:
            target.revision = IncidentRevision.objects.select_for_update().get(incident=target)
            refuse_if_stale(target, revision)
        if not reason.strip():
            raise Invalid("Say why.", fields={"reason": ["Say why."]})
        if row.undone_at is not None:
            raise Conflict("The merge was undone already.")
        if row.completed_seq is not None:
            raise Conflict("The merge was published: correct the record instead.")
        if target.state != State.DRAFT:
            raise Conflict(f"The other record is {target.state}: return it before you undo this.")
        row.undone_by, row.undone_reason = actor, reason
        row.undone_at = row.at  # the database says when
        row.save(update_fields=["undone_by", "undone_reason", "undone_at"])
        IncidentLink.objects.filter(incident=source, kind="merged_into", other=target).delete()
        _part(target, row)
        for model in MOVED:
            ids = row.moved[model._meta.db_table]
            model._default_manager.filter(pk__in=ids, incident=target).update(incident=source)
        _restore(source, target, row.removed)
        row.refresh_from_db()
    return row


class _Rehearsed(Exception):
    """Takes back what was only tried."""


def rehearse(source_id: int, into_id: int, actor: User) -> dict[str, Any]:
    """What the next version of the other record would hold after a merge; nothing is stored.

    It is merged, built and taken back, so that the refusals are those of :func:`merge` as well.
    """
    content: dict[str, Any] = {}
    try:
        with transaction.atomic():
            rows = IncidentRevision.objects.filter(incident__in=[source_id, into_id])
            now = dict(rows.values_list("incident_id", "number"))
            seen = (now.get(source_id, 0), now.get(into_id, 0))
            merge(source_id, into_id, actor, "To see what becomes of it", seen)
            content = build_content(into_id)
            raise _Rehearsed
    except _Rehearsed:
        return content


@dataclass(frozen=True)
class Plan:
    """How many rows a merge moves, and how many it removes, by what they are called."""

    moved: list[tuple[str, int]]
    removed: list[tuple[str, int]]


def plan(source: Incident, target: Incident) -> Plan:
    """What a merge of these two would move and remove, as they stand now."""
    removed = _in_the_way(source, target)
    return Plan(_counted(_to_move(source, removed)), _counted(removed))


def _counted(rows: dict[type[Model], list[int]]) -> list[tuple[str, int]]:
    found = []
    for model, ids in rows.items():
        if ids:
            one, many = model._meta.verbose_name, model._meta.verbose_name_plural
            found.append((str(one if len(ids) == 1 else many), len(ids)))
    return found


def open_merges(incident: Incident, actor: User) -> list[Merge]:
    """Merges of a record with others that this person may know of, which may still be undone."""
    visible = Incident.objects.visible_to(actor)
    rows = Merge.objects.filter(Q(source=incident) | Q(target=incident))
    rows = rows.filter(source__in=visible, target__in=visible, undone_at=None, completed_seq=None)
    return list(rows.select_related("source", "target", "actor").order_by("pk"))


def _locked(actor: User, source_id: int, target_id: int) -> tuple[Incident, Incident]:
    """Both records, locked in the order of their ids, so that no two merges wait for each other."""
    rows = (
        Incident.objects.select_for_update(of=("self",), no_key=True)
        .visible_to(actor)
        .filter(pk__in=[source_id, target_id])
        .order_by("pk")
    )
    found = {row.pk: row for row in rows}
    if source_id not in found or target_id not in found:
        raise NotFound("There is no such incident.")
    return found[source_id], found[target_id]


def _check_permission(actor: User) -> None:
    if not actor.has_perm(PERMISSION):
        raise NotAllowed("You may not merge incidents.")


def _check_states(source: Incident, target: Incident) -> None:
    if target.state != State.DRAFT:
        raise Conflict(f"The record to merge into is {target.state}: only a draft takes parts in.")
    if source.state not in (State.DRAFT, State.PUBLISHED, State.RETRACTED):
        raise Conflict(f"The record is {source.state}: only a draft or a published one is merged.")
    both = [source, target]
    others = Merge.objects.filter(undone_at=None, completed_seq=None)
    if others.filter(Q(source__in=both) | Q(target__in=both)).exists():
        raise Conflict("One of the two is being merged already: publish or undo that first.")


def _check_revisions(records: list[Incident], seen: tuple[int, int]) -> None:
    rows = IncidentRevision.objects.select_for_update().filter(incident__in=records)
    current = {row.incident_id: row.number for row in rows.order_by("incident_id")}
    now = tuple(current[record.pk] for record in records)
    if now != tuple(seen):
        raise Stale(
            f"One of the records was edited since you looked at them: you saw revisions {seen[0]} "
            f"and {seen[1]}, they are at {now[0]} and {now[1]}. Look again."
        )


def _in_the_way(source: Incident, target: Incident) -> dict[type[Model], list[int]]:
    """Rows that cannot be there after a merge, by id.

    Bases of the duplicate's counts would hang on claims of another record; a link between the two
    would be to itself; what the other has as well would stand twice.
    """
    links = IncidentLink.objects.order_by("pk")
    held = set(links.filter(incident=target).values_list("kind", "other_id"))
    has_original = any(kind in ORIGINALS for kind, other in held if other != source.pk)
    gone = list(links.filter(incident=target, other=source).values_list("pk", flat=True))
    for link in links.filter(incident=source):
        is_double = (link.kind, link.other_id) in held
        is_second = has_original and link.kind in ORIGINALS
        if link.other_id == target.pk or is_double or is_second:
            gone.append(link.pk)
    ids = set(ExternalId.objects.filter(incident=target).values_list("dataset_id", "value"))
    doubled = [
        row.pk
        for row in ExternalId.objects.filter(incident=source).order_by("pk")
        if (row.dataset_id, row.value) in ids
    ]
    bases = CountBasis.objects.filter(incident=source).order_by("pk")
    return {
        CountBasis: list(bases.values_list("pk", flat=True)),
        IncidentLink: gone,
        ExternalId: doubled,
    }


def _to_move(
    source: Incident, removed: dict[type[Model], list[int]]
) -> dict[type[Model], list[int]]:
    """What is moved, by id, and what goes along."""

    def ids(model: type[Model], **conditions: Any) -> list[int]:
        rows = model._default_manager.filter(incident=source, **conditions).order_by("pk")
        return list(rows.exclude(pk__in=removed.get(model, [])).values_list("pk", flat=True))

    return {
        **{model: ids(model) for model in MOVED},
        **{model: ids(model, claim__isnull=False) for model in _ALONG},
        VictimClaim: ids(VictimClaim),
    }


def _as_stored(model: type[Model], ids: Iterable[int]) -> list[Any]:
    """Rows as the database has them, column by column."""
    table = model._meta.db_table
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f'SELECT to_jsonb(t) FROM "{table}" t WHERE id = ANY (%s) ORDER BY id',  # noqa: S608
            [list(ids)],
        )
        return [json.loads(row[0]) for row in cursor.fetchall()]


def _part(target: Incident, row: Merge) -> None:
    """Remove what was put between parts of both since: it would hang on two records."""
    claims, victims = row.moved[Claim._meta.db_table], row.moved[Victim._meta.db_table]
    of_claims, of_victims = Q(claim__in=claims), Q(victim__in=victims)
    CountBasis.objects.filter(of_claims, incident=target).delete()
    VictimClaim.objects.filter(of_claims & ~of_victims, incident=target).delete()
    VictimClaim.objects.filter(of_victims & ~of_claims, incident=target).delete()


def _restore(source: Incident, target: Incident, removed: dict[str, list[Any]]) -> None:
    for row in removed[CountBasis._meta.db_table]:
        count = CasualtyCount.objects.filter(pk=row["count_id"], incident=source)
        claim = Claim.objects.filter(pk=row["claim_id"], incident=source)
        if count.exists() and claim.exists():
            _put_back(CountBasis, row)
    for row in removed[ExternalId._meta.db_table]:
        _put_back(ExternalId, row)
    for row in removed[IncidentLink._meta.db_table]:
        same = Q(kind=row["kind"], other_id=row["other_id"])
        if row["kind"] in ORIGINALS:
            same |= Q(kind__in=ORIGINALS)
        if not IncidentLink.objects.filter(same, incident_id=row["incident_id"]).exists():
            _put_back(IncidentLink, row)


def _put_back(model: type[Model], row: Any) -> None:
    """The very row, with its key."""
    table = model._meta.db_table
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" SELECT * FROM '  # noqa: S608
            f'jsonb_populate_record(NULL::"{table}", %s::jsonb)',
            [json.dumps(row)],
        )

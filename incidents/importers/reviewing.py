"""An import batch reviewed as one: submitted, verified, published or returned, whole or not at all.

Each of its records takes the step by the rules of every record: one review each, by the same guards
of the database. API and command call these functions alike.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connections
from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from harmtracker.history.acting import acting
from incidents.choices import BatchState, RowOutcome, State, Verb
from incidents.models import ImportBatch, ImportedRow, Incident, IncidentRevision, Merge, Review
from incidents.publishing import door
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.commitments import commit
from incidents.publishing.document import build_contents

from . import warned
from .warned import SEES_ALL, in_parts

# Records with open warnings of which it is told which warnings these are: each takes milliseconds.
LOOKED_AT = 200
# Of a row that changed no record, none is reviewed.
REVIEWED = (RowOutcome.CREATED, RowOutcome.CLAIM_ADDED, RowOutcome.CORRECTED)
FOUR_EYES = "An import is verified and published by another person than the one who imported it."

# What PostgreSQL says where a lock was waited for too long. A command holds a batch for minutes.
LOCKED = "55P03"
BUSY = "Somebody is just taking a step with this import: look again in a few minutes."

# Held by an import while it runs.
RUNNING = "hashtext('harmtracker import of ucdp-ged')"

Say = Callable[[int], None]


def _quiet(count: int) -> None:
    pass


def visible_to(person: User) -> QuerySet[ImportBatch]:
    """The batches that this person may know of: verifiers all, researchers their own."""
    batches = ImportBatch.objects.select_related(
        "dataset", "importer", "verified_by", "published_by"
    )
    if not person.is_active or not person.has_perm("incidents.view_importbatch"):
        return batches.none()
    if person.has_perm(SEES_ALL):
        return batches
    return batches.filter(importer=person)


def records(batch: ImportBatch) -> QuerySet[Incident]:
    """The records that the batch made or changed, and that are reviewed with it.

    A draft of the importer's own to which a claim was added goes its own way.
    """
    rows = ImportedRow.objects.filter(batch=batch, outcome__in=REVIEWED)
    own = rows.filter(outcome=RowOutcome.CLAIM_ADDED, incident__code=None)
    return Incident.objects.filter(pk__in=rows.values("claim__incident")).exclude(
        pk__in=own.values("claim__incident"), code=None
    )


@dataclass(frozen=True)
class Slice:
    """So many records of a batch at most, of those in these states: one transaction of several.

    A browser cannot wait until thousands of records are verified or published. What was taken stays
    taken, as it does where a record is taken a step by itself; the batch has taken the step with
    its last record. ``seen`` is the :func:`fingerprint` of what the person looked at.
    """

    states: tuple[State, ...]
    most: int
    seen: str


def fingerprint(batch: ImportBatch) -> str:
    """Of the batch's records and their revisions: another one after an edit, the same after a
    step."""
    held = IncidentRevision.objects.filter(incident__in=records(batch)).order_by("incident_id")
    lines = (f"{pk} {number}" for pk, number in held.values_list("incident_id", "number"))
    return sha256("\n".join(lines))


@dataclass
class _Locked:
    """A batch, and those of its records that are taken a step together."""

    batch: ImportBatch
    incidents: list[Incident]
    revisions: dict[int, int]

    def of_state(self, *states: State) -> list[Incident]:
        return [incident for incident in self.incidents if incident.state in states]

    def refuse_others(self, *states: State) -> None:
        """:class:`Conflict` naming records of the batch that are in none of these states."""
        every = records(self.batch)
        others = every.exclude(state__in=states).order_by("pk")
        if number := others.count():
            raise Conflict(
                f"{number} of the {every.count()} records are not "
                f"{' or '.join(states)}: see to them first.",
                differences=[f"{i.code or i.uuid}: {i.state}" for i in others[:100]],
            )

    def is_over(self, *states: State) -> bool:
        """Whether no record of the batch is in one of these states any more."""
        return not records(self.batch).filter(state__in=states).exists()


def _lock(
    batch_uuid: uuid.UUID, person: User, *states: BatchState, some: Slice | None = None
) -> _Locked:
    """The batch and its records, held until the transaction ends, in the order of ids.

    With ``some``, of its records those that are the next slice.
    """
    batches = visible_to(person).select_for_update(of=("self",), no_key=True)
    try:
        batch = batches.filter(uuid=batch_uuid).first()
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCKED:
            raise
        raise Conflict(BUSY) from error
    if batch is None:
        raise NotFound("There is no such import.")
    if batch.state not in states:
        raise Conflict(
            f"The import is {batch.state}: only one that is {' or '.join(states)} can be taken "
            "that step."
        )
    every = records(batch).order_by("pk")
    if some is not None:
        if some.seen != fingerprint(batch):
            raise Stale(
                "A record of the import was edited, added or taken away since you looked at it. "
                "Look again."
            )
        ids = every.filter(state__in=some.states).values_list("pk", flat=True)
        every = Incident.objects.filter(pk__in=list(ids[: some.most])).order_by("pk")
    incidents = list(
        every.select_related("place").select_for_update(of=("self",), no_key=True)
    )  # fmt: skip
    held = IncidentRevision.objects.filter(pk__in=[i.pk for i in incidents])
    revisions = dict(held.order_by("pk").select_for_update().values_list("pk", "number"))
    return _Locked(batch, incidents, revisions)


def _may(person: User, permission: str, words: str) -> None:
    if not person.has_perm(f"incidents.{permission}"):
        raise NotAllowed(f"You may not {words} imports.")


def _second_person(batch: ImportBatch, person: User) -> None:
    if batch.importer_id == person.pk:
        raise NotAllowed(FOUR_EYES)


def _take(
    locked: _Locked,
    incidents: Sequence[Incident],
    verb: Verb,
    target: State,
    person: User,
    *,
    reason: str = "",
    say: Say = _quiet,
) -> None:
    """One review for each record, and then its state. Contents are not built here."""
    for some in in_parts(incidents):
        Review.objects.bulk_create(
            [
                Review(
                    incident=incident,
                    verb=verb,
                    actor=person,
                    revision=locked.revisions[incident.pk],
                    reason=reason,
                )
                for incident in some
            ]
        )
        _move(some, target)
        say(len(some))


def _move(incidents: Sequence[Incident], target: State) -> None:
    Incident.objects.filter(pk__in=[incident.pk for incident in incidents]).update(state=target)


def submit(batch: ImportBatch, importer: User, *, say: Say = _quiet) -> None:
    """Put a complete or a returned batch before a verifier, with all its records."""
    with acting(importer, f"Submitted {batch}"):
        locked = _lock(batch.uuid, importer, BatchState.IMPORTING, BatchState.RETURNED)
        if locked.batch.importer_id != importer.pk:
            raise NotAllowed("Who imported a batch submits it.")
        _may(importer, "submit_incident", "submit")
        drafts = locked.of_state(State.DRAFT)
        _take(locked, drafts, Verb.SUBMIT, State.SUBMITTED, importer, say=say)
        locked.batch.state = BatchState.SUBMITTED
        locked.batch.finished_at = Now()
        locked.batch.save(update_fields=["state", "finished_at"])
    batch.refresh_from_db()


def submit_again(
    batch_uuid: uuid.UUID, importer: User, *, request_id: uuid.UUID | None = None, say: Say = _quiet
) -> ImportBatch:
    """Put a batch that was returned before a verifier again. An unfinished one is imported on."""
    with acting(importer, request_id=request_id):
        batch = visible_to(importer).filter(uuid=batch_uuid).first()
        if batch is None:
            raise NotFound("There is no such import.")
        if batch.state == BatchState.IMPORTING:
            raise Conflict("The import is not finished: run it again with its file.")
        submit(batch, importer, say=say)
    return batch


def verify(
    batch_uuid: uuid.UUID,
    person: User,
    reason: str = "",
    *,
    request_id: uuid.UUID | None = None,
    say: Say = _quiet,
    some: Slice | None = None,
) -> ImportBatch:
    """Verify every record of a batch, each with its content as it stands now, or ``some``.

    Records that were verified or published one by one are left as they are. Where warnings are
    open, ``reason`` says why they may all stand: it answers each of them, on its own record.
    """
    try:
        with acting(person, reason, request_id=request_id):
            locked = _lock(batch_uuid, person, BatchState.SUBMITTED, some=some)
            _may(person, "verify_incident", "verify")
            _second_person(locked.batch, person)
            locked.refuse_others(State.SUBMITTED, State.VERIFIED, State.PUBLISHED)
            _refuse_merging(locked)
            waiting = locked.of_state(State.SUBMITTED)
            warned.answer([incident.pk for incident in waiting], person, reason)
            for part in in_parts(waiting):
                _verify(part, locked, person)
                say(len(part))
            if locked.is_over(State.SUBMITTED):
                locked.batch.state = BatchState.VERIFIED
                locked.batch.verified_by = person
                locked.batch.save(update_fields=["state", "verified_by"])
            return locked.batch
    except Invalid as refusal:
        if refusal.rule != "incidents_review_four_eyes":
            raise
        raise NotAllowed(refusal.message) from refusal


def _verify(some: Sequence[Incident], locked: _Locked, person: User) -> None:
    ids = [incident.pk for incident in some]
    with connections["default"].cursor() as cursor:
        # Places, actors and outlets stay as they are from here on.
        cursor.execute("SELECT incidents_hold_shared(id) FROM unnest(%s::bigint[]) AS id", [ids])
    contents = build_contents(ids)
    reviews = []
    for incident in some:
        built = contents[incident.pk]
        door.refuse_redacted(incident.pk, commit(built)[1])
        content = canonical(built)
        reviews.append(
            Review(
                incident=incident,
                verb=Verb.VERIFY,
                actor=person,
                revision=locked.revisions[incident.pk],
                content=content,
                content_sha256=sha256(content),
            )
        )
    Review.objects.bulk_create(reviews)
    _move(some, State.VERIFIED)


def _refuse_merging(locked: _Locked) -> None:
    ids = [incident.pk for incident in locked.incidents]
    is_open = Merge.objects.filter(undone_at=None, completed_seq=None)
    if (is_open.filter(source__in=ids) | is_open.filter(target__in=ids)).exists():
        raise Conflict("A record of it is being merged with another: finish or undo that first.")


def publish(
    batch_uuid: uuid.UUID,
    person: User,
    *,
    request_id: uuid.UUID | None = None,
    say: Say = _quiet,
    some: Slice | None = None,
) -> ImportBatch:
    """Publish every record of a verified batch, in one transaction, or ``some``.

    Raises :class:`Conflict` where one of them is not what was verified any more; then none of those
    that were to go together is out.
    """
    with acting(person, request_id=request_id):
        locked = _lock(batch_uuid, person, BatchState.VERIFIED, some=some)
        _may(person, "publish_incident", "publish")
        _second_person(locked.batch, person)
        locked.refuse_others(State.VERIFIED, State.PUBLISHED)
        _refuse_merging(locked)
        waiting = locked.of_state(State.VERIFIED)
        live = _live(locked, waiting)
        first = [i for i in waiting if i.code is None]
        again = [i for i in waiting if i.code is not None]
        door.publish_all([(i, live[i.pk]) for i in first], note="", say=say)
        note = f"What {locked.batch.dataset.name} says was added or corrected."
        door.publish_all([(i, live[i.pk]) for i in again], note=note, say=say)
        _take(locked, waiting, Verb.PUBLISH, State.PUBLISHED, person)
        if locked.is_over(State.VERIFIED):
            locked.batch.state = BatchState.PUBLISHED
            locked.batch.published_by = person
            locked.batch.save(update_fields=["state", "published_by"])
        return locked.batch


def _live(locked: _Locked, waiting: Sequence[Incident]) -> dict[int, Review]:
    """The verification of each record that still holds: its last step, at its revision of now."""
    latest = Review.objects.filter(incident__in=[i.pk for i in waiting])
    live = {r.incident_id: r for r in latest.order_by("incident_id", "-pk").distinct("incident_id")}
    for incident in waiting:
        review = live.get(incident.pk)
        if (
            review is None
            or review.verb != Verb.VERIFY
            or review.revision != locked.revisions[incident.pk]
        ):
            raise Conflict(
                f"{incident.code or incident.title} was edited after it was verified: return it."
            )
    return live


def give_back(
    batch_uuid: uuid.UUID,
    person: User,
    reason: str,
    *,
    request_id: uuid.UUID | None = None,
    say: Say = _quiet,
    some: Slice | None = None,
) -> ImportBatch:
    """Return a batch with all its records, or ``some``, to the importer, with the reason.

    One that was never finished too, so that a file that is lost stops no other import. Who
    imported it may submit what was stored of it.
    """
    with acting(person, reason, request_id=request_id):
        locked = _lock(
            batch_uuid,
            person,
            BatchState.IMPORTING,
            BatchState.SUBMITTED,
            BatchState.VERIFIED,
            some=some,
        )
        _may(person, "return_incident", "return")
        if not reason.strip():
            raise Invalid("Say why.", fields={"reason": ["Say why."]})
        if locked.batch.state == BatchState.IMPORTING:
            _refuse_running()
        waiting = locked.of_state(State.SUBMITTED, State.VERIFIED)
        _take(locked, waiting, Verb.RETURN, State.DRAFT, person, reason=reason, say=say)
        if locked.is_over(State.SUBMITTED, State.VERIFIED):
            locked.batch.state = BatchState.RETURNED
            locked.batch.verified_by = None
            locked.batch.reason = reason
            locked.batch.save(update_fields=["state", "verified_by", "reason"])
        return locked.batch


def _refuse_running() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({RUNNING})")
        if cursor.fetchone() != (True,):
            raise Conflict("The import is running: wait for its end.")


_SUMS = """
    SELECT extract(year FROM coalesce(i.date_earliest, i.date_latest))::int AS year,
        count(DISTINCT r.id) AS events,
        sum(c.min) FILTER (WHERE c.status = 'all') AS low,
        sum(c.best) FILTER (WHERE c.status = 'all') AS best,
        sum(c.max) FILTER (WHERE c.status = 'all') AS high,
        count(*) FILTER (WHERE c.status = 'all' AND (c.min IS NULL OR c.max IS NULL)) AS unbounded,
        sum(c.best) FILTER (WHERE c.status = 'civilian') AS civilians
    FROM incidents_importedrow r
    JOIN incidents_claim k ON k.id = r.claim_id JOIN incidents_incident i ON i.id = k.incident_id
    LEFT JOIN incidents_casualtycount c ON c.claim_id = k.id AND c.outcome = 'killed'
    WHERE r.batch_id = %s AND r.outcome <> 'unchanged'
    GROUP BY 1 ORDER BY 1
"""
_REMARKS = """
    SELECT n->>'kind' AS kind, n->>'column' AS column, count(*) AS rows
    FROM incidents_importedrow r, jsonb_array_elements(r.notes) n
    WHERE r.batch_id = %s GROUP BY 1, 2 ORDER BY 1, 2
"""


def _rows(sql: str, batch: ImportBatch) -> list[dict[str, Any]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, [batch.pk])
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def by_year(batch: ImportBatch) -> list[dict[str, Any]]:
    """Events and persons killed, as the rows have them, by the first year each can lie in."""
    return _rows(_SUMS, batch)


def sums(years: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The same over all years. ``unbounded`` events have a best figure alone."""
    names = ("events", "low", "best", "high", "unbounded", "civilians")
    return {name: int(sum(year[name] or 0 for year in years)) for name in names}


def remarks(batch: ImportBatch) -> list[dict[str, Any]]:
    """How many rows were refused, not placed or remarked on, by column."""
    return _rows(_REMARKS, batch)


def states(batch: ImportBatch) -> dict[str, int]:
    """The records of the batch by their state."""
    counted = records(batch).order_by().values("state").annotate(number=Count("pk"))
    return {row["state"]: row["number"] for row in counted}


def with_warnings(batch: ImportBatch, reader: User) -> QuerySet[Incident]:
    """Its records that wait for a verifier with a warning open, as far as ``reader`` may know.

    Answered from what the queue is answered from: of thousands of records none is looked through.
    """
    column = "open_warnings" if reader.has_perm(SEES_ALL) else "warnings_told"
    return records(batch).filter(state=State.SUBMITTED, **{f"waiting__{column}__gt": 0})


def warnings_of(batch: ImportBatch, reader: User) -> dict[str, int]:
    """Rule -> on how many records a warning is open, of the first :data:`LOOKED_AT` with any."""
    some = with_warnings(batch, reader).order_by("pk").values_list("pk", flat=True)
    return warned.open_on(list(some[:LOOKED_AT]), reader)


def rows(batch: ImportBatch, outcome: str | None = None) -> QuerySet[ImportedRow]:
    found = ImportedRow.objects.filter(batch=batch).select_related("incident").order_by("line")
    return found if outcome is None else found.filter(outcome=outcome)


def drawn(batch: ImportBatch, seed: int, size: int) -> list[ImportedRow]:
    """Some rows drawn at random, in the order in which they fell. The same ``seed`` draws the same
    rows."""
    keys = list(
        ImportedRow.objects.filter(batch=batch, outcome__in=REVIEWED)
        .order_by("line")
        .values_list("pk", flat=True)
    )
    some = random.Random(seed).sample(keys, min(size, len(keys)))  # noqa: S311  (not a secret)
    found = ImportedRow.objects.select_related("claim__incident").in_bulk(some)
    return [found[key] for key in some]


def sample(batch: ImportBatch, seed: int, size: int) -> list[dict[str, Any]]:
    """Rows as :func:`drawn`, each as it stands in the file and as what leaves of it."""
    found = drawn(batch, seed, size)
    contents = build_contents({row.claim.incident_id for row in found if row.claim})
    return [
        {
            "line": row.line,
            "external_id": row.external_id,
            "outcome": row.outcome,
            "original": bytes(row.original).decode("utf-8", "replace"),
            "remarks": row.notes,
            "content": contents[row.claim.incident_id],  # type: ignore[union-attr]
        }
        for row in found
    ]

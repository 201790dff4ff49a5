"""One person's edit of one record: locked, of the revision that was read, and with a reason."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from harmtracker.history.acting import acting
from harmtracker.history.reading import latest_edit

from .choices import State
from .models import Incident, IncidentRevision


def lock(actor: User, *, of_page: int | None = None, named: uuid.UUID | None = None) -> Incident:
    """The record, held until the transaction ends. Raises :class:`NotFound` for a hidden one.

    The record is locked first and its revision second, here and everywhere, so that no two wait
    for each other. ``no_key``: rows that hang on the record may still refer to it meanwhile.
    """
    found = Incident.objects.select_for_update(of=("self",), no_key=True).visible_to(actor)
    incident = (found.filter(pk=of_page) if named is None else found.filter(uuid=named)).first()
    if incident is None:
        raise NotFound("There is no such incident.")
    incident.revision = IncidentRevision.objects.select_for_update().get(incident=incident)
    return incident


def refuse_if_stale(incident: Incident, revision: int) -> None:
    """:class:`Stale` where the locked record is not at the revision that the person read."""
    now = incident.revision.number
    if revision != now:
        raise Stale(
            f"Nothing was stored: you read revision {revision}, and the record is at {now} "
            f"({latest_edit(incident.pk)}). Read it again and repeat your change."
        )


def refuse_if_closed(incident: Incident, actor: User) -> None:
    """:class:`NotAllowed` or :class:`Conflict` where this person cannot edit the locked record."""
    if not actor.has_perm("incidents.change_incident"):
        raise NotAllowed("Researchers edit records; who verifies them does not.")
    if incident.state != State.DRAFT:
        way = "reopened" if incident.state in (State.PUBLISHED, State.RETRACTED) else "returned"
        raise Conflict(
            f"The record is {incident.state}: only a draft is edited. Have it {way} first."
        )


@contextmanager
def editing(
    actor: User,
    incident_uuid: uuid.UUID,
    *,
    revision: int,
    reason: str = "",
    request_id: uuid.UUID | None = None,
) -> Iterator[Incident]:
    """A transaction in which ``actor`` edits one record that is a draft.

    ``revision`` is the one that the person read; a later edit, of a part too, is :class:`Stale`.
    A record that was published before is edited with a reason, else :class:`Invalid`.
    """
    with acting(actor, reason, request_id=request_id):
        incident = lock(actor, named=incident_uuid)
        refuse_if_closed(incident, actor)
        refuse_if_stale(incident, revision)
        if incident.code is not None and not reason.strip():
            message = "The record was published before: say why you change it."
            raise Invalid(message, fields={"change_reason": [message]})
        yield incident
        incident.revision.refresh_from_db()

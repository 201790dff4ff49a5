"""Who is at work on a record: taken and released, so that two people do not do so unawares."""

from __future__ import annotations

import uuid

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, NotAllowed
from harmtracker.history.acting import acting

from .editing import lock
from .models import Assignment


def take(actor: User, incident_uuid: uuid.UUID, *, over: bool = False) -> Assignment:
    """Say that ``actor`` is at work on the record. Taken again by the same person, it stays.

    :class:`Conflict` names who has it; with ``over`` it is taken over from them.
    """
    with acting(actor, "Took the record"):
        incident = lock(actor, named=incident_uuid)
        taken = Assignment.objects.filter(incident=incident).select_related("person").first()
        if taken is not None and taken.person_id != actor.pk:
            if not over:
                raise Conflict(
                    f"{taken.person} has been at work on the record since "
                    f"{taken.since:%Y-%m-%d %H:%M} UTC. Ask, or take it over."
                )
            taken.delete()
            taken = None
        return taken or Assignment.objects.create(incident=incident, person=actor)


def release(actor: User, incident_uuid: uuid.UUID) -> None:
    """Say that ``actor`` is done for now. A record that nobody has taken stays so."""
    with acting(actor, "Released the record"):
        incident = lock(actor, named=incident_uuid)
        taken = Assignment.objects.filter(incident=incident).select_related("person").first()
        if taken is None:
            return
        if taken.person_id != actor.pk:
            raise NotAllowed(f"{taken.person} has taken the record, not you.")
        taken.delete()

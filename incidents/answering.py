"""A warning answered with a reason, and such an answer withdrawn. Neither is an edit of the record.

On a draft those answer who edit it; of what was submitted its verifiers do, whom it does not bar
from verifying. A verifier who does not accept an author's reason withdraws it, and the warning is
open again. The database holds all of it (``incidents_answer_guard``, ``incidents_answered``).
"""

from __future__ import annotations

import uuid

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from harmtracker.history.acting import acting

from . import services, warnings
from .choices import State
from .editing import lock
from .models import Incident, WarningAnswer

ANSWERED = "The warning was answered already: withdraw that answer first."
GONE = "There is no such warning on the record: it was mended, or says something else now."


def why_not(actor: User, incident: Incident) -> DomainError | None:
    """Why this person does not answer warnings of a record as it stands; None where they may."""
    if incident.state == State.DRAFT:
        if actor.has_perm("incidents.change_incident"):
            return None
        return NotAllowed("Warnings of a draft are answered by who edits it.")
    if incident.state == State.SUBMITTED:
        if actor.has_perm("incidents.verify_incident"):
            return None
        return NotAllowed("The record was submitted: its verifiers answer what is open now.")
    return Conflict(f"The record is {incident.state}: its warnings are not answered any more.")


def answer(
    actor: User,
    incident_uuid: uuid.UUID,
    fingerprint: str,
    reason: str,
    *,
    request_id: uuid.UUID | None = None,
) -> WarningAnswer:
    """Say why an open warning may stand: it then bars nothing, while what it is about stays so."""
    with acting(actor, "Answered a warning", request_id=request_id):
        incident = _locked(actor, incident_uuid, reason)
        warned = _standing(incident, actor, fingerprint)
        if warned is None:
            raise NotFound(GONE)
        if warned.asks == warnings.Asks.MEND:
            raise Conflict("This is mended, not answered: without it nothing is submitted.")
        if not warned.is_open:
            raise Conflict(ANSWERED if warned.answer else "The warning asks for no answer.")
        return services.save(
            WarningAnswer(
                incident=incident,
                rule=warned.rule,
                fingerprint=warned.fingerprint,
                message=warned.message,
                about_id=warned.about,
                reason=reason,
                actor=actor,
                revision=incident.revision.number,
            )
        )


def withdraw(
    actor: User,
    incident_uuid: uuid.UUID,
    fingerprint: str,
    reason: str,
    *,
    request_id: uuid.UUID | None = None,
) -> WarningAnswer:
    """Withdraw the answer that stands, with the reason: the warning is open again."""
    with acting(actor, "Withdrew the answer to a warning", request_id=request_id):
        incident = _locked(actor, incident_uuid, reason)
        warned = _standing(incident, actor, fingerprint)
        if warned is None or warned.answer is None:
            raise NotFound("No answer stands to such a warning on the record.")
        given = WarningAnswer.objects.get(uuid=warned.answer.id)
        return services.save(
            WarningAnswer(
                incident=incident,
                rule=given.rule,
                fingerprint=given.fingerprint,
                message=given.message,
                about_id=given.about_id,
                reason=reason,
                actor=actor,
                revision=incident.revision.number,
                withdraws=given,
            )
        )


def said_of(incident: Incident, reader: User) -> list[WarningAnswer]:
    """Every answer and withdrawal of a record that this person may be told of, the first first."""
    rows = WarningAnswer.objects.filter(incident=incident)
    rows = rows.select_related("actor", "withdrawn_by__actor", "about")
    visible = Incident.objects.visible_to(reader)
    return list((rows.filter(about=None) | rows.filter(about__in=visible)).order_by("pk"))


def _locked(actor: User, incident_uuid: uuid.UUID, reason: str) -> Incident:
    incident = lock(actor, named=incident_uuid)
    if (refusal := why_not(actor, incident)) is not None:
        raise refusal
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": ["Say why."]})
    return incident


def _standing(incident: Incident, actor: User, fingerprint: str) -> warnings.Warned | None:
    found = warnings.of_records([incident.pk], actor)[incident.pk]
    return next((warned for warned in found if warned.fingerprint == fingerprint), None)

"""The three incidents of the seed article, taken through the real workflow by the demo people."""

from __future__ import annotations

from collections.abc import Callable

from harmtracker.accounts.models import User
from harmtracker.accounts.services import setup_actor

from . import fixtures_loading
from .choices import State, Verb
from .models import Incident
from .workflow import take_step


def load_incidents(
    *, researcher: User, verifier: User, say: Callable[[str], None] = lambda line: None
) -> None:
    """Enter, submit, verify and publish what is not there yet. Run again, it goes on where it
    was stopped and adds nothing twice."""
    fixtures_loading.load_shared(setup_actor(), say)
    for name, data in fixtures_loading.incident_files():
        incident = Incident.objects.filter(uuid=data["incident"]["uuid"]).first()
        if incident is None:
            incident = fixtures_loading.enter_incident(data, author=researcher)
        for state, verb, actor in (
            (State.DRAFT, Verb.SUBMIT, researcher),
            (State.SUBMITTED, Verb.VERIFY, verifier),
            (State.VERIFIED, Verb.PUBLISH, verifier),
        ):
            if incident.state == state and incident.code is None:
                incident = take_step(verb, incident_id=incident.pk, actor=actor)
        say(f"{name}: {incident.code or incident.state}")

"""What is shipped, taken through the real workflow by the demo people: the three incidents of the
seed article, and the Kachin events of UCDP GED."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from harmtracker.accounts.models import User
from harmtracker.accounts.services import setup_actor

from . import fixtures_loading
from .choices import BatchState, State, Verb
from .importers import reviewing
from .importers.ucdp_import import import_file
from .models import ImportBatch, Incident
from .workflow import take_step

UCDP_FILE = "ucdp_ged_kachin_1989-2023.csv"


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


def load_ucdp(
    *, researcher: User, verifier: User, say: Callable[[str], None] = lambda line: None
) -> None:
    """Import, verify and publish the shipped events of UCDP GED. Run again, it goes on where it
    was stopped and adds nothing twice."""
    report = import_file(settings.FIXTURES / UCDP_FILE, researcher)
    say(", ".join(f"{number} {outcome}" for outcome, number in sorted(report.counts.items())))
    for batch in ImportBatch.objects.filter(importer=researcher, file_name=UCDP_FILE):
        if batch.state == BatchState.SUBMITTED:
            batch = reviewing.verify(batch.uuid, verifier)
        if batch.state == BatchState.VERIFIED:
            batch = reviewing.publish(batch.uuid, verifier)
        say(f"import of {batch.file_name}: {batch.state}")

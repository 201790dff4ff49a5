"""The smallest valid and boring row of every table, with overrides by keyword.

Evidence is written in somebody's name: call these inside :func:`acting`. Each makes the rows
that it needs and was not given. ``save=False`` gives the row unsaved.
"""

from __future__ import annotations

import hashlib
from itertools import count as counter
from types import SimpleNamespace
from typing import Any, TypeVar

from django.db import models
from django.utils import timezone

from harmtracker.accounts.models import User
from incidents import answering, warnings
from incidents.choices import State, Verb
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    Dataset,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    Involvement,
    Place,
    ReviewComment,
    Victim,
    VictimClaim,
    WeaponUse,
)
from incidents.workflow import take_step
from sources.models import Article, Capture, ConfidentialSource, CustodyEntry, Outlet, Reveal

Row = TypeVar("Row", bound=models.Model)
_number = counter(1)


def _row(model: type[Row], fields: dict[str, Any], **defaults: Any) -> Row:
    save = fields.pop("save", True)
    row = model(**{**defaults, **fields})
    if save:
        row.save()
    return row


# --- Shared records ---


def outlet(**fields: Any) -> Outlet:
    n = next(_number)
    return _row(
        Outlet,
        fields,
        slug=f"outlet-{n}",
        name=f"Outlet {n}",
        kind="local_media",
        independence_group=f"outlet-{n}",
    )


def article(**fields: Any) -> Article:
    fields.setdefault("outlet", None)
    if fields["outlet"] is None:
        fields["outlet"] = outlet()
    return _row(Article, fields, title=f"Article {next(_number)}", language="en")


def capture(*, by: User, **fields: Any) -> Capture:
    if "article" not in fields:
        fields["article"] = article()
    return _row(
        Capture,
        fields,
        kind="html",
        sha256=hashlib.sha256(str(next(_number)).encode()).hexdigest(),
        size=1,
        media_type="text/html",
        captured_at=timezone.now(),
        captured_by=by,
        tool="a test",
    )


def custody_entry(*, by: User, **fields: Any) -> CustodyEntry:
    if "capture" not in fields:
        fields["capture"] = capture(by=by)
    return _row(CustodyEntry, fields, action="read", by=by)


def confidential_source(**fields: Any) -> ConfidentialSource:
    if "outlet" not in fields:
        fields["outlet"] = outlet(kind="witness")
    return _row(ConfidentialSource, fields, key_name="0123456789abcdef", sealed=bytes(600))


def reveal(*, by: User, **fields: Any) -> Reveal:
    if "source" not in fields:
        fields["source"] = confidential_source()
    return _row(Reveal, fields, by=by, reason="For a test")


def place(**fields: Any) -> Place:
    n = next(_number)
    defaults: dict[str, Any] = {"level": "settlement", "country": "MMR"}
    if fields.get("level") != "country" and "parent" not in fields:
        defaults["parent"] = Place.objects.get(slug="mmr001")
    return _row(Place, fields, slug=f"place-{n}", name=f"Place {n}", **defaults)


def actor(**fields: Any) -> Actor:
    n = next(_number)
    return _row(
        Actor,
        fields,
        slug=f"actor-{n}",
        name=f"Actor {n}",
        kind="state_forces",
        independence_group=f"actor-{n}",
    )


def dataset(**fields: Any) -> Dataset:
    n = next(_number)
    return _row(Dataset, fields, slug=f"dataset-{n}", name=f"Dataset {n}")


# --- A record and its parts ---


def incident(*, author: User, **fields: Any) -> Incident:
    """A draft that can be taken through every step."""
    if "place" not in fields:
        fields["place"] = Place.objects.get(slug="laiza")
    return _row(
        Incident,
        fields,
        author=author,
        title="Shelling of a village",
        date_edtf="2024-05-06",
        grading="weak",
    )


def claim(incident: Incident, **fields: Any) -> Claim:
    if "article" not in fields:
        fields["article"] = article()
    if "attributed_outlet" not in fields and "attributed_actor" not in fields:
        fields["attributed_outlet"] = fields["article"].outlet
    return _row(Claim, fields, incident=incident, paraphrase="Two people were killed.")


def count(incident: Incident, **fields: Any) -> CasualtyCount:
    """Two killed civilians, of our assessment unless a claim is given."""
    return _row(
        CasualtyCount,
        fields,
        incident=incident,
        outcome="killed",
        status="civilian",
        min=2,
        best=2,
        max=2,
        qualifier="exact",
    )


def basis(incident: Incident, **fields: Any) -> CountBasis:
    if "count" not in fields:
        fields["count"] = count(incident)
    if "claim" not in fields:
        fields["claim"] = claim(incident)
    return _row(CountBasis, fields, incident=incident, bound="best")


def weapon_use(incident: Incident, **fields: Any) -> WeaponUse:
    return _row(WeaponUse, fields, incident=incident, weapon_id="EXG-ART", certainty="likely")


def involvement(incident: Incident, **fields: Any) -> Involvement:
    if "actor" not in fields:
        fields["actor"] = actor()
    return _row(
        Involvement, fields, incident=incident, role="alleged_perpetrator", certainty="alleged"
    )


def victim(incident: Incident, **fields: Any) -> Victim:
    return _row(Victim, fields, incident=incident, outcome="killed")


def victim_claim(incident: Incident, **fields: Any) -> VictimClaim:
    if "victim" not in fields:
        fields["victim"] = victim(incident)
    if "claim" not in fields:
        fields["claim"] = claim(incident)
    return _row(VictimClaim, fields, incident=incident)


def further_place(incident: Incident, **fields: Any) -> FurtherPlace:
    if "place" not in fields:
        fields["place"] = place()
    return _row(FurtherPlace, fields, incident=incident)


def external_id(incident: Incident, **fields: Any) -> ExternalId:
    if "dataset" not in fields:
        fields["dataset"] = dataset()
    return _row(ExternalId, fields, incident=incident, value=f"X{next(_number)}")


def link(incident: Incident, **fields: Any) -> IncidentLink:
    if "other" not in fields:
        fields["other"] = Incident.objects.get(code="MMR-2014-0001")
    return _row(IncidentLink, fields, incident=incident, kind="related")


def comment(incident: Incident, *, author: User, **fields: Any) -> ReviewComment:
    return _row(
        ReviewComment, fields, incident=incident, field="title", text="Which?", author=author
    )


# --- Through the workflow ---

_WAY = [
    (State.DRAFT, Verb.SUBMIT, "researcher"),
    (State.SUBMITTED, Verb.VERIFY, "verifier"),
    (State.VERIFIED, Verb.PUBLISH, "verifier"),
    (State.PUBLISHED, Verb.PROPOSE_RETRACTION, "verifier"),
    (State.PUBLISHED, Verb.RETRACT, "other_verifier"),
]


def answer_warnings(incident: Incident, *, by: User) -> None:
    """Answer whatever is open: records of tests are made for other things than what they say."""
    for warned in warnings.of(incident, by):
        if warned.asks == warnings.Asks.ANSWER and warned.is_open:
            answering.answer(by, incident.uuid, warned.fingerprint, "For a test")


def take_a_step(verb: Verb, *, incident_id: int, actor: User, **said: Any) -> Incident:
    """A step of the workflow. Before a verification its person answers what is open."""
    if verb == Verb.VERIFY:
        answer_warnings(Incident.objects.get(pk=incident_id), by=actor)
    return take_step(verb, incident_id=incident_id, actor=actor, **said)


def take_to(incident: Incident, state: State | str, people: SimpleNamespace) -> Incident:
    """Take a record of the researcher's from draft to a state, each step by whom it falls to.

    Once it is submitted the verifier answers what is open.
    """
    for before, verb, name in _WAY:
        if incident.state == state:
            break
        assert incident.state == before, f"{incident} is {incident.state}"
        incident = take_step(
            verb,
            incident_id=incident.pk,
            actor=getattr(people, name),
            reason="For a test",
            note="For a test",
        )
        if verb == Verb.SUBMIT:
            answer_warnings(incident, by=people.verifier)
    return incident

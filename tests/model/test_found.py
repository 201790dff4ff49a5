"""What the random acts found, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from harmtracker.history.acting import acting
from incidents import merging, services
from incidents.choices import State
from incidents.models import Dataset, ExternalId, Incident
from tests.drafts import revisions

pytestmark = pytest.mark.usefixtures("committed")

Draft = Callable[..., Incident]


def carries(incident: Incident) -> list[str]:
    rows = ExternalId.objects.filter(incident=incident)
    return list(rows.values_list("value", flat=True))


def name(incident: Incident, people: SimpleNamespace) -> None:
    with acting(people.researcher):
        services.add_part(
            ExternalId, incident=incident, dataset=Dataset.objects.all()[0], value="X1"
        )


def test_an_id_that_both_carried_comes_back_to_the_draft_that_it_was_of(
    draft: Draft, people: SimpleNamespace
) -> None:
    """The other has a code, and carries it as well: the draft is compared when it is published."""
    source, target = draft(), draft()
    name(source, people)
    name(target, people)
    for verb, person in (
        ("submit", "researcher"),
        ("verify", "verifier"),
        ("publish", "verifier"),
        ("reopen", "verifier"),
    ):
        merging.take_step(
            verb,
            incident_id=target.pk,
            actor=getattr(people, person),
            reason="More came to light",
        )
    row = merging.merge(
        source.pk, target.pk, people.researcher, "Entered twice", revisions(source, target)
    )
    assert (carries(source), carries(target)) == ([], ["X1"])
    merging.undo(row.uuid, people.researcher, "They are two")
    assert (carries(source), carries(target)) == (["X1"], ["X1"])


def test_an_id_of_a_draft_comes_back_where_another_was_published_with_it_since(
    draft: Draft, people: SimpleNamespace
) -> None:
    source, target, other = draft(), draft(), draft()
    name(source, people)
    name(other, people)
    row = merging.merge(
        source.pk, target.pk, people.researcher, "Entered twice", revisions(source, target)
    )
    for verb, person in (("submit", "researcher"), ("verify", "verifier"), ("publish", "verifier")):
        merging.take_step(verb, incident_id=other.pk, actor=getattr(people, person))
    assert Incident.objects.get(pk=other.pk).state == State.PUBLISHED
    merging.undo(row.uuid, people.researcher, "They are two")
    assert (carries(source), carries(target)) == (["X1"], [])

"""A row is stored at once where it is sound, and where it is not each field is told of."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from harmtracker.errors import Invalid
from harmtracker.history.acting import acting
from incidents import services
from incidents.models import CasualtyCount, Incident

pytestmark = pytest.mark.django_db


def count(incident: Incident, **fields: int) -> CasualtyCount:
    row: CasualtyCount = services.add_part(
        CasualtyCount,
        incident=incident,
        outcome="injured",
        status="civilian",
        sex="all",
        age_group="all",
        qualifier="approximate",
        **fields,
    )
    return row


def test_a_sound_row_is_one_statement(
    people: SimpleNamespace, draft: Callable[..., Incident]
) -> None:
    incident = draft()
    with acting(people.researcher, "Counted"):
        with CaptureQueriesContext(connections["default"]) as asked:
            count(incident, min=1, best=2, max=3)
        kinds = [query["sql"].split()[0] for query in asked]
    assert kinds == ["SAVEPOINT", "INSERT", "RELEASE"]


def test_a_refused_row_is_told_of_by_its_fields_and_nothing_else_is_lost(
    people: SimpleNamespace, draft: Callable[..., Incident]
) -> None:
    incident = draft()
    with acting(people.researcher, "Counted"):
        with pytest.raises(Invalid) as refused:
            count(incident, min=3, best=2, max=1)
        assert {"min", "best"} <= set(refused.value.fields)
        count(incident, min=1, best=2, max=3)
        with pytest.raises(Invalid) as twice:
            count(incident, min=1)
        assert twice.value.fields
    kept = incident.casualtycounts.get(outcome="injured")
    assert (kept.min, kept.best, kept.max) == (1, 2, 3)


def test_a_reference_to_nothing_is_refused_at_once(
    people: SimpleNamespace, draft: Callable[..., Incident]
) -> None:
    """And not at the end of the transaction, when the foreign key would be looked at."""
    incident = draft()
    with acting(people.researcher, "Moved"), pytest.raises(Invalid) as refused:
        services.change(incident, place_id=987_654_321)
    assert list(refused.value.fields) == ["place"]

"""What the tally's current rows come to: exact after whatever is done to the index."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db.models import Sum

from incidents.choices import State
from incidents.models import (
    Incident,
    PublishedAdm1Sum,
    PublishedIncident,
    PublishedTally,
    PublishedTallySum,
)
from tests.drafts import merge_into, publish_again
from tests.incidents.test_redaction import take, told
from tests.rules import run

pytestmark = pytest.mark.django_db(databases=["default", "published"])

TRIGGERS = {
    "incidents_publishedtally_summed_insert",
    "incidents_publishedtally_summed_update",
    "incidents_publishedtally_summed_delete",
}

Draft = Callable[..., Incident]
KEPT = import_module("incidents.migrations.0028_sums_by_country")


def assert_exact() -> None:
    """As the plain sum over the rows has it."""
    for table, (cell, _condition) in KEPT.KEPT.items():
        held = run(f"SELECT {cell}, {KEPT.COLUMNS} FROM {table}")
        assert sorted(held, key=repr) == sorted(run(KEPT.held(table)), key=repr)


def counted() -> int:
    """Records beside the three that are there from the start."""
    by_country, by_adm1 = (
        (model.objects.using("default").aggregate(n=Sum("incidents"))["n"] or 0) - 3
        for model in (PublishedTallySum, PublishedAdm1Sum)
    )
    assert by_country == by_adm1
    return by_country


def test_incidents_publishedtally_summed_insert(draft: Draft) -> None:
    draft(State.PUBLISHED)
    assert counted() == 1
    draft(State.PUBLISHED)
    assert counted() == 2
    assert_exact()


def test_incidents_publishedtally_summed_update(draft: Draft, people: SimpleNamespace) -> None:
    corrected = draft(State.PUBLISHED)
    publish_again(corrected, people, title="Shelling of a hamlet", date_edtf="2023-05-06")
    assert counted() == 1
    assert_exact()
    draft(State.RETRACTED)
    assert counted() == 1
    assert_exact()
    merge_into(draft(State.PUBLISHED), draft(), people)
    assert counted() == 2
    assert_exact()


def test_incidents_publishedtally_summed_delete(draft: Draft) -> None:
    draft(State.PUBLISHED)
    assert counted() == 1
    PublishedTally.objects.using("default").filter(valid_from__gt=3).delete()
    assert counted() == 0
    assert_exact()
    PublishedIncident.objects.using("default").all().delete()
    assert not PublishedTallySum.objects.using("default").exists()
    assert not PublishedAdm1Sum.objects.using("default").exists()


def test_those_by_province_hold_what_counts_alone(draft: Draft) -> None:
    draft(State.PUBLISHED, record_type="aggregate_count")
    sums = PublishedTallySum.objects.using("default")
    assert sums.filter(left_out="aggregate_count").aggregate(n=Sum("incidents")) == {"n": 1}
    by_adm1 = PublishedAdm1Sum.objects.using("default")
    assert by_adm1.aggregate(n=Sum("incidents")) == {"n": 3}
    assert_exact()


def test_they_are_exact_after_a_rebuild(draft: Draft, people: SimpleNamespace) -> None:
    publish_again(draft(State.PUBLISHED), people, title="Shelling of a hamlet")
    draft(State.RETRACTED)
    call_command("rebuild_published", verbosity=0)
    assert counted() == 1
    assert_exact()


def test_they_are_exact_after_a_redaction(draft: Draft, people: SimpleNamespace) -> None:
    take(told(draft, people), people)
    assert counted() == 1
    assert_exact()

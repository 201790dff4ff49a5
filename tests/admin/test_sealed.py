"""No page of the admin tells what a person may not see, whatever its address asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from harmtracker.history.acting import acting
from incidents import services
from incidents.models import Incident
from incidents.picking import KINDS

pytestmark = pytest.mark.django_db(databases=["default", "published"])

SignIn = Callable[[str], Client]
CANARY = "zqcanary7319q"
ROLES = ["other_researcher", "verifier", "administrator"]


@pytest.fixture
def hidden(draft: Callable[..., Incident], people: SimpleNamespace) -> Incident:
    """A draft of which every free text is a canary; its author and verifiers alone see it."""
    incident = draft(title=CANARY, summary=CANARY, internal_note=CANARY)
    with acting(people.researcher, CANARY):
        services.add_victim(
            incident=incident, claims=[], names=[CANARY], note=CANARY, outcome="killed"
        )
        claim = incident.claims.get()
        services.change(claim, quotation=CANARY, note=CANARY, speaker=CANARY)
    return incident


def lists() -> Iterator[tuple[Any, Any, str]]:
    for model, model_admin in admin.site._registry.items():
        opts = model._meta
        yield (
            model,
            model_admin,
            reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
        )


@pytest.mark.parametrize("name", ROLES)
def test_no_field_is_filtered_by_query_string_and_no_key_is_of_ones_own_choice(
    hidden: Incident, signed_in: SignIn, name: str
) -> None:
    """Whatever is not a declared filter is refused, and the refusal does not follow from data.

    ``_to_field`` would give a field of every row as the value of a list.
    """
    client = signed_in(name)
    client.raise_request_exception = False
    for model, model_admin, address in lists():
        if client.get(address).status_code != 200:
            continue
        for field in model._meta.get_fields():
            if field.name in model_admin.list_filter:
                continue
            for lookup in ("", "__contains", "__victims__names__contains"):
                response = client.get(address, {f"{field.name}{lookup}": CANARY})
                # Django's own answer to a parameter that is no field of the model: the list anew.
                assert response.status_code in (302, 400), (model, field.name, lookup)
                assert CANARY not in response.content.decode(), (model, field.name, lookup)
        for field in model._meta.concrete_fields:
            if field.primary_key or field.unique or field.name == "uuid":
                continue
            response = client.get(address, {"_to_field": field.name, "_popup": 1})
            assert response.status_code == 400, (model, field.name)


@pytest.mark.parametrize("name", ["other_researcher", "administrator"])
def test_lists_in_every_guise(hidden: Incident, signed_in: SignIn, name: str) -> None:
    client = signed_in(name)
    for model, model_admin, address in lists():
        columns = len(model_admin.list_display)
        queries: list[dict[str, Any]] = [
            {},
            {"_popup": 1},
            {"q": CANARY[:6], "all": ""},
            {
                "all": "",
                "_facets": 1,
                "o": ".".join(str(n) for n in range(1, columns + 1)),
            },
        ]
        for query in queries:
            response = client.get(address, query)
            if response.status_code == 403:
                break  # whatever is asked of it
            assert response.status_code == 200, (model, query)
            text = response.content.decode().replace(f'value="{CANARY[:6]}"', "")
            assert CANARY not in text, (model, query)


@pytest.mark.parametrize("name", ["other_researcher", "administrator"])
def test_no_searched_list_gives_it(hidden: Incident, signed_in: SignIn, name: str) -> None:
    """Neither what forms are filled from nor Django's own, which is closed to everybody."""
    client = signed_in(name)
    for kind in KINDS:
        hints = reverse("admin:incidents_incident_hints", args=[kind])
        for text in (CANARY, CANARY[:6]):
            assert CANARY not in client.get(hints, {"text": text}).content.decode(), kind
    address = reverse("admin:autocomplete")
    asked = 0
    for model, _, _ in lists():
        for field in model._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey):
                continue
            for term in ("", CANARY[:6]):
                query = {
                    "app_label": model._meta.app_label,
                    "model_name": model._meta.model_name,
                    "field_name": field.name,
                    "term": term,
                }
                response = client.get(address, query)
                asked += 1
                assert response.status_code == 404, (model, field.name)
    assert asked > 20


@pytest.mark.parametrize("name", ROLES)
def test_no_field_of_a_confidential_source_is_asked_for(signed_in: SignIn, name: str) -> None:
    """Who a source is stands encrypted: no list shows, orders, searches or filters it."""
    sealed = {
        field.name
        for model in admin.site._registry
        for field in model._meta.concrete_fields
        if isinstance(field, models.BinaryField)
    }
    for model, model_admin, _ in lists():
        shown = {*model_admin.list_display, *model_admin.search_fields, *model_admin.list_filter}
        assert not sealed & {str(column).split("__")[0] for column in shown}, model
    assert signed_in(name).get("/admin/").status_code == 200

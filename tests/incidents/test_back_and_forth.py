"""Migrations of what follows from the documents, back on a filled database and forth again."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client

ASKED = "/api/v1/incidents/?detail=document&weapon=EXG"


@pytest.mark.usefixtures("committed")
def test_the_index_comes_back_with_its_rows(client: Client) -> None:
    before = client.get(ASKED).json()["results"]
    assert len(before) == 3
    connections.close_all()
    # As it was before imports.
    call_command("migrate", "incidents", "0010", verbosity=0)
    call_command("migrate", verbosity=0)
    call_command("rebuild_published", verbosity=0)
    assert client.get(ASKED).json()["results"] == before

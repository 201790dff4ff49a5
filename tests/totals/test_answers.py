"""What totals of the three incidents say, under every grouping."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from incidents.totals.grouping import GROUPINGS

pytestmark = pytest.mark.usefixtures("three")


def ask(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(f"/api/v1/totals/?{query}")
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("name", GROUPINGS)
def test_each(client: Client, name: str) -> None:
    found = ask(client, f"group_by={name}")
    assert found["results"]

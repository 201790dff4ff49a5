from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from harmtracker.history.acting import acting
from tests import builders
from tests.admin.conftest import filled  # noqa: F401  (a fixture)
from tests.clients import Api

from .bodies import BASE, whole

Entered = tuple[dict[str, Any], str]


@pytest.fixture
def articles(people: SimpleNamespace) -> tuple[str, str]:
    """Ids of two articles by different outlets."""
    with acting(people.researcher):
        return str(builders.article().uuid), str(builders.article().uuid)


@pytest.fixture
def enter(api: Callable[..., Api], articles: tuple[str, str]) -> Callable[..., Entered]:
    """Enter a whole record over the API; its answer and its ETag."""

    def entered(name: str = "researcher", **fields: Any) -> Entered:
        response = api(name).post(BASE, whole(*articles, **fields))
        assert response.status_code == 201, response.content
        return response.json(), response["ETag"]

    return entered

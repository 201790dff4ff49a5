"""The public API reads over the connection ``published`` and over no other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client

from incidents import models
from tests.api import routes

INCIDENTS = Path(models.__file__).parent.parent
PUBLIC = [
    *INCIDENTS.glob("api/public/*.py"),
    *INCIDENTS.glob("exports/*.py"),
    *INCIDENTS.glob("totals/*.py"),
]
ALLOWED = {
    "LedgerHead",
    "LedgerEntry",
    "PublishedVersion",
    "PublishedCasualty",
    "PublishedIncident",
    "PublishedTally",
    "PublishedTotal",
    "PublishedChange",
    "Redaction",
    "PublishedReference",
    "Release",
    "ReleaseBuild",
    "ReleaseFile",
    "WeaponType",
}


@pytest.fixture
def only_published(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("casework was asked")

    for alias in ("default", "owner"):
        connections[alias].close()
        monkeypatch.setattr(connections[alias], "connect", refuse)
        monkeypatch.setattr(connections[alias], "cursor", refuse)


def test_no_address_of_the_api_asks_casework(client: Client, only_published: None) -> None:
    for path in routes.examples():
        assert client.get(path).status_code == 200, path
        assert client.head(path).status_code == 200, path
    query = "count=true&q=laiza&place=MMR&weapon=EXG&killed_all_max__gte=0&fields=code"
    assert client.get(f"/api/v1/incidents/?{query}").json()["count"] == 3
    for path in ("incidents/MMR-2000-0001/", "nothing/", "incidents/?x=1"):
        assert client.get(f"/api/v1/{path}").status_code in (400, 404)


def test_guard_of_this_test_works(three: None, only_published: None) -> None:
    with pytest.raises(AssertionError, match="casework was asked"):
        models.Incident.objects.using("default").count()


def test_public_modules_import_no_record_of_casework() -> None:
    for path in PUBLIC:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "incidents.models":
                assert {alias.name for alias in node.names} <= ALLOWED, path
            elif isinstance(node, ast.ImportFrom) and node.module:
                pure = (
                    "incidents.choices",
                    "incidents.comparing",
                    "incidents.finding",
                    "incidents.search",
                )
                # Columns of the index alone, and what is held to the same rule here.
                allowed = (
                    "incidents.models",
                    "incidents.models.releases",
                    "incidents.models.rows",
                    "incidents.models.tallies",
                    "incidents.models.tally_sums",
                    "incidents.publishing.parts",
                    *pure,
                )
                is_ours = node.module.startswith(("incidents", "sources"))
                is_ours = is_ours and not node.module.startswith(
                    ("incidents.exports", "incidents.totals", "incidents.releases.storage")
                )
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                is_ours = is_ours and not names <= {*pure, "incidents.releases.storage"}
                assert not is_ours or node.module in allowed, (path, node.module)

"""Who gets what in casework: every route, method and token, compared with a committed table.

The record is a researcher's draft, the ETag is the one of now, the body is ``{}``; whatever a
request does is undone. A new route without rows fails. After a change that is meant, write the
table anew with ``WRITE_ACCESS_TABLE=1`` and read the difference.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse

from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents.api.casework.writing import etag
from incidents.importers.ucdp_import import import_file
from incidents.models import Actor, ImportBatch, Incident, Place
from sources import confidential, services
from sources.sealing import Identity
from tests import builders
from tests.clients import Api
from tests.importers import files
from tests.test_access import CASEWORK, METHODS, routes

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).with_name("casework_access.tsv")
# Column -> person and scopes; None: all that the person may have.
TOKENS: dict[str, tuple[str | None, list[str] | None]] = {
    "none": (None, None),
    "public": ("researcher", ["public"]),
    "reads": ("researcher", ["casework:read"]),
    "author": ("researcher", None),
    "researcher": ("other_researcher", None),
    "verifier": ("verifier", None),
    "administrator": ("administrator", None),
}
Draft = Callable[..., Incident]


@pytest.fixture
def values(draft: Draft, people: SimpleNamespace) -> dict[str, Any]:
    return rows_of_all_kinds(draft, people)


def rows_of_all_kinds(draft: Draft, people: SimpleNamespace) -> dict[str, Any]:
    """What stands in the addresses: ids of rows that are there."""
    incident = draft()
    with acting(people.researcher, "For a test"):
        parts = {
            "weapons": builders.weapon_use(incident),
            "involvements": builders.involvement(incident),
            "victims": builders.victim(incident),
            "further-places": builders.further_place(incident),
            "external-ids": builders.external_id(incident),
            "links": builders.link(incident, other=Incident.objects.get(code="MMR-2023-0001")),
            "comments": builders.comment(incident, author=people.researcher),
        }
        witness = builders.outlet(kind="witness")
    source = confidential.create(witness, Identity(name="X"), by=people.researcher)
    article = incident.claims.get().article
    capture, _ = services.paste(article, "Two were killed.", by=people.researcher)
    parts |= {
        "claims": incident.claims.get(),
        "counts": incident.casualtycounts.get(claim=None),
        "bases": incident.bases.get(),
    }
    entry = HistoryEntry.objects.filter(incident_id=incident.pk).latest("pk")
    return {
        "incident": incident,
        "rows": {name: row.uuid for name, row in parts.items()},
        "entry": entry.uuid,
        "id": {
            "articles": article.uuid,
            "outlets": article.outlet.uuid,
            "captures": capture.uuid,
            "places": Place.objects.get(slug="laiza").uuid,
            "actors": Actor.objects.get(slug="kia").uuid,
            "confidential-sources": source.uuid,
            "imports": _import(people).uuid,
        },
    }


def _import(people: SimpleNamespace) -> ImportBatch:
    """An import of the researcher's that waits for a verifier."""
    with tempfile.TemporaryDirectory() as folder:
        batch = import_file(files.write(Path(folder), files.row()), people.researcher).batch
    assert batch is not None
    return batch


def address(route: str, values: dict[str, Any]) -> str:
    parts = route.removeprefix(CASEWORK).split("/")
    kind = parts[2] if parts[0] == "incidents" and len(parts) > 2 else parts[0]
    filled = {
        "<uuid:incident>": values["incident"].uuid,
        "<uuid:row>": values["rows"].get(kind),
        "<uuid:comment>": values["rows"]["comments"],
        "<uuid:entry>": values["entry"],
        "<uuid:merge>": uuid.uuid4(),
        "<slug:warning>": "0" * 64,
        "<uuid:id>": values["id"].get(kind),
    }
    for name, value in filled.items():
        route = route.replace(name, str(value))
    return f"/{route}"


def read(answer: HttpResponse) -> HttpResponse:
    """An answer read to its end: a copy that is sent is a file that is open."""
    if answer.streaming:
        b"".join(answer)
    return answer


@contextmanager
def undone(route: str) -> Iterator[None]:
    """A transaction that is rolled back. A reading of a copy commits before a byte is given."""
    if route.endswith("/content/") and "captures" in route:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def answers(client: Api, values: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(route, method, status) for one token."""
    # That the token was used today is written down here, and not in each request anew.
    client.get(f"/{CASEWORK}datasets/")
    for route in routes():
        if not route.startswith(CASEWORK):
            continue
        path = address(route, values)
        seen = etag(values["incident"])
        if "incidents" not in route:
            with undone(route):
                seen = read(client.get(path)).headers.get("ETag", '"none"')
        for method in METHODS:
            with undone(route):
                answer = client.request(method, path, {}, headers={"If-Match": seen})
                read(answer)
            yield route, method, str(answer.status_code)


def test_every_route_method_and_token_answers_as_the_table_says(
    api: Callable[..., Api], values: dict[str, Any]
) -> None:
    columns: dict[tuple[str, str], list[str]] = {}
    for person, scopes in TOKENS.values():
        for route, method, status in answers(api(person, scopes), values):
            columns.setdefault((route, method), []).append(status)
    found = ["\t".join(["route", "method", *TOKENS])]
    found += ["\t".join([route, method, *row]) for (route, method), row in columns.items()]
    if os.environ.get("WRITE_ACCESS_TABLE"):
        TABLE.write_text("\n".join(found) + "\n")
    assert found == TABLE.read_text().splitlines()


def test_the_table_holds_no_server_error_and_no_open_door() -> None:
    for line in TABLE.read_text().splitlines()[1:]:
        _route, method, *statuses = line.split("\t")
        given = dict(zip(TOKENS, statuses, strict=True))
        assert not any(status.startswith("5") for status in statuses), line
        assert given["none"] == "401", line
        assert given["public"] in {"403", "405"}, line
        assert given["administrator"] in {"403", "405"}, line
        if method not in ("GET", "HEAD"):
            assert given["reads"] in {"403", "405"}, line

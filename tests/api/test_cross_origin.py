"""Pages of other sites read what is public, and nothing else."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api.routes import CODE

pytestmark = pytest.mark.usefixtures("three")
ORIGIN = {"Origin": "https://dashboard.example"}
LIST = "/api/v1/incidents/"


@pytest.mark.parametrize(
    "path", ["/api/v1/", LIST, f"{LIST}{CODE}/", "/api/v1/schema/", f"{LIST}?wepon=x", "/api/v1/x/"]
)
def test_any_page_may_read_what_is_public(client: Client, path: str) -> None:
    answer = client.get(path, headers=ORIGIN)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    exposed = set(answer["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {"Link", "ETag", "RateLimit", "Retry-After", "Harmtracker-Position"}


def test_preflight_allows_reading_with_a_token(client: Client) -> None:
    answer = client.options(
        LIST,
        headers=ORIGIN
        | {
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization, if-none-match",
        },
    )
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert {"authorization", "if-none-match"} <= set(
        answer["Access-Control-Allow-Headers"].split(", ")
    )


@pytest.mark.parametrize(
    "path", ["/api/v1/casework/incidents/", "/admin/", "/admin/login/", "/", "/healthz"]
)
@pytest.mark.parametrize("method", ["get", "options"])
def test_no_other_site_reads_anything_else(client: Client, path: str, method: str) -> None:
    asked = ORIGIN | {"Access-Control-Request-Method": "GET"}
    answer = getattr(client, method)(path, headers=asked)
    assert not [name for name in answer.headers if name.startswith("Access-Control")]

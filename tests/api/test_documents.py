"""Documents and versions: stored bytes, hashes that are ETags, and what is not there."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.models import PublishedVersion
from tests.api.routes import CODE

DOCUMENT = f"/api/v1/incidents/{CODE}/"
VERSION = f"{DOCUMENT}versions/1/"

pytestmark = pytest.mark.usefixtures("three")


@pytest.mark.parametrize("path", [DOCUMENT, VERSION])
def test_document_is_the_stored_bytes_and_its_etag_their_hash(client: Client, path: str) -> None:
    response = client.get(path)
    stored = PublishedVersion.objects.using("published").get(code=CODE, number=1)
    assert response.content == stored.document.encode()
    assert response["ETag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", [DOCUMENT, VERSION, f"{DOCUMENT}?fields=title"])
def test_unchanged_document_is_304_and_is_not_read(client: Client, path: str) -> None:
    etag = client.get(path)["ETag"]
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        with CaptureQueriesContext(connections["published"]) as queries:
            response = client.get(path, headers={"If-None-Match": header})
        assert (response.status_code, response.content) == (304, b"")
        assert len(queries) == 1
        assert '"document"' not in queries[0]["sql"]


def test_another_etag_gets_the_document(client: Client) -> None:
    for header in ('"0"', "nonsense", '"', "", ",,,", '"' * 500):
        response = client.get(DOCUMENT, headers={"If-None-Match": header})
        assert response.status_code == 200
        assert response.content


def test_fields_pick_top_level_keys_in_one_order(client: Client) -> None:
    whole = client.get(DOCUMENT).json()
    response = client.get(f"{DOCUMENT}?fields=totals,code")
    assert response.content == client.get(f"{DOCUMENT}?fields=code,totals,code").content
    assert response.json() == {"code": CODE, "totals": whole["totals"]}
    assert response["ETag"] != client.get(DOCUMENT)["ETag"]
    assert response["ETag"] != client.get(f"{DOCUMENT}?fields=code")["ETag"]


def test_head_of_a_document_has_its_length_and_no_body(client: Client) -> None:
    response = client.head(DOCUMENT)
    assert response.content == b""
    assert int(response["Content-Length"]) == len(client.get(DOCUMENT).content)


def test_versions_name_the_hash_of_each_document(client: Client) -> None:
    body = client.get(f"{DOCUMENT}versions/").json()
    assert body["code"] == CODE
    (version,) = body["results"]
    assert set(version) == {"version", "kind", "published_at", "note", "sha256", "url"}
    assert client.get(version["url"])["ETag"] == f'"{version["sha256"]}"'
    assert version["published_at"] == client.get(DOCUMENT).json()["published_at"]


MISSING = [
    "incidents/MMR-2023-0002/",
    "incidents/MMR-1999-0001/",
    "incidents/mmr-2023-0001/",
    "incidents/MMR-2023-1/",
    "incidents/1/",
    "incidents/MMR-2023-0001%00/",
    "incidents/%FF/",
    "incidents/%ED%A0%80/",
    "incidents/..%2F..%2F/",
    "incidents/MMR-2023-0001%0A/",
    "incidents/MMR-٢٠٢٣-0001/",
    "incidents/" + "A" * 3000 + "/",
    "incidents/MMR-2023-0002/versions/",
    "incidents/MMR-2023-0002/versions/1/",
    "incidents/MMR-2023-0001/versions/0/",
    "incidents/MMR-2023-0001/versions/2/",
    "incidents/MMR-2023-0001/versions/-1/",
    "incidents/MMR-2023-0001/versions/01/",
    "incidents/MMR-2023-0001/versions/99999999999999999999/",
    "incidents/MMR-2023-0001/versions/x/",
    "places/00000000-0000-4000-8000-000000000000/",
    "places/MMR/",
    "places/%00/",
    "actors/00000000-0000-4000-8000-000000000000/",
    "weapon-types/XXX/",
    "weapon-types/%00/",
    "codelists/nothing/",
    "codelists/%00/",
    "nothing/",
    "incidents/MMR-2023-0001/claims/",
]


def test_what_is_not_there_is_the_same_404_everywhere(client: Client) -> None:
    answers = {path: client.get(f"/api/v1/{path}") for path in MISSING}
    assert {path: a.status_code for path, a in answers.items()} == dict.fromkeys(MISSING, 404)
    assert len({a.content for a in answers.values()}) == 1


def test_reference_of_a_document_leads_to_its_detail(client: Client) -> None:
    document = client.get(DOCUMENT).json()
    claim = document["claims"][0]
    for path, expected in (
        (f"places/{document['place']['id']}/", document["place"]["name"]),
        (f"actors/{document['involvement'][0]['actor']['id']}/", None),
        (f"outlets/{claim['article']['outlet']['id']}/", claim["article"]["outlet"]["name"]),
        (f"articles/{claim['article']['id']}/", None),
    ):
        response = client.get(f"/api/v1/{path}")
        assert response.status_code == 200
        assert response["ETag"]
        assert expected is None or response.json()["name"] == expected


def test_code_lists_say_what_the_codes_of_documents_mean(client: Client) -> None:
    lists = client.get("/api/v1/codelists/").json()["results"]
    grading = next(row for row in lists if row["list"] == "grading")
    codes = client.get(grading["url"]).json()["codes"]
    assert len(codes) == grading["count"]
    assert "contested" in [row["code"] for row in codes]


def test_weapon_types_have_two_levels(client: Client) -> None:
    rows = client.get("/api/v1/weapon-types/").json()["results"]
    assert {row["parent"] for row in rows} <= {None, *(row["code"] for row in rows)}
    assert client.get("/api/v1/weapon-types/EXG-ART/").json()["parent"] == "EXG"


def test_root_document_leads_everywhere(client: Client) -> None:
    root = client.get("/api/v1/").json()
    assert root["position"] == 3
    assert root["licence"]["name"] == "CC BY 4.0"
    for url in root["links"].values():
        assert client.get(url).status_code == 200


def test_claims_carry_no_more_than_the_document_has(client: Client) -> None:
    rows = client.get("/api/v1/incidents/").json()["results"]
    assert all("claims" not in row for row in rows)
    assert all("basis" not in count for row in rows for count in row["casualties"])
    document = client.get(DOCUMENT).json()
    summary = next(row for row in rows if row["code"] == CODE)
    assert summary["claim_count"] == len(document["claims"])
    assert json.dumps(summary["totals"]) == json.dumps(document["totals"])

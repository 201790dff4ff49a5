"""The description of the API: committed, equal to what is served, true of the documents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS

from harmtracker.api import schema
from tests.api import routes

CASEWORK = "/api/v1/casework/"
COMMITTED = Path(settings.BASE_DIR) / "openapi.yaml"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    result: dict[str, Any] = yaml.safe_load(schema.written(as_json=False))
    return result


def test_committed_description_is_what_the_code_gives() -> None:
    """If not: `python manage.py spectacular --validate --fail-on-warn --file openapi.yaml`."""
    assert COMMITTED.read_bytes() == schema.written(as_json=False)
    assert not GENERATOR_STATS


def test_every_route_is_described(described: dict[str, Any]) -> None:
    paths = {re.sub(r"<\w+:(\w+)>", r"{\1}", path) for path in routes.templates()}
    assert set(described["paths"]) == paths - {"/api/v1/schema/", "/api/v1/docs/"}


def test_every_parameter_and_field_says_what_it_means(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        assert CASEWORK in path or set(methods) == {"get"}
        for method in methods.values():
            for parameter in method.get("parameters", ()):
                assert parameter.get("description"), (path, parameter["name"])
    for name, component in described["components"]["schemas"].items():
        for key, field in component.get("properties", {}).items():
            assert "description" in field or "$ref" in field, (name, key)


def test_every_answer_is_described(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        if CASEWORK in path:
            continue
        statuses = set(methods["get"]["responses"])
        assert {"200", "304", "400", "401", "405", "406", "414", "429", "500", "503"} <= statuses
    detail = described["paths"]["/api/v1/incidents/{code}/"]["get"]["responses"]
    assert {"404", "410"} <= set(detail)


def test_every_method_of_casework_is_described_with_its_refusals(
    described: dict[str, Any],
) -> None:
    for path, methods in described["paths"].items():
        if CASEWORK not in path:
            continue
        for name, method in methods.items():
            statuses = set(method["responses"])
            assert {"400", "401", "403", "405", "500", "503"} <= statuses, (path, name)
            assert statuses & {"200", "201", "204"}, (path, name)
            asks = {p["name"] for p in method["parameters"]}
            assert ("If-Match" in asks) == ({"412", "428"} <= statuses), (path, name)
            assert method["security"] == [{"token": []}], (path, name)


def test_description_can_be_had_as_json_and_as_yaml(client: Client) -> None:
    as_json = client.get("/api/v1/schema/")
    assert as_json["Content-Type"] == "application/json"
    as_yaml = client.get("/api/v1/schema/", headers={"Accept": "application/yaml"})
    assert as_yaml["Content-Type"] == "application/yaml"
    assert yaml.safe_load(as_yaml.content) == as_json.json()
    assert as_json["Vary"].split(", ")[0] == "Accept"
    assert as_json["ETag"] != as_yaml["ETag"]
    unchanged = client.get("/api/v1/schema/", headers={"If-None-Match": as_json["ETag"]})
    assert unchanged.status_code == 304


def _closed(node: Any) -> Any:
    """The same schema, letting no key pass that it does not name."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if "properties" in node and node.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def test_answers_are_what_the_description_says_to_the_last_key(
    client: Client, three: None, described: dict[str, Any]
) -> None:
    components = _closed(described["components"])
    by_path = {
        re.sub(r"\{\w+\}", r"[^/]+", path) + "$": methods["get"]["responses"]["200"]
        for path, methods in described["paths"].items()
        if CASEWORK not in path
    }
    # An address that is written out comes before one with a place for a name.
    patterns = sorted(by_path, key=lambda pattern: pattern.count("[^/]+"))
    checked = 0
    for path in [*routes.examples(), "/api/v1/incidents/MMR-2014-0001/",
                 "/api/v1/incidents/MMR-2024-0001/"]:  # fmt: skip
        answers = [by_path[pattern] for pattern in patterns if re.match(pattern, path)]
        if not answers:
            continue
        if "application/json" not in answers[0]["content"]:
            continue
        content = answers[0]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**content, "components": components}).validate(
            client.get(path).json()
        )
        checked += 1
    assert checked >= 17


def test_documentation_loads_nothing_from_elsewhere(client: Client) -> None:
    for path in ("/api/v1/docs/", "/api/v1/docs/?script="):
        text = client.get(path).content.decode()
        assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)
        assert "<style" not in text
        assert not re.findall(r"<script>", text)
    assert client.get("/api/v1/docs/?script=")["Content-Type"].startswith("application/javascript")

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from incidents.models import ReleaseBuild
from incidents.releases import making, storage

ROOT = "/api/v1/releases/"


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    """Where releases lie in this test."""
    settings.HARMTRACKER_RELEASES = tmp_path / "releases"
    return tmp_path / "releases"


@pytest.fixture
def released(committed: None, people: SimpleNamespace, files: Path) -> ReleaseBuild:
    """The three incidents, released."""
    return making.release("2026.1", people.verifier, site="https://harm.example.org")


def folder(build: ReleaseBuild) -> Path:
    return storage.folder_of(build.release.name, build.number)


def address(build: ReleaseBuild, path: str) -> str:
    return f"{ROOT}{build.release.name}/builds/{build.number}/{path}"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def page(name: str = "2026.1") -> Any:
    return Client().get(f"{ROOT}{name}/").json()

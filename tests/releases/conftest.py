from __future__ import annotations

import shutil
from collections.abc import Callable
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
def laid_with_files(
    laid: Callable[..., Any], files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Callable[[], Any]], Any]:
    """As `laid`, for what makes releases too: each test has a copy of their files."""

    def lay(name: str, build: Callable[[], Any]) -> Any:
        def build_and_keep() -> tuple[Any, Path]:
            value, kept = build(), tmp_path_factory.mktemp("laid") / "releases"
            shutil.copytree(files, kept, symlinks=True)
            return value, kept

        value, kept = laid(name, build_and_keep)
        if not files.exists():
            shutil.copytree(kept, files, symlinks=True)
        return value

    return lay


@pytest.fixture
def released(laid_with_files: Callable[..., Any], people: SimpleNamespace) -> ReleaseBuild:
    """The three incidents, released."""

    def build() -> ReleaseBuild:
        return making.release("2026.1", people.verifier, site="https://harm.example.org")

    found: ReleaseBuild = laid_with_files("the three, released", build)
    return found


def folder(build: ReleaseBuild) -> Path:
    return storage.folder_of(build.release.name, build.number)


def address(build: ReleaseBuild, path: str) -> str:
    return f"{ROOT}{build.release.name}/builds/{build.number}/{path}"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def page(name: str = "2026.1") -> Any:
    return Client().get(f"{ROOT}{name}/").json()

"""The page on casework is true: its requests are sent as they stand, its answers compared."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.clients import Api, code_of
from tests.docs import pages
from tests.running import server_process

PAGE = Path(__file__).parents[2] / "docs" / "casework.md"
# Who the page calls otherwise than the tests do.
NAMES = {"other_verifier": "verifier2"}
SCOPES = {
    "researcher": ["casework:read", "casework:write"],
    "verifier": ["casework:read", "casework:write", "verify"],
    "other_verifier": ["casework:read", "casework:write", "verify"],
}


@pytest.mark.usefixtures("committed")
def test_the_page_on_casework(
    people: SimpleNamespace, api: Callable[..., Api], tmp_path: Path
) -> None:
    tokens = {
        NAMES.get(name, name).upper(): str(api(name, scopes).bearer)
        for name, scopes in SCOPES.items()
    }
    page = pages.blocks(PAGE.read_text())
    with server_process(tmp_path / "captures") as started:
        environment = {
            # The page's python3 is this one, and starts at once.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HERE": f"http://127.0.0.1:{started.port}",
            "CODE_OF_VERIFIER": code_of(people.verifier, 1),
            **tokens,
        }
        came = pages.run(page, environment=environment, folder=tmp_path)
    wrong = []
    for block, answer in zip(page, came, strict=False):
        for name, called in NAMES.items():
            answer = answer.replace(name, called)
        if difference := pages.difference(block.answer or "", answer):
            wrong.append(f"{PAGE.name}, line {block.line}:\n{difference}")
    assert not wrong, "\n\n".join(wrong)
    assert len(came) == len(page), f"it ended after line {page[len(came) - 1].line}"

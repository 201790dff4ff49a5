"""The pages for clients are true: their requests are sent as they stand, their answers compared."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from incidents.api.public.views import IncidentListView
from tests.clients import Api
from tests.docs import pages
from tests.running import server_process

FOLDER = Path(__file__).parents[2] / "docs" / "clients"
# Their blocks are run from the day on which the list takes the parameter.
EXPORTS_ARE_SERVED = "format" in IncidentListView.parameters


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("name", "kind", "run"),
    [("curl.md", "sh", pages.run), ("python.md", "python", pages.run_python)],
)
def test_a_page_for_clients(
    api: Callable[..., Api],
    tmp_path: Path,
    name: str,
    kind: str,
    run: Callable[..., list[str]],
) -> None:
    page = pages.blocks((FOLDER / name).read_text(), kind)
    if not EXPORTS_ARE_SERVED:
        page = [block for block in page if "format=" not in block.command]
    assert page
    rates = {"ANONYMOUS": "60/min", "TOKEN": "600/min", "EXPORT": "6/h", "EXPORT_TOKEN": "60/h"}
    variables = {f"HARMTRACKER_RATE_{of}": rate for of, rate in rates.items()}
    with server_process(tmp_path / "captures", **variables) as started:
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "HERE": f"http://127.0.0.1:{started.port}",
            "TOKEN": str(api("researcher", ["public"]).bearer),
        }
        came = run(page, environment=environment, folder=tmp_path)
    wrong = [
        f"{name}, line {block.line}:\n{difference}"
        for block, answer in zip(page, came, strict=False)
        if (difference := pages.difference(block.answer or "", answer))
    ]
    assert not wrong, "\n\n".join(wrong)
    assert len(came) == len(page), f"it ended after line {page[len(came) - 1].line}"

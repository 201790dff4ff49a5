"""What the documents link to is there, and each screenshot stands in one of them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def linked() -> dict[Path, set[Path]]:
    return {
        page: {(page.parent / target).resolve() for target in _LINK.findall(page.read_text())}
        for page in PAGES
    }


def test_every_link_leads_somewhere() -> None:
    broken = {
        page.name: sorted(target.name for target in targets if not target.exists())
        for page, targets in linked().items()
    }
    assert {name: targets for name, targets in broken.items() if targets} == {}


def test_every_screenshot_is_shown_and_every_page_is_listed() -> None:
    shown = set().union(*linked().values())
    assert sorted({*(ROOT / "docs" / "screenshots").glob("*.png")} - shown) == []
    assert sorted({*(ROOT / "docs").glob("*.md")} - shown) == []

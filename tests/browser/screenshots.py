"""Make the screenshots of docs/ anew: ``uv run python -m tests.browser.screenshots``.

They are what the story of a record shows on its way, see ``test_story.py``. With ``--all FOLDER``
every page of the admin is laid down in a folder besides, in each size and colour, to be looked at.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

# Where screenshots are left, if anywhere.
SCREENSHOTS = "HARMTRACKER_TEST_SCREENSHOTS"
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "screenshots"


def make(folder: Path, test: str) -> int:
    """Run one file of browser tests that leaves its screenshots in a folder; its exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", f"tests/browser/{test}"]
    environment = {**os.environ, SCREENSHOTS: str(folder.resolve())}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page of the admin too")
    asked = parser.parse_args()
    failed = make(DOCS, "test_story.py")
    if asked.all is not None:
        for pages in ("test_desk_pages.py", "test_stock_pages.py"):
            failed = make(asked.all, pages) or failed
    return failed


if __name__ == "__main__":
    sys.exit(main())

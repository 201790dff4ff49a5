from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def captures(settings: Any, tmp_path: Path) -> Path:
    """The folder of stored copies, of this test alone."""
    settings.HARMTRACKER_CAPTURES = tmp_path / "captures"
    return tmp_path / "captures"

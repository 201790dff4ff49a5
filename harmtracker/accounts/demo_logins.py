"""The file in the data folder that keeps the logins of the demo people."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from django.conf import settings


class DemoLogin(NamedTuple):
    """How a demo person logs in. ``totp_secret`` is base32, as an authenticator app takes it."""

    password: str
    totp_secret: str


def path() -> Path:
    return Path(settings.HARMTRACKER_DATA) / "demo_logins.json"


def read() -> dict[str, DemoLogin]:
    """By username; empty where quickstart made no demo people here."""
    if not path().exists():
        return {}
    kept = json.loads(path().read_text())
    return {name: DemoLogin(**row) for name, row in kept.items() if isinstance(row, dict)}


def write(logins: dict[str, DemoLogin]) -> None:
    """Replace the file's content as a whole; only its owner reads it."""
    text = json.dumps({name: login._asdict() for name, login in logins.items()}, indent=1) + "\n"
    path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path().with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path())

"""Tiles below the desk's maps: their host may be asked for pictures, and nothing else may."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harmtracker import tiles

ROOT = Path(__file__).parents[2]
SAY = """import django; django.setup()
from django.conf import settings
print(*settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"])"""


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://tiles.example.org/{z}/{x}/{y}.png", "https://tiles.example.org"),
        ("https://tiles.example.org:8443/a/{z}/{y}/{x}?k=1", "https://tiles.example.org:8443"),
        ("http://localhost:9911/{z}/{x}/{y}.png", "http://localhost:9911"),
        ("http://127.0.0.1/{z}/{x}/{y}", "http://127.0.0.1"),
        ("http://[::1]:80/{z}/{x}/{y}", "http://[::1]:80"),
    ],
)
def test_an_address_of_tiles_has_an_origin(address: str, origin: str) -> None:
    assert tiles.origin(address) == origin


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://tiles.example.org/{z}/{x}/{y}.png", "https://"),
        ("http://localhost.example.org/{z}/{x}/{y}.png", "https://"),
        ("//tiles.example.org/{z}/{x}/{y}.png", "https://"),
        ("tiles.example.org/{z}/{x}/{y}.png", "https://"),
        ("https:///{z}/{x}/{y}.png", "one host"),
        ("https://key@tiles.example.org/{z}/{x}/{y}.png", "one host"),
        ("https://*.example.org/{z}/{x}/{y}.png", "one host"),
        ("https://a.example; script-src */{z}/{x}/{y}.png", "one host"),
        ("https://a.example:many/{z}/{x}/{y}.png", "one host"),
        ("https://tiles.example.org/{z}/{x}.png", "{z}, {x} and {y}"),
        ("https://tiles.example.org/", "{z}, {x} and {y}"),
        ("https://{s}.tiles.example.org/{z}/{x}/{y}.png", "no other braces"),
        ("https://{z}.tiles.example.org/{x}/{y}.png", "no other braces"),
        ("https://tiles.example.org/{z}/{x}/{y}{r}.png", "no other braces"),
    ],
)
def test_an_address_that_a_page_could_not_load_is_refused(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        tiles.origin(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "'self' data:"),
        ("https://tiles.example.org/{z}/{x}/{y}.png", "'self' data: https://tiles.example.org"),
        ("http://localhost:9911/{z}/{x}/{y}.png", "'self' data: http://localhost:9911"),
        ("ftp://tiles.example.org/", "HARMTRACKER_MAP_TILE_URL: Tiles come over https://"),
    ],
)
def test_pages_may_ask_the_host_of_the_tiles_for_pictures(address: str, said: str) -> None:
    started = subprocess.run(
        [sys.executable, "-c", SAY],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "harmtracker.settings",
            "HARMTRACKER_MAP_TILE_URL": address,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert said in (started.stdout or started.stderr).splitlines()[-1]

"""The app refuses to start unsafely, each time in one line that says what to do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from harmtracker import checks, grants

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("three")

BAD_SETTINGS = [
    ({"DEBUG": True}, "DEBUG is on"),
    ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS is *"),
    ({"ALLOWED_HOSTS": ["harm.example"]}, "without HTTPS"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
    ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is too short"),
    ({"HARMTRACKER_TOKEN_PEPPER": "short"}, "HARMTRACKER_TOKEN_PEPPER is too short"),
]


def refusals(settings_fixture, **changes) -> list[str]:
    settings_fixture.ALLOWED_HOSTS = ["127.0.0.1"]
    for name, value in changes.items():
        setattr(settings_fixture, name, value)
    return checks.refusals()


def test_nothing_is_refused_where_all_is_well(settings) -> None:
    assert refusals(settings) == []


@pytest.mark.parametrize(("changes", "line"), BAD_SETTINGS, ids=lambda v: str(v)[:30])
def test_each_unsafe_setting_is_refused_in_one_line(settings, changes, line) -> None:
    (refusal,) = refusals(settings, **changes)
    assert line in refusal
    assert "\n" not in refusal


@pytest.mark.parametrize("alias", ["default", "published"])
def test_the_owner_is_refused_as_a_connection_of_the_app(settings, monkeypatch, alias) -> None:
    monkeypatch.setattr(
        type(connections), "__getitem__", _swapped(type(connections).__getitem__, alias)
    )
    (refusal,) = refusals(settings)
    assert "owns tables" in refusal


def _swapped(original, alias):
    return lambda self, name: original(self, "owner" if name == alias else name)


def test_a_database_that_does_not_answer_is_one_line(settings, monkeypatch) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "NAME", "no_such_database")
    connections["default"].close()
    (refusal,) = refusals(settings)
    assert "does not answer" in refusal
    assert "\n" not in refusal


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("ALTER TABLE incidents_claim DISABLE TRIGGER USER", "triggers are missing or off"),
        ("DROP TRIGGER incidents_review_guard ON incidents_review", "incidents_review_guard"),
        (
            "DROP TRIGGER incidents_publishedversion_guard ON incidents_publishedversion",
            "incidents_publishedversion_guard",
        ),
        ("GRANT EXECUTE ON FUNCTION history_record() TO {app}", "may call history_record"),
        ("GRANT SELECT (names) ON incidents_victim TO {public}", "grants differ"),
        ("GRANT DELETE ON incidents_incident TO {app}", "grants differ"),
        ("GRANT SELECT ON incidents_incident TO {public}", "grants differ"),
    ],
)
def test_a_weakened_database_is_refused(committed, settings, statement: str, line: str) -> None:
    app, public = grants.roles()
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement.format(app=app, public=public))
    (refusal,) = refusals(settings)
    assert line in refusal


def test_what_everybody_is_granted_counts_for_both_roles(committed, settings) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("GRANT SELECT ON history_historyentry TO PUBLIC")
    (refusal,) = refusals(settings)
    assert "grants differ" in refusal


def test_the_list_of_triggers_is_that_of_the_migrations() -> None:
    listed = checks.TRIGGERS.read_text().split()
    assert listed == sorted(listed)
    assert set(listed) == set(checks.triggers())


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_server_process_has_no_way_to_the_owner() -> None:
    ran = _python(
        "from harmtracker import settings; print('owner' in settings.DATABASES)",
        HARMTRACKER_IS_SERVER="1",
    )
    assert ran.stdout.strip() == "False", ran.stderr


def test_the_server_exits_in_words_on_an_unsafe_setting() -> None:
    ran = _python(
        "import harmtracker.wsgi",
        ALLOWED_HOSTS="*",
        DJANGO_SETTINGS_MODULE="harmtracker.settings",
    )
    assert ran.returncode != 0
    assert "harmtracker does not start: ALLOWED_HOSTS is *" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_documented_variables_are_those_that_are_read() -> None:
    from harmtracker.settings import VARIABLES

    text = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$", text, re.M)
    documented = {name: meaning for name, _, meaning in rows}
    assert documented == {v.name: v.meaning for v in VARIABLES}
    source = (ROOT / "harmtracker" / "settings.py").read_text()
    assert set(re.findall(r'_read\("([A-Z_]+)"\)', source)) == set(documented)


def test_settings_hold_no_default_secret() -> None:
    assert settings.SECRET_KEY
    assert 'SECRET_KEY = "' not in (ROOT / "harmtracker" / "settings.py").read_text()

"""The README's first command, from an empty folder, as its user runs it."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from harmtracker.postgres import default_cluster

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="harmtracker-quickstart-")) / "data"
    yield path
    default_cluster(path).destroy()
    for left in path.glob("*"):
        left.unlink()
    if path.exists():
        path.rmdir()
    path.parent.rmdir()


def environment(home: Path) -> dict[str, str]:
    hidden = ("DATABASE_", "HARMTRACKER_", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "PYTEST_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    return {**kept, "HARMTRACKER_DATA": str(home)}


def manage(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=180,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def first_run(home: Path) -> subprocess.CompletedProcess[str]:
    """Two at once on an empty folder; the one that came first, which made the demo people."""
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: manage(home, "quickstart", "--no-serve"), range(2)))
    assert [run.returncode for run in runs] == [0, 0], [run.stderr for run in runs]
    (first,) = [run for run in runs if "Demo logins" in run.stdout]
    return first


def test_the_first_run_loads_the_three_and_shows_the_logins(
    home: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    for code in ("MMR-2024-0001", "MMR-2023-0001", "MMR-2014-0001"):
        assert code in first_run.stdout
    for line in ("/api/v1/", "/api/v1/docs/", "/admin/"):
        assert line in first_run.stdout
    logins = json.loads((home / "demo_logins.json").read_text())
    assert set(logins) == {"researcher", "verifier", "verifier2", "administrator"}
    for username, login in logins.items():
        assert f"{username:<14} {login['password']}  {login['totp_secret']}" in first_run.stdout
        assert len(login["password"]) >= 15
        assert re.fullmatch("[A-Z2-7]{32}", login["totp_secret"])


def test_a_demo_person_logs_in_with_what_was_shown(
    home: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    shown = manage(home, "second_factor", "code", "verifier")
    assert re.fullmatch(r"[0-9]{6}\n", shown.stdout), shown.stderr
    check = (
        "from harmtracker.accounts import second_factor; "
        "from harmtracker.accounts.models import User; "
        f"print(second_factor.check(User.objects.get(username='verifier'), '{shown.stdout[:6]}'))"
    )
    assert manage(home, "shell", "-v", "0", "-c", check).stdout.strip() == "True"


def test_only_its_owner_reads_the_data_folder(
    home: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for name in ("demo_logins.json", "secret_key", "token_pepper"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600


def test_a_second_run_loads_nothing_twice_and_shows_no_password(
    home: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    kept = (home / "demo_logins.json").read_text()
    again = manage(home, "quickstart", "--no-serve")
    assert again.returncode == 0, again.stderr
    assert (home / "demo_logins.json").read_text() == kept
    assert all(
        secret not in again.stdout for row in json.loads(kept).values() for secret in row.values()
    )
    count = "from incidents.models import *; print(Incident.objects.count(), Claim.objects.count())"
    assert manage(home, "shell", "-v", "0", "-c", count).stdout.split() == ["3", "80"]


def test_it_serves_and_a_kill_of_the_app_leaves_the_next_one_its_database(
    home: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    for _ in range(2):
        port = free_port()
        server = subprocess.Popen(
            [sys.executable, "manage.py", "quickstart", "--port", str(port)],
            cwd=ROOT,
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            answer = _get(f"http://127.0.0.1:{port}/api/v1/incidents/", server)
            assert len(answer["results"]) == 3
        finally:
            os.killpg(server.pid, 9)
            server.communicate()


def _get(url: str, server: subprocess.Popen[bytes]) -> dict:
    for _ in range(300):
        if server.poll() is not None:
            pytest.fail((server.stderr.read() if server.stderr else b"").decode())
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"{url} did not answer")


def test_a_busy_port_is_one_clear_line(
    home: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        ran = manage(home, "quickstart", "--port", str(port))
    assert ran.returncode != 0
    assert ran.stderr.strip().splitlines() == [
        f"CommandError: Port {port} is taken by another program: stop it, or choose another --port."
    ]


def test_a_data_folder_of_another_version_is_one_clear_line() -> None:
    with tempfile.TemporaryDirectory(prefix="harmtracker-old-") as folder:
        home = Path(folder) / "data"
        home.mkdir(mode=0o700)
        cluster = default_cluster(home)
        try:
            cluster.data.mkdir(parents=True)
            (cluster.data / "PG_VERSION").write_text("14\n")
            ran = manage(home, "quickstart", "--no-serve")
        finally:
            cluster.destroy()
    assert ran.returncode != 0
    (line,) = ran.stderr.strip().splitlines()
    assert "14" in line
    assert "Traceback" not in ran.stdout


def test_empty_loads_code_lists_only() -> None:
    with tempfile.TemporaryDirectory(prefix="harmtracker-empty-") as folder:
        home = Path(folder) / "data"
        try:
            ran = manage(home, "quickstart", "--no-serve", "--empty")
            assert ran.returncode == 0, ran.stderr
            count = (
                "from incidents.models import *; from harmtracker.models import Code; "
                "print(Incident.objects.count(), Place.objects.count(), "
                "Code.objects.count() > 100, WeaponType.objects.count())"
            )
            shown = manage(home, "shell", "-v", "0", "-c", count)
            assert shown.stdout.split() == ["0", "0", "True", "82"], shown.stderr
            assert not (home / "demo_logins.json").exists()
        finally:
            default_cluster(home).destroy()


OURS = sorted(
    name
    for name, application in get_commands().items()
    if str(application).split(".")[0] in ("harmtracker", "incidents", "sources")
)


def test_help_needs_no_database(tmp_path: Path) -> None:
    ran = manage(tmp_path, "quickstart", "--help")
    assert ran.returncode == 0
    assert len(ran.stdout) > 200


@pytest.mark.parametrize("command", OURS)
def test_every_command_has_help_worth_reading(command: str) -> None:
    application = get_commands()[command]
    parser = load_command_class(application, command).create_parser("manage.py", command)
    assert len(parser.format_help()) > 200
    assert parser.description

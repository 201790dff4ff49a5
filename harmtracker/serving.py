"""Starting the server process: granian with two workers, given no way to the owner's role."""

from __future__ import annotations

import os
import socket
import sys
from typing import NoReturn

from django.core.management.base import CommandError

WORKERS = 2
# They wait for slow clients, and are made when there are such: harmtracker.working.
THREADS = 256


def refuse_busy_port(host: str, port: int) -> None:
    """Say in one line that somebody else listens there, before anything is started."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise CommandError(f"Port {port} needs more rights: choose one from 1024.") from error
        except OSError as error:
            raise CommandError(
                f"Port {port} is taken by another program: stop it, or choose another --port."
            ) from error


def serve(host: str, port: int) -> NoReturn:
    """Become the server. Does not come back."""
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_OWNER_URL"}
    environment["HARMTRACKER_IS_SERVER"] = "1"
    arguments = [
        *("--interface", "wsgi", "--host", host, "--port", str(port)),
        *("--workers", str(WORKERS), "--blocking-threads", str(THREADS)),
        *("--no-ws", "--log-level", "error", "--workers-kill-timeout", "10"),
        "harmtracker.wsgi:application",
    ]
    sys.stdout.flush()
    os.execve(  # noqa: S606  (our own interpreter, with fixed arguments)
        sys.executable, [sys.executable, "-m", "granian", *arguments], environment
    )

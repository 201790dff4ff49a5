"""The contenders' servers: granian with the workers that the product has, one at a time asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harmtracker.serving import WORKERS

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A program that listens on ``port`` and serves until it is stopped."""

    def __init__(self, name: str, command: Sequence[str], **environment: str) -> None:
        self.name = name
        self.port = free_port()
        self.process = subprocess.Popen(
            [part.replace("{port}", str(self.port)) for part in command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_until_ready(self, path: str) -> None:
        for _ in range(1200):
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} did not start: it ended with an error above.")
            try:
                self.get(path)
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"{self.name} did not answer in two minutes.")

    def get(self, path: str) -> bytes:
        address = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            return bytes(answer.read())

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def load(self, paths: Sequence[str], seconds: float, connections: int = 8) -> dict[str, float]:
        done = subprocess.run(
            [sys.executable, str(ROOT / "benchmarks" / "load.py"), str(self.port), str(seconds),
             str(connections)],
            input="\n".join(paths), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{self.name}, {paths[0]}: {done.stderr.strip()}")
        result: dict[str, float] = json.loads(done.stdout)
        return result

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def product(**environment: str) -> Server:
    """The server as it is shipped."""
    return Server(
        "harmtracker",
        [sys.executable, "manage.py", "serve", "--port", "{port}"],
        DJANGO_SETTINGS_MODULE="harmtracker.settings",
        **environment,
    )


def granian(name: str, target: str, *, interface: str = "wsgi", **environment: str) -> Server:
    threads = ("--blocking-threads", "1") if interface == "wsgi" else ()
    return Server(
        name,
        [
            sys.executable, "-m", "granian", "--interface", interface, "--host", "127.0.0.1",
            "--port", "{port}", "--workers", str(WORKERS), *threads, "--no-ws",
            "--log-level", "warning", target,
        ],
        **environment,
    )  # fmt: skip

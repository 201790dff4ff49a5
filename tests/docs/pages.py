"""A page of the documentation whose blocks are run, and its answers compared.

A block of ``sh``, or of another language that is asked for, is run; the block of ``text`` that
follows it, if any, is what it answers. Blocks of another kind (``console``, ``json``) are for
reading alone.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_FENCED = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_END_OF_BLOCK = "--- end of a block of the page ---"

# What is another each time, and what stands for it when two answers are compared.
_MASKS = (
    (re.compile(r"http://(?:127\.0\.0\.1|localhost):\d+"), "<here>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r'"[0-9a-f]{8}-(\d+)"'), r'"<id>-\1"'),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b"), "<digest>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<moment>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "<moment>"),
    (re.compile(r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"), "<moment>"),
)
_ANY_LINES = re.compile(r"[ \t]*\.\.\.")


class Block(NamedTuple):
    """One block of a page that is run; ``answer`` is None where the page shows none."""

    line: int
    command: str
    answer: str | None


def blocks(page: str, kind: str = "sh") -> list[Block]:
    """The blocks of a language that are run, in the order of the page."""
    fenced = list(_FENCED.finditer(page))
    following = [*fenced[1:], None]
    return [
        Block(
            line=page.count("\n", 0, one.start()) + 1,
            command=one["text"],
            answer=after["text"] if after is not None and after["kind"] == "text" else None,
        )
        for one, after in zip(fenced, following, strict=True)
        if one["kind"] == kind
    ]


def run(page: list[Block], *, environment: Mapping[str, str], folder: Path) -> list[str]:
    """What each block answers, in one shell, as far as it comes: it ends where a command fails."""
    script = "\n".join(f"{block.command}\necho '{_END_OF_BLOCK}'" for block in page)
    command = ["bash", "-eu", "-o", "pipefail", "-c", f"exec 2>&1\n{script}"]
    return _answers(command, environment, folder)


def run_python(page: list[Block], *, environment: Mapping[str, str], folder: Path) -> list[str]:
    """The same of blocks of Python, which are one script."""
    script = "\n".join(f"{block.command}\nprint({_END_OF_BLOCK!r}, flush=True)" for block in page)
    (folder / "page.py").write_text(script)
    return _answers([sys.executable, "page.py"], environment, folder)


def _answers(command: list[str], environment: Mapping[str, str], folder: Path) -> list[str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    *answers, rest = done.stdout.split(f"{_END_OF_BLOCK}\n")
    return [*answers, rest] if done.returncode else answers


def masked(answer: str) -> str:
    """An answer without what is another each time."""
    for pattern, mask in _MASKS:
        answer = pattern.sub(mask, answer)
    return answer


def difference(expected: str, came: str) -> str | None:
    """How an answer differs from the one on the page; None where it does not.

    On the page ``...`` stands for anything within a line, and on a line of its own for any lines.
    """
    expected, came = masked(expected).strip("\n"), masked(came).strip("\n")
    pattern = "".join(
        r"(?:.*\n)*?" if _ANY_LINES.fullmatch(line) else _line(line) + r"\n"
        for line in expected.split("\n")
    )
    if re.fullmatch(pattern, came + "\n"):
        return None
    lines = difflib.unified_diff(
        expected.split("\n"), came.split("\n"), "on the page", "as it came", lineterm="", n=30
    )
    return "\n".join(lines)


def _line(line: str) -> str:
    return ".*?".join(re.escape(part) for part in line.split("..."))

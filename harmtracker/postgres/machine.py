"""Users and processes of this machine."""

import os
import pwd
import shutil
import subprocess
from contextlib import suppress

SERVER_USERS = ("harmtracker", "postgres", "nobody")


def is_root() -> bool:
    return os.geteuid() == 0


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def add_server_user() -> None:
    """Create the server's user if it is missing. Failing is no error: there are other users."""
    with suppress(KeyError):
        pwd.getpwnam(SERVER_USERS[0])
        return
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is not None:
        subprocess.run(  # noqa: S603
            [program, "--system", "--no-create-home", "--shell", "/bin/false", SERVER_USERS[0]],
            capture_output=True,
            check=False,
        )

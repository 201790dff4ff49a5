"""Settings of the tests: the product's own, on a throw-away PostgreSQL, or on one given by URLs."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

# Hundreds of databases are laid, of hundreds of small files: in memory a tenth of the time it takes
# on a disk. A run needs a few hundred megabytes, and the log of the server a gigabyte at most.
MEMORY = "/dev/shm"
ROOM = 4 * 2**30


def _in_memory() -> str | None:
    with suppress(OSError):
        return MEMORY if shutil.disk_usage(MEMORY).free > ROOM else None
    return None


# The controller of a parallel run makes the folder; its workers inherit the variable. What somebody
# else made is not ours to remove.
TEST_HOME_IS_OURS = False
if "DATABASE_URL" not in os.environ and "HARMTRACKER_TEST_HOME" not in os.environ:
    os.environ["HARMTRACKER_TEST_HOME"] = tempfile.mkdtemp("", "harmtracker-test-", _in_memory())
    TEST_HOME_IS_OURS = True
os.environ["HARMTRACKER_DATA"] = os.environ.setdefault(
    "HARMTRACKER_TEST_HOME", tempfile.gettempdir()
)
os.environ["SECRET_KEY"] = "tests-only-" + "0123456789abcdef" * 4
os.environ["HARMTRACKER_TOKEN_PEPPER"] = "tests-only-" + "fedcba9876543210" * 4
# Not counted, but in the tests of counting: a thousand tests come from one address.
os.environ.update(
    HARMTRACKER_RATE_ANONYMOUS="",
    HARMTRACKER_RATE_TOKEN="",
    HARMTRACKER_RATE_FILE="",
    HARMTRACKER_RATE_FILE_TOKEN="",
    HARMTRACKER_RATE_EXPORT="",
    HARMTRACKER_RATE_EXPORT_TOKEN="",
)

from harmtracker.postgres import Cluster  # noqa: E402
from harmtracker.settings import *  # noqa: E402, F403
from harmtracker.settings import DATABASE_EMBEDDED, DATABASES, HARMTRACKER_DATA  # noqa: E402

# Root's server has files that are not root's, in a folder of its own: here beside the private one.
TEST_CLUSTER = Cluster(HARMTRACKER_DATA)
if HARMTRACKER_DATA.is_relative_to(MEMORY):
    TEST_CLUSTER.state = Path(f"{HARMTRACKER_DATA}-state")
if DATABASE_EMBEDDED:
    for _database in DATABASES.values():
        _database["HOST"] = str(TEST_CLUSTER.socket_dir)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files are looked for when they are asked for, and not by each of thousands of clients.
WHITENOISE_AUTOREFRESH = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]

"""Settings of the tests: the product's own, on a throw-away PostgreSQL, or on one given by URLs."""

import os
import tempfile

# The controller of a parallel run makes the folder; its workers inherit the variable.
if "DATABASE_URL" not in os.environ and "HARMTRACKER_TEST_HOME" not in os.environ:
    os.environ["HARMTRACKER_TEST_HOME"] = tempfile.mkdtemp(prefix="harmtracker-test-")
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

from harmtracker.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files are looked for when they are asked for, and not by each of thousands of clients.
WHITENOISE_AUTOREFRESH = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]

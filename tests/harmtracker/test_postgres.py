"""The embedded server. Each test makes its own throw-away cluster below a folder in /tmp.

Not below pytest's tmp_path: its parents are private, and as root the server's user must get there.
"""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import environ
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from harmtracker import postgres
from harmtracker.postgres import Cluster, PostgresError, create_roles

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
FAST = {"fsync": "off"}

needs_root = pytest.mark.root


def processes_in(place: Path) -> list[str]:
    """Living processes that work somewhere below `place`, as all of a server's do."""
    found = []
    for directory in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if directory.readlink().is_relative_to(place):
                found.append(directory.parent.name)
    return found


def make_place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    place.chmod(0o755)
    return place


def remove_place(place: Path, clusters: list[Cluster]) -> None:
    """Destroy the clusters and check that nothing is left of them."""
    for cluster in clusters:
        cluster.destroy()
    left = [
        path
        for cluster in clusters
        for path in (cluster.home, cluster.folder, cluster.socket_dir)
        if path.exists()
    ]
    processes = processes_in(place)
    shutil.rmtree(place)
    assert left == []
    assert processes == []


@pytest.fixture
def place() -> Iterator[Path]:
    place = make_place()
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def make(place: Path) -> Iterator[Callable[..., Cluster]]:
    """Makes clusters that are destroyed at the end, by default with their home in `place`."""
    made: list[Cluster] = []

    def make(home: str = "home", **fields: Path) -> Cluster:
        cluster = Cluster(place / home, **{"state": place / "state", **fields})
        made.append(cluster)
        return cluster

    yield make
    remove_place(place, made)


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    """One running cluster with its roles, for tests that only look."""
    place = make_place()
    cluster = Cluster(place / "home", state=place / "state")
    try:
        cluster.start(FAST)
        create_roles(cluster.url("postgres"), database="harmtracker")
        yield cluster
    finally:
        remove_place(place, [cluster])


@pytest.fixture(scope="module")
def spare() -> Iterator[Cluster]:
    """One cluster for tests that start and stop it, in whatever state the last one left it."""
    place = make_place()
    cluster = Cluster(place / "home", state=place / "state")
    yield cluster
    remove_place(place, [cluster])


def start_code(cluster: Cluster, then: str = "", user: str = "") -> list[str]:
    """Command that starts the cluster in another process, after becoming `user`.

    Python and its modules are loaded before, because another user may not be able to reach them.
    """
    drop = ""
    if user:
        entry = pwd.getpwnam(user)
        drop = f"os.setgroups([]); os.setgid({entry.pw_gid}); os.setuid({entry.pw_uid})"
    code = f"""
        import os, signal, sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        import psycopg
        from harmtracker.postgres import Cluster, create_roles
        {drop}
        cluster = Cluster(Path({str(cluster.home)!r}), state=Path({str(cluster.state)!r}))
        cluster.start({{"fsync": "off"}})
        print(cluster.status().pid, flush=True)
    """
    return [sys.executable, "-c", textwrap.dedent(code) + textwrap.dedent(then)]


def query(cluster: Cluster, statement: str, role: str = "postgres") -> list[tuple]:
    with psycopg.connect(cluster.url(role), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def one_line(error: pytest.ExceptionInfo[PostgresError]) -> str:
    message = str(error.value)
    assert message
    assert "\n" not in message
    return message


# Places and URLs, without a server.


def test_nothing_is_touched_before_start(place: Path) -> None:
    cluster = Cluster(place / "home", state=place / "state")
    assert cluster.url("harmtracker_app")
    assert not cluster.is_running()
    assert cluster.status().version is None
    cluster.stop()
    cluster.reset()
    cluster.destroy()
    assert list(place.iterdir()) == []


def test_url_is_understood_by_psycopg_and_django_environ() -> None:
    cluster = Cluster(Path("/srv/a b+%&'ü"), state=Path("/srv/s t+%&ü"))
    url = cluster.dsn("harmtracker_app", "test_harmtracker")
    directory = str(cluster.socket_dir)
    assert url.startswith("postgresql://harmtracker_app@:5432/test_harmtracker?host=%2Fsrv%2F")
    assert conninfo_to_dict(url) == {
        "user": "harmtracker_app",
        "dbname": "test_harmtracker",
        "host": directory,
        "port": "5432",
    }
    config = environ.Env.db_url_config(url)
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["USER"], config["NAME"]) == ("harmtracker_app", "test_harmtracker")
    assert (config["HOST"], config["PORT"]) == ("", 5432)
    assert config["OPTIONS"] == {"host": directory}


def test_one_home_has_one_socket_whatever_it_is_called(place: Path) -> None:
    (place / "link").symlink_to(place)
    assert Cluster(place / "link" / "x").socket_dir == Cluster(place / "x").socket_dir
    assert Cluster(place / "x").socket_dir != Cluster(place / "y").socket_dir


# Life of a server.


def test_start_stop_and_start_again(make: Callable[..., Cluster]) -> None:
    cluster = make()
    cluster.start(FAST)
    first = cluster.status()
    assert first.running
    assert first.version == "18"
    cluster.start()
    assert cluster.status().pid == first.pid
    query(cluster, "CREATE TABLE kept AS SELECT 1 AS x")

    cluster.stop()
    assert not cluster.is_running()
    cluster.stop()
    cluster.start(FAST)
    assert cluster.status().pid != first.pid
    assert query(cluster, "SELECT x FROM kept") == [(1,)]

    other = cluster.home / "attachments"
    other.mkdir()
    cluster.reset()
    assert not cluster.folder.exists()
    assert other.is_dir()
    assert not cluster.is_running()
    other.rmdir()


def test_server_is_as_promised(running: Cluster) -> None:
    def show(name: str) -> str:
        return query(running, f"SHOW {name}")[0][0]

    assert show("server_version_num").startswith("18")
    assert show("data_checksums") == "on"
    assert (
        query(
            running,
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database"
            " WHERE datname IN ('harmtracker', 'template1')",
        )
        == [("b", "PG_UNICODE_FAST", "UTF8")] * 2
    )
    assert show("listen_addresses") == ""
    assert show("unix_socket_permissions") == "0700"
    assert show("shared_buffers") == "128MB"
    assert show("max_connections") == "100"
    assert show("jit") == "off"
    assert show("timezone") == "UTC"
    assert show("log_timezone") == "UTC"
    assert show("fsync") == "off"
    assert query(running, "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == [(0,)]
    for path in (running.home, running.socket_dir, running.data):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(running.log.stat().st_mode) == 0o600
    if AS_ROOT:
        assert running.data.stat().st_uid != 0
        assert running.folder.stat().st_uid == 0
        noted = (running.home / "location").read_text().splitlines()[0]
        assert noted == str(running.folder)


def test_log_holds_no_values(running: Cluster) -> None:
    query(running, "CREATE TABLE person (name text PRIMARY KEY)")
    for statement in (
        "INSERT INTO person VALUES ('Secret Name'), ('Secret Name')",
        "SELECT 1 / length('') WHERE 'Secret Name' <> ''",
        "SELECT 'Secret Name'::int",
    ):
        with pytest.raises(psycopg.Error):
            query(running, statement)
    with psycopg.connect(running.url("postgres")) as connection, pytest.raises(psycopg.Error):
        connection.execute("SELECT 1 / (length(%s) - 11)", ["Secret Name"])
    log = running.log.read_text()
    assert "ready to accept connections" in log
    assert "Secret" not in log


def test_two_starts_at_once(make: Callable[..., Cluster]) -> None:
    cluster = make()
    processes = [
        subprocess.Popen(start_code(cluster), stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    results = [(process.communicate(timeout=60)[0], process.returncode) for process in processes]
    assert len(set(results)) == 1
    assert results[0] == (f"{cluster.status().pid}\n", 0)


def test_server_outlives_the_killed_process_that_started_it(make: Callable[..., Cluster]) -> None:
    cluster = make()
    killed = subprocess.run(
        start_code(cluster, "os.kill(os.getpid(), signal.SIGKILL)"),
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    time.sleep(0.2)
    cluster.start()
    assert cluster.status().pid == int(killed.stdout)


@pytest.mark.parametrize("moment", ["data.new/PG_VERSION", "data/postmaster.pid"])
def test_start_after_a_start_that_was_killed(make: Callable[..., Cluster], moment: str) -> None:
    cluster = make()
    with subprocess.Popen(start_code(cluster), stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not (cluster.folder / moment).exists() and time.monotonic() < deadline:
            time.sleep(0.002)
        process.kill()
    cluster.start(FAST)
    assert query(cluster, "SELECT 1") == [(1,)]
    assert not (cluster.folder / "data.new").exists()


def test_start_after_the_server_was_killed(spare: Cluster) -> None:
    cluster = spare
    cluster.start(FAST)
    query(cluster, "CREATE TABLE kept AS SELECT 1 AS x")
    pid = cluster.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    cluster.start(FAST)
    assert cluster.status().pid != pid
    assert query(cluster, "SELECT x FROM kept") == [(1,)]


def test_number_in_postmaster_pid_belongs_to_another_process(spare: Cluster) -> None:
    cluster = spare
    cluster.start(FAST)
    pid = cluster.status().pid
    assert pid is not None
    owner = cluster.data.stat()
    text = (cluster.data / "postmaster.pid").read_text()
    socket_lock = cluster.socket_dir / f".s.PGSQL.{postgres.PORT}.lock"
    cluster.stop(fast=True)
    identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if AS_ROOT else {}
    with subprocess.Popen(["sleep", "60"], cwd="/", **identity) as other:
        for stale in (text.replace(str(pid), str(other.pid), 1), ""):
            for path in (cluster.data / "postmaster.pid", socket_lock):
                path.write_text(stale)
                os.chown(path, owner.st_uid, owner.st_gid)
            assert not cluster.is_running()
            cluster.stop()
            cluster.start(FAST)
            assert query(cluster, "SELECT 1") == [(1,)]
            cluster.stop(fast=True)
        assert other.poll() is None
        other.kill()


def test_long_path(make: Callable[..., Cluster], place: Path) -> None:
    long = "long" * 30
    cluster = make(long, state=place / f"{long}2")
    assert len(os.fsencode(cluster.folder)) > 100
    digest = hashlib.sha256(os.fsencode(cluster.home)).hexdigest()[:16]
    assert cluster.socket_dir == Path(f"/tmp/harmtracker-{os.geteuid()}-{digest}")

    cluster.socket_dir.symlink_to(place)
    try:
        with pytest.raises(PostgresError, match="link") as error:
            cluster.start(FAST)
        assert str(cluster.socket_dir) in one_line(error)
    finally:
        cluster.socket_dir.unlink()

    cluster.start(FAST)
    assert query(cluster, "SELECT 1") == [(1,)]
    assert stat.S_IMODE(cluster.socket_dir.stat().st_mode) == 0o700
    cluster.destroy()
    assert not cluster.socket_dir.exists()
    assert not cluster.home.exists()


def test_strange_characters_in_the_path(make: Callable[..., Cluster], place: Path) -> None:
    strange = "a b'\"\\+%$(id)ü"
    cluster = make(strange, state=place / f"{strange}2")
    assert cluster.socket_dir.parent == cluster.folder
    cluster.start(FAST)
    assert query(cluster, "SELECT 1") == [(1,)]


def test_comma_in_the_path_is_kept_from_libpq(place: Path) -> None:
    cluster = Cluster(place / "a,b", state=place / "a,c")
    assert cluster.socket_dir.parent == Path("/tmp")


# Errors.


def test_data_of_another_version(make: Callable[..., Cluster]) -> None:
    cluster = make()
    cluster.home.mkdir()
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(PostgresError, match="PostgreSQL 17") as error:
        cluster.start(FAST)
    message = one_line(error)
    assert "PostgreSQL 18" in message
    assert "pg_dumpall" in message
    assert str(cluster.folder) in message


def test_start_failure_names_reason_and_log(spare: Cluster) -> None:
    cluster = spare
    cluster.stop(fast=True)
    with pytest.raises(PostgresError, match=r"harmtracker\.conf.* contains errors") as error:
        cluster.start({**FAST, "shared_buffers": "much"})
    assert str(cluster.log) in one_line(error)
    assert not cluster.is_running()


@needs_root
def test_full_disk(place: Path) -> None:
    disk = place / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("cannot mount here")
    try:
        cluster = Cluster(place / "home", state=disk / "state")
        with pytest.raises(PostgresError, match="is full") as error:
            cluster.start(FAST)
        assert str(cluster.folder) in one_line(error)
        cluster.destroy()
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_folder_that_others_need_is_refused(place: Path) -> None:
    cluster = Cluster(place, state=place / "state")
    with pytest.raises(PostgresError, match="HARMTRACKER_DATA") as error:
        cluster.start(FAST)
    one_line(error)
    assert stat.S_IMODE(place.stat().st_mode) == 0o755


def test_home_is_a_file(place: Path) -> None:
    (place / "file").write_text("")
    with pytest.raises(PostgresError, match="HARMTRACKER_DATA") as error:
        Cluster(place / "file" / "home", state=place / "state").start(FAST)
    one_line(error)


@needs_root
def test_home_of_another_user_is_refused(place: Path) -> None:
    home = place / "home"
    home.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    cluster = Cluster(home, state=place / "state")
    for action in (cluster.start, cluster.stop, cluster.status, cluster.reset):
        with pytest.raises(PostgresError, match="belongs to the user nobody") as error:
            action()
        one_line(error)


@needs_root
def test_no_permission(place: Path) -> None:
    cluster = Cluster(place / "home", state=place / "state")
    done = subprocess.run(start_code(cluster, user="nobody"), capture_output=True, text=True)
    assert "PostgresError: No permission on" in done.stderr
    assert "user nobody" in done.stderr.splitlines()[-1]


# Users of the machine.


@needs_root
def test_another_user_cannot_connect(running: Cluster) -> None:
    if running.status().user == "nobody":
        pytest.skip("the server itself runs as nobody")
    nobody = pwd.getpwnam("nobody")
    psql = running._binaries() / "psql"

    def connect(**identity: object) -> subprocess.CompletedProcess[str]:
        command = [psql, "-XAtc", "SELECT 'inside'", running.url("postgres")]
        return subprocess.run(command, capture_output=True, text=True, cwd="/", **identity)

    refused = connect(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr
    # Nor when nobody gets past the directory: the socket itself is private.
    running.socket_dir.chmod(0o711)
    try:
        refused = connect(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    finally:
        running.socket_dir.chmod(0o700)
    assert "Permission denied" in refused.stderr
    assert connect().stdout == "inside\n"


@needs_root
def test_ordinary_user(place: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    theirs = place / "theirs"
    theirs.mkdir()
    os.chown(theirs, nobody.pw_uid, nobody.pw_gid)
    cluster = Cluster(theirs / "home", state=place / "state")
    then = """
        create_roles(cluster.url("postgres"), database="harmtracker")
        cluster.start()
        with psycopg.connect(cluster.url("harmtracker_app")) as connection:
            print(*connection.execute("SELECT current_user").fetchone())
        status = cluster.status()
        print(status.user, status.folder)
        print(os.stat(f"/proc/{status.pid}").st_uid)
        cluster.stop()
        print(cluster.is_running())
        cluster.start()
        cluster.destroy()
        print(cluster.home.exists())
    """
    done = subprocess.run(
        start_code(cluster, then, user="nobody"), capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == [
        "harmtracker_app",
        f"nobody {theirs}/home/postgres",
        str(nobody.pw_uid),
        "False",
        "False",
    ]
    assert list(theirs.iterdir()) == []
    assert not cluster.state.exists()
    assert processes_in(place) == []


@needs_root
def test_default_place_of_root(place: Path) -> None:
    cluster = postgres.default_cluster(place / "home")
    assert cluster.folder.parent == Path("/var/lib/harmtracker")
    try:
        cluster.start(FAST)
        assert query(cluster, "SELECT 1") == [(1,)]
    finally:
        cluster.destroy()
    assert not cluster.folder.exists()
    assert processes_in(cluster.folder) == []
    assert list(place.iterdir()) == []


@needs_root
def test_wheel_that_the_server_user_cannot_reach_is_copied(
    make: Callable[..., Cluster], place: Path
) -> None:
    package = postgres.find_package()
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    for path in (package, package.with_name(f"{package.name}.libs")):
        (closed / path.name).symlink_to(path)
    cluster = make(package=closed / package.name)
    cluster.start(FAST)
    version = postgres.find_install(package)[1]
    copy = cluster.state / f"postgresql-{version}"
    program = Path(f"/proc/{cluster.status().pid}/exe").readlink()
    assert program.is_relative_to(copy)
    assert copy.stat().st_uid == 0
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert not list(cluster.state.glob(".*"))

    inode = copy.stat().st_ino
    assert Cluster(cluster.home, cluster.state, closed / package.name)._binaries().is_dir()
    assert copy.stat().st_ino == inode


@needs_root
def test_moved_home_does_not_become_an_empty_one(make: Callable[..., Cluster], place: Path) -> None:
    old = make("old")
    old.start(FAST)
    query(old, "CREATE TABLE kept AS SELECT 1 AS x")
    old.stop()
    new = make("new")
    old.home.rename(new.home)
    with pytest.raises(PostgresError, match="moved or copied") as error:
        new.start(FAST)
    assert f"mv {old.folder} {new.folder}" in one_line(error)
    old.folder.rename(new.folder)
    new.start(FAST)
    assert query(new, "SELECT x FROM kept") == [(1,)]


# Roles.


def test_role_attributes(running: Cluster) -> None:
    # rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls
    found = query(
        running,
        "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,"
        " rolreplication, rolbypassrls FROM pg_roles WHERE rolname LIKE 'harmtracker_%' ORDER BY 1",
    )
    assert found == [
        ("harmtracker_app", False, False, False, False, True, False, False),
        ("harmtracker_owner", False, True, False, True, True, False, False),
        ("harmtracker_public", False, False, False, False, True, False, False),
    ]
    assert query(running, "SELECT count(*) FROM pg_auth_members WHERE member > 16383") == [(0,)]
    owners = query(
        running,
        "SELECT datdba::regrole::text, (SELECT nspowner::regrole::text FROM pg_namespace"
        " WHERE nspname = 'public') FROM pg_database WHERE datname = 'harmtracker'",
    )
    assert owners == [("harmtracker_owner", "harmtracker_owner")]


def test_role_settings(running: Cluster) -> None:
    names = (
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "default_transaction_read_only",
        "search_path",
    )
    found = {
        role: [query(running, f"SHOW {name}", f"harmtracker_{role}")[0][0] for name in names]
        for role in postgres.ROLES
    }
    assert found == {
        "owner": ["0", "0", "0", "off", "public, pg_temp"],
        "app": ["30s", "5s", "1min", "off", "public, pg_temp"],
        "public": ["5s", "2s", "10s", "on", "public, pg_temp"],
    }


@pytest.mark.parametrize("role", ["app", "public"])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMP TABLE shadow (x int)",
        "CREATE TABLE public.stray (x int)",
        "CREATE SCHEMA stray",
        "CREATE DATABASE stray",
        "CREATE ROLE stray",
        "SET ROLE harmtracker_owner",
        "SET SESSION AUTHORIZATION harmtracker_owner",
        "SELECT * FROM kept_from_roles",
    ],
)
def test_what_roles_may_not_do(running: Cluster, role: str, statement: str) -> None:
    query(running, "CREATE TABLE IF NOT EXISTS kept_from_roles (x int)", "harmtracker_owner")
    with psycopg.connect(running.url(f"harmtracker_{role}"), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_privileges_are_put_right(running: Cluster) -> None:
    query(running, "GRANT ALL ON DATABASE harmtracker TO PUBLIC, harmtracker_app")
    query(running, "GRANT ALL ON SCHEMA public TO PUBLIC, harmtracker_public")
    query(running, "ALTER ROLE harmtracker_app CREATEROLE BYPASSRLS")
    create_roles(running.url("postgres"), database="harmtracker")
    test_role_attributes(running)
    rights = query(
        running,
        "SELECT has_database_privilege(r, 'harmtracker', 'CONNECT'),"
        " has_database_privilege(r, 'harmtracker', 'TEMP'),"
        " has_schema_privilege(r, 'public', 'USAGE'), has_schema_privilege(r, 'public', 'CREATE')"
        " FROM unnest(ARRAY['harmtracker_app', 'harmtracker_public']) AS r",
    )
    assert rights == [(True, False, True, False)] * 2
    query(running, "CREATE ROLE stranger LOGIN")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        query(running, "SELECT 1", "stranger")


def test_roles_at_once_in_two_databases(running: Cluster) -> None:
    query(running, "CREATE DATABASE test_other", "harmtracker_owner")
    code = f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from harmtracker.postgres import create_roles
        for _ in range(10):
            create_roles(sys.argv[1], database=sys.argv[2])
    """
    command = [sys.executable, "-c", textwrap.dedent(code), running.url("postgres")]
    processes = [
        subprocess.Popen([*command, database]) for database in ("harmtracker", "test_other") * 2
    ]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4


def test_membership_is_refused(running: Cluster) -> None:
    query(running, "GRANT harmtracker_owner TO harmtracker_app")
    try:
        with pytest.raises(PostgresError, match="is a member of harmtracker_owner") as error:
            create_roles(running.url("postgres"), database="harmtracker")
        one_line(error)
    finally:
        query(running, "REVOKE harmtracker_owner FROM harmtracker_app")


def test_prefix_passwords_and_open_connection(running: Cluster) -> None:
    with psycopg.connect(running.url("postgres")) as connection:
        create_roles(
            connection,
            prefix="other",
            passwords={"app": "it's a söcret"},
            database="harmtracker",
        )
        found = connection.execute(
            "SELECT rolname, left(rolpassword, 14) FROM pg_authid WHERE rolname LIKE 'other%'"
            " ORDER BY 1"
        ).fetchall()
        connection.rollback()
    assert found == [
        ("other_app", "SCRAM-SHA-256$"),
        ("other_owner", None),
        ("other_public", None),
    ]
    create_roles(running.url("postgres"), database="harmtracker")


def test_errors_of_create_roles(running: Cluster) -> None:
    superuser = running.url("postgres")
    calls = [
        (superuser, {"database": "absent"}, "does not exist"),
        (superuser, {"database": "harmtracker", "prefix": 'x"; --'}, "prefix"),
        (superuser, {"database": "harmtracker", "passwords": {"root": "x"}}, "no role 'root'"),
        (running.url("harmtracker_owner"), {"database": "harmtracker"}, "not a superuser"),
        ("mysql://nonsense", {"database": "harmtracker"}, "No connection"),
    ]
    for url, arguments, expected in calls:
        with pytest.raises(PostgresError, match=expected) as error:
            create_roles(url, **arguments)
        one_line(error)


def test_role_script_is_accepted_by_psql(running: Cluster) -> None:
    script = postgres.role_script(prefix="scripted", database="harmtracker")
    script = "".join(
        line for line in script.splitlines(keepends=True) if not line.startswith("\\password")
    )
    psql = postgres.find_install(postgres.find_package())[0] / "bin" / "psql"
    done = subprocess.run(
        [psql, "-Xq", running.url("postgres")], input=script, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert query(running, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^scripted_'") == [(3,)]
    create_roles(running.url("postgres"), database="harmtracker")

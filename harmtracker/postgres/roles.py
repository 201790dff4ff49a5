"""The three roles, on the embedded server or on any other."""

import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import conninfo, sql

from .errors import PostgresError, first_line

ROLES = ("owner", "app", "public")

ROLE_ATTRIBUTES = {
    "owner": "LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB NOCREATEROLE NOREPLICATION",
    "app": "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT",
    "public": "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT",
}

ROLE_SETTINGS = {
    "owner": {},
    "app": {
        "statement_timeout": "30s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "60s",
    },
    "public": {
        "statement_timeout": "5s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "10s",
        "default_transaction_read_only": "on",
    },
}


def role_name(prefix: str, role: str) -> str:
    """Full name of one of ROLES. The prefix is checked, since it also ends up in scripts."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,49}", prefix) or prefix.startswith("pg_"):
        raise PostgresError(
            f"The role prefix {prefix!r} cannot be used: take at most 50 small letters, digits and"
            " underscores, beginning with a letter other than in pg_."
        )
    if role not in ROLES:
        raise PostgresError(f"There is no role {role!r}: it is one of {', '.join(ROLES)}.")
    return f"{prefix}_{role}"


def role_statements(*, prefix: str, database: str) -> list[str]:
    """What `create_roles()` executes, without passwords: for one transaction in `database`.

    Every statement can be repeated.
    """
    names = {role: sql.Identifier(role_name(prefix, role)) for role in ROLES}
    literals = [sql.Literal(role_name(prefix, role)) for role in ROLES]
    db = sql.Identifier(database)
    guests = sql.SQL(", ").join([names["app"], names["public"]])

    # Roles belong to the whole server: two runs in different databases would collide.
    statements: list[sql.Composable] = [
        sql.SQL("LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE"),
    ]
    for role in ROLES:
        statements.append(
            sql.SQL(
                "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {})"
                " THEN CREATE ROLE {}; END IF; END $$"
            ).format(sql.Literal(role_name(prefix, role)), names[role])
        )
        statements.append(
            sql.SQL("ALTER ROLE {} {}").format(names[role], sql.SQL(ROLE_ATTRIBUTES[role]))
        )
        # pg_temp last: a temporary table must never stand before a real one.
        statements.append(
            sql.SQL("ALTER ROLE {} SET search_path = public, pg_temp").format(names[role])
        )
        for setting, value in ROLE_SETTINGS[role].items():
            statements.append(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    names[role], sql.Identifier(setting), sql.Literal(value)
                )
            )
    statements.append(
        sql.SQL(
            "DO $$ DECLARE found text; BEGIN"
            " SELECT format('the role %I is a member of %I', member.rolname, granted.rolname)"
            " INTO found FROM pg_catalog.pg_auth_members AS m"
            " JOIN pg_catalog.pg_roles AS member ON member.oid = m.member"
            " JOIN pg_catalog.pg_roles AS granted ON granted.oid = m.roleid"
            " WHERE member.rolname IN ({}) LIMIT 1;"
            " IF found IS NOT NULL THEN RAISE EXCEPTION '%, but must not be: revoke it', found;"
            " END IF; END $$"
        ).format(sql.SQL(", ").join(literals))
    )
    # The owner first: privileges of PUBLIC given by a former owner go over to it, then are revoked.
    for statement in (
        "ALTER DATABASE {db} OWNER TO {owner}",
        "ALTER SCHEMA public OWNER TO {owner}",
        "REVOKE ALL ON DATABASE {db} FROM PUBLIC, {guests}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC, {guests}",
        "GRANT CONNECT ON DATABASE {db} TO {guests}",
        "GRANT USAGE ON SCHEMA public TO {guests}",
    ):
        statements.append(sql.SQL(statement).format(db=db, owner=names["owner"], guests=guests))
    return [statement.as_string(None) for statement in statements]


def role_script(*, prefix: str, database: str) -> str:
    """The same as a script for psql, to be run by a superuser. Passwords are asked for by psql."""
    passwords = "".join(f"\\password {role_name(prefix, role)}\n" for role in ROLES)
    connect = sql.Identifier(database).as_string(None)
    statements = "".join(
        f"{statement};\n" for statement in role_statements(prefix=prefix, database=database)
    )
    return (
        "-- Run with psql as a superuser. It can be run again.\n"
        f"\\set ON_ERROR_STOP on\n\\connect {connect}\nBEGIN;\n{statements}COMMIT;\n"
        f"-- Asks for a new password for each role:\n{passwords}"
    )


def create_roles(
    superuser_dsn_or_conn: "str | psycopg.Connection[Any]",
    *,
    prefix: str = "harmtracker",
    passwords: Mapping[str, str] | None = None,
    database: str,
) -> None:
    """Create or correct the three roles and give `database` to the owner role. Idempotent.

    * `<prefix>_owner` owns the database and the schema public and runs migrations; it may create
      databases, for the tests.
    * `<prefix>_app` and `<prefix>_public` may connect and look into the schema, and nothing else
      until tables are granted to them.

    Roles belong to the whole server, privileges to one database: call it again for each further
    database, also one the tests have created. Works with PostgreSQL 15 to 18, as a superuser.
    `passwords` maps "owner", "app", "public" to passwords; a role not in it keeps its own. Only
    their SCRAM verifiers are sent to the server. A connection must be to `database`, and its
    transaction, if one is open, decides whether anything is kept; a URL is redirected to it.
    """
    if isinstance(superuser_dsn_or_conn, str):
        try:
            dsn = conninfo.make_conninfo(superuser_dsn_or_conn, dbname=database)
            with psycopg.connect(dsn) as connection:
                create_roles(connection, prefix=prefix, passwords=passwords, database=database)
        except psycopg.Error as error:
            raise PostgresError(f"No connection to the database: {first_line(error)}") from error
        return
    connection = superuser_dsn_or_conn
    if connection.info.dbname != database:
        raise PostgresError(
            f"The connection is to the database {connection.info.dbname}, not to {database}."
        )
    if connection.info.parameter_status("is_superuser") != "on":
        raise PostgresError(
            f"{connection.info.user} is not a superuser of the server: give the URL of one, or"
            " have a superuser run what `manage.py db roles --sql` prints."
        )
    try:
        with connection.transaction():
            for statement in role_statements(prefix=prefix, database=database):
                connection.execute(statement.encode())
            for role, password in (passwords or {}).items():
                verifier = connection.pgconn.encrypt_password(
                    password.encode(), role_name(prefix, role).encode(), b"scram-sha-256"
                )
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                        sql.Identifier(role_name(prefix, role)), sql.Literal(verifier.decode())
                    )
                )
    except psycopg.Error as error:
        raise PostgresError(f"The roles could not be created: {first_line(error)}") from error

"""The databases of the tests: one template, built through the real workflow, cloned per worker.

The template holds the code lists, the demo people and the three incidents, published. A test
that commits gets its clone anew afterwards: our triggers refuse to empty tables, as they should.
"""

from __future__ import annotations

import os

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from harmtracker.accounts import second_factor
from harmtracker.accounts.services import create_person
from harmtracker.postgres import Cluster, create_roles
from incidents import demo, fixtures_loading

ALIASES = ("default", "published", "owner")
TEMPLATE = os.environ.get("HARMTRACKER_TEST_TEMPLATE", "test_harmtracker_template")
# As migrated: code lists and weapon types, nobody and no incident.
BARE = "test_harmtracker_bare"
PASSWORD = "correct horse battery staple"
# Nothing is to survive, and nothing lives long enough to be tidied up or learnt about.
THROWN_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
}
PEOPLE = {
    "researcher": "researcher",
    "other_researcher": "researcher",
    "verifier": "verifier",
    "other_verifier": "verifier",
    "administrator": "administrator",
}


def start_cluster() -> Cluster | None:
    """The throw-away server of this run; None where an external one is used."""
    if not settings.DATABASE_EMBEDDED:
        return None
    cluster: Cluster = settings.TEST_CLUSTER
    cluster.start(options=THROWN_AWAY)
    create_roles(
        cluster.dsn("postgres"), prefix=settings.HARMTRACKER_ROLE_PREFIX, database="harmtracker"
    )
    return cluster


def _connect(alias: str) -> psycopg.Connection:
    """A connection of one role to the database that the URLs name: never to a test's own."""
    parameters = connections[alias].get_connection_params()
    return psycopg.connect(
        **{k: v for k, v in parameters.items() if k in ("host", "port", "user", "password")},
        dbname=_named_database(),
        autocommit=True,
    )


def _named_database() -> str:
    return os.environ.setdefault("HARMTRACKER_TEST_NAMED", str(settings.DATABASES["owner"]["NAME"]))


def use(name: str) -> None:
    """Point every alias, in every thread, at one database."""
    connections.close_all()
    for alias in ALIASES:
        connections.settings[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def end_sessions(name: str) -> None:
    """End all sessions in a database. Each role ends its own: none may end another's."""
    for alias in ALIASES:
        with _connect(alias) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = %s AND usename = current_user",
                [name],
            )


def drop(name: str) -> None:
    end_sessions(name)
    with _connect("owner") as owner:
        owner.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def clone(template: str, name: str) -> None:
    """A fresh copy of a template, with the roles let in as `create_roles` lets them."""
    drop(name)
    prefix = settings.HARMTRACKER_ROLE_PREFIX
    with _connect("owner") as owner:
        owner.execute(
            # Files are not synced here: copying them takes half as long as logging their blocks.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        owner.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        for role in ("app", "public"):
            owner.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                    sql.Identifier(name), sql.Identifier(f"{prefix}_{role}")
                )
            )


def rows_written(name: str) -> int | None:
    """How many rows were ever written in a database; None where the server does not count.

    Rolled back ones too. Ask once nobody is connected to it: a session's are counted when it ends.
    """
    with _connect("owner") as owner:
        row = owner.execute(
            "SELECT tup_inserted + tup_updated + tup_deleted FROM pg_stat_database "
            "WHERE datname = %s AND current_setting('track_counts')::boolean",
            [name],
        ).fetchone()
    return None if row is None else row[0]


def build_template() -> None:
    """Migrate an empty database, and enter, verify and publish the three incidents in it."""
    clone("template0", TEMPLATE)
    use(TEMPLATE)
    call_command("migrate", verbosity=0)
    fixtures_loading.load_weapon_types("owner")
    connections.close_all()
    clone(TEMPLATE, BARE)
    people = {
        name: create_person(username=name, password=PASSWORD, group=group)
        for name, group in PEOPLE.items()
    }
    for person in people.values():
        second_factor.new_authenticator(person, is_confirmed=True)
    demo.load_incidents(researcher=people["researcher"], verifier=people["verifier"])
    connections.close_all()

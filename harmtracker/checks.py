"""Refusal to run unsafely, at start-up and in ``check --deploy``: a line each, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connections

from harmtracker import grants, timeouts

# The names of all triggers; a test compares the list with the migrations.
TRIGGERS = Path(__file__).with_name("triggers.txt")
KINDS_OF_ROLES = {"default": "app", "published": "public"}
HERE = ("127.0.0.1", "localhost", "[::1]")


def _settings_refusals() -> list[str]:
    refused = []
    if settings.DEBUG:
        refused.append("DEBUG is on: unset it, its pages print records and settings.")
    if "*" in settings.ALLOWED_HOSTS:
        refused.append("ALLOWED_HOSTS is *: name the hosts that people reach the site by.")
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 5:
        refused.append(
            "SECRET_KEY is too short: unset it to have one made, or give 50 random characters."
        )
    if any(
        len(key) < 50
        for key in [settings.HARMTRACKER_SOURCE_KEY, *settings.HARMTRACKER_SOURCE_OLD_KEYS]
    ):
        refused.append(
            "HARMTRACKER_SOURCE_KEY or an old one is too short: unset it to have one made, or give "
            "50 random characters."
        )
    if len(settings.HARMTRACKER_TOKEN_PEPPER) < 50:
        refused.append(
            "HARMTRACKER_TOKEN_PEPPER is too short: unset it to have one made, or give 50 random "
            "characters."
        )
    elsewhere = [h for h in settings.ALLOWED_HOSTS if h not in HERE and h != "*"]
    if elsewhere and not settings.HARMTRACKER_HTTPS:
        refused.append(
            f"ALLOWED_HOSTS names {elsewhere[0]} without HTTPS: set HARMTRACKER_HTTPS=1 and serve "
            "behind a proxy that ends TLS."
        )
    return refused


def _role_refusals(alias: str) -> list[str]:
    """What the role behind a connection could do that the running app must not."""
    variable = {"default": "DATABASE_URL", "published": "DATABASE_PUBLIC_URL"}[alias]
    refused = []
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT current_user, r.rolsuper, r.rolbypassrls OR r.rolcreaterole, "
            "EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "        WHERE c.relowner = r.oid AND n.nspname = 'public'), "
            "EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid) "
            "FROM pg_roles r WHERE r.rolname = current_user"
        )
        row = cursor.fetchone()
        assert row is not None  # noqa: S101  (one always is the current user)
        role, is_superuser, is_powerful, is_owner, is_member = row
    if is_superuser:
        refused.append(f"{variable} connects as the superuser {role}: use the role it is made for.")
    elif is_owner:
        refused.append(f"{variable} connects as {role}, who owns tables: use the role made for it.")
    elif is_powerful or is_member:
        refused.append(f"{variable} connects as {role}, who may become more: run `db roles` anew.")
    elif role not in grants.roles():
        refused.append(f"{variable} connects as {role}: expected one of {sorted(grants.roles())}.")
    elif differs := grants.differences(connections[alias], role):
        refused.append(
            f"{len(differs)} grants differ ({differs[0]}): run `manage.py migrate` as the owner."
        )
    elif lacking := timeouts.missing(connections[alias], KINDS_OF_ROLES[alias]):
        refused.append(f"{role} has no {lacking[0]}: run `manage.py db roles` anew.")
    return refused


def triggers() -> dict[str, bool]:
    """Every trigger of ours in the database -> whether it is switched on."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled IN ('O', 'A') FROM pg_trigger WHERE NOT tgisinternal"
        )
        return dict(cursor.fetchall())


def _trigger_refusals() -> list[str]:
    """The rules that protect people and evidence are triggers: each must be there, and on."""
    found = triggers()
    expected = TRIGGERS.read_text().split()
    bare = [name for name in expected if not found.get(name)]
    if bare:
        return [
            f"{len(bare)} triggers are missing or off ({bare[0]} first): restore the database from "
            "a backup, or run `manage.py migrate` on a new one."
        ]
    return []


def refusals() -> list[str]:
    """Every reason not to serve, a line each that says what to do; empty where all is well."""
    refused = _settings_refusals()
    try:
        for alias in ("default", "published"):
            refused += _role_refusals(alias)
        refused += _trigger_refusals()
    except DatabaseError as error:
        first = str(error).strip().splitlines()[0]
        refused.append(
            f"The database does not answer ({first}): start it with `manage.py db start`."
        )
    finally:
        for alias in ("default", "published"):
            connections[alias].close()
    return refused


@checks.register(checks.Tags.security, deploy=True)
def deployment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    return [
        checks.Error(line, id=f"harmtracker.E{number:03d}")
        for number, line in enumerate(refusals(), 1)
    ]

"""Who gets what: every route, method and role, compared with a committed table.

A new route without rows fails. After a change that is meant, write the table anew with
``WRITE_ACCESS_TABLE=1 uv run pytest tests/test_access.py`` and read the difference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from harmtracker.accounts.models import User
from incidents.models import Actor, Incident, Place, PublishedReference
from tests.clients import logged_in

TABLE = Path(__file__).with_name("access.tsv")
ROLES = ["anonymous", "researcher", "other_researcher", "verifier", "administrator"]
CASEWORK = "api/v1/casework/"
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
# The admin answers only these two differently; the rest is Django's.
ADMIN_METHODS = ["GET", "POST"]


def routes() -> list[str]:
    """Every route of the site as its pattern, such as ``api/v1/incidents/<str:code>/``."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            else:
                yield path

    return sorted(set(walk(get_resolver().url_patterns, "")))


def without_casework() -> list[str]:
    """Those of casework, which are reached by token, are in test_casework_access."""
    return [route for route in routes() if not route.startswith(CASEWORK)]


def address(route: str) -> str:
    """The route with the ids of real records: a published incident, the first of each other."""

    def reference(kind: str) -> str:
        return PublishedReference.objects.using("published").filter(kind=kind).first().key

    if route.startswith("admin/"):
        target = Incident.objects.get(code="MMR-2024-0001")
        row_id = {
            "incidents/incident": target.pk,
            "incidents/claim": target.claims.first().pk,
            "incidents/casualtycount": target.casualtycounts.filter(claim=None).first().pk,
            "incidents/place": Place.objects.get(slug="laiza").pk,
            "incidents/actor": Actor.objects.get(slug="kia").pk,
            "incidents/weapontype": "EXG",
            "accounts/user": User.objects.get(username="researcher").pk,
        }
        model = "/".join(route.split("/")[1:3])
        route = re.sub(r"<path:\w+>|<int:\w+>|<\w+>", str(row_id.get(model, 1)), route)
    values = {
        "str:code": "EXG-ART" if "weapon-types" in route else "MMR-2024-0001",
        "str:number": "1",
        "str:list": "sex",
        "slug:slug": "not-found",
        "app_label": "incidents",
        "url": "nowhere/",
        "str:verb": "verify",
        "slug:verb": "verify",
        "slug:warning": "0" * 64,
    }
    if "<str:id>" in route:
        values["str:id"] = reference(route.split("/")[2].rstrip("s"))
    path = re.sub(r"<([\w:]+)>", lambda m: values.get(m[1], "1"), route)
    path = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda m: values.get(m[1], "1"), path)
    return "/" + path.replace("^", "").replace("$", "").replace("\\", "")


@contextmanager
def unrendered() -> Iterator[None]:
    """Views answer as ever, but for the text of their pages."""
    with mock.patch.object(SimpleTemplateResponse, "rendered_content", ""):
        yield


def answers(
    role: str, addresses: dict[str, str], shown: set[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """(route, method, status) for one role.

    A page is rendered for the first who gets it, and is ``shown`` then: whoever comes after is
    asked for the status alone, which the view has by then.
    """
    client = Client(raise_request_exception=False)
    for route, path in addresses.items():
        for method in ADMIN_METHODS if route.startswith("admin/") else METHODS:
            # Logging out is one of the routes: it leaves the cookie with nothing in it.
            cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
            if role != "anonymous" and not (cookie and cookie.value):
                logged_in(User.objects.get(username=role), client)
            with unrendered() if (route, method) in shown else nullcontext():
                status = client.generic(method, path).status_code
            if status == 200:
                shown.add((route, method))
            yield route, method, str(status)


def measured() -> list[str]:
    columns: dict[tuple[str, str], list[str]] = {}
    addresses = {route: address(route) for route in without_casework()}
    shown: set[tuple[str, str]] = set()
    for role in ROLES:
        for route, method, status in answers(role, addresses, shown):
            columns.setdefault((route, method), []).append(status)
    lines = ["\t".join(["route", "method", *ROLES])]
    lines += ["\t".join([route, method, *row]) for (route, method), row in columns.items()]
    return lines


def test_every_route_method_and_role_answers_as_the_table_says(committed: None) -> None:
    found = measured()
    if os.environ.get("WRITE_ACCESS_TABLE"):
        TABLE.write_text("\n".join(found) + "\n")
    wanted = TABLE.read_text().splitlines()
    assert {line.split("\t")[0] for line in found} == {line.split("\t")[0] for line in wanted}
    assert found == wanted


def test_the_table_holds_no_server_error_and_no_open_door() -> None:
    for line in TABLE.read_text().splitlines()[1:]:
        route, method, anonymous, *others = line.split("\t")
        assert not any(status.startswith("5") for status in [anonymous, *others]), line
        if route.startswith("admin/link/"):
            assert {anonymous, *others} == {"404"}, line  # no link, for nobody
        elif route.startswith("admin/") and "login" not in route and "jsi18n" not in route:
            assert anonymous in {"302", "404"}, line
        if route.startswith("api/") and method not in {"GET", "HEAD", "OPTIONS"}:
            assert {anonymous, *others} <= {"405", "404"}, line

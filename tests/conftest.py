from __future__ import annotations

import gc
import os
from collections.abc import Callable, Collection, Iterator
from shutil import rmtree
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test import client as test_client
from django.test.testcases import LiveServerThread
from pytest_django.plugin import DjangoDbBlocker

from harmtracker.accounts import tokens
from harmtracker.accounts.models import User
from harmtracker.garbage import look_seldom
from tests import database
from tests.clients import Api, logged_in
from tests.drafts import draft  # noqa: F401  (a fixture)
from tests.laying import (
    first_database,
    lay_once,
    leave_as_laid,
    renew_database,
    worker_database,
)

_cluster = None

# Each takes a minute or more.
_LONG = {
    f"tests/{file}": place
    for place, file in enumerate(
        (
            "browser/test_first_incident.py",
            "browser/test_stock_pages.py",
            "incidents/test_quickstart.py",
            "api/casework/test_hostile_bodies.py",
            "browser/test_desk_pages.py",
            "api/casework/test_races.py",
            "browser/test_story.py",
            "browser/test_entering.py",
            "admin/test_kept_figures.py",
            "api/casework/test_hidden.py",
            "api/test_as_of.py",
            "test_casework_access.py",
            "importers/test_import.py",
        )
    )
}


_store_rendered = test_client.store_rendered_templates


def _store_the_page(store: dict[str, Any], *args: Any, **kwargs: Any) -> None:
    """Keep the context of the page alone, which is drawn first: copying that of each of the
    hundreds of templates below it, every widget's too, is a good part of what a page costs."""
    if "context" not in store:
        _store_rendered(store, *args, **kwargs)


test_client.store_rendered_templates = _store_the_page


def _is_worker() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Iterator[None]:
    """The controller starts the server and builds the template, while its workers look for tests:
    they are given none before it is done."""
    global _cluster
    yield
    if (
        _is_worker()
        or session.config.option.collectonly
        or "HARMTRACKER_TEST_TEMPLATE" in os.environ
    ):
        return
    blocker = session.config.stash[_blocker_key()]
    with blocker.unblock():
        _cluster = database.start_cluster()
        database.build_template()


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.split("::")[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that no worker is left with one at the end; in
    each those of what is built once come in a row; and tests of what only root meets are not there
    for anybody else."""
    files = {file: place for place, file in enumerate(dict.fromkeys(map(_file_of, items)))}

    def place(item: pytest.Item) -> tuple[int, int, bool]:
        file = _file_of(item)
        is_built_once = "laid" in getattr(item, "fixturenames", ())
        return _LONG.get(file, len(_LONG)), files[file], not is_built_once

    items.sort(key=place)
    if os.geteuid() == 0:
        return
    for_root = [item for item in items if item.get_closest_marker("root")]
    config.hook.pytest_deselected(items=for_root)
    items[:] = [item for item in items if item not in for_root]


def pytest_collection_finish(session: pytest.Session) -> None:
    look_seldom()


def _blocker_key() -> Any:
    from pytest_django.plugin import blocking_manager_key

    return blocking_manager_key


def pytest_unconfigure(config: pytest.Config) -> None:
    # Libraries that count what is left of them at the end would complain.
    gc.unfreeze()
    if _is_worker() or "HARMTRACKER_TEST_TEMPLATE" in os.environ:
        return
    if _cluster is not None:
        _cluster.destroy()
        if settings.TEST_HOME_IS_OURS:
            rmtree(_cluster.home)
    elif not _is_worker() and not config.option.collectonly:
        database.drop(database.TEMPLATE)
        database.drop(database.BARE)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "laid" not in getattr(item, "fixturenames", ()):
        with item.config.stash[_blocker_key()].unblock():
            leave_as_laid()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """This worker's own copy of the template."""
    with django_db_blocker.unblock():
        first_database()
    yield
    with django_db_blocker.unblock():
        database.connections.close_all()
        database.drop(worker_database())


def people_by_name() -> SimpleNamespace:
    return SimpleNamespace(**{name: User.objects.get(username=name) for name in database.PEOPLE})


@pytest.fixture
def three(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The three incidents as they were published. For reading: what a test writes here stays.

    Its sessions are left to the next test: a new one reads the catalogue first, and compiles every
    function that it calls.
    """
    with django_db_blocker.unblock():
        yield
        for connection in database.connections.all(initialized_only=True):
            if connection.connection is not None and connection.connection.closed:
                connection.close()


@pytest.fixture
def committed(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """As `three`, for tests that commit: the database is laid anew afterwards.

    The published side sees what is committed and nothing else, as in production.
    """
    with django_db_blocker.unblock():
        yield
        # Else the next test does, where it needs to.
        if "laid" not in request.fixturenames:
            renew_database()


@pytest.fixture
def laid(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[str, Callable[[], Any]], Any]]:
    """`lay_once`: for what takes long to build and is mostly read, built once for a row of tests.

    A test that writes besides is free to: the next one has it built again.
    """
    with django_db_blocker.unblock():
        yield lay_once


@pytest.fixture
def people() -> SimpleNamespace:
    """The demo people by name. Their password is `tests.database.PASSWORD`."""
    return people_by_name()


@pytest.fixture
def signed_in(people: SimpleNamespace) -> Callable[[str], Client]:
    """A browser's session of one of the people, by name."""

    def sign_in(name: str) -> Client:
        return logged_in(getattr(people, name))

    return sign_in


@pytest.fixture
def api(people: SimpleNamespace) -> Callable[..., Api]:
    """A program that acts for one of the people, by name, with a token of these scopes.

    Without ``scopes``: all that the person may have. The name ``None`` gives one without a token.
    """

    def program(name: str | None, scopes: Collection[str] | None = None) -> Api:
        if name is None:
            return Api(None)
        person = getattr(people, name)
        wanted = tokens.scopes_of(person) if scopes is None else scopes
        return Api(tokens.issue(person, "A test", wanted, None, person)[1])

    return program


@pytest.fixture
def server(committed: None) -> Iterator[str]:
    """The address of a running server with static files, on this worker's committed data."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={}, port=0)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()
    thread.join()

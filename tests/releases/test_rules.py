"""What the database refuses, whichever way the write comes. Each is called by its rule's name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest

from incidents.models import Release, ReleaseBuild, ReleaseFile, ReleaseText
from tests.rules import rule, run, switch_off

PLACES = {
    "incidents_release": "name",
    "incidents_releasetext": "content",
    "incidents_releasebuild": "software",
    "incidents_releasefile": "sha256",
    "incidents_releasewithdrawal": "at",
}


def _release(build: ReleaseBuild, **values: object) -> Callable[[], object]:
    given = {"name": "2026.2", "position": 3, "previous": build.release} | values
    return lambda: Release.objects.using("default").create(**given)


def _build(build: ReleaseBuild, **values: object) -> Callable[[], object]:
    given = {"release": build.release, "number": 2, "redacted_at": 0} | values
    return lambda: ReleaseBuild.objects.using("default").create(**given)


def _file(build: ReleaseBuild, *paths: str, number: int = 1, size: int = 1) -> Callable[[], object]:
    def write() -> None:
        new = Release.objects.using("default").create(
            name="2026.2", position=3, previous=build.release
        )
        made = ReleaseBuild.objects.using("default").create(
            release=new, number=number, redacted_at=0
        )
        for path in paths:
            ReleaseFile.objects.using("default").create(
                build=made, path=path, size=size, sha256="0"
            )

    return write


def _text(build: ReleaseBuild, *paths: str) -> Callable[[], object]:
    def write() -> None:
        for path in paths:
            ReleaseText.objects.using("default").create(
                release=build.release, path=path, content=""
            )

    return write


CASES: list[tuple[str, Callable[[ReleaseBuild], Callable[[], object]]]] = [
    ("incidents_release_once", lambda b: _release(b, name="2026.1")),
    ("incidents_release_has_a_name", lambda b: _release(b, name="../../x")),
    ("incidents_release_of_the_ledger", lambda b: _release(b, position=4)),
    ("incidents_release_of_the_ledger", lambda b: _release(b, position=0)),
    ("incidents_release_after_the_one_before", lambda b: _release(b, previous=None)),
    ("incidents_releasebuild_one_stands", lambda b: _build(b)),
    ("incidents_releasebuild_one_stands", lambda b: _file(b, number=2)),
    (
        "incidents_releasebuild_without_what_was_redacted",
        lambda b: _build(b, redacted_at=7),
    ),
    ("incidents_releasefile_path_is_plain", lambda b: _file(b, "../x")),
    ("incidents_releasefile_path_is_plain", lambda b: _file(b, "/etc/passwd")),
    ("incidents_releasefile_path_is_plain", lambda b: _file(b, "a/../b")),
    ("incidents_releasefile_path_is_plain", lambda b: _file(b, "a\n")),
    (
        "incidents_releasefile_size_check",
        lambda b: _file(b, "a", size=-1),
    ),
    ("incidents_releasefile_once", lambda b: _file(b, "a", "a")),
    (
        "incidents_releasefile_with_its_build",
        lambda b: (
            lambda: ReleaseFile.objects.using("default").create(
                build=b, path="late", size=1, sha256="0"
            )
        ),
    ),
    ("incidents_releasetext_path_is_plain", lambda b: _text(b, "../x")),
    ("incidents_releasetext_once", lambda b: _text(b, "a", "a")),
]


TABLES = ("release", "releasetext", "releasebuild", "releasefile", "releasewithdrawal")
# What the tests of the constraints' table know from here: rules, and triggers besides them.
TESTED = (
    {name for name, _case in CASES}
    | {f"incidents_{table}_only_grows" for table in TABLES}
    | {"incidents_release_by_who_may", "incidents_releasebuild_by_who_may"}
    | {"incidents_releasebuild_once"}
)
TRIGGERS = {
    "incidents_release_guard",
    "incidents_releasebuild_guard",
    "incidents_redaction_withdraws",
    *(
        f"incidents_{table}_only_grows_{operation}"
        for table in TABLES
        for operation in ("update", "delete", "truncate")
    ),
    *(
        f"incidents_{table}_history_{operation}"
        for table in ("release", "releasebuild")
        for operation in ("insert", "update", "delete")
    ),
}


def test_rules(released: ReleaseBuild, people: SimpleNamespace) -> None:
    for name, case in CASES:
        assert rule(case(released), people.verifier) == name
    assert rule(_file(released, "a/b-c=d_e.f"), people.verifier) is None


def test_by_who_may(released: ReleaseBuild, people: SimpleNamespace) -> None:
    for person in (people.researcher, people.administrator):
        assert rule(_release(released), person) == "incidents_release_by_who_may"
        assert rule(_build(released), person) == "incidents_releasebuild_by_who_may"


def _statements(table: str) -> dict[str, str]:
    return {
        "update": f"UPDATE {table} SET {PLACES[table]} = {PLACES[table]}",
        "delete": f"DELETE FROM {table}",
        "truncate": f"TRUNCATE {table} CASCADE",
    }


def test_incidents_releasebuild_once(released: ReleaseBuild, people: SimpleNamespace) -> None:
    """The key of a build's number, which is met without the guard alone."""

    def write(number: int) -> Callable[[], object]:
        def without_guard() -> None:
            switch_off("incidents_releasebuild", "incidents_releasebuild_guard")
            ReleaseBuild.objects.using("owner").create(
                release_id=released.release_id, number=number, redacted_at=0
            )

        return without_guard

    assert rule(write(1), people.verifier, using="owner") == "incidents_releasebuild_once"
    assert rule(write(2), people.verifier, using="owner") is None


def test_only_grows(released: ReleaseBuild, people: SimpleNamespace) -> None:
    for table in PLACES:
        for verb, sql in _statements(table).items():
            by_owner = rule(partial(run, sql, using="owner"), people.verifier, using="owner")
            # What is emptied along with it speaks first.
            assert by_owner is not None, (table, verb)
            assert by_owner.endswith("_only_grows"), (table, verb)
            assert verb == "truncate" or by_owner == f"{table}_only_grows"
            with pytest.raises(Exception, match=r"permission denied"):
                run(sql)


def test_nobody_writes_a_withdrawal_by_hand(released: ReleaseBuild) -> None:
    with pytest.raises(Exception, match="permission denied"):
        run(f"INSERT INTO incidents_releasewithdrawal VALUES ({released.pk}, now(), 1)")

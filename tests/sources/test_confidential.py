"""Who a confidential source is: encrypted, shown by one action, and nowhere else."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, TooMany
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from sources import confidential, sealing
from sources.models import ConfidentialSource, Reveal
from sources.sealing import Identity
from tests import builders
from tests.sources.witness import WHO, WORDS, reveal

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(people: SimpleNamespace) -> ConfidentialSource:
    with acting(people.researcher):
        outlet = builders.outlet(kind="witness", name="A resident of the ward")
    return confidential.create(outlet, WHO, by=people.researcher)


def test_who_has_the_right_a_reason_and_a_code_sees_it(
    source: ConfidentialSource, people: SimpleNamespace
) -> None:
    assert reveal(source, people.verifier) == WHO
    (row,) = Reveal.objects.all()
    assert (row.source, row.by, row.reason) == (source, people.verifier, "The court asks.")


@pytest.mark.parametrize(
    ("name", "about", "refused"),
    [
        ("researcher", {}, NotAllowed),
        ("administrator", {}, NotAllowed),
        ("verifier", {"reason": " "}, Invalid),
        ("verifier", {"code": "000000"}, Invalid),
    ],
)
def test_nobody_else_sees_it_and_nothing_is_written(
    source: ConfidentialSource,
    people: SimpleNamespace,
    name: str,
    about: dict[str, Any],
    refused: type[Exception],
) -> None:
    with pytest.raises(refused):
        reveal(source, getattr(people, name), **about)
    assert not Reveal.objects.exists()


def test_a_code_is_not_spent_by_one_who_may_not_or_says_not_why(
    source: ConfidentialSource, people: SimpleNamespace
) -> None:
    asked: list[str] = []

    def note(person: User, code: str) -> bool:
        asked.append(code)
        return True

    for name, reason in [("researcher", "why"), ("verifier", "")]:
        with pytest.raises((NotAllowed, Invalid)):
            reveal(source, getattr(people, name), reason=reason, check_code=note)
    assert asked == []


def test_the_twenty_first_in_a_day_is_refused(
    source: ConfidentialSource, people: SimpleNamespace
) -> None:
    for _ in range(20):
        assert reveal(source, people.verifier) == WHO
    with pytest.raises(TooMany, match="20"):
        reveal(source, people.verifier)
    assert Reveal.objects.count() == 20
    assert reveal(source, people.other_verifier) == WHO


def test_replacing_is_an_edit_that_keeps_the_encrypted_one_before(
    source: ConfidentialSource, people: SimpleNamespace
) -> None:
    before = bytes(source.sealed)
    other = Identity("Daw Mya")
    confidential.replace(source, other, by=people.researcher, reason="It was her sister.")
    assert reveal(source, people.verifier) == other
    entry = HistoryEntry.objects.filter(table_name="sources_confidentialsource").latest("pk")
    assert entry.reason == "It was her sister."
    assert entry.before["sealed"] == "\\x" + before.hex()
    for reason, by, refused in [
        ("", people.researcher, Invalid),
        ("x", people.verifier, NotAllowed),
    ]:
        with pytest.raises(refused):
            confidential.replace(source, other, by=by, reason=reason)


@pytest.mark.parametrize("name", ["verifier", "administrator"])
def test_who_may_not_enter_one(people: SimpleNamespace, name: str) -> None:
    with acting(people.researcher):
        outlet = builders.outlet()
    with pytest.raises(NotAllowed):
        confidential.create(outlet, WHO, by=getattr(people, name))


def test_an_outlet_has_one(source: ConfidentialSource, people: SimpleNamespace) -> None:
    with pytest.raises(Conflict):
        confidential.create(source.outlet, WHO, by=people.researcher)


def test_what_was_sealed_for_one_row_opens_for_no_other(
    source: ConfidentialSource, people: SimpleNamespace
) -> None:
    with acting(people.researcher):
        outlet = builders.outlet()
    other = confidential.create(outlet, Identity("Another"), by=people.researcher)
    with acting(people.researcher):
        ConfidentialSource.objects.filter(pk=other.pk).update(sealed=source.sealed)
    with pytest.raises(Conflict) as refusal:
        reveal(other, people.verifier)
    assert not any(word in repr(refusal.value) for word in WORDS)
    # That somebody asked stays written down.
    assert Reveal.objects.filter(source=other).exists()


class TestSealing:
    def test_each_bit_counts(self) -> None:
        row = uuid.uuid4()
        key_name, sealed = sealing.seal(WHO, row)
        assert sealing.unseal(key_name, sealed, row) == WHO
        for at in (0, 11, 12, 40, len(sealed) - 1):
            bad = bytearray(sealed)
            bad[at] ^= 1
            with pytest.raises(Conflict):
                sealing.unseal(key_name, bytes(bad), row)

    def test_no_two_are_alike_and_short_ones_are_as_long_as_longer_ones(self) -> None:
        row = uuid.uuid4()
        sealed = {sealing.seal(WHO, row)[1] for _ in range(20)}
        assert len(sealed) == 20
        short = sealing.seal(Identity("Ba"), row)[1]
        assert {len(each) for each in sealed} == {len(short)}

    def test_an_older_key_still_opens_and_a_lost_one_says_so(self, settings: Any) -> None:
        row = uuid.uuid4()
        old = settings.HARMTRACKER_SOURCE_KEY
        key_name, sealed = sealing.seal(WHO, row)
        settings.HARMTRACKER_SOURCE_KEY = "n" * 60
        with pytest.raises(Conflict, match=key_name):
            sealing.unseal(key_name, sealed, row)
        settings.HARMTRACKER_SOURCE_OLD_KEYS = [old]
        assert sealing.unseal(key_name, sealed, row) == WHO
        assert sealing.seal(WHO, row)[0] != key_name

    def test_it_does_not_show_itself(self, source: ConfidentialSource) -> None:
        shown = f"{WHO} {WHO!r} {source} {source!r} {vars(source)}"
        assert not any(word in shown for word in WORDS)

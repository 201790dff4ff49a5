"""A text that leaves everything that was published, and what holds it out."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from harmtracker import grants
from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import services, workflow
from incidents.choices import State, Verb
from incidents.models import (
    Claim,
    Incident,
    LedgerEntry,
    PublishedReference,
    PublishedVersion,
    RedactedText,
    Redaction,
    Victim,
)
from incidents.publishing import door, ledger, merkle
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.commitments import (
    REDACTABLE,
    commit,
    holding,
    new_nonce,
    recommit,
    take_out,
)
from incidents.publishing.document import build_content
from incidents.redaction import redact
from tests.drafts import publish_again
from tests.incidents.test_publishing import _index
from tests.rules import JARGON, refusal, rule, run, switch_off
from tests.telling import tells

pytestmark = pytest.mark.django_db

Draft = Callable[..., Incident]
NAME = "Ma Khín Htwe"
WHY = "The family asked for it."


def told(draft: Draft, people: SimpleNamespace, state: State = State.PUBLISHED) -> Incident:
    """A record that says a name in its title, a claim and a victim."""
    incident = draft(
        title=f"Shelling of the house of {NAME}", summary="One of MA KHIN HTWE's sons."
    )
    with acting(people.researcher):
        claim = Claim.objects.get(incident=incident)
        claim.quotation = f"“{NAME} was at home.”"
        services.save(claim)
        services.add_victim(
            incident=incident,
            claims=[claim],
            names=[NAME, "Mi Mi"],
            outcome="killed",
            consent_basis="family_consent",
        )
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
    ):
        if incident.state != state:
            incident = workflow.take_step(verb, incident_id=incident.pk, actor=actor)
    return incident


def versions(incident: Incident) -> Any:
    return PublishedVersion.objects.using("default").filter(code=incident.code)


def document(incident: Incident, number: int = 1) -> dict[str, Any]:
    return json.loads(versions(incident).get(number=number).document)


def take(incident: Incident, people: SimpleNamespace, text: str = NAME, **more: Any) -> Any:
    """What a verifier does: look first, then take out what was shown."""
    shown = redact(incident.pk, text, people.verifier, "", None, dry_run=True, **more)
    return redact(incident.pk, text, people.verifier, WHY, len(shown.values), **more)


def published_texts() -> Iterator[tuple[str, str]]:
    """Every row that the public role can read, as text."""
    for table in grants.PUBLIC:
        for (row,) in run(f"SELECT to_jsonb(t)::text FROM {table} t"):
            yield table, row


def assert_the_ledger_checks() -> None:
    """Every entry's commitments from what is served, and the tree over all of them."""
    edge: list[bytes] = []
    own = {}
    for size, entry in enumerate(LedgerEntry.objects.using("default").order_by("seq")):
        edge = merkle.append(edge, size, merkle.leaf_hash(entry.entry.encode()))
        assert entry.root_hash == merkle.root(edge).hex()
        assert json.loads(entry.entry)["committed_sha256"] == entry.committed_sha256
        if entry.kind == "redacted":
            assert own[entry.code, entry.version] == entry.committed_sha256
            continue
        own[entry.code, entry.version] = entry.committed_sha256
        version = PublishedVersion.objects.using("default").get(pk=entry.seq)
        committed = recommit(json.loads(version.document), json.loads(version.disclosures))
        assert sha256(canonical(committed)) == entry.committed_sha256
        assert sha256(version.document) == version.sha256
        assert canonical(json.loads(version.document)) == version.document


def test_the_documents_say_what_was_taken_and_why(draft: Draft, people: SimpleNamespace) -> None:
    incident = told(draft, people)
    disclosures = json.loads(versions(incident).get().disclosures)
    done = take(incident, people)
    now = document(incident)
    assert now["title"] is None
    assert now["nonce"] is None
    digests = {canonical(path): sha256(canonical([s, path, v])) for s, path, v in disclosures}
    assert {canonical(r["path"]): r["digest"] for r in now["redactions"]} == {
        path: digest
        for path, digest in digests.items()
        if path == '["nonce"]' or canonical_to_dotted(path) in {v.path for v in done.values}
    }
    assert {r["reason"] for r in now["redactions"]} == {WHY}
    (entry,) = LedgerEntry.objects.using("default").filter(pk__in=done.entries)
    assert (entry.kind, entry.code, entry.version) == ("redacted", incident.code, 1)


def canonical_to_dotted(path: str) -> str:
    steps = json.loads(path)
    text = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps)
    return text.removeprefix(".")


def test_rebuilding_the_index_gives_the_same_rows_after_redactions(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = publish_again(told(draft, people), people, title="Shelling, corrected")
    other = told(draft, people)
    take(incident, people)
    take(other, people, "Gazette", everywhere=True)
    names = PublishedReference.objects.using("default").filter(kind="outlet", name="")
    assert names.count() == 1
    before = _index()
    call_command("rebuild_published", verbosity=0)
    assert _index() == before
    assert_the_ledger_checks()


def test_what_remains_cannot_be_guessed(draft: Draft, people: SimpleNamespace) -> None:
    """20,000 guesses with the true name among them; a million would not differ but in time."""
    incident = told(draft, people)
    old = versions(incident).select_related("entry").get()
    (truth,) = [d for d in json.loads(old.disclosures) if d[1] == ["victims", 0, "names", 0]]
    take(incident, people)
    new = versions(incident).get()
    left = json.loads(new.document)
    digests = {r["digest"] for r in left["redactions"]}
    known = {*digests, old.sha256, new.sha256, old.entry.committed_sha256}
    # With the salt the very digest is found; without it, and without the nonce, nothing is.
    assert sha256(canonical(truth)) in digests
    syllables = ["Ma", "Khín", "Htwe", "Aung", "Kyaw", "Min", "Thu", "Win"]
    guesses = [" ".join(p) for n in (1, 2, 3, 4, 5) for p in itertools.product(syllables, repeat=n)]
    assert NAME in guesses[:20_000]
    whole = json.loads(old.document)
    for guess in guesses[:20_000]:
        assert sha256(guess) not in known
        assert sha256(canonical(["victims", 0, "names", 0, guess])) not in known
        assert sha256(canonical(["", truth[1], guess])) not in known
    # All that was taken is known to the attacker but the nonce.
    for nonce in (None, "", *(new_nonce() for _ in range(50))):
        assert sha256(canonical({**whole, "nonce": nonce})) not in known
    assert sha256(canonical(whole)) == old.sha256


def test_other_records_keep_their_values_and_the_dry_run_counts_them(
    draft: Draft, people: SimpleNamespace
) -> None:
    one, other = told(draft, people), told(draft, people)
    shown = redact(one.pk, NAME, people.verifier, "", None, dry_run=True)
    assert shown.elsewhere == {other.code: len(shown.values)}
    assert shown.entries == []
    assert "htwe" in document(one)["summary"].casefold()
    take(one, people)
    assert "htwe" in document(other)["summary"].casefold()
    done = take(other, people, everywhere=True)
    assert {value.code for value in done.values} == {other.code}
    assert not tells(canonical(document(other)), "htwe")


def test_a_text_that_cannot_be_taken_out_is_told(draft: Draft, people: SimpleNamespace) -> None:
    incident = told(draft, people)
    assert incident.code is not None
    shown = redact(incident.pk, incident.code, people.verifier, "", None, dry_run=True)
    assert [value.path for value in shown.values] == ["cite"]
    assert [value.path for value in shown.remains] == ["code"]
    redact(incident.pk, NAME, people.verifier, "Of the widow", 5)
    again = redact(incident.pk, "widow", people.verifier, "", None, dry_run=True)
    assert again.values == []
    assert {value.path for value in again.remains} == {f"redactions[{n}].reason" for n in range(6)}


def test_a_tombstone_gives_way_too(draft: Draft, people: SimpleNamespace) -> None:
    incident = told(draft, people)
    workflow.take_step(
        Verb.PROPOSE_RETRACTION,
        incident_id=incident.pk,
        actor=people.verifier,
        reason=f"{NAME} is alive",
    )
    workflow.take_step(Verb.RETRACT, incident_id=incident.pk, actor=people.other_verifier)
    done = take(incident, people)
    assert "note" in {value.path for value in done.values if value.version == 2}
    assert versions(incident).get(number=2).note == ""
    assert document(incident, 2)["note"] is None
    assert_the_ledger_checks()


def test_a_text_taken_out_in_two_goes_leaves_what_the_first_left(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = told(draft, people)
    take(incident, people)
    take(incident, people, "Mi Mi")
    assert document(incident)["victims"][0]["names"] == [None, None]
    assert Redaction.objects.using("default").filter(code=incident.code).count() == 2
    assert_the_ledger_checks()


def test_a_document_from_before_the_nonce_gives_way_too(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = told(draft, people)
    version = versions(incident).get()
    old = json.loads(version.document)
    del old["nonce"]
    disclosures = [d for d in json.loads(version.disclosures) if d[1] != ["nonce"]]
    document, kept, taken = take_out(old, disclosures, [["title"]], WHY)
    assert [path for path, _ in taken] == [["title"]]
    assert "nonce" not in document
    assert recommit(document, kept)["title"]["_sd"] == taken[0][1]


# --- Who, and with what words ---


def test_a_redaction_is_for_those_who_may(draft: Draft, people: SimpleNamespace) -> None:
    incident = told(draft, people)
    for name, expected in (
        ("researcher", NotAllowed),
        ("other_researcher", NotAllowed),
        ("administrator", NotFound),
    ):
        for dry_run in (True, False):
            with pytest.raises(expected):
                redact(incident.pk, NAME, getattr(people, name), WHY, 5, dry_run=dry_run)
    User.objects.filter(pk=people.verifier.pk).update(is_active=False)
    with pytest.raises(NotFound):
        redact(incident.pk, NAME, User.objects.get(pk=people.verifier.pk), WHY, 5)


def test_what_is_asked_badly_is_refused_by_field(draft: Draft, people: SimpleNamespace) -> None:
    incident = told(draft, people)
    before = versions(incident).get().document
    asked: list[tuple[str, str, int | None, str]] = [
        ("", WHY, 5, "text"),
        (" m ", WHY, 5, "text"),
        ("Ma\x00", WHY, 5, "text"),
        ("Ma\ud800", WHY, 5, "text"),
        (NAME, "", 5, "public_reason"),
        (NAME, " ", 5, "public_reason"),
        (NAME, "A\x00", 5, "public_reason"),
        (NAME, "For MA KHIN HTWE", 5, "public_reason"),
        (NAME, WHY, None, "expected"),
    ]
    for text, reason, expected, field in asked:
        with pytest.raises(Invalid) as refused:
            redact(incident.pk, text, people.verifier, reason, expected)
        assert set(refused.value.fields) == {field}, (text, reason, expected)
        assert versions(incident).get().document == before


def test_what_was_not_shown_is_not_taken(draft: Draft, people: SimpleNamespace) -> None:
    incident = told(draft, people)
    for text, expected in ((NAME, 4), (NAME, 6), ("nowhere at all", 0)):
        with pytest.raises(Conflict):
            redact(incident.pk, text, people.verifier, WHY, expected)
        assert "redactions" not in document(incident)
        assert not RedactedText.objects.exists()


# --- The door stays shut behind it ---


def _reopened(incident: Incident, people: SimpleNamespace) -> None:
    for verb in (Verb.REOPEN, Verb.SUBMIT):
        workflow.take_step(verb, incident_id=incident.pk, actor=people.researcher, reason="Why")


def test_the_text_is_neither_verified_nor_published_again(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = told(draft, people)
    take(incident, people)
    _reopened(incident, people)
    with pytest.raises(Conflict, match="taken out") as refused:
        workflow.take_step(Verb.VERIFY, incident_id=incident.pk, actor=people.other_verifier)
    assert refused.value.differences == [
        "claims[0].quotation",
        "summary",
        "title",
        "victims[0].names[0]",
    ]


def test_what_was_verified_before_is_not_published_after(
    draft: Draft, people: SimpleNamespace
) -> None:
    published, verified = told(draft, people), told(draft, people, State.VERIFIED)
    take(published, people, everywhere=True)
    with pytest.raises(Conflict, match="taken out"):
        workflow.take_step(Verb.PUBLISH, incident_id=verified.pk, actor=people.verifier)
    assert Incident.objects.get(pk=verified.pk).code is None


def test_no_note_and_no_reason_of_a_retraction_brings_it_back(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = told(draft, people)
    take(incident, people)
    with pytest.raises(Conflict, match="taken out"):
        workflow.take_step(
            Verb.PROPOSE_RETRACTION,
            incident_id=incident.pk,
            actor=people.verifier,
            reason="ma khin htwe lives",
        )


def test_a_record_without_the_text_is_corrected_by_who_took_it_out(
    draft: Draft, people: SimpleNamespace
) -> None:
    """Taking out is no edit: the same person may verify the next version."""
    incident = told(draft, people)
    take(incident, people)
    workflow.take_step(Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="Why")
    with acting(people.researcher):
        Victim.objects.filter(incident=incident).update(names=["Mi Mi"])
        Claim.objects.filter(incident=incident).update(quotation="")
        Incident.objects.filter(pk=incident.pk).update(title="Shelling of a house", summary="")
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
    ):
        incident = workflow.take_step(
            verb, incident_id=incident.pk, actor=actor, note="Without a name"
        )
    assert document(incident, 2)["title"] == "Shelling of a house"
    assert_the_ledger_checks()


def test_the_team_keeps_the_text_and_the_public_role_cannot_read_it(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = told(draft, people)
    take(incident, people)
    assert Incident.objects.get(pk=incident.pk).title.endswith(NAME)
    (kept,) = RedactedText.objects.all()
    assert (kept.text, kept.incident, kept.actor) == (NAME, incident, people.verifier)
    assert "incidents_redactedtext" not in grants.PUBLIC
    entry = HistoryEntry.objects.get(table_name="incidents_redactedtext")
    assert (entry.incident_id, entry.reason) == (incident.pk, WHY)


def test_the_database_and_the_program_agree_on_what_may_be_taken_out() -> None:
    keys = {"code", "id", "shape", "kind", "published_at", *REDACTABLE, "place", "date"}
    for key in keys - {"cite", "nonce"}:
        (held,) = run("SELECT incidents_is_redactable(%s, '\"x\"')", [key])[0]
        assert held is bool(commit({key: "x"})[1]), key
        (held,) = run("SELECT incidents_is_redactable(%s, '{}')", [key])[0]
        assert held is (key in REDACTABLE), key


# --- Bypasses: as the application's role, by raw SQL ---


def forge(
    incident: Incident,
    *,
    paths: list[list[Any]] | None = None,
    entry: dict[str, Any] | None = None,
    row: dict[str, Any] | None = None,
    version: dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    steps: str = "row update",
    nonce: bool = True,
) -> None:
    """What the door does, without its checks, changed here and there."""
    old = versions(incident).order_by("-number").select_related("entry")[0]
    document, disclosures = json.loads(old.document), json.loads(old.disclosures)
    new, kept, taken = take_out(document, disclosures, paths or [["title"]], WHY)
    if not nonce:
        taken = [one for one in taken if one[0] != ["nonce"]]
    facts = {
        "kind": "redacted",
        "code": old.code,
        "version": old.number,
        "committed_sha256": old.entry.committed_sha256,
        **(entry or {}),
    }
    added = ledger.append(ledger.lock_head(), at=ledger.now(), **facts)
    if "row" in steps:
        fields = {"code": old.code, "number": old.number, "public_reason": WHY, **(row or {})}
        Redaction.objects.using("default").create(
            entry=added, **{"taken": canonical(taken), **fields}
        )
    if "update" in steps:
        values = {"document": new, "disclosures": kept, "note": new["note"] or ""}
        values |= version(new) if callable(version) else version or {}
        for key in ("document", "disclosures"):
            if not isinstance(values[key], str):
                values[key] = canonical(values[key])
        values.setdefault("sha256", sha256(values["document"]))
        run(
            f"UPDATE incidents_publishedversion SET {', '.join(f'{k} = %s' for k in values)} "
            "WHERE code = %s AND number = %s",
            [*values.values(), old.code, old.number],
        )


def _other_digest(incident: Incident) -> str:
    return canonical([[["title"], "0" * 64], [["nonce"], "0" * 64]])


def _doubled(new: dict[str, Any]) -> dict[str, Any]:
    return {"document": '{"cite":"HIDDEN",' + canonical(new)[1:]}


def _spaced(new: dict[str, Any]) -> dict[str, Any]:
    return {"document": canonical(new).replace(",", ", ", 1)}


def _twice(new: dict[str, Any]) -> dict[str, Any]:
    return {"document": {**new, "redactions": new["redactions"] * 2}}


ONLY_GROWS = "incidents_publishedversion_only_grows"
EXACTLY = "incidents_publishedversion_redacted_exactly"
THERE = "incidents_redaction_of_what_is_there"
OF_VERSION = "incidents_redaction_of_a_version"
# Rule, who acts, and what is forged.
BYPASSES: list[tuple[str, str, dict[str, Any]]] = [
    (ONLY_GROWS, "verifier", {"steps": "update"}),
    ("incidents_redaction_by_who_may", "researcher", {}),
    ("incidents_redaction_by_who_may", "administrator", {}),
    ("incidents_redaction_carried_out", "verifier", {"steps": "row"}),
    ("incidents_ledgerentry_is_whole", "verifier", {"steps": ""}),
    ("incidents_redaction_says_why", "verifier", {"row": {"public_reason": ""}}),
    (OF_VERSION, "verifier", {"entry": {"committed_sha256": "0" * 64}}),
    (OF_VERSION, "verifier", {"row": {"code": "MMR-2014-0001"}}),
    (OF_VERSION, "verifier", {"row": {"number": 7}}),
    (OF_VERSION, "verifier", {"entry": {"version": 7}}),
    (OF_VERSION, "verifier", {"entry": {"kind": "published", "version": 7}}),
    (THERE, "verifier", {"row": {"taken": "[]"}}),
    (THERE, "verifier", {"row": {"taken": canonical([[["code"], "0" * 64]])}}),
    (THERE, "verifier", {"row": {"taken": canonical([[["title"], "0" * 64]])}}),
    (THERE, "verifier", {"nonce": False}),
    (EXACTLY, "verifier", {"version": lambda new: {"document": {**new, "summary": None}}}),
    (EXACTLY, "verifier", {"version": lambda new: {"document": {**new, "summary": "Another"}}}),
    (EXACTLY, "verifier", {"version": lambda new: {"document": {**new, "title": "Another"}}}),
    (EXACTLY, "verifier", {"version": lambda new: {"document": {**new, "extra": 1}}}),
    (EXACTLY, "verifier", {"version": lambda new: {"document": {**new, "redactions": []}}}),
    (EXACTLY, "verifier", {"version": _doubled}),
    (EXACTLY, "verifier", {"version": _spaced}),
    (EXACTLY, "verifier", {"version": _twice}),
    (EXACTLY, "verifier", {"version": {"disclosures": []}}),
    (EXACTLY, "verifier", {"version": {"note": "Another"}}),
    (EXACTLY, "verifier", {"version": {"kind": "retracted"}}),
    (EXACTLY, "verifier", {"version": {"published_at": "1999-01-01T00:00Z"}}),
    ("incidents_publishedversion_hash", "verifier", {"version": {"sha256": "0" * 64}}),
]


@pytest.mark.parametrize("name", dict.fromkeys(b[0] for b in BYPASSES))
def test_nothing_else_is_taken_out_or_changed_by_raw_sql(
    draft: Draft, people: SimpleNamespace, name: str
) -> None:
    incident = told(draft, people)
    for by, how in (b[1:] for b in BYPASSES if b[0] == name):
        refused = refusal(partial(forge, incident, **how), getattr(people, by))
        assert refused is not None, how
        assert refused.rule == name, how
        if not name.endswith("_hash"):
            assert refused.message.endswith("."), how
            assert not JARGON.search(refused.message), how


def test_what_the_door_does_passes_so_that_the_refusals_above_mean_something(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = told(draft, people)
    for paths in ([["title"]], [["note"]], [["victims", 0, "names", 0], ["claims", 0, "point"]]):
        assert refusal(partial(forge, incident, paths=paths), people.verifier) is None


def test_a_redaction_lets_its_version_give_way_once_and_no_other(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident, other = told(draft, people), told(draft, people)

    def twice() -> None:
        forge(incident)
        run(
            "UPDATE incidents_publishedversion SET document = document WHERE code = %s",
            [incident.code],
        )

    assert rule(twice, people.verifier) == EXACTLY

    def of_another() -> None:
        forge(incident)
        forge(other, steps="update")

    assert rule(of_another, people.verifier) == ONLY_GROWS


def test_who_was_deactivated_takes_nothing_out(draft: Draft, people: SimpleNamespace) -> None:
    incident = told(draft, people)
    User.objects.filter(pk=people.verifier.pk).update(is_active=False)
    assert rule(partial(forge, incident), people.verifier) == "incidents_redaction_by_who_may"


def test_who_loses_the_right_between_row_and_version_changes_nothing(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = told(draft, people)

    def write() -> None:
        forge(incident, steps="row")
        User.objects.filter(pk=people.verifier.pk).update(is_active=False)
        forge_update_alone(incident)

    assert rule(write, people.verifier) == ONLY_GROWS


def forge_update_alone(incident: Incident) -> None:
    run(
        "UPDATE incidents_publishedversion SET document = document WHERE code = %s", [incident.code]
    )


def remember(incident: Incident, actor: User, text: str = NAME) -> None:
    RedactedText.objects.create(incident=incident, text=text, reason=WHY, actor=actor)


@pytest.mark.parametrize(
    ("name", "by", "actor", "text"),
    [
        pytest.param(*row, id=row[0])
        for row in (
            ("incidents_redactedtext_in_own_name", "verifier", "other_verifier", NAME),
            ("incidents_redactedtext_by_who_may", "researcher", "researcher", NAME),
            ("incidents_redactedtext_is_a_text", "verifier", "verifier", " x "),
        )
    ],
)
def test_a_text_is_remembered_by_who_may_in_their_own_name(
    draft: Draft, people: SimpleNamespace, name: str, by: str, actor: str, text: str
) -> None:
    incident = told(draft, people)
    write = partial(remember, incident, getattr(people, actor), text)
    refused = refusal(write, getattr(people, by))
    assert refused is not None
    assert refused.rule == name
    assert not JARGON.search(refused.message)
    assert refusal(partial(remember, incident, people.verifier), people.verifier) is None


@pytest.mark.parametrize("key", ["title", "quotation", "names", "note"])
def test_incidents_publishedversion_holds_no_redacted_text(
    draft: Draft, people: SimpleNamespace, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses it by itself, where it stands to the letter."""
    incident = told(draft, people, State.VERIFIED)
    note = "The quiet note" if key == "note" else ""
    text = {"title": "house of", "quotation": "was at home", "names": "Mi Mi", "note": "quiet"}[key]
    with acting(people.verifier):
        remember(incident, people.verifier, text)
    monkeypatch.setattr(door, "refuse_redacted", lambda *_: None)
    with pytest.raises(Invalid) as refused:
        workflow.take_step(Verb.PUBLISH, incident_id=incident.pk, actor=people.verifier, note=note)
    assert refused.value.rule == "incidents_publishedversion_holds_no_redacted_text"
    monkeypatch.undo()
    assert connection.in_atomic_block


TESTED = {b[0] for b in BYPASSES} | {
    "incidents_redactedtext_in_own_name",
    "incidents_redactedtext_by_who_may",
    "incidents_redactedtext_is_a_text",
    "incidents_publishedversion_holds_no_redacted_text",
}
HISTORY = {
    f"incidents_redactedtext_history_{event}": event for event in ("insert", "update", "delete")
}
TRIGGERS = {"incidents_redaction_guard", *HISTORY}


@pytest.mark.django_db(databases=["default", "published", "owner"])
@pytest.mark.parametrize("name", HISTORY)
def test_every_change_of_what_is_remembered_leaves_one_entry(
    people: SimpleNamespace, name: str
) -> None:
    """Even where the owner has switched off what refuses it."""
    event = HISTORY[name]
    with acting(people.verifier, "For a test", using="owner"):
        if event != "insert":
            switch_off("incidents_redactedtext", f"incidents_redactedtext_only_grows_{event}")
        row = RedactedText(text=NAME, reason=WHY, actor=people.verifier)
        row.save(using="owner")
        if event != "insert":
            since = HistoryEntry.objects.using("owner").order_by("-pk")[0].pk
            rows = RedactedText.objects.using("owner").filter(pk=row.pk)
            _ = rows.update(text="Another") if event == "update" else rows.delete()
        else:
            since = HistoryEntry.objects.using("owner").order_by("-pk")[0].pk - 1
        (entry,) = HistoryEntry.objects.using("owner").filter(pk__gt=since)
        assert (entry.table_name, entry.operation) == ("incidents_redactedtext", event.upper())


# --- Whatever is taken out ---

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
_LEAF = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-9, 9), _TEXT)
_KEY = st.sampled_from(["title", "name", "names", "code", "place", "point", "note", "claims"])
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=4),
    max_leaves=12,
)
_DOCUMENT = st.dictionaries(_KEY, _VALUE, min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(_DOCUMENT, st.data())
def test_whatever_is_taken_out_the_rest_commits_to_the_same(
    content: dict[str, Any], data: st.DataObject
) -> None:
    whole = {**content, "nonce": new_nonce()}
    committed, disclosures = commit(whole)
    paths = [path for _salt, path, _value in disclosures if path != ["nonce"]]
    document, kept = whole, disclosures
    for _ in range(data.draw(st.integers(1, 3))):
        chosen = data.draw(st.lists(st.sampled_from(paths), unique_by=canonical)) if paths else []
        before, held = document, kept
        document, kept, taken = take_out(before, held, chosen, "“Why”\n\x01\\")
        assert recommit(document, kept) == committed
        if taken:
            # The database comes to the very same bytes.
            texts = [canonical(before), canonical(taken), "“Why”\n\x01\\"]
            ((text,),) = run("SELECT incidents_redacted(%s, %s, %s)", texts)
            assert text == canonical(document)
            ((text,),) = run(
                "SELECT incidents_disclosures_kept(%s, %s)", [canonical(held), canonical(taken)]
            )
            assert text == canonical(kept)
    assert holding(kept, "") == [d[1] for d in kept if d[1] != ["nonce"]]


def test_the_content_that_was_verified_has_no_nonce(draft: Draft) -> None:
    assert "nonce" not in build_content(draft().pk)

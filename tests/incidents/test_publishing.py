"""What crosses the door, and that nothing else does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid
from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.choices import State, Verb
from incidents.models import (
    Claim,
    CodeCounter,
    Dataset,
    Incident,
    IncidentLink,
    LedgerEntry,
    LedgerHead,
    Place,
    PublishedAdm1Sum,
    PublishedCasualty,
    PublishedChange,
    PublishedClaim,
    PublishedGroupValue,
    PublishedIncident,
    PublishedIncidentRow,
    PublishedKeyCount,
    PublishedPart,
    PublishedReference,
    PublishedTally,
    PublishedTallySum,
    PublishedTotal,
    PublishedVersion,
    PublishedVictim,
    Victim,
)
from incidents.publishing import ledger, merkle
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.codes import next_code
from incidents.publishing.commitments import new_nonce, recommit
from incidents.publishing.document import build_content
from sources.models import Outlet
from tests.drafts import publish_again

pytestmark = pytest.mark.django_db

Draft = Callable[..., Incident]


def versions(code: str | None = None) -> Any:
    rows = PublishedVersion.objects.using("default")
    return rows.filter(code=code) if code else rows


def document(incident: Incident, number: int = 1) -> dict[str, Any]:
    return json.loads(versions(incident.code).get(number=number).document)


def test_a_version_carries_its_stamps_and_the_verified_content(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.PUBLISHED)
    leaving = document(incident)
    verified = json.loads(incident.reviews.get(verb=Verb.VERIFY).content)
    stamps = {key: leaving.pop(key) for key in set(leaving) - set(verified)}
    assert leaving == verified
    assert set(stamps) == {
        "code",
        "version",
        "published_at",
        "previous_version",
        "note",
        "cite",
        "nonce",
    }
    assert (stamps["code"], stamps["version"]) == (incident.code, 1)
    assert incident.code in stamps["cite"]


def test_reopening_and_publishing_gives_version_2_and_keeps_version_1(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = publish_again(draft(State.PUBLISHED), people, title="Shelling of a hamlet")
    first, second = document(incident, 1), document(incident, 2)
    assert first["title"] == "Shelling of a village"
    assert second["title"] == "Shelling of a hamlet"
    assert second["previous_version"] == 1
    assert second["note"] == "The title was wrong."
    rows = PublishedIncident.objects.using("default").filter(code=incident.code)
    assert [(r.number, r.valid_until is None) for r in rows.order_by("number")] == [
        (1, False),
        (2, True),
    ]


def test_a_correction_says_publicly_what_it_corrects(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft(State.PUBLISHED)
    workflow.take_step(
        Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="A better source"
    )
    workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
    workflow.take_step(Verb.VERIFY, incident_id=incident.pk, actor=people.verifier)
    with pytest.raises(Invalid, match="note"):
        workflow.take_step(Verb.PUBLISH, incident_id=incident.pk, actor=people.verifier)


def test_the_last_version_is_served_while_the_next_is_worked_on(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.PUBLISHED)
    workflow.take_step(
        Verb.REOPEN, incident_id=incident.pk, actor=people.researcher, reason="A better source"
    )
    row = PublishedIncident.objects.using("default").get(code=incident.code)
    assert row.valid_until is None


def test_a_retracted_record_leaves_a_tombstone_and_no_row(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.RETRACTED)
    tombstone = document(incident, 2)
    assert tombstone["retracted"] is True
    assert tombstone["note"] == "For a test"
    assert "title" not in tombstone
    assert not (
        PublishedIncident.objects.using("default")
        .filter(code=incident.code, valid_until=None)
        .exists()
    )


def test_what_was_retracted_can_be_published_again_under_its_code(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.RETRACTED)
    code = incident.code
    incident = publish_again(incident, people, title="Shelling, as two sources have it")
    assert incident.code == code
    assert [v.kind for v in versions(code).order_by("number")] == [
        "published",
        "retracted",
        "published",
    ]


def test_codes_count_without_gaps_and_a_failed_publication_takes_none(
    draft: Draft, people: SimpleNamespace
) -> None:
    first = draft(State.PUBLISHED)
    failing = draft(State.VERIFIED)
    with acting(people.administrator, "Renamed"):
        Place.objects.filter(slug="laiza").update(name="Lai Zar")
    with pytest.raises(Conflict):
        workflow.take_step(Verb.PUBLISH, incident_id=failing.pk, actor=people.verifier)
    second = draft(State.PUBLISHED)
    assert [first.code, second.code] == ["MMR-2024-0002", "MMR-2024-0003"]
    assert CodeCounter.objects.get(country="MMR", year=2024).last == 3


def test_the_ledger_is_numbered_without_gaps_and_its_tree_checks(
    draft: Draft, people: SimpleNamespace
) -> None:
    for _ in range(3):
        draft(State.PUBLISHED)
    entries = list(LedgerEntry.objects.using("default").order_by("seq"))
    assert [entry.seq for entry in entries] == list(range(1, 7))
    leaves = [merkle.leaf_hash(entry.entry.encode()) for entry in entries]
    for size, entry in enumerate(entries, 1):
        assert entry.leaf_hash == leaves[size - 1].hex()
        assert entry.root_hash == _tree(leaves[:size]).hex()
    head = LedgerHead.objects.using("default").get()
    assert head.size == 6
    assert merkle.root([bytes.fromhex(h) for h in head.edge]).hex() == entries[-1].root_hash


def _tree(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _tree(leaves[:split]) + _tree(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(1, 70))
def test_the_tree_grows_as_rfc_6962_writes_it(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    edge: list[bytes] = []
    for n, leaf in enumerate(leaves):
        edge = merkle.append(edge, n, leaf)
    assert merkle.root(edge) == _tree(leaves)


def test_the_entry_commits_to_the_document_value_by_value(draft: Draft) -> None:
    incident = draft(State.PUBLISHED)
    version = versions(incident.code).select_related("entry").get()
    disclosures = json.loads(version.disclosures)
    committed = recommit(json.loads(version.document), disclosures)
    assert sha256(canonical(committed)) == version.entry.committed_sha256
    assert sha256(version.document) == version.sha256
    text = canonical(committed)
    for salt, path, value in disclosures:
        assert len(salt) >= 40
        if isinstance(value, str) and len(value) > 8:
            assert value not in text, path
    paths = {".".join(str(step) for step in path) for _, path, _ in disclosures}
    assert {"title", "place.name", "claims.0.paraphrase", "claims.0.article.title"} <= paths


def test_no_salt_is_used_twice(draft: Draft, people: SimpleNamespace) -> None:
    incident = publish_again(draft(State.PUBLISHED), people, title="Shelling of a hamlet")
    salts = [d[0] for v in versions(incident.code) for d in json.loads(v.disclosures)]
    assert len(salts) == len(set(salts))


# --- Bypasses: as the application's role, by raw SQL ---


def _let_out(
    incident: Incident,
    actor: User,
    *,
    kind: str = "published",
    content: dict[str, Any] | None = None,
    rewrite: Callable[[str], str] = str,
    note: str = "",
    **changes: Any,
) -> None:
    """What the door does, without its checks: a true ledger entry, and a version by raw SQL."""
    with acting(actor):
        code = incident.code
        if code is None and incident.state == State.VERIFIED:
            code = next_code(incident)
            Incident.objects.filter(pk=incident.pk).update(code=code)
        code = code or "MMR-2024-0777"
        number = versions(code).count() + 1
        head, at = ledger.lock_head(), ledger.now()
        if content is None:
            verification = incident.reviews.filter(verb=Verb.VERIFY).last()
            content = json.loads(verification.content) if verification else {}
        title = f"{content['title']}. " if "title" in content else ""
        stamps = {
            "code": code,
            "version": number,
            "published_at": ledger.timestamp(at),
            "previous_version": number - 1 or None,
            "note": note,
            "cite": f"harmtracker, {code}, version {number}: {title}Published {at:%Y-%m-%d}.",
            "nonce": new_nonce(),
        }
        text = rewrite(canonical({**content, **stamps, **changes}))
        facts = {"kind": kind, "code": code, "version": number, "committed_sha256": sha256(text)}
        entry = ledger.append(head, at=at, **facts)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO incidents_publishedversion "
                "(seq, code, number, kind, document, sha256, disclosures, note, published_at) "
                "VALUES (%s, %s, %s, %s, %s, %s, '[]', %s, %s)",
                [entry.seq, code, number, kind, text, sha256(text), note, at],
            )


def _doubled(text: str) -> str:
    """A key that stands twice: jsonb would see the last one alone."""
    return '{"title":"NEVER VERIFIED",' + text[1:]


def _telling_note(text: str) -> str:
    return text.replace('"note":""', '"note":{"names":["HIDDEN"]}')


@pytest.mark.parametrize(
    ("person", "changes", "rule"),
    [
        ("verifier", {"summary": "Another"}, "is_what_was_verified"),
        ("verifier", {"extra": 1}, "is_what_was_verified"),
        ("verifier", {"rewrite": _doubled}, "is_what_was_verified"),
        ("verifier", {"version": 2}, "follows"),
        ("verifier", {"code": "MMR-2024-0998"}, "follows"),
        ("verifier", {"rewrite": _telling_note}, "follows"),
        ("verifier", {"cite": "HIDDEN"}, "follows"),
        ("verifier", {"nonce": ""}, "follows"),
        ("verifier", {"nonce": "HIDDEN"}, "follows"),
        ("verifier", {"nonce": None}, "follows"),
        ("verifier", {"published_at": "1999-01-01T00:00:00.000000Z"}, "follows"),
        ("researcher", {}, "not_by_author"),
        ("other_researcher", {}, "not_by_author"),
    ],
)
def test_only_the_verified_bytes_are_published_even_by_raw_sql(
    draft: Draft, people: SimpleNamespace, person: str, changes: dict[str, Any], rule: str
) -> None:
    incident = draft(State.VERIFIED)
    with pytest.raises(Invalid) as refusal:
        _let_out(incident, getattr(people, person), **changes)
    assert refusal.value.rule == f"incidents_publishedversion_{rule}"


def test_the_verified_bytes_pass_so_that_the_refusals_above_mean_something(
    draft: Draft, people: SimpleNamespace
) -> None:
    _let_out(draft(State.VERIFIED), people.verifier)


@pytest.mark.parametrize("state", [State.DRAFT, State.SUBMITTED, State.PUBLISHED])
def test_nothing_is_published_without_a_live_review(
    draft: Draft, people: SimpleNamespace, state: State
) -> None:
    with pytest.raises(Invalid) as refusal:
        _let_out(draft(state), people.verifier)
    assert refusal.value.rule == "incidents_publishedversion_has_live_review"


def _proposed(draft: Draft, people: SimpleNamespace) -> Incident:
    incident = draft(State.PUBLISHED)
    return workflow.take_step(
        Verb.PROPOSE_RETRACTION, incident_id=incident.pk, actor=people.verifier, reason="A hoax"
    )


TOMBSTONE = {"record_type": "incident", "retracted": True, "shape": 1}


@pytest.mark.parametrize(
    ("person", "content", "note", "rule"),
    [
        ("verifier", TOMBSTONE, "A hoax", "retraction_four_eyes"),
        ("researcher", TOMBSTONE, "A hoax", "retraction_four_eyes"),
        ("other_verifier", {**TOMBSTONE, "victims": ["HIDDEN"]}, "A hoax", "tombstone_is_bare"),
        ("other_verifier", TOMBSTONE, "Another reason", "tombstone_is_bare"),
    ],
)
def test_a_retraction_by_raw_sql_takes_two_and_says_no_more_than_why(
    draft: Draft,
    people: SimpleNamespace,
    person: str,
    content: dict[str, Any],
    note: str,
    rule: str,
) -> None:
    incident = _proposed(draft, people)
    with pytest.raises(Invalid) as refusal:
        _let_out(incident, getattr(people, person), kind="retracted", content=content, note=note)
    assert refusal.value.rule == f"incidents_publishedversion_{rule}"


def test_a_bare_tombstone_of_a_second_person_passes(draft: Draft, people: SimpleNamespace) -> None:
    incident = _proposed(draft, people)
    actor = people.other_verifier
    _let_out(incident, actor, kind="retracted", content=TOMBSTONE, note="A hoax")


LEDGER_LIES = [
    ("UPDATE incidents_ledgerhead SET size = 99", "incidents_ledgerhead_follows"),
    ("UPDATE incidents_ledgerhead SET edge = '{}'", "incidents_ledgerhead_follows"),
    ("UPDATE incidents_codecounter SET last = 0", "incidents_codecounter_counts"),
    (
        "INSERT INTO incidents_codecounter (country, year, last) VALUES ('SYR', 1066, 5)",
        "incidents_codecounter_counts",
    ),
    (
        "INSERT INTO incidents_ledgerentry SELECT 4, '1999-01-01', kind, code, 9, "
        "committed_sha256, entry, leaf_hash, root_hash FROM incidents_ledgerentry WHERE seq = 3",
        "incidents_ledgerentry_is_true",
    ),
    (
        "INSERT INTO incidents_ledgerentry SELECT 5, now(), kind, code, 9, committed_sha256, "
        "entry, leaf_hash, root_hash FROM incidents_ledgerentry WHERE seq = 3",
        "incidents_ledgerentry_without_gaps",
    ),
]


@pytest.mark.parametrize(("statement", "rule"), LEDGER_LIES)
def test_the_ledger_takes_no_lie(people: SimpleNamespace, statement: str, rule: str) -> None:
    with pytest.raises(Invalid) as refusal, acting(people.verifier), connection.cursor() as cursor:
        cursor.execute(statement)
    assert refusal.value.rule == rule


@pytest.mark.parametrize("missing", ["version", "head"])
def test_an_entry_without_its_version_or_uncounted_is_refused_at_the_end(
    people: SimpleNamespace, missing: str
) -> None:
    def append() -> None:
        head = ledger.lock_head()
        if missing == "head":
            head.save = lambda **_: None  # type: ignore[method-assign]
        facts = {"kind": "published", "code": "MMR-2024-0777", "version": 1}
        ledger.append(head, at=ledger.now(), committed_sha256="0" * 64, **facts)

    with pytest.raises(Invalid) as refusal, acting(people.verifier):
        append()
    assert refusal.value.rule == "incidents_ledgerentry_is_whole"


@pytest.mark.parametrize("code", ["SYR-1066-0001", "MMR-2024-9999"])
def test_a_code_is_the_next_of_its_country_and_year(
    draft: Draft, people: SimpleNamespace, code: str
) -> None:
    incident = draft(State.VERIFIED)
    with pytest.raises(Invalid) as refusal, acting(people.verifier):
        Incident.objects.filter(pk=incident.pk).update(code=code)
    assert refusal.value.rule == "incidents_incident_code_is_counted"


def test_the_word_of_a_person_deactivated_since_does_not_publish(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft(State.VERIFIED)
    people.verifier.is_active = False
    people.verifier.save()
    with pytest.raises(Invalid) as refusal:
        workflow.take_step(Verb.PUBLISH, incident_id=incident.pk, actor=people.other_verifier)
    assert refusal.value.rule == "incidents_publishedversion_four_eyes"


# --- What may not leave ---

# No moment's seconds read like this: it can stand in a document only as an age.
AGE = "71.25"


def _name(incident: Incident, **fields: Any) -> Victim:
    return services.add_victim(
        incident=incident,
        claims=[Claim.objects.get(incident=incident)],
        names=["SENTINEL NAME"],
        age=AGE,
        outcome="killed",
        note="SENTINEL NOTE",
        **fields,
    )


def test_a_victim_without_consent_leaves_without_name_age_and_note(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    with acting(people.researcher):
        _name(incident)
    _to_published(incident, people)
    text = versions(Incident.objects.get(pk=incident.pk).code).get().document
    assert "SENTINEL" not in text
    assert AGE not in text
    (victim,) = json.loads(text)["victims"]
    assert set(victim) == {"outcome", "status", "role", "sex", "age_group"}


def test_a_victim_with_consent_leaves_with_the_name(draft: Draft, people: SimpleNamespace) -> None:
    incident = draft()
    with acting(people.researcher):
        _name(incident, consent_basis="family_consent")
    _to_published(incident, people)
    (victim,) = document(Incident.objects.get(pk=incident.pk))["victims"]
    assert victim["names"] == ["SENTINEL NAME"]
    assert victim["consent_basis"] == "family_consent"


def _to_published(incident: Incident, people: SimpleNamespace) -> None:
    for verb, actor in (
        (Verb.SUBMIT, people.researcher),
        (Verb.VERIFY, people.verifier),
        (Verb.PUBLISH, people.verifier),
    ):
        workflow.take_step(verb, incident_id=incident.pk, actor=actor)


def _verify_forged_content(incident: Incident, people: SimpleNamespace, **changes: Any) -> None:
    """A verification by a second person of content that our builder would not have made."""
    text = canonical({**build_content(incident.pk), **changes})
    with acting(people.verifier):
        incident.reviews.create(
            verb=Verb.VERIFY,
            actor=people.verifier,
            revision=incident.revision.number,
            content=text,
            content_sha256=sha256(text),
        )
        Incident.objects.filter(pk=incident.pk).update(state=State.VERIFIED)
    incident.refresh_from_db()


PERSON = {"outcome": "killed", "status": "civilian", "sex": "male", "age_group": "child"}


@pytest.mark.parametrize(
    "told",
    [
        {"names": ["SENTINEL NAME"]},
        {"age": 7.5},
        {"names": ["SENTINEL NAME"], "consent_basis": None},
    ],
    ids=str,
)
def test_no_name_without_consent_is_verified_whatever_the_content_says(
    draft: Draft, people: SimpleNamespace, told: dict[str, Any]
) -> None:
    incident = draft()
    with acting(people.researcher):
        _name(incident)
    workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
    incident.refresh_from_db()
    with pytest.raises(Invalid) as refusal:
        _verify_forged_content(incident, people, victims=[{**PERSON, **told}])
    assert refusal.value.rule == "incidents_review_of_the_record"


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Another"},
        {"summary": "Another"},
        {"grading": {"code": "confirmed"}},
        {"date": {"edtf": "1999"}},
        {"place": None},
        {"claims": []},
        {"casualties": []},
        {"victims": [PERSON]},
    ],
    ids=lambda c: next(iter(c)),
)
def test_what_is_verified_is_what_the_record_says(
    draft: Draft, people: SimpleNamespace, changes: dict[str, Any]
) -> None:
    incident = draft(State.SUBMITTED)
    with pytest.raises(Invalid) as refusal:
        _verify_forged_content(incident, people, **changes)
    assert refusal.value.rule == "incidents_review_of_the_record"


def test_a_claim_of_a_person_leaves_only_with_consent_even_if_it_was_verified(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident = draft()
    with acting(people.researcher):
        _name(incident)
    workflow.take_step(Verb.SUBMIT, incident_id=incident.pk, actor=people.researcher)
    incident.refresh_from_db()
    _verify_forged_content(incident, people, victims=[{**PERSON, "claims": ["x"]}])
    with pytest.raises(Invalid) as refusal:
        _let_out(incident, people.verifier)
    assert refusal.value.rule == "incidents_publishedversion_names_have_consent"


PROTECTED = {
    "latitude": "24.782060",
    "longitude": "97.562470",
    "place_precision": "site",
    "radius_m": 100,
    "point_note": "Seen on imagery.",
}


def _camp() -> Place:
    return Place.objects.get(slug="mung-lai-hkyet-camp")


def test_a_protected_place_leaves_on_a_grid(draft: Draft) -> None:
    place = document(draft(State.PUBLISHED, place=_camp(), **PROTECTED))["place"]
    assert place["point"] == {"latitude": 24.8, "longitude": 97.6}
    assert place["on_grid"] is True
    assert place["radius_m"] is None
    assert place["point_note"] == ""


def test_a_protected_place_that_is_public_already_leaves_exactly(draft: Draft) -> None:
    fields = {**PROTECTED, "point_already_public": True}
    place = document(draft(State.PUBLISHED, place=_camp(), **fields))["place"]
    assert place["point"] == {"latitude": 24.78206, "longitude": 97.56247}


EXACT = {"latitude": 24.78206, "longitude": 97.56247}


@pytest.mark.parametrize("which", ["place", "claim"])
def test_the_database_keeps_the_points_of_a_protected_place_on_their_grid(
    draft: Draft, people: SimpleNamespace, which: str
) -> None:
    incident = draft(State.SUBMITTED, place=_camp(), **PROTECTED)
    content = build_content(incident.pk)
    section = content["place"] if which == "place" else content["claims"][0]
    section["point"] = EXACT
    _verify_forged_content(incident, people, **content)
    with pytest.raises(Invalid) as refusal:
        _let_out(incident, people.verifier)
    assert refusal.value.rule == "incidents_publishedversion_protected_on_grid"


def test_a_site_in_a_protected_place_is_protected_and_so_are_its_claims(
    draft: Draft, people: SimpleNamespace
) -> None:
    with acting(people.researcher):
        school = services.save(
            Place(slug="school", name="School", level="site", parent=_camp(), country="MMR")
        )
    incident = draft(place=school, **PROTECTED)
    with acting(people.researcher):
        Claim.objects.filter(incident=incident).update(latitude="24.78206", longitude="97.56247")
    _to_published(incident, people)
    content = document(Incident.objects.get(pk=incident.pk))
    assert content["place"]["protected"] is True
    assert content["place"]["point"] == {"latitude": 24.8, "longitude": 97.6}
    assert content["claims"][0]["point"] == {"latitude": 24.8, "longitude": 97.6}


def test_a_record_of_a_dataset_that_forbids_it_does_not_leave(
    draft: Draft, people: SimpleNamespace
) -> None:
    with acting(people.researcher):
        closed = services.save(Dataset(slug="closed", name="Closed"))
    incident = draft(State.VERIFIED, dataset=closed)
    with pytest.raises(Invalid) as refusal:
        workflow.take_step(Verb.PUBLISH, incident_id=incident.pk, actor=people.verifier)
    assert refusal.value.rule == "incidents_publishedversion_redistributable"


def test_a_link_to_a_draft_does_not_say_that_there_is_one(
    draft: Draft, people: SimpleNamespace
) -> None:
    incident, hidden, known = draft(), draft(), draft(State.PUBLISHED)
    with acting(people.researcher):
        for other in (hidden, known):
            services.add_part(IncidentLink, incident=incident, kind="related", other=other)
    _to_published(incident, people)
    links = document(Incident.objects.get(pk=incident.pk))["links"]
    assert links == [{"kind": "related", "code": known.code}]


@pytest.mark.parametrize("kind", ["duplicate_of", "merged_into"])
def test_a_duplicate_is_in_no_total(draft: Draft, people: SimpleNamespace, kind: str) -> None:
    incident, original = draft(), draft(State.PUBLISHED)
    with acting(people.researcher):
        services.add_part(IncidentLink, incident=incident, kind=kind, other=original)
    _to_published(incident, people)
    rows = PublishedIncident.objects.using("default").in_bulk(field_name="version_id")
    in_totals = {row.code: row.in_totals for row in rows.values()}
    assert in_totals[original.code] is True
    assert in_totals[Incident.objects.get(pk=incident.pk).code] is False


def test_an_aggregate_count_is_in_no_total(draft: Draft) -> None:
    incident = draft(State.PUBLISHED, record_type="aggregate_count")
    assert PublishedIncident.objects.using("default").get(code=incident.code).in_totals is False


# --- The index over the documents ---


def _index() -> dict[str, list[tuple[Any, ...]]]:
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for model in (
        PublishedIncident,
        PublishedIncidentRow,
        PublishedKeyCount,
        PublishedTotal,
        PublishedTally,
        PublishedTallySum,
        PublishedAdm1Sum,
        PublishedPart,
        PublishedGroupValue,
        PublishedCasualty,
        PublishedVictim,
        PublishedClaim,
        PublishedReference,
        PublishedChange,
    ):
        columns = [f.column for f in model._meta.concrete_fields if f.name != "id"]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {model._meta.db_table}")
            rows[model.__name__] = sorted(cursor.fetchall(), key=repr)
    return rows


def test_rebuilding_the_index_gives_the_same_rows(draft: Draft, people: SimpleNamespace) -> None:
    publish_again(draft(State.PUBLISHED), people, title="Shelling of a hamlet")
    draft(State.RETRACTED)
    before = _index()
    PublishedIncident.objects.using("default").update(grading="confirmed", number=F("number") + 5)
    assert _index() != before
    call_command("rebuild_published", verbosity=0)
    assert _index() == before
    assert all(before.values())


def test_a_reference_goes_with_the_last_document_that_names_it(
    draft: Draft, people: SimpleNamespace
) -> None:
    def named() -> bool:
        return (
            PublishedReference.objects.using("default")
            .filter(name="Gazette", valid_until=None)
            .exists()
        )

    assert not named()
    draft(State.PUBLISHED)
    assert named()
    incident = draft(State.PUBLISHED)
    draft_rows = Incident.objects.filter(state=State.PUBLISHED, title="Shelling of a village")
    for record in draft_rows:
        assert named()
        workflow.take_step(
            Verb.PROPOSE_RETRACTION, incident_id=record.pk, actor=people.verifier, reason="A hoax"
        )
        workflow.take_step(Verb.RETRACT, incident_id=record.pk, actor=people.other_verifier)
    assert incident in draft_rows.model.objects.filter(state=State.RETRACTED)
    assert not named()


def test_a_reference_that_stays_loses_the_words_of_what_was_retracted(
    draft: Draft, people: SimpleNamespace
) -> None:
    draft(State.PUBLISHED)
    with acting(people.administrator, "Renamed"):
        Outlet.objects.filter(slug="gazette").update(name="Gazette, a libel")
    second = draft(State.PUBLISHED)
    names = PublishedReference.objects.using("default").filter(
        name__startswith="Gazette", valid_until=None
    )
    assert [row.name for row in names] == ["Gazette, a libel"]
    workflow.take_step(
        Verb.PROPOSE_RETRACTION, incident_id=second.pk, actor=people.verifier, reason="A hoax"
    )
    workflow.take_step(Verb.RETRACT, incident_id=second.pk, actor=people.other_verifier)
    assert [row.name for row in names.all()] == ["Gazette"]
    before = _index()
    call_command("rebuild_published", verbosity=0)
    assert _index() == before

"""What must hold of the database and of every public answer, whatever people did."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import rfc8785
from django.db import transaction
from django.test import Client

from harmtracker import grants
from harmtracker.history.models import HistoryEntry
from incidents.models import (
    Incident,
    IncidentRevision,
    LedgerEntry,
    LedgerHead,
    PublishedCasualty,
    PublishedClaim,
    PublishedIncident,
    PublishedReference,
    PublishedTotal,
    PublishedVersion,
    PublishedVictim,
)
from incidents.publishing import projection
from tests.incidents.test_publishing import _index
from tests.model.desks import MODELS
from tests.model.world import Record, World, figures, folded, sums
from tests.rules import run

PARTS: dict[str, dict[str, str]] = {
    # kind -> name in the model -> column
    "claims": {
        "key": "uuid",
        "article": "article_id",
        "speaker": "attributed_outlet_id",
        "kind": "kind",
        "paraphrase": "paraphrase",
    },
    "counts": {
        "claim": "claim_id",
        **{name: name for name in ("outcome", "status", "sex", "min", "best", "max")},
    },
    "bases": {"count": "count_id", "claim": "claim_id", "bound": "bound"},
    "victims": {"outcome": "outcome", "names": "names", "consent_basis": "consent_basis"},
    "victim_claims": {"victim": "victim_id", "claim": "claim_id"},
    "ids": {"value": "value"},
    "links": {"kind": "kind", "other": "other_id"},
    "further": {"place": "place_id"},
    "involvements": {"actor": "actor_id"},
}
TABLES = {kind: model._meta.db_table for kind, model in MODELS.items()}


def footprint() -> tuple[int, ...]:
    """What grows with anything that is stored of a record."""
    row = run(
        "SELECT (SELECT coalesce(max(id), 0) FROM history_historyentry), "
        "(SELECT size FROM incidents_ledgerhead), "
        "(SELECT count(*) FROM incidents_ledgerentry), "
        "(SELECT coalesce(max(id), 0) FROM incidents_review), "
        "(SELECT count(*) FROM incidents_merge), "
        "(SELECT count(*) FROM incidents_warninganswer), "
        "(SELECT coalesce(sum(last), 0) FROM incidents_codecounter), "
        "(SELECT coalesce(sum(number), 0) FROM incidents_incidentrevision)"
    )[0]
    return tuple(row)


# --- Casework ---


def _plain(value: Any) -> Any:
    return getattr(value, "pk", value)


def records(world: World) -> None:
    """Every record and every part is there, with its values, on the record that has it."""
    keys = [record.pk for record in world.records]
    stored = {row.pk: row for row in Incident.objects.filter(pk__in=keys)}
    revisions = dict(
        IncidentRevision.objects.filter(incident__in=keys).values_list("incident_id", "number")
    )
    for record in world.records:
        row = stored[record.pk]
        assert (row.state, row.code) == (record.state, record.code), record.pk
        assert row.author.username == record.author
        assert {name: _plain(getattr(row, name)) for name in record.fields} == {
            name: _plain(value) for name, value in record.fields.items()
        }
        number = revisions[record.pk]
        assert (number > record.revision) == (record.pk in world.touched), (number, record.revision)
        record.revision = number
    world.touched.clear()
    for kind, columns in PARTS.items():
        found: dict[int, dict[int, Any]] = {record.pk: {} for record in world.records}
        rows = MODELS[kind].objects.filter(incident__in=keys)
        for pk, incident, *values in rows.values_list("pk", "incident_id", *columns.values()):
            found[incident][pk] = {
                name: str(value) if name == "key" else value
                for name, value in zip(columns, values, strict=True)
            }
        for record in world.records:
            assert found[record.pk] == {
                key: {name: _plain(row[name]) for name in columns} for key, row in record.rows(kind)
            }, (kind, record.pk)


def warned(world: World) -> dict[int, list[tuple[str, int | None]]]:
    """Of each record, the warnings that wait for an answer."""
    found: dict[int, list[tuple[str, int | None]]] = {record.pk: [] for record in world.records}
    for pk, fingerprint, about in run(
        "SELECT i.id, w.fingerprint, w.about FROM unnest(%s::bigint[]) AS i (id), "
        "LATERAL incidents_warnings(i.id) w WHERE w.is_open AND w.asks = 'answer'",
        [list(found)],
    ):
        found[pk].append((fingerprint, about))
    return found


def acted(since: int, person: int) -> None:
    """Whatever was written since is in one person's name."""
    entries = HistoryEntry.objects.filter(pk__gt=since)
    assert set(entries.values_list("actor_id", flat=True)) <= {person}


def history(world: World) -> None:
    """Each change once: every row's entries follow from one another and end in what is there."""
    keys = [record.pk for record in world.records]
    last: dict[tuple[str, int], Any] = {}
    entries = HistoryEntry.objects.filter(incident_id__in=keys).order_by("pk")
    for entry in entries:
        name = (entry.table_name, entry.row_id)
        assert entry.before == last.get(name), name
        assert (entry.before is None) == (entry.operation == "INSERT") or entry.before is not None
        assert entry.before != entry.after
        last[name] = entry.after
    for table in ("incidents_incident", *TABLES.values()):
        column = "id" if table == "incidents_incident" else "incident_id"
        now = run(f"SELECT id, to_jsonb(t)::text FROM {table} t WHERE {column} = ANY (%s)", [keys])
        stored = {pk: json.loads(row) for pk, row in now}
        assert {
            pk: row for (name, pk), row in last.items() if name == table and row is not None
        } == stored, table


# --- The ledger ---


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it stands there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return _sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:]))


def _committed(document: dict[str, Any], disclosures: list[Any]) -> str:
    """The hash of a document with a digest in the place of each value that can be taken out."""
    form = json.loads(json.dumps(document))
    digests = [(r["path"], None, r["digest"]) for r in form.pop("redactions", [])]
    digests += [
        (path, value, _sha256(rfc8785.dumps([salt, path, value])).hex())
        for salt, path, value in disclosures
    ]
    for path, value, digest in digests:
        parent = form
        for step in path[:-1]:
            parent = parent[step]
        assert parent[path[-1]] == value
        parent[path[-1]] = {"_sd": digest}
    return _sha256(rfc8785.dumps(form)).hex()


def ledger() -> None:
    """One line without gaps, times that never fall, each leaf, root and commitment as computed."""
    entries = list(LedgerEntry.objects.using("default").order_by("seq"))
    versions = {v.entry_id: v for v in PublishedVersion.objects.using("default")}
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert LedgerHead.objects.using("default").get().size == len(entries)
    leaves: list[bytes] = []
    own: dict[tuple[str, int], str] = {}
    for before, entry in zip([None, *entries], entries, strict=False):
        assert before is None or before.at <= entry.at
        leaves.append(_sha256(b"\x00" + entry.entry.encode()))
        assert entry.leaf_hash == leaves[-1].hex()
        assert entry.root_hash == _root(leaves).hex()
        told = json.loads(entry.entry)
        assert [told[k] for k in ("seq", "kind", "code", "version", "committed_sha256")] == [
            entry.seq,
            entry.kind,
            entry.code,
            entry.version,
            entry.committed_sha256,
        ]
        name = (entry.code, entry.version)
        if entry.kind == "redacted":
            assert own[name] == entry.committed_sha256
            assert entry.seq not in versions
            continue
        assert name not in own
        own[name] = entry.committed_sha256
        version = versions[entry.seq]
        assert (version.code, version.number, version.kind) == (*name, entry.kind)
        document = json.loads(version.document)
        assert rfc8785.dumps(document).decode() == version.document
        assert _sha256(version.document.encode()).hex() == version.sha256
        disclosures = json.loads(version.disclosures)
        assert _committed(document, disclosures) == entry.committed_sha256


# --- What is published ---


def _without_digests(document: dict[str, Any]) -> dict[str, Any]:
    taken = [(tuple(r["path"]), r["reason"]) for r in document.get("redactions", [])]
    return {**document, "redactions": sorted(taken, key=repr)}


def published(world: World) -> None:
    """Each version says what the model says, and each number follows from its document."""
    for code, record in world.by_code().items():
        stored = list(PublishedVersion.objects.using("default").filter(code=code).order_by("pk"))
        assert [(v.number, v.kind, v.entry_id) for v in stored] == [
            (n, v.kind, v.seq) for n, v in enumerate(record.versions, 1)
        ]
        for one, known in zip(stored, record.versions, strict=True):
            document = json.loads(one.document)
            assert _without_digests(document) == _without_digests(known.document)
            assert one.note == (document["note"] or "")
        rows = PublishedIncident.objects.using("default").filter(code=code).order_by("valid_from")
        ends = [*(v.seq for v in record.versions[1:]), None]
        assert [(row.valid_from, row.valid_until) for row in rows] == [
            (v.seq, end)
            for v, end in zip(record.versions, ends, strict=True)
            if v.kind == "published"
        ]
        for row in rows:
            _index_row(world, record, row)
    _references(world)


def _index_row(world: World, record: Record, row: PublishedIncident) -> None:
    document = next(v.document for v in record.versions if v.seq == row.valid_from)
    assert document["totals"] == sums(document["casualties"])
    assert row.in_totals == world.is_counted(document)
    summary = json.loads(row.summary)
    assert summary["claim_count"] == len(document["claims"])
    assert summary["totals"] == document["totals"]
    assert summary["title"] == document["title"]

    def parts(model: Any) -> Any:
        return model.objects.using("default").filter(incident=row)

    bounds = ("min", "best", "max", "at_least")
    totals = parts(PublishedTotal)
    assert {(t.outcome, t.bucket): [getattr(t, b) for b in bounds] for t in totals} == {
        (outcome, bucket): [total[b] for b in bounds]
        for outcome, buckets in sums(document["casualties"]).items()
        for bucket, total in buckets.items()
    }
    keys = list(figures(document["casualties"][0])) if document["casualties"] else []
    rows = parts(PublishedCasualty).order_by("position")
    assert [[getattr(one, k) for k in keys] for one in rows] == [
        [one[k] for k in keys] for one in document["casualties"]
    ]
    people = parts(PublishedVictim).order_by("position")
    assert [(one.outcome, one.names) for one in people] == [
        (one["outcome"], [n for n in one["names"] if n is not None] if "names" in one else None)
        for one in document["victims"]
    ]
    claims = parts(PublishedClaim).order_by("position")
    assert [(one.claim, one.article, one.kind) for one in claims] == [
        (one["id"], one["article"]["id"], one["kind"]) for one in document["claims"]
    ]


def current(world: World) -> dict[str, dict[str, Any]]:
    """What is served of each code that is."""
    last = {code: record.versions[-1] for code, record in world.by_code().items()}
    return {code: v.document for code, v in last.items() if v.kind == "published"}


def _references(world: World) -> None:
    """Outlets and articles are found while a document that is served names them."""
    served = {
        claim["article"][key]["id"] if key == "outlet" else claim["article"]["id"]
        for document in current(world).values()
        for claim in document["claims"]
        for key in ("outlet", "article")
    } | {
        claim["attributed_to"]["id"]
        for document in current(world).values()
        for claim in document["claims"]
    }
    things = {thing.key for kind in ("outlet", "article") for thing in world.shared[kind]}
    found = PublishedReference.objects.using("default").filter(key__in=things, valid_until=None)
    assert set(found.values_list("key", flat=True)) == served & things


def words(world: World, tag: str) -> None:
    """A word that no version holds any more stands in nothing that strangers can read."""
    gone = [word for word in world.words if not _is_served(world, word)]
    for table in grants.PUBLIC:
        rows = run(
            f"SELECT to_jsonb(t)::text FROM {table} t WHERE to_jsonb(t)::text ILIKE %s",
            [f"%{tag}%"],
        )
        for (row,) in rows:
            for word in gone:
                assert folded(word) not in folded(row), (table, word)


def _is_served(world: World, word: str) -> bool:
    return any(
        folded(word)
        in folded(json.dumps({**version.document, "redactions": []}, ensure_ascii=False))
        for record in world.records
        for version in record.versions
    )


def rebuilt() -> None:
    """The index over the documents is what building it anew gives."""
    before = _index()
    with transaction.atomic():
        projection.rebuild()
        after = _index()
        transaction.set_rollback(True)
    assert after == before


# --- What strangers are answered ---


def answers(world: World, client: Client) -> None:
    """Each code's address answers as the model says, and no answer holds a word that is gone."""
    texts = []
    for code, record in world.by_code().items():
        address = f"/api/v1/incidents/{code}/"
        answer = client.get(address)
        last = record.versions[-1]
        assert answer.status_code == {"published": 200, "retracted": 410, "merged": 301}[last.kind]
        if last.kind == "merged":
            target = next(m.target for m in world.merges if m.source is record and m.is_completed)
            assert answer["Location"].endswith(f"/incidents/{target.code}/")
            assert answer.json()["merged_into"] == target.code
        if last.kind == "published":
            assert _without_digests(answer.json()) == _without_digests(last.document)
        listed = client.get(f"{address}versions/")
        kinds = [version["kind"] for version in listed.json()["results"]]
        assert kinds == [version.kind for version in record.versions]
        texts += [answer, listed]
        for number, version in enumerate(record.versions, 1):
            old = client.get(f"{address}versions/{number}/")
            assert old.status_code == 200
            assert _without_digests(old.json()) == _without_digests(version.document)
            barred = [*world.redacted, *record.redacted]
            for word in barred:
                assert not _holds_words(old, word), (code, number, word)
    codes = set()
    for name in ("incidents", "places", "actors", "outlets", "articles"):
        url: str | None = f"/api/v1/{name}/?limit=100"
        while url:
            answer = client.get(url)
            assert answer.status_code == 200
            texts.append(answer)
            body = answer.json()
            codes |= {row["code"] for row in body["results"] if name == "incidents"}
            url = body["next"]
    assert codes & set(world.by_code()) == set(current(world))
    for word in world.words:
        if not _is_served(world, word):
            for answer in texts:
                assert folded(word) not in folded(answer.content.decode())
            found = client.get("/api/v1/incidents/", {"q": word})
            assert found.json()["results"] == []
    for record in world.records:
        if record.code is None:
            continue
        for word in [*world.redacted, *record.redacted]:
            found = client.get("/api/v1/incidents/", {"q": word, "limit": 100}).json()["results"]
            assert record.code not in {row["code"] for row in found}


def _holds_words(answer: Any, word: str) -> bool:
    document = {**answer.json(), "redactions": []}
    return folded(word) in folded(json.dumps(document, ensure_ascii=False))

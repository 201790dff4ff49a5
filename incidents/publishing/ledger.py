"""The ledger: one row after the other, numbered without gaps, in the order of commits."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import connections

from incidents.models import LedgerEntry, LedgerHead

from . import merkle
from .canonical import canonical


def lock_head() -> LedgerHead:
    """The one row that every publication takes turns on. Lock it last: it is held to the commit."""
    return LedgerHead.objects.using("default").select_for_update().get(pk=1)


def now() -> datetime.datetime:
    """The database's clock at this moment, not at the transaction's start."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
        assert row is not None  # noqa: S101
        moment: datetime.datetime = row[0]
    return moment


def timestamp(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def next_entry(
    head: LedgerHead,
    *,
    at: datetime.datetime,
    kind: str,
    code: str,
    version: int,
    committed_sha256: str,
) -> LedgerEntry:
    """The entry that comes next, with the head moved on to it. Neither is saved."""
    facts: dict[str, Any] = {
        "seq": head.size + 1,
        "at": timestamp(at),
        "kind": kind,
        "code": code,
        "version": version,
        "committed_sha256": committed_sha256,
    }
    text = canonical(facts)
    leaf = merkle.leaf_hash(text.encode("utf-8"))
    edge = merkle.append([bytes.fromhex(h) for h in head.edge], head.size, leaf)
    head.size = facts["seq"]
    head.edge = [h.hex() for h in edge]
    return LedgerEntry(
        seq=facts["seq"],
        at=at,
        kind=kind,
        code=code,
        version=version,
        committed_sha256=committed_sha256,
        entry=text,
        leaf_hash=leaf.hex(),
        root_hash=merkle.root(edge).hex(),
    )


def append(head: LedgerHead, **facts: Any) -> LedgerEntry:
    """Add the next entry (see :func:`next_entry`) under a locked head."""
    entry = next_entry(head, **facts)
    entry.save(using="default", force_insert=True)
    head.save(using="default", update_fields=["size", "edge"])
    return entry

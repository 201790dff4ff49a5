"""JSON, a value per row: NDJSON, and GeoJSON as RFC 7946 has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from . import batches, selecting
from .about import About
from .selecting import Asked


def stored(
    asked: Asked, *, column: str, pick: Callable[[bytes], bytes] | None = None
) -> Iterator[bytes]:
    """The stored summaries or documents of incidents, byte for byte unless keys are picked."""
    for batch in batches.texts(
        asked, lambda after, limit: selecting.stored(asked, after, limit, column=column)
    ):
        rows = batch.rows if pick is None else [pick(row) for row in batch.rows]
        yield b"\n".join(rows) + b"\n"


def ndjson(asked: Asked) -> Iterator[bytes]:
    for batch in batches.texts(asked, lambda after, limit: selecting.objects(asked, after, limit)):
        yield b"\n".join(batch.rows) + b"\n"


def geojson(asked: Asked, about: About) -> Iterator[bytes]:
    """A FeatureCollection; a feature's geometry is null where there is no point."""
    members = json.dumps(about.members(), ensure_ascii=False)
    head = '{"type":"FeatureCollection",' + members[1:-1] + ',"features":[\n'
    before = head.encode()
    for batch in batches.texts(
        asked, lambda after, limit: selecting.objects(asked, after, limit, as_features=True)
    ):
        yield before + b",\n".join(batch.rows)
        before = b",\n"
    # Without this end it is no JSON: whoever reads half of it is told.
    yield (before if before != b",\n" else b"") + b"\n]}\n"

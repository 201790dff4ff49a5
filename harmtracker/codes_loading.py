"""Copying the code lists from their files into the database, as the owner."""

from __future__ import annotations

import json

from django.conf import settings

from harmtracker.models import Code


def load_code_lists(using: str) -> int:
    """Write every code of every list; a code that the files no longer have stays. Idempotent."""
    rows = []
    for path in sorted((settings.FIXTURES / "codelists").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        rows += [
            Code(list=content["list"], position=position, **code)
            for position, code in enumerate(content["codes"])
        ]
    Code.objects.using(using).bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["list", "code"],
        update_fields=["label", "definition", "parent", "position", "mappings"],
    )
    return len(rows)

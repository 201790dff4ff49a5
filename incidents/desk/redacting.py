"""The values that a redaction would take out, each as it stands, and the document after it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from incidents.models import Incident, PublishedVersion
from incidents.publishing.canonical import canonical
from incidents.publishing.commitments import Path, dotted, holding, take_out
from incidents.redaction import Redacted, Value

from .leaving import Leaving

# So many values are shown as they stand; of all others where they stand.
SHOWN = 200


@dataclass(frozen=True)
class Held:
    """A value that would go, whole: with what stands around the text."""

    value: Value
    words: str


def held(found: Redacted) -> list[Held]:
    """The first values that a dry run found, with what they say."""
    shown = found.values[:SHOWN]
    wanted = {(value.code, value.version) for value in shown}
    versions = PublishedVersion.objects.using("default").filter(
        code__in={code for code, _version in wanted},
        number__in={version for _code, version in wanted},
    )
    words: dict[Value, str] = {}
    for version in versions.only("code", "number", "disclosures"):
        if (version.code, version.number) not in wanted:
            continue
        said = {dotted(path): value for _salt, path, value in json.loads(version.disclosures)}
        for value in shown:
            if (value.code, value.version) == (version.code, version.number):
                words[value] = _as_text(said.get(value.path))
    return [Held(value, words.get(value, "")) for value in shown]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)


def after(incident: Incident, text: str, reason: str) -> Leaving | None:
    """The last whole version of the record as it would be served after the redaction.

    None where no version of it holds the text.
    """
    versions = PublishedVersion.objects.using("default").filter(code=incident.code)
    for version in versions.order_by("-number"):
        paths: list[Path] = holding(json.loads(version.disclosures), text)
        if paths:
            redacted, _kept, _taken = take_out(
                json.loads(version.document), json.loads(version.disclosures), paths, reason
            )
            return Leaving(
                f"From now on version {version.number} is served so, and every other version "
                "that held the text in the same way: each value that held it is null, with its "
                "digest and the public reason.",
                heading=f"Version {version.number} after it",
                text=canonical(redacted),
                code=version.code,
                version=version.number,
                note=redacted["note"] or "",
            )
    return None

"""What a release says of itself: datapackage.json, CITATION.cff, README.md, SHA256SUMS."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import connections

from harmtracker import timeouts
from harmtracker.licence import DATA_LICENCE
from incidents.exports.columns import (
    CODE,
    DAY,
    FLAG,
    LISTS,
    MOMENT,
    NUMBER,
    TEXT,
    WHOLE,
    Column,
)
from incidents.exports.selecting import USING

from . import changelog, tables, texts
from .frozen import Frozen
from .writing import Folder

DATAPACKAGE = "datapackage.json"
CITATION = "CITATION.cff"
README = "README.md"
SUMS = "SHA256SUMS"
LICENCE_NAME = "CC-BY-4.0"
# What does not change with the release.
_LICENCES = [
    {"name": LICENCE_NAME, "path": DATA_LICENCE["url"], "title": DATA_LICENCE["name"]},
]
_TYPES: dict[str, dict[str, Any]] = {
    TEXT: {"type": "string"},
    CODE: {"type": "string"},
    WHOLE: {"type": "integer"},
    NUMBER: {"type": "number"},
    FLAG: {"type": "boolean", "trueValues": ["true"], "falseValues": ["false"]},
    DAY: {"type": "date"},
    MOMENT: {"type": "datetime", "format": "any"},
}
_GEOMETRY = {
    "name": "geometry",
    "type": "any",
    "description": "The point as well-known binary (GeoParquet 1.1).",
}
_SOURCES = """
    SELECT r.attribution, r.licence, r.licence_url, count(*)
    FROM incidents_publishedincident i JOIN incidents_publishedincidentrow r ON r.seq = i.seq
    WHERE i.valid_from <= %s AND (i.valid_until IS NULL OR i.valid_until > %s)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def _field(column: Column) -> dict[str, Any]:
    constraints = {"required": True} if column.name in ("code", "position", "row") else {}
    return {
        "name": column.name,
        **_TYPES[column.kind],
        "description": column.meaning,
        **({"unit": column.unit} if column.unit else {}),
        **({"hxl": column.hxl} if column.hxl else {}),
        **({"constraints": constraints} if constraints else {}),
    }


def _schema(columns: Iterable[Column]) -> dict[str, Any]:
    fields = [_field(column) for column in columns]
    key = [field["name"] for field in fields if field["name"] in ("position", "row")]
    return {"fields": fields, "missingValues": [""], "primaryKey": key}


def _plain_schema(columns: Iterable[str], **types: str) -> dict[str, Any]:
    return {
        "fields": [{"name": name, "type": types.get(name, "string")} for name in columns],
        "missingValues": [""],
    }


_FIGURES = {
    name: "boolean" if name.endswith("at_least") else "integer"
    for name in changelog.COLUMNS
    if name.startswith(("from_", "to_")) or name == "position"
}


def parquet_schema_path(list_name: str) -> str:
    return f"schemas/parquet-{list_name}.json"


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def schemas(folder: Folder) -> None:
    """Table Schemas of the lists as Parquet: each is of many files."""
    for list_name in LISTS:
        schema = _schema(tables.in_parquet(list_name))
        schema["fields"].append(_GEOMETRY)
        folder.put(parquet_schema_path(list_name), [_json(schema)])


def _resource(path: str, folder: Folder, **more: Any) -> dict[str, Any]:
    name = path.rsplit(".", 1)[0].lower().replace("/", "-").replace("=", "-")
    written = folder.files[path]
    return {
        "name": name,
        "path": path,
        "bytes": written.size,
        "hash": f"sha256:{written.sha256}",
        **more,
    }


def _tabular(path: str, folder: Folder, schema: Any, title: str, **more: Any) -> dict[str, Any]:
    return _resource(
        path,
        folder,
        profile="tabular-data-resource",
        title=title,
        format="csv",
        mediatype="text/csv",
        encoding="utf-8",
        schema=schema,
        **more,
    )


def _other(path: str, folder: Folder, form: str, mediatype: str, **more: Any) -> dict[str, Any]:
    return _resource(
        path, folder, type="file", profile="data-resource", format=form, mediatype=mediatype, **more
    )


def _resources(folder: Folder) -> list[dict[str, Any]]:
    found = [
        _other(
            tables.DOCUMENTS,
            folder,
            "ndjson",
            "application/x-ndjson",
            title="The document of each incident, a line each",
        ),
        *(
            _tabular(tables.csv_path(name), folder, _schema(LISTS[name]), f"The list {name}")
            for name in LISTS
        ),
        *(
            _tabular(
                tables.hxl_path(name),
                folder,
                _schema(LISTS[name]),
                f"The list {name}, with a row of HXL tags below the names",
                dialect={"commentChar": "#"},
            )
            for name in LISTS
        ),
        _other(
            tables.POINTS,
            folder,
            "geojson",
            "application/geo+json",
            title="Incidents with their points",
        ),
        _tabular(
            changelog.FIGURES,
            folder,
            _plain_schema(changelog.COLUMNS, **_FIGURES),
            "Every figure that moved since the release before",
        ),
        _other(
            changelog.LINES,
            folder,
            "ndjson",
            "application/x-ndjson",
            title="Every record that came, changed or went since the release before",
        ),
    ]
    for path in sorted(folder.files):
        if path.startswith("codelists/"):
            columns = texts.WEAPON_COLUMNS if path == texts.WEAPON_TYPES else texts.CODE_COLUMNS
            schema = _plain_schema(columns, wide_area="boolean")
            name = path.removeprefix("codelists/").removesuffix(".csv")
            found.append(_tabular(path, folder, schema, f"The code list {name}"))
        elif path.startswith("parquet/"):
            schema_path = parquet_schema_path(path.split("/")[1])
            found.append(
                _other(
                    path,
                    folder,
                    "parquet",
                    "application/vnd.apache.parquet",
                    schema=schema_path,
                    partition=dict(step.split("=") for step in path.split("/") if "=" in step),
                )
            )
    return found


def _sources(frozen: Frozen) -> list[dict[str, Any]]:
    """Whose records these are, as the records themselves say it."""
    with timeouts.for_exports(USING), connections[USING].cursor() as cursor:
        cursor.execute(_SOURCES, [frozen.position, frozen.position])
        rows = cursor.fetchall()
    return [
        {
            "title": attribution or "harmtracker",
            **({"path": url} if url and url.startswith(("http://", "https://")) else {}),
            "licence": licence,
            "incidents": count,
        }
        for attribution, licence, url, count in rows
    ]


def datapackage(frozen: Frozen, folder: Folder) -> None:
    """Frictionless Data Package v1. It alone says which software and which build this is."""
    content = {
        "profile": "data-package",
        "name": f"harmtracker-{frozen.name}",
        "title": f"harmtracker, release {frozen.name}",
        "description": "Incidents in which civilians were harmed, as published at one position of "
        "the ledger.",
        "version": frozen.name,
        "created": frozen.moment,
        **({"homepage": frozen.address} if frozen.site else {}),
        "licenses": _LICENCES,
        "sources": _sources(frozen),
        "position": frozen.position,
        "previous": frozen.previous,
        "build": {
            "number": frozen.build,
            "redacted_at": frozen.redacted_at,
            "harmtracker": frozen.software.harmtracker,
            "pyarrow": frozen.software.pyarrow,
        },
        "resources": _resources(folder),
    }
    folder.put(DATAPACKAGE, [_json(content)])


def citation(frozen: Frozen, folder: Folder) -> None:
    """Citation File Format 1.2. A JSON text is a YAML text as well."""
    lines = [
        "cff-version: 1.2.0",
        "message: Please cite this release, and the version of a record by its own citation.",
        "type: dataset",
        f"title: {json.dumps(f'harmtracker, release {frozen.name}')}",
        "authors:",
        f"  - name: {json.dumps(DATA_LICENCE['attribution'])}",
        f"version: {json.dumps(frozen.name)}",
        f"date-released: {json.dumps(frozen.moment[:10])}",
        f"license: {LICENCE_NAME}",
        *([f"url: {json.dumps(frozen.address)}"] if frozen.site else []),
        "identifiers:",
        "  - type: other",
        f"    value: {json.dumps(f'ledger position {frozen.position}')}",
        "    description: Position of the ledger that the release holds",
    ]
    folder.put(CITATION, [("\n".join(lines) + "\n").encode()])


def readme(frozen: Frozen, folder: Folder, counted: Counter[str]) -> None:
    if frozen.previous is None:
        moved = "There is no release before it, so that `changes/` is empty."
    else:
        moved = (
            f"Since release {frozen.previous}: {counted['added']} records added, "
            f"{counted['corrected']} corrected, {counted['retracted']} retracted, "
            f"{counted['merged']} merged into others; {counted['figures']} figures moved."
        )
    folder.put(README, [_README.format(frozen=frozen, moved=moved).encode()])


_README = """\
# harmtracker, release {frozen.name}

Incidents in which civilians were harmed, as they were published at ledger position
{frozen.position}, of {frozen.moment}. {moved}

| file | what it is |
|---|---|
| `documents.ndjson` | the document of each incident, byte for byte, a line each |
| `csv/` | incidents, casualties, claims, victims: a row a line |
| `hxl/` | the same with a row of HXL tags below the names |
| `geojson/` | incidents with their points |
| `parquet/` | the four lists, in folders of country and year |
| `changes/` | what moved since the release before, by record and by figure |
| `codelists/` | what the codes mean, as of that day |
| `methodology/` | how records are made and counted, as of that day |
| `schemas/` | Table Schemas of the Parquet files |
| `datapackage.json` | every data file with its schema, bytes and SHA-256; licence and sources |
| `CITATION.cff` | how to cite |
| `SHA256SUMS` | for `sha256sum -c` |

An empty cell is not known; 0 is that a source says none. Licence: CC BY 4.0; a record that comes
from another dataset keeps that one's licence, which its column `licence` names.
"""


def sums(folder: Folder) -> None:
    lines = [f"{folder.files[path].sha256}  {path}\n" for path in sorted(folder.files)]
    folder.put(SUMS, ["".join(lines).encode()])

"""What moved between two documents of a record: figures and plain values. Pure, no database.

Everything is read from the documents as the public has them now, so that nothing that was taken
out of one can be said here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .canonical import canonical

Document = dict[str, Any]

BOUNDS = ("min", "best", "max")
# What tells the rows of an assessment apart.
_ROW = ("outcome", "status", "role", "sex", "age_group")
# What publishing adds, and what a redaction adds: no content.
STAMPS = {
    "shape",
    "code",
    "version",
    "previous_version",
    "published_at",
    "note",
    "cite",
    "nonce",
    "redactions",
}


def _named(thing: Document, *also: str) -> Document:
    return {key: thing[key] for key in ("id", "name", *also)}


def _sorted(items: Iterator[Document]) -> list[Document]:
    return sorted(items, key=canonical)


def _point(document: Document) -> Any:
    return document["place"] and document["place"]["point"]


# Name of a plain value -> how a document gives it. Names and points that were taken out are null.
VALUES: dict[str, Callable[[Document], Any]] = {
    "record_type": lambda d: d["record_type"],
    "date": lambda d: d["date"]["edtf"],
    "local_time": lambda d: d["date"]["local_time"],
    "local_time_end": lambda d: d["date"]["local_time_end"],
    "country": lambda d: d["place"] and d["place"]["country"],
    "place": lambda d: d["place"] and _named(d["place"], "pcode"),
    "place_precision": lambda d: d["place"] and d["place"]["precision"],
    "point": _point,
    "further_places": lambda d: _sorted(_named(p, "pcode") for p in d["further_places"]),
    "circumstances": lambda d: sorted(d["circumstances"]),
    "harm_reported": lambda d: d["harm_reported"],
    "weapons": lambda d: _sorted(
        {key: row[key] for key in ("code", "platform", "certainty", "alternative_group")}
        for row in d["weapons"]
    ),
    "actors": lambda d: _sorted(
        {
            **_named(row["actor"]),
            **{key: row[key] for key in ("role", "certainty", "alternative_group")},
        }
        for row in d["involvement"]
    ),
    "grading": lambda d: d["grading"]["code"],
    "independent_sources": lambda d: d["grading"]["independent_sources"],
    "victims": lambda d: len(d["victims"]),
    "links": lambda d: _sorted(dict(link) for link in d["links"]),
    "merged_from": lambda d: sorted(d["merged_from"]),
}


def is_whole(document: Document | None) -> bool:
    """Whether it says anything of an incident: a tombstone does not, nor does one merged away."""
    return document is not None and "totals" in document


def moved(before: Document | None, after: Document | None) -> dict[str, Any]:
    """What moved from one document of a record to another, which may be an earlier one too.

    None is before the first version; a tombstone, and what a merge leaves, count as none. The
    answer has

    * ``figures``: totals that differ, each with ``outcome``, ``bucket``, and ``from`` and ``to``
      as ``min``, ``best``, ``max``, ``at_least`` in persons, null where there is no such total;
    * ``rows``: assessed count rows that differ, in the same way, with what they are of;
    * ``values``: ``name``, ``from`` and ``to`` of each of :data:`VALUES` that differs;
    * ``claims_added``, ``claims_removed``, ``claims_changed``: ids;
    * ``changed``: every top-level key that differs, the texts too, without what they say.

    Where one of the two is none there are figures alone: all the rest is in the other.
    """
    one = before if before is not None and is_whole(before) else None
    other = after if after is not None and is_whole(after) else None
    found: dict[str, Any] = {
        "figures": list(_figures(one, other)),
        "rows": [],
        "values": [],
        "claims_added": [],
        "claims_removed": [],
        "claims_changed": [],
        "changed": [],
    }
    if one is None or other is None:
        return found
    claims = [{claim["id"]: claim for claim in document["claims"]} for document in (one, other)]
    return {
        **found,
        "rows": list(_rows(one, other)),
        "values": list(_values(one, other)),
        "claims_added": sorted(claims[1].keys() - claims[0].keys()),
        "claims_removed": sorted(claims[0].keys() - claims[1].keys()),
        "claims_changed": sorted(
            key
            for key in claims[0].keys() & claims[1].keys()
            if _differ(claims[0][key], claims[1][key])
        ),
        "changed": sorted(
            key for key in {*one, *other} - STAMPS if _differ(one.get(key), other.get(key))
        ),
    }


def figure_names(found: dict[str, Any]) -> list[str]:
    """What moved, by name: ``killed_civilian``, ``killed_civilian_best``, ``grading``."""
    names = {value["name"] for value in found["values"]}
    for figure in found["figures"]:
        total = f"{figure['outcome']}_{figure['bucket']}"
        one, other = figure["from"] or {}, figure["to"] or {}
        bounds = {f"{total}_{b}" for b in BOUNDS if one.get(b) != other.get(b)}
        # A total of which nothing is known, where there was none, is no figure that moved.
        if bounds or one.get("at_least", False) != other.get("at_least", False):
            names |= {total, *bounds}
    return sorted(names)


def _differ(one: Any, other: Any) -> bool:
    """Of the same sort as well: true is no 1."""
    return canonical(one) != canonical(other)


def _from_to(one: dict[Any, Any], other: dict[Any, Any]) -> Iterator[tuple[Any, Document]]:
    """The keys under which two things differ, in order, each with what was and what is."""
    for key in sorted({*one, *other}):
        was, now = one.get(key), other.get(key)
        if _differ(was, now):
            yield key, {"from": was, "to": now}


def _figures(one: Document | None, other: Document | None) -> Iterator[Document]:
    for (outcome, bucket), change in _from_to(_totals(one), _totals(other)):
        yield {"outcome": outcome, "bucket": bucket, **change}


def _totals(document: Document | None) -> dict[tuple[str, str], Document]:
    totals = document["totals"] if document else {}
    return {
        (outcome, bucket): total
        for outcome, buckets in totals.items()
        for bucket, total in buckets.items()
    }


def _rows(one: Document, other: Document) -> Iterator[Document]:
    for (of, _nth), change in _from_to(_assessed(one), _assessed(other)):
        yield {**dict(zip((*_ROW, "affiliation"), of, strict=True)), **change}


def _assessed(document: Document) -> dict[tuple[tuple[str, ...], int], Document]:
    """Count rows by what they are of, and by which of several of the same it is."""
    found: dict[tuple[tuple[str, ...], int], Document] = {}
    for row in document["casualties"]:
        of = (*(row[key] for key in _ROW), (row["affiliation"] or {}).get("id", ""))
        nth = sum(1 for key, _n in found if key == of)
        found[of, nth] = {key: row[key] for key in (*BOUNDS, "qualifier")}
    return found


def _values(one: Document, other: Document) -> Iterator[Document]:
    for name, read in VALUES.items():
        was, now = read(one), read(other)
        if _differ(was, now):
            yield {"name": name, "from": was, "to": now}

"""A public document in words: what a person reads who looks at a record before or after it leaves.

Made from the document alone, so that nothing can stand on the page that does not stand in it. What
is null there is "not known", and what was taken out says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harmtracker.codes import code_list

from .comparison import in_figures

Document = dict[str, Any]
Line = tuple[str, str]

NOT_KNOWN = "not known"
TAKEN_OUT = "(taken out)"
_BOUNDS = ("min", "best", "max")
_OF = (("role", "person_role"), ("sex", "sex"), ("age_group", "age_group"))


def label(name: str, code: Any) -> str:
    """What a code is called; a code that is in no list any more stands for itself."""
    if code is None:
        return NOT_KNOWN
    listed = code_list(name).get(code)
    return str(code) if listed is None else listed.label


def in_words(document: Document) -> dict[str, Any]:
    """Every part of a whole document under its name, for ``admin/desk/document.html``.

    Of one that says where a record went, which has no parts: its code and what it says.
    """
    document = _marked(document)
    read = {
        "code": document.get("code"),
        "version": document.get("version"),
        "note": document.get("note") or "",
        "record_type": label("record_type", document["record_type"]),
        "is_withdrawn": bool(document.get("retracted")),
        "merged_into": document.get("merged_into"),
    }
    if "totals" not in document:
        return read
    numbers = {claim["id"]: n for n, claim in enumerate(document["claims"], 1)}
    return {
        **read,
        "title": document["title"],
        "summary": document["summary"],
        "about": [line for line in _about(document) if line[1]],
        "totals": list(_totals(document)),
        "counts": [_count(row, numbers) for row in document["casualties"]],
        "weapons": [_weapon(row) for row in document["weapons"]],
        "actors": [_actor(row) for row in document["involvement"]],
        "victims": [_victim(row, numbers) for row in document["victims"]],
        "claims": [_claim(row, numbers[row["id"]]) for row in document["claims"]],
        "also": [line for line in _also(document) if line[1]],
    }


def _marked(document: Document) -> Document:
    """A copy in which each value that was taken out says so."""
    marked = _copy(document)
    for redaction in document.get("redactions", []):
        parent: Any = marked
        for step in redaction["path"][:-1]:
            parent = parent[step]
        parent[redaction["path"][-1]] = TAKEN_OUT
    return marked


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _about(document: Document) -> Iterable[Line]:
    yield "When", _date(document["date"])
    yield "Time", _time(document["date"])
    place = document["place"]
    yield "Where", NOT_KNOWN if place is None else _path(place)
    if place is not None:
        yield "Point", _point_of(place)
    yield "Also touched", "; ".join(_path(row) for row in document["further_places"])
    yield (
        "Circumstances",
        ", ".join(label("circumstance", code) for code in document["circumstances"]),
    )
    yield "Harm to civilians reported", label("harm_reported", document["harm_reported"])
    grading = document["grading"]
    sources = grading["independent_sources"]
    yield (
        "Grading",
        f"{label('grading', grading['code'])}, "
        f"{sources} independent source{'' if sources == 1 else 's'}",
    )
    yield "Why this grading", grading["rationale"]


def _date(date: Document) -> str:
    if date["edtf"] is None:
        return NOT_KNOWN
    days = " to ".join(dict.fromkeys(filter(None, (date["earliest"], date["latest"]))))
    more = f", {days}" if days and days != date["edtf"] else ""
    return f"{date['edtf']}{more} ({label('date_precision', date['precision'])})"


def _time(date: Document) -> str:
    if not date["local_time"]:
        return ""
    end = f" to {date['local_time_end']}" if date["local_time_end"] else ""
    return f"{date['local_time']}{end} ({label('time_kind', date['time_kind'])})"


def _path(place: Document) -> str:
    return ", ".join(str(step["name"]) for step in [place, *place["path"]])


def _point_of(place: Document) -> str:
    precision = label("place_precision", place["precision"])
    point = place["point"]
    if point is None:
        return f"none ({precision})" if place["precision"] else "none"
    if point == TAKEN_OUT:
        return TAKEN_OUT
    said = f"{_point(point)} ({label('point_basis', place['point_basis'])}; {precision}"
    if place["radius_m"] is not None:
        said += f"; within {place['radius_m']} m"
    said += ")"
    if place["on_grid"]:
        said += ". The place is protected: the point leaves on a grid of 0.1 degrees, about 11 km"
    return f"{said}. {place['point_note']}" if place["point_note"] else said


def _point(point: Any) -> str:
    if isinstance(point, dict):
        return f"{point['latitude']}, {point['longitude']}"
    return str(point or "")


def _known(number: int | None) -> str:
    return NOT_KNOWN if number is None else str(number)


def _totals(document: Document) -> Iterable[dict[str, Any]]:
    for outcome, buckets in document["totals"].items():
        for bucket, total in buckets.items():
            yield {
                "outcome": label("outcome", outcome),
                "bucket": label("count_bucket", bucket),
                **{bound: _known(total[bound]) for bound in _BOUNDS},
                "at_least": total["at_least"],
            }


def _group(row: Document) -> str:
    said = [label("person_status", row["status"])]
    said += [label(name, row[key]) for key, name in _OF if row[key] not in ("all", None)]
    if row.get("affiliation"):
        said.append(f"of {row['affiliation']['name']}")
    return ", ".join(said)


def _count(row: Document, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "outcome": label("outcome", row["outcome"]),
        "who": _group(row),
        **{bound: _known(row[bound]) for bound in _BOUNDS},
        "qualifier": label("count_qualifier", row["qualifier"]),
        "words": row["reported_text"],
        "basis": [
            (
                label("basis_bound", basis["bound"]),
                numbers.get(basis["claim"], "?"),
                basis["reason"],
            )
            for basis in row["basis"]
        ],
    }


def _in_short(row: Document) -> str:
    """A count of a claim in one line."""
    figures = (
        NOT_KNOWN
        if all(row[bound] is None for bound in _BOUNDS)
        else in_figures(*(row[bound] for bound in _BOUNDS))
    )
    said = f"{label('outcome', row['outcome'])}, {_group(row)}: {figures}"
    return f"{said}. “{row['reported_text']}”" if row["reported_text"] else said


def _weapon(row: Document) -> str:
    said = [f"{row['label']} ({row['code']}): {label('certainty', row['certainty'])}"]
    if row["platform"] not in (None, "unknown"):
        said.append(f"platform {label('platform', row['platform'])}")
    if row["calibre_mm"] is not None:
        said.append(f"{row['calibre_mm']:g} mm")
    said += [
        words
        for key, words in (
            ("cluster", "cluster munition"),
            ("thermobaric", "thermobaric"),
            ("incendiary", "incendiary"),
        )
        if row[key]
    ]
    if row["alternative_group"] is not None:
        said.append(f"either/or group {row['alternative_group']}")
    return _with_words(", ".join(said), row["reported_text"])


def _actor(row: Document) -> str:
    said = (
        f"{row['actor']['name']}: {label('involvement_role', row['role'])}, "
        f"{label('certainty', row['certainty'])}"
    )
    if row["alternative_group"] is not None:
        said += f", either/or group {row['alternative_group']}"
    return _with_words(said, row["reported_text"])


def _with_words(said: str, words: str | None) -> str:
    return f"{said}. “{words}”" if words else said


def _victim(row: Document, numbers: dict[str, int]) -> dict[str, Any]:
    is_named = "names" in row
    names = " / ".join(str(name) for name in row.get("names", []))
    return {
        "is_named": is_named and bool(names),
        "name": names or "without a name",
        "outcome": label("outcome", row["outcome"]),
        "who": _group({**row, "affiliation": None, "sex": "all", "age_group": "all"}),
        "sex": label("sex", row["sex"]),
        "age": str(row["age"]).removesuffix(".0")
        if row.get("age") is not None
        else label("age_group", row["age_group"]),
        "consent": label("consent_basis", row["consent_basis"]) if is_named else "",
        "claims": [numbers.get(claim, "?") for claim in row.get("claims", [])],
    }


def _claim(row: Document, number: int) -> dict[str, Any]:
    article, speaker = row["article"], row["attributed_to"]
    return {
        "number": number,
        "speaker": speaker["name"],
        "spokesman": speaker["speaker"],
        "kind": label("claim_kind", row["kind"]),
        "credibility": label("credibility", row["credibility"]),
        "title": article["title"],
        "outlet": article["outlet"]["name"],
        "published": article["published"],
        "url": article["url"],
        "paraphrase": row["paraphrase"],
        "quotation": row["quotation"],
        "locator": row["locator"],
        "lines": [
            (name, said)
            for name, said in (
                ("Date", ", ".join(filter(None, (row["date"], row["time"])))),
                ("Place", row["place"]),
                ("Point", _point(row["point"])),
                *(("Figures", _in_short(count)) for count in row["counts"]),
                *(("Weapon", _weapon(use)) for use in row["weapons"]),
                *(("Involved", _actor(party)) for party in row["involvement"]),
                ("Our remark", row["note"]),
            )
            if said
        ],
    }


def _also(document: Document) -> Iterable[Line]:
    yield (
        "Links",
        "; ".join(f"{label('link_kind', row['kind'])} {row['code']}" for row in document["links"]),
    )
    yield "Merged into this record", ", ".join(document["merged_from"])
    yield (
        "Ids elsewhere",
        "; ".join(f"{row['dataset']} {row['value']}" for row in document["external_ids"]),
    )
    licence = document["licence"]
    yield "Licence", ", ".join(str(licence[key]) for key in ("name", "attribution") if licence[key])

"""A record put together to be read by a person, and what would leave of it in words."""

from __future__ import annotations

from typing import Any

from harmtracker.accounts.models import User
from harmtracker.codes import code_list
from incidents.models import (
    CasualtyCount,
    Claim,
    Incident,
    Involvement,
    PublishedVersion,
    Victim,
    WeaponUse,
)


def _load_findings(incident: Incident, claims: list[Any]) -> None:
    """Counts, weapons and involvements onto the record and each of its claims, one query each.

    Those without a claim are our assessment.
    """
    rows: dict[str, Any] = {
        "counts": CasualtyCount.objects.select_related("affiliation").prefetch_related("basis"),
        "weapons": WeaponUse.objects.select_related("weapon"),
        "actors": Involvement.objects.select_related("actor"),
    }
    holders: dict[int | None, Any] = {None: incident, **{claim.pk: claim for claim in claims}}
    for name, found in rows.items():
        for holder in holders.values():
            setattr(holder, name, [])
        for row in found.filter(incident=incident):
            getattr(holders[row.claim_id], name).append(row)


def record_to_read(incident: Incident, reader: User) -> dict[str, Any]:
    """All that hangs on a record, in a fixed number of queries.

    A link to a record that the reader may not know of is left out.
    """
    assessed: Any = incident
    claims = list(
        Claim.objects.filter(incident=incident).select_related(
            "article__outlet", "attributed_outlet", "attributed_actor"
        )
    )
    _load_findings(incident, claims)
    numbers = {claim.pk: number for number, claim in enumerate(claims, 1)}
    for count in assessed.counts:
        count.basis_by_bound = _by_bound(count, numbers)
    victims: list[Any] = list(
        Victim.objects.filter(incident=incident).prefetch_related("claim_links")
    )
    for victim in victims:
        victim.claim_numbers = [
            (link.claim_id, numbers[link.claim_id]) for link in victim.claim_links.all()
        ]
    return {
        "incident": incident,
        "assessed": assessed,
        "claims": claims,
        "victims": victims,
        "further_places": incident.further_places.select_related("place"),
        "external_ids": incident.external_ids.select_related("dataset"),
        "links": incident.links.filter(
            other__in=Incident.objects.visible_to(reader)
        ).select_related("other"),
        "comments": incident.comments.select_related("author", "resolved_by"),
        "reviews": incident.reviews.select_related("actor").defer("content"),
        # Not from the published side, which may lag behind: this page follows the publishing.
        "versions": PublishedVersion.objects.using("default")
        .filter(code=incident.code)
        .defer("document", "disclosures")
        if incident.code
        else [],
    }


def _by_bound(count: CasualtyCount, numbers: dict[int, int]) -> dict[str, list[Any]]:
    """Label of a bound -> its bases, each with the number that its claim has on the page."""
    bounds: dict[str, list[Any]] = {}
    for basis in count.basis.all():
        row = {"claim_id": basis.claim_id, "number": numbers[basis.claim_id]}
        bounds.setdefault(_label("basis_bound", basis.bound), []).append(
            {**row, "reason": basis.reason}
        )
    return bounds


def figures(low: int | None, best: int | None, high: int | None) -> str:
    """Such as "2 to 3 (best 2)", "at least 2" or "not known"."""
    if low is None and high is None:
        return "not known" if best is None else f"about {best}"
    if high is None:
        text = f"at least {low}"
    elif low is None:
        text = f"at most {high}"
    else:
        text = str(low) if low == high else f"{low} to {high}"
    return text if best is None or low == high else f"{text} (best {best})"


def _label(name: str, code: str | None) -> str:
    return "" if code is None else code_list(name)[code].label


def what_leaves(content: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The content of a version in words, a heading with its lines each; empty ones left out."""
    headings = {
        "Title": [content["title"]],
        "Summary": [content["summary"]],
        "Date": [_date_in_words(content["date"])],
        "Place": _place_in_words(content["place"])
        + [f"also {place['name']}" for place in content["further_places"]],
        "Circumstances": [_label("circumstance", code) for code in content["circumstances"]],
        "Harm to civilians reported": [_label("harm_reported", content["harm_reported"])],
        "Totals": [
            f"{_label('outcome', outcome)}, {_label('count_bucket', bucket)}: "
            f"{figures(total['min'], total['best'], total['max'])}"
            for outcome, buckets in content["totals"].items()
            for bucket, total in buckets.items()
            if any(total[bound] is not None for bound in ("min", "best", "max"))
        ],
        "Casualty counts": [_count_in_words(row) for row in content["casualties"]],
        "Weapons": [
            f"{row['label']} ({_label('certainty', row['certainty'])})"
            for row in content["weapons"]
        ],
        "Involved": [
            f"{row['actor']['name']}: {_label('involvement_role', row['role'])} "
            f"({_label('certainty', row['certainty'])})"
            for row in content["involvement"]
        ],
        "People harmed": [_victim_in_words(row) for row in content["victims"]],
        "Grading": [
            f"{_label('grading', content['grading']['code'])}, "
            f"{content['grading']['independent_sources']} independent sources",
            content["grading"]["rationale"],
        ],
        "Claims": [
            f"{row['attributed_to']['name']}, in {row['article']['title']} "
            f"({row['article']['outlet']['name']}): {row['paraphrase']}"
            for row in content["claims"]
        ],
        "Links": [f"{_label('link_kind', row['kind'])} {row['code']}" for row in content["links"]],
        "Ids elsewhere": [f"{row['dataset']}: {row['value']}" for row in content["external_ids"]],
        "Licence": [f"{content['licence']['name']}, {content['licence']['attribution']}"],
    }
    return [
        (heading, said)
        for heading, lines in headings.items()
        if (said := [line for line in lines if line])
    ]


def _date_in_words(date: dict[str, Any]) -> str:
    if date["edtf"] is None:
        return "not known"
    time = ""
    if date["local_time"]:
        end = f" to {date['local_time_end']}" if date["local_time_end"] else ""
        time = f", {date['local_time']}{end} ({_label('time_kind', date['time_kind'])})"
    return f"{date['edtf']} ({_label('date_precision', date['precision'])}){time}"


def _place_in_words(place: dict[str, Any] | None) -> list[str]:
    if place is None:
        return ["not known"]
    lines = [", ".join([place["name"], *(step["name"] for step in place["path"])])]
    if place["point"]:
        latitude, longitude = place["point"]["latitude"], place["point"]["longitude"]
        lines.append(
            f"point {latitude}, {longitude}, {_label('point_basis', place['point_basis'])}, "
            f"{_label('place_precision', place['precision'])}"
        )
    if place["on_grid"]:
        lines.append("the place is protected: its point leaves on the 0.1 degree grid")
    return lines


def _count_in_words(row: dict[str, Any]) -> str:
    group = [
        _label("outcome", row["outcome"]),
        _label("person_status", row["status"]),
        *(
            _label(name, row[field])
            for field, name in (
                ("role", "person_role"),
                ("sex", "sex"),
                ("age_group", "age_group"),
            )
            if row[field] != "all"
        ),
    ]
    number = len(row["basis"])
    return (
        f"{', '.join(group)}: {figures(row['min'], row['best'], row['max'])}"
        f" ({number} {'basis' if number == 1 else 'bases'})"
    )


def _victim_in_words(row: dict[str, Any]) -> str:
    names = " / ".join(row.get("names", []))
    who = f"NAMED {names}" if names else "without a name"
    return (
        f"{who}: {_label('outcome', row['outcome'])}, {_label('age_group', row['age_group'])}, "
        f"sex {_label('sex', row['sex'])}"
    )

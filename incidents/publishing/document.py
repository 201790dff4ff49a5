"""What leaves: the content of a version of an incident, built once, for every output.

A hidden field is left out here and nowhere else. Shape 1 is described in docs/document.md;
publishing adds the stamps (code, version, published_at, previous_version, note, cite, nonce).
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch

from harmtracker.codes import code_list
from harmtracker.licence import DATA_LICENCE
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    Incident,
    Involvement,
    Merge,
    Place,
    Victim,
    WeaponUse,
)
from sources.models import Article, Outlet

from .totals import Row, totals

SHAPE = 1
# Decimal places of the point of a protected place: a grid of about 11 km.
PROTECTED_PLACES = 1


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _time(value: datetime.time | None) -> str | None:
    """HH:MM, with the seconds where it has any."""
    if value is None:
        return None
    return value.isoformat("seconds" if value.second else "minutes")


def _point(
    latitude: Decimal | None, longitude: Decimal | None, *, coarse: bool
) -> dict[str, Any] | None:
    if latitude is None or longitude is None:
        return None
    if coarse:
        latitude, longitude = on_grid(latitude, longitude)
    return {"latitude": float(latitude), "longitude": float(longitude)}


def on_grid(latitude: Decimal, longitude: Decimal) -> tuple[Decimal, Decimal]:
    """The point of the 0.1 degree grid that stands for a protected place: always the same one."""
    return round(latitude, PROTECTED_PLACES), round(longitude, PROTECTED_PLACES)


class Trees:
    """Ancestors of places and actors, read in one query each, however many rows refer to them."""

    def __init__(self, model: type[Place] | type[Actor], ids: set[int]) -> None:
        self.rows: dict[int, Any] = {}
        wanted = set(ids)
        while wanted:
            found = model._default_manager.using("default").in_bulk(wanted)
            self.rows.update(found)
            wanted = {r.parent_id for r in found.values() if r.parent_id} - self.rows.keys()

    def path(self, row_id: int) -> list[Any]:
        """The row and what it lies in, narrowest first."""
        path = []
        step: int | None = row_id
        while step is not None:
            path.append(self.rows[step])
            step = self.rows[step].parent_id
        return path


def _place(place: Place) -> dict[str, Any]:
    return {
        "id": str(place.uuid),
        "pcode": place.pcode,
        "level": place.level,
        "name": place.name,
        "names": list(place.other_names),
    }


def _actor(trees: Trees, actor_id: int) -> dict[str, Any]:
    path = trees.path(actor_id)
    described = [
        {"id": str(a.uuid), "name": a.name, "names": list(a.other_names), "kind": a.kind}
        for a in path
    ]
    return {**described[0], "path": described[1:]}


def _outlet(outlet: Outlet) -> dict[str, Any]:
    return {
        "id": str(outlet.uuid),
        "name": outlet.name,
        "names": list(outlet.other_names),
        "kind": outlet.kind,
        "country": outlet.country,
        "reliability": outlet.reliability,
    }


def _article(article: Article) -> dict[str, Any]:
    # Every claim says where the article is kept, or that it is not.
    hashes = sorted(capture.sha256 for capture in article.captures.all())
    archived: Any = False
    if article.archive_url or hashes:
        archived = {"url": article.archive_url, "sha256": hashes}
    return {
        "id": str(article.uuid),
        "outlet": _outlet(article.outlet),
        "title": article.title,
        "url": article.url,
        "copy_url": article.copy_url,
        "archived": archived,
        "published": article.published,
        "language": article.language,
    }


def _weapon(use: WeaponUse) -> dict[str, Any]:
    weapon = use.weapon
    return {
        "code": weapon.code,
        "label": weapon.label,
        "parent": weapon.parent_id,
        "certainty": use.certainty,
        "platform": use.platform,
        "calibre_mm": _number(use.calibre_mm),
        "cluster": use.is_cluster,
        "thermobaric": use.is_thermobaric,
        "incendiary": use.is_incendiary,
        "alternative_group": use.alternative_group,
        "reported_text": use.reported_text,
    }


def _involvement(actors: Trees, row: Involvement) -> dict[str, Any]:
    return {
        "actor": _actor(actors, row.actor_id),
        "role": row.role,
        "certainty": row.certainty,
        "alternative_group": row.alternative_group,
        "reported_text": row.reported_text,
    }


def _count(actors: Trees, count: CasualtyCount) -> dict[str, Any]:
    return {
        "outcome": count.outcome,
        "status": count.status,
        "bucket": code_list("person_status")[count.status].mappings["bucket"],
        "role": count.role,
        "sex": count.sex,
        "age_group": count.age_group,
        "affiliation": _actor(actors, count.affiliation_id) if count.affiliation_id else None,
        "min": count.min,
        "best": count.best,
        "max": count.max,
        "qualifier": count.qualifier,
        "reported_text": count.reported_text,
    }


def _basis(basis: CountBasis) -> dict[str, Any]:
    return {"bound": basis.bound, "claim": str(basis.claim.uuid), "reason": basis.reason}


def _claim(actors: Trees, claim: Claim, *, coarse: bool) -> dict[str, Any]:
    if claim.attributed_outlet is not None:
        speaker = {"type": "outlet", **_outlet(claim.attributed_outlet)}
        group = claim.attributed_outlet.independence_group
    else:
        assert claim.attributed_actor is not None  # noqa: S101  (a constraint: one of the two)
        speaker = {"type": "actor", **_actor(actors, claim.attributed_actor.pk)}
        group = claim.attributed_actor.independence_group
    return {
        "id": str(claim.uuid),
        "article": _article(claim.article),
        "attributed_to": {**speaker, "independence_group": group, "speaker": claim.speaker},
        "kind": claim.kind,
        "credibility": claim.credibility,
        "paraphrase": claim.paraphrase,
        "quotation": claim.quotation,
        "locator": claim.locator,
        "date": claim.date_said,
        "time": claim.time_said,
        "place": claim.place_said,
        "point": _point(claim.latitude, claim.longitude, coarse=coarse),
        "note": claim.note,
        "counts": [_count(actors, row) for row in claim.casualtycounts.all()],
        "weapons": [_weapon(row) for row in claim.weaponuses.all()],
        "involvement": [_involvement(actors, row) for row in claim.involvements.all()],
    }


def _victim(victim: Victim) -> dict[str, Any]:
    person: dict[str, Any] = {
        "outcome": victim.outcome,
        "status": victim.status,
        "role": victim.role,
        "sex": victim.sex,
        "age_group": victim.age_group,
    }
    if victim.consent_basis is not None:
        person["consent_basis"] = victim.consent_basis
        person["names"] = list(victim.names)
        person["age"] = _number(victim.age)
        # Without consent not even these: the article behind a claim may name the person.
        person["claims"] = [str(link.claim.uuid) for link in victim.claim_links.all()]
    return person


def _load(incident_ids: Collection[int]) -> Iterable[Incident]:
    """Incidents with all that hangs on them, in a fixed number of queries."""
    counts = CasualtyCount.objects.order_by("pk")
    weapons = WeaponUse.objects.select_related("weapon").order_by("pk")
    involvements = Involvement.objects.order_by("pk")
    claims = (
        Claim.objects.select_related("article__outlet", "attributed_outlet", "attributed_actor")
        .prefetch_related(
            "article__captures",
            Prefetch("casualtycounts", counts),
            Prefetch("weaponuses", weapons),
            Prefetch("involvements", involvements),
        )
        .order_by("pk")
    )
    return (
        Incident.objects.using("default")
        .select_related("place", "dataset")
        .prefetch_related(
            "further_places",
            "external_ids__dataset",
            "links__other",
            Prefetch("claims", claims),
            Prefetch(
                "casualtycounts",
                counts.filter(claim=None).prefetch_related("basis__claim"),
                to_attr="assessed_counts",
            ),
            Prefetch("weaponuses", weapons.filter(claim=None), to_attr="assessed_weapons"),
            Prefetch("involvements", involvements.filter(claim=None), to_attr="assessed_actors"),
            "victims__claim_links__claim",
        )
        .filter(pk__in=incident_ids)
    )


def _is_coarse(incident: Incident, places: Trees) -> bool:
    """Whether its points leave on the grid: the place, or one it lies in, is protected."""
    return (
        incident.place_id is not None
        and not incident.point_already_public
        and any(place.protected for place in places.path(incident.place_id))
    )


def _place_section(incident: Incident, places: Trees) -> dict[str, Any] | None:
    if incident.place is None:
        return None
    path = places.path(incident.place.pk)
    coarse = _is_coarse(incident, places)
    return {
        **_place(path[0]),
        "path": [_place(step) for step in path[1:]],
        "country": incident.place.country,
        "point": _point(incident.latitude, incident.longitude, coarse=coarse),
        "point_basis": incident.point_basis,
        "point_note": "" if coarse else incident.point_note,
        "precision": incident.place_precision,
        "radius_m": None if coarse else incident.radius_m,
        "protected": any(place.protected for place in path),
        "on_grid": coarse,
    }


def independent_sources(claims: list[dict[str, Any]]) -> int:
    """How many independent voices report the harm: counted by who speaks, not by who carries.

    A denial is no report of the harm.
    """
    return len({c["attributed_to"]["independence_group"] for c in claims if c["kind"] != "denial"})


def build_content(incident_id: int) -> dict[str, Any]:
    """The content of the next version of an incident, as its records stand now."""
    return build_contents([incident_id])[incident_id]


def build_contents(incident_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The contents of several incidents by their ids, in as many queries as one takes.

    Raises :class:`Incident.DoesNotExist` where one is not there. All of them are in memory at
    once: ask for some hundreds at a time.
    """
    incidents: list[Any] = list(_load(incident_ids))
    if len(incidents) < len(set(incident_ids)):
        raise Incident.DoesNotExist("There is no such incident.")
    main = {incident.place_id for incident in incidents if incident.place_id}
    places = Trees(
        Place, main | {row.place_id for i in incidents for row in i.further_places.all()}
    )
    actors = Trees(Actor, {actor_id for i in incidents for actor_id in _actor_ids(i)})
    merged = merged_from(incident_ids)
    return {i.pk: _content(i, places, actors, merged[i.pk]) for i in incidents}


def _actor_ids(incident: Any) -> Iterator[int]:
    """Ids of all actors that the incident or one of its claims names."""
    claims = list(incident.claims.all())
    for counts in [incident.assessed_counts, *(c.casualtycounts.all() for c in claims)]:
        yield from (row.affiliation_id for row in counts if row.affiliation_id)
    for parties in [incident.assessed_actors, *(c.involvements.all() for c in claims)]:
        yield from (row.actor_id for row in parties)
    yield from (claim.attributed_actor_id for claim in claims if claim.attributed_actor_id)


def _content(incident: Any, places: Trees, actors: Trees, merged: Sequence[str]) -> dict[str, Any]:
    further = list(incident.further_places.all())
    coarse = _is_coarse(incident, places)
    claims = [_claim(actors, claim, coarse=coarse) for claim in incident.claims.all()]
    sums = totals(
        Row(
            row.outcome,
            row.status,
            row.role,
            row.sex,
            row.age_group,
            str(row.affiliation_id) if row.affiliation_id else None,
            row.min,
            row.best,
            row.max,
        )
        for row in incident.assessed_counts
    )
    return {
        "shape": SHAPE,
        "record_type": incident.record_type,
        "title": incident.title,
        "summary": incident.summary,
        "date": {
            "edtf": incident.date_edtf,
            "earliest": incident.date_earliest and incident.date_earliest.isoformat(),
            "latest": incident.date_latest and incident.date_latest.isoformat(),
            "precision": incident.date_precision,
            "local_time": _time(incident.local_time),
            "local_time_end": _time(incident.local_time_end),
            "time_kind": incident.time_kind,
            "utc_offset": incident.utc_offset,
        },
        "place": _place_section(incident, places),
        "further_places": [
            {
                **_place(places.rows[row.place_id]),
                "path": [_place(step) for step in places.path(row.place_id)[1:]],
            }
            for row in further
        ],
        "circumstances": list(incident.circumstances),
        "harm_reported": incident.harm_reported,
        "weapons": [_weapon(row) for row in incident.assessed_weapons],
        "involvement": [_involvement(actors, row) for row in incident.assessed_actors],
        "casualties": [
            {**_count(actors, row), "basis": [_basis(basis) for basis in row.basis.all()]}
            for row in incident.assessed_counts
        ],
        "totals": {
            outcome: {bucket: total.as_json() for bucket, total in buckets.items()}
            for outcome, buckets in sums.items()
        },
        "victims": [_victim(victim) for victim in incident.victims.all()],
        "claims": claims,
        "grading": {
            "code": incident.grading,
            "rationale": incident.grading_rationale,
            "independent_sources": independent_sources(claims),
        },
        # A link leaves with its other end: that a draft exists is not said.
        "links": [
            {"kind": link.kind, "code": link.other.code}
            for link in incident.links.all()
            if link.other.code is not None
        ],
        "merged_from": list(merged),
        "external_ids": [
            {"dataset": row.dataset.name, "value": row.value}
            for row in incident.external_ids.all()
            if row.dataset.redistributable
        ],
        "licence": _licence(incident),
    }


def merged_from(incident_ids: Collection[int]) -> dict[int, list[str]]:
    """Codes of the records that were merged into each of these, of merges still open too."""
    found: dict[int, list[str]] = {incident_id: [] for incident_id in incident_ids}
    merges = Merge.objects.using("default").filter(target__in=incident_ids, undone_at=None)
    for target, code in merges.values_list("target_id", "source__code"):
        if code is not None:
            found[target].append(code)
    return {target: sorted(codes) for target, codes in found.items()}


def _licence(incident: Incident) -> dict[str, Any]:
    """An imported row keeps the licence of its dataset."""
    if incident.dataset is None:
        return dict(DATA_LICENCE)
    return {
        "name": incident.dataset.licence,
        "url": incident.dataset.url,
        "attribution": incident.dataset.citation,
    }


def summarise(document: dict[str, Any]) -> dict[str, Any]:
    """A document for lists: the same without claims and bases, with their number.

    Without the nonce: whoever kept a list could test a hash of what was taken out of the claims.
    """
    return {
        **{key: value for key, value in document.items() if key not in ("claims", "nonce")},
        "casualties": [
            {
                **{key: value for key, value in row.items() if key != "basis"},
                "basis_count": len(row["basis"]),
            }
            for row in document["casualties"]
        ],
        "claim_count": len(document["claims"]),
    }

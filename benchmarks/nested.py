"""SQL in which a database assembles the summary or the document from normalised tables.

The same text for PostgreSQL and for SQLite, but for a few functions. It is written as somebody
would who wants it fast: the rows of the page first, each nested list an index scan, places and
actors with what they lie in by joins and not by recursion.

What is not assembled: the ``nonce`` of a document, which is random and stands nowhere else.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from harmtracker.licence import DATA_LICENCE


class Dialect(NamedTuple):
    obj: str
    arr: str
    empty: str
    is_sqlite: bool

    def object(self, **pairs: str) -> str:
        """A JSON object; PostgreSQL takes a hundred arguments at most."""
        inside = ", ".join(f"'{name}', {value}" for name, value in pairs.items())
        return f"{self.obj}({inside})"

    def list(self, item: str, source: str, order: str) -> str:
        if self.is_sqlite:
            # Rows come in the order of the inner select; SQLite has no ordered aggregates here.
            return (
                f"(SELECT json_group_array(json(item)) FROM (SELECT {item} AS item "
                f"FROM {source} ORDER BY {order}))"
            )
        return f"(SELECT coalesce(json_agg({item} ORDER BY {order}), '[]') FROM {source})"

    def array(self, column: str) -> str:
        return f"json({column})" if self.is_sqlite else f"to_json({column})"

    def boolean(self, expression: str) -> str:
        if self.is_sqlite:
            return (
                f"CASE WHEN {expression} THEN json('true') "
                f"WHEN {expression} IS NULL THEN NULL ELSE json('false') END"
            )
        return expression

    def constant(self, text: str) -> str:
        return f"json('{text}')" if self.is_sqlite else f"'{text}'::json"

    def none_unless(self, condition: str, value: str) -> str:
        return f"CASE WHEN {condition} THEN {value} END"

    def time(self, column: str) -> str:
        return f"substr({column}, 1, 5)" if self.is_sqlite else f"to_char({column}, 'HH24:MI')"

    def text(self, column: str) -> str:
        return column if self.is_sqlite else f"{column}::text"

    def number(self, column: str) -> str:
        return column if self.is_sqlite else f"{column}::float8"

    def path(self, aliases: list[str], make: dict[str, str]) -> str:
        """The steps above: as many as there are, the narrowest first."""
        if self.is_sqlite:
            items = ", ".join(
                f"CASE WHEN {a}.id IS NOT NULL THEN "
                f"{self.object(**{k: v.format(a) for k, v in make.items()})} END"
                for a in aliases
            )
            return (
                "(SELECT json_group_array(json(value)) FROM json_each(json_array("
                f"{items})) WHERE value IS NOT NULL)"
            )
        # The widest first: one CASE, not one inside the other.
        cases = " ".join(
            f"WHEN {aliases[n - 1]}.id IS NOT NULL THEN json_build_array("
            + ", ".join(
                self.object(**{k: v.format(a) for k, v in make.items()}) for a in aliases[:n]
            )
            + ")"
            for n in range(len(aliases), 0, -1)
        )
        return f"CASE {cases} ELSE {self.constant('[]')} END"


POSTGRES = Dialect("json_build_object", "json_build_array", "'[]'::json", False)
SQLITE = Dialect("json_object", "json_array", "json('[]')", True)

BUCKETS = ("civilian", "protected", "combatant", "uncertain", "all")
OUTCOMES = ("killed", "injured")


def _place_step(d: Dialect) -> dict[str, str]:
    return {
        "id": d.text("{0}.uuid"),
        "pcode": "{0}.pcode",
        "level": "{0}.level",
        "name": "{0}.name",
        "names": d.array("{0}.other_names"),
    }


def _actor_step(d: Dialect) -> dict[str, str]:
    return {
        "id": d.text("{0}.uuid"),
        "name": "{0}.name",
        "names": d.array("{0}.other_names"),
        "kind": "{0}.kind",
    }


def _actor(d: Dialect, a: str) -> dict[str, str]:
    steps = {k: v.format(a) for k, v in _actor_step(d).items()}
    return {**steps, "path": d.path([f"{a}1", f"{a}2"], _actor_step(d))}


def _actor_joins(a: str, column: str, kind: str = "JOIN") -> str:
    return (
        f"{kind} incidents_actor {a} ON {a}.id = {column} "
        f"LEFT JOIN incidents_actor {a}1 ON {a}1.id = {a}.parent_id "
        f"LEFT JOIN incidents_actor {a}2 ON {a}2.id = {a}1.parent_id"
    )


def _outlet(d: Dialect, o: str) -> dict[str, str]:
    return {
        "id": d.text(f"{o}.uuid"),
        "name": f"{o}.name",
        "names": d.array(f"{o}.other_names"),
        "kind": f"{o}.kind",
        "country": f"{o}.country",
        "reliability": f"{o}.reliability",
    }


def _counts(d: Dialect, where: str, **more: str) -> str:
    # The bucket follows from the status by the code list; SQLite has it as a table too.
    bucket = "json_extract(s.mappings, '$.bucket')" if d.is_sqlite else "s.mappings->>'bucket'"
    item = d.object(
        outcome="c.outcome",
        status="c.status",
        bucket=bucket,
        role="c.role",
        sex="c.sex",
        age_group="c.age_group",
        affiliation=d.none_unless("f.id IS NOT NULL", d.object(**_actor(d, "f"))),
        min="c.min",
        best="c.best",
        max="c.max",
        qualifier="c.qualifier",
        reported_text="c.reported_text",
        **more,
    )
    source = (
        "incidents_casualtycount c JOIN harmtracker_code s ON s.list = 'person_status' "
        f"AND s.code = c.status {_actor_joins('f', 'c.affiliation_id', 'LEFT JOIN')} WHERE {where}"
    )
    return d.list(item, source, "c.id")


def _weapons(d: Dialect, where: str) -> str:
    item = d.object(
        code="t.code",
        label="t.label",
        parent="t.parent_id",
        certainty="w.certainty",
        platform="w.platform",
        calibre_mm=d.number("w.calibre_mm"),
        cluster=d.boolean("w.is_cluster"),
        thermobaric=d.boolean("w.is_thermobaric"),
        incendiary=d.boolean("w.is_incendiary"),
        alternative_group="w.alternative_group",
        reported_text="w.reported_text",
    )
    source = (
        f"incidents_weaponuse w JOIN incidents_weapontype t ON t.code = w.weapon_id WHERE {where}"
    )
    return d.list(item, source, "w.id")


def _involvement(d: Dialect, where: str) -> str:
    item = d.object(
        actor=d.object(**_actor(d, "a")),
        role="v.role",
        certainty="v.certainty",
        alternative_group="v.alternative_group",
        reported_text="v.reported_text",
    )
    source = f"incidents_involvement v {_actor_joins('a', 'v.actor_id')} WHERE {where}"
    return d.list(item, source, "v.id")


def _victims(d: Dialect) -> str:
    group = {key: f"x.{key}" for key in ("outcome", "status", "role", "sex", "age_group")}
    named = d.object(
        **group,
        consent_basis="x.consent_basis",
        names=d.array("x.names"),
        age=d.number("x.age"),
        claims=d.list(
            d.text("k.uuid") if not d.is_sqlite else "json_quote(k.uuid)",
            "incidents_victimclaim l JOIN incidents_claim k ON k.id = l.claim_id "
            "WHERE l.victim_id = x.id",
            "l.id",
        ),
    )
    item = f"CASE WHEN x.consent_basis IS NULL THEN {d.object(**group)} ELSE {named} END"
    return d.list(item, "incidents_victim x WHERE x.incident_id = i.id", "x.id")


def _claims(d: Dialect) -> str:
    article = d.object(
        id=d.text("r.uuid"),
        outlet=d.object(**_outlet(d, "o")),
        title="r.title",
        url="r.url",
        copy_url="r.copy_url",
        archived=(
            "CASE WHEN r.archive_url IS NULL AND NOT EXISTS (SELECT FROM sources_capture h "
            "WHERE h.article_id = r.id) THEN 'false'::json ELSE json_build_object('url', "
            "r.archive_url, 'sha256', (SELECT coalesce(json_agg(h.sha256 ORDER BY h.sha256), "
            "'[]') FROM sources_capture h WHERE h.article_id = r.id)) END"
        ),
        published="r.published",
        language="r.language",
    )
    by_outlet = d.object(
        type="'outlet'",
        **_outlet(d, "u"),
        independence_group="u.independence_group",
        speaker="k.speaker",
    )
    by_actor = d.object(
        type="'actor'",
        **_actor(d, "b"),
        independence_group="b.independence_group",
        speaker="k.speaker",
    )
    item = d.object(
        id=d.text("k.uuid"),
        article=article,
        attributed_to=f"CASE WHEN u.id IS NOT NULL THEN {by_outlet} ELSE {by_actor} END",
        kind="k.kind",
        credibility="k.credibility",
        paraphrase="k.paraphrase",
        quotation="k.quotation",
        locator="k.locator",
        date="k.date_said",
        time="k.time_said",
        place="k.place_said",
        point=_point(d, "k"),
        note="k.note",
        counts=_counts(d, "c.claim_id = k.id"),
        weapons=_weapons(d, "w.claim_id = k.id"),
        involvement=_involvement(d, "v.claim_id = k.id"),
    )
    source = (
        "incidents_claim k JOIN sources_article r ON r.id = k.article_id "
        "JOIN sources_outlet o ON o.id = r.outlet_id "
        "LEFT JOIN sources_outlet u ON u.id = k.attributed_outlet_id "
        f"{_actor_joins('b', 'k.attributed_actor_id', 'LEFT JOIN')} WHERE k.incident_id = i.id"
    )
    return d.list(item, source, "k.id")


def _point(d: Dialect, alias: str) -> str:
    """On the grid where the place, or one that it lies in, is protected."""
    latitude, longitude = (d.number(f"{alias}.{name}") for name in ("latitude", "longitude"))
    exact = d.object(latitude=latitude, longitude=longitude)
    grid = d.object(
        latitude=d.number(f"round({alias}.latitude, 1)"),
        longitude=d.number(f"round({alias}.longitude, 1)"),
    )
    return (
        f"CASE WHEN {alias}.latitude IS NULL THEN NULL "
        f"WHEN {_coarse()} THEN {grid} ELSE {exact} END"
    )


STEPS = ["p", "p1", "p2", "p3", "p4"]


def _protected() -> str:
    return "(" + " OR ".join(f"coalesce({s}.protected, false)" for s in STEPS) + ")"


def _coarse() -> str:
    return f"({_protected()} AND NOT i.point_already_public)"


def _place(d: Dialect) -> str:
    step = {k: v.format("p") for k, v in _place_step(d).items()}
    whole = d.object(
        **step,
        path=d.path(STEPS[1:], _place_step(d)),
        country="p.country",
        point=_point(d, "i"),
        point_basis="i.point_basis",
        point_note=f"CASE WHEN {_coarse()} THEN '' ELSE i.point_note END",
        precision="i.place_precision",
        radius_m=f"CASE WHEN NOT {_coarse()} THEN i.radius_m END",
        protected=d.boolean(_protected()),
        on_grid=d.boolean(_coarse()),
    )
    return d.none_unless("p.id IS NOT NULL", whole)


def _further(d: Dialect) -> str:
    step = {k: v.format("q") for k, v in _place_step(d).items()}
    item = d.object(**step, path=d.path(["q1", "q2", "q3", "q4"], _place_step(d)))
    joins = " ".join(
        f"LEFT JOIN incidents_place q{n} ON q{n}.id = q{n - 1 or ''}.parent_id" for n in range(1, 5)
    )
    source = (
        "incidents_furtherplace g JOIN incidents_place q ON q.id = g.place_id "
        f"{joins} WHERE g.incident_id = i.id"
    )
    return d.list(item, source, "g.id")


def _totals(d: Dialect) -> str:
    """Outcome -> bucket -> total, from their own table: they are counted when they are stored."""
    if d.is_sqlite:
        total = "json_object('min', t.min, 'best', t.best, 'max', t.max, 'at_least', " + (
            d.boolean("t.at_least") + ")"
        )
        inner = (
            f"SELECT t.outcome AS outcome, json_group_object(t.bucket, {total}) AS buckets "
            "FROM incidents_publishedtotal t WHERE t.incident_id = i.seq GROUP BY t.outcome"
        )
        return f"(SELECT json_group_object(outcome, json(buckets)) FROM ({inner}))"
    total = d.object(min="t.min", best="t.best", max="t.max", at_least="t.at_least")
    inner = (
        f"SELECT t.outcome, json_object_agg(t.bucket, {total}) AS buckets "
        "FROM incidents_publishedtotal t WHERE t.incident_id = i.seq GROUP BY t.outcome"
    )
    return f"(SELECT coalesce(json_object_agg(outcome, buckets), '{{}}') FROM ({inner}) per)"


def _shape(d: Dialect, *, full: bool) -> str:
    licence = "CASE WHEN n.id IS NULL THEN {own} ELSE {theirs} END".format(
        own=d.constant(json.dumps(DATA_LICENCE)),
        theirs=d.object(name="n.licence", url="n.url", attribution="n.citation"),
    )
    voices = (
        "(SELECT count(DISTINCT coalesce(u.independence_group, b.independence_group)) "
        "FROM incidents_claim k LEFT JOIN sources_outlet u ON u.id = k.attributed_outlet_id "
        "LEFT JOIN incidents_actor b ON b.id = k.attributed_actor_id "
        "WHERE k.incident_id = i.id AND k.kind <> 'denial')"
    )
    basis = (
        {
            "basis": d.list(
                d.object(bound="z.bound", claim=d.text("zk.uuid"), reason="z.reason"),
                "incidents_countbasis z JOIN incidents_claim zk ON zk.id = z.claim_id "
                "WHERE z.count_id = c.id",
                "z.id",
            )
        }
        if full
        else {
            "basis_count": "(SELECT count(*) FROM incidents_countbasis z WHERE z.count_id = c.id)"
        }
    )
    last = (
        {"claims": _claims(d)}
        if full
        else {"claim_count": "(SELECT count(*) FROM incidents_claim k WHERE k.incident_id = i.id)"}
    )
    return d.object(
        shape="1",
        code="i.code",
        version="i.version",
        published_at=_moment(d),
        previous_version="NULL",
        note="i.version_note",
        cite=(
            "'harmtracker, ' || i.code || ', version ' || i.version || ': ' || i.title || "
            f"'. Published ' || {_day(d)} || '.'"
        ),
        record_type="i.record_type",
        title="i.title",
        summary="i.summary",
        date=d.object(
            edtf="i.date_edtf",
            earliest="i.date_earliest",
            latest="i.date_latest",
            precision="i.date_precision",
            local_time=d.time("i.local_time"),
            local_time_end=d.time("i.local_time_end"),
            time_kind="i.time_kind",
            utc_offset="i.utc_offset",
        ),
        place=_place(d),
        further_places=_further(d),
        circumstances=d.array("i.circumstances"),
        harm_reported="i.harm_reported",
        weapons=_weapons(d, "w.incident_id = i.id AND w.claim_id IS NULL"),
        involvement=_involvement(d, "v.incident_id = i.id AND v.claim_id IS NULL"),
        casualties=_counts(d, "c.incident_id = i.id AND c.claim_id IS NULL", **basis),
        totals=_totals(d),
        victims=_victims(d),
        **last,
        grading=d.object(
            code="i.grading", rationale="i.grading_rationale", independent_sources=voices
        ),
        links=d.list(
            d.object(kind="l.kind", code="m.code"),
            "incidents_incidentlink l JOIN incidents_incident m ON m.id = l.other_id "
            "WHERE l.incident_id = i.id AND m.code IS NOT NULL",
            "l.id",
        ),
        merged_from=d.constant("[]"),
        external_ids=d.list(
            d.object(dataset="e.name", value="y.value"),
            "incidents_externalid y JOIN incidents_dataset e ON e.id = y.dataset_id "
            f"WHERE y.incident_id = i.id AND e.redistributable{' = 1' if d.is_sqlite else ''}",
            "y.id",
        ),
        licence=licence,
    )


def _moment(d: Dialect) -> str:
    if d.is_sqlite:
        return "i.published_at"
    return "to_char(i.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


def _day(d: Dialect) -> str:
    if d.is_sqlite:
        return "substr(i.published_at, 1, 10)"
    return "to_char(i.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


_JOINS = (
    "LEFT JOIN incidents_place p ON p.id = i.place_id "
    "LEFT JOIN incidents_place p1 ON p1.id = p.parent_id "
    "LEFT JOIN incidents_place p2 ON p2.id = p1.parent_id "
    "LEFT JOIN incidents_place p3 ON p3.id = p2.parent_id "
    "LEFT JOIN incidents_place p4 ON p4.id = p3.parent_id "
    "LEFT JOIN incidents_dataset n ON n.id = i.dataset_id"
)
# The stamps of the version stand in a narrow table beside the incident: what an API that has no
# stored documents would keep of a publication.
ROWS = (
    "SELECT i.*, s.seq, s.version, s.published_at, s.version_note FROM incidents_incident i "
    "JOIN bench.stamp s ON s.incident_id = i.id"
)
STAMPS = (
    # Not in the schema public, where every table has its grants.
    "CREATE SCHEMA IF NOT EXISTS bench",
    "CREATE TABLE IF NOT EXISTS bench.stamp AS SELECT i.id AS incident_id, v.seq, "
    "v.number AS version, v.published_at, v.note AS version_note "
    "FROM incidents_incident i JOIN incidents_publishedversion v ON v.code = i.code",
    "CREATE UNIQUE INDEX IF NOT EXISTS stamp_of ON bench.stamp (incident_id)",
    # The indexes that the published side has, for the same questions.
    "CREATE INDEX IF NOT EXISTS bench_incident_by_date ON incidents_incident "
    "(date_earliest DESC NULLS LAST, code)",
    "CREATE INDEX IF NOT EXISTS bench_count_by_claim ON incidents_casualtycount (claim_id)",
    "ANALYZE bench.stamp",
    "ANALYZE incidents_incident",
)


def assembled(d: Dialect, rows: str, *, full: bool, order: str = "") -> str:
    """One JSON text per row of ``rows`` (incidents with their stamps), or per row in an order."""
    return f"SELECT {_shape(d, full=full)} AS item FROM ({rows}) i {_JOINS} {order}"
